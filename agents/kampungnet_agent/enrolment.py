"""Enrolment: the box makes its key, proves that it has it, and learns which village it stands in."""

import base64
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kampungnet.shared import wire
from kampungnet.shared.settings_file import SettingsError
from kampungnet_agent.credential import NOBODY, Credential, signature_headers, write_credential
from kampungnet_agent.line import Answer, Line
from kampungnet_agent.safe_file import replace_file
from kampungnet_agent.version import VERSION


class EnrolmentError(Exception):
    """The server did not take this box; ``str(error)`` is one sentence."""


def enrol(line: Line, server: str, code: str, board: str, now_ms: int = 0) -> Credential:
    """Make a key on this box and register its public half with the one-time ``code``.

    ``now_ms`` is kept as the key's age. Raises :class:`EnrolmentError`, or ``LineError`` when there was no answer.
    """
    key = Ed25519PrivateKey.generate()
    request = wire.EnrolmentRequest(
        code=code, public_key=_base64(key.public_key().public_bytes_raw()), board=board, version=VERSION
    )
    body = msgspec.json.encode(request)
    headers = {
        "Content-Type": "application/json",
        **signature_headers(NOBODY, key.sign, wire.ENROLMENTS_PATH, body),
    }
    answer = _answer(line.request("POST", wire.ENROLMENTS_PATH, body, headers))
    return Credential(
        answer.agent, answer.village, server, _base64(key.private_bytes_raw()), answer.village_name, made_ms=now_ms
    )


def make_room_for_credential(path: Path, *, replace: bool) -> None:
    """Check before the one-time code is spent that the credential can be kept; raises ``SettingsError``."""
    if path.exists() and not replace:
        raise SettingsError(f"{path} exists: this box is enrolled already; add --replace to enrol it anew.")
    trial = path.with_name(path.name + ".trial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(trial, b"", mode=0o600)
        trial.unlink()
    except OSError as error:
        raise SettingsError(f"{path} cannot be written ({error.strerror}); run this as the agent's user.") from error


def keep(path: Path, credential: Credential) -> None:
    """Write the credential durably."""
    write_credential(path, credential)


def _answer(answer: Answer) -> wire.EnrolmentAnswer:
    try:
        if 200 <= answer.status < 300 and answer.is_json:
            return msgspec.json.decode(answer.body, type=wire.EnrolmentAnswer)
        problem = msgspec.json.decode(answer.body, type=wire.Problem).detail if answer.is_json else ""
    except wire.UNREADABLE:
        problem = ""
    raise EnrolmentError(
        f"the server answered {answer.status}: {problem or 'not our server, or a login page in between'}"
    )


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
