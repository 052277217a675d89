"""Months are added up once by whoever comes first, closed when they are over, and corrected when readings come late."""

import threading
from datetime import date, timedelta
from typing import Any, Final

import pytest
from sqlalchemy import select, text, update

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.errors import BadInput
from kampungnet.measurement import closing, installation
from kampungnet.measurement.ledger import HOUSE, Flag, Policy
from kampungnet.measurement.models import (
    MonthDue,
    ReadingDay,
    SlotDay,
    TrafficCorrection,
    TrafficDay,
    TrafficHour,
    TrafficMonth,
)
from kampungnet.measurement.retention import Retention
from kampungnet.shared import wire
from kampungnet.upkeep import close_months, forget_old, pack_all
from tests.support.contents import contents
from tests.support.server import REGENCY, SITE, Box, ingested, router_body

MINUTE: Final = 60_000
THIS: Final = clock.local_day(clock.now_ms() - 6 * 3_600_000, clock.WIB).replace(day=1)
LAST: Final = (THIS - timedelta(days=1)).replace(day=1)
MIDDLE: Final = clock.day_start_ms(LAST + timedelta(days=14), clock.WIB)
AFTER: Final = clock.day_start_ms(THIS, clock.WIB) + closing.CLOSE_MS


def _store(database: Database, box: Box, *points: tuple[int, int]) -> None:
    """Store and pack readings of (minute after the middle of last month, counter)."""
    readings: list[wire.Reading] = [
        box.reading(router_body(rx), taken_at_ms=MIDDLE + minute * MINUTE, device_uptime_seconds=100_000 + minute * 60)
        for minute, rx in points
    ]
    ingested(database, box.request(box.report(*readings)))
    pack_all(database)


def _all(database: Database, table: Any) -> list[Any]:
    with database.reads() as db:
        return list(db.scalars(select(table)))


def _month(database: Database) -> TrafficMonth:
    (found,) = _all(database, TrafficMonth)
    assert isinstance(found, TrafficMonth)
    return found


def test_a_month_is_added_up_again_while_it_is_open(database: Database, box: Box) -> None:
    _store(database, box, *((n * 5, n * 1_000) for n in range(5)))
    assert close_months(database, AFTER - 1) == 0
    first = _month(database)
    assert (first.month, first.rx_bytes, first.samples, first.closed_ms) == (LAST, 4_000, 4, None)
    assert (first.expected, first.lower_bound) == (closing.last_day(LAST).day * 288, True)
    assert first.rx_p95_bps == 1_000 * 8 // 300
    _store(database, box, (25, 9_000))
    assert close_months(database, AFTER - 1) == 0
    assert _month(database).rx_bytes == 9_000
    assert _all(database, TrafficCorrection) == []


def test_a_closed_month_never_changes_and_late_readings_become_one_correction_that_names_it(
    database: Database, box: Box
) -> None:
    _store(database, box, (0, 0), (5, 1_000), (15, 3_000))
    assert close_months(database, AFTER) == 1
    closed = _month(database)
    assert (closed.rx_bytes, closed.samples, closed.closed_ms) == (3_000, 1, AFTER)
    _store(database, box, (10, 1_500))
    assert close_months(database, AFTER + 9) == 0
    assert vars(_month(database)) | {"_sa_instance_state": 0} == vars(closed) | {"_sa_instance_state": 0}
    (late,) = _all(database, TrafficCorrection)
    assert (late.month, late.number, late.noted_ms, late.rx_bytes, late.samples) == (LAST, 1, AFTER + 9, 0, 2)
    assert late.rx_p95_bps == 1_500 * 8 // 300 - 1_000 * 8 // 300
    _store(database, box, (20, 4_000))
    close_months(database, AFTER + 20)
    assert [(one.number, one.rx_bytes) for one in _all(database, TrafficCorrection)] == [(1, 0), (2, 1_000)]
    with database.reads() as db:
        said = db.execute(text("SELECT rx_bytes, samples, corrections FROM traffic_months_read")).one()
    assert tuple(said) == (4_000, 4, 2)


def test_who_reads_months_with_sql_sees_that_late_readings_made_one_whole(database: Database, box: Box) -> None:
    begins, ends = ((one_ms - MIDDLE) // MINUTE for one_ms in closing.period_ms(LAST, clock.WIB))

    def said() -> tuple[bool, int]:
        with database.reads() as db:
            row = db.execute(text("SELECT lower_bound, corrections FROM traffic_months_read")).one()
        return bool(row.lower_bound), row.corrections

    rounds = [[(begins, 1_000), (ends - 60, 5_000)], [(ends - 30, 5_500)], [(ends, 6_000)]]
    for number, points in enumerate(rounds):
        readings = [
            box.reading(
                router_body(rx), taken_at_ms=MIDDLE + minute * MINUTE,
                device_uptime_seconds=1_000 + (minute - begins) * 60,
            )
            for minute, rx in points
        ]  # fmt: skip
        ingested(database, box.request(box.report(*readings)))
        pack_all(database)
        close_months(database, AFTER + number)
        assert said() == (number < 2, number)
    assert _month(database).lower_bound
    with database.writes() as db:
        db.execute(update(TrafficCorrection).values(lower_bound=None))
    assert said() == (True, 2), "corrections older than the column do not know"


def test_doing_it_again_changes_nothing(database: Database, box: Box) -> None:
    _store(database, box, (0, 0), (5, 1_000))
    close_months(database, AFTER)
    before = contents(database)
    assert close_months(database, AFTER + 1) == 0
    with database.writes() as db:
        assert not closing.add_up(db, (REGENCY, SITE, LAST), AFTER + 2), "it is on nobody's list"
        db.add(MonthDue(regency=REGENCY, site=SITE, month=LAST, since_ms=0))
    close_months(database, AFTER + 3)
    assert contents(database) == before, "nothing new: no correction"


def test_processes_that_do_it_at_once_do_it_once(database: Database, box: Box) -> None:
    _store(database, box, (0, 0), (5, 1_000))
    close_months(database, AFTER)
    _store(database, box, (10, 5_000))
    failed: list[BaseException] = []

    def work() -> None:
        try:
            close_months(database, AFTER + 1)
        except Exception as error:  # noqa: BLE001 -- a thread's failure is told by the test
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert failed == []
    assert [one.number for one in _all(database, TrafficCorrection)] == [1]


def test_a_line_that_nobody_knew_when_its_month_was_closed_is_a_correction_of_nothing(
    database: Database, box: Box
) -> None:
    _store(database, box, (0, 0), (5, 1_000))
    close_months(database, AFTER)
    bridge = [wire.CounterReading("bridge", "bridge", rx_bytes=n, tx_bytes=0) for n in (0, 700)]
    readings = [
        box.reading(router_body(interfaces=[one]), taken_at_ms=MIDDLE + (60 + n) * MINUTE)
        for n, one in enumerate(bridge)
    ]
    ingested(database, box.request(box.report(*readings)))
    pack_all(database)
    close_months(database, AFTER + 1)
    found = {one.interface: (one.rx_bytes, one.closed_ms) for one in _all(database, TrafficMonth)}
    assert found == {"ether1": (1_000, AFTER), "bridge": (0, AFTER + 1)}
    assert [(one.interface, one.rx_bytes) for one in _all(database, TrafficCorrection)] == [("bridge", 700)]


def test_hours_and_days_are_rows_that_people_can_query(database: Database, box: Box) -> None:
    _store(database, box, *((n * 5, n * 3_000) for n in range(13)))
    with database.reads() as db:
        hours = db.execute(text("SELECT hour, rx_bytes, rx_bps, lower_bound FROM traffic_hours_read")).all()
        days = db.execute(text("SELECT rx_bytes, samples, covered_seconds, has_gap FROM traffic_days_read")).all()
    assert [(one.hour, one.rx_bytes, one.rx_bps, bool(one.lower_bound)) for one in hours] == [(0, 36_000, 80, False)]
    assert [(one.rx_bytes, one.samples, one.covered_seconds, bool(one.has_gap)) for one in days] == [
        (36_000, 12, 3_600, False)
    ]


def test_what_is_old_goes_and_what_an_open_month_needs_stays(database: Database, box: Box) -> None:
    _store(database, box, (0, 0), (5, 1_000))
    short = Retention(2, 2, 2, 2)
    assert forget_old(database, short) == 0, "its month must be added up first"
    close_months(database, AFTER - 1)
    assert forget_old(database, short) == 0, "its month is open"
    close_months(database, AFTER)
    assert forget_old(database, short) > 0
    for table in (ReadingDay, SlotDay, TrafficDay, TrafficHour, TrafficMonth):
        assert _all(database, table) == [], table


def test_the_usual_retention_keeps_last_month(database: Database, box: Box) -> None:
    _store(database, box, (0, 0), (5, 1_000))
    close_months(database, AFTER)
    assert forget_old(database, Retention()) == 0


def test_retention_is_set_by_the_environment_and_nonsense_is_named() -> None:
    assert Retention.of({}) == Retention.of({"KAMPUNGNET_KEEP_HOUR_DAYS": ""}) == Retention()
    assert Retention.of({"KAMPUNGNET_KEEP_READING_DAYS": "30"}).reading_days == 30
    for wrong in ("-1", "1", "a year"):
        with pytest.raises(BadInput, match="KAMPUNGNET_KEEP_HOUR_DAYS"):
            Retention.of({"KAMPUNGNET_KEEP_HOUR_DAYS": wrong})


def test_the_line_speed_is_set_by_the_environment() -> None:
    assert installation.policy({}) == HOUSE
    slow = installation.policy({"KAMPUNGNET_LINE_MBPS": "20", "KAMPUNGNET_LONGEST_STEP_SECONDS": "900"})
    assert slow == Policy(20_000_000, 900_000)
    with pytest.raises(BadInput, match="KAMPUNGNET_LINE_MBPS=fast"):
        installation.policy({"KAMPUNGNET_LINE_MBPS": "fast"})


def test_an_impossible_rate_is_that_of_the_installed_line(
    database: Database, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAMPUNGNET_LINE_MBPS", "20")
    _store(database, box, (0, 0), (5, 10**9))
    (day,) = _all(database, TrafficDay)
    assert (day.rx_bytes, day.flags & Flag.IMPOSSIBLE) == (0, Flag.IMPOSSIBLE)


def test_the_border_of_closing_is_in_the_zone_of_the_regency() -> None:
    assert clock.local_day(AFTER - closing.CLOSE_MS, clock.WIB) == THIS
    assert date(LAST.year, LAST.month, 1) == LAST
