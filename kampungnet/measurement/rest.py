"""Put readings to rest: an hour after they were taken they move into day packs and are folded into slots.

The work is planned with a reading session and carried out in a short transaction, so that reports never
wait for a processor that compresses. A plan is carried out only when what it moves is exactly what is there.

The readings of an OLT are the exception: a hundred times as many words, and nothing in them grows from reading to
reading. They are packed by the hour, so that no step ever opens a whole day of them, and folded by the hour into
the series of the villages whose ONUs they tell of.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.rows import upsert
from kampungnet.devices.models import Device
from kampungnet.devices.service import note_packed
from kampungnet.measurement import onu_slots, packing, slots
from kampungnet.measurement.boots import TimeQuality
from kampungnet.measurement.models import ReadingDay, SlotDay, YoungReading
from kampungnet.measurement.packing import Kept

HOUR_MS: Final = 3_600_000
YOUNG_MS: Final = HOUR_MS
"""Readings rest as received for an hour, then they are packed."""
LATE_MS: Final = 2 * YOUNG_MS
"""How much later than its hour an agent's oldest reading makes packing worth while."""
_YOUNG: Final = YoungReading.__table__.c
_MOVED: Final = (_YOUNG.boot_id, _YOUNG.sequence, _YOUNG.taken_ms, _YOUNG.time_quality)
_COLUMNS: Final = (_YOUNG.site, _YOUNG.device, _YOUNG.payload, *_MOVED)
_PACK_KEY: Final = ("regency", "agent", "device", "day", "part")
_SLOT_KEY: Final = ("regency", "site", "device", "day", "series")

DeviceDay = tuple[str, str, date]
"""Site, device, local day."""
Moved = tuple[str, int, int, int]
"""Boot id, sequence, instant and its quality of a reading that goes to rest."""


class PlanIsOld(Exception):
    """Between planning and writing a reading came, went or got another time: plan again."""


@dataclass
class Plan:
    """What packing one agent will write and remove."""

    regency: str
    agent: str
    border_ms: int
    moving: set[Moved] = field(default_factory=set)
    packs: list[dict[str, Any]] = field(default_factory=list)
    slots: list[dict[str, Any]] = field(default_factory=list)

    def is_old(self) -> tuple[ColumnElement[bool], ...]:
        """Return the condition that young readings which go to rest fulfil."""
        return (_YOUNG.regency == self.regency, _YOUNG.agent == self.agent, _YOUNG.taken_ms < self.border_ms)


def agents_to_pack(db: Session, now_ms: int) -> list[tuple[str, str]]:
    """Return (regency, agent) of those with readings old enough to be packed."""
    rows = db.execute(
        select(YoungReading.regency, YoungReading.agent)
        .group_by(YoungReading.regency, YoungReading.agent)
        .having(func.min(YoungReading.taken_ms) < _border(now_ms) - LATE_MS)
    )
    return [(regency, agent) for regency, agent in rows]


def plan(db: Session, regency: str, agent: str, now_ms: int) -> Plan:
    """Work out what packing an agent's older readings will write; changes nothing."""
    zone = clock.zone_of(regency)
    planned = Plan(regency, agent, _border(now_ms))
    young: dict[DeviceDay, list[Any]] = defaultdict(list)
    for row in db.execute(select(*_COLUMNS).where(*planned.is_old())):
        young[row.site, row.device, clock.local_day(row.taken_ms, zone)].append(row)
        planned.moving.add((row.boot_id, row.sequence, row.taken_ms, row.time_quality))
    for place in _olts(db, regency, young):
        _rest_olt(db, planned, place, young.pop(place))
    whole = {place: _pack(db, planned, place, rows) for place, rows in young.items()}
    # What a day's first slot grew from is the end of the day before: late readings there change it.
    touched = {*young, *((site, device, day + timedelta(days=1)) for site, device, day in young)}
    for place in sorted(touched):
        _fold(db, planned, place, whole)
    return planned


def carry_out(db: Session, planned: Plan) -> None:
    """Write a plan and remove what it moved. Raises ``PlanIsOld`` when that is no longer what was planned.

    What is removed is compared one by one: on PostgreSQL another process may add readings at this very moment.
    """
    connection = db.connection()
    removed = connection.execute(delete(YoungReading).where(*planned.is_old()).returning(*_MOVED))
    if {tuple(row) for row in removed} != planned.moving:
        raise PlanIsOld
    if planned.packs:
        changed = ("site", "readings", "first_sequence", "last_sequence", "packed")
        upsert(db, ReadingDay, planned.packs, _PACK_KEY, changed)
        note_packed(db, planned.regency, planned.agent, max(pack["last_sequence"] for pack in planned.packs))
    if planned.slots:
        upsert(db, SlotDay, planned.slots, _SLOT_KEY, ("slots",))


def forget(db: Session, before: date) -> int:
    """Delete the packs of readings of days before ``before``, and return how many. Their slots stay."""
    return db.connection().execute(delete(ReadingDay).where(ReadingDay.day < before)).rowcount


def last_packed(db: Session, regency: str, site: str, device: str) -> slots.Timed | None:
    """Return the last good reading of a device that rests in a pack."""
    newest = db.scalar(select(func.max(ReadingDay.day)).where(*_of_device(regency, site, device)))
    return _last_good(_resting(db, regency, (site, device, newest))) if newest else None


def _border(now_ms: int) -> int:
    """Return the newest full hour that lies an hour back: packs end where a slot ends."""
    return (now_ms - YOUNG_MS) // YOUNG_MS * YOUNG_MS


def _pack(db: Session, planned: Plan, place: DeviceDay, rows: list[Any], part: int = 0) -> list[Kept]:
    site, device, day = place
    key = (planned.regency, planned.agent, device, day, part)
    resting = db.get(ReadingDay, key)
    kept = packing.unpack(resting.packed) if resting else []
    known = {one.payload for one in kept}
    kept += [Kept(row.taken_ms, row.time_quality, row.payload) for row in rows if row.payload not in known]
    sequences = [row.sequence for row in rows]
    sequences += [resting.first_sequence, resting.last_sequence] if resting else []
    planned.packs.append(
        dict(zip(_PACK_KEY, key, strict=True))
        | {"site": site, "readings": len(kept), "packed": packing.pack(kept)}
        | {"first_sequence": min(sequences), "last_sequence": max(sequences)}
    )
    return kept


def _olts(db: Session, regency: str, places: Iterable[DeviceDay]) -> list[DeviceDay]:
    olts = select(Device.site, Device.name).where(Device.regency == regency, Device.kind == "olt")
    known = {tuple(row) for row in db.execute(olts.where(Device.site.in_({site for site, _, _ in places})))}
    return [place for place in places if place[:2] in known]


def _rest_olt(db: Session, planned: Plan, place: DeviceDay, rows: list[Any]) -> None:
    """Pack the readings of one OLT's day by the hour, and fold those hours into what is folded already."""
    site, device, day = place
    start = clock.day_start_ms(day, clock.zone_of(planned.regency))
    hours: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        hours[(row.taken_ms - start) // HOUR_MS].append(row)
    olt = onu_slots.Olt(planned.regency, site, device)
    folded: onu_slots.Folded = {}
    for hour, of_hour in hours.items():
        kept = _pack(db, planned, place, of_hour, hour)
        known = [one.timed() for one in kept if one.time_quality > TimeQuality.UNKNOWN]
        for owner, series in onu_slots.fold(db, olt, known).items():
            folded[owner] = slots.merge(folded.get(owner, {}), series)
    for (owner_site, owner_device), series in onu_slots.laid_over(db, planned.regency, day, folded).items():
        planned.slots += _slot_rows(planned.regency, (owner_site, owner_device, day), series)


def _fold(db: Session, planned: Plan, place: DeviceDay, whole: dict[DeviceDay, list[Kept]]) -> None:
    """Fold one day of a device again from all its readings, whichever box of the site they came from."""
    site, device, day = place
    kept = list(_all_of_day(db, planned, place, whole))
    if not kept:
        return
    the_day_before = (site, device, day - timedelta(days=1))
    before = _last_good(_all_of_day(db, planned, the_day_before, whole))
    known = (one.timed() for one in kept if one.time_quality > TimeQuality.UNKNOWN)
    planned.slots += _slot_rows(planned.regency, place, slots.fold(known, before))


def _slot_rows(regency: str, place: DeviceDay, series: Mapping[str, slots.Slots]) -> list[dict[str, Any]]:
    site, device, day = place
    start = clock.day_start_ms(day, clock.zone_of(regency))
    return [
        {"regency": regency, "site": site, "device": device, "day": day, "series": name,
         "slots": slots.pack(values, start)} for name, values in series.items()
    ]  # fmt: skip


def _all_of_day(db: Session, planned: Plan, place: DeviceDay, whole: dict[DeviceDay, list[Kept]]) -> Iterator[Kept]:
    if place in whole:
        yield from whole[place]
        yield from _resting(db, planned.regency, place, but=planned.agent)
    else:
        yield from _resting(db, planned.regency, place)


def _resting(db: Session, regency: str, place: DeviceDay, but: str = "") -> Iterator[Kept]:
    """Yield what rests of a device's day, of every box the site had that day except ``but``."""
    site, device, day = place
    packs = select(ReadingDay.packed).where(
        *_of_device(regency, site, device), ReadingDay.day == day, ReadingDay.agent != but
    )
    for blob in db.scalars(packs):
        yield from packing.unpack(blob)


def _of_device(regency: str, site: str, device: str) -> tuple[ColumnElement[bool], ...]:
    return (ReadingDay.regency == regency, ReadingDay.site == site, ReadingDay.device == device)


def _last_good(kept: Iterable[Kept]) -> slots.Timed | None:
    for one in sorted(kept, key=lambda one: one.taken_ms, reverse=True):
        timed = one.timed()
        if timed.reading.body is not None and one.time_quality > TimeQuality.UNKNOWN:
            return timed
    return None
