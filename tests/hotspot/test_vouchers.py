"""Vouchers: made, printed, found by their code, extended, revoked; the table alone opens nothing."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select, update

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.errors import Conflict, NotAllowed, NotFound, Problem, TooMany, Unprocessable
from kampungnet.hotspot import batches, portals, voucher_state, vouchers
from kampungnet.hotspot.models import HotspotPortal, Voucher, VoucherBatch
from kampungnet.hotspot.policy import Policy
from kampungnet.hotspot.voucher_state import State
from kampungnet.hotspot.vouchers import NewBatch
from kampungnet.shared.portal_body import SLOT_MS, PortalBody, PortalSession, PortalSlot, Way
from kampungnet.staff.models import AuditEntry
from kampungnet.staff.service import Role, Scope, SignedIn
from tests.support.server import REGENCY, VILLAGE, Box, ingested, neighbours

PLACE = (REGENCY, f"{VILLAGE}-1")
OPERATOR = SignedIn("budi", "Pak Budi", Role.OPERATOR, Scope(REGENCY, VILLAGE))
ENGINEER = SignedIn("sari", "Ibu Sari", Role.ENGINEER, Scope(REGENCY))


@pytest.fixture(autouse=True)
def _a_site(box: Box) -> None:
    """The site comes with its box."""


def _issue(database: Database, number: int = 3, **more: Any) -> str:
    with database.writes() as db:
        return vouchers.issue(db, OPERATOR, PLACE, NewBatch("harian", number, **more), clock.now_ms()).id


def _codes(database: Database, name: str) -> list[tuple[int, str]]:
    with database.writes() as db:
        printed = batches.to_print(db, OPERATOR, vouchers.batch(db, PLACE, name), 1, clock.now_ms())
        return [(one.serial, one.code) for one in printed]


def _all(database: Database) -> list[Voucher]:
    with database.reads() as db:
        return list(db.scalars(select(Voucher).order_by(Voucher.serial)))


def test_a_batch_has_its_number_of_codes_each_found_by_the_paper(database: Database) -> None:
    name = _issue(database, 20)
    printed = _codes(database, name)
    assert [serial for serial, _ in printed] == list(range(1, 21))
    with database.reads() as db:
        for serial, code in printed:
            voucher, batch = vouchers.look_up(db, PLACE, code.upper())
            assert (voucher.serial, batch.id) == (serial, name)


def test_neither_table_nor_log_holds_a_code(database: Database) -> None:
    name = _issue(database, 5)
    printed = _codes(database, name)
    with database.reads() as db:
        told = " ".join(f"{one.about} {one.reason} {one.after}" for one in db.scalars(select(AuditEntry)))
    for _, code in printed:
        assert code not in told
        assert all(code.encode() not in one.code + one.mark for one in _all(database))


def test_what_the_box_is_told_are_the_codes_until_they_are_revoked_or_over(database: Database) -> None:
    name = _issue(database, 3, limit_seconds=3600, valid_seconds=86_400, expires_ms=clock.now_ms() + 60_000)
    codes = {code for _, code in _codes(database, name)}
    with database.writes() as db:
        portals.set_policy(db, ENGINEER, PLACE, Policy(managed=True), clock.now_ms())
        found = portals.wanted(db, PLACE, [], clock.now_ms()).users
        assert {one.name for one in found} == codes
        assert {(one.plan, one.limit_seconds, one.valid_seconds) for one in found} == {("harian", 3600, 86_400)}
        assert not any(code in repr(found) for code in codes)
        before = db.get_one(HotspotPortal, PLACE).revision
        vouchers.revoke(db, OPERATOR, db.get_one(Voucher, (REGENCY, found[0].reference)), "hilang", clock.now_ms())
        assert db.get_one(HotspotPortal, PLACE, populate_existing=True).revision == before + 1
        assert len(portals.wanted(db, PLACE, [], clock.now_ms()).users) == 2
        assert portals.wanted(db, PLACE, [], clock.now_ms() + 62_000).users == []


def test_its_life_is_told_by_the_sessions_of_the_box(database: Database, box: Box) -> None:
    name = _issue(database, 1, limit_seconds=3600)
    (voucher,) = _all(database)
    now_ms = clock.now_ms()

    def tell(number: int, seconds: int) -> State:
        slot = PortalSlot(now_ms // SLOT_MS - number, seconds, 1, 1)
        session = PortalSession(
            f"{number:016x}", "g-a", Way.VOUCHER, now_ms - seconds * 1000, now_ms, [slot], voucher.id, "harian"
        )
        reading = box.reading(PortalBody(sessions=[session]), device="portal")
        ingested(database, box.request(box.report(reading)))
        (fresh,) = _all(database)
        with database.reads() as db:
            return voucher_state.state(fresh, vouchers.batch(db, PLACE, name), now_ms)

    with database.reads() as db:
        assert voucher_state.state(voucher, vouchers.batch(db, PLACE, name), now_ms) is State.FRESH
    assert tell(1, 1500) is State.RUNNING
    assert tell(1, 1500) is State.RUNNING, "told again it is not used again"
    assert tell(2, 1800) is State.RUNNING
    assert tell(3, 1800) is State.USED_UP
    with database.writes() as db:
        vouchers.extend(db, OPERATOR, db.get_one(Voucher, (REGENCY, voucher.id)), 7200, now_ms)
    (longer,) = _all(database)
    with database.reads() as db:
        assert voucher_state.state(longer, vouchers.batch(db, PLACE, name), now_ms) is State.RUNNING


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (NewBatch("tidak-ada", 1), "no such plan"),
        (NewBatch("harian", 0), "between 1 and 10,000"),
        (NewBatch("harian", 10_001), "between 1 and 10,000"),
        (NewBatch("harian", 1, limit_seconds=-1), "at most a year"),
        (NewBatch("harian", 1, valid_seconds=10**9), "at most a year"),
        (NewBatch("harian", 1, expires_ms=1), "lies ahead"),
        (NewBatch("harian", 1, note="x" * 501), "500 letters"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(database: Database, wanted: NewBatch, sentence: str) -> None:
    with pytest.raises(Unprocessable, match=sentence), database.writes() as db:
        vouchers.issue(db, OPERATOR, PLACE, wanted, clock.now_ms())
    assert _all(database) == []


def test_a_router_gets_no_more_vouchers_than_fit(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vouchers, "MOST_OPEN", 5)
    _issue(database, 3)
    with pytest.raises(TooMany):
        _issue(database, 3)
    assert len(_all(database)) == 3


def test_vouchers_that_are_over_leave_the_router_and_make_room_there(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vouchers, "MOST_OPEN", 6)
    used, late, open_ones = (_issue(database, 2, limit_seconds=3600, valid_seconds=86_400) for _ in range(3))
    now_ms = clock.now_ms()
    with database.writes() as db:
        portals.set_policy(db, ENGINEER, PLACE, Policy(managed=True), now_ms)
        db.execute(update(Voucher).where(Voucher.batch == used).values(used_seconds=3600))
        db.execute(update(Voucher).where(Voucher.batch == late).values(first_used_ms=now_ms - 2 * clock.DAY_MS))
    with database.reads() as db:
        there = {one.reference for one in portals.wanted(db, PLACE, [], now_ms).users}
        assert there == set(db.scalars(select(Voucher.id).where(Voucher.batch == open_ones)))
    _issue(database, 4)
    name = next(one.id for one in _all(database) if one.batch == late)
    with pytest.raises(TooMany), database.writes() as db:
        batches.extend_all(db, OPERATOR, vouchers.batch(db, PLACE, used), 3600, now_ms)
    with pytest.raises(TooMany), database.writes() as db:
        vouchers.extend(db, OPERATOR, db.get_one(Voucher, (REGENCY, name)), 3 * 86_400, now_ms)


@pytest.mark.parametrize("typed", ["", "k7mp", "' OR 1=1 --", "\x00" * 10, "k" * 500, "<script>"])
def test_no_voucher_is_found_by_what_is_none(database: Database, typed: str) -> None:
    _issue(database)
    with pytest.raises(Problem), database.reads() as db:
        vouchers.look_up(db, PLACE, typed)


def test_a_code_of_another_village_is_unknown_here(database: Database) -> None:
    name = _issue(database)
    (_, code) = _codes(database, name)[0]
    (other,) = neighbours(database, 1)
    del other
    with database.reads() as db:
        site = db.scalars(select(VoucherBatch.site)).one()
        assert site == PLACE[1]
        with pytest.raises(NotFound):
            vouchers.look_up(db, (REGENCY, "35.10.25.2001-1"), code)
        with pytest.raises(NotFound):
            vouchers.batch(db, (REGENCY, "35.10.25.2001-1"), name)


def test_who_only_looks_makes_nothing(database: Database) -> None:
    auditor = SignedIn("ani", "Bu Ani", Role.AUDITOR, Scope(REGENCY))
    with pytest.raises(NotAllowed), database.writes() as db:
        vouchers.issue(db, auditor, PLACE, NewBatch("harian", 1), clock.now_ms())


def test_of_two_who_revoke_one_voucher_at_once_one_is_told_that_it_was_done(database: Database) -> None:
    _issue(database, 1)
    (voucher,) = _all(database)

    def revoke(_: int) -> bool:
        try:
            with database.writes() as db:
                one = db.get_one(Voucher, (REGENCY, voucher.id), with_for_update=True)
                vouchers.revoke(db, OPERATOR, one, "hilang", clock.now_ms())
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(revoke, range(2))) == [False, True]
