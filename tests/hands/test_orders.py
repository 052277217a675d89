"""Orders to boxes: who may ask, who may take, how long they hold, and what a box may say of them."""

import zlib

import msgspec
import pytest
from sqlalchemy import func, select

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.errors import NotAllowed, NotFound, Problem, TooMany, Unprocessable
from kampungnet.core.pages import all_languages
from kampungnet.devices import service as devices
from kampungnet.devices.sites import ensure_site
from kampungnet.hands import bundles, page, service, words
from kampungnet.hands.models import RemoteOrder, SupportBundle
from kampungnet.hands.service import LIFE_MS, SILENT_MS, State, Wish
from kampungnet.shared.orders import (
    ORDERS_PATH,
    Bundle,
    OrderKind,
    OrdersAnswer,
    OrdersQuestion,
    OrderState,
    OrderTold,
    Section,
    Why,
)
from kampungnet.staff import audit
from kampungnet.staff.models import AuditEntry
from kampungnet.staff.service import Role, Scope, SignedIn
from kampungnet.villages import service as villages
from tests.hands.scene import CAN, ENGINEER, OPERATOR, PLACE, RESTART, able, asked, caller, order_of
from tests.support.contents import contents
from tests.support.server import NEIGHBOUR, REGENCY, VILLAGE, Answer, Box, Running, enrolled

BUNDLE = Wish(OrderKind.BUNDLE, "", "")
PORTAL = Wish(OrderKind.PORTAL, "portal", "")


def _ask(server: Running, box: Box, *told: OrderTold) -> Answer:
    body = msgspec.json.encode(OrdersQuestion(box.agent, clock.now_ms(), CAN, list(told)))
    return server.send("POST", ORDERS_PATH, body, box.headers(body, ORDERS_PATH))


def _answer(server: Running, box: Box, *told: OrderTold) -> OrdersAnswer:
    answer = _ask(server, box, *told)
    assert answer.status == 200, answer.body
    return msgspec.json.decode(answer.body, type=OrdersAnswer)


def _taken(order: str, mark: str = "aa11") -> OrderTold:
    return OrderTold(order, mark, OrderState.TAKEN)


def _tell(database: Database, box: Box, told: OrderTold, now_ms: int | None = None) -> list[str]:
    with database.writes() as db:
        return service.heard(db, caller(box), [told], now_ms or clock.now_ms())


def _packed(*lines: str) -> bytes:
    return zlib.compress(msgspec.json.encode(Bundle(1, "0.1", [Section("log", list(lines))])))


def _acts(database: Database) -> list[AuditEntry]:
    with database.reads() as db:
        return audit.entries(db, REGENCY)


def test_a_receipt_says_that_something_waits_and_only_to_the_box_of_that_village(
    server: Running, database: Database, box: Box
) -> None:
    other = enrolled(database, NEIGHBOUR)
    able(database, box)
    assert not server.report(box, box.reading()).receipt().orders
    order = asked(database)
    assert server.report(box, box.reading()).receipt().orders
    assert not server.report(other, other.reading()).receipt().orders
    assert _answer(server, other).orders == []
    assert [one.id for one in _answer(server, box).orders] == [order]


def test_the_first_mark_counts_and_only_its_box_is_told_to_go(server: Running, database: Database, box: Box) -> None:
    able(database, box)
    order = asked(database)
    first = _answer(server, box, _taken(order, "aa11")).orders[0]
    assert (first.mark, 0 < first.left_ms <= LIFE_MS) == ("aa11", True)
    again = _answer(server, box, _taken(order, "bb22")).orders[0]
    assert again.mark == "aa11", "who lost its memory, or is a copy, has another mark"
    told = OrderTold(order, "bb22", OrderState.DONE)
    assert _answer(server, box, told).noted == [order], "it need not say it again"
    assert order_of(database, order).state == State.TAKEN
    _answer(server, box, OrderTold(order, "aa11", OrderState.DONE, away_seconds=70))
    assert (order_of(database, order).state, order_of(database, order).away_seconds) == (State.DONE, 70)


def test_an_order_of_a_village_is_nobody_elses(server: Running, database: Database, box: Box) -> None:
    other = enrolled(database, NEIGHBOUR)
    able(database, box)
    order = asked(database)
    _answer(server, other, _taken(order))
    assert order_of(database, order).state == State.ASKED
    _answer(server, box, _taken(order))
    _answer(server, other, OrderTold(order, "aa11", OrderState.DONE))
    assert order_of(database, order).state == State.TAKEN


def test_too_late_is_never_given_out_and_never_taken(database: Database, box: Box) -> None:
    able(database, box)
    order, now_ms = asked(database), clock.now_ms()
    with database.writes() as db:
        assert service.open_orders(db, caller(box), now_ms + LIFE_MS + 1_000) == []
    _tell(database, box, _taken(order), now_ms + LIFE_MS + 1_000)
    assert order_of(database, order).mark == ""
    with database.writes() as db:
        service.settle(db, now_ms + LIFE_MS + 1_000)
    assert order_of(database, order).state == State.EXPIRED
    assert (_acts(database)[0].what, _acts(database)[0].username) == ("hands.ended", audit.BOX)


def test_what_a_silent_box_says_at_last_counts(database: Database, box: Box) -> None:
    able(database, box)
    order, now_ms = asked(database), clock.now_ms()
    _tell(database, box, _taken(order))
    with database.writes() as db:
        service.settle(db, now_ms + SILENT_MS + 60_000)
    assert order_of(database, order).state == State.SILENT
    _tell(database, box, OrderTold(order, "aa11", OrderState.DONE, away_seconds=66), now_ms + 90_000_000)
    assert order_of(database, order).state == State.DONE
    with database.reads() as db:
        assert audit.first_broken(db, REGENCY) is None


def test_asking_twice_is_one_order_and_each_kind_is_its_own(database: Database, box: Box) -> None:
    able(database, box)
    assert asked(database) == asked(database)
    assert asked(database) != asked(database, PORTAL)
    assert [one.what for one in _acts(database)] == ["hands.portal", "hands.restart"]
    assert _acts(database)[1].reason == RESTART.reason


def test_a_revoked_box_gets_none_and_nothing_can_be_asked_of_it(server: Running, database: Database, box: Box) -> None:
    able(database, box)
    asked(database)
    with database.writes() as db:
        devices.revoke(db, villages.village(db, VILLAGE), clock.now_ms())
    assert _ask(server, box).status == 401
    with pytest.raises(NotFound):
        asked(database, PORTAL)


def test_a_new_box_may_take_what_the_one_before_did_not(server: Running, database: Database, box: Box) -> None:
    able(database, box)
    one, other = asked(database), asked(database, PORTAL)
    _answer(server, box, _taken(one))
    new = enrolled(database)
    assert [order.id for order in _answer(server, new).orders] == [other]


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.BUDGET])
@pytest.mark.parametrize("wish", [RESTART, PORTAL, BUNDLE])
def test_neither_auditors_nor_budget_staff_ask_for_anything(sqlite_database: Database, role: Role, wish: Wish) -> None:
    able(sqlite_database, enrolled(sqlite_database))
    with pytest.raises(NotAllowed):
        asked(sqlite_database, wish, SignedIn("x", "X", role, Scope(REGENCY)))


def test_an_operator_puts_the_page_on_anew_and_restarts_nothing(sqlite_database: Database) -> None:
    able(sqlite_database, enrolled(sqlite_database))
    asked(sqlite_database, PORTAL, OPERATOR)
    for wish in (RESTART, BUNDLE):
        with pytest.raises(NotAllowed):
            asked(sqlite_database, wish, OPERATOR)


@pytest.mark.parametrize("reason", ["", "x" * 301, "a\x07b"])
def test_what_interrupts_people_needs_a_reason(sqlite_database: Database, reason: str) -> None:
    able(sqlite_database, enrolled(sqlite_database))
    with pytest.raises(Unprocessable):
        asked(sqlite_database, RESTART._replace(reason=reason))


def test_a_box_that_never_said_it_can_is_asked_nothing(sqlite_database: Database) -> None:
    enrolled(sqlite_database)
    with pytest.raises(NotFound):
        asked(sqlite_database)


def test_neither_a_village_nor_the_kabupaten_is_restarted_without_end(sqlite_database: Database) -> None:
    box, now_ms = enrolled(sqlite_database), clock.now_ms()
    able(sqlite_database, box)

    def once(at_ms: int) -> None:
        order = asked(sqlite_database, now_ms=at_ms)
        _tell(sqlite_database, box, _taken(order), at_ms)
        _tell(sqlite_database, box, OrderTold(order, "aa11", OrderState.DONE), at_ms)

    for number in range(service.MOST_AN_HOUR):
        once(now_ms + number)
    with pytest.raises(TooMany):
        once(now_ms + 60_000)
    once(now_ms + service.HOUR_MS + 60_000)
    with sqlite_database.writes() as db:
        elsewhere = ensure_site(db, villages.village(db, NEIGHBOUR)).code
        template = {c.name: None for c in RemoteOrder.__table__.c}
        for number in range(service.MOST_RESTARTS):
            row = template | {
                "regency": REGENCY, "id": f"X{number}", "site": elsewhere, "kind": "restart", "device": "router",
                "reason": "", "asked_ms": now_ms + 3 * service.HOUR_MS, "asked_by": "", "asked_name": "",
                "expires_ms": 0, "state": "done", "mark": "", "why": "", "missing_right": "", "detail": "",
            }  # fmt: skip
            db.add(RemoteOrder(**row))
    with pytest.raises(TooMany):
        once(now_ms + 3 * service.HOUR_MS + 1)


HOSTILE = "<script>alert(1)</script>" + "\u202e\x00" + "y" * 400


def test_a_lying_box_changes_only_its_own_order_and_writes_no_more_than_fits(
    server: Running, database: Database, box: Box
) -> None:
    other = enrolled(database, NEIGHBOUR)
    able(database, box)
    able(database, other, f"{NEIGHBOUR}-1")
    order = asked(database)
    before = contents(database)
    _answer(server, other, OrderTold(order, "aa11", OrderState.DONE), OrderTold("NOSUCH", "x", OrderState.DONE))
    _answer(server, box, OrderTold(order, "aa11", OrderState.DONE), _taken("NOSUCH"))
    assert contents(database) == before, "what was not taken cannot end"
    _answer(server, box, _taken(order))
    _answer(server, box, OrderTold(order, "aa11", OrderState.REFUSED, Why.DEVICE, "reboot" + "\x00", HOSTILE))
    found = order_of(database, order)
    assert found.state == State.REFUSED
    assert found.detail.isprintable()
    assert found.missing_right.isprintable()
    _answer(server, box, OrderTold(order, "aa11", OrderState.DONE))
    assert order_of(database, order).state == State.REFUSED, "an ending stands"


def test_what_cannot_be_read_is_refused_and_changes_nothing(server: Running, database: Database, box: Box) -> None:
    able(database, box)
    asked(database)
    before = contents(database)

    def sent(body: bytes) -> int:
        return server.send("POST", ORDERS_PATH, body, box.headers(body, ORDERS_PATH)).status

    many = [OrderTold("A1", "m", OrderState.TAKEN)] * 21
    assert sent(b"{}") == 400
    assert sent(msgspec.json.encode(OrdersQuestion("SOMEBODY", 1))) == 400
    assert sent(msgspec.json.encode(OrdersQuestion(box.agent, 1, told=many))) == 400
    assert sent(b" " * 600_000) == 413
    assert server.send("POST", ORDERS_PATH, b"{}", {}).status == 401
    assert server.send("GET", ORDERS_PATH).status == 405
    assert contents(database) == before


def test_a_bundle_is_kept_for_two_weeks_and_one_that_cannot_be_read_is_told(
    server: Running, database: Database, box: Box
) -> None:
    able(database, box)
    good = asked(database, BUNDLE)
    _answer(server, box, _taken(good))
    _answer(server, box, OrderTold(good, "aa11", OrderState.DONE, bundle=_packed("semua baik")))
    with database.reads() as db:
        kept = bundles.of_order(db, REGENCY, good)
        assert kept is not None
        assert bundles.opened(kept.packed).sections[0].lines == ["semua baik"]
    bad = asked(database, BUNDLE)
    _answer(server, box, _taken(bad))
    _answer(server, box, OrderTold(bad, "aa11", OrderState.DONE, bundle=zlib.compress(b" " * 3_000_000)))
    assert order_of(database, bad).state == State.FAILED
    with database.writes() as db:
        service.forget(db, clock.now_ms() + bundles.KEPT_MS + 1_000)
    with database.reads() as db:
        assert db.scalar(select(func.count()).select_from(SupportBundle)) == 0
        assert db.scalar(select(func.count()).select_from(RemoteOrder)) == 2


@pytest.mark.parametrize("packed", [b"", b"xx", zlib.compress(b"[]"), zlib.compress(b"{}") + b"more"])
def test_what_is_no_bundle_is_said_to_be_none(packed: bytes) -> None:
    with pytest.raises(Problem):
        bundles.opened(packed)


def test_engineers_of_another_kabupaten_find_nothing(sqlite_database: Database) -> None:
    able(sqlite_database, enrolled(sqlite_database))
    stranger = SignedIn("wati", "Bu Wati", Role.ENGINEER, Scope("33.10"))
    with sqlite_database.writes() as db, pytest.raises(NotFound):
        service.ask(db, stranger, ("33.10", PLACE[1]), RESTART, clock.now_ms())
    assert ENGINEER.scope.regency == REGENCY


def test_an_interruption_beside_a_restart_says_so_and_any_other_does_not(sqlite_database: Database) -> None:
    box, now_ms = enrolled(sqlite_database), clock.now_ms()
    able(sqlite_database, box)
    order = asked(sqlite_database)
    _tell(sqlite_database, box, _taken(order), now_ms)
    with sqlite_database.reads() as db:
        note = page.restarted(db, PLACE, now_ms - clock.DAY_MS, all_languages()["id"])
    assert note(now_ms - 60_000, "Sementara.") == "Sementara. Saat itu dinyalakan ulang dari jauh oleh Ibu Sari."
    assert note(now_ms - 3_600_000, "") == note(now_ms + 3_600_000, "") == ""


@pytest.mark.parametrize(
    ("state", "why", "is_beside"),
    [
        (OrderState.REFUSED, Why.DEVICE, False), (OrderState.DROPPED, Why.LATE, False),
        (OrderState.DROPPED, Why.UNABLE, False), (OrderState.FAILED, Why.UNREACHABLE, False),
        (OrderState.FAILED, Why.CUT, True), (OrderState.FAILED, Why.GONE, True), (OrderState.DONE, Why.NOTHING, True),
    ],
)  # fmt: skip
def test_an_interruption_beside_an_order_that_restarted_nothing_says_nothing_of_it(
    sqlite_database: Database, state: OrderState, why: Why, is_beside: bool
) -> None:
    box, now_ms = enrolled(sqlite_database), clock.now_ms()
    able(sqlite_database, box)
    order = asked(sqlite_database)
    _tell(sqlite_database, box, _taken(order), now_ms)
    _tell(sqlite_database, box, OrderTold(order, "aa11", state, why), now_ms)
    with sqlite_database.reads() as db:
        assert bool(page.restarted(db, PLACE, 0, all_languages()["id"])(now_ms, "")) is is_beside


def test_a_clock_that_is_set_back_makes_no_order_hold_longer(sqlite_database: Database) -> None:
    box, ahead_ms = enrolled(sqlite_database), clock.now_ms() + 5 * service.HOUR_MS
    able(sqlite_database, box)
    order, page_put_on = asked(sqlite_database, now_ms=ahead_ms), asked(sqlite_database, PORTAL, now_ms=ahead_ms)
    _tell(sqlite_database, box, _taken(page_put_on), ahead_ms)
    with sqlite_database.writes() as db:
        given = service.open_orders(db, caller(box), ahead_ms - 5_000)
        assert [one.left_ms for one in given] == [LIFE_MS, LIFE_MS], "a few seconds are the clock of another machine"
        now_ms = ahead_ms - 4 * service.HOUR_MS
        assert service.open_orders(db, caller(box), now_ms) == []
    _tell(sqlite_database, box, _taken(order), now_ms)
    assert service.state_at(order_of(sqlite_database, order), now_ms) is State.EXPIRED
    assert service.state_at(order_of(sqlite_database, page_put_on), now_ms) is State.SILENT
    again = [asked(sqlite_database, wish, now_ms=now_ms) for wish in (RESTART, PORTAL)]
    assert {order, page_put_on}.isdisjoint(again)


def test_what_was_asked_by_a_clock_that_was_wrong_counts_for_no_pace(sqlite_database: Database) -> None:
    box, ahead_ms = enrolled(sqlite_database), clock.now_ms() + 5 * service.HOUR_MS
    able(sqlite_database, box)
    for number in range(service.MOST_AN_HOUR):
        order = asked(sqlite_database, now_ms=ahead_ms + number)
        _tell(sqlite_database, box, _taken(order), ahead_ms + number)
        _tell(sqlite_database, box, OrderTold(order, "aa11", OrderState.DONE), ahead_ms + number)
    with pytest.raises(TooMany):
        asked(sqlite_database, now_ms=ahead_ms + 60_000)
    assert asked(sqlite_database)


@pytest.mark.parametrize(
    ("kind", "device", "says"),
    [
        (OrderKind.RESTART, "router", "tidak melihat perangkat menyala"),
        (OrderKind.PORTAL, "portal", "sebagian mungkin sudah dikerjakan"),
        (OrderKind.BUNDLE, "", "sebagian mungkin sudah dikerjakan"),
    ],
)
def test_what_was_cut_off_in_the_middle_is_told_by_what_it_was(
    sqlite_database: Database, kind: OrderKind, device: str, says: str
) -> None:
    box = enrolled(sqlite_database)
    able(sqlite_database, box)
    order = asked(sqlite_database, Wish(kind, device, "Wifi macet."))
    _tell(sqlite_database, box, OrderTold(order, "aa11", OrderState.TAKEN), clock.now_ms())
    _tell(sqlite_database, box, OrderTold(order, "aa11", OrderState.FAILED, Why.CUT), clock.now_ms())
    line = words.line(order_of(sqlite_database, order), "", all_languages()["id"], clock.now_ms(), has_bundle=False)
    assert says in line.sentence
