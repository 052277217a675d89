"""Enrolment: the box makes its key, proves that it has it, and learns which village it stands in.

The key is on the disk before the server hears of it: a code that was spent while the box lost its power, or while the
answer got lost, opens the same door for the same key again.
"""

import base64
import contextlib
import hashlib
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kampungnet.shared import wire
from kampungnet.shared.one_time_code import NO_CODE, plain_code
from kampungnet.shared.settings_file import SettingsError
from kampungnet_agent.box import Box
from kampungnet_agent.credential import (
    NOBODY,
    SEED_BYTES,
    Credential,
    read_credential,
    seed_of,
    signature_headers,
    write_credential,
)
from kampungnet_agent.line import Answer, Line
from kampungnet_agent.safe_file import replace_file, said_of
from kampungnet_agent.version import VERSION


class EnrolmentError(Exception):
    """The server did not take this box; ``str(error)`` is one sentence."""


class CodeRefusedError(EnrolmentError):
    """The code opens nothing (any more): the same again will not help."""


class Begun(msgspec.Struct, frozen=True):
    """Content of the file beside the credential while this box is being enrolled, as JSON. Mode 0600."""

    code_hash: str
    """SHA-256 of the plain code it is for, hexadecimal: with another code another key is made."""
    private_key: str
    """Raw Ed25519 private key (32 bytes), standard base64."""


def enrol(line: Line, server: str, code: str, box: Box, path: Path) -> Credential:
    """Make a key on this box, register its public half with the one-time ``code``, and keep the credential at ``path``.

    Raises :class:`EnrolmentError`, ``LineError`` when there was no answer, or ``DiskError`` (for the wrong user
    ``SettingsError``) when the disk keeps nothing. After each of them the same code is good for this box's next try.
    """
    beside = _beside(path)
    key = _key_for(code, beside)
    request = wire.EnrolmentRequest(
        code=code, public_key=_base64(key.public_key().public_bytes_raw()), board=box.board, version=VERSION
    )
    body = msgspec.json.encode(request)
    headers = {
        "Content-Type": "application/json",
        **signature_headers(NOBODY, key.sign, wire.ENROLMENTS_PATH, body),
    }
    # Also after a refusal the key stays: if it was a mistake, the code may be spent, and opens for this key alone.
    answer = _answer(line.request("POST", wire.ENROLMENTS_PATH, body, headers))
    credential = Credential(
        answer.agent, answer.village, server, _base64(key.private_bytes_raw()), answer.village_name,
        made_ms=box.wall_ms(),
    )  # fmt: skip
    with said_of(path, advice="free some room and repeat: the same code still works"):
        write_credential(path, credential)
    _take_away(beside)
    return credential


def forget_what_was_begun(path: Path) -> None:
    """Take away what a power cut left beside a finished credential; raises ``DiskError`` or ``SettingsError``.

    The key of a box that is being enrolled anew (``--replace``) stays: its code may be spent already.
    """
    begun = _begun(_beside(path))
    if begun and begun.private_key == read_credential(path).private_key:
        _take_away(_beside(path))


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".begun")


def _take_away(beside: Path) -> None:
    with said_of(beside, "taken away", "this box is enrolled; repeat to take it away"):
        beside.unlink(missing_ok=True)


def _key_for(code: str, beside: Path) -> Ed25519PrivateKey:
    """Return the key with which this box asked with this code before, or a new one that is on the disk already."""
    code_hash = hashlib.sha256(plain_code(code).encode()).hexdigest()
    begun = _begun(beside)
    if begun and begun.code_hash == code_hash:
        return Ed25519PrivateKey.from_private_bytes(seed_of(begun.private_key))
    key = Ed25519PrivateKey.generate()
    new = Begun(code_hash, _base64(key.private_bytes_raw()))
    with said_of(beside):
        replace_file(beside, msgspec.json.encode(new) + b"\n", mode=0o600)
    return key


def _begun(beside: Path) -> Begun | None:
    """Return what was begun; a file that says nothing is no reason to stop, one that cannot be read now may say it."""
    try:
        with said_of(beside, "read"), contextlib.suppress(FileNotFoundError):
            begun = msgspec.json.decode(beside.read_bytes(), type=Begun)
            return begun if len(seed_of(begun.private_key)) == SEED_BYTES else None
    except (msgspec.DecodeError, ValueError):
        pass
    return None


def make_room_for_credential(path: Path, *, replace: bool) -> None:
    """Check before the one-time code is spent that the credential can be kept.

    Raises ``SettingsError`` or ``DiskError``.
    """
    if path.exists() and not replace:
        forget_what_was_begun(path)
        raise SettingsError(f"{path} exists: this box is enrolled already; add --replace to enrol it anew.")
    trial = path.with_name(path.name + ".trial")
    with said_of(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(trial, b"", mode=0o600)
        trial.unlink()


def _answer(answer: Answer) -> wire.EnrolmentAnswer:
    try:
        if 200 <= answer.status < 300 and answer.is_json:
            return msgspec.json.decode(answer.body, type=wire.EnrolmentAnswer)
        problem = msgspec.json.decode(answer.body, type=wire.Problem).detail if answer.is_json else ""
    except wire.UNREADABLE:
        problem = ""
    if answer.status == 404 and problem == NO_CODE:
        raise CodeRefusedError(f"the server answered 404: {problem}")
    raise EnrolmentError(
        f"the server answered {answer.status}: {problem or 'not our server, or a login page in between'}"
    )


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
