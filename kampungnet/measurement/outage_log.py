"""Keep the outages of each site in the database: judged again and again from its readings, idempotent.

Readings at rest are folded a day at a time and kept so, because a fold of a day costs a hundred times what it costs to
judge a month of them. A site is judged from what its own boxes saw and what an OLT saw of its ONUs; where no box
stands, from the OLT alone. What else a box elsewhere polled tells nothing of the site's power.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.rows import upsert
from kampungnet.devices.models import Agent, AssignedOnu, Device, Site
from kampungnet.measurement import installation, onu_sights, packing, planned_work, unseen_days
from kampungnet.measurement.availability import Record
from kampungnet.measurement.boots import TimeQuality
from kampungnet.measurement.causes import judge
from kampungnet.measurement.closed_months import days_of, look_again
from kampungnet.measurement.evidence import Timeline, joined, timeline
from kampungnet.measurement.models import ReadingDay, YoungReading
from kampungnet.measurement.neighbours import JUDGED, neighbours, outage_of
from kampungnet.measurement.outage_models import JudgedSite, LoggedOutage, SightDay
from kampungnet.measurement.outage_words import Horizon, Judgement, Outage, Span
from kampungnet.measurement.packing import Kept
from kampungnet.measurement.rulings import reach, ruled, rulings, rulings_by_site
from kampungnet.measurement.sights import dim_levels
from kampungnet.measurement.slots import Timed

OPEN_DAYS: Final = 32
"""A month and a day stay open for late readings; what began before is final."""
EVERY_MS: Final = 270_000
"""A site is judged anew every five minutes, which is how long a silence must last to be one."""
FIRST_DAYS: Final = 400
"""A site that was never judged is judged from its oldest reading on, but no further back."""
_SITE: Final = ("regency", "site")
_KEY: Final = (*_SITE, "start_ms")
_COLUMNS: Final = (LoggedOutage.regency, LoggedOutage.site, *JUDGED)
_TIMELINE: Final = msgspec.msgpack.Decoder(Timeline)

Place = tuple[str, str]
"""Regency and site."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What judging a site will write."""

    place: Place
    evidence_from: date
    period: Span
    """The open days up to now. Outages that began before stay as they are."""
    judgement: Judgement
    folded: list[dict[str, Any]]
    since: date
    first_service_ms: int | None


def due(db: Session, now_ms: int, most: int) -> list[Place]:
    """Return sites that a box of their own or an OLT tells of and that were not judged for five minutes.

    The longest waiting come first.
    """
    last = func.coalesce(JudgedSite.judged_ms, 0)
    of_site = (JudgedSite.regency == Site.regency) & (JudgedSite.site == Site.code)
    rows = (
        select(Site.regency, Site.code)
        .outerjoin(JudgedSite, of_site)
        .where(_is_told_of(), last <= now_ms - EVERY_MS)
        .order_by(last, Site.regency, Site.code)
        .limit(most)
    )
    return [(regency, site) for regency, site in db.execute(rows)]


def told_of(db: Session, village: str | None = None) -> list[Place]:
    """Return the sites that a box of their own or an OLT tells of, all or those of one village."""
    rows = select(Site.regency, Site.code).where(_is_told_of()).order_by(Site.regency, Site.code)
    if village is not None:
        rows = rows.where(Site.village == village)
    return [(regency, site) for regency, site in db.execute(rows)]


def _is_told_of() -> ColumnElement[bool]:
    own = exists().where(Agent.regency == Site.regency, Agent.site == Site.code)
    of_onu = (AssignedOnu.regency == Site.regency, AssignedOnu.site == Site.code, AssignedOnu.olt_site != "")
    return own | exists().where(*of_onu)


def plan(
    db: Session, place: Place, now_ms: int, young: onu_sights.Young | None = None, anew: date | None = None
) -> Judged:
    """Judge the open days of one site from all its readings; changes nothing.

    ``young`` is shared by the sites of one round: the OLTs' young readings are opened once for all.
    From ``anew`` on days are judged again though they are final, and folded again, as far back as readings are kept.
    """
    zone = clock.zone_of(place[0])
    known = db.get(JudgedSite, place)
    open_from = _open_from(db, place, now_ms, known)
    if anew is not None and known is not None:
        open_from = min(open_from, _readable_from(db, place, anew, known.since))
    open_from_ms = clock.day_start_ms(open_from, zone)
    evidence_from = open_from - timedelta(days=1)
    readings = _Readings(db, place, evidence_from, anew or date.max)
    by_olt = onu_sights.seen_of(db, place, evidence_from, young or onu_sights.Young())
    whole = joined([*readings.parts(), by_olt])
    horizon = Horizon(now_ms, onu_sights.settled_ms(db, place))
    thresholds = installation.thresholds(zone)
    alone = judge(whole, horizon, thresholds)
    near = neighbours(db, place, alone.outages)
    found = judge(whole, horizon, thresholds, near) if near else alone
    first_ms = known.first_service_ms if known else None
    if first_ms is None or first_ms >= open_from_ms:
        first_ms = first_service_ms(found, Span(open_from_ms, now_ms))
    since = min(known.since, open_from) if known else open_from
    return Judged(place, evidence_from, Span(open_from_ms, now_ms), found, readings.folded, since, first_ms)


def carry_out(db: Session, judged: Judged) -> None:
    """Write what was found in the place of what stood in the open days, unless a later judgement stands there."""
    regency, site = judged.place
    row = {"regency": regency, "site": site, "judged_ms": judged.period.end_ms, "since": judged.since,
           "first_service_ms": judged.first_service_ms}  # fmt: skip
    # First of all: whoever judges the same site at the same time waits here.
    upsert(db, JudgedSite, [row], _SITE, ("judged_ms", "since", "first_service_ms"), "judged_ms")
    of_site = (JudgedSite.regency == regency, JudgedSite.site == site)
    if db.scalar(select(JudgedSite.judged_ms).where(*of_site)) != judged.period.end_ms:
        return
    if judged.folded:
        upsert(db, SightDay, judged.folded, ("regency", "site", "day"), ("packs", "timeline"))
    connection = db.connection()
    of_days = (SightDay.regency == regency, SightDay.site == site, SightDay.day < judged.evidence_from)
    connection.execute(delete(SightDay).where(*of_days))
    onu_sights.forget(db, judged.place, judged.evidence_from)
    changed = _write_outages(db, judged) | unseen_days.write(db, judged.place, judged.judgement.unseen, judged.period)
    look_again(db, judged.place, changed, judged.period.end_ms)


def _write_outages(db: Session, judged: Judged) -> set[date]:
    """Write the outages that are new or not as they were; return the local days they touch."""
    regency, site = judged.place
    rows = {one.start_ms: row_of(judged.place, one) for one in judged.judgement.outages
            if one.start_ms >= judged.period.start_ms}  # fmt: skip
    open_ones = (
        LoggedOutage.regency == regency, LoggedOutage.site == site,
        LoggedOutage.start_ms >= judged.period.start_ms,
    )  # fmt: skip
    connection = db.connection()
    old = {one.start_ms: dict(one._mapping) for one in connection.execute(select(*_COLUMNS).where(*open_ones))}
    gone = old.keys() - rows.keys()
    if gone:
        connection.execute(delete(LoggedOutage).where(*open_ones, LoggedOutage.start_ms.in_(gone)))
    new = [row for start_ms, row in rows.items() if old.get(start_ms) != row]
    if new:
        upsert(db, LoggedOutage, new, _KEY, tuple(name for name in new[0] if name not in _KEY))
    changed = [*(old[start_ms] for start_ms in gone), *new, *(old.get(row["start_ms"], row) for row in new)]
    spans = (Span(one["start_ms"], one["end_ms"] or judged.period.end_ms) for one in changed)
    return {day for span in spans for day in days_of(span, clock.zone_of(regency))}


def first_service_ms(judgement: Judgement, period: Span) -> int | None:
    """Return the first instant of a period that was seen and was within no outage; ``None`` without any."""
    lost = [Span(one.start_ms, period.end_ms if one.end_ms is None else one.end_ms) for one in judgement.outages]
    at_ms = period.start_ms
    for one in unseen_days.united([*judgement.unseen, *lost], period):
        if one.start_ms > at_ms:
            break
        at_ms = one.end_ms
    return at_ms if at_ms < period.end_ms else None


def outages(db: Session, place: Place, period: Span) -> list[Outage]:
    """Return the outages of a site that reach into a period, oldest first, with the causes that people ruled."""
    found = judged_outages(db, place, period)
    return ruled(found, rulings(db, place, reach(found, period)))


def judged_outages(db: Session, place: Place, period: Span) -> list[Outage]:
    """Return the same as the machines judged them."""
    rows = db.execute(
        select(*JUDGED)
        .where(LoggedOutage.regency == place[0], LoggedOutage.site == place[1])
        .where(
            LoggedOutage.start_ms < period.end_ms, func.coalesce(LoggedOutage.end_ms, period.end_ms) > period.start_ms
        )
        .order_by(LoggedOutage.start_ms)
    )
    return [outage_of(row) for row in rows]


def of_regency(db: Session, regency: str, period: Span) -> dict[str, list[Outage]]:
    """Return the outages of all sites of a regency that reach into a period, with the causes that people ruled."""
    reaches = func.coalesce(LoggedOutage.end_ms, period.end_ms) > period.start_ms
    rows = db.execute(
        select(LoggedOutage.site, *JUDGED)
        .where(LoggedOutage.regency == regency, LoggedOutage.start_ms < period.end_ms, reaches)
        .order_by(LoggedOutage.site, LoggedOutage.start_ms)
    )
    found: dict[str, list[Outage]] = defaultdict(list)
    for site, *judged in rows:
        found[site].append(outage_of(judged))
    said = rulings_by_site(db, regency, reach([one for of_site in found.values() for one in of_site], period))
    return {site: ruled(outages, said.get(site, ())) for site, outages in found.items()}


def record(db: Session, place: Place, period: Span) -> Record | None:
    """Return what is known of a site in a period; ``None`` when it was never judged.

    What came after the site was judged last is not known.
    """
    row = db.get(JudgedSite, place)
    if row is None:
        return None
    began_ms = clock.day_start_ms(row.since, clock.zone_of(place[0]))
    unknown = [Span(period.start_ms, began_ms), Span(row.judged_ms, period.end_ms)]
    unseen = unseen_days.united([*unseen_days.read(db, place, period), *unknown], period)
    return Record(outages(db, place, period), unseen, planned_work.windows(db, place, period))


def _open_from(db: Session, place: Place, now_ms: int, known: JudgedSite | None) -> date:
    """Return the first open day. No day is left out: neither while the server stood still, nor before it knew the site.

    An outage that reaches into the open days is open as a whole.
    """
    zone = clock.zone_of(place[0])
    today = clock.local_day(now_ms, zone)
    first = today - timedelta(days=OPEN_DAYS)
    if known is not None:
        first = min(first, clock.local_day(known.judged_ms, zone))
    else:
        of_site = (ReadingDay.regency == place[0], ReadingDay.site == place[1])
        oldest = (*of_site, ReadingDay.day >= today - timedelta(days=FIRST_DAYS))
        first = min(first, db.scalar(select(func.min(ReadingDay.day)).where(*oldest)) or first)
    found = judged_outages(db, place, Span(clock.day_start_ms(first, zone), now_ms))
    return min([first, *(clock.local_day(one.start_ms, zone) for one in found)])


def _readable_from(db: Session, place: Place, wanted: date, since: date) -> date:
    """Return the first day from ``wanted`` on that can be judged again: of it and of the day before all is kept.

    That is what its own boxes and the OLTs that see it packed; an OLT of which nothing is kept makes it none.
    """
    tellers: list[tuple[ColumnElement[bool], ...]] = [(ReadingDay.site == place[1],)]
    tellers += [(ReadingDay.site == olt.site, ReadingDay.device == olt.device) for olt in onu_sights.olts_of(db, place)]
    begins = [db.scalar(select(func.min(ReadingDay.day)).where(ReadingDay.regency == place[0], *teller))
              for teller in tellers]  # fmt: skip
    if None in begins[1:] or not any(begins):
        return date.max
    oldest = max(day for day in begins if day is not None)
    zone, one_day = clock.zone_of(place[0]), timedelta(days=1)
    first = max(wanted, since if oldest <= since else oldest + one_day)
    first_ms = clock.day_start_ms(first, zone)
    for one in judged_outages(db, place, Span(first_ms, first_ms + 1)):
        began = clock.local_day(one.start_ms, zone)
        if began > oldest:
            first = min(first, began)
        else:  # nobody can tell any more how it began: it stays as it is
            return date.max if one.end_ms is None else clock.local_day(one.end_ms, zone) + one_day
    return first


class _Readings:
    """A site's readings from a day on, folded by the day; folds of whole packs are kept in ``folded``.

    Those that are kept already are used for days before ``anew``.
    """

    def __init__(self, db: Session, place: Place, first: date, anew: date) -> None:
        self._db, self._place, self._first, self._anew = db, place, first, anew
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
        present = self._packs()
        # A fold outlives its readings: an outage that lasts for months is judged from when it began.
        found = {day: _TIMELINE.decode(folded) for day, (_, folded) in known.items() if day not in present}
        for day, packs in present.items():
            if day < self._anew and day in known and known[day][0] == packs:
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


def row_of(place: Place, outage: Outage) -> dict[str, Any]:
    """Return an outage of a site as it stands in the table."""
    return {
        "regency": place[0], "site": place[1], "start_ms": outage.start_ms, "end_ms": outage.end_ms,
        "cause": outage.cause.value, "confidence": outage.confidence,
        "evidence": msgspec.json.encode(outage.evidence).decode(), "provisional": outage.provisional,
    }  # fmt: skip
