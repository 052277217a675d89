"""The log of SQLite gets into its file beside the writers, and a disk that fails there is not passed over."""

import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from kampungnet.core import sweeper
from kampungnet.core.database import Database, GroupCommit
from kampungnet.core.line import driver_of
from kampungnet.core.sweeper import LONGEST_LOG_PAGES, Sweeper
from kampungnet.core.turn import Turn
from kampungnet.villages.models import Regency
from tests.support.server import wait_until

ONE = "INSERT INTO regencies (code, name, time_zone) VALUES (?, ?, 'Asia/Jakarta')"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Database]:
    """Return a database with one table, of which nothing is in its log."""
    found = Database(f"sqlite:///{tmp_path / 'own.db'}")
    with found.writes() as db:
        db.execute(text("CREATE TABLE regencies (code TEXT PRIMARY KEY, name TEXT, time_zone TEXT)"))
    with closing(found.engine.raw_connection()) as connection:
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    yield found
    found.close()


@pytest.fixture
def turn(own: Database) -> Turn:
    """Return the turn of that database, in which one row waits in the log."""
    _write(own, "00001")
    assert own._turn is not None
    return own._turn


@pytest.fixture
def sweeping(own: Database, turn: Turn) -> Iterator[Sweeper]:
    """Return what sweeps it."""
    found = Sweeper(own.engine, turn)
    yield found
    found.close()


def _file(database: Database) -> Path:
    return Path(str(database.engine.url.database))


def _copy(database: Database) -> Path:
    """Copy the file alone, by another process: one that opens and closes it here would drop SQLite's locks on it."""
    copy = _file(database).with_name("alone.db")
    subprocess.run(["cp", _file(database), copy], check=True, timeout=60)
    return copy


def _in_the_file(database: Database) -> int:
    """Count the rows that are in the file without its log; a file that is just being written tells nothing."""
    try:
        with closing(sqlite3.connect(_copy(database))) as connection:
            (count,) = connection.execute("SELECT count(*) FROM regencies").fetchone()
    except sqlite3.DatabaseError:
        return -1
    return int(count)


def _write(database: Database, *codes: str) -> None:
    with database.writes() as db:
        db.add_all(Regency(code=code, name=code * 50, time_zone="Asia/Jakarta") for code in codes)


def _log_bytes(database: Database) -> int:
    return Path(f"{_file(database)}-wal").stat().st_size


class Writer:
    """Stores rows in groups, as reports are."""

    def __init__(self, database: Database) -> None:
        self.stored = threading.Semaphore(0)
        self._database = database
        self.group: GroupCommit[int, None] = GroupCommit(database, self._store, lambda told: self._told(len(told)))

    def write(self, first: int, number: int) -> None:
        with self._database.writes():  # so that they are stored together, but for the first
            for item in range(first, first + number):
                self.group.submit(item, None)
        for _ in range(number):
            assert self.stored.acquire(timeout=60)

    def _told(self, number: int) -> None:
        self.stored.release(number)

    def _store(self, db: Session, items: list[int]) -> list[None]:
        rows = [(f"{item:05}", "x" * 500) for item in items]
        driver_of(db).connection.executemany(ONE, rows)
        return [None] * len(items)


def test_what_is_written_all_day_gets_into_the_file_and_no_commit_does_it(
    own: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "ROWS", 300)
    sweep, is_over = Sweeper._sweep, threading.Event()

    def sweep_and_tell(one: Sweeper) -> None:
        sweep(one)
        is_over.set()

    monkeypatch.setattr(Sweeper, "_sweep", sweep_and_tell)
    writer = Writer(own)
    writer.write(0, 290)
    assert _in_the_file(own) == 0, "a commit of its own did it"
    writer.write(290, 30)
    assert is_over.wait(timeout=60)  # the rows are in the file a moment before the log may begin anew
    assert _in_the_file(own) == 320
    before = _log_bytes(own)
    writer.write(320, 20)
    assert _log_bytes(own) == before, "the log began anew, and does not grow"
    writer.group.close()


def test_a_long_log_is_brought_into_the_file_by_its_writer_when_nobody_else_does(own: Database) -> None:
    line = own.line()
    with own.writes_on(line) as db:
        assert driver_of(db).connection.execute("PRAGMA wal_autocheckpoint").fetchone() == (LONGEST_LOG_PAGES,)
    line.hang_up()
    with own.writes() as db:
        assert db.scalar(text("PRAGMA wal_autocheckpoint")) == LONGEST_LOG_PAGES


def test_what_somebody_still_reads_waits_for_the_next_time(own: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeper, "ROWS", 100)
    writer = Writer(own)
    writer.write(0, 50)
    with own.reads() as db:
        assert len(db.scalars(select(Regency.code)).all()) == 50
        writer.write(50, 100)
        assert len(db.scalars(select(Regency.code)).all()) == 50
    writer.write(150, 100)
    wait_until(lambda: _in_the_file(own) == 250)
    writer.group.close()


def test_a_disk_that_fails_there_makes_the_next_writer_look(
    own: Database, turn: Turn, sweeping: Sweeper, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as during:
        during.setattr(sweeper, "_SWEEP", "PRAGMA wal_checkpoint(PASSIVE) and the disk failed")
        for _ in range(3):
            sweeping.look(None)
            wait_until(lambda: turn.is_doubtful() and not sweeping._is_long.is_set())
        wait_until(lambda: "could not be brought into its file" in caplog.text)
    assert _in_the_file(own) == 0
    _write(own, "00002")
    assert _in_the_file(own) == 1, "first what was there is brought into the file"
    assert not turn.is_doubtful()
    sweeping.look(None)
    wait_until(lambda: "again" in caplog.text)
    assert _in_the_file(own) == 2
    assert [one.levelname for one in caplog.records] == ["ERROR", "WARNING"], "once each"


def test_what_is_no_fault_of_the_disk_makes_nobody_doubt_and_the_thread_lives(
    own: Database, turn: Turn, sweeping: Sweeper, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing_free(_: Engine) -> None:
        raise TimeoutError("no connection is free")

    with monkeypatch.context() as during:
        during.setattr(Engine, "raw_connection", nothing_free)
        sweeping.look(None)
        wait_until(lambda: "no connection is free" in caplog.text)
    assert not turn.is_doubtful()
    sweeping.look(None)
    wait_until(lambda: _in_the_file(own) == 1)


def test_what_the_disk_lost_of_a_copy_that_was_not_whole_is_copied_again(own: Database, turn: Turn) -> None:
    """SQLite counts a page as copied before the disk has it, and would not look at it a second time."""
    _write(own, *(f"{number:05}" for number in range(2, 401)))
    old = _copy(own)
    with own.reads() as reader:
        assert len(reader.scalars(select(Regency.code)).all()) == 400
        _write(own, "99999")
        with closing(own.engine.raw_connection()) as connection:
            cursor: Any = connection.cursor()
            busy, pages, copied = cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        assert not busy
        assert 0 < copied < pages, "a copy that is not whole: SQLite did not wait for the disk"
    subprocess.run(["dd", f"if={old}", f"of={_file(own)}", "conv=notrunc", "status=none"], check=True, timeout=60)
    turn.doubt()
    _write(own, "99998")
    with own.reads() as db:
        assert db.scalar(text("PRAGMA integrity_check")) == "ok"
        assert len(db.scalars(select(Regency.code)).all()) == 402


def test_a_connection_that_was_given_up_is_a_reason_to_sweep(own: Database, sweeping: Sweeper) -> None:
    sweeping.look(None)
    wait_until(lambda: _in_the_file(own) == 1)


def test_what_came_while_it_copied_follows_in_its_turn(
    own: Database, sweeping: Sweeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = Turn.__enter__

    def late(one: Turn) -> None:
        if threading.current_thread().name == "sweeper":
            with closing(sqlite3.connect(_file(own))) as connection, connection:
                connection.execute(ONE, ("00002", "Two"))
                monkeypatch.setattr(Turn, "__enter__", really)
        really(one)

    monkeypatch.setattr(Turn, "__enter__", late)
    sweeping.look(None)
    wait_until(lambda: _in_the_file(own) == 2)


def test_several_sweepers_and_writers_lose_nothing(own: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeper, "ROWS", 50)
    others = [Database(str(own.engine.url)) for _ in range(3)]  # as processes: each has its turn and its sweeper
    writers = [Writer(one) for one in others]
    threads = [threading.Thread(target=one.write, args=(at * 10_000, 400)) for at, one in enumerate(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
        assert not thread.is_alive()
    for writer, one in zip(writers, others, strict=True):
        writer.group.close()
        one.close()
    with own.reads() as db:
        assert len(db.scalars(select(Regency.code)).all()) == 1_200
        assert db.scalar(text("PRAGMA integrity_check")) == "ok"
