"""The disk of a box fills up under a whole agent: it goes on polling and sending, says what it lost, and recovers."""

import os
import random
import select
import sqlite3
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
from sqlalchemy import select as select_rows

from kampungnet.core.database import Database
from kampungnet.devices.models import Agent
from kampungnet.measurement.models import YoungReading
from kampungnet.shared import wire
from kampungnet_agent.box import Box as AgentsBox
from kampungnet_agent.spool import Spool
from tests.faults.disk import disk, fill
from tests.faults.told import chance, times, told
from tests.support.ports import free_port
from tests.support.server import Box, enrolled, serving

FULL = times(3, 10)
MEGABYTES = 12
ATTEMPTS = 60
"""Polls while the disk is full."""
WAITING = 80
"""Readings in the spool of a box whose line is cut as well."""
GUARD_SECONDS = 120
ROOT = Path(__file__).parents[2]


class Talker:
    """The agent, and what it said of each poll."""

    def __init__(self, box: Box, port: int, folder: Path, log: Path) -> None:
        key = b64encode(box.key.private_bytes_raw()).decode()
        command = [sys.executable, "-m", "tests.faults.full_box", f"http://127.0.0.1:{port}"]
        command += [str(folder), box.agent, key]
        paths = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "agents")])}
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, start_new_session=True, env=os.environ | paths
            )
        self.log, self.kept, self.lost, self._half = log, list[int](), 0, b""

    def listen(self) -> int:
        """Hear what it said meanwhile; return how many polls it has told of."""
        assert self.process.stdout
        while select.select([self.process.stdout], [], [], 0)[0]:
            part = os.read(self.process.stdout.fileno(), 65_536)
            if not part:
                break
            *lines, self._half = (self._half + part).split(b"\n")
            self.lost += lines.count(b"lost")
            self.kept += [int(line) for line in lines if line != b"lost"]
        return len(self.kept) + self.lost

    def until(self, true: Callable[[], bool]) -> None:
        """Wait for something while it works."""
        until = time.monotonic() + GUARD_SECONDS
        while not true():
            assert time.monotonic() < until, f"it never came: {self.log.read_text()[-2_000:]}"
            assert self.process.poll() is None, self.log.read_text()[-2_000:]
            self.listen()
            time.sleep(0.005)

    def poll_more(self, polls: int, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Wait until it told of so many more polls."""
        before = self.listen()

        def enough() -> bool:
            meanwhile()
            return self.listen() >= before + polls

        self.until(enough)

    def end(self) -> None:
        """Ask it to end, as the service manager does."""
        self.process.terminate()
        try:
            assert self.process.wait(GUARD_SECONDS) == 0, self.log.read_text()[-2_000:]
        finally:
            self.process.kill()
            self.process.wait(GUARD_SECONDS)
            self.listen()
            assert self.process.stdout
            self.process.stdout.close()


def _told_server(database: Database) -> tuple[int, int]:
    """Return when the box reported last, and how many readings it says that it dropped."""
    with database.reads() as db:
        agent = db.scalars(select_rows(Agent)).one()
        return agent.last_report_ms or 0, agent.dropped_readings


def _counted(file: Path) -> int:
    """Return how many readings the spool says it dropped."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        row = db.execute("SELECT value FROM counters WHERE name = 'dropped'").fetchone()
    return int(row[0]) if row else 0


def _fill_the_disk(talker: Talker, database: Database, port: int, place: Path, *, cut: bool, greedy: bool) -> None:
    """Fill it, perhaps with the line cut as well and every byte that gets free taken at once; then give room again."""
    filler = place / "someone-elses.log"
    take = (lambda: fill(filler)) if greedy else (lambda: None)
    with serving(database, port):
        reported, _ = _told_server(database)
        talker.until(lambda: _told_server(database)[0] > reported)
        if not cut:
            fill(filler)
            talker.poll_more(ATTEMPTS, take)
    if cut:
        talker.poll_more(WAITING)
        fill(filler)
        talker.poll_more(ATTEMPTS, take)
    reported, _ = _told_server(database)
    with serving(database, port):
        talker.until(lambda: _told_server(database)[0] > reported)  # it sends, full as the disk is
        filler.unlink()
        talker.poll_more(ATTEMPTS)
        reported, _ = _told_server(database)
        talker.until(lambda: _told_server(database)[0] > reported)


def test_a_box_whose_disk_is_full_polls_and_sends_on_and_counts_every_reading_that_it_lost(
    sqlite_database: Database, tmp_path: Path
) -> None:
    dice, port = random.Random(seed := chance()), free_port()
    box = enrolled(sqlite_database)
    with disk(tmp_path, MEGABYTES) as own:
        spool = own.mounted / "spool.db"
        talker = Talker(box, port, own.mounted, tmp_path / "agent.log")
        try:
            for _ in range(FULL):
                cut, greedy = dice.random() < 0.5, dice.random() < 0.5
                _fill_the_disk(talker, sqlite_database, port, own.mounted, cut=cut, greedy=greedy)
            with serving(sqlite_database, port):
                talker.until(lambda: _told_server(sqlite_database)[1] == talker.lost + _counted(spool))
        finally:
            talker.end()
        dropped, waiting = _counted(spool), _waiting(spool)
    with sqlite_database.reads() as db:
        stored = [
            msgspec.json.decode(payload, type=wire.Reading).sequence
            for payload in db.scalars(select_rows(YoungReading.payload))
        ]
    missing = set(talker.kept) - set(stored) - waiting
    lost = max(0, len(missing) - dropped)
    doubled = len(talker.kept) + len(stored) - len(set(talker.kept)) - len(set(stored))
    more = f"seed {seed}, {len(talker.kept)} kept, {dropped} dropped for newer ones, {talker.lost} without room"
    line = told("full disks of the box", FULL, lost, doubled, more)
    assert (lost, doubled) == (0, 0), line
    assert dropped + talker.lost > 0, f"the disk was never full: {line}"
    assert _told_server(sqlite_database)[1] == dropped + talker.lost, line


def _waiting(file: Path) -> set[int]:
    """Open the spool as the next start of the agent does; return what waits in it."""
    Spool(file, 64, AgentsBox()).close()
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        return {number for (number,) in db.execute("SELECT sequence FROM readings")}
