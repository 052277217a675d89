"""Pure: what was measured in one month of one contract, as values: all that the money is computed from, and no more.

Instants are milliseconds since 1970 UTC, lengths are whole seconds, rates bits a second, volumes bytes.
"""

import calendar
from datetime import date, timedelta
from typing import Annotated, Final

from msgspec import Meta

from kampungnet.billing.terms import Count, Fact, Text
from kampungnet.core import clock
from kampungnet.measurement.availability import Availability, Record, Window
from kampungnet.measurement.outage_words import Cause, Evidence, Finding, Outage, Span
from kampungnet.measurement.workdays import OfficeHours, office_hours

Instant = Annotated[int, Meta(ge=0, le=253_402_300_799_000)]

_ZONES: Final = frozenset({clock.WIB, clock.WITA, clock.WIT})


class Period(Fact, frozen=True, kw_only=True):
    """A local calendar month, and the part of it in which the contract ran (days included on both sides)."""

    year: Annotated[int, Meta(ge=2000, le=2999)]
    month: Annotated[int, Meta(ge=1, le=12)]
    zone: Annotated[str, Meta(max_length=40)]
    first_day: date
    last_day: date
    start_ms: Instant
    """Of the served part; its end is excluded."""
    end_ms: Instant

    def __post_init__(self) -> None:
        if not date(self.year, self.month, 1) <= self.first_day <= self.last_day <= self.month_end:
            raise ValueError("the served days must lie in the month, in order")
        if self.zone not in _ZONES:
            raise ValueError("the zone must be one of Indonesia's")
        if self.end_ms - self.start_ms != self.served_days * 86_400_000:  # no daylight saving in Indonesia
            raise ValueError("the served days and the instants must be equally long")

    @classmethod
    def of(cls, first_day: date, last_day: date, zone: str) -> "Period":
        """Return the period of some days (both included) of one month, as a zone's midnights cut them."""
        bounds = clock.day_start_ms(first_day, zone), clock.day_start_ms(last_day + timedelta(days=1), zone)
        return cls(
            year=first_day.year, month=first_day.month, zone=zone, first_day=first_day, last_day=last_day,
            start_ms=bounds[0], end_ms=bounds[1],
        )  # fmt: skip

    @property
    def days(self) -> int:
        """Days of the calendar month."""
        return calendar.monthrange(self.year, self.month)[1]

    @property
    def month_end(self) -> date:
        """The last day of the calendar month."""
        return date(self.year, self.month, self.days)

    @property
    def served_days(self) -> int:
        """Days in which the contract ran."""
        return (self.last_day - self.first_day).days + 1

    @property
    def is_whole(self) -> bool:
        """Tell whether the contract ran the whole month."""
        return self.served_days == self.days

    @property
    def span(self) -> Span:
        """The served part as instants."""
        return Span(self.start_ms, self.end_ms)


class Classes(Fact, frozen=True, kw_only=True):
    """Seconds of a period, each in one class; they add up to it."""

    seconds: Count
    up: Count
    planned: Count
    unknown: Count
    down: dict[Cause, Count]
    late: Count = 0
    """Of windows entered afterwards, which do not count; they stand in the other classes too."""


class EvidenceFact(Fact, frozen=True, kw_only=True, array_like=True):
    """What was seen, and when first."""

    at_ms: Instant
    what: Finding
    number: Count = 0


class OutageFact(Fact, frozen=True, kw_only=True):
    """One proven stretch without service; its end is cut to the served part of the month.

    Its beginning is not: of two outages at once the one that began first names the cause.
    """

    start_ms: Instant
    end_ms: Instant
    cause: Cause
    confidence_percent: Annotated[int, Meta(ge=0, le=100)]
    evidence: tuple[EvidenceFact, ...]


class WindowFact(Fact, frozen=True, kw_only=True):
    """Planned work as it was announced."""

    start_ms: Instant
    end_ms: Instant
    entered_ms: Instant
    note: Text = ""


class SpanFact(Fact, frozen=True, kw_only=True, array_like=True):
    """Time of which nothing is known; its end is excluded."""

    start_ms: Instant
    end_ms: Instant


class OfficeFact(Fact, frozen=True, kw_only=True):
    """When the office was open (setting), and the seconds of those hours by class."""

    opens: Annotated[int, Meta(ge=0, le=24)]
    closes: Annotated[int, Meta(ge=0, le=24)]
    weekdays: tuple[Annotated[int, Meta(ge=0, le=6)], ...]
    holidays: tuple[date, ...]
    classes: Classes


class TrafficFact(Fact, frozen=True, kw_only=True):
    """What passed the line: ``rx`` is what the village received. Of a line nobody measured all is 0, of 0 samples."""

    lines: tuple[Text, ...] = ()
    """Device and interface whose counters were read: ``router/ether1``."""
    rx_bytes: Count
    tx_bytes: Count
    lower_bound: bool
    """More may have passed than could be counted."""
    samples: Count
    """Five-minute slots that were fully seen, of ``expected`` ones: the coverage of the percentile."""
    expected: Count
    rx_p95_bps: Count | None
    tx_p95_bps: Count | None
    """By the contract's gap policy; ``None`` where there is no result."""
    busiest_hour_ms: Instant
    busiest_bytes: Count

    @property
    def higher_p95_bps(self) -> int | None:
        """The higher of both directions, which a 95th-percentile contract charges (facts 6)."""
        return max((one for one in (self.rx_p95_bps, self.tx_p95_bps) if one is not None), default=None)

    @property
    def total_bytes(self) -> int:
        """Both directions, which a quota contract charges (facts 6)."""
        return self.rx_bytes + self.tx_bytes


class HotspotFact(Fact, frozen=True, kw_only=True):
    """Use of the village's wifi on the contract's days; it decides over no money, and names nobody."""

    people: Count
    """Devices of each day, added up over the days: a device is another one next month, often the next day."""
    seconds: Count
    outside_office_seconds: Count
    most: Count = 0
    """Devices of the busiest day."""
    days: Count = 0
    """On which anybody was online."""
    few: bool = False
    """There were fewer than five devices on each day: the numbers are left out (facts on hotspots 12)."""


_UNSORTED: Final = Classes(seconds=0, up=0, planned=0, unknown=0, down={})


class MeasuredMonth(Fact, frozen=True, kw_only=True):
    """All that was measured of one contract's month."""

    period: Period
    classes: Classes
    outages: tuple[OutageFact, ...] = ()
    windows: tuple[WindowFact, ...] = ()
    unseen: tuple[SpanFact, ...] = ()
    """Also silence that proves no outage."""
    traffic: TrafficFact
    office: OfficeFact | None = None
    hotspot: HotspotFact | None = None


def measured(
    period: Period, record: Record, traffic: TrafficFact, hours: OfficeHours | None = None, known_ms: int | None = None
) -> MeasuredMonth:
    """Return what the measurement knows of a contract's days as facts; the classes are sorted when it is settled.

    Outages of which only silence speaks become unseen time, and so do the days after ``known_ms``, where a month is
    not over. What lies outside the period is left out.
    """
    start, end = period.start_ms, period.end_ms
    lost = [(one, end if one.end_ms is None else min(one.end_ms, end)) for one in record.outages if one.start_ms < end]
    lost = [(one, last) for one, last in lost if last > max(one.start_ms, start)]
    unseen = [*record.unseen, *(Span(one.start_ms, last) for one, last in lost if not one.is_proven)]
    if known_ms is not None and known_ms < end:
        unseen.append(Span(max(start, known_ms), end))
    return MeasuredMonth(
        period=period, classes=_UNSORTED, traffic=traffic,
        outages=tuple(sorted((_outage(one, last) for one, last in lost if one.is_proven), key=_began)),
        windows=tuple(
            WindowFact(start_ms=one.start_ms, end_ms=one.end_ms, entered_ms=one.entered_ms)
            for one in record.windows if one.end_ms > start and one.start_ms < end
        ),
        unseen=tuple(
            SpanFact(start_ms=max(one.start_ms, start), end_ms=min(one.end_ms, end))
            for one in sorted(unseen) if one.end_ms > start and one.start_ms < end
        ),
        office=None if hours is None else OfficeFact(
            opens=hours.opens, closes=hours.closes, weekdays=tuple(sorted(hours.weekdays)), classes=_UNSORTED,
            holidays=tuple(sorted(one for one in hours.holidays if period.first_day <= one <= period.last_day)),
        ),
    )  # fmt: skip


def _outage(one: Outage, end_ms: int) -> OutageFact:
    seen = tuple(EvidenceFact(at_ms=sight.at_ms, what=sight.what, number=sight.number) for sight in one.evidence)
    return OutageFact(
        start_ms=one.start_ms, end_ms=end_ms, cause=one.cause, confidence_percent=round(one.confidence * 100),
        evidence=seen,
    )  # fmt: skip


def _began(one: OutageFact) -> tuple[int, Cause]:
    return one.start_ms, one.cause


def record_of(month: MeasuredMonth) -> Record:
    """Return outages, unseen time and windows as the measurement's own sums take them."""
    outages = tuple(
        Outage(one.start_ms, one.end_ms, one.cause, 1, _evidence(one.evidence), provisional=False)
        for one in month.outages
    )
    windows = tuple(Window(one.start_ms, one.end_ms, one.entered_ms) for one in month.windows)
    return Record(outages, tuple(Span(one.start_ms, one.end_ms) for one in month.unseen), windows)


def classes_of(found: Availability) -> Classes:
    """Return the measurement's result as a fact."""
    return Classes(
        seconds=found.seconds, up=found.up, planned=found.planned, unknown=found.unknown,
        down=dict(found.down_by_cause), late=found.late,
    )  # fmt: skip


def office_spans(period: Period, office: OfficeFact) -> tuple[Span, ...]:
    """Return the office hours of the served part."""
    hours = OfficeHours(office.opens, office.closes, frozenset(office.weekdays), frozenset(office.holidays))
    return office_hours(period.span, period.zone, hours)


def _evidence(facts: tuple[EvidenceFact, ...]) -> tuple[Evidence, ...]:
    return tuple(Evidence(one.at_ms, one.what, one.number) for one in facts)
