"""Days made anew from readings are those that storing piece by piece gave, byte for byte."""

import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy import delete, select, update

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.measurement import recompute
from kampungnet.measurement.ledger import Flag
from kampungnet.measurement.models import Oddity, ReadingDay, SlotDay, TrafficDay, YoungReading
from kampungnet.shared import wire
from kampungnet.upkeep import pack_all, pack_one, recompute_days
from tests.support.contents import contents
from tests.support.server import REGENCY, Box, ingested, router_body

HOUR: Final = 3_600_000
MINUTE: Final = 60_000
FOLDED: Final = ("slot_days", "traffic_days", "traffic_slots", "traffic_hours", "oddities")
TODAY: Final = clock.local_day(clock.now_ms() - 6 * HOUR, clock.WIB)


def _midnight(days_back: int = 0) -> int:
    return clock.day_start_ms(TODAY - timedelta(days=days_back), clock.WIB)


def _readings(box: Box, first_ms: int, number: int, step_ms: int = 5 * MINUTE) -> list[wire.Reading]:
    return [
        box.reading(
            router_body(1_000_000 + (first_ms + n * step_ms) % 10**10),
            taken_at_ms=first_ms + n * step_ms, device_uptime_seconds=(first_ms + n * step_ms) // 1000 - 10**9,
        )
        for n in range(number)
    ]  # fmt: skip


def _store(database: Database, box: Box, readings: list[wire.Reading]) -> None:
    for n in range(0, len(readings), wire.MAX_READINGS):
        (receipt,) = ingested(database, box.request(box.report(*readings[n : n + wire.MAX_READINGS])))
        assert receipt.refused == []


def _folded(database: Database) -> Mapping[str, list[tuple[Any, ...]]]:
    return {name: rows for name, rows in contents(database).items() if name in FOLDED}


def _days(database: Database) -> list[TrafficDay]:
    with database.reads() as db:
        return list(db.scalars(select(TrafficDay).order_by(TrafficDay.day)))


def test_storing_late_twice_and_out_of_order_and_computing_again_give_the_same_bytes(
    database: Database, box: Box
) -> None:
    readings = _readings(box, _midnight(3) - 2 * HOUR, 400, 9 * MINUTE) + _readings(box, _midnight(3) + HOUR, 300)
    chance = random.Random(11)
    chance.shuffle(readings)
    for n in range(0, len(readings), 90):
        _store(database, box, readings[n : n + 90] + chance.sample(readings[: n + 90], 9))
        pack_one(database, REGENCY, box.agent, clock.now_ms())
    pack_all(database)
    stored = _folded(database)
    assert len(_days(database)) == 4
    with database.writes() as db:
        db.execute(delete(SlotDay))
        db.execute(delete(TrafficDay))
    first = TODAY - timedelta(days=9)
    assert recompute_days(database, first, TODAY) == 4
    assert _folded(database) == stored
    assert recompute_days(database, first, TODAY) == 4
    assert _folded(database) == stored, "twice is harmless"


def test_what_passed_at_midnight_is_shared_between_both_days(database: Database, box: Box) -> None:
    _store(database, box, [
        box.reading(router_body(rx), taken_at_ms=_midnight() + minute * MINUTE,
                    device_uptime_seconds=90_000 + minute * 60)
        for minute, rx in ((-12, 0), (-7, 700), (-2, 1_400), (3, 1_900), (8, 2_400))
    ])  # fmt: skip
    pack_all(database)
    yesterday, today = _days(database)
    assert (yesterday.rx_bytes, today.rx_bytes) == (1_400 + 200, 300 + 500)
    assert (yesterday.samples, today.samples) == (2, 1)


def test_a_gap_over_days_stands_where_it_begins_and_is_mended_by_late_readings(database: Database, box: Box) -> None:
    early, late = _readings(box, _midnight(3), 12), _readings(box, _midnight(1), 12)
    between = _readings(box, _midnight(2), 12)
    _store(database, box, early + late)
    pack_all(database)
    first, last = _days(database)
    assert first.gaps
    assert not last.gaps
    _store(database, box, between)
    pack_all(database)
    mended = _days(database)
    assert [bool(one.gaps) for one in mended] == [True, True, False]
    assert mended[0].gaps != first.gaps


def test_a_day_whose_readings_are_gone_stays_as_it_is(database: Database, box: Box) -> None:
    _store(database, box, _readings(box, _midnight(2), 700))
    pack_all(database)
    stored = _folded(database)
    with database.writes() as db:
        db.execute(delete(ReadingDay).where(ReadingDay.day < TODAY - timedelta(days=1)))
    assert recompute_days(database, TODAY - timedelta(days=9), TODAY) == 1, "the day after it needs its last reading"
    assert _folded(database) == stored
    late = [box.reading(router_body(7), taken_at_ms=_midnight(2) + 90_000, boot_id="late", sequence=1)]
    _store(database, box, late)
    pack_all(database)
    assert _folded(database)["traffic_days"] == stored["traffic_days"]
    assert _folded(database)["slot_days"] == stored["slot_days"]


def test_only_the_village_asked_for_is_computed(database: Database, box: Box) -> None:
    _store(database, box, _readings(box, _midnight(), 12))
    pack_all(database)
    assert recompute_days(database, TODAY, TODAY, "35.10.01.2001") == 0
    assert recompute_days(database, TODAY, TODAY, "35.10.15.2012") == 1


def test_readings_packed_meanwhile_are_not_overwritten(database: Database, box: Box) -> None:
    _store(database, box, _readings(box, _midnight(1), 12))
    pack_all(database)
    with database.reads() as db:
        made = recompute.remake(db, recompute.spans(db, TODAY - timedelta(days=1), TODAY)[0])
    _store(database, box, _readings(box, _midnight(1) + HOUR, 12))
    pack_all(database)
    before = _folded(database)
    with pytest.raises(recompute.ReadingsCame), database.writes() as db:
        recompute.write(db, made)
    assert _folded(database) == before


def test_oddities_of_a_day_are_counted_once_and_listed(database: Database, box: Box) -> None:
    at = _midnight() + 20 * MINUTE
    readings = [
        box.reading(router_body(rx), taken_at_ms=at + minute * MINUTE, device_uptime_seconds=90_000 + minute * 60)
        for minute, rx in ((0, 0), (1, 2**63 - 1), (2, 2**63 - 1), (3, 2**63 - 1))
    ]
    clash = box.reading(router_body(5), taken_at_ms=at + 2 * MINUTE, device_uptime_seconds=90_120)
    _store(database, box, [*readings, clash])
    _store(database, box, [*readings, clash])
    no_time = box.reading(router_body(1), taken_at_ms=at + 4 * MINUTE)
    _store(database, box, [no_time])
    with database.writes() as db:
        db.execute(update(YoungReading).where(YoungReading.sequence == no_time.sequence).values(time_quality=-1))
    pack_all(database)
    with database.reads() as db:
        found = {one.what: one.count for one in db.scalars(select(Oddity))}
    assert found == {"impossible": 1, "conflict": 1, "time": 1}
    (day,) = _days(database)
    assert day.rx_bytes == 0
    assert Flag.IMPOSSIBLE | Flag.CONFLICT in Flag(day.flags)
    with database.reads() as db:
        assert sum(db.scalars(select(ReadingDay.readings))) == 6
