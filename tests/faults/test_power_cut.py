"""Power cuts on a disk in a file: of the spool, of the server on SQLite, of PostgreSQL; and a control that loses."""

import os
import random
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kampungnet.core.database import Database
from kampungnet.shared import wire
from kampungnet_agent.box import Box
from kampungnet_agent.spool import Spool
from tests.faults import office
from tests.faults.disk import Disk, disk
from tests.faults.reporters import Compared, Reporters, compare
from tests.faults.told import chance, times, told
from tests.support import postgres
from tests.support.server import neighbours, prepared_database

CUTS, CUTS_OF_POSTGRESQL = times(4, 20), times(2, 20)
LONGEST_SECONDS = 0.3
BOXES = 3
ROOT = Path(__file__).parents[2]


class SpoolWriter:
    """The child that spools, and what it said."""

    def __init__(self, folder: Path, *more: str) -> None:
        command = [sys.executable, "-m", "tests.faults.spool_writer", str(folder), *more]
        paths = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "agents")])}
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, start_new_session=True, env=os.environ | paths
        )
        self.pid, self._text = self._process.pid, b""

    def said(self) -> set[int]:
        """Return the numbers that lie in the spool for certain: said to be kept, and not said to be settled."""
        assert self._process.stdout
        while select.select([self._process.stdout], [], [], 0)[0]:
            part = os.read(self._process.stdout.fileno(), 65_536)
            assert part, "the writer ended by itself"
            self._text += part
        numbers = [int(line) for line in self._text[: self._text.rfind(b"\n") + 1].split()]
        return {one for one in numbers if one > 0} - {-one for one in numbers if one < 0}

    def end(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.communicate()


def _spool_cuts(folder: Path, cuts: int, dice: random.Random, *more: str) -> tuple[int, int, int]:
    """Cut the power so often; return how many readings were kept, lost, and how many numbers were given twice."""
    lost = doubled = kept = 0
    with disk(folder, 40) as own:
        writer = SpoolWriter(own.mounted, *more)
        try:
            while not writer.said():
                time.sleep(0.01)
            for _ in range(cuts):
                time.sleep(dice.uniform(0.02, LONGEST_SECONDS))
                with own.after_a_cut(writer.pid, look=writer.said) as (left, said):
                    gone, given_twice = _spool_after(left, said)
                kept, lost, doubled = kept + len(said), lost + gone, doubled + given_twice
        finally:
            writer.end()
    return kept, lost, doubled


def _spool_after(folder: Path, said: set[int]) -> tuple[int, int]:
    spool = Spool(folder / "spool.db", 8, Box())
    fresh = spool.add(wire.Reading("boot", 0, "router", Box().wall_ms(), 1, wire.Outcome.UNREACHABLE, 12))
    found = set[int]()
    while batch := spool.oldest(2**53):
        found.update(one.sequence for one in batch)
        spool.settle([one.sequence for one in batch])
    assert spool.state().dropped == 0, "the cap was reached: what is missing then tells nothing of power cuts"
    spool.close()
    return len(said - found), int(fresh <= max(said))


def test_what_the_spool_kept_survives_a_power_cut_and_no_number_is_given_twice(tmp_path: Path) -> None:
    seed = chance()
    kept, lost, doubled = _spool_cuts(tmp_path, CUTS, random.Random(seed))
    line = told("power cuts of the spool", CUTS, lost, doubled, f"seed {seed}, {kept} readings looked for")
    assert (lost, doubled) == (0, 0), line


def test_the_rig_itself_loses_what_was_not_brought_to_the_disk(tmp_path: Path) -> None:
    kept, lost, _ = _spool_cuts(tmp_path, 2, random.Random(chance()), "--careless")
    assert lost > kept // 2, "without fsync nearly all is gone, or this proves nothing"


@contextmanager
def _reporting(database: Database, folder: Path, seed: int) -> Iterator[tuple[Reporters, office.Office]]:
    boxes = neighbours(database, BOXES)
    with office.opened(database, folder) as opened:
        reporters = Reporters(boxes, opened.running, seed)
        with reporters.at_work():
            yield reporters, opened


def test_what_the_server_receipted_survives_a_power_cut_with_sqlite(tmp_path: Path) -> None:
    seed = chance()
    dice, lost, doubled, looked_for = random.Random(seed), 0, 0, 0
    with disk(tmp_path, 200) as own:  # the log alone may have 65 MB
        database = prepared_database(f"sqlite:///{own.mounted / 'kampungnet.db'}")
        with _reporting(database, own.mounted, seed) as (reporters, opened):
            for _ in range(CUTS):
                reporters.wait_for_more()
                time.sleep(dice.uniform(0.0, LONGEST_SECONDS))
                look = reporters.receipted.copy
                with own.after_a_cut(opened.process.pid, look=look) as (left, receipted):
                    copy = Database(f"sqlite:///{left / 'kampungnet.db'}")
                    found = compare(copy, receipted, reporters.sent)
                    copy.close()
                lost, doubled = lost + found.lost, doubled + found.doubled + found.changed
                looked_for += len(receipted)
        database.close()
    line = told("power cuts of the server on SQLite", CUTS, lost, doubled, f"seed {seed}, {looked_for} looked for")
    assert (lost, doubled) == (0, 0), line


def test_what_the_server_receipted_survives_a_power_cut_of_postgresql(tmp_path: Path) -> None:
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed here (on Debian: apt install postgresql)")
    seed = chance()
    dice, lost, doubled, looked_for = random.Random(seed), 0, 0, 0
    # PostgreSQL runs as another user, who must reach the disk.
    with tempfile.TemporaryDirectory(prefix="kampungnet-cut-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with disk(folder, 300) as own, _cluster(programs, own) as cluster, postgres.database(cluster.url, "cut") as url:
            database = Database(url, tmp_path / "kampungnet.key")
            prepared_database(url).close()
            with _reporting(database, tmp_path, seed) as (reporters, _):
                for _ in range(CUTS_OF_POSTGRESQL):
                    reporters.wait_for_more()
                    time.sleep(dice.uniform(0.0, LONGEST_SECONDS))
                    with own.after_a_cut(cluster.pid, look=reporters.receipted.copy) as (left, receipted):
                        found = _postgresql_after(programs, left, receipted, reporters)
                    lost, doubled = lost + found.lost, doubled + found.doubled + found.changed
                    looked_for += len(receipted)
            database.close()
    line = told("power cuts of PostgreSQL", CUTS_OF_POSTGRESQL, lost, doubled, f"seed {seed}, {looked_for} looked for")
    assert (lost, doubled) == (0, 0), line


@contextmanager
def _cluster(programs: Path, own: Disk) -> Iterator[postgres.Cluster]:
    cluster = postgres.Cluster(programs, own.mounted)
    cluster.make()
    os.sync()
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()


def _postgresql_after(programs: Path, left: Path, receipted: set[tuple[str, int]], reporters: Reporters) -> Compared:
    """Start PostgreSQL on what the cut left, and compare."""
    (left / "data/postmaster.pid").unlink(missing_ok=True)  # of the one that lives on beside it
    again = postgres.Cluster(programs, left)
    try:
        again.start()
        database = Database(f"{again.url}/cut")
        found = compare(database, receipted, reporters.sent)
        database.close()
    finally:
        again.kill()
    return found
