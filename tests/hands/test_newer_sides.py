"""A box that knows more than the server, and the other way round: only the word that is not known is not understood."""

import msgspec
import pytest

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.pages import all_languages
from kampungnet.hands import page, service, words
from kampungnet.hands.models import RemoteOrder
from kampungnet.hands.service import State, Wish
from kampungnet.shared.orders import ORDERS_PATH, OrderKind, OrdersAnswer, OrderState, OrderTold
from tests.hands.scene import ENGINEER, PLACE, HandsOfBox, able, asked, caller, order_of, settled
from tests.support.server import REGENCY, Box, Running

BUNDLE = Wish(OrderKind.BUNDLE, "", "")
PORTAL = Wish(OrderKind.PORTAL, "portal", "")


def _taken(order: str) -> OrderTold:
    return OrderTold(order, "aa11", OrderState.TAKEN)


def _tell(database: Database, box: Box, told: OrderTold) -> list[str]:
    with database.writes() as db:
        return service.heard(db, caller(box), [told], clock.now_ms())


def _let_it_be_newer(database: Database, order: str) -> None:
    with database.writes() as db:
        db.get_one(RemoteOrder, (REGENCY, order)).kind = "blink"


def _newer(box: Box, *told: dict[str, object]) -> bytes:
    """Return what a box says that knows more than this server."""
    can = [{"kind": "restart", "device": "router"}, {"kind": "blink", "device": "router", "colour": "green"}]
    question = {"agent": box.agent, "sent_at_ms": 1, "can": can, "told": list(told), "mood": "fine"}
    return msgspec.json.encode(question)


def test_what_a_newer_box_says_beside_costs_nothing_of_what_is_understood(
    server: Running, database: Database, box: Box
) -> None:
    able(database, box)
    orders = [asked(database), asked(database, PORTAL), asked(database, BUNDLE)]
    for order in orders:
        _tell(database, box, _taken(order))
    words_of: list[dict[str, object]] = [
        {"state": "failed", "why": "asleep", "detail": "tidur"}, {"state": "halfway", "changed": 3}, {"state": "failed"}
    ]  # fmt: skip
    told = [{"id": order, "mark": "aa11", **more} for order, more in zip(orders, words_of, strict=True)]
    body = _newer(box, *told)
    answer = server.send("POST", ORDERS_PATH, body, box.headers(body, ORDERS_PATH))
    assert answer.status == 200, answer.body
    assert msgspec.json.decode(answer.body, type=OrdersAnswer).noted == orders
    found = [order_of(database, order) for order in orders]
    assert [(one.state, one.why) for one in found] == [("failed", "asleep"), ("failed", "halfway"), ("failed", "")]
    with database.reads() as db:
        assert service.abilities(db, PLACE) == [(OrderKind.RESTART, "router")], "what is not known is not offered"
    for one, word in zip(found, ("asleep", "halfway"), strict=False):
        line = words.line(one, "router", all_languages()["id"], clock.now_ms(), has_bundle=False)
        assert line.sentence == (
            f"Tidak berjalan sebagaimana mestinya. Kotak menyebut alasan yang belum dikenal server ini: “{word}”."
        )
    assert words.line(found[0], "router", all_languages()["id"], 0, has_bundle=False).said == "tidur"


def test_a_reason_that_is_not_known_is_kept_without_what_cannot_be_shown(database: Database, box: Box) -> None:
    able(database, box)
    order = asked(database)
    _tell(database, box, _taken(order))
    _tell(database, box, OrderTold(order, "aa11", OrderState.FAILED, "a\u202e\x00b"))
    assert order_of(database, order).why.isprintable()


def test_an_order_of_a_newer_server_is_shown_calmly_and_given_to_the_box(database: Database, box: Box) -> None:
    able(database, box)
    order = asked(database)
    _let_it_be_newer(database, order)
    with database.reads() as db:
        assert [one.kind for one in service.open_orders(db, caller(box), clock.now_ms())] == ["blink"]
    _tell(database, box, _taken(order))
    for state in (OrderState.TAKEN, OrderState.DONE):
        _tell(database, box, OrderTold(order, "aa11", state))
        with database.reads() as db:
            (line,) = page.recent_lines(db, PLACE, {"router": "router"}, all_languages()["id"])
        assert line.title == "Sesuatu yang belum dikenal server ini: “blink”"
    assert line.sentence.startswith("Selesai ")
    assert "menyala" not in line.sentence, "it was no restart"


def test_a_state_that_a_later_version_wrote_is_said_to_be_unknown_and_everything_beside_it_is_shown(
    database: Database, box: Box
) -> None:
    """As after going back one version: the order stays as the later one left it."""
    able(database, box)
    strange = asked(database)
    _tell(database, box, _taken(strange))
    with database.writes() as db:
        db.get_one(RemoteOrder, (REGENCY, strange)).state = "paused"
    asked(database, PORTAL)
    with database.reads() as db:
        card = page.card(db, ENGINEER, PLACE, [], all_languages()["id"])
    assert card is not None
    lines = {one.order.kind: one for one in card.lines}
    line = lines["restart"]
    assert line.sentence == (
        "Versi server ini tidak mengenal keadaan perintah ini: “paused”. Versi yang lebih baru yang menulisnya."
    )
    assert (line.is_good, line.is_open) == (False, False)
    assert lines["portal"].is_open
    assert _tell(database, box, OrderTold(strange, "aa11", OrderState.DONE)) == [strange]
    with database.writes() as db:
        service.settle(db, clock.now_ms() + clock.DAY_MS)
    assert order_of(database, strange).state == "paused"


async def test_an_order_that_the_box_does_not_know_is_told_to_be_none_of_its_and_the_others_are_done(
    hands: HandsOfBox, sqlite_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    strange = asked(sqlite_database, PORTAL)
    restart = asked(sqlite_database)
    _let_it_be_newer(sqlite_database, strange)
    await settled(hands)
    assert (hands.router.restarts, order_of(sqlite_database, restart).state) == (1, State.DONE)
    found = order_of(sqlite_database, strange)
    assert (found.state, found.why) == (State.FAILED, "unable")
    assert f"order {strange} cannot be done here: blink portal" in caplog.text


def test_an_answer_that_says_more_than_the_box_knows_is_read() -> None:
    order = {"id": "A1", "kind": "blink", "left_ms": 5, "colour": "green"}
    answer = msgspec.json.encode({"server_time_ms": 1, "orders": [order], "noted": ["B2"], "weather": "dry"})
    read = msgspec.json.decode(answer, type=OrdersAnswer)
    assert (read.orders[0].kind, read.noted) == ("blink", ["B2"])
