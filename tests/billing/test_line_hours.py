"""Hours of a line, counted when its statement is made: seen, at the ceiling, the fullest."""

from datetime import date

from sqlalchemy import select

from kampungnet.billing import line_hours, making
from kampungnet.billing.line_hours import Counted, Hour, counted
from kampungnet.billing.models import LineHours
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.rows import insert_new
from kampungnet.measurement.models import TrafficHour
from tests.billing.story import CONTRACT, HOUR, JULY, NOW, SITE, books, close, facts
from tests.pages.sample import REGENCY

DAY = date(2026, 7, 6)
FULL = 20_000_000 * 3600 // 8
"""Bytes of an hour at 20 Mbps: 9.000.000.000."""


def _hour(hour: int, rx_bytes: int, seconds: int = 3600, device: str = "router") -> Hour:
    return Hour(device, DAY, hour, rx_bytes, seconds)


def test_only_hours_that_were_seen_whole_count() -> None:
    found = counted(
        [_hour(7, FULL), _hour(8, FULL * 9 // 10), _hour(9, FULL * 9 // 10 - 1), _hour(10, FULL, 3599)], 20_000
    )
    assert found == Counted(3, 2, FULL, (DAY, 7))
    assert counted([], 20_000) == Counted(0, 0, 0, None)
    assert counted([_hour(7, FULL)], 0) == Counted(1, 0, FULL, (DAY, 7)), "no rate was bought: there is no ceiling"


def test_ports_of_one_router_follow_each_other_and_routers_stand_side_by_side() -> None:
    changed_port = [_hour(7, 10, 1800), _hour(7, 20, 1800)]
    assert counted(changed_port, 20_000) == Counted(1, 0, 30, (DAY, 7))
    two = [_hour(7, FULL // 2), _hour(7, FULL // 2, device="second"), _hour(8, FULL), _hour(8, FULL, 10, "second")]
    assert counted(two, 20_000) == Counted(1, 1, FULL, (DAY, 7)), "at 8 the second router was not seen"
    assert counted([*two, _hour(9, 2 * FULL)], 20_000) == Counted(1, 1, FULL, (DAY, 7)), "nor at 9, when it was dark"
    later = Hour("new", date(2026, 7, 7), 7, 10, 3600)
    assert counted([_hour(7, 5), later], 20_000).measured == 2, "a router that took another's place the day after"


def _store(database: Database, *hours: tuple[int, int]) -> None:
    row = {"regency": REGENCY, "site": SITE, "device": "router", "interface": "ether1", "day": DAY, "tx_bytes": 7,
           "covered_seconds": 3600, "flags": 0}  # fmt: skip
    with database.writes() as db:
        insert_new(db, TrafficHour, [row | {"hour": hour, "rx_bytes": rx_bytes} for hour, rx_bytes in hours])
        insert_new(db, TrafficHour, [row | {"interface": "ether2", "hour": 3, "rx_bytes": 9 * FULL}])
        insert_new(db, TrafficHour, [row | {"day": date(2026, 8, 1), "hour": 3, "rx_bytes": 9 * FULL}])


def test_a_statement_has_its_hours_beside_it_and_months_made_before_get_theirs(database: Database) -> None:
    books(database)
    close(database, JULY, facts(JULY))
    _store(database, (19, FULL), (20, FULL - 1), (21, 1000))
    with database.writes() as db:
        assert [one.changed for one in making.make_all(db, REGENCY, JULY, NOW)] == [True]
        row = db.get_one(LineHours, (REGENCY, CONTRACT, JULY))
        assert (row.measured, row.at_ceiling, row.peak_rx_bytes) == (3, 2, FULL)
        assert row.peak_at_ms == clock.day_start_ms(DAY, clock.WIB) + 19 * HOUR
        db.delete(row)
    with database.writes() as db:
        assert [one.changed for one in making.make_all(db, REGENCY, JULY, NOW)] == [False]
        assert len(db.scalars(select(LineHours)).all()) == 1
        assert line_hours.of_contract(db, REGENCY, CONTRACT, JULY, JULY)[JULY].at_ceiling == 2
