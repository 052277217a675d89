"""Fold a local day of one device: gauges into slots, counters into the ledger. A day is made whole or not at all.

It is a pure function of the day's readings and of the samples nearest to it on the days beside it, whichever box
of the site they came from. Storing piece by piece and computing again from what rests give the same bytes.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.rows import upsert
from kampungnet.measurement import installation, packing, slots, traffic
from kampungnet.measurement.digests import Digest, digest_of
from kampungnet.measurement.ledger import Flag, Slot
from kampungnet.measurement.models import MonthDue, Oddity, ReadingDay, SlotDay, TrafficDay, TrafficHour, TrafficSlots
from kampungnet.measurement.outage_models import OnuSightDay
from kampungnet.measurement.packing import Kept, Shared

DeviceDay = tuple[str, str, date]
"""Site, device, local day."""
_PLACE: Final = ("regency", "site", "device", "day")
_KEYS: Final[Mapping[type[Any], tuple[str, ...]]] = {
    SlotDay: (*_PLACE, "series"),
    TrafficDay: (*_PLACE, "interface"),
    TrafficSlots: _PLACE,
    TrafficHour: (*_PLACE, "interface", "hour"),
    Oddity: (*_PLACE, "what"),
    OnuSightDay: _PLACE,
}
_REMEMBERED: Final = 8
_ODD: Final = {"impossible": Flag.IMPOSSIBLE, "conflict": Flag.CONFLICT}


@dataclass
class Rows:
    """What folding writes, by table."""

    of: dict[type[Any], list[dict[str, Any]]] = field(default_factory=lambda: {table: [] for table in _KEYS})

    def add(self, more: "Rows") -> None:
        """Take other rows, of other keys, along."""
        for table, rows in more.of.items():
            self.of[table] += rows

    def write(self, db: Session, regency: str, now_ms: int) -> None:
        """Write all rows over those that stand there, and mark the months that they change."""
        for table, rows in self.of.items():
            if rows:
                keys = _KEYS[table]
                upsert(db, table, rows, keys, tuple(name for name in rows[0] if name not in keys))
        due = {(row["site"], row["day"].replace(day=1)) for row in self.of[TrafficDay]}
        mark_due(db, regency, due, now_ms)


def mark_due(db: Session, regency: str, months: Iterable[tuple[str, date]], now_ms: int) -> None:
    """Note that months of sites must be added up anew. An update too, so that it waits for who is adding up."""
    rows = [{"regency": regency, "site": site, "month": month, "since_ms": now_ms} for site, month in sorted(months)]
    if rows:
        upsert(db, MonthDue, rows, ("regency", "site", "month"), ("since_ms",))


def forget(db: Session, regency: str, places: Iterable[DeviceDay]) -> None:
    """Remove what was folded of days, before it is written anew."""
    of_one: dict[tuple[str, str], list[date]] = defaultdict(list)
    for site, device, day in places:
        of_one[site, device].append(day)
    for (site, device), days in of_one.items():
        for table in _KEYS:
            of_days = (table.regency == regency, table.site == site, table.device == device, table.day.in_(days))
            db.connection().execute(delete(table).where(*of_days))


class Days:
    """The readings of a regency's devices by day: those about to be packed by one agent, and those at rest."""

    def __init__(self, db: Session, regency: str, agent: str = "", opener: Executor | None = None) -> None:
        """Look at a regency's days; with ``opener`` one after the other, the next opened while this one is folded."""
        self._db, self.regency, self._agent, self._opener = db, regency, agent, opener
        self.zone, self._policy = clock.zone_of(regency), installation.policy()
        self._packing: dict[DeviceDay, list[Shared]] = {}
        self._digests: dict[DeviceDay, Digest] = {}
        self._opened: dict[DeviceDay, Future[list[Shared]]] = {}
        self._resting: dict[tuple[str, str], set[date]] = {}
        self._new: set[DeviceDay] = set()

    def add(self, place: DeviceDay, texts: list[Shared], before: list[Shared]) -> set[DeviceDay]:
        """Take the day that an agent is about to pack, and what was in its pack before.

        Return it and the days beside it that see it differently now.
        """
        self._packing[place] = texts
        if not before:
            self._new.add(place)
        first, last = self._digest(place).edges
        first_before, last_before = digest_of(before).edges
        touched = {place}
        if first != first_before:
            touched |= self._beside(place, -1)
        if last != last_before:
            touched |= self._beside(place, 1)
        return touched

    def is_frayed(self, place: DeviceDay) -> bool:
        """Tell whether readings that a day was made of are no longer kept: it must stay as it is."""
        site, device, day = place
        of_one = (self.regency, site, device)
        if not self._beside(place, -1) and self._any(TrafficDay, of_one, TrafficDay.day < day):
            return True
        alone = place in self._new and not any(resting(self._db, self.regency, place, but=self._agent))
        return alone and self._any(SlotDay, of_one, SlotDay.day == day)

    def _any(self, table: type[Any], of_one: tuple[str, str, str], then: ColumnElement[bool]) -> bool:
        columns = (table.regency, table.site, table.device)
        same = (column == value for column, value in zip(columns, of_one, strict=True))
        return self._db.scalar(select(table.day).where(*same, then).limit(1)) is not None

    def fold(self, place: DeviceDay, rows: Rows) -> None:
        """Fold one day from all its readings into ``rows``."""
        site, device, day = place
        known = self._digest(place)
        start = clock.day_start_ms(day, self.zone)
        key = {"regency": self.regency, "site": site, "device": device, "day": day}
        rows.of[SlotDay] += slot_rows(key, known.series, start)
        odd = {"time": known.untimed}
        books: dict[str, Mapping[int, Slot]] = {}
        for interface, whole in known.books(*self._neighbours(place), self._policy).items():
            book = traffic.cut(whole, start, start + clock.DAY_MS)
            if not book.slots and not book.gaps:
                continue
            of_one = key | {"interface": interface}
            books[interface] = book.slots
            rows.of[TrafficDay].append(_day_row(of_one, book.slots, traffic.pack_gaps(book.gaps), start))
            if interface in known.lines:
                rows.of[TrafficHour] += _hour_rows(of_one, book.slots, start)
            flagged = [slot.flags for slot in book.slots.values() if slot.flags]
            for what, flag in _ODD.items():
                odd[what] = odd.get(what, 0) + sum(bool(flags & flag) for flags in flagged)
        if books:
            rows.of[TrafficSlots].append(key | {"slots": traffic.pack_all(books, start)})
        rows.of[Oddity] += [key | {"what": what, "count": count} for what, count in odd.items() if count]

    def _neighbours(self, place: DeviceDay) -> traffic.Edges:
        """Return the samples nearest to a day: the last ones before it, and the first ones after it."""
        before = {name: one for near in self._beside(place, -1) for name, one in self._digest(near).edges[1].items()}
        after = {name: one for near in self._beside(place, 1) for name, one in self._digest(near).edges[0].items()}
        return before, after

    def _digest(self, place: DeviceDay) -> Digest:
        """Read a day once, though the days beside it ask as well."""
        if place not in self._digests:
            if len(self._digests) > _REMEMBERED:
                del self._digests[next(iter(self._digests))]
            self._digests[place] = self._read(place)
        return self._digests[place]

    def _read(self, place: DeviceDay) -> Digest:
        if place in self._packing:
            others = _blobs(self._db, self.regency, place, ReadingDay.agent != self._agent)
            return digest_of([*self._packing[place], *_texts(others)])
        ahead = self._opened.pop(place, None)
        texts = ahead.result() if ahead else _texts(list(_blobs(self._db, self.regency, place)))
        if self._opener:
            for near in self._beside(place, 1):
                self._opened[near] = self._opener.submit(_texts, list(_blobs(self._db, self.regency, near)))
        return digest_of(texts)

    def _beside(self, place: DeviceDay, step: int) -> set[DeviceDay]:
        """Return the nearest day before (``step`` -1) or after (1) this one that has readings."""
        site, device, day = place
        near = {other for s, d, other in self._packing if (s, d) == (site, device)} | self._rested(site, device)
        near = {other for other in near if (other > day if step > 0 else other < day)}
        return {(site, device, (min if step > 0 else max)(near))} if near else set()

    def _rested(self, site: str, device: str) -> set[date]:
        if (site, device) not in self._resting:
            found = select(ReadingDay.day).where(*of_device(self.regency, site, device))
            self._resting[site, device] = set(self._db.scalars(found))
        return self._resting[site, device]


def resting(db: Session, regency: str, place: DeviceDay, but: str = "", part: int | None = None) -> Iterator[Kept]:
    """Yield what rests of a device's day, of every box the site had that day except ``but``; of an OLT one hour."""
    for blob in _blobs(
        db, regency, place, ReadingDay.agent != but, *([] if part is None else [ReadingDay.part == part])
    ):
        yield from packing.unpack(blob)


def _blobs(db: Session, regency: str, place: DeviceDay, *only: ColumnElement[bool]) -> Iterable[bytes]:
    site, device, day = place
    packs = select(ReadingDay.packed).where(*of_device(regency, site, device), ReadingDay.day == day, *only)
    return db.scalars(packs)


def _texts(blobs: Iterable[bytes]) -> list[Shared]:
    return [text for blob in blobs for text in packing.texts(blob)]


def of_device(regency: str, site: str, device: str) -> tuple[ColumnElement[bool], ...]:
    """Return the condition that the packs of a device fulfil."""
    return (ReadingDay.regency == regency, ReadingDay.site == site, ReadingDay.device == device)


def slot_rows(key: dict[str, Any], series: Mapping[str, slots.Slots], start_ms: int) -> list[dict[str, Any]]:
    """Return the rows of one device's day of gauges."""
    return [key | {"series": name, "slots": slots.pack(values, start_ms)} for name, values in series.items()]


def _day_row(key: dict[str, Any], found: Mapping[int, Slot], gaps: bytes, start_ms: int) -> dict[str, Any]:
    total = traffic.summary(found, start_ms)
    return key | {
        "gaps": gaps, "rx_bytes": total.rx_bytes, "tx_bytes": total.tx_bytes,
        "covered_ms": total.covered_ms, "samples": total.samples, "flags": int(total.flags),
        "busiest_hour": total.busiest_hour, "busiest_bytes": total.busiest_bytes,
        "packed": traffic.pack_day(key["day"], total),
    }  # fmt: skip


def _hour_rows(key: dict[str, Any], found: Mapping[int, Slot], start_ms: int) -> list[dict[str, Any]]:
    return [
        key | {"hour": hour, "rx_bytes": min(one.rx_bytes, slots.MOST), "tx_bytes": min(one.tx_bytes, slots.MOST),
               "covered_seconds": one.covered_ms // 1000, "flags": int(one.flags)}
        for hour, one in traffic.hours(found, start_ms)
    ]  # fmt: skip
