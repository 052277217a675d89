"""Boxes that report without a pause while servers and databases die: each reading is sent until its receipt comes."""

import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import msgspec
from sqlalchemy import select

from kampungnet.core.database import Database
from kampungnet.measurement import packing
from kampungnet.measurement.models import ReadingDay, YoungReading
from kampungnet.shared import wire
from tests.support.server import Box, Running

GUARD_SECONDS = 120
SENT_AGAIN = 0.1
Key = tuple[str, int]


@dataclass
class Reporters:
    """Several boxes, where they report to now, and what they hold receipts for."""

    boxes: Sequence[Box]
    target: Running
    seed: int
    sent: dict[Key, bytes] = field(default_factory=dict)
    receipted: set[Key] = field(default_factory=set)
    refused: Counter[str] = field(default_factory=Counter)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let them report; at the end each still gets the receipt it waits for."""
        self._threads = [
            threading.Thread(target=self._report, args=(number, box)) for number, box in enumerate(self.boxes)
        ]
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self.end()
        assert not any(thread.is_alive() for thread in self._threads), f"a box has no receipt: {self.refused}"

    def end(self) -> None:
        """Let each bring what it has to its receipt, and stop."""
        self._stop.set()
        for thread in self._threads:
            thread.join(GUARD_SECONDS)

    def wait_for_more(self, least: int = 1) -> None:
        """Return when so many more receipts came."""
        before, until = len(self.receipted), time.monotonic() + GUARD_SECONDS
        while len(self.receipted) < before + least:
            assert time.monotonic() < until, f"no receipt came: {self.refused}"
            time.sleep(0.002)

    def _report(self, number: int, box: Box) -> None:
        dice = random.Random(self.seed + number)
        while not self._stop.is_set():
            payloads = [msgspec.json.encode(box.reading()) for _ in range(dice.randint(1, 5))]
            for payload in payloads:
                self.sent[box.agent, msgspec.json.decode(payload, type=wire.Reading).sequence] = payload
            self._until_receipted(box, payloads)
            if dice.random() < SENT_AGAIN:
                self._until_receipted(box, payloads)

    def _until_receipted(self, box: Box, payloads: list[bytes]) -> None:
        until = time.monotonic() + GUARD_SECONDS
        while time.monotonic() < until:
            try:
                answer = self.target.report(box, *payloads)
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)
                continue
            if answer.status == 200:
                receipt = answer.receipt()
                self.receipted.update((box.agent, number) for number in receipt.accepted)
                self.refused.update(one.reason for one in receipt.refused)
                return
            self.refused[str(answer.status)] += 1
            time.sleep(0.02)


@dataclass
class Compared:
    """What a database has of what was receipted."""

    lost: int
    doubled: int
    changed: int


def compare(database: Database, receipted: set[Key], sent: dict[Key, bytes]) -> Compared:
    """Compare readings in a database with the receipts given for them."""
    found = Counter[Key]()
    changed = 0
    with database.reads() as db:
        for agent, sequence, payload in db.execute(
            select(YoungReading.agent, YoungReading.sequence, YoungReading.payload)
        ):
            found[agent, sequence] += 1
            changed += sent[agent, sequence] != payload
        for agent, packed in db.execute(select(ReadingDay.agent, ReadingDay.packed)):
            for kept in packing.unpack(packed):
                found[agent, msgspec.json.decode(kept.payload, type=wire.Reading).sequence] += 1
    return Compared(len(receipted - set(found)), sum(often - 1 for often in found.values()), changed)
