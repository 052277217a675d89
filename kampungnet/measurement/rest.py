"""Put readings to rest: an hour after they were taken they move into day packs and are folded into slots.

The work is planned with a reading session and carried out in a short transaction, so that reports never
wait for a processor that compresses. A plan is carried out only when what it moves is exactly what is there.

The readings of an OLT are the exception: a hundred times as many words, and nothing in them grows from reading to
reading. They are packed by the hour, so that no step ever opens a whole day of them, and folded by the hour into
the series of the villages whose ONUs they tell of.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.rows import upsert
from kampungnet.devices.models import Device
from kampungnet.devices.service import note_packed
from kampungnet.measurement import olt_days, packing
from kampungnet.measurement.days import Days, DeviceDay, Rows, resting
from kampungnet.measurement.models import ReadingDay, YoungReading
from kampungnet.measurement.onu_slots import Olt
from kampungnet.measurement.packing import Kept, Shared

HOUR_MS: Final = 3_600_000
YOUNG_MS: Final = HOUR_MS
"""Readings rest as received for an hour, then they are packed."""
LATE_MS: Final = 2 * YOUNG_MS
"""How much later than its hour an agent's oldest reading makes packing worth while."""
_YOUNG: Final = YoungReading.__table__.c
_MOVED: Final = (_YOUNG.boot_id, _YOUNG.sequence, _YOUNG.taken_ms, _YOUNG.time_quality)
_COLUMNS: Final = (_YOUNG.site, _YOUNG.device, _YOUNG.payload, _YOUNG.stored_ms, *_MOVED)
_PACK_KEY: Final = ("regency", "agent", "device", "day", "part")

Moved = tuple[str, int, int, int]
"""Boot id, sequence, instant and its quality of a reading that goes to rest."""


class Received(NamedTuple):
    """A reading with the place and the instant it belongs to, as :class:`YoungReading` has it."""

    site: str
    device: str
    payload: bytes
    stored_ms: int
    boot_id: str
    sequence: int
    taken_ms: int
    time_quality: int


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
    rows: Rows = field(default_factory=Rows)

    def is_old(self) -> tuple[ColumnElement[bool], ...]:
        """Return the condition that young readings which go to rest fulfil."""
        return (_YOUNG.regency == self.regency, _YOUNG.agent == self.agent, _YOUNG.taken_ms < self.border_ms)


def agents_to_pack(db: Session, now_ms: int) -> list[tuple[str, str]]:
    """Return (regency, agent) of those with readings old enough to be packed."""
    rows = db.execute(
        select(YoungReading.regency, YoungReading.agent)
        .group_by(YoungReading.regency, YoungReading.agent)
        .having(func.min(YoungReading.taken_ms) < border_ms(now_ms) - LATE_MS)
    )
    return [(regency, agent) for regency, agent in rows]


def plan(db: Session, regency: str, agent: str, now_ms: int) -> Plan:
    """Work out what packing an agent's older readings will write; changes nothing."""
    planned = Plan(regency, agent, border_ms(now_ms))
    rows = db.execute(select(*_COLUMNS).where(*planned.is_old())).all()
    planned.moving = {(row.boot_id, row.sequence, row.taken_ms, row.time_quality) for row in rows}
    _rest(db, planned, rows)
    return planned


def plan_of(db: Session, regency: str, agent: str, received: Iterable[Received]) -> Plan:
    """Work out what packing readings will write that nobody sent before and that are all older than the border.

    They go to rest without having been young: the same rows as if they had been.
    """
    planned = Plan(regency, agent, border_ms=0)
    _rest(db, planned, received)
    return planned


def _rest(db: Session, planned: Plan, rows: Iterable[Any]) -> None:
    regency, agent = planned.regency, planned.agent
    of_zone = clock.LocalDays(clock.zone_of(regency))
    by_day: dict[DeviceDay, list[Any]] = defaultdict(list)
    for row in rows:
        by_day[row.site, row.device, of_zone.of(row.taken_ms)].append(row)
    for place in _olts(db, regency, by_day):
        _rest_olt(db, planned, place, by_day.pop(place))
    days = Days(db, regency, agent)
    touched: set[DeviceDay] = set()
    for place, of_day in sorted(by_day.items()):
        day = _pack(db, planned, place, of_day)
        touched |= days.add(place, day.texts, day.before)
    for place in sorted(touched):
        if not days.is_frayed(place):
            days.fold(place, planned.rows)


def carry_out(db: Session, planned: Plan) -> None:
    """Write a plan and remove what it moved. Raises ``PlanIsOld`` when that is no longer what was planned.

    What is removed is compared one by one: on PostgreSQL another process may add readings at this very moment.
    """
    connection = db.connection()
    removed = connection.execute(delete(YoungReading).where(*planned.is_old()).returning(*_MOVED))
    if {tuple(row) for row in removed} != planned.moving:
        raise PlanIsOld
    if planned.packs:
        changed = ("site", "readings", "first_sequence", "last_sequence", "packed", "stored_ms")
        upsert(db, ReadingDay, planned.packs, _PACK_KEY, changed)
        note_packed(db, planned.regency, planned.agent, max(pack["last_sequence"] for pack in planned.packs))
    planned.rows.write(db, planned.regency, clock.now_ms())


def border_ms(now_ms: int) -> int:
    """Return the newest full hour that lies an hour back: packs end where a slot ends."""
    return (now_ms - YOUNG_MS) // YOUNG_MS * YOUNG_MS


class _Day(NamedTuple):
    """All that will be in a pack, as readings and by the text they share, and what is in it already."""

    kept: list[Kept]
    texts: list[Shared]
    before: list[Shared]


def _pack(db: Session, planned: Plan, place: DeviceDay, rows: list[Any], part: int = 0) -> _Day:
    """Plan the pack of one day, or of one hour of it."""
    site, device, day = place
    key = (planned.regency, planned.agent, device, day, part)
    packed = db.get(ReadingDay, key)
    kept = packing.unpack(packed.packed) if packed else []
    known = {one.payload for one in kept}
    kept += [Kept(row.taken_ms, row.time_quality, row.payload) for row in rows if row.payload not in known]
    sequences = [row.sequence for row in rows]
    sequences += [packed.first_sequence, packed.last_sequence] if packed else []
    stored_ms = max(packed.stored_ms if packed else 0, *(row.stored_ms for row in rows))
    blob, texts = packing.packed(kept)
    planned.packs.append(
        dict(zip(_PACK_KEY, key, strict=True))
        | {"site": site, "readings": len(kept), "packed": blob}
        | {"first_sequence": min(sequences), "last_sequence": max(sequences), "stored_ms": stored_ms}
    )
    return _Day(kept, texts, packing.texts(packed.packed) if packed else [])


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
    packed = ((hour, _packed_hour(db, planned, place, of_hour, hour)) for hour, of_hour in hours.items())
    found = olt_days.fold(db, Olt(planned.regency, site, device), packed)
    planned.rows.add(olt_days.rows(db, planned.regency, day, found))


def _packed_hour(db: Session, planned: Plan, place: DeviceDay, rows: list[Any], hour: int) -> list[Kept]:
    """Plan the pack of one hour; return all that is known of it, what other boxes packed of it too."""
    kept = _pack(db, planned, place, rows, hour).kept
    return [*kept, *resting(db, planned.regency, place, but=planned.agent, part=hour)]
