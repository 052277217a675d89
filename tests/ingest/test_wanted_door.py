"""A box waits for what its portal has to be: told at once after a change, told nothing that is not its own."""

import gzip
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.devices import service as devices
from kampungnet.hotspot import portals
from kampungnet.hotspot.models import HotspotPortal
from kampungnet.hotspot.policy import Policy
from kampungnet.ingest import wanted_door
from kampungnet.shared.wanted import WANTED_PATH, WantedAnswer, WantedPortal, WantedQuestion
from kampungnet.staff.service import Role, Scope, SignedIn
from kampungnet.villages import service as villages
from tests.support.server import REGENCY, VILLAGE, Answer, Box, Running, neighbours

SITE = f"{VILLAGE}-1"
PLACE = (REGENCY, SITE)
ENGINEER = SignedIn("sari", "Ibu Sari", Role.ENGINEER, Scope(REGENCY))


def _question(box: Box, **more: Any) -> bytes:
    return msgspec.json.encode(WantedQuestion(box.agent, clock.now_ms(), **more))


def _ask(server: Running, box: Box, **more: Any) -> Answer:
    body = _question(box, **more)
    return server.send("POST", WANTED_PATH, body, box.headers(body, WANTED_PATH))


def _wanted(answer: Answer) -> WantedPortal:
    assert answer.status == 200, answer.body
    wanted = msgspec.json.decode(answer.body, type=WantedAnswer).wanted
    assert wanted is not None
    return wanted


def _nothing_new(answer: Answer) -> bool:
    return answer.status == 200 and msgspec.json.decode(answer.body, type=WantedAnswer).wanted is None


def _manage(database: Database, **more: Any) -> None:
    with database.writes() as db:
        portals.set_policy(db, ENGINEER, PLACE, Policy(managed=True, **more), clock.now_ms())


@pytest.fixture
def later() -> Iterator[Callable[[Callable[[], Answer]], "Future[Answer]"]]:
    with ThreadPoolExecutor(4) as pool:
        yield pool.submit


def test_a_new_box_is_told_that_nothing_is_to_be_changed_on_its_router(server: Running, box: Box) -> None:
    wanted = _wanted(_ask(server, box))
    assert (wanted.revision, wanted.managed, wanted.users, wanted.click) == (1, False, [], None)


def test_what_is_wanted_comes_within_seconds_of_the_change(
    server: Running, box: Box, database: Database, later: Callable[[Callable[[], Answer]], "Future[Answer]"]
) -> None:
    has = _wanted(_ask(server, box)).revision
    held = later(lambda: _ask(server, box, revision=has))
    time.sleep(0.7)
    assert not held.done(), "nothing is new, so the box has to wait"
    _manage(database, click_seconds=1800)
    begun = time.monotonic()
    wanted = _wanted(held.result(timeout=60))
    assert time.monotonic() - begun < 5
    assert wanted.revision == 2
    assert wanted.click is not None
    assert (wanted.click.plan, wanted.click.seconds) == ("tamu", 1800)
    assert {plan.name for plan in wanted.plans} == {"tamu", "harian", "warga", "kantor"}


def test_a_box_that_waits_in_vain_is_let_go_and_told_so(
    server: Running, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    has = _wanted(_ask(server, box)).revision
    monkeypatch.setattr(wanted_door, "HOLD_SECONDS", 0.2)
    assert _nothing_new(_ask(server, box, revision=has))


def test_a_change_in_another_village_wakes_nobody(
    server: Running, box: Box, database: Database, later: Callable[[Callable[[], Answer]], "Future[Answer]"]
) -> None:
    (other,) = neighbours(database, 1)
    held = later(lambda: _ask(server, other, revision=_wanted(_ask(server, other)).revision))
    _ask(server, box)
    time.sleep(0.3)
    _manage(database)
    time.sleep(1.0)
    assert not held.done()
    with database.writes() as db:
        portals.changed(db, REGENCY, None, clock.now_ms())
    assert _wanted(held.result(timeout=60)).managed is False


def test_a_box_that_is_revoked_while_it_waits_learns_nothing_more(
    server: Running, box: Box, database: Database, later: Callable[[Callable[[], Answer]], "Future[Answer]"]
) -> None:
    has = _wanted(_ask(server, box)).revision
    held = later(lambda: _ask(server, box, revision=has))
    time.sleep(0.5)
    with database.writes() as db:
        devices.revoke(db, villages.village(db, VILLAGE), clock.now_ms())
    _manage(database)
    assert held.result(timeout=60).status == 401
    assert _ask(server, box).status == 401


def test_a_question_signed_by_another_or_for_another_path_is_refused_alike(server: Running, box: Box) -> None:
    body = _question(box)
    stranger = replace(box, key=Ed25519PrivateKey.generate())
    answers = [
        server.send("POST", WANTED_PATH, body, stranger.headers(body, WANTED_PATH)),
        server.send("POST", WANTED_PATH, body, box.headers(body)),
        server.send("POST", WANTED_PATH, body, {}),
    ]
    assert [one.status for one in answers] == [401, 401, 401]
    assert len({one.sentence() for one in answers}) == 1


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"\xff\x00", b'{"agent":1}', b'{"agent":"A","sent_at_ms":-1}', b"[" * 5000]
)
def test_a_question_that_cannot_be_read_gets_one_sentence(server: Running, box: Box, body: bytes) -> None:
    answer = server.send("POST", WANTED_PATH, body, box.headers(body, WANTED_PATH))
    assert answer.status == 400
    assert answer.sentence()


def test_a_box_that_names_another_in_its_question_is_refused(server: Running, box: Box, database: Database) -> None:
    (other,) = neighbours(database, 1)
    body = _question(other)
    answer = server.send("POST", WANTED_PATH, body, box.headers(body, WANTED_PATH))
    assert (answer.status, answer.sentence()) == (
        400,
        "The question names another agent than the one who signed it.",
    )


def test_too_much_is_not_read_and_another_method_is_named(server: Running, box: Box) -> None:
    body = b" " * 30_000
    assert server.send("POST", WANTED_PATH, body, box.headers(body, WANTED_PATH)).status == 413
    assert server.send("GET", WANTED_PATH).status == 405


def test_the_desk_sees_how_far_a_box_has_come_and_what_its_router_refused(
    server: Running, box: Box, database: Database
) -> None:
    _manage(database)
    revision = _wanted(_ask(server, box)).revision
    _ask(server, box, revision=revision - 1, done=revision, problems=["The router has no room for login.html."])
    with database.reads() as db:
        found = db.get_one(HotspotPortal, PLACE)
        assert (found.done_revision, found.problems) == (revision, '["The router has no room for login.html."]')
        assert found.asked_ms is not None
        assert clock.now_ms() - found.asked_ms < 60_000


def test_a_long_answer_travels_packed_where_the_box_can_unpack_it(
    server: Running, box: Box, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wanted_door, "PACKED_BYTES", 100)
    _manage(database)
    body = _question(box)
    headers = box.headers(body, WANTED_PATH) | {"Accept-Encoding": "gzip"}
    answer = server.send("POST", WANTED_PATH, body, headers)
    assert answer.headers["content-encoding"] == "gzip"
    assert msgspec.json.decode(gzip.decompress(answer.body), type=WantedAnswer).wanted == _wanted(_ask(server, box))
    assert answer.headers["cache-control"] == "no-store"


def test_many_boxes_that_ask_for_the_first_time_at_once_are_all_answered(
    server: Running, database: Database, later: Callable[[Callable[[], Answer]], "Future[Answer]"]
) -> None:
    boxes = neighbours(database, 4)
    answers = [later(lambda box=box: _ask(server, box)) for box in boxes]  # type: ignore[misc]  # mypy sees no default
    assert [one.result(timeout=60).status for one in answers] == [200] * 4
