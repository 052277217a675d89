"""A restart is done once or not at all, wherever the power or the line is cut; and what is said of it is true."""

from pathlib import Path

import pytest
from sqlalchemy import update

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.hands import service
from kampungnet.hands.models import RemoteOrder
from kampungnet.hands.service import State
from kampungnet_agent.line import LineError
from tests.hands.scene import Fate, HandsOfBox, Killed, asked, order_of, settled
from tests.support.server import Box

MOST_STEPS = 40


async def test_without_any_cut_it_is_done_once_and_seen_again(hands: HandsOfBox, sqlite_database: Database) -> None:
    order = asked(sqlite_database)
    await settled(hands)
    found = order_of(sqlite_database, order)
    assert (hands.router.restarts, found.state, found.away_seconds) == (1, State.DONE, 60)
    assert hands.fate.steps > 10


@pytest.mark.parametrize("lost", [Killed, lambda: LineError("cut")], ids=["box dies", "line is cut"])
async def test_it_is_never_done_twice_wherever_it_is_cut(
    hands: HandsOfBox, sqlite_database: Database, lost: type[BaseException]
) -> None:
    """Each step of the way is cut once; the order after it must go through, whatever the one before left behind."""
    hands.lost = lost
    tried, endings = 0, set()
    for at in range(1, MOST_STEPS):
        _forget_pace(sqlite_database)
        before = hands.router.restarts
        order = asked(sqlite_database)
        hands.fate.steps, hands.fate.at = 0, at
        await settled(hands, 8)
        was_cut, hands.fate.at = hands.fate.steps >= at, 0
        for _ in range(3):
            hands.forward(service.SILENT_MS / 1000)
            await settled(hands, 2)
        found, times = order_of(sqlite_database, order), hands.router.restarts - before
        assert times <= 1, at
        state = service.state_at(found, clock.now_ms())
        assert state not in {State.ASKED, State.TAKEN}, (at, found.state)
        assert (state is State.DONE) == (times == 1), (at, found.state, found.why)
        endings.add((state, found.why))
        tried += was_cut
        if not was_cut:
            break
    assert tried > 10, "every step was cut"
    assert (State.DONE, "") in endings


def _forget_pace(database: Database) -> None:
    """Let the orders before be of another day."""
    with database.writes() as db:
        db.execute(update(RemoteOrder).values(asked_ms=RemoteOrder.asked_ms - service.HOUR_MS))


async def test_a_box_that_lost_its_memory_does_not_do_again_what_it_took(
    hands: HandsOfBox, sqlite_database: Database, tmp_path: Path
) -> None:
    asked(sqlite_database)
    await hands.turn()
    assert hands.router.restarts == 1
    (tmp_path / "orders.db").unlink()
    hands.begun()
    await settled(hands)
    assert hands.router.restarts == 1


async def test_of_two_boxes_with_one_key_only_one_acts(
    hands: HandsOfBox, sqlite_database: Database, tmp_path: Path
) -> None:
    copy = HandsOfBox(sqlite_database, hands._box, tmp_path / "copy")
    (tmp_path / "copy").mkdir()
    asked(sqlite_database)
    for _ in range(3):
        await hands.turn()
        await copy.turn()
    assert (hands.router.restarts, copy.router.restarts) == (1, 0)
    copy.close()


@pytest.mark.parametrize("is_new", [True, False], ids=["found when the agent starts", "found while it runs"])
async def test_what_was_begun_in_a_book_that_is_lost_is_not_begun_again_and_told_as_cut_off(
    hands: HandsOfBox, sqlite_database: Database, tmp_path: Path, is_new: bool
) -> None:
    order = asked(sqlite_database)
    await hands.turn()
    assert hands.router.restarts == 1
    (tmp_path / "orders.db").write_bytes(b"this is no book" * 500)
    if is_new:
        hands.begun()
    await settled(hands)
    found = order_of(sqlite_database, order)
    assert (hands.router.restarts, found.state, found.why) == (1, State.FAILED, "cut")
    assert len(list(tmp_path.glob("orders.db.corrupt-*"))) == 1
    again = asked(sqlite_database)
    await settled(hands)
    assert (hands.router.restarts, order_of(sqlite_database, again).state) == (2, State.DONE)


async def test_what_was_only_taken_in_a_book_that_is_lost_is_taken_anew(
    hands: HandsOfBox, sqlite_database: Database, tmp_path: Path
) -> None:
    order = asked(sqlite_database)
    hands.fate.at = 5  # after the order stands in the book, before it is told
    assert await hands.turn()
    (tmp_path / "orders.db").write_bytes(b"")
    await settled(hands)
    assert (hands.router.restarts, order_of(sqlite_database, order).state) == (1, State.DONE)


async def test_what_a_copy_took_after_the_book_was_lost_is_left_to_the_copy(
    hands: HandsOfBox, sqlite_database: Database, tmp_path: Path
) -> None:
    (tmp_path / "orders.db").write_bytes(b"this is no book")
    await hands.turn()
    (tmp_path / "copy").mkdir()
    copy = HandsOfBox(sqlite_database, hands._box, tmp_path / "copy")
    order = asked(sqlite_database)
    await copy.turn()
    await settled(hands)
    await settled(copy)
    assert (hands.router.restarts, copy.router.restarts) == (0, 1)
    assert order_of(sqlite_database, order).state == State.DONE
    copy.close()


async def test_a_box_that_started_anew_since_it_took_it_does_nothing(
    hands: HandsOfBox, sqlite_database: Database
) -> None:
    order = asked(sqlite_database)
    hands.fate.at = 5  # after the order stands in the book, before it is told
    assert await hands.turn()
    assert hands.router.restarts == 0
    hands.clock.boot_id = "99999999-2222-3333-4444-555555555555"
    hands.begun()
    await settled(hands)
    assert hands.router.restarts == 0
    assert service.state_at(order_of(sqlite_database, order), clock.now_ms() + service.LIFE_MS) is State.EXPIRED


async def test_a_restart_that_was_taken_and_did_not_happen_is_told_as_failed(
    hands: HandsOfBox, sqlite_database: Database
) -> None:
    order = asked(sqlite_database)
    await hands.turn()
    hands.router.uptime_seconds = 90_000  # it only said that it would
    await settled(hands)
    found = order_of(sqlite_database, order)
    assert (found.state, found.why) == (State.FAILED, "stayed")


async def test_a_router_that_does_not_come_back_is_told_as_gone(hands: HandsOfBox, sqlite_database: Database) -> None:
    order = asked(sqlite_database)
    await hands.turn()
    for _ in range(20):
        hands.forward(60)
        hands.saw(None)
        await hands.turn()
    found = order_of(sqlite_database, order)
    assert (found.state, found.why) == (State.FAILED, "gone")


@pytest.mark.parametrize("interval_seconds", [900, 3_600, 86_400])
@pytest.mark.parametrize("comes_back", [True, False])
async def test_a_router_that_is_polled_rarely_is_given_two_polls_to_be_seen_in(
    hands: HandsOfBox, sqlite_database: Database, interval_seconds: int, comes_back: bool
) -> None:
    hands.interval_seconds = interval_seconds
    hands.begun()
    order = asked(sqlite_database)
    await hands.turn()
    states = []
    for uptime in (None, interval_seconds if comes_back else None, None):
        for _ in range(4):
            hands.forward(interval_seconds / 4)
            await hands.turn()
            states.append(order_of(sqlite_database, order).state)
        hands.saw(uptime)
        await hands.turn()
    found = order_of(sqlite_database, order)
    assert states[:8] == [State.TAKEN] * 8, "nobody gives up before the second poll"
    assert (found.state, found.why) == ((State.DONE, "") if comes_back else (State.FAILED, "gone"))


def test_fate_counts(box: Box) -> None:
    fate = Fate(2)
    fate.step()
    with pytest.raises(Killed):
        fate.step()
