"""The receipt leaves only after the commit. These commits really fail, at COMMIT itself."""

import errno
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import event, select, text

from kampungnet.core import clock, security
from kampungnet.core.database import Database
from kampungnet.devices import service as devices
from kampungnet.devices.models import Agent
from kampungnet.measurement.models import YoungReading
from kampungnet.shared import wire
from kampungnet.staff import service as staff
from kampungnet.staff.models import StaffSession
from kampungnet.villages import service as villages
from tests.support.contents import contents, let_commits_fail, let_commits_succeed
from tests.support.server import (
    REGENCY,
    VILLAGE,
    Answer,
    Box,
    Running,
    enrolled,
    enrolment,
    issued_code,
    neighbours,
    serving,
)

BUSY = "The server is busy: keep the readings and send them again later."


@contextmanager
def _nobody_can_write(database: Database) -> Iterator[None]:
    """Hold the write lock, so that what is sent meanwhile waits and shares one commit."""
    with database.writes() as db:
        if database.engine.dialect.name != "sqlite":
            db.execute(text("LOCK TABLE young_readings IN EXCLUSIVE MODE"))
        yield


def _together(database: Database, *requests: Callable[[], Answer]) -> list[Answer]:
    """Make requests at once, held back until all of them have come; the first one alone goes ahead of the group."""
    with ThreadPoolExecutor(len(requests)) as pool:
        with _nobody_can_write(database):
            answers = [pool.submit(request) for request in requests]
            threading.Event().wait(0.5)
        return [answer.result(timeout=30) for answer in answers]


def test_a_commit_that_fails_gives_no_receipt_and_the_neighbours_are_still_stored(
    database: Database, server: Running, box: Box
) -> None:
    boxes = neighbours(database, 8)
    let_commits_fail(database, "young_readings", condition=f"NEW.agent = '{box.agent}'")
    reading, others = box.reading(), [(one, one.reading()) for one in boxes]
    answers = _together(
        database,
        *(partial(server.report, one, its) for one, its in others[:4]),
        partial(server.report, box, reading),
        *(partial(server.report, one, its) for one, its in others[4:]),
    )
    failed = answers.pop(4)
    assert (failed.status, failed.sentence(), failed.headers["retry-after"]) == (503, BUSY, "5")
    assert [answer.receipt().accepted for answer in answers] == [[1]] * 8
    with database.reads() as db:
        assert set(db.scalars(select(YoungReading.agent))) == {one.agent for one in boxes}
        assert db.get_one(Agent, (REGENCY, box.agent)).last_report_ms is None, "nothing at all was stored"
    let_commits_succeed(database, "young_readings")
    assert server.report(box, reading).receipt().accepted == [1]


def test_a_full_disk_gives_503_and_keeps_what_was_receipted(sqlite_database: Database) -> None:
    box = enrolled(sqlite_database)
    with sqlite_database.reads() as db:
        most = (db.scalar(text("PRAGMA page_count")) or 0) + 4

    def fill(connection: Any, _record: Any) -> None:
        connection.execute(f"PRAGMA max_page_count = {most}")

    event.listen(sqlite_database.engine, "connect", fill)
    sqlite_database.engine.dispose()
    receipted: list[int] = []
    with serving(sqlite_database) as server:
        for _ in range(100):
            answer = server.report(box, box.reading())
            if answer.status != 200:
                break
            receipted += answer.receipt().accepted
        assert (answer.status, answer.sentence()) == (503, BUSY)
        assert receipted
        with sqlite_database.reads() as db:
            assert sorted(db.scalars(select(YoungReading.sequence))) == receipted
        most *= 1_000
        sqlite_database.engine.dispose()
        assert server.report(box, box.reading()).status == 200, "there is room again"


def test_a_disk_that_takes_nothing_gives_503_and_the_repeat_is_welcome(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = enrolled(sqlite_database)

    def broken(_: int) -> None:
        raise OSError(errno.EIO, "the disk is broken")

    with serving(sqlite_database) as server:
        assert server.report(box, box.reading()).receipt().accepted == [1], "a connection is used that lasts"
        reading = box.reading()
        with monkeypatch.context() as during:
            during.setattr(os, "fdatasync", broken)
            for _ in range(3):
                answer = server.report(box, reading)
                assert (answer.status, answer.sentence()) == (503, BUSY)
        assert server.report(box, reading).receipt().accepted == [2]


def test_two_hundred_requests_in_one_group_are_each_judged_alone(database: Database, server: Running, box: Box) -> None:
    boxes = [box, *neighbours(database, 4)]
    revoked = enrolled(database, "35.10.01.2001")
    with database.writes() as db:
        devices.revoke(db, villages.village(db, "35.10.01.2001"), clock.now_ms())
    kinds: list[tuple[int, list[int], int, Callable[[], Answer]]] = []
    for n in range(200):
        one = boxes[n % 5]
        reading = one.reading()
        match n % 4:
            case 0 | 1:
                kinds.append((200, [reading.sequence], 0, partial(server.report, one, reading)))
            case 2:
                kinds.append((200, [reading.sequence], 1, partial(server.report, one, b"{}", reading)))
            case _ if n % 8 == 3:
                kinds.append((401, [], 0, partial(server.report, revoked, reading)))
            case _:
                kinds.append((400, [], 0, partial(server.report, one, reading, agent="NOBODY")))
    answers = _together(database, *(kind[3] for kind in kinds))
    for (status, accepted, refused, _), answer in zip(kinds, answers, strict=True):
        assert answer.status == status
        if status == 200:
            assert (answer.receipt().accepted, len(answer.receipt().refused)) == (accepted, refused)
        else:
            answer.sentence()
    with database.reads() as db:
        stored = {tuple(row) for row in db.execute(select(YoungReading.agent, YoungReading.sequence))}
    assert len(stored) == 150


def test_the_same_report_sent_by_many_at_once_is_stored_once(database: Database, server: Running, box: Box) -> None:
    reading = box.reading()
    answers = _together(database, *(partial(server.report, box, reading) for _ in range(40)))
    assert [answer.receipt().accepted for answer in answers] == [[1]] * 40
    with database.reads() as db:
        assert db.scalars(select(YoungReading.sequence)).all() == [1]


def test_a_page_whose_commit_fails_does_not_answer_success(database: Database, server: Running) -> None:
    token, headers = _signed_in(database)
    assert server.send("GET", f"/desa/{VILLAGE}", headers=headers).status in {200, 404}
    let_commits_fail(database, "staff_sessions", "DELETE")
    before = contents(database)
    answer = server.send("POST", "/keluar", b"", headers)
    assert answer.status == 500
    assert "set-cookie" not in answer.headers
    assert "location" not in answer.headers
    assert contents(database) == before, "the session is still there, and the person is told so"
    let_commits_succeed(database, "staff_sessions")
    assert server.send("POST", "/keluar", b"", headers).status == 303
    with database.reads() as db:
        assert staff.staff_of(db, token, clock.now_ms()) is None


def test_an_enrolment_whose_commit_fails_is_503_and_leaves_the_code_good(database: Database, server: Running) -> None:
    code = issued_code(database)
    let_commits_fail(database, "agents")
    body, headers = enrolment(code, Ed25519PrivateKey.generate())
    before = contents(database)
    answer = server.send("POST", wire.ENROLMENTS_PATH, body, headers)
    assert (answer.status, answer.sentence()[:19]) == (503, "The server is busy:")
    assert contents(database) == before
    let_commits_succeed(database, "agents")
    assert server.send("POST", wire.ENROLMENTS_PATH, body, headers).status == 201


def _signed_in(database: Database) -> tuple[str, dict[str, str]]:
    token = "a-token-of-a-test"
    with database.writes() as db:
        scope = staff.Scope(REGENCY)
        staff.add_staff(db, staff.NewStaff("sari", "Sari", staff.Role.ENGINEER, scope), "sembilan pohon kelapa tua")
        now = clock.now_ms()
        db.add(StaffSession(token_hash=security.token_hash(token), username="sari", started_ms=now, last_seen_ms=now))
    return token, {"Cookie": f"kampungnet={token}", "Sec-Fetch-Site": "same-origin"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_answered_while_nobody_can_write(database: Database, server: Running, path: str) -> None:
    with _nobody_can_write(database):
        assert server.send("GET", path).status == 200
