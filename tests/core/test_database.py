"""The one door to the database: durable, one writer at a time, nothing half-written."""

import errno
import os
import threading
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from kampungnet.core.database import Database
from kampungnet.core.errors import Unavailable
from kampungnet.villages.models import District, Regency


def test_sqlite_keeps_its_log_and_its_references(sqlite_database: Database) -> None:
    with sqlite_database.reads() as reading, sqlite_database.writes() as writing:
        for db in (reading, writing):
            assert db.scalar(text("PRAGMA journal_mode")) == "wal"
            assert db.scalar(text("PRAGMA synchronous")) == 1, "OFF may break the file at a power cut"
            assert db.scalar(text("PRAGMA foreign_keys")) == 1


def test_the_questions_of_one_page_see_one_moment(database: Database) -> None:
    _rename(database, "Before")
    with database.reads() as db:
        assert db.scalar(select(Regency.name)) == "Before"
        _rename(database, "After")
        assert db.scalar(select(Regency.name)) == "Before"
    with database.reads() as db:
        assert db.scalar(select(Regency.name)) == "After"


def test_what_was_written_is_on_disk_before_writes_returns_and_nobody_waits_for_it(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[str, str]] = []
    really = os.fdatasync

    def watched(file: int) -> None:
        really(file)
        if threading.current_thread() is not threading.main_thread():
            return
        with sqlite_database.reads() as db:
            synced.append((Path(f"/proc/self/fd/{file}").readlink().name, db.get_one(Regency, "35.10").name))
        other = threading.Thread(target=_rename, args=(sqlite_database, "Another's"))
        other.start()
        other.join(timeout=20)
        assert not other.is_alive(), "another writer has its turn while we wait for the disk"

    monkeypatch.setattr(os, "fdatasync", watched)
    for name in ("One", "Two"):
        _rename(sqlite_database, name)
        assert synced.pop() == ("kampungnet.db-wal", name)


def test_what_cannot_be_brought_to_disk_is_not_said_to_be_written(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("A", "B", "C"):
        _rename(sqlite_database, name)
    _disk_fails(sqlite_database, monkeypatch)
    log = Path(f"{sqlite_database.engine.url.database}-wal")
    before = log.stat().st_size
    _rename(sqlite_database, "Three")
    assert log.stat().st_size < before, "first what the disk may not have is brought into the file"
    before = log.stat().st_size
    _rename(sqlite_database, "Four")
    assert log.stat().st_size > before, "after that the log grows as ever"


def test_nobody_is_told_it_is_written_while_the_disk_fails_another(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = os.fdatasync

    def moody(file: int) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise OSError(errno.EIO, "the disk is broken")
        other = threading.Thread(target=lambda: _refused(sqlite_database))
        other.start()
        other.join(timeout=20)
        really(file)

    with monkeypatch.context() as during:
        during.setattr(os, "fdatasync", moody)
        with pytest.raises(OSError, match="failed another"):
            _rename(sqlite_database, "Ours")
    _rename(sqlite_database, "Ours")


def test_when_the_disk_fails_one_process_the_others_bring_the_log_into_the_file_too(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Database(str(sqlite_database.engine.url))  # knows no more of ours than another process does
    for name in ("A", "B", "C"):
        _rename(sqlite_database, name)
    _disk_fails(sqlite_database, monkeypatch)
    log = Path(f"{sqlite_database.engine.url.database}-wal")
    before = log.stat().st_size
    _rename(other, "Two")
    assert log.stat().st_size < before
    other.close()


def test_a_log_that_readers_hold_back_is_not_trusted(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = Database(f"{sqlite_database.engine.url}?timeout=0.1")
    with sqlite_database.reads() as reader:
        assert reader.get_one(Regency, "35.10").name
        _disk_fails(impatient, monkeypatch)
        with pytest.raises(Unavailable, match="nothing was stored"):
            _rename(impatient, "Two")
    _rename(impatient, "Three")
    impatient.close()


def _disk_fails(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one write reach the log and not the disk."""

    def broken(_: int) -> None:
        raise OSError(errno.EIO, "the disk is broken")

    with monkeypatch.context() as during:
        during.setattr(os, "fdatasync", broken)
        with pytest.raises(OSError, match="broken"):
            _rename(database, "One")


def _refused(database: Database) -> None:
    with pytest.raises(OSError, match="broken"):
        _rename(database, "Another's")


def _rename(database: Database, name: str) -> None:
    with database.writes() as db:
        db.get_one(Regency, "35.10").name = name


def test_postgresql_waits_for_its_disk(postgresql_database: Database) -> None:
    with postgresql_database.reads() as db:
        assert db.scalar(text("SHOW synchronous_commit")) == "on"


def test_what_raises_is_rolled_back_whole(database: Database) -> None:
    def half_way() -> None:
        with database.writes() as db:
            db.add(Regency(code="99.99", name="Nowhere", time_zone="Asia/Jakarta"))
            db.flush()
            raise KeyError("half-way")

    with pytest.raises(KeyError):
        half_way()
    with database.reads() as db:
        assert db.get(Regency, "99.99") is None


def test_a_reading_session_changes_nothing(database: Database) -> None:
    with database.reads() as db:
        db.add(Regency(code="99.99", name="Nowhere", time_zone="Asia/Jakarta"))
        db.flush()
    with database.reads() as db:
        assert db.get(Regency, "99.99") is None


def test_a_child_without_its_parent_is_refused(database: Database) -> None:
    with pytest.raises(IntegrityError), database.writes() as db:
        db.add(District(regency="99.99", code="99.99.01", name="Nowhere"))


def test_two_writers_queue_up_instead_of_failing_half_way(sqlite_database: Database) -> None:
    """Both read first and then write: without BEGIN IMMEDIATE one would fail with SQLITE_BUSY_SNAPSHOT."""
    at_once = threading.Barrier(4)

    def rename() -> None:
        at_once.wait()
        for _ in range(10):
            with sqlite_database.writes() as db:
                regency = db.get_one(Regency, "35.10")
                regency.name = f"{regency.name}."

    with sqlite_database.reads() as db:
        before = db.get_one(Regency, "35.10").name
    threads = [threading.Thread(target=rename) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with sqlite_database.reads() as db:
        assert db.get_one(Regency, "35.10").name == before + "." * 40


def test_readers_see_one_moment_while_somebody_writes(sqlite_database: Database) -> None:
    counted = select(func.count()).select_from(Regency)
    with sqlite_database.reads() as reader:
        before = reader.scalar(counted)
        with sqlite_database.writes() as db:
            db.add(Regency(code="99.99", name="Nowhere", time_zone="Asia/Jakarta"))
        assert reader.scalar(counted) == before
    with sqlite_database.reads() as reader:
        assert reader.scalar(counted) == (before or 0) + 1


def test_the_folder_of_the_database_is_made(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a' / 'b' / 'kampungnet.db'}")
    with database.writes() as db:
        db.execute(text("CREATE TABLE one (two INTEGER)"))
    database.close()
    assert (tmp_path / "a" / "b" / "kampungnet.db").is_file()
