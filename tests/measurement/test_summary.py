"""One site's month as billing takes it: bytes, percentiles, outages, unknown time, and how sure all of it is."""

import time
from datetime import timedelta
from fractions import Fraction
from typing import Final

import msgspec
import pytest
from sqlalchemy import insert, select

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.errors import BadInput, NotFound
from kampungnet.devices.models import Site
from kampungnet.measurement import holidays, installation, summary
from kampungnet.measurement.availability import Policy, Treatment
from kampungnet.measurement.outage_models import ServiceMonth
from kampungnet.measurement.outage_words import Cause
from kampungnet.measurement.percentile import GapPolicy
from kampungnet.measurement.summary import MonthSummary
from kampungnet.measurement.workdays import HOUSE_HOURS
from kampungnet.shared import wire
from kampungnet.upkeep import close_months, pack_all
from tests.measurement.service_story import (
    AFTER,
    BEGAN,
    DAY,
    FAILED,
    LAST,
    MINUTE,
    MINUTES,
    PLACE,
    closed,
    judge,
    store,
)
from tests.support.server import REGENCY, VILLAGE, Box, ingested, router_body

SLOT_BPS: Final = 5 * 6_000 * 8 // 300
SAMPLES: Final = (MINUTES - 1) // 5


def _summary(database: Database, now_ms: int = AFTER) -> MonthSummary:
    with database.reads() as db:
        return summary.summary(db, PLACE, LAST + timedelta(days=3), now_ms)


def test_a_closed_month_has_all_that_a_statement_needs(database: Database, box: Box) -> None:
    closed(database, box)
    found = _summary(database, AFTER + 90 * clock.DAY_MS)
    assert (found.regency, found.village, found.month, found.zone) == (REGENCY, VILLAGE, LAST, clock.WIB)
    assert (found.closed_ms, found.judged_ms, found.corrections) == (AFTER, AFTER, ())
    assert (found.first_service_ms, found.first_day) == (BEGAN, DAY)
    line = found.facts.traffic
    assert line is not None
    assert (line.rx_bytes, line.tx_bytes, line.lower_bound) == ((MINUTES - 1) * 6_000, (MINUTES - 1) * 6_000, True)
    assert (line.samples, line.expected) == (SAMPLES, (found.whole.end_ms - found.whole.start_ms) // 300_000)
    assert (line.busiest_hour_ms, line.busiest_bytes) == (BEGAN, 2 * 60 * 6_000)
    assert found.availability.down_by_cause == {Cause.PENYEDIA: len(FAILED) * 60}
    assert found.availability.seconds == (found.whole.end_ms - found.whole.start_ms) // 1000


def test_each_gap_policy_has_its_percentile(database: Database, box: Box) -> None:
    closed(database, box)
    line = _summary(database).facts.traffic
    assert line is not None
    assert line.p95().higher_bps == SLOT_BPS
    assert line.p95(GapPolicy.ZERO).higher_bps == 0, "five hours are less than the highest 5 % of a month"
    assert line.p95(GapPolicy.REFUSE, Fraction(90, 100)).higher_bps is None
    assert line.p95(GapPolicy.REFUSE, Fraction(1, 1000)).higher_bps == SLOT_BPS
    assert line.p95().coverage == Fraction(SAMPLES, line.expected)


def test_a_contract_judges_its_own_days_by_its_own_policy(database: Database, box: Box) -> None:
    closed(database, box)
    found = _summary(database)
    strict = Policy(unknown=Treatment.DOWN)
    day = found.classes(DAY, DAY, strict)
    assert (day.seconds, day.down) == (86_400, len(FAILED) * 60)
    assert day.share == Fraction(day.up, 86_400)
    assert found.classes(DAY + timedelta(days=1), DAY + timedelta(days=2)).unknown == 2 * 86_400
    office = found.office_classes(DAY, DAY)
    assert office.seconds == (8 * 3600 if DAY.weekday() < 5 else 0)


def test_a_part_of_the_month_has_its_own_traffic(database: Database, box: Box) -> None:
    closed(database, box)
    found = _summary(database)
    with database.reads() as db:
        part = summary.traffic_of_days(db, found, DAY, DAY)
        none = summary.traffic_of_days(db, found, DAY + timedelta(days=1), DAY + timedelta(days=2))
    assert none is None
    assert part is not None
    assert (part.expected, part.samples, part.rx_bytes) == (288, SAMPLES, (MINUTES - 1) * 6_000)


def test_an_open_month_is_what_is_known_now(database: Database, box: Box) -> None:
    store(database, box, range(MINUTES))
    now_ms = BEGAN + 400 * MINUTE
    judge(database, now_ms)
    found = _summary(database, now_ms)
    assert (found.closed_ms, found.facts.period.end_ms, found.judged_ms) == (None, now_ms, now_ms)
    assert found.availability.seconds == (now_ms - found.whole.start_ms) // 1000


def test_what_came_after_closing_stands_beside_what_stood(database: Database, box: Box) -> None:
    closed(database, box, range(100))
    stood = _summary(database)
    store(database, box, range(100, MINUTES))
    judge(database, AFTER + 1)
    close_months(database, AFTER + 1)
    found = _summary(database)
    assert found.facts == stood.facts
    (late,) = found.corrections
    assert late.number == 1
    assert late.changes["rx_bytes"] == (MINUTES - 100) * 6_000
    assert found.newest == late.facts


def test_a_site_without_a_box_is_unknown_and_an_unknown_site_is_said_so(database: Database, box: Box) -> None:
    with database.writes() as db:
        db.execute(insert(Site).values(regency=REGENCY, code=f"{VILLAGE}-2", village=VILLAGE, name="Pasar"))
    with database.reads() as db:
        found = summary.summary(db, (REGENCY, f"{VILLAGE}-2"), LAST, AFTER)
        assert [one.site for one in summary.summaries(db, REGENCY, LAST, AFTER)] == [PLACE[1], f"{VILLAGE}-2"]
        with pytest.raises(NotFound):
            summary.summary(db, (REGENCY, "35.10.99.9999-1"), LAST, AFTER)
    assert (found.facts.judged, found.facts.traffic, found.first_day) == (False, None, None)
    assert found.availability.unknown == found.availability.seconds
    assert found.availability.share is None


def test_two_routers_are_added_slot_by_slot_and_one_that_changed_its_port_is_one_line(
    database: Database, box: Box
) -> None:
    def told(device: str, port: str, minute: int) -> wire.Reading:
        wan = wire.CounterReading(port, "ether", running=True, rx_bytes=minute * 6_000, tx_bytes=0)
        body = router_body(wan_interface=port, interfaces=[wan])
        return box.reading(body, device=device, taken_at_ms=BEGAN + minute * MINUTE,
                           device_uptime_seconds=100_000 + minute * 60)  # fmt: skip

    readings = [told("router", "ether1" if minute <= 30 else "sfp1", minute) for minute in range(61)]
    readings += [told("router-2", "ether1", minute) for minute in range(41)]
    for n in range(0, len(readings), 100):
        ingested(database, box.request(box.report(*readings[n : n + 100])))
    pack_all(database)
    found = _summary(database).facts.traffic
    assert found is not None
    assert found.lines == ("router-2/ether1", "router/ether1", "router/sfp1")
    assert found.rx_bytes == (30 + 29 + 40) * 6_000, "between minutes 30 and 31 neither port was seen"
    assert found.samples == 7, "both routers, fully: slots 0 to 5 and 7"
    assert found.rx_p95_bps == 2 * SLOT_BPS
    assert found.lower_bound


def test_a_summary_is_values_and_the_same_bytes_each_time(database: Database, box: Box) -> None:
    with database.writes() as db:
        days = "".join(f"{LAST + timedelta(days=n)},Libur {n},SKB\n" for n in range(12))
        holidays.import_list(db, REGENCY, f"date,name,source\n{days}".splitlines(keepends=True))
    closed(database, box)
    first, again = (msgspec.json.encode(_summary(database)) for _ in range(2))
    assert first == again
    assert msgspec.json.decode(first, type=MonthSummary) == _summary(database)


def test_a_holiday_is_no_office_day(database: Database, box: Box) -> None:
    closed(database, box)
    before = _summary(database)
    open_days = [day for day in (LAST + timedelta(days=n) for n in range(7)) if day.weekday() < 5]
    with database.writes() as db:
        lines = ["date,name,source\n", f"{open_days[0]},Hari Libur,SKB 3 Menteri\n"]
        assert holidays.import_list(db, REGENCY, lines).days == 1
    after = _summary(database)
    assert before.office_availability.seconds - after.office_availability.seconds == 8 * 3600
    assert after.office.holidays == (open_days[0],)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("17-08-2026,Kemerdekaan,SKB", "no date"),
        ("2026-08-17,,SKB", "name must have"),
        ("2026-08-17,Kemerdekaan", "3 fields"),
        ("2026-08-17,Kemerdekaan,SKB,more", "3 fields"),
        ("1026-08-17,Kemerdekaan,SKB", "check the year"),
        ("2026-08-18,Kemerdekaan,SKB\n2026-08-18,Lain,SKB", "twice"),
        ("2026-08-17,Kemer\u202edekaan,SKB", "readable"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_taken(database: Database, rows: str, reason: str) -> None:
    lines = f"date,name,source\n2026-01-01,Tahun Baru,SKB\n{rows}\n".splitlines(keepends=True)
    with database.writes() as db:
        done = holidays.import_list(db, REGENCY, lines)
    assert done.days == 0
    assert [(one.line, reason in one.reason) for one in done.bad] == [(2 + rows.count("\n") + 1, True)]
    with database.reads() as db:
        hours = holidays.office_hours_of(db, REGENCY, LAST, LAST)
        everything = holidays.office_hours_of(db, REGENCY, LAST.replace(year=2020), LAST.replace(year=2030))
    assert hours == HOUSE_HOURS
    assert everything.holidays == frozenset()


def test_a_list_of_another_kind_and_a_foreign_regency_are_refused(database: Database) -> None:
    with database.writes() as db:
        with pytest.raises(BadInput, match="date,name,source"):
            holidays.import_list(db, REGENCY, ["code,name\n"])
        with pytest.raises(BadInput, match="register"):
            holidays.import_list(db, "99.99", ["date,name,source\n"])


def test_importing_twice_is_importing_once_and_a_new_name_replaces_the_old(database: Database) -> None:
    for name in ("Natal", "Natal", "Hari Raya Natal"):
        with database.writes() as db:
            assert holidays.import_list(db, REGENCY, ["date,name,source\n", f"2026-12-25,{name},SKB\n"]).days == 1


def test_office_hours_are_a_setting() -> None:
    assert installation.office({}) == HOUSE_HOURS
    early = installation.office({"KAMPUNGNET_OFFICE_OPENS": "6", "KAMPUNGNET_OFFICE_CLOSES": "14"})
    assert (early.opens, early.closes) == (6, 14)
    with pytest.raises(BadInput, match="KAMPUNGNET_OFFICE_OPENS=16"):
        installation.office({"KAMPUNGNET_OFFICE_OPENS": "16"})


def test_a_closed_month_of_401_sites_takes_a_few_seconds(database: Database, box: Box) -> None:
    closed(database, box)
    with database.writes() as db:
        frozen = db.scalars(select(ServiceMonth.facts)).one()
        sites = [{"regency": REGENCY, "code": f"{VILLAGE}-{n}", "village": VILLAGE, "name": "x"} for n in range(2, 402)]
        db.execute(insert(Site), sites)
        rows = [{"regency": REGENCY, "site": one["code"], "month": LAST, "number": 0, "noted_ms": 1, "facts": frozen}
                for one in sites]  # fmt: skip
        db.execute(insert(ServiceMonth), rows)
    began = time.process_time()
    with database.reads() as db:
        found = summary.summaries(db, REGENCY, LAST, AFTER)
    assert len(found) == 401
    assert time.process_time() - began < 10
