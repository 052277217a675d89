"""Add months up from their days, close them, and note as corrections what comes later.

A month is added up whenever one of its days changed. Who deletes its row of ``months_due`` does it in the same
transaction, so that any number of server processes do it once. Days need no closing: a day is what its readings say
until its month is closed.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import ColumnElement, CursorResult, Row, Select, delete, exists, func, insert, select, update
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.rows import joined, upsert
from kampungnet.measurement import service_months, traffic_days
from kampungnet.measurement.ledger import Slot
from kampungnet.measurement.models import MonthDue, TrafficCorrection, TrafficDay, TrafficMonth
from kampungnet.measurement.month import Columns, Month, has_gaps, month, month_of, unpacked
from kampungnet.measurement.traffic_days import OfDevice
from kampungnet.villages.models import Regency

CLOSE_MS: Final = 5 * clock.DAY_MS
"""How long after its end a month waits for what boxes still have in their spools (setting)."""
_AT_ONCE: Final = 20
"""So many lines' months are in memory: 21 kB each, and a regency has hundreds."""
_LINE: Final = (TrafficDay.site, TrafficDay.device, TrafficDay.interface)
_CORRECTED: Final = ("rx_bytes", "tx_bytes", "covered_ms", "samples", "rx_p95_bps", "tx_p95_bps")
_KEY: Final = ("regency", "site", "device", "interface", "month")

Due = tuple[str, str, date]
"""Regency, site, first day of a month."""
Line = tuple[str, str, str]
"""Site, device and interface."""


def dues(db: Session) -> list[Due]:
    """Return the months that must be added up."""
    rows = db.execute(select(MonthDue.regency, MonthDue.site, MonthDue.month).order_by(MonthDue.month))
    return [(regency, site, first) for regency, site, first in rows]


def last_day(first: date) -> date:
    """Return the last day of the month that begins on ``first``."""
    return (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def period_ms(first: date, zone: str) -> tuple[int, int]:
    """Return when the local month that begins on ``first`` begins (included) and ends (excluded)."""
    return clock.day_start_ms(first, zone), clock.day_start_ms(last_day(first) + timedelta(days=1), zone)


def add_up(db: Session, due: Due, now_ms: int) -> bool:
    """Add one month of one site up, unless somebody else did it meanwhile; return whether we did."""
    regency, site, first = due
    claimed: CursorResult[Any] = db.connection().execute(
        delete(MonthDue).where(MonthDue.regency == regency, MonthDue.site == site, MonthDue.month == first)
    )
    if claimed.rowcount != 1:
        return False
    found = months_of(db, regency, first, site)
    here = (TrafficMonth.regency == regency, TrafficMonth.site == site, TrafficMonth.month == first)
    known = {(site, one.device, one.interface): one for one in db.scalars(select(TrafficMonth).where(*here))}
    is_closed = any(one.closed_ms is not None for one in known.values())
    for line in sorted({*found, *known}):
        key = dict(zip(_KEY, (regency, *line, first), strict=True))
        now = found.get(line, _empty(first, regency))
        if not is_closed:
            _replace(db, key, now)
            continue
        if line not in known:
            row = key | asdict(_empty(first, regency)) | {"closed_ms": now_ms}
            db.connection().execute(insert(TrafficMonth).values(row | {"flags": 0}))
        _correct(db, key, now, now_ms)
    service_months.correct(db, (regency, site), first, now_ms)
    return True


def months_of(db: Session, regency: str, first: date, site: str | None = None) -> dict[Line, Month]:
    """Add up a month of every interface of a regency, or of one site, from its days; changes nothing."""
    zone = clock.zone_of(regency)
    last = last_day(first)
    starts = {day.toordinal(): clock.day_start_ms(day, zone) for day in clock.days_between(first, last)}
    span = [TrafficDay.regency == regency, TrafficDay.day.between(first, last)]
    if site is not None:
        span.append(TrafficDay.site == site)
    period, found = period_ms(first, zone), {}
    with_gaps: dict[Line, Columns] = {}
    for *names, packed in db.execute(_days_by_line(db, span), execution_options={"yield_per": _AT_ONCE}):
        line, days = (names[0], names[1], names[2]), unpacked(packed, starts)
        if has_gaps(days):
            with_gaps[line] = days
        else:
            found[line] = month_of(days, period, partial(_slots_of, db, regency, line))
    gaps: dict[Line, list[bytes]] = defaultdict(list)
    if with_gaps:
        for *names, packed in db.execute(select(*_LINE, TrafficDay.gaps).where(*span, TrafficDay.gaps != b"")):
            gaps[names[0], names[1], names[2]].append(packed)
    for line, days in with_gaps.items():
        found[line] = month_of(days._replace(gaps=gaps[line]), period, partial(_slots_of, db, regency, line))
    return found


def _days_by_line(db: Session, span: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """Ask for the days of each line, packed and in one value: as rows of Python's they cost as much as all the rest.

    Which lines there are, an index tells; grouped by their names, the days themselves would be sorted first.
    """
    line = select(*_LINE).where(*span).distinct().subquery()
    of_line = (TrafficDay.site == line.c.site, TrafficDay.device == line.c.device,
               TrafficDay.interface == line.c.interface)  # fmt: skip
    return select(line, select(joined(db, TrafficDay.packed)).where(*span, *of_line).scalar_subquery())


def _slots_of(db: Session, regency: str, line: Line, start_ms: int) -> Iterable[Slot]:
    site, device, interface = line
    local_day = clock.local_day(start_ms, clock.zone_of(regency))
    of_device = OfDevice(regency, site, device, local_day, local_day)
    return traffic_days.stored(db, of_device, {interface}).get(interface, {}).values()


def close(db: Session, now_ms: int, wait_ms: int = CLOSE_MS) -> int:
    """Close the months that ended long enough ago and are added up; return how many rows that were."""
    number = 0
    for regency in db.scalars(select(Regency.code)):
        border = clock.local_day(now_ms - wait_ms, clock.zone_of(regency)).replace(day=1)
        due = exists().where(
            MonthDue.regency == TrafficMonth.regency, MonthDue.site == TrafficMonth.site,
            MonthDue.month == TrafficMonth.month,
        )  # fmt: skip
        ended = update(TrafficMonth).where(TrafficMonth.regency == regency, TrafficMonth.month < border)
        still_open = ended.where(TrafficMonth.closed_ms.is_(None), ~due)
        number += db.connection().execute(still_open.values(closed_ms=now_ms)).rowcount
    return number


def oldest_open(db: Session) -> date | None:
    """Return the first day of the oldest month that is open or must be added up."""
    open_months = select(func.min(TrafficMonth.month)).where(TrafficMonth.closed_ms.is_(None))
    found = (db.scalar(open_months), db.scalar(select(func.min(MonthDue.month))))
    return min((one for one in found if one is not None), default=None)


def _empty(first: date, regency: str) -> Month:
    return month([], period_ms(first, clock.zone_of(regency)), lambda _: ())


def _replace(db: Session, key: dict[str, Any], now: Month) -> None:
    row = key | asdict(now) | {"flags": int(now.flags), "closed_ms": None}
    upsert(db, TrafficMonth, [row], _KEY, tuple(name for name in row if name not in _KEY))


def _correct(db: Session, key: dict[str, Any], now: Month, now_ms: int) -> None:
    """Note the difference of the whole month to what was said of it until now: rounded once, in the rates."""
    of_month = [getattr(TrafficMonth, name) == value for name, value in key.items()]
    of_late = [getattr(TrafficCorrection, name) == value for name, value in key.items()]
    said: Row[Any] = db.execute(select(*(getattr(TrafficMonth, name) for name in _CORRECTED)).where(*of_month)).one()
    sums = [func.coalesce(func.sum(getattr(TrafficCorrection, name)), 0) for name in _CORRECTED]
    number, *late = db.execute(select(func.count(), *sums).where(*of_late)).one()
    difference = {
        name: (getattr(now, name) or 0) - (said[place] or 0) - int(late[place])
        for place, name in enumerate(_CORRECTED)
    }  # fmt: skip
    if any(difference.values()):
        row = key | {"number": number + 1, "noted_ms": now_ms, "lower_bound": now.lower_bound} | difference
        db.connection().execute(insert(TrafficCorrection).values(row))
