"""Store readings once, pack them by the day, and answer what was measured."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from statistics import median
from typing import Any, Final

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.rows import Columns, among, insert_new, upsert
from kampungnet.devices.bodies import is_onu
from kampungnet.devices.models import Agent, AssignedOnu, Device
from kampungnet.devices.service import body_of
from kampungnet.measurement import onu_slots, packing, slots, traffic_days
from kampungnet.measurement import outages as outage_rules
from kampungnet.measurement.boots import Offset, TimeQuality, repaired
from kampungnet.measurement.models import Boot, ReadingDay, SlotDay, YoungReading
from kampungnet.measurement.packing import Kept
from kampungnet.measurement.slots import SLOT_MS, SLOT_SECONDS, Slots, Timed
from kampungnet.measurement.traffic_days import OfDevice
from kampungnet.shared import wire

BootKey = tuple[str, str, str]
"""Regency, agent, boot id."""
Key = tuple[str, str, str, int]
"""Regency, agent, boot id, sequence: what makes a reading unique."""
LEAST_SLOTS: Final = 12
"""A day with less than an hour of values has no median worth a trend."""
_BOOT_KEY: Final = ("regency", "agent", "boot_id")
_YOUNG: Final = (
    "regency", "agent", "boot_id", "sequence", "hash", "site", "device", "taken_ms", "time_quality", "payload",
    "stored_ms",
)  # fmt: skip
_QUALITY: Final = {int(quality): quality for quality in TimeQuality}


class Arrived(msgspec.Struct, frozen=True, gc=False):
    """One reading ready to be stored, in the order of the table's columns."""

    key: Key
    hash: bytes
    site: str
    device: str
    taken_ms: int
    time_quality: TimeQuality
    payload: bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of readings: stored (repeats included), or known already with another content."""

    stored: frozenset[tuple[Key, bytes]]
    conflicting: frozenset[tuple[Key, bytes]]
    known_long: frozenset[Key] = frozenset()
    """Those that rested in a pack already: repeats after a day or more."""


@dataclass(frozen=True, slots=True)
class Point:
    """One slot of a series; ``value`` is ``None`` where nothing is known."""

    at_ms: int
    value: int | None
    seconds: int = SLOT_SECONDS


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything measured of one device between two instants."""

    first_ms: int
    last_ms: int
    series: Mapping[str, Slots] = field(default_factory=dict)

    def points(self, name: str) -> list[Point]:
        """Return one series with a point for each slot, gaps included."""
        values = self.series.get(name, {})
        start = self.first_ms - self.first_ms % SLOT_MS
        return [Point(at, values.get(at)) for at in range(start, self.last_ms, SLOT_MS)]

    def coverage(self) -> float | None:
        """Return the share of slots that hold a reading, 0 to 1; ``None`` for an empty stretch."""
        return outage_rules.coverage(self.series.get("readings", {}), self.first_ms, self.last_ms)


def known_offsets(db: Session, boots: Collection[BootKey]) -> dict[BootKey, Offset]:
    """Return the clock offsets of those boots that are known."""
    rows = among(db, Boot, (*_BOOT_KEY, "offset_ms", "time_quality"), _BOOT_KEY, boots)
    return {(regency, agent, boot): Offset(ms, _QUALITY[quality]) for regency, agent, boot, ms, quality in rows}


def record_offsets(db: Session, offsets: Mapping[BootKey, Offset], now_ms: int) -> None:
    """Keep new or better clock offsets, and repair the young readings of those boots."""
    rows = [
        {
            "regency": regency,
            "agent": agent,
            "boot_id": boot,
            "offset_ms": offset.ms,
            "time_quality": int(offset.quality),
        }
        for (regency, agent, boot), offset in offsets.items()
    ]
    if not rows:
        return
    upsert(db, Boot, rows, _BOOT_KEY, ("offset_ms", "time_quality"))
    for boot, offset in offsets.items():
        _repair_young(db, boot, offset, now_ms)


def _repair_young(db: Session, boot: BootKey, offset: Offset, now_ms: int) -> None:
    of_boot = select(YoungReading).where(
        YoungReading.regency == boot[0], YoungReading.agent == boot[1], YoungReading.boot_id == boot[2]
    )
    for row in db.scalars(of_boot):
        instant, quality = repaired(Kept(0, 0, row.payload).reading(), offset, now_ms)
        if quality > TimeQuality.UNKNOWN:
            row.taken_ms, row.time_quality = instant, quality


def record_readings(db: Session, arrived: Sequence[Arrived], packed_up_to: Mapping[str, int]) -> Stored:
    """Store readings once. A repeat changes nothing; the same key with another hash is a conflict.

    ``packed_up_to`` gives for each agent the highest sequence that may rest in a pack.
    """
    packed = _already_packed(db, [one for one in arrived if one.key[3] <= packed_up_to[one.key[1]]])
    now_ms = clock.now_ms()  # inside the transaction: whoever commits later has stored later
    rows = [_row(one, now_ms) for one in arrived if one.key not in packed]
    known: dict[Key, bytes] = {}
    # The count tells repeats from new ones in one go; the slow look-up is for repeats only.
    if rows and insert_new(db, YoungReading, Columns(_YOUNG, rows)) != len(rows):
        known = _young_hashes(db, arrived)
    known.update(packed)
    # Key and hash together: when both contents come at once, the one that was first stays and is receipted.
    conflicting = frozenset((one.key, one.hash) for one in arrived if known.get(one.key, one.hash) != one.hash)
    repeats = frozenset(one.key for one in arrived if one.key in packed) if packed else frozenset()
    return Stored(frozenset((one.key, one.hash) for one in arrived) - conflicting, conflicting, repeats)


def _row(one: Arrived, now_ms: int) -> tuple[Any, ...]:
    return (
        *one.key, one.hash, one.site, one.device, one.taken_ms, int(one.time_quality), one.payload, now_ms,
    )  # fmt: skip


def _young_hashes(db: Session, arrived: Sequence[Arrived]) -> dict[Key, bytes]:
    found: dict[Key, bytes] = {}
    for regency, agent in {one.key[:2] for one in arrived}:
        sequences = {one.key[3] for one in arrived if one.key[1] == agent}
        rows = db.execute(
            select(YoungReading.boot_id, YoungReading.sequence, YoungReading.hash).where(
                YoungReading.regency == regency, YoungReading.agent == agent, YoungReading.sequence.in_(sequences)
            )
        )
        found.update({(regency, agent, r.boot_id, r.sequence): r.hash for r in rows})
    return found


def _already_packed(db: Session, arrived: Sequence[Arrived]) -> dict[Key, bytes]:
    """Return keys and hashes of those readings that rest in a pack already: repeats after a day or more."""
    by_agent: dict[tuple[str, str], list[int]] = defaultdict(list)
    for one in arrived:
        by_agent[one.key[:2]].append(one.key[3])
    found: dict[Key, bytes] = {}
    for (regency, agent), sequences in by_agent.items():
        packs = select(ReadingDay.packed).where(
            ReadingDay.regency == regency, ReadingDay.agent == agent,
            ReadingDay.first_sequence <= max(sequences), ReadingDay.last_sequence >= min(sequences),
        )  # fmt: skip
        for blob in db.scalars(packs):
            for kept in packing.unpack(blob):
                reading = kept.reading()
                found[regency, agent, reading.boot_id, reading.sequence] = wire.reading_hash(kept.payload)
    return found


@dataclass(frozen=True, slots=True)
class Place:
    """One device of one site."""

    regency: str
    site: str
    device: str


def measured(db: Session, place: Place, first_ms: int, last_ms: int, only: Collection[str] = ()) -> Measured:
    """Return what was measured of a device between two instants: packed days and the young hours on top.

    With ``only`` just those series are unpacked; whoever asks for coverage needs ``readings`` among them.
    """
    zone = clock.zone_of(place.regency)
    days = (clock.local_day(first_ms, zone), clock.local_day(last_ms, zone))
    packed = (
        select(SlotDay.day, SlotDay.series, SlotDay.slots)
        .where(SlotDay.regency == place.regency, SlotDay.site == place.site, SlotDay.device == place.device)
        .where(SlotDay.day.between(*days))
    )
    if only:
        packed = packed.where(SlotDay.series.in_(only))
    series: dict[str, dict[int, int]] = defaultdict(dict)
    for day, name, blob in db.execute(packed):
        series[name].update(slots.unpack(blob, clock.day_start_ms(day, zone)))
    readings = _young_readings(db, place)
    young = slots.fold(readings) if not is_onu(place.device) else _of_onu(db, place)
    wanted = {name.partition("/")[2] for name in only} - {""}
    if wanted or not only:
        asked = OfDevice(place.regency, place.site, place.device, *days)
        young |= traffic_days.series(traffic_days.known(db, asked, readings, wanted))
    whole = slots.merge(series, {name: young[name] for name in young if not only or name in only})
    inside = {name: {at: v for at, v in s.items() if first_ms - SLOT_MS < at < last_ms} for name, s in whole.items()}
    return Measured(first_ms, last_ms, inside)


def daily_medians(db: Session, place: Place, series: str, first: date, last: date) -> list[tuple[int, float]]:
    """Return (``date.toordinal``, median) of the days between two that hold at least an hour of a series."""
    zone = clock.zone_of(place.regency)
    rows = db.execute(
        select(SlotDay.day, SlotDay.slots)
        .where(SlotDay.regency == place.regency, SlotDay.site == place.site, SlotDay.device == place.device)
        .where(SlotDay.series == series, SlotDay.day.between(first, last))
    )
    found = ((day, slots.unpack(blob, clock.day_start_ms(day, zone)).values()) for day, blob in rows)
    return sorted((day.toordinal(), float(median(values))) for day, values in found if len(values) >= LEAST_SLOTS)


def _of_onu(db: Session, place: Place) -> dict[str, dict[int, int]]:
    of_place = (AssignedOnu.site == place.site, AssignedOnu.device == place.device)
    onu = db.scalar(select(AssignedOnu).where(AssignedOnu.regency == place.regency, *of_place))
    if onu is None:
        return {}
    # Where an OLT says it, that OLT's readings hold it.
    return onu_slots.of_onu(onu, _young_readings(db, Place(place.regency, onu.olt_site, onu.olt_device)))


def young(db: Session, place: Place) -> Iterator[Kept]:
    """Yield the readings of a device that are not packed yet and whose time is known."""
    agents = select(Agent.id).where(Agent.regency == place.regency, Agent.site == place.site)
    rows = db.execute(
        select(YoungReading.taken_ms, YoungReading.time_quality, YoungReading.payload)
        .where(YoungReading.regency == place.regency, YoungReading.agent.in_(agents))
        .where(YoungReading.device == place.device)
        .where(YoungReading.time_quality > TimeQuality.UNKNOWN)
    )
    return (Kept(*row) for row in rows)


def _young_readings(db: Session, place: Place) -> list[Timed]:
    return [one.timed() for one in young(db, place)]


def wan_interface(device: Device) -> str:
    """Return the interface a router's bandwidth is billed on, as its agent says; empty when unknown."""
    body = body_of(device)
    return body.wan_interface if isinstance(body, wire.RouterBody) else ""
