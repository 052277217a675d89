"""SNMP v2c and v3 to one device: GET of a few scalars, GETBULK over several columns at once.

Over pysnmp 7.1 (v3arch, asyncio), one engine for the whole process, or a poll costs ten times as
much (facts on performance). Its command generators are used one layer below ``get_cmd`` and
``bulk_cmd``: those resolve every OID against MIBs, and where pysmi is installed they would fetch
MIBs from the internet. Only drivers that need SNMP import this module, because pysnmp weighs 15 MB.

    pysnmp errind.RequestTimedOut, EmptyResponse    DeviceUnreachable
    its errors of user, community, key and view     LoginRefused
    every other ErrorIndication, PySnmpError        AnswerUnreadable
    OSError, DNS failure                            DeviceUnreachable
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from weakref import WeakKeyDictionary

from pyasn1.error import PyAsn1Error  # type: ignore[import-untyped]
from pyasn1.type import univ  # type: ignore[import-untyped]
from pysnmp.entity.rfc3413 import cmdgen  # type: ignore[import-untyped]
from pysnmp.error import PySnmpError  # type: ignore[import-untyped]
from pysnmp.hlapi.v3arch import asyncio as hlapi  # type: ignore[import-untyped]
from pysnmp.hlapi.v3arch.asyncio.lcd import CommandGeneratorLcdConfigurator  # type: ignore[import-untyped]
from pysnmp.proto import errind, rfc1902, rfc1905  # type: ignore[import-untyped]

from kampungnet_agent.driver import AnswerUnreadable, DeviceError, DeviceUnreachable, LoginRefused

Oid = tuple[int, ...]
Value = int | bytes | str
"""A number, raw text, or a dotted OID."""
Table = dict[Oid, dict[Oid, Value]]
"""Column to row index to value."""

TIMEOUT_SECONDS: Final = 2.0
RETRIES: Final = 1
MOST_ROWS: Final = 500
"""Some small devices answer for ever (facts 2.1)."""
_VALUES_PER_PACKET: Final = 50
"""Keeps an answer below one Ethernet frame: IP fragments get lost on some paths."""

_Answer = tuple[Any, Any, Sequence[tuple[Any, Any]]]
"""Error indication, error status and values, as pysnmp hands them over."""
_ADDRESS_BOOK: Final = CommandGeneratorLcdConfigurator()
_NOTHING: Final = univ.Null("")
_ABSENT: Final = (rfc1905.NoSuchObject, rfc1905.NoSuchInstance, rfc1905.EndOfMibView)
_REFUSALS: Final = (
    errind.UnknownCommunityName,
    errind.NoAuthentication,
    errind.AuthenticationError,
    errind.AuthenticationFailure,
    errind.UnsupportedAuthProtocol,
    errind.UnsupportedPrivProtocol,
    errind.NoEncryption,
    errind.EncryptionError,
    errind.DecryptionError,
    errind.UnknownSecurityName,
    errind.UnsupportedSecurityLevel,
    errind.UnknownUserName,
    errind.WrongDigest,
    errind.NoSuchView,
    errind.NoAccessEntry,
    errind.NoGroupName,
    errind.NotInView,
    errind.NoSuchContext,
)
_REFUSAL_STATUS: Final = {6, 16}
"""noAccess and authorizationError of RFC 3416."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who asks. Version 3 has a user; version 2c only a community, sent in the clear."""

    version: str
    username: str
    secret: str = field(repr=False)
    auth_protocol: str = "sha"
    priv_protocol: str = "aes"
    privacy_secret: str = field(default="", repr=False)

    def credentials(self) -> Any:
        """Return pysnmp's form of it; raises ``ValueError`` on an unknown version or protocol."""
        if self.version == "2c":
            # many village devices speak nothing better; the settings choose
            return hlapi.CommunityData(self.secret, mpModel=1)  # noqa: S508 -- see above
        if self.version != "3":
            raise ValueError(f"version {self.version!r} is not 2c or 3")
        auth = _protocol(_AUTH_PROTOCOLS, self.auth_protocol)
        if not self.secret:
            return hlapi.UsmUserData(self.username)  # noqa: S509 -- the device asks for no more
        if not self.privacy_secret:
            return hlapi.UsmUserData(self.username, authKey=self.secret, authProtocol=auth)
        privacy = _protocol(_PRIV_PROTOCOLS, self.priv_protocol)
        keys = {"authKey": self.secret, "privKey": self.privacy_secret}
        return hlapi.UsmUserData(self.username, authProtocol=auth, privProtocol=privacy, **keys)


_AUTH_PROTOCOLS: Final = {
    "md5": hlapi.USM_AUTH_HMAC96_MD5,
    "sha": hlapi.USM_AUTH_HMAC96_SHA,
    "sha256": hlapi.USM_AUTH_HMAC192_SHA256,
    "sha512": hlapi.USM_AUTH_HMAC384_SHA512,
}
_PRIV_PROTOCOLS: Final = {
    "des": hlapi.USM_PRIV_CBC56_DES,
    "aes": hlapi.USM_PRIV_CFB128_AES,
    "aes256": hlapi.USM_PRIV_CFB256_AES,
}


def _protocol(known: dict[str, Any], name: str) -> Any:
    try:
        return known[name.lower().replace("-", "")]
    except KeyError:
        raise ValueError(f"protocol {name!r} is not one of {', '.join(known)}") from None


class _Engines:
    """One engine per process, closed when its last session ends.

    pysnmp keeps one set of keys per user name, so two version 3 devices with the same user and
    different passwords would take each other's: each such account has an engine of its own.
    """

    def __init__(self) -> None:
        self._engines: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Access | None, tuple[Any, int]]]
        self._engines = WeakKeyDictionary()  # an engine belongs to the event loop it was made in

    def take(self, access: Access) -> Any:
        """Return the engine, made at first use, which blocks the loop for some 50 ms once."""
        engines = self._engines.setdefault(asyncio.get_running_loop(), {})
        engine, users = engines.get(_account(access)) or (hlapi.SnmpEngine(), 0)
        engines[_account(access)] = engine, users + 1
        return engine

    def give_back(self, access: Access) -> None:
        """Close the engine with its last user."""
        engines = self._engines[asyncio.get_running_loop()]
        engine, users = engines.pop(_account(access))
        if users > 1:
            engines[_account(access)] = engine, users - 1
        else:
            engine.close_dispatcher()


def _account(access: Access) -> Access | None:
    return access if access.version == "3" else None


_ENGINES: Final = _Engines()


class SnmpSession:
    """One device. :meth:`close` must be called at the end."""

    def __init__(self, host: str, port: int, access: Access) -> None:
        self._place = host, port
        self._access = access
        self._credentials = access.credentials()
        self._engine: Any = None
        self._target: Any = None

    async def get(self, oids: Sequence[Oid]) -> dict[Oid, Value]:
        """Return the values of at most ten scalars; what the device does not have is left out."""
        found: dict[Oid, Value] = {}
        for oid, value in await self._send(oids):
            if value is not None:
                found[oid] = value
        return found

    async def walk(self, columns: Sequence[Oid], expected_rows: int = 0) -> Table:
        """Return whole columns of one table with as few packets as their length allows.

        A column ends at its border, at an OID that does not grow, and at ``MOST_ROWS``. A walk
        that breaks off raises, so half a table is never taken for a whole one.
        """
        table: Table = {column: {} for column in columns}
        last: dict[Oid, Oid] = {column: column for column in columns}
        while last:
            rows = min(len(table[column]) for column in last)
            per_packet = max(1, _VALUES_PER_PACKET // len(last))
            repetitions = min(per_packet, expected_rows - rows + 1) if expected_rows > rows else per_packet
            answer = await self._send(tuple(last.values()), repetitions)
            if not answer:
                raise AnswerUnreadable("empty answer in the middle of a table")
            _sort_into(table, last, answer)
        return table

    async def close(self) -> None:
        """Give the engine back; never raises."""
        if self._engine is not None:
            self._engine = self._target = None
            _ENGINES.give_back(self._access)

    async def _send(self, oids: Sequence[Oid], repetitions: int = 0) -> list[tuple[Oid, Value | None]]:
        """Send one GET, or a GETBULK when ``repetitions`` is given."""
        with self._errors_become_ours():
            if self._target is None:
                self._target = await self._resolve()
            if self._engine is None:
                self._engine = _ENGINES.take(self._access)
            address, _ = _ADDRESS_BOOK.configure(self._engine, self._credentials, self._target)
            answered: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
            names = [(rfc1902.ObjectName(oid), _NOTHING) for oid in oids]
            where = (self._engine, address, None, b"")
            if repetitions:
                cmdgen.BulkCommandGeneratorSingleRun().send_varbinds(*where, 0, repetitions, names, _arrived, answered)
            else:
                cmdgen.GetCommandGenerator().send_varbinds(*where, names, _arrived, answered)
            error, status, answer = await answered
            if error:
                raise error if isinstance(error, errind.ErrorIndication) else PySnmpError(str(error))
            if int(status):
                raise _status_error(int(status), status.prettyPrint())
            return [(name.asTuple(), plain(value)) for name, value in answer]

    async def _resolve(self) -> Any:
        kind = hlapi.Udp6TransportTarget if ":" in self._place[0] else hlapi.UdpTransportTarget
        return await kind.create(self._place, timeout=TIMEOUT_SECONDS, retries=RETRIES)

    @contextmanager
    def _errors_become_ours(self) -> Iterator[None]:
        try:
            yield
        except (errind.ErrorIndication, PySnmpError, PyAsn1Error, OSError) as error:
            self._target = None  # the name may point elsewhere by now
            raise as_device_error(error, self._access.version) from error


def as_device_error(error: Exception, version: str) -> DeviceError:
    """Return our error for one of pysnmp's."""
    if isinstance(error, (errind.RequestTimedOut, errind.EmptyResponse)):
        if version == "3":
            return DeviceUnreachable("no answer: device off, wrong address, or SNMP not allowed from here")
        return DeviceUnreachable("no answer: device off, or the community is wrong (SNMP 2c cannot tell which)")
    if isinstance(error, _REFUSALS):
        return LoginRefused(f"SNMP access refused: {error}"[:500])
    if isinstance(error, OSError) or "transport address" in str(error):
        return DeviceUnreachable(f"not reachable: {error}"[:500])
    return AnswerUnreadable(f"answer not understood: {error or type(error).__name__}"[:500])


def _status_error(status: int, name: str) -> DeviceError:
    if status in _REFUSAL_STATUS:
        return LoginRefused(f"SNMP access refused: {name}")
    return AnswerUnreadable(f"the device answered with SNMP error {name}")


def _arrived(_engine: Any, _request: Any, error: Any, status: Any, *rest: Any) -> None:
    """Hand an answer to who waits; pysnmp calls it with error index, values and our future last."""
    _, answer, answered = rest
    if not answered.done():  # the poll may have been cancelled meanwhile
        answered.set_result((error, status, answer))


def plain(value: Any) -> Value | None:
    """Return a pysnmp value as int, bytes or dotted OID; ``None`` when the device has no such object."""
    if isinstance(value, _ABSENT):
        return None
    if isinstance(value, univ.OctetString):
        return bytes(value.asOctets())
    if isinstance(value, univ.Integer):
        return int(value)
    if isinstance(value, (univ.ObjectIdentifier, rfc1902.ObjectName)):
        return ".".join(map(str, value.asTuple()))
    return None


def _sort_into(table: Table, last: dict[Oid, Oid], answer: Sequence[tuple[Oid, Value | None]]) -> None:
    """Put one GETBULK answer into its columns and forget the columns that ended."""
    asked = tuple(last)
    for position, (oid, value) in enumerate(answer):
        column = asked[position % len(asked)]
        if column not in last:
            continue
        inside = oid[: len(column)] == column and value is not None
        if not inside or oid <= last[column] or len(table[column]) >= MOST_ROWS:
            del last[column]
        elif value is not None:
            table[column][oid[len(column) :]] = value
            last[column] = oid
