"""Many small writes, one commit: each answered after it, each judged alone."""

import errno
import os
import queue
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from kampungnet.core.database import Database, GroupCommit, NotStored
from kampungnet.villages.models import Regency


class Door:
    """Stores regencies by name; a name that says so makes trouble."""

    def __init__(self, database: Database) -> None:
        self.groups: list[list[str]] = []
        self.may_go = threading.Event()
        self.may_go.set()
        self.began = threading.Event()
        self.group: GroupCommit[str, str] = GroupCommit(database, self._store, self._deliver)

    def submit(self, item: str) -> "Future[str]":
        future: Future[str] = Future()
        self.group.submit(item, future)
        return future

    def _deliver(self, results: list[tuple[Any, str | NotStored]]) -> None:
        for future, result in results:
            if isinstance(result, NotStored):
                future.set_exception(result)
            else:
                future.set_result(result)

    def _store(self, db: Session, items: list[str]) -> list[str]:
        self.began.set()
        assert self.may_go.wait(timeout=30)
        self.groups.append(items)
        for item in items:
            db.add(Regency(code=item, name=item, time_zone="Asia/Jakarta"))
        db.flush()
        if "unstorable" in items:
            raise ValueError("unstorable")
        return [item.upper() for item in items]

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Let one group begin, and everything after it wait."""
        self.may_go.clear()
        self.began.clear()
        self.submit("first")
        assert self.began.wait(timeout=30)
        yield
        self.may_go.set()


@pytest.fixture
def door(database: Database) -> Iterator[Door]:
    door = Door(database)
    yield door
    door.may_go.set()
    door.group.close()
    with database.writes() as db:
        for regency in db.scalars(select(Regency).where(Regency.code.not_like("35.%"))):
            db.delete(regency)


def _names(database: Database) -> set[str]:
    with database.reads() as db:
        return set(db.scalars(select(Regency.code).where(Regency.code.not_like("35.%"))))


def test_what_waits_shares_one_commit_and_is_stored_when_it_is_answered(database: Database, door: Door) -> None:
    with door.held_back():
        futures = [door.submit(f"r{n}") for n in range(200)]
    assert [future.result(timeout=30) for future in futures] == [f"R{n}" for n in range(200)]
    assert [len(group) for group in door.groups] == [1, 200]
    assert len(_names(database)) == 201


def test_an_answer_never_comes_before_the_commit(database: Database, door: Door) -> None:
    for n in range(20):
        door.submit(f"r{n}").result(timeout=30)
        assert f"r{n}" in _names(database)


def test_a_bad_one_fails_alone(database: Database, door: Door) -> None:
    with door.held_back():
        before, failing, after = (door.submit(item) for item in ("before", "unstorable", "after"))
    assert (before.result(timeout=30), after.result(timeout=30)) == ("BEFORE", "AFTER")
    with pytest.raises(NotStored) as caught:
        failing.result(timeout=30)
    assert str(caught.value) == "unstorable"
    assert _names(database) == {"first", "before", "after"}


def test_more_than_fits_into_a_group_goes_into_the_next(door: Door) -> None:
    with door.held_back():
        futures = [door.submit(f"r{n}") for n in range(door.group.MAX_GROUP + 5)]
    for future in futures:
        future.result(timeout=30)
    assert [len(group) for group in door.groups] == [1, door.group.MAX_GROUP, 5]


def test_too_many_waiting_are_refused_at_once(door: Door) -> None:
    with door.held_back():
        for n in range(door.group.MAX_WAITING):
            door.submit(f"r{n}")
        with pytest.raises(queue.Full):
            door.submit("one too many")
        while not door.group._waiting.empty():  # or the test stores four thousand rows
            door.group._waiting.get()


def test_closing_stores_what_waits(database: Database) -> None:
    door = Door(database)
    with door.held_back():
        futures = [door.submit(f"r{n}") for n in range(50)]
    door.group.close()
    assert all(future.done() for future in futures)
    assert len(_names(database)) == 51
    with database.writes() as db:
        for regency in db.scalars(select(Regency).where(Regency.code.not_like("35.%"))):
            db.delete(regency)


def test_a_disk_that_failed_while_somebody_reads_is_told_of_and_writing_goes_on_when_they_are_gone(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    door, real = Door(sqlite_database), os.fdatasync
    # What waits for readers waits half a minute otherwise.
    event.listen(sqlite_database.engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=5"))
    sqlite_database.engine.dispose()
    assert door.submit("first").result(timeout=30) == "FIRST"

    def once(file: int) -> None:
        monkeypatch.setattr(os, "fdatasync", real)
        raise OSError(errno.EIO, "the disk failed")

    with sqlite_database.reads() as db:
        db.scalars(select(Regency.name)).all()
        monkeypatch.setattr(os, "fdatasync", once)
        with pytest.raises(NotStored, match="nothing was stored"):
            door.submit("second").result(timeout=30)
    assert door.submit("third").result(timeout=30) == "THIRD"
    door.group.close()
