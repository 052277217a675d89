"""Keep the outages of each site in the database: judged again and again from its readings, idempotent.

Readings at rest are folded a day at a time and kept so, because a fold of a day costs a hundred times what it costs to
judge a month of them. Only sites with a box of their own are judged: a box elsewhere knows nothing of their power.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import blake2b
from typing import Any, Final

import msgspec
from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.rows import upsert
from kampungnet.devices.models import Agent, Device, Site
from kampungnet.measurement import packing, planned_work
from kampungnet.measurement.availability import Record
from kampungnet.measurement.boots import TimeQuality
from kampungnet.measurement.causes import judge
from kampungnet.measurement.evidence import Timeline, joined, timeline
from kampungnet.measurement.models import JudgedSite, LoggedOutage, ReadingDay, SightDay, YoungReading
from kampungnet.measurement.outage_words import Cause, Evidence, Horizon, Judgement, Outage, Span, Thresholds
from kampungnet.measurement.packing import Kept
from kampungnet.measurement.rulings import ruled, rulings
from kampungnet.measurement.sights import dim_levels
from kampungnet.measurement.slots import Timed

OPEN_DAYS: Final = 32
"""A month and a day stay open for late readings; what began before is final."""
EVERY_MS: Final = 270_000
"""A site is judged anew every five minutes, which is how long a silence must last to be one."""
_KEY: Final = ("regency", "site", "start_ms")
_TIMELINE: Final = msgspec.msgpack.Decoder(Timeline)
_EVIDENCE: Final = msgspec.json.Decoder(tuple[Evidence, ...])
_SPANS: Final = msgspec.json.Decoder(tuple[Span, ...])

Place = tuple[str, str]
"""Regency and site."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What judging a site will write."""

    place: Place
    now_ms: int
    evidence_from: date
    open_from_ms: int
    """Outages that began before stay as they are."""
    judgement: Judgement
    folded: list[dict[str, Any]] = field(default_factory=list)


def due(db: Session, now_ms: int, most: int) -> list[Place]:
    """Return sites with a box of their own that were not judged for five minutes, the longest waiting first."""
    last = func.coalesce(JudgedSite.judged_ms, 0)
    own = exists().where(Agent.regency == Site.regency, Agent.site == Site.code)
    of_site = (JudgedSite.regency == Site.regency) & (JudgedSite.site == Site.code)
    rows = (
        select(Site.regency, Site.code)
        .outerjoin(JudgedSite, of_site)
        .where(own, last <= now_ms - EVERY_MS)
        .order_by(last, Site.regency, Site.code)
        .limit(most)
    )
    return [(regency, site) for regency, site in db.execute(rows)]


def plan(db: Session, place: Place, now_ms: int) -> Judged:
    """Judge the open days of one site from all its readings; changes nothing."""
    zone = clock.zone_of(place[0])
    open_from = _open_from(db, place, now_ms, zone)
    evidence_from = open_from - timedelta(days=1)
    readings = _Readings(db, place, evidence_from)
    whole = joined(readings.parts())
    horizon = Horizon(now_ms, _settled_ms(db, place))
    found = judge(whole, horizon, Thresholds(zone=zone))
    return Judged(place, now_ms, evidence_from, clock.day_start_ms(open_from, zone), found, readings.folded)


def carry_out(db: Session, judged: Judged) -> None:
    """Write what was found in the place of what stood in the open days."""
    regency, site = judged.place
    if judged.folded:
        upsert(db, SightDay, judged.folded, ("regency", "site", "day"), ("packs", "timeline"))
    connection = db.connection()
    of_days = (SightDay.regency == regency, SightDay.site == site, SightDay.day < judged.evidence_from)
    connection.execute(delete(SightDay).where(*of_days))
    rows = {one.start_ms: _row(judged.place, one) for one in judged.judgement.outages
            if one.start_ms >= judged.open_from_ms}  # fmt: skip
    of_site = (LoggedOutage.regency == regency, LoggedOutage.site == site)
    gone = delete(LoggedOutage).where(*of_site, LoggedOutage.start_ms >= judged.open_from_ms)
    connection.execute(gone.where(LoggedOutage.start_ms.not_in(rows)))
    if rows:
        values = ("end_ms", "cause", "confidence", "evidence", "provisional")
        upsert(db, LoggedOutage, list(rows.values()), _KEY, values)
    unseen = msgspec.json.encode(judged.judgement.unseen).decode()
    site_row = {"regency": regency, "site": site, "judged_ms": judged.now_ms, "unseen": unseen}
    upsert(db, JudgedSite, [site_row], ("regency", "site"), ("judged_ms", "unseen"))


def outages(db: Session, place: Place, period: Span) -> list[Outage]:
    """Return the outages of a site that reach into a period, oldest first, with the causes that people ruled."""
    return ruled(judged_outages(db, place, period), rulings(db, place, period))


def judged_outages(db: Session, place: Place, period: Span) -> list[Outage]:
    """Return the same as the machines judged them."""
    rows = db.scalars(
        select(LoggedOutage)
        .where(LoggedOutage.regency == place[0], LoggedOutage.site == place[1])
        .where(
            LoggedOutage.start_ms < period.end_ms, func.coalesce(LoggedOutage.end_ms, period.end_ms) > period.start_ms
        )
        .order_by(LoggedOutage.start_ms)
    )
    return [
        Outage(row.start_ms, row.end_ms, Cause(row.cause), row.confidence, _EVIDENCE.decode(row.evidence),
               row.provisional)
        for row in rows
    ]  # fmt: skip


def record(db: Session, place: Place, period: Span) -> Record | None:
    """Return what is known of a site in a period; ``None`` when it was never judged.

    What came after the site was judged last is not known.
    """
    row = db.get(JudgedSite, place)
    if row is None:
        return None
    spans = [*_SPANS.decode(row.unseen), Span(row.judged_ms, period.end_ms)]
    cut = (Span(max(one.start_ms, period.start_ms), min(one.end_ms, period.end_ms)) for one in spans)
    seen = [one for one in cut if one.start_ms < one.end_ms]
    return Record(outages(db, place, period), seen, planned_work.windows(db, place, period))


def _open_from(db: Session, place: Place, now_ms: int, zone: str) -> date:
    """Return the first open day; an outage that reaches into the open days is open as a whole."""
    first = clock.local_day(now_ms, zone) - timedelta(days=OPEN_DAYS)
    found = judged_outages(db, place, Span(clock.day_start_ms(first, zone), now_ms))
    return min([first, *(clock.local_day(one.start_ms, zone) for one in found)])


def _settled_ms(db: Session, place: Place) -> int | None:
    """Return before when nothing waits on the site's boxes any more, as they said last; ``None`` when none reported."""
    boxes = db.execute(
        select(Agent.spool_readings, Agent.spool_oldest_ms, Agent.last_report_ms).where(
            Agent.regency == place[0], Agent.site == place[1], Agent.revoked_ms.is_(None)
        )
    )
    said = (oldest_ms if waiting else report_ms for waiting, oldest_ms, report_ms in boxes)
    return min((at_ms for at_ms in said if at_ms is not None), default=None)


class _Readings:
    """A site's readings from a day on, folded by the day; folds of whole packs are kept in ``folded``."""

    def __init__(self, db: Session, place: Place, first: date) -> None:
        self._db, self._place, self._first = db, place, first
        self._zone = clock.zone_of(place[0])
        self.folded: list[dict[str, Any]] = []
        own = select(Agent.id).where(Agent.regency == place[0], Agent.site == place[1])
        olts = select(Device.name).where(Device.regency == place[0], Device.site == place[1], Device.kind == "olt")
        self._own_packs = (
            ReadingDay.regency == place[0], ReadingDay.site == place[1], ReadingDay.day >= first,
            ReadingDay.agent.in_(own), ReadingDay.device.not_in(olts),
        )  # fmt: skip
        self._own_young = (
            YoungReading.regency == place[0], YoungReading.agent.in_(own), YoungReading.site == place[1],
            YoungReading.device.not_in(olts), YoungReading.time_quality > TimeQuality.UNKNOWN,
        )  # fmt: skip

    def parts(self) -> Iterator[Timeline]:
        """Yield timelines none of which reaches into another's time."""
        young, rested = self._young(), self._rested()
        for day in sorted({*young, *rested}):
            packed, fresh = rested.get(day), young.get(day, [])
            ends_ms = max((life.last_ms for life in packed.lives), default=0) if packed else 0
            if packed and fresh and min(one.taken_ms for one in fresh) <= ends_ms:
                # Late ones, or those of a second box: they belong between the readings at rest.
                yield _fold([*self._packed(day), *fresh])
                continue
            yield from (part for part in (packed, _fold(fresh)) if part)

    def _young(self) -> Mapping[date, list[Timed]]:
        found: dict[date, list[Timed]] = defaultdict(list)
        columns = (YoungReading.taken_ms, YoungReading.time_quality, YoungReading.payload)
        for row in self._db.execute(select(*columns).where(*self._own_young)):
            day = clock.local_day(row.taken_ms, self._zone)
            if day >= self._first:
                found[day].append(Kept(*row).timed())
        return found

    def _rested(self) -> dict[date, Timeline]:
        regency, site = self._place
        kept = select(SightDay.day, SightDay.packs, SightDay.timeline).where(
            SightDay.regency == regency, SightDay.site == site, SightDay.day >= self._first
        )
        known = {day: (packs, folded) for day, packs, folded in self._db.execute(kept)}
        found: dict[date, Timeline] = {}
        for day, packs in self._packs().items():
            if day in known and known[day][0] == packs:
                found[day] = _TIMELINE.decode(known[day][1])
                continue
            found[day] = _fold(self._packed(day))
            row = {"regency": regency, "site": site, "day": day, "packs": packs}
            self.folded.append(row | {"timeline": msgspec.msgpack.encode(found[day])})
        return found

    def _packs(self) -> dict[date, bytes]:
        """Return by day a hash of which packs it has."""
        version = (ReadingDay.device, ReadingDay.agent, ReadingDay.part, ReadingDay.readings, ReadingDay.last_sequence)
        of_day: dict[date, list[Any]] = defaultdict(list)
        for day, *pack in self._db.execute(select(ReadingDay.day, *version).where(*self._own_packs)):
            of_day[day].append(pack)
        return {day: blake2b(repr(sorted(packs)).encode(), digest_size=16).digest() for day, packs in of_day.items()}

    def _packed(self, day: date) -> list[Timed]:
        blobs = self._db.scalars(select(ReadingDay.packed).where(*self._own_packs, ReadingDay.day == day))
        kept = (one for blob in blobs for one in packing.unpack(blob))
        return [one.timed() for one in kept if one.time_quality > TimeQuality.UNKNOWN]


def _fold(readings: Iterable[Timed]) -> Timeline:
    known = list(readings)
    return timeline(known, dim_levels(known))


def _row(place: Place, outage: Outage) -> dict[str, Any]:
    return {
        "regency": place[0], "site": place[1], "start_ms": outage.start_ms, "end_ms": outage.end_ms,
        "cause": outage.cause.value, "confidence": outage.confidence,
        "evidence": msgspec.json.encode(outage.evidence).decode(), "provisional": outage.provisional,
    }  # fmt: skip
