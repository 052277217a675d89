"""Sessions through the door: told often, stored once, folded without names, erased and forgotten with proof."""

import random
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, select

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.errors import BadInput
from kampungnet.devices.models import Device
from kampungnet.hotspot import sessions
from kampungnet.hotspot.models import HotspotDay, HotspotSession
from kampungnet.measurement.models import YoungReading
from kampungnet.measurement.retention import Retention
from kampungnet.shared import wire
from kampungnet.shared.portal_body import SLOT_MS, PortalBody, PortalHost, PortalSession, PortalSlot, Way
from kampungnet.staff.models import AuditEntry
from kampungnet.staff.service import Role, Scope, SignedIn
from kampungnet.upkeep import fold_portal_use, forget_old, pack_all
from tests.support.server import REGENCY, VILLAGE, Box, ingested

PLACE = (REGENCY, f"{VILLAGE}-1")
OPERATOR = SignedIn("budi", "Pak Budi", Role.OPERATOR, Scope(REGENCY, VILLAGE))


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be noon: who is online around midnight is counted in two days."""
    noon_ms = clock.day_start_ms(clock.local_day(clock.now_ms(), clock.WIB), clock.WIB) + clock.DAY_MS // 2
    monkeypatch.setattr(clock, "now_ms", lambda: noon_ms)


def _session(number: int, seconds: int = 600, **more: Any) -> PortalSession:
    now_ms = clock.now_ms()
    begun_ms = now_ms - seconds * 1000
    usual: dict[str, Any] = {
        "id": f"{number:016x}", "guest": f"g-{number}", "way": Way.CLICK, "started_ms": begun_ms, "seen_ms": now_ms,
        "slots": [PortalSlot(begun_ms // SLOT_MS, seconds, 10, 100)], "plan": "tamu",
    }  # fmt: skip
    return PortalSession(**{**usual, **more})


def _tell(database: Database, box: Box, *told: PortalSession, **more: Any) -> list[Any]:
    body = PortalBody(server="balaidesa", online=len(told), sessions=list(told), without_session=[PortalHost("g-tv")])
    reading = box.reading(body, device="portal", **more)
    return ingested(database, box.request(box.report(reading)))


def _rows(database: Database) -> list[HotspotSession]:
    with database.reads() as db:
        return list(db.scalars(select(HotspotSession).order_by(HotspotSession.id)))


def test_a_session_told_again_and_again_stands_once_with_its_greatest_numbers(database: Database, box: Box) -> None:
    slot = clock.now_ms() // SLOT_MS
    tellings = [_session(1, slots=[PortalSlot(slot, 60 * n, 7 * n, 70 * n)]) for n in range(1, 6)]
    for told in random.Random(7).sample([*tellings, *tellings], 10):
        _tell(database, box, told)
    (row,) = _rows(database)
    assert (row.seconds, row.up_bytes, row.down_bytes, row.ended) == (300, 35, 350, "")


def test_what_ended_stays_ended_when_an_older_reading_comes_late(database: Database, box: Box) -> None:
    _tell(database, box, _session(1, end="idle"))
    _tell(database, box, _session(1, seen_ms=clock.now_ms() - 60_000))
    (row,) = _rows(database)
    assert row.ended == "idle"
    with database.reads() as db:
        assert sessions.online_now(db, PLACE, 0) == []


def _tomorrow(monkeypatch: pytest.MonkeyPatch) -> None:
    later_ms = clock.now_ms() + clock.DAY_MS
    monkeypatch.setattr(clock, "now_ms", lambda: later_ms)


def test_today_shows_what_came_a_moment_ago_and_is_folded_when_it_is_over(
    database: Database, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = clock.local_day(clock.now_ms(), "Asia/Jakarta")
    _tell(database, box, _session(1), _session(2), _session(3, guest="g-1"))
    with database.reads() as db:
        shown = sessions.days_of(db, PLACE, today - timedelta(days=1), today)
    _tomorrow(monkeypatch)
    assert fold_portal_use(database) >= 1
    with database.reads() as db:
        folded = sessions.days_of(db, PLACE, today - timedelta(days=1), today)
        assert db.scalar(select(func.count()).select_from(HotspotDay).where(HotspotDay.stale.is_(True))) == 0
    assert shown == folded
    assert (sum(one.seconds for one in folded.values()), max(one.people for one in folded.values())) == (1800, 2)


def test_old_sessions_go_however_many_portals_have_guests_today(
    database: Database, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "DAYS_AT_ONCE", 1)
    _tell(database, box, _session(1))
    later_ms = clock.now_ms() + 91 * clock.DAY_MS
    monkeypatch.setattr(clock, "now_ms", lambda: later_ms)
    slot = [PortalSlot(later_ms // SLOT_MS, 60, 1, 1)]
    _tell(database, box, _session(2, started_ms=later_ms - 60_000, seen_ms=later_ms, slots=slot))
    fold_portal_use(database)
    forget_old(database, Retention())
    assert [row.guest for row in _rows(database)] == ["g-2"]


def test_nothing_kept_as_received_tells_who_was_online(database: Database, box: Box) -> None:
    _tell(database, box, _session(1))
    with database.reads() as db:
        raw = db.scalars(select(YoungReading.payload)).all()
    for one in raw:
        assert b"g-1" not in one
        assert b"g-tv" not in one
        assert isinstance(msgspec.json.decode(one, type=wire.Reading).body, PortalBody)


def test_a_box_whose_clock_is_years_off_tells_days_that_are_right(database: Database, box: Box) -> None:
    wrong_ms = 60_000_000
    now_ms = clock.now_ms()
    told = _session(
        1, started_ms=wrong_ms - 600_000, seen_ms=wrong_ms, slots=[PortalSlot(wrong_ms // SLOT_MS, 600, 1, 2)]
    )
    body = PortalBody(sessions=[told])
    boot = now_ms - 1_600_000_000_000
    reading = box.reading(body, device="portal", taken_at_ms=wrong_ms, boottime_ms=boot - 1000)
    ingested(database, box.request(box.report(reading, boottime_ms=boot)))
    (row,) = _rows(database)
    assert abs(row.seen_ms - now_ms) < 10_000
    with database.reads() as db:
        (day,) = sessions.days_of(db, PLACE, date(2024, 1, 1), date(2099, 1, 1))
        assert abs((day - clock.local_day(now_ms, "Asia/Jakarta")).days) <= 1


def test_a_device_is_erased_for_good_and_the_sums_of_its_days_stay(
    database: Database, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    _tell(database, box, _session(1, way=Way.VOUCHER, reference="V1"), _session(2))
    with database.writes() as db:
        assert sessions.erase(db, OPERATOR, PLACE, "g-1", clock.now_ms()) == 1
    _tell(database, box, _session(1, way=Way.VOUCHER, reference="V1"), _session(3, seconds=60))
    first, *others = _rows(database)
    assert first.guest.startswith(sessions.ERASED)
    assert first.reference == ""
    assert [row.guest for row in others] == ["g-2", "g-3"]
    _tomorrow(monkeypatch)
    fold_portal_use(database)
    with database.reads() as db:
        told = db.scalars(select(AuditEntry)).one()
        assert (told.what, told.about) == ("portal.erase", PLACE[1])
        assert "g-1" not in told.after
        assert '"sessions":1' in told.after
        days = sessions.days_of(db, PLACE, date(2024, 1, 1), date(2099, 1, 1))
    assert sum(one.seconds for one in days.values()) == 1260
    assert max(one.people for one in days.values()) == 3


def test_who_was_in_the_newest_reading_is_erased_there_too(database: Database, box: Box) -> None:
    _tell(database, box, _session(1))
    with database.writes() as db:
        sessions.erase(db, OPERATOR, PLACE, "g-1", clock.now_ms())
    with database.reads() as db:
        assert db.scalars(select(Device.body).where(Device.kind == "portal")).one() is None


def test_sessions_are_forgotten_after_their_days_and_the_sums_stay(
    database: Database, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    _tell(database, box, _session(1))
    later_ms = clock.now_ms() + 91 * clock.DAY_MS
    monkeypatch.setattr(clock, "now_ms", lambda: later_ms)
    forget_old(database, Retention())
    assert _rows(database) == []
    with database.reads() as db:
        days = sessions.days_of(db, PLACE, date(2024, 1, 1), date(2099, 1, 1))
    assert sum(one.seconds for one in days.values()) == 600
    monkeypatch.undo()
    before = clock.now_ms() - 91 * clock.DAY_MS
    old = _session(2, started_ms=before - 1000, seen_ms=before, slots=[PortalSlot(before // SLOT_MS, 1, 1, 1)])
    _tell(database, box, old)
    assert _rows(database) == [], "what comes later than its days are kept changes no folded day"


def test_a_retention_that_is_no_number_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAMPUNGNET_KEEP_SESSION_DAYS", "lama")
    with pytest.raises(BadInput, match="KAMPUNGNET_KEEP_SESSION_DAYS"):
        sessions.keep_days()


def test_a_repeat_after_its_reading_was_packed_is_known(
    database: Database, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = PortalBody(sessions=[_session(1)])
    request = box.request(box.report(box.reading(body, device="portal")))
    (first,) = ingested(database, request)
    later_ms = clock.now_ms() + 2 * clock.DAY_MS
    monkeypatch.setattr(clock, "now_ms", lambda: later_ms)
    assert pack_all(database) == 1
    (again,) = ingested(database, request)
    assert again.accepted == first.accepted
    assert len(_rows(database)) == 1


@pytest.mark.parametrize("jitter_ms", [1, 400])
def test_a_clock_that_is_an_hour_off_by_some_milliseconds_fills_no_half_hour_twice(
    database: Database, box: Box, jitter_ms: int
) -> None:
    hour_ms = 3_600_000
    behind_ms = clock.now_ms() - hour_ms
    slot = behind_ms // SLOT_MS
    for number, (offset, seconds) in enumerate(((hour_ms - jitter_ms, 600), (hour_ms + jitter_ms, 630))):
        told = _session(
            1, started_ms=behind_ms - 1, seen_ms=behind_ms + number, slots=[PortalSlot(slot, seconds, 1, 2)]
        )
        with database.writes() as db:
            sessions.record(db, [sessions.Told(*PLACE, offset, [told])])
    (row,) = _rows(database)
    assert row.seconds == 630


def test_nobody_was_online_in_the_future(database: Database, box: Box) -> None:
    later_ms = clock.now_ms() + 10 * clock.DAY_MS
    _tell(database, box, _session(1, started_ms=later_ms - 1000, seen_ms=later_ms))
    assert _rows(database) == []


def test_who_was_thought_gone_and_is_seen_again_goes_on(database: Database, box: Box) -> None:
    _tell(database, box, _session(1, end="gone", seen_ms=clock.now_ms() - 60_000))
    _tell(database, box, _session(1))
    (row,) = _rows(database)
    assert row.ended == ""
