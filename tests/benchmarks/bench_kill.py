"""kill -9 at 200 random moments: of the agent while it spools, of the server while it takes reports and packs them.

``LONG=1``: at 2,000.
"""

import argparse
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.shared import wire
from kampungnet.upkeep import pack_all
from kampungnet_agent.line import Line, LineError
from kampungnet_agent.report import Sender, make_post
from kampungnet_agent.spool import Spooled
from tests.agent.crash_loop import run_rounds
from tests.benchmarks.central import (
    BOOT_ID,
    Enrolled,
    Readings,
    SteadyBox,
    prepare_sqlite,
    serve_command,
    sqlite_url,
    stored_payloads,
)
from tests.benchmarks.context import Context
from tests.benchmarks.process import module, start
from tests.benchmarks.rows import Goal, Row
from tests.support.ports import free_port

MOMENTS = 200 * (10 if os.environ.get("LONG") else 1)
LANES = 2
"""Servers side by side, each with its own boxes: starting one takes longer than killing it."""
BOXES = 6
LONGEST_SECONDS = 0.4
RESENT = 0.1
OLD_MS = 4 * 3_600_000
"""Half of the boxes report readings of four hours ago, which are packed as soon as they are stored."""

Key = tuple[str, int]
"""Agent and sequence: all readings here are of one boot."""


def kill_agent(context: Context) -> list[Row]:
    """The loop of the agent's own tests, longer."""
    seed = time.time_ns() % 1_000_000
    folder = context.own_folder("kill-agent")
    with _words_of_children_to(folder / "log"):
        result = run_rounds(MOMENTS, seed, folder)
    wrong = len(result.missing) + len(result.doubled) + len(result.foreign)
    what = f"kill -9 of the agent at {MOMENTS} random moments (seed {seed}): readings lost or doubled"
    return [_verdict(what, wrong, result.kept)]


def kill_server(context: Context) -> list[Row]:
    """Kill the server again and again, then compare its database with every receipt it gave."""
    seed = time.time_ns() % 1_000_000
    context.say(f"seed {seed}")
    lanes = [_Lane(context.own_folder("kill-server"), random.Random(seed + lane)) for lane in range(LANES)]
    with ThreadPoolExecutor(LANES) as pool:
        running = [pool.submit(lane.run, MOMENTS // LANES) for lane in lanes]
        try:
            for done in running:
                done.result()
        finally:
            for lane in lanes:
                lane.ending = True
    found = [lane.compare() for lane in lanes]
    lost, doubled, changed = (sum(one[part] for one in found) for part in range(3))
    receipted = sum(len(lane.receipted) for lane in lanes)
    context.say(f"{receipted} readings receipted")
    context.say(f"{lost} lost, {doubled} doubled, {changed} changed")
    what = f"kill -9 of the server at {MOMENTS} random moments (seed {seed}): readings lost, doubled or changed"
    return [_verdict(what, lost + doubled + changed, receipted)]


@contextmanager
def _words_of_children_to(log: Path) -> Iterator[None]:
    """Two hundred agents say that their server is busy: that is the test, and not for the screen."""
    before = os.dup(2)
    with log.open("wb") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)


def _verdict(what: str, wrong: int, of: int) -> Row:
    return Row(what, f"{wrong} of {of:,}", "–", "–", Goal(0, 0), wrong)


@dataclass
class _Teller:
    """One box: makes readings, sends each until it has its receipt, and sends some a second time."""

    sender: Sender
    readings: Readings
    line: Line
    dice: random.Random
    sent: dict[int, bytes] = field(default_factory=dict)
    receipted: set[int] = field(default_factory=set)
    complaints: Counter[str] = field(default_factory=Counter)
    stop: bool = False

    def tell(self) -> None:
        """Report until told to stop; what is under way then is still brought to its receipt."""
        while not self.stop:
            new = [self.readings.next(40) for _ in range(self.dice.randint(1, 5))]
            self.sent.update(dict(new))
            self._bring(new)
            if self.dice.random() < RESENT:
                self._bring(new)

    def _bring(self, readings: list[Spooled]) -> None:
        waiting = {one.sequence for one in readings}
        while waiting:
            parcel = make_post(self.sender, readings, wire.AgentHealth())
            try:
                answer = self.line.request("POST", wire.REPORTS_PATH, parcel.body, parcel.headers)
            except LineError:
                time.sleep(0.02)
                continue
            if answer.status != 200:
                self.complaints[answer.body.decode(errors="replace")[:100]] += 1
                time.sleep(0.02)
                continue
            try:
                receipt = msgspec.json.decode(answer.body, type=wire.Receipt)
            except msgspec.DecodeError:
                continue  # killed in the middle of its answer
            self.receipted.update(receipt.accepted)
            waiting -= set(receipt.accepted)
            self.complaints.update(refusal.reason for refusal in receipt.refused)


class _Lane:
    """One server that is killed, and the boxes that report to it."""

    def __init__(self, folder: Path, dice: random.Random) -> None:
        self._folder, self._dice, self._port = folder, dice, free_port()
        self._boxes = prepare_sqlite(folder, BOXES)
        self._tellers = {one.agent: self._teller(place, one) for place, one in enumerate(self._boxes)}
        self.ending = False

    def _teller(self, place: int, box: Enrolled) -> _Teller:
        first_ms = clock.now_ms() - (OLD_MS if place % 2 else 600_000)
        line = Line(f"http://127.0.0.1:{self._port}")
        return _Teller(box.sender(SteadyBox()), Readings(first_ms), line, random.Random(self._dice.random()))

    @property
    def receipted(self) -> set[Key]:
        """Every reading a receipt was given for."""
        return {(agent, number) for agent, teller in self._tellers.items() for number in teller.receipted}

    def _receipts(self) -> int:
        return sum(len(teller.receipted) for teller in self._tellers.values())

    def run(self, moments: int) -> None:
        """Let the boxes report and kill the server so often; then let them finish."""
        threads = [threading.Thread(target=one.tell, daemon=True) for one in self._tellers.values()]
        for thread in threads:
            thread.start()
        try:
            for _ in range(moments):
                if not self.ending:
                    self._one_life()
        finally:
            for teller in self._tellers.values():
                teller.stop = True
        with self._life():
            for thread in threads:
                thread.join(0 if self.ending else 60)
        if any(thread.is_alive() for thread in threads) and not self.ending:
            raise RuntimeError(f"a box never got its receipt: {[one.complaints for one in self._tellers.values()]}")

    def _one_life(self) -> None:
        before = self._receipts()
        with self._life():
            if self._dice.random() < 0.1:
                time.sleep(self._dice.uniform(0.0, 2.0))  # also while it starts
                return
            until = time.monotonic() + 30
            while self._receipts() == before and not self.ending:
                if time.monotonic() > until:
                    raise RuntimeError(f"no receipt for 30 s: {[one.complaints for one in self._tellers.values()]}")
                time.sleep(0.005)
            time.sleep(self._dice.uniform(0.0, LONGEST_SECONDS))

    @contextmanager
    def _life(self) -> Iterator[None]:
        """Run the server, and beside it one that packs without a pause; both die at once."""
        packer = [*module("bench_kill"), "--pack", sqlite_url(self._folder)]
        with ExitStack() as stack:
            for name, command in (("server", serve_command(self._folder, self._port)), ("packer", packer)):
                stack.callback(start(name, command, self._folder / f"{name}.log").kill)
            yield

    def compare(self) -> tuple[int, int, int]:
        """Return how many receipted readings are lost, and how many stored ones are there twice or differ."""
        found: Counter[Key] = Counter()
        changed = 0
        sent = {agent: teller.sent for agent, teller in self._tellers.items()}
        for agent, payload in stored_payloads(sqlite_url(self._folder)):
            reading = msgspec.json.decode(payload, type=wire.Reading)
            found[agent, reading.sequence] += 1
            changed += sent[agent].get(reading.sequence) != payload or reading.boot_id != BOOT_ID
        lost = self.receipted - set(found)
        complaints = sum((teller.complaints for teller in self._tellers.values()), Counter[str]())
        changed += sum(number for text, number in complaints.items() if "another content" in text)
        return len(lost), sum(number - 1 for number in found.values()), changed


def _pack_for_ever(url: str) -> None:
    database = Database(url)
    while True:
        pack_all(database)
        time.sleep(0.02)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--pack", required=True, metavar="URL")
    with suppress(KeyboardInterrupt):
        _pack_for_ever(parser.parse_args().pack)
