"""An OLT's readings become the villages' own series, young and at rest, and never more than its own hour is opened."""

from typing import Any, Final

from sqlalchemy import delete, select

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.devices import onus
from kampungnet.devices.bodies import ONU_DEVICE
from kampungnet.measurement import outage_log, packing
from kampungnet.measurement.models import ReadingDay, SlotDay
from kampungnet.measurement.outage_models import LoggedOutage, OnuSightDay
from kampungnet.measurement.outage_words import Cause
from kampungnet.measurement.service import Measured, Place, daily_medians, measured
from kampungnet.shared import wire
from kampungnet.upkeep import judge_outages, pack_all, recompute_days
from kampungnet.villages import service as villages
from tests.support.contents import contents
from tests.support.server import NEIGHBOUR, REGENCY, SITE, Box, enrolled, ingested

HOUR: Final = 3_600_000
MINUTE: Final = 60_000
SERIAL: Final = "ZTEGC1234567"
VILLAGES: Final = Place(REGENCY, f"{NEIGHBOUR}-1", ONU_DEVICE)


def _morning() -> int:
    """Return a full hour, ten hours back, that lies in one local day with the four after it."""
    start = clock.now_ms() // HOUR * HOUR - 10 * HOUR
    ends = clock.local_day(start + 4 * HOUR, clock.WIB)
    return start if clock.local_day(start, clock.WIB) == ends else start - 5 * HOUR


def _assign(database: Database, since_ms: int, village: str = NEIGHBOUR) -> None:
    with database.writes() as db:
        onus.assign(db, villages.village(db, village), SERIAL, "sari", since_ms)


def _reading(box: Box, at_ms: int, rx: float = -20.0, device: str = "olt") -> wire.Reading:
    ours = wire.Onu(SERIAL, state=wire.OnuState.ONLINE, rx_power_dbm=rx)
    body = wire.OltBody(onus=[ours, wire.Onu("HWTC0A1B2C3D", state=wire.OnuState.LOS)])
    return box.reading(body, device=device, taken_at_ms=at_ms)


def _store(database: Database, box: Box, *readings: wire.Reading) -> None:
    (receipt,) = ingested(database, box.request(box.report(*readings)))
    assert receipt.refused == []


def _measured(database: Database, start: int, place: Place = VILLAGES) -> Measured:
    with database.reads() as db:
        return measured(db, place, start, start + 5 * HOUR)


def _slots(whole: Measured) -> dict[str, dict[int, int]]:
    return {name: dict(values) for name, values in whole.series.items() if values}


def test_a_village_has_the_same_series_before_and_after_packing(database: Database, box: Box) -> None:
    start = _morning()
    _assign(database, start)
    _store(database, box, *(_reading(box, start + n * 3 * MINUTE, -20.0 - n / 100) for n in range(80)))
    before = _slots(_measured(database, start))
    assert set(before) == {"readings", "status", "rx_power_mdbm"}
    assert sum(before["readings"].values()) == 80
    assert before["rx_power_mdbm"][start] == -20_010
    assert pack_all(database) == 80
    assert _slots(_measured(database, start)) == before
    with database.reads() as db:
        sites = {(row.site, row.device) for row in db.execute(select(SlotDay.site, SlotDay.device))}
        packs = db.scalars(select(ReadingDay).order_by(ReadingDay.part)).all()
    assert sites == {(SITE, "olt"), (VILLAGES.site, ONU_DEVICE)}, "nothing of the ONU that nobody assigned"
    assert [pack.readings for pack in packs] == [20] * 4, "a pack an hour"
    assert sum(len(packing.unpack(pack.packed)) for pack in packs) == 80


def test_late_readings_of_an_hour_that_rests_change_only_that_hour(database: Database, box: Box) -> None:
    start = _morning()
    _assign(database, start)
    ordered = [_reading(box, start + n * 3 * MINUTE, -20.0 - n / 100) for n in range(80)]
    _store(database, box, *ordered[:25], *ordered[30:])
    pack_all(database)
    _store(database, box, *ordered[20:35])
    assert pack_all(database) == 5, "ten of them were known"
    found = _slots(_measured(database, start))
    assert sum(found["readings"].values()) == 80
    assert len(found["rx_power_mdbm"]) == 48


def test_what_an_onu_measured_stays_with_the_village_it_was_in(database: Database, box: Box) -> None:
    start = _morning()
    _assign(database, start)
    _store(database, box, *(_reading(box, start + n * 5 * MINUTE) for n in range(12)))
    pack_all(database)
    _assign(database, start + HOUR, village="35.10.01.2001")
    _store(database, box, *(_reading(box, start + HOUR + n * 5 * MINUTE) for n in range(12)))
    pack_all(database)
    old = _slots(_measured(database, start))
    new = _slots(_measured(database, start, Place(REGENCY, "35.10.01.2001-1", ONU_DEVICE)))
    assert (min(old["readings"]), max(old["readings"])) == (start, start + HOUR - 5 * MINUTE)
    assert (min(new["readings"]), max(new["readings"])) == (start + HOUR, start + 2 * HOUR - 5 * MINUTE)


def test_the_olt_that_is_not_believed_adds_nothing_to_the_villages_series(database: Database, box: Box) -> None:
    start = _morning()
    _assign(database, start)
    _store(database, box, _reading(box, start), _reading(box, start + MINUTE, -3.0, device="olt2"))
    for _ in range(2):
        assert _slots(_measured(database, start))["rx_power_mdbm"] == {start: -20_000}
        pack_all(database)


def test_an_olt_that_does_not_answer_says_nothing_of_its_onus(database: Database, box: Box) -> None:
    start = _morning()
    _assign(database, start)
    silent = box.reading(device="olt", outcome=wire.Outcome.UNREACHABLE, taken_at_ms=start + 10 * MINUTE)
    _store(database, box, _reading(box, start), silent)
    pack_all(database)
    assert set(_slots(_measured(database, start))["status"]) == {start}
    assert set(_slots(_measured(database, start, Place(REGENCY, SITE, "olt")))["status"]) == {
        start,
        start + 10 * MINUTE,
    }


def test_a_day_has_its_median_when_an_hour_of_it_was_measured(database: Database, box: Box) -> None:
    start = _morning()
    _assign(database, start)
    _store(database, box, *(_reading(box, start + n * 5 * MINUTE, -20.0 - n) for n in range(11)))
    pack_all(database)
    day = clock.local_day(start, clock.WIB)
    with database.reads() as db:
        assert daily_medians(db, VILLAGES, "rx_power_mdbm", day, day) == []
    _store(database, box, _reading(box, start + 55 * MINUTE, -31.0))
    pack_all(database)
    with database.reads() as db:
        assert daily_medians(db, VILLAGES, "rx_power_mdbm", day, day) == [(day.toordinal(), -25_500.0)]


def _of_onus(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    return {
        name: rows for name, rows in contents(database).items() if name in {"slot_days", "onu_sight_days", "outages"}
    }


def _judge(database: Database, now_ms: int) -> None:
    with database.reads() as db:
        judged = outage_log.plan(db, (VILLAGES.regency, VILLAGES.site), now_ms)
    with database.writes() as db:
        outage_log.carry_out(db, judged)


def _stored_hour_by_hour(database: Database, box: Box, start: int) -> None:
    """Store four hours, one of them late and by another box, with a cut line in them."""
    states = [wire.OnuState.LOS if 60 <= minute < 105 else wire.OnuState.ONLINE for minute in range(240)]
    looks = [
        box.reading(wire.OltBody(onus=[wire.Onu(SERIAL, state=state, rx_power_dbm=-20 - minute / 100)]),
                    device="olt", taken_at_ms=start + minute * MINUTE)
        for minute, state in enumerate(states)
    ]  # fmt: skip
    for part in (looks[:90], looks[150:], looks[100:150]):
        for place in range(0, len(part), 100):
            _store(database, box, *part[place : place + 100])
        pack_all(database)


def test_days_of_an_olt_made_anew_from_its_readings_are_the_same_bytes(database: Database, box: Box) -> None:
    start = _morning()
    day = clock.local_day(start, clock.WIB)
    _assign(database, start)
    _stored_hour_by_hour(database, box, start)
    judge_outages(database)
    stored = _of_onus(database)
    assert all(stored.values())
    with database.writes() as db:
        db.execute(delete(SlotDay))
        db.execute(delete(OnuSightDay))
        db.execute(delete(LoggedOutage))
    assert recompute_days(database, day, day) == 1
    assert _of_onus(database) == stored
    assert recompute_days(database, day, day) == 1
    assert _of_onus(database) == stored, "twice is harmless"


def test_of_one_village_only_its_own_onus_are_made_anew_wherever_the_olt_stands(database: Database, box: Box) -> None:
    start = _morning()
    day = clock.local_day(start, clock.WIB)
    _assign(database, start)
    _stored_hour_by_hour(database, box, start)
    stored = _of_onus(database)["slot_days"]
    with database.writes() as db:
        db.execute(delete(SlotDay))
    assert recompute_days(database, day, day, "35.10.01.2001") == 0, "no OLT sees it"
    assert recompute_days(database, day, day, NEIGHBOUR) == 1
    assert _of_onus(database)["slot_days"] == [row for row in stored if VILLAGES.site in row]


def test_final_days_are_judged_again_with_what_the_olt_saw_on_them(database: Database, box: Box) -> None:
    start = _morning() - 45 * clock.DAY_MS
    day = clock.local_day(start, clock.WIB)
    _assign(database, start - clock.DAY_MS)
    _store(database, box, _reading(box, start - clock.DAY_MS))
    _stored_hour_by_hour(database, box, start)
    _judge(database, start + 5 * HOUR)
    cuts = [row for row in _of_onus(database)["outages"] if Cause.FIBER.value in row]
    assert cuts
    for later_ms in (2, 1):
        _judge(database, clock.now_ms() - later_ms)
    assert _of_onus(database)["onu_sight_days"] == [], "nobody needs them any more"
    with database.writes() as db:
        db.execute(delete(LoggedOutage))
    recompute_days(database, day, day)
    assert [row for row in _of_onus(database)["outages"] if Cause.FIBER.value in row] == cuts


def test_an_hour_that_two_boxes_asked_is_folded_from_both(database: Database, box: Box) -> None:
    start = _morning()
    day = clock.local_day(start, clock.WIB)
    _assign(database, start)
    _store(database, box, *(_reading(box, start + n * MINUTE) for n in range(20)))
    pack_all(database)
    other = enrolled(database)  # in the place of the first
    _store(database, other, *(_reading(other, start + n * MINUTE) for n in range(30, 50)))
    pack_all(database)
    stored = _of_onus(database)
    assert sum(_slots(_measured(database, start))["readings"].values()) == 40
    recompute_days(database, day, day)
    assert _of_onus(database)["slot_days"] == stored["slot_days"]
