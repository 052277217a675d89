"""Readings go to rest: packed byte for byte, folded again from everything, the same answer before and after."""

import random
from collections.abc import Mapping
from typing import Final

import msgspec
import pytest
from sqlalchemy import insert, select, update

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.measurement import packing, rest
from kampungnet.measurement.boots import TimeQuality
from kampungnet.measurement.models import ReadingDay, SlotDay, YoungReading
from kampungnet.measurement.service import Measured, Place, measured
from kampungnet.shared import wire
from kampungnet.upkeep import pack_all, pack_one
from tests.support.contents import contents
from tests.support.server import NEIGHBOUR, REGENCY, SITE, Box, enrolled, ingested, router_body

HOUR: Final = 3_600_000
MINUTE: Final = 60_000
ROUTER: Final = Place(REGENCY, SITE, "router")


def _midnight() -> int:
    """Return the last midnight in Banyuwangi that lies at least six hours back."""
    return clock.day_start_ms(clock.local_day(clock.now_ms() - 6 * HOUR, clock.WIB), clock.WIB)


def _readings(box: Box, first_ms: int, number: int, step_ms: int = MINUTE) -> list[wire.Reading]:
    return [
        box.reading(
            router_body(1_000_000 + n * 1000), taken_at_ms=first_ms + n * step_ms,
            device_uptime_seconds=100_000 + n * step_ms // 1000,
        )
        for n in range(number)
    ]  # fmt: skip


def _store(database: Database, box: Box, readings: list[wire.Reading]) -> None:
    for n in range(0, len(readings), wire.MAX_READINGS):
        (receipt,) = ingested(database, box.request(box.report(*readings[n : n + wire.MAX_READINGS])))
        assert receipt.refused == []


def _measured(database: Database, first_ms: int, last_ms: int, place: Place = ROUTER) -> Measured:
    with database.reads() as db:
        return measured(db, place, first_ms, last_ms)


def _slots(whole: Measured) -> Mapping[str, Mapping[int, int]]:
    return {name: values for name, values in whole.series.items() if values}


def _young(database: Database) -> int:
    with database.reads() as db:
        return len(db.scalars(select(YoungReading.sequence)).all())


def test_what_was_measured_is_the_same_before_and_after_packing(database: Database, box: Box) -> None:
    midnight = _midnight()
    _store(database, box, _readings(box, midnight - 30 * MINUTE, 120))
    before = _measured(database, midnight - HOUR, midnight + 2 * HOUR)
    assert pack_all(database) == 120
    assert _young(database) == 0
    after = _measured(database, midnight - HOUR, midnight + 2 * HOUR)
    assert _slots(after) == _slots(before)
    assert sum(after.series["rx_bytes/ether1"].values()) == 119_000, "over midnight too"
    assert after.coverage() == 24 / 36


def test_packing_keeps_every_byte_of_every_reading(database: Database, box: Box) -> None:
    sent = _readings(box, _midnight() - HOUR, 90)
    odd = msgspec.json.encode(sent[0]).replace(b'"sequence":1,', b'"news": [1 , 2],  "sequence":999,')
    _store(database, box, sent)
    ingested(database, box.request(box.report(odd)))
    pack_all(database)
    with database.reads() as db:
        packs = db.scalars(select(ReadingDay)).all()
    kept = {one.payload for pack in packs for one in packing.unpack(pack.packed)}
    assert kept == {msgspec.json.encode(one) for one in sent} | {odd}
    assert sum(pack.readings for pack in packs) == 91
    assert {(pack.first_sequence, pack.last_sequence) for pack in packs} == {(1, 999), (61, 90)}


def test_packing_again_changes_nothing(database: Database, box: Box) -> None:
    _store(database, box, _readings(box, _midnight(), 30))
    assert pack_all(database) == 30
    before = contents(database)
    assert pack_all(database) == 0
    assert pack_one(database, REGENCY, box.agent, clock.now_ms()) == 0
    assert contents(database) == before


def test_the_order_of_arrival_and_the_times_of_packing_do_not_matter(database: Database, box: Box) -> None:
    midnight = _midnight()
    readings = _readings(box, midnight - HOUR, 120)
    expect_from = enrolled(database, NEIGHBOUR)
    _store(database, expect_from, [msgspec.structs.replace(one) for one in readings])
    pack_all(database)
    chance = random.Random(7)
    shuffled = readings + chance.sample(readings, 40)
    chance.shuffle(shuffled)
    for n in range(0, len(shuffled), 20):
        _store(database, box, shuffled[n : n + 20])
        pack_one(database, REGENCY, box.agent, clock.now_ms())
    window = (midnight - 2 * HOUR, midnight + 2 * HOUR)
    neighbours = _measured(database, *window, place=Place(REGENCY, f"{NEIGHBOUR}-1", "router"))
    assert _slots(_measured(database, *window)) == _slots(neighbours)


def test_late_readings_are_merged_and_close_the_gap(database: Database, box: Box) -> None:
    midnight = _midnight()
    readings = _readings(box, midnight, 60)
    _store(database, box, readings[:10] + readings[50:])
    pack_all(database)
    window = (midnight, midnight + HOUR)
    gap = _measured(database, *window)
    assert gap.coverage() == 4 / 12
    assert sum(gap.series["rx_bytes/ether1"].values()) == 9_000 + 9_000, "what lies over the gap belongs to no slot"
    _store(database, box, readings[10:50])
    assert _measured(database, *window).coverage() == 1.0, "seen before it is packed"
    pack_all(database)
    whole = _measured(database, *window)
    assert (whole.coverage(), sum(whole.series["rx_bytes/ether1"].values())) == (1.0, 59_000)


def test_the_hour_at_hand_is_never_packed(database: Database, box: Box) -> None:
    now = clock.now_ms()
    _store(database, box, _readings(box, now - 50 * MINUTE, 50))
    assert pack_all(database) == 0
    assert _young(database) == 50


def test_two_boxes_of_one_site_on_one_day_count_together(database: Database, box: Box) -> None:
    midnight = _midnight()
    readings = _readings(box, midnight, 60)
    _store(database, box, readings[:30])
    pack_all(database)
    spare = enrolled(database)
    _store(database, spare, readings[30:])
    pack_all(database)
    whole = _measured(database, midnight, midnight + HOUR)
    with database.reads() as db:
        assert sorted(db.scalars(select(ReadingDay.agent))) == sorted([box.agent, spare.agent])
    assert (whole.coverage(), sum(whole.series["rx_bytes/ether1"].values())) == (1.0, 59_000)


def test_a_neighbours_readings_stay_out(database: Database, box: Box) -> None:
    midnight, neighbour = _midnight(), enrolled(database, NEIGHBOUR)
    _store(database, box, _readings(box, midnight, 5))
    _store(database, neighbour, _readings(neighbour, midnight, 50))
    pack_all(database)
    assert _measured(database, midnight, midnight + HOUR).coverage() == 1 / 12


def test_readings_without_a_known_time_are_kept_and_never_computed_from(database: Database, box: Box) -> None:
    midnight = _midnight()
    _store(database, box, _readings(box, midnight, 3))
    with database.writes() as db:
        db.execute(update(YoungReading).values(time_quality=TimeQuality.UNKNOWN))
    assert _slots(_measured(database, midnight, midnight + HOUR)) == {}
    assert pack_all(database) == 3
    with database.reads() as db:
        assert db.scalars(select(ReadingDay.readings)).all() == [3]
        assert db.scalars(select(SlotDay)).all() == []


def test_a_reading_that_came_between_planning_and_writing_is_not_lost(database: Database, box: Box) -> None:
    midnight, now = _midnight(), clock.now_ms()
    readings = _readings(box, midnight, 4)
    _store(database, box, readings[:3])
    with database.reads() as db:
        planned = rest.plan(db, REGENCY, box.agent, now)
    _store(database, box, readings[3:])
    before = contents(database)
    with pytest.raises(rest.PlanIsOld), database.writes() as db:
        rest.carry_out(db, planned)
    assert contents(database) == before
    assert pack_all(database) == 4


def test_one_that_came_for_one_whose_time_was_repaired_is_not_lost_either(database: Database, box: Box) -> None:
    """As many as planned, but not the same: only counting them would delete a reading that nobody packed."""
    midnight, now = _midnight(), clock.now_ms()
    readings = _readings(box, midnight, 4)
    _store(database, box, readings[:3])
    with database.reads() as db:
        planned = rest.plan(db, REGENCY, box.agent, now)
    _store(database, box, readings[3:])
    with database.writes() as db:
        db.execute(update(YoungReading).where(YoungReading.sequence == 1).values(taken_ms=now))
    with pytest.raises(rest.PlanIsOld), database.writes() as db:
        rest.carry_out(db, planned)
    assert _young(database) == 4


def test_two_processes_that_pack_the_same_leave_one_pack(database: Database, box: Box) -> None:
    now = clock.now_ms()
    _store(database, box, _readings(box, _midnight(), 4))
    with database.reads() as db:
        plans = [rest.plan(db, REGENCY, box.agent, now) for _ in range(2)]
    with database.writes() as db:
        rest.carry_out(db, plans[0])
    before = contents(database)
    with pytest.raises(rest.PlanIsOld), database.writes() as db:
        rest.carry_out(db, plans[1])
    assert contents(database) == before


def test_a_reading_that_is_in_the_pack_already_is_not_packed_twice(database: Database, box: Box) -> None:
    _store(database, box, _readings(box, _midnight(), 3))
    with database.reads() as db:
        again = db.execute(select(YoungReading.__table__).where(YoungReading.sequence == 2)).mappings().one()
    pack_all(database)
    with database.writes() as db:
        db.execute(insert(YoungReading), [dict(again)])
    assert pack_all(database) == 1
    with database.reads() as db:
        assert db.scalars(select(ReadingDay.readings)).all() == [3]


def test_one_damaged_pack_stops_nobody_elses_packing(
    database: Database, box: Box, caplog: pytest.LogCaptureFixture
) -> None:
    midnight, neighbour = _midnight(), enrolled(database, NEIGHBOUR)
    _store(database, box, _readings(box, midnight, 3))
    pack_all(database)
    with database.writes() as db:
        db.execute(update(ReadingDay).values(packed=b"damaged"))
    _store(database, neighbour, _readings(neighbour, midnight, 3))
    late = [msgspec.structs.replace(box.reading(), taken_at_ms=midnight + HOUR, boottime_ms=7, boot_id="other")]
    # Its key is beyond the damaged pack: repeats of what lies in there cannot be told any more.
    _store(database, box, late)
    assert pack_all(database) == 3
    assert f"packing agent {box.agent} failed" in caplog.text
    assert _young(database) == 1


def test_the_latest_reading_of_hostile_numbers_is_packed_like_any_other(database: Database, box: Box) -> None:
    most = wire.CounterReading("ether1", rx_bytes=2**63 - 1, tx_bytes=2**63 - 1)
    none = wire.CounterReading("ether1", rx_bytes=0, tx_bytes=0)
    midnight = _midnight()
    readings = [
        box.reading(
            router_body(interfaces=[most if n % 2 else none], hotspot_sessions=2**63 - 1,
                        sensors=[wire.Sensor("t", 1.7e308, "C")]),
            taken_at_ms=midnight + n * MINUTE, device_uptime_seconds=2**63 - 1 - n,
        )
        for n in range(20)
    ]  # fmt: skip
    _store(database, box, readings)
    assert pack_all(database) == 20
    assert _measured(database, midnight, midnight + HOUR).series["hotspot_sessions"][midnight] == 2**63 - 1


def test_points_stand_for_every_slot_gaps_included(database: Database, box: Box) -> None:
    midnight = _midnight()
    _store(database, box, _readings(box, midnight, 2))
    points = _measured(database, midnight + 1, midnight + 15 * MINUTE).points("hotspot_sessions")
    assert [(point.at_ms - midnight, point.value) for point in points] == [
        (0, 7),
        (5 * MINUTE, None),
        (10 * MINUTE, None),
    ]
    assert _measured(database, midnight, midnight).coverage() is None


def test_only_the_series_asked_for_come_back(database: Database, box: Box) -> None:
    midnight = _midnight()
    _store(database, box, _readings(box, midnight, 30))
    pack_all(database)
    with database.reads() as db:
        whole = measured(db, ROUTER, midnight, midnight + HOUR, only={"status", "readings"})
    assert set(_slots(whole)) == {"status", "readings"}
