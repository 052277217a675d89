"""Who knocks at the agents' doors and is not let in: counted, bounded in memory and in the database.

A refused request costs an attacker nothing, so it costs us little: what is noted waits in a small table in memory and
is written twice a minute; only so many are looked at more closely, the others are counted together.
"""

import asyncio
import logging
import re
import threading
import time
from typing import Final, NamedTuple

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from kampungnet.core.database import Database
from kampungnet.devices import credentials, knocks
from kampungnet.devices.knocks import Knock, Knocker
from kampungnet.devices.whereabouts import network_of
from kampungnet.ingest.signatures import SignedRequest, signed
from kampungnet.shared import wire

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 30.0
MOST: Final = 64
"""Different ones between two writings; more are counted together."""
LOOKS: Final = 60
"""Looked at more closely in a minute; each costs a question to the database and up to three signatures."""
_AGENT: Final = re.compile(r"[0-9A-HJKMNP-TV-Z]{16}")
_SIGNATURE: Final = re.compile(r"[A-Za-z0-9+/]{86}==")


class _Seen(NamedTuple):
    first_ms: int
    last_ms: int
    times: int


class Knocks:
    """What one process has heard and not written yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[Knocker, _Seen] = {}
        self._looks, self._minute = 0, 0.0

    def of_box(self, db: Session, request: SignedRequest, path: str) -> None:
        """Note a signed request of nobody who may report, if it has the form of one."""
        if not _AGENT.fullmatch(request.agent) or not _SIGNATURE.fullmatch(request.signature):
            return
        if not self._may_look():
            self._note(knocks.MANY, request.received_ms)
            return
        text = wire.signing_bytes("POST", path, request.agent, request.body)
        network = network_of(request.address)
        for ended in credentials.former_keys(db, request.agent):
            if any(signed(key, request.signature, text) for key in ended.keys):
                self._note(Knocker(ended.regency, ended.kind, request.agent, network), request.received_ms)
                return
        self._note(Knocker("", Knock.UNKNOWN, request.agent, network), request.received_ms)

    def of_newcomer(self, address: str, now_ms: int, knock: Knock = Knock.CODE) -> None:
        """Note a well signed enrolment without a code that opens."""
        self._note(Knocker("", knock, "", network_of(address)), now_ms)

    def write(self, database: Database) -> None:
        """Put what was heard into the database; kept for the next time when that fails."""
        with self._lock:
            waiting, self._seen = self._seen, {}
        if not waiting:
            return
        try:
            with database.writes() as db:
                knocks.record(db, [(one, *seen) for one, seen in waiting.items()])
        except (SQLAlchemyError, OSError) as error:
            log.error("who knocked could not be written and is kept: %s", error)
            for one, seen in waiting.items():
                self._add(one, seen)

    async def write_for_ever(self, database: Database) -> None:
        """Write now and then until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await asyncio.to_thread(self.write, database)

    def _note(self, one: Knocker, now_ms: int) -> None:
        self._add(one, _Seen(now_ms, now_ms, 1))

    def _add(self, one: Knocker, seen: _Seen) -> None:
        with self._lock:
            if one not in self._seen and len(self._seen) >= MOST:
                one = knocks.MANY
            before = self._seen.get(one)
            if before is not None:
                seen = _Seen(min(before.first_ms, seen.first_ms), max(before.last_ms, seen.last_ms),
                             before.times + seen.times)  # fmt: skip
            self._seen[one] = seen

    def _may_look(self) -> bool:
        now = time.monotonic()
        with self._lock:
            if now - self._minute >= 60.0:
                self._looks, self._minute = 0, now
            self._looks += 1
            return self._looks <= LOOKS
