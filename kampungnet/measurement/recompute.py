"""Make days anew from the readings that rest: the same bytes as storing piece by piece gave.

Days whose readings are no longer kept stay as they are.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.devices.models import Device, Site
from kampungnet.measurement.days import Days, DeviceDay, Rows, forget, mark_due
from kampungnet.measurement.models import ReadingDay

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


@dataclass
class Remade:
    """What will be written, and of which packs it was made."""

    span: Span
    rows: Rows = field(default_factory=Rows)
    days: list[DeviceDay] = field(default_factory=list)
    packs: list[tuple[Any, ...]] = field(default_factory=list)


def spans(db: Session, first: date, last: date, village: str | None = None) -> list[Span]:
    """Return the devices with readings between two days; not OLTs, whose readings are folded by the hour."""
    chosen = (
        select(ReadingDay.regency, ReadingDay.site, ReadingDay.device)
        .join(Site, (Site.regency == ReadingDay.regency) & (Site.code == ReadingDay.site))
        .where(ReadingDay.day.between(first, last))
        .distinct()
        .order_by(ReadingDay.regency, ReadingDay.site, ReadingDay.device)
    )
    if village is not None:
        chosen = chosen.where(Site.village == village)
    of_olts = select(Device.regency, Device.site, Device.name).where(Device.kind == "olt")
    olts = {tuple(row) for row in db.execute(of_olts)}
    rows = [(regency, site, device) for regency, site, device in db.execute(chosen)]
    return [Span(*row, first, last) for row in rows if row not in olts]


def remake(db: Session, span: Span) -> Remade:
    """Fold the days of one device again; changes nothing."""
    made = Remade(span, packs=_packs(db, span))
    days = Days(db, span.regency)
    for day in sorted({pack[0] for pack in made.packs}):
        place = (span.site, span.device, day)
        if not days.is_frayed(place):
            made.days.append(place)
            days.fold(place, made.rows)
    return made


def write(db: Session, made: Remade) -> None:
    """Put remade days in the place of those that stand. Raises ``ReadingsCame`` when they are no longer the newest."""
    if _packs(db, made.span, lock=True) != made.packs:
        raise ReadingsCame
    forget(db, made.span.regency, made.days)
    now_ms = clock.now_ms()
    made.rows.write(db, made.span.regency, now_ms)
    mark_due(db, made.span.regency, {(site, day.replace(day=1)) for site, _, day in made.days}, now_ms)


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
