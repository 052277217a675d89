"""Make days anew from the readings that rest: the same bytes as storing piece by piece gave.

Days whose readings are no longer kept stay as they are.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.devices.models import Site
from kampungnet.measurement import olt_days
from kampungnet.measurement.days import Days, DeviceDay, Rows, forget, mark_due, of_device, resting
from kampungnet.measurement.models import ReadingDay, SlotDay
from kampungnet.measurement.onu_slots import Olt

_VERSION: Final = (ReadingDay.day, ReadingDay.agent, ReadingDay.part, ReadingDay.readings, ReadingDay.last_sequence)


class ReadingsCame(Exception):
    """Readings were packed while their day was being made anew: do it once more."""


@dataclass(frozen=True, slots=True)
class Span:
    """Which days of which device."""

    regency: str
    site: str
    device: str
    first: date
    last: date
    is_olt: bool = False
    sites: frozenset[str] | None = None
    """Of an OLT: whose ONUs are wanted; ``None`` for all."""
    only_sights: bool = False
    """Of an OLT: what outages are judged from, and not the series."""


@dataclass
class Remade:
    """What will be written, and of which packs it was made."""

    span: Span
    rows: Rows = field(default_factory=Rows)
    days: list[DeviceDay] = field(default_factory=list)
    packs: list[tuple[Any, ...]] = field(default_factory=list)
    hours: olt_days.Hours = field(default_factory=olt_days.Hours)
    """Of an OLT's day: what will be laid over what is stored then."""


def spans(db: Session, first: date, last: date, village: str | None = None) -> list[Span]:
    """Return the devices with readings between two days, all or those of one village and the OLTs that see it."""
    chosen = (
        select(ReadingDay.regency, ReadingDay.site, ReadingDay.device)
        .join(Site, (Site.regency == ReadingDay.regency) & (Site.code == ReadingDay.site))
        .where(ReadingDay.day.between(first, last))
        .distinct()
        .order_by(ReadingDay.regency, ReadingDay.site, ReadingDay.device)
    )
    if village is not None:
        chosen = chosen.where(Site.village == village)
    olts = olt_days.olts(db)
    found = [Span(*row, first, last) for row in db.execute(chosen) if Olt(*row) not in olts]
    for olt, sites in olt_days.olts(db, village).items():
        found += _olt_spans(db, olt, sites, (first, last))
    return found


def _olt_spans(db: Session, olt: Olt, sites: frozenset[str] | None, days: tuple[date, date]) -> list[Span]:
    """Return an OLT's days, one by one because they are long.

    Outages are judged again until now, and with the day before: what the OLT saw on all those days is needed.
    """
    first, last = days
    kept = select(ReadingDay.day).where(*of_device(*olt), ReadingDay.day >= first - timedelta(days=1))
    return [
        Span(*olt, day, day, is_olt=True, sites=sites, only_sights=not first <= day <= last)
        for day in db.scalars(kept.distinct().order_by(ReadingDay.day))
    ]


def remake(db: Session, span: Span) -> Remade:
    """Fold the days of one device again; changes nothing."""
    made = Remade(span, packs=_packs(db, span))
    if span.is_olt:
        made.hours = _hours(db, span, sorted({pack[2] for pack in made.packs}))
        made.days = [] if span.only_sights else [(span.site, span.device, span.first)]
        return made
    with ThreadPoolExecutor(max_workers=1) as opener:  # decompressing needs nothing that others wait for
        days = Days(db, span.regency, opener=opener)
        for day in sorted({pack[0] for pack in made.packs}):
            place = (span.site, span.device, day)
            if not days.is_frayed(place):
                made.days.append(place)
                days.fold(place, made.rows)
    return made


def _hours(db: Session, span: Span, parts: list[int]) -> olt_days.Hours:
    place = (span.site, span.device, span.first)
    of_hours = ((part, resting(db, span.regency, place, part=part)) for part in parts)
    return olt_days.fold(db, Olt(span.regency, span.site, span.device), of_hours)


def write(db: Session, made: Remade) -> None:
    """Put remade days in the place of those that stand. Raises ``ReadingsCame`` when they are no longer the newest."""
    if _packs(db, made.span, lock=True) != made.packs:
        raise ReadingsCame
    if made.span.is_olt:
        _lay_over(db, made)
        return
    forget(db, made.span.regency, made.days)
    now_ms = clock.now_ms()
    made.rows.write(db, made.span.regency, now_ms)
    mark_due(db, made.span.regency, {(site, day.replace(day=1)) for site, _, day in made.days}, now_ms)


def _lay_over(db: Session, made: Remade) -> None:
    """Write what an OLT says over what is stored: other hours of the day may be of readings no longer kept."""
    span = made.span
    olt_days.lock(db, span.regency, span.first, made.hours)
    rows = olt_days.rows(db, span.regency, span.first, made.hours, span.sites)
    if span.only_sights:
        rows.of[SlotDay].clear()
    rows.write(db, span.regency, clock.now_ms())


def _packs(db: Session, span: Span, *, lock: bool = False) -> list[tuple[Any, ...]]:
    found = (
        select(*_VERSION)
        .where(ReadingDay.regency == span.regency, ReadingDay.site == span.site, ReadingDay.device == span.device)
        .where(ReadingDay.day.between(span.first, span.last))
        .order_by(ReadingDay.day, ReadingDay.agent, ReadingDay.part)
    )
    if lock:  # whoever packs meanwhile waits until we are done, and then folds the day once more
        found = found.with_for_update()
    return [tuple(row) for row in db.execute(found)]
