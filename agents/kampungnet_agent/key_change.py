"""The box changes its key: by its age, or when somebody says so.

In this order, each step on the disk before the next, so that after a power cut at any place one of the keys in the
file is the one that the server accepts:

1. the next key is made and written beside the one in use;
2. it is announced, signed with the one in use: the server accepts both;
3. it is used, which ends the one before;
4. it is written as the only one.

Begun anew from 1 to 3 whatever the file and the server know already; nothing of it is harmful twice.
"""

import base64
import fcntl
import logging
import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from kampungnet.shared import wire
from kampungnet.shared.rotation import KEYS_PATH, KeyAnswer, KeyRequest, proof_bytes
from kampungnet.shared.settings_file import SettingsError
from kampungnet_agent.box import Box
from kampungnet_agent.credential import (
    SEED_BYTES,
    Credential,
    read_credential,
    seed_of,
    signature_headers,
    write_credential,
)
from kampungnet_agent.line import Line, LineError
from kampungnet_agent.signing import Signer, public_key_of, signer_for

log = logging.getLogger(__name__)

DAY_MS = 86_400_000
SPREAD_SECONDS = 6 * 3600.0
"""Boxes that were enrolled together, or start together after a power cut, do not change their keys together."""
AGAIN_SECONDS = 60.0
LATER_SECONDS = 86_400.0
"""After a change that the server does not take."""


class KeyChangeError(Exception):
    """The key was not changed, and the one before counts still; ``str(error)`` is one sentence."""


class Identity:
    """The credential of a running agent. Its key may change at any time, also by another process."""

    def __init__(self, path: Path) -> None:
        """Read the file; raises ``SettingsError``."""
        self.path = path
        self._lock = threading.Lock()
        self.credential = read_credential(path)
        self._key = self.credential.private_key
        self._signer = signer_for(seed_of(self._key))

    @property
    def is_changing(self) -> bool:
        """Tell whether a change was begun and is not finished: either key may be the right one."""
        return bool(self.credential.next_key)

    def sign(self, message: bytes) -> bytes:
        """Sign with the key of now."""
        return self._signer(message)

    def use(self, key: str) -> None:
        """Sign with this key from now on."""
        with self._lock:
            if key != self._key:
                self._key, self._signer = key, signer_for(seed_of(key))

    def read_again(self) -> bool:
        """Take what another process wrote into the file; return whether a refusal may have been of the old key."""
        try:
            found = read_credential(self.path)
        except SettingsError as error:
            log.error("%s", error)
            return False
        if found.agent != self.credential.agent:
            return False  # enrolled anew: that counts with the next start
        is_new = found.private_key != self.credential.private_key
        self.credential = found
        if is_new:
            self.use(found.private_key)
        return is_new or self.is_changing


def change_key(identity: Identity, line: Line, now_ms: int) -> None:
    """Change the key of this box, or finish what was begun.

    Raises :class:`KeyChangeError`, ``LineError`` when there was no answer, ``OSError`` when the disk fails.
    """
    with _alone(identity.path):
        credential = read_credential(identity.path)
        if not credential.next_key:
            credential = msgspec.structs.replace(credential, next_key=_base64(os.urandom(SEED_BYTES)))
            write_credential(identity.path, credential)
        identity.credential = credential
        old, new = (signer_for(seed_of(key)) for key in (credential.private_key, credential.next_key))
        request = _request(credential, new)
        try:
            answer = _post(line, credential.agent, old, request)
            if answer is not None:
                identity.use(credential.next_key)  # before the old one ends, so that nothing is signed with it after
        except KeyChangeError:
            write_credential(identity.path, msgspec.structs.replace(credential, next_key=""))
            identity.credential = read_credential(identity.path)
            raise
        # Without an answer the old key is refused: the next one was used already, and the box was cut off after that.
        if answer is None or not answer.in_use:
            answer = _post(line, credential.agent, new, request)
        if answer is None or not answer.in_use:
            raise KeyChangeError("this box is not accepted; enrol it again")
        done = msgspec.structs.replace(
            credential, private_key=credential.next_key, next_key="", made_ms=now_ms
        )  # fmt: skip
        write_credential(identity.path, done)
        identity.credential = done
        identity.use(done.private_key)


class KeyKeeper:
    """Changes the key of a running agent when its time has come."""

    def __init__(self, identity: Identity, days: int, dice: random.Random | None = None) -> None:
        """``days`` is the age at which a key is changed; 0: never by itself."""
        self.identity = identity
        self._days = days
        spread = (dice or random.Random()).uniform(0.0, SPREAD_SECONDS)  # noqa: S311 - spreads load, guards nothing
        self._not_before = 0.0 if identity.is_changing else time.monotonic() + spread
        self._told = ""

    def is_due(self, box: Box) -> bool:
        """Tell whether to change the key now."""
        if time.monotonic() < self._not_before:
            return False
        if self.identity.is_changing:
            return True
        if not self._days or not box.clock_synchronised():
            return False
        age_ms = box.wall_ms() - self.identity.credential.made_ms
        return age_ms > self._days * DAY_MS or age_ms < -DAY_MS  # made while the clock was wrong

    def change(self, line: Line, now_ms: int) -> bool:
        """Try it; log what is new about it once, and return whether it is done."""
        self._not_before = time.monotonic() + AGAIN_SECONDS
        try:
            change_key(self.identity, line, now_ms)
        except (LineError, OSError) as error:
            self._tell(f"the key of this box could not be changed yet: {error}")
            return False
        except KeyChangeError as error:
            self._not_before = time.monotonic() + LATER_SECONDS
            self._tell(f"the key of this box was not changed: {error}")
            return False
        log.warning("this box has a new key; the one before is accepted no more")
        self._told = ""
        return True

    def _tell(self, sentence: str) -> None:
        if sentence != self._told:
            log.error("%s", sentence)
        self._told = sentence


def _request(credential: Credential, new: Signer) -> bytes:
    public = _base64(public_key_of(seed_of(credential.next_key)))
    proof = _base64(new(proof_bytes(credential.agent, public)))
    return msgspec.json.encode(KeyRequest(credential.agent, public, proof))


def _post(line: Line, agent: str, sign: Signer, body: bytes) -> KeyAnswer | None:
    """Return the answer, ``None`` when the signature is not accepted. Raises ``KeyChangeError`` or ``LineError``."""
    headers = {"Content-Type": "application/json", **signature_headers(agent, sign, KEYS_PATH, body)}
    answer = line.request("POST", KEYS_PATH, body, headers)
    if answer.status == 401 and answer.is_json:
        return None
    if answer.status == 400 and answer.is_json:
        raise KeyChangeError("the server refuses this key; another one is made the next time")
    if answer.status != 200 or not answer.is_json:
        raise LineError(f"the server answered {answer.status}")
    try:
        return msgspec.json.decode(answer.body, type=KeyAnswer)
    except wire.UNREADABLE as error:
        raise LineError("the answer cannot be read; does a login page or proxy stand between?") from error


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let one process at a time change the key in a file."""
    handle = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
