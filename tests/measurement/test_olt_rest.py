"""An OLT's readings become the villages' own series, young and at rest, and never more than its own hour is opened."""

from typing import Final

from sqlalchemy import select

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.devices import onus
from kampungnet.devices.bodies import ONU_DEVICE
from kampungnet.measurement import packing
from kampungnet.measurement.models import ReadingDay, SlotDay
from kampungnet.measurement.service import Measured, Place, daily_medians, measured
from kampungnet.shared import wire
from kampungnet.upkeep import pack_all
from kampungnet.villages import service as villages
from tests.support.server import NEIGHBOUR, REGENCY, SITE, Box, ingested

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
