"""What a total of traffic was added up from: the days of a site's line, their slots, and the counters as received.

The way back from a statement to the router: an auditor follows a sum down to what the router itself counted.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.measurement import service, site_traffic
from kampungnet.measurement.boots import TimeQuality
from kampungnet.measurement.days import resting
from kampungnet.measurement.models import ReadingDay
from kampungnet.measurement.outage_words import Span
from kampungnet.measurement.packing import Kept
from kampungnet.measurement.percentile import SLOT_SECONDS
from kampungnet.measurement.site_traffic import Days, LineDay
from kampungnet.measurement.slots import SLOT_MS
from kampungnet.shared import wire

NEIGHBOUR_MS: Final = 2 * SLOT_MS
"""How far before a stretch the reading is looked for from which its first bytes are counted."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One poll of a router: when (repaired, ms), how it ended, and what the counters of its line stood at."""

    at_ms: int
    is_sure: bool
    """False: the box's own clock, or one estimated from when a report arrived."""
    outcome: wire.Outcome
    uptime_seconds: int | None
    rx_bytes: int | None
    tx_bytes: int | None


def slot_of_rate(db: Session, asked: Days, days: Iterable[LineDay], rate_bps: int, *, received: bool) -> int | None:
    """Return when the first fully seen slot of exactly this rate began: where a percentile was measured."""
    for one in days:
        for at_ms, slot in site_traffic.slots_of(db, asked, one).items():
            moved = slot.rx_bytes if received else slot.tx_bytes
            if slot.is_sample and moved * 8 // SLOT_SECONDS == rate_bps:
                return at_ms
    return None


def visits(db: Session, place: service.Place, interface: str, span: Span) -> list[Visit]:
    """Return the polls of a router in a stretch as they were received, and the last one before it."""
    told = sorted({_visit(one, interface) for one in _kept(db, place, span)}, key=lambda one: one.at_ms)
    before = [one for one in told if one.at_ms < span.start_ms]
    return [*before[-1:], *(one for one in told if one.at_ms >= span.start_ms)]


def _kept(db: Session, place: service.Place, span: Span) -> Iterator[Kept]:
    zone, first_ms = clock.zone_of(place.regency), span.start_ms - NEIGHBOUR_MS
    days = {clock.local_day(at_ms, zone) for at_ms in (first_ms, span.start_ms, span.end_ms - 1)}
    packed = (resting(db, place.regency, (place.site, place.device, day)) for day in sorted(days))
    for one in chain(chain.from_iterable(packed), service.young(db, place)):
        if first_ms <= one.taken_ms < span.end_ms and one.time_quality > TimeQuality.UNKNOWN:
            yield one


def _visit(kept: Kept, interface: str) -> Visit:
    reading = kept.reading()
    body = reading.body
    counters = body.interfaces if isinstance(body, wire.RouterBody) else ()
    counter = next((one for one in counters if one.interface == interface), None)
    moved = (counter.rx_bytes, counter.tx_bytes) if counter else (None, None)
    sure = kept.time_quality == TimeQuality.SYNCHRONISED
    return Visit(kept.taken_ms, sure, reading.outcome, reading.device_uptime_seconds, *moved)


def oldest_reading(db: Session, place: service.Place) -> date | None:
    """Return the first day of which readings of a device are still kept."""
    here = (ReadingDay.regency == place.regency, ReadingDay.site == place.site, ReadingDay.device == place.device)
    return db.scalar(select(ReadingDay.day).where(*here).order_by(ReadingDay.day).limit(1))
