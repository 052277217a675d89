"""One site's month as billing needs it: what was known when it was closed, what came later, and how sure all is.

Of a closed month the frozen facts are returned, so that a bill of last year comes out the same; what later facts
change stands beside them as corrections. An open month is what is known at this moment.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.errors import NotFound
from kampungnet.devices.models import Site
from kampungnet.measurement import holidays, service_months, site_traffic
from kampungnet.measurement.availability import HOUSE_POLICY, Availability, Policy
from kampungnet.measurement.models import TrafficDay
from kampungnet.measurement.month_facts import LineTraffic, MonthFacts, changes
from kampungnet.measurement.outage_models import JudgedSite, OnuSightDay, SightDay
from kampungnet.measurement.outage_words import Span
from kampungnet.measurement.service_months import Place
from kampungnet.measurement.workdays import OfficeHours, month_of, office_hours


@dataclass(frozen=True, slots=True)
class Office:
    """When the office was open in this month: local hours, weekdays (Monday is 0), and the days it was not."""

    opens: int
    closes: int
    weekdays: tuple[int, ...]
    holidays: tuple[date, ...]

    @property
    def hours(self) -> OfficeHours:
        """The same for :func:`kampungnet.measurement.workdays.office_hours`."""
        return OfficeHours(self.opens, self.closes, frozenset(self.weekdays), frozenset(self.holidays))


@dataclass(frozen=True, slots=True)
class MonthCorrection:
    """What was found out after a month was closed: the whole month as known then, and the difference it makes."""

    number: int
    facts: MonthFacts
    changes: Mapping[str, int]
    """To what was said before it, see :func:`kampungnet.measurement.month_facts.changes`."""


@dataclass(frozen=True, slots=True)
class MonthSummary:
    """One site and local month. Instants are ms since 1970 UTC."""

    regency: str
    village: str
    site: str
    month: date
    """Its first day."""
    zone: str
    whole: Span
    """The calendar month; ``facts.period`` is the part of it that is over."""
    closed_ms: int | None
    """Empty while it is open: everything may still change."""
    judged_ms: int | None
    """Until when the site was judged last; empty where no box is."""
    first_service_ms: int | None
    """When service was seen first, ever: the activation."""
    facts: MonthFacts
    """Of a closed month as it stood when it was closed."""
    corrections: tuple[MonthCorrection, ...]
    office: Office
    availability: Availability
    """Day and night, by the house policy."""
    office_availability: Availability
    """In office hours, by the house policy."""

    @property
    def first_day(self) -> date | None:
        """The first local day on which service was seen: where a contract's service begins."""
        return None if self.first_service_ms is None else clock.local_day(self.first_service_ms, self.zone)

    @property
    def newest(self) -> MonthFacts:
        """The facts with all corrections."""
        return self.corrections[-1].facts if self.corrections else self.facts

    def classes(self, first: date, last: date, policy: Policy = HOUSE_POLICY) -> Availability:
        """Return the seconds by class of some days of the month, both included, by a contract's policy."""
        return self.facts.classes([self.days(first, last)], policy)

    def office_classes(self, first: date, last: date, policy: Policy = HOUSE_POLICY) -> Availability:
        """Return the same of the office hours of these days."""
        spans = office_hours(self.days(first, last), self.zone, self.office.hours)
        return self.facts.classes(spans, policy) if spans else self.facts.classes([_NOTHING], policy)

    def days(self, first: date, last: date) -> Span:
        """Return some days of the month, both included, as far as they are over."""
        start_ms = max(clock.day_start_ms(first, self.zone), self.facts.period.start_ms)
        end_ms = min(clock.day_start_ms(last + timedelta(days=1), self.zone), self.facts.period.end_ms)
        return Span(start_ms, max(start_ms, end_ms))


_NOTHING = Span(0, 0)


def summary(db: Session, place: Place, month: date, now_ms: int) -> MonthSummary:
    """Return the summary of the month in which the day ``month`` lies. Raises ``NotFound`` for an unknown site."""
    found = summaries(db, place[0], month, now_ms, [place[1]])
    if not found:
        raise NotFound("There is no such site.")
    return found[0]


def summaries(
    db: Session, regency: str, month: date, now_ms: int, sites: Collection[str] | None = None
) -> list[MonthSummary]:
    """Return the summaries of some sites of a regency (or of all that it has), by site.

    Closed months are read in a few queries, however many they are; each open one is added up from its days.
    """
    asked = select(Site.code, Site.village).where(Site.regency == regency).order_by(Site.code)
    if sites is not None:
        asked = asked.where(Site.code.in_(sites))
    found = {row.code: row.village for row in db.execute(asked)}
    first, zone = month.replace(day=1), clock.zone_of(regency)
    whole = month_of(first.year, first.month, zone)
    office = _office(db, regency, first, whole, zone)
    known = service_months.frozen_of(db, regency, list(found), first)
    of_sites = (JudgedSite.regency == regency, JudgedSite.site.in_(list(found)))
    judged = {one.site: one for one in db.scalars(select(JudgedSite).where(*of_sites))}
    return [
        _summary(
            _Site(regency, village, site, judged.get(site)), (first, whole, office),
            known.get(site) or [service_months.facts(db, (regency, site), first, now_ms)], is_closed=site in known,
        )
        for site, village in found.items()
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Site:
    regency: str
    village: str
    code: str
    judged: JudgedSite | None


def _summary(
    site: _Site, of: tuple[date, Span, Office], known: Sequence[MonthFacts], *, is_closed: bool
) -> MonthSummary:
    """Return a summary from what was known of a month: when it was closed (or now), and after each correction."""
    (first, whole, office), facts, zone, judged = of, known[0], clock.zone_of(site.regency), site.judged
    open_spans = office_hours(facts.period, zone, office.hours)
    return MonthSummary(
        regency=site.regency, village=site.village, site=site.code, month=first, zone=zone, whole=whole,
        closed_ms=facts.noted_ms if is_closed else None,
        judged_ms=judged.judged_ms if judged else None,
        first_service_ms=judged.first_service_ms if judged else None,
        facts=facts,
        corrections=tuple(
            MonthCorrection(number, after, changes(known[number - 1], after))
            for number, after in enumerate(known) if number
        ),
        office=office, availability=facts.classes(),
        office_availability=facts.classes(open_spans or [_NOTHING]),
    )  # fmt: skip


def villages_seen(db: Session, regency: str, first: date, last: date) -> set[str]:
    """Return the villages of which anything was measured on any of some days, both included."""
    seen = [
        exists().where(table.regency == Site.regency, table.site == Site.code, table.day.between(first, last))
        for table in (TrafficDay, SightDay, OnuSightDay)
    ]
    return set(db.scalars(select(Site.village).where(Site.regency == regency, or_(*seen))))


def traffic_of_days(db: Session, whole: MonthSummary, first: date, last: date) -> LineTraffic | None:
    """Return what passed the line in some days of a month, for a contract that did not run all of it.

    It is added up from the days as they are now; of the whole month the facts have it, frozen.
    """
    named = whole.facts.traffic.lines if whole.facts.traffic else ()
    return site_traffic.line_traffic(db, site_traffic.Days(whole.regency, whole.site, first, last), named)


def _office(db: Session, regency: str, first: date, whole: Span, zone: str) -> Office:
    last = clock.local_day(whole.end_ms - 1, zone)
    hours = holidays.office_hours_of(db, regency, first, last)
    return Office(hours.opens, hours.closes, tuple(sorted(hours.weekdays)), tuple(sorted(hours.holidays)))
