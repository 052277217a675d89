"""SNMPv3 with user-based security: SHA-1 or SHA-2 authentication, AES-128 privacy (RFC 3414, 3826, 7860)."""

import hashlib
import hmac
import os
from dataclasses import dataclass

from kampungnet_sim.snmp_ber import OCTETS, SEQUENCE, BerError, Reader, integer, octets, sequence

_STATS = (1, 3, 6, 1, 6, 3, 15, 1, 1)
UNSUPPORTED_LEVEL = (*_STATS, 1, 0)
NOT_IN_TIME = (*_STATS, 2, 0)
UNKNOWN_USER = (*_STATS, 3, 0)
UNKNOWN_ENGINE = (*_STATS, 4, 0)
WRONG_DIGEST = (*_STATS, 5, 0)
DECRYPTION_ERROR = (*_STATS, 6, 0)

AUTH, PRIV, REPORTABLE = 1, 2, 4
# Name of the hash in Python, bytes of the digest that travel (RFC 3414 6.3, RFC 7860 4.2).
_HASHES = {"SHA": ("sha1", 12), "SHA-256": ("sha256", 24), "SHA-512": ("sha512", 48)}
_TIME_WINDOW_SECONDS = 150
_KEY_STRETCH_BYTES = 1_048_576
_BLOCK = 16


@dataclass(frozen=True, slots=True)
class UsmUser:
    """One SNMPv3 user; both passwords have at least 8 characters (RFC 3414 11.2).

    ``auth`` is ``SHA``, ``SHA-256`` or ``SHA-512``, as net-snmp writes them.
    """

    name: str
    auth_password: str
    priv_password: str
    auth: str = "SHA"


def localised_key(password: str, engine_id: bytes, auth: str = "SHA") -> bytes:
    """The key of a password for one engine (RFC 3414 A.2.2)."""
    name, _ = _HASHES[auth]
    raw = password.encode()
    stretched = (raw * (_KEY_STRETCH_BYTES // len(raw) + 1))[:_KEY_STRETCH_BYTES]
    master = hashlib.new(name, stretched, usedforsecurity=False).digest()
    return hashlib.new(name, master + engine_id + master, usedforsecurity=False).digest()


@dataclass(frozen=True, slots=True)
class Header:
    """Global data and security parameters of one message."""

    message_id: int
    max_size: int
    flags: int
    engine_id: bytes
    boots: int
    time: int
    user: bytes
    digest: bytes
    salt: bytes
    data: bytes
    # Where the digest stands in the whole message.
    digest_at: int


def read_header(data: bytes) -> Header:
    """Read everything but the payload. BerError for what is not SNMPv3 with USM."""
    _, message = Reader(data).enter(SEQUENCE)
    message.integer()
    _, head = message.enter(SEQUENCE)
    message_id, max_size, flags, model = head.integer(), head.integer(), head.octets(), head.integer()
    if model != 3 or len(flags) != 1:
        raise BerError("not user-based security")
    _, start, end = message.next(OCTETS)
    _, security = Reader(data, start, end).enter(SEQUENCE)
    engine_id, boots, time, user = security.octets(), security.integer(), security.integer(), security.octets()
    digest = security.octets()
    digest_at = security.at - len(digest)
    salt = security.octets()
    return Header(
        message_id, max_size, flags[0], engine_id, boots, time, user, digest, salt,
        data[message.at :], digest_at,
    )  # fmt: skip


def _aes_cfb(key: bytes, start: bytes, data: bytes, *, decrypt: bool) -> bytes:
    """CFB-128 made of single AES blocks."""
    # Only who speaks v3 with privacy needs the library; v2c runs on a bare Python.
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415 -- see above

    block = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - a building block of CFB
    out, feedback = bytearray(), start
    for at in range(0, len(data), _BLOCK):
        part = data[at : at + _BLOCK]
        stream = block.update(feedback)
        mixed = bytes(a ^ b for a, b in zip(part, stream, strict=False))
        out += mixed
        feedback = part if decrypt else mixed
    return bytes(out)


class Usm:
    """Checks and makes secured messages for one engine with one user."""

    def __init__(self, engine_id: bytes, user: UsmUser) -> None:
        self.engine_id = engine_id
        self._user = user
        self._keys: tuple[bytes, bytes] | None = None

    def _both_keys(self) -> tuple[bytes, bytes]:
        if self._keys is None:
            # A megabyte of hashing each: only when somebody really speaks v3.
            auth = localised_key(self._user.auth_password, self.engine_id, self._user.auth)
            priv = localised_key(self._user.priv_password, self.engine_id, self._user.auth)
            self._keys = (auth, priv[:16])
        return self._keys

    def _digest(self, message: bytes) -> bytes:
        name, size = _HASHES[self._user.auth]
        return hmac.new(self._both_keys()[0], message, name).digest()[:size]

    def problem(self, header: Header, data: bytes, clock: tuple[int, int]) -> tuple[int, ...] | None:
        """Why the message is refused, as the counter that a report names."""
        if header.engine_id != self.engine_id:
            return UNKNOWN_ENGINE
        if header.user.decode("latin-1") != self._user.name:
            return UNKNOWN_USER
        if header.flags & (AUTH | PRIV) != AUTH | PRIV:
            return UNSUPPORTED_LEVEL
        end = header.digest_at + len(header.digest)
        blank = data[: header.digest_at] + bytes(len(header.digest)) + data[end:]
        if not hmac.compare_digest(self._digest(blank), header.digest):
            return WRONG_DIGEST
        boots, time = clock
        if header.boots != boots or abs(header.time - time) > _TIME_WINDOW_SECONDS:
            return NOT_IN_TIME
        return None

    def decrypted(self, header: Header) -> bytes:
        """The scoped PDU of an encrypted message; BerError when it is none."""
        secret = Reader(header.data).octets()
        start = header.boots.to_bytes(4, "big") + header.time.to_bytes(4, "big") + header.salt
        if len(start) != _BLOCK:
            raise BerError("bad privacy parameters")
        return _aes_cfb(self._both_keys()[1], start, secret, decrypt=True)

    def message(self, header: Header, scoped: bytes, clock: tuple[int, int], *, level: int) -> bytes:
        """A whole message at security level ``level`` (flags AUTH and PRIV)."""
        boots, time = clock
        salt = b""
        if level & PRIV:
            salt = os.urandom(8)
            start = boots.to_bytes(4, "big") + time.to_bytes(4, "big") + salt
            scoped = octets(_aes_cfb(self._both_keys()[1], start, scoped, decrypt=False))
        blank = bytes(_HASHES[self._user.auth][1]) if level & AUTH else b""
        plain = self._whole(header, scoped, clock, (level, blank, salt))
        if not level & AUTH:
            return plain
        return self._whole(header, scoped, clock, (level, self._digest(plain), salt))

    def _whole(
        self, header: Header, payload: bytes, clock: tuple[int, int], secured: tuple[int, bytes, bytes]
    ) -> bytes:
        level, digest, salt = secured
        security = sequence(
            (
                octets(self.engine_id),
                integer(clock[0]),
                integer(clock[1]),
                octets(header.user if level & AUTH else b""),
                octets(digest),
                octets(salt),
            )
        )
        head = sequence((integer(header.message_id), integer(65_507), octets(bytes((level,))), integer(3)))
        return sequence((integer(3), head, octets(security), payload))
