"""What broke off on the way is told by how far it had come: nothing was done, or some of it may be."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.pages import all_languages
from kampungnet.hands import words
from kampungnet.hands.service import State, Wish
from kampungnet.shared.orders import OrderKind
from kampungnet_agent.acts import About, ActRefused, Renewed
from kampungnet_agent.driver import DeviceUnreachable
from kampungnet_agent.last_seen import LastSeen
from kampungnet_agent.line import Answer, LineError
from tests.hands.scene import CutLine, HandsOfBox, Router, asked, order_of, settled

BUNDLE = Wish(OrderKind.BUNDLE, "", "")
PORTAL = Wish(OrderKind.PORTAL, "portal", "")


class Portal(Router):
    """A device whose portal is looked at; what comes of it is chosen."""

    def __init__(self, comes: Exception | Renewed) -> None:
        super().__init__()
        self.comes, self.looked = comes, 0
        self.meanwhile: Callable[[], object] = bool

    async def renew(self) -> Renewed:
        """Look at everything, or break off."""
        self.looked += 1
        self.meanwhile()
        if isinstance(self.comes, Exception):
            raise self.comes
        return self.comes


class Hasty(Router):
    """Tries a second time by itself, which no driver may."""

    async def restart(self, about_to: About) -> None:
        """Start anew, twice."""
        await super().restart(about_to)
        await super().restart(about_to)


class Away(Router):
    """Answers nobody."""

    async def restart(self, about_to: About) -> None:  # noqa: ARG002 - as its parent's
        """Be not there."""
        raise DeviceUnreachable("no answer from 192.168.88.1")


def _said(database: Database, order: str) -> tuple[str, str, str]:
    found = order_of(database, order)
    line = words.line(found, "", all_languages()["id"], clock.now_ms(), has_bundle=False)
    return found.state, found.why, line.sentence


@pytest.mark.parametrize("error", [DeviceUnreachable("the line broke"), TimeoutError()], ids=["line", "time"])
async def test_a_page_that_was_being_put_on_when_the_line_broke_is_told_as_cut_off_in_the_middle(
    hands: HandsOfBox, sqlite_database: Database, error: Exception
) -> None:
    portal = Portal(error)
    hands.others["portal"] = portal
    hands.begun()
    order = asked(sqlite_database, PORTAL)
    await settled(hands, 3)
    state, why, sentence = _said(sqlite_database, order)
    assert (portal.looked, state, why) == (1, State.FAILED, "cut")
    assert "sebagian mungkin sudah dikerjakan" in sentence
    assert order_of(sqlite_database, order).detail == str(error)


async def test_facts_that_could_not_be_collected_to_the_end_are_told_as_cut_off(
    hands: HandsOfBox, sqlite_database: Database
) -> None:
    async def collect(_seen: LastSeen) -> bytes:
        raise TimeoutError

    hands.collect = collect
    hands.begun()
    order = asked(sqlite_database, BUNDLE)
    await settled(hands, 3)
    assert _said(sqlite_database, order)[:2] == (State.FAILED, "cut")


async def test_a_device_that_was_not_reached_before_anything_began_is_told_as_not_reached(
    hands: HandsOfBox, sqlite_database: Database
) -> None:
    hands.router = Away()
    hands.begun()
    order = asked(sqlite_database)
    await settled(hands, 3)
    state, why, sentence = _said(sqlite_database, order)
    assert (state, why) == (State.FAILED, "unreachable")
    assert "Tidak ada yang diubah" in sentence


@pytest.mark.parametrize(
    ("comes", "ends"),
    [
        (ActRefused("Portal ini belum diurus."), (State.REFUSED, "device")),
        (DeviceUnreachable("the line broke"), (State.FAILED, "cut")),
        (Renewed(3, []), (State.DONE, "")),
    ],
    ids=["refused", "cut", "done"],
)
async def test_the_truth_is_told_also_when_the_book_is_lost_while_something_is_done(
    hands: HandsOfBox, sqlite_database: Database, tmp_path: Path, comes: Exception | Renewed, ends: tuple[str, str]
) -> None:
    portal = Portal(comes)
    portal.meanwhile = lambda: (tmp_path / "orders.db").write_bytes(b"this is no book")
    hands.others["portal"] = portal
    hands.begun()
    order = asked(sqlite_database, PORTAL)
    await settled(hands, 3)
    assert _said(sqlite_database, order)[:2] == ends
    assert portal.looked == 1


async def test_a_no_with_more_words_than_travel_is_told_all_the_same(
    hands: HandsOfBox, sqlite_database: Database
) -> None:
    hands.others["portal"] = Portal(ActRefused("tidak " * 200, "hak" * 100))
    hands.begun()
    order = asked(sqlite_database, PORTAL)
    await settled(hands, 3)
    assert _said(sqlite_database, order)[0] == State.REFUSED


async def test_a_server_that_is_away_for_a_moment_costs_no_order(
    hands: HandsOfBox, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = asked(sqlite_database)
    hands.fate.at = 5  # after the order stands in the book, before it is told
    assert await hands.turn()
    with monkeypatch.context() as patch:
        patch.setattr(CutLine, "request", lambda *_: Answer(404, {"content-type": "text/html"}, b"no such page"))
        await hands.turn()
    await settled(hands)
    assert (hands.router.restarts, order_of(sqlite_database, order).state) == (1, State.DONE)


async def test_a_driver_that_tries_again_by_itself_is_stopped_before_it_sends_anything(
    hands: HandsOfBox, sqlite_database: Database
) -> None:
    hands.router = Hasty()
    hands.begun()
    order = asked(sqlite_database)
    await settled(hands)
    assert hands.router.restarts == 1
    assert order_of(sqlite_database, order).state == State.DONE


async def test_a_book_that_does_not_work_is_an_error_said_once_and_a_silent_server_is_none(
    hands: HandsOfBox, sqlite_database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asked(sqlite_database)
    in_the_way = tmp_path / "orders.db.new"
    in_the_way.mkdir()
    caplog.set_level(logging.INFO)
    await settled(hands, 3)
    in_the_way.rmdir()
    hands.lost, hands.fate.at = lambda: LineError("no line"), hands.fate.steps + 1
    await hands.turn()
    said = [(one.levelno, one.getMessage()) for one in caplog.records if one.getMessage().startswith("orders: ")]
    assert [level for level, _ in said] == [logging.ERROR, logging.INFO]
    assert "does not work" in said[0][1]
    assert "no line" in said[1][1]
