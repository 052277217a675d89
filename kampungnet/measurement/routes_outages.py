"""Outages and availability for programs: JSON with the same sign-in and the same view as the pages."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Path, Response

from kampungnet.core import clock
from kampungnet.core.errors import Unprocessable
from kampungnet.core.web import DATA_PREFIX, Reads
from kampungnet.measurement import holidays, outage_log, summary
from kampungnet.measurement.availability import Availability, availability, percent
from kampungnet.measurement.outage_words import Outage, Span
from kampungnet.measurement.routes_ledger import MOST_DAYS, First, Last, SeenSites
from kampungnet.measurement.workdays import office_hours

MONTH: Final = "^20[2-9][0-9]-(0[1-9]|1[0-2])$"
_ENCODER: Final = msgspec.json.Encoder()

router = APIRouter(prefix=f"{DATA_PREFIX}v1/villages/{{code}}", tags=["outages"])


@dataclass(frozen=True, slots=True)
class EvidenceOut:
    """One thing that was seen, and when first."""

    at: str
    what: str
    number: int


@dataclass(frozen=True, slots=True)
class RuledOut:
    """That a person set the cause, and what had been judged."""

    judged_cause: str
    made_by: str
    reason: str
    at: str


@dataclass(frozen=True, slots=True)
class OutageOut:
    """One stretch without service. ``proven`` is false where only silence speaks for it: that is unknown time."""

    site: str
    start: str
    end: str | None
    cause: str
    confidence: float
    proven: bool
    provisional: bool
    evidence: list[EvidenceOut]
    ruled: RuledOut | None


@dataclass(frozen=True, slots=True)
class ShareOut:
    """Whole seconds of a period, each in one class; ``percent`` of what is neither planned nor unknown."""

    seconds: int
    up: int
    planned: int
    unknown: int
    down_by_cause: dict[str, int]
    percent: float | None


@dataclass(frozen=True, slots=True)
class AvailabilityOut:
    """A site from the first day's midnight to the last one's, or up to now."""

    site: str
    whole: ShareOut
    office_hours: ShareOut
    """07.00 to 15.00 (setting), Monday to Friday without listed holidays."""


@router.get("/outages", summary="Outages that reach into local days, with cause and evidence")
def outages(db: Reads, sites: SeenSites, first: First, last: Last) -> list[OutageOut]:
    """Return the outages of each site, oldest first."""
    period = _period(first, last, sites.zone)
    return [
        _outage(site, one, sites.zone)
        for site in sites.codes
        for one in outage_log.outages(db, (sites.regency, site), period)
    ]


@router.get("/availability", summary="Availability over local days, however long ago")
def shares(db: Reads, sites: SeenSites, first: First, last: Last) -> list[AvailabilityOut]:
    """Return one entry for each site that was ever judged. A day from before it was is unknown."""
    now_ms, zone = clock.now_ms(), sites.zone
    whole = _period(first, last, zone)
    if whole.start_ms >= now_ms:
        raise Unprocessable("Ask for days that have begun.")
    hours = holidays.office_hours_of(db, sites.regency, first, last)
    period = Span(whole.start_ms, min(whole.end_ms, now_ms))
    found = []
    for site in sites.codes:
        record = outage_log.record(db, (sites.regency, site), period)
        if record is not None:
            office = availability(office_hours(period, zone, hours), record)
            found.append(AvailabilityOut(site, _share(availability([period], record)), _share(office)))
    return found


@router.get("/months/{month}", summary="All that is known of a local month, as statements take it")
def month(db: Reads, sites: SeenSites, month: Annotated[str, Path(pattern=MONTH, examples=["2026-07"])]) -> Response:
    """Return one entry for each site; of a closed month what stood, and its corrections beside it.

    Instants are ms since 1970 UTC, rates bits a second, ``rx`` is what the village received.
    """
    now_ms, first = clock.now_ms(), date.fromisoformat(f"{month}-01")
    if clock.day_start_ms(first, sites.zone) >= now_ms:
        raise Unprocessable("Ask for a month that has begun.")
    found = [summary.summary(db, (sites.regency, site), first, now_ms) for site in sites.codes]
    return Response(_ENCODER.encode(found), media_type="application/json")


def _period(first: date, last: date, zone: str) -> Span:
    if not 0 <= (last - first).days < MOST_DAYS:
        raise Unprocessable("Ask for at most 400 days, the first one first.")
    return Span(clock.day_start_ms(first, zone), clock.day_start_ms(last, zone) + clock.DAY_MS)


def _outage(site: str, one: Outage, zone: str) -> OutageOut:
    seen = [EvidenceOut(_local(part.at_ms, zone), part.what, part.number) for part in one.evidence]
    end = None if one.end_ms is None else _local(one.end_ms, zone)
    word = one.ruled
    ruled = RuledOut(word.judged, word.made_by, word.reason, _local(word.made_ms, zone)) if word else None
    return OutageOut(
        site, _local(one.start_ms, zone), end, one.cause, one.confidence, one.is_proven, one.provisional, seen, ruled
    )


def _share(found: Availability) -> ShareOut:
    down = {cause.value: seconds for cause, seconds in found.down_by_cause.items()}
    share = None if found.share is None else float(percent(found.share))
    return ShareOut(found.seconds, found.up, found.planned, found.unknown, down, share)


def _local(at_ms: int, zone: str) -> str:
    return clock.local(at_ms, zone).isoformat()
