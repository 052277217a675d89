"""Add up what passed a site's line to its provider over local days: of all interfaces that were the line.

One router has one line at a time: when its WAN port changes, the slots of both are parts of one line. Two routers are
two lines at once: a slot is missing where either is missing (facts on billing 12).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.measurement import traffic, traffic_days
from kampungnet.measurement.ledger import Flag, Slot
from kampungnet.measurement.models import TrafficDay, TrafficHour
from kampungnet.measurement.month import Day, month
from kampungnet.measurement.month_facts import LineTraffic
from kampungnet.measurement.percentile import GapPolicy
from kampungnet.measurement.slots import SLOT_MS
from kampungnet.measurement.traffic_days import OfDevice

_DAY: Final = (
    TrafficDay.rx_bytes, TrafficDay.tx_bytes, TrafficDay.covered_ms, TrafficDay.samples, TrafficDay.flags,
    TrafficDay.busiest_hour, TrafficDay.busiest_bytes, TrafficDay.packed, TrafficDay.gaps,
)  # fmt: skip

Line = tuple[str, str]
"""Device and interface."""


class Days(NamedTuple):
    """Local days of a site, both included."""

    regency: str
    site: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class LineDay:
    """The interfaces that were a site's line on one local day."""

    day: date
    lines: Mapping[Line, Day]


def line_traffic(db: Session, asked: Days, named: Iterable[str] = ()) -> LineTraffic | None:
    """Add local days up; ``None`` where no interface was ever the line.

    ``named`` are lines that are known from elsewhere (``device/interface``): hours, which tell them, are kept for a
    shorter time than days.
    """
    zone = clock.zone_of(asked.regency)
    of_days = line_days(db, asked, frozenset(named))
    if not of_days:
        return None
    books: dict[int, dict[int, Slot]] = {}
    days = [next(iter(one.lines.values())) if len(one.lines) == 1 else _together(db, asked, one, books)
            for one in of_days]  # fmt: skip

    def opened(start_ms: int) -> Iterable[Slot]:
        if start_ms in books:
            return books[start_ms].values()
        one = next(one for one in of_days if clock.day_start_ms(one.day, zone) == start_ms)
        return slots_of(db, asked, one).values()

    period = clock.day_start_ms(asked.first, zone), clock.day_start_ms(asked.last + timedelta(days=1), zone)
    found, zero = (month(days, period, opened, policy) for policy in (GapPolicy.IGNORE, GapPolicy.ZERO))
    # A gap of one of several lines says nothing of the others.
    seen_ms = sum(day.covered_ms for day in days) if books else found.covered_ms
    return LineTraffic(
        tuple(sorted({f"{device}/{interface}" for one in of_days for device, interface in one.lines})),
        found.rx_bytes, found.tx_bytes, found.lower_bound or seen_ms < period[1] - period[0],
        found.samples, found.expected, found.rx_p95_bps, found.tx_p95_bps,
        zero.rx_p95_bps or 0, zero.tx_p95_bps or 0, found.busiest_hour_ms, found.busiest_bytes,
    )  # fmt: skip


def line_days(db: Session, asked: Days, named: frozenset[str] = frozenset()) -> list[LineDay]:
    """Return the stored days of a site's line, in order; ``named`` as for :func:`line_traffic`."""
    zone, lines = clock.zone_of(asked.regency), _lines(db, asked)
    rows = (
        select(TrafficDay.device, TrafficDay.interface, TrafficDay.day, *_DAY)
        .where(TrafficDay.regency == asked.regency, TrafficDay.site == asked.site)
        .where(TrafficDay.day.between(asked.first, asked.last))
    )
    found: dict[date, dict[Line, Day]] = defaultdict(dict)
    for device, interface, day, *numbers in db.connection().execute(rows):
        if (device, interface, day) in lines or (not lines and f"{device}/{interface}" in named):
            stored = Day(clock.day_start_ms(day, zone), *numbers)
            found[day][device, interface] = stored._replace(peaks=traffic.peaks_of(stored.peaks))
    return [LineDay(day, dict(sorted(found[day].items()))) for day in sorted(found)]


def _lines(db: Session, asked: Days) -> set[tuple[str, str, date]]:
    """Return the interfaces that were the line, by the day: only those have hours."""
    rows = (
        select(TrafficHour.device, TrafficHour.interface, TrafficHour.day)
        .where(TrafficHour.regency == asked.regency, TrafficHour.site == asked.site)
        .where(TrafficHour.day.between(asked.first, asked.last))
        .distinct()
    )
    return {(device, interface, day) for device, interface, day in db.execute(rows)}


def slots_of(db: Session, asked: Days, one: LineDay) -> dict[int, Slot]:
    """Return the five-minute slots of a site's line on one day, by their start."""
    by_device: dict[str, set[str]] = defaultdict(set)
    for device, interface in one.lines:
        by_device[device].add(interface)
    of_devices = []
    for device, interfaces in by_device.items():
        stored = traffic_days.stored(db, OfDevice(asked.regency, asked.site, device, one.day, one.day), interfaces)
        whole: dict[int, Slot] = {}
        for slots in stored.values():
            whole = traffic.merged(whole, slots)
        of_devices.append(whole)
    return of_devices[0] if len(one.lines) == 1 else _side_by_side(of_devices)


def _together(db: Session, asked: Days, one: LineDay, books: dict[int, dict[int, Slot]]) -> Day:
    """Make one day of several lines, and note its slots in ``books``."""
    start_ms = next(iter(one.lines.values())).start_ms
    book = books[start_ms] = slots_of(db, asked, one)
    total = traffic.summary(book, start_ms)
    gaps = [gap for day in one.lines.values() for gap in traffic.unpack_gaps(day.gaps)]
    return Day(
        start_ms, total.rx_bytes, total.tx_bytes, total.covered_ms, total.samples, int(total.flags),
        total.busiest_hour, total.busiest_bytes, total.peaks, traffic.pack_gaps(gaps),
    )  # fmt: skip


def _side_by_side(devices: list[dict[int, Slot]]) -> dict[int, Slot]:
    """Add devices slot by slot; covered is what all of them saw."""
    found = {}
    for at_ms in sorted({at_ms for one in devices for at_ms in one}):
        parts = [one.get(at_ms, Slot()) for one in devices]
        slot = Slot(sum(part.rx_bytes for part in parts), sum(part.tx_bytes for part in parts))
        slot.covered_ms = min(SLOT_MS, *(part.covered_ms for part in parts))
        for part in parts:
            slot.flags |= part.flags
        if not slot.is_sample:
            slot.flags |= Flag.PARTLY
        found[at_ms] = slot
    return found
