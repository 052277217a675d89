"""Pure: outages and planned work in, the seconds of a period by class out. They sum to the period exactly.

One second has one class, in this order: planned, down (by cause), unknown, up (facts on billing 12). Of two
outages at once the one that began first names the cause. How planned and unknown time enter a percentage differs
by contract (facts on billing 8.1): so they stand beside it, and the result names its policy.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final

from kampungnet.measurement.outage_words import Cause, Outage, Span

_CENTS: Final = Decimal("0.01")


class Treatment(StrEnum):
    """What a class of time counts as (facts on billing 8.1)."""

    OUT = "out"
    """Taken out of the base (Zabbix, Centreon)."""
    UP = "up"
    """As service (Icinga)."""
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Policy:
    """Terms of a contract; the defaults are the house's (facts on billing 12)."""

    planned_where_down_only: bool = False
    """Planned is its whole announced window, or only where the service was down."""
    late_windows_count: bool = False
    """Windows entered after they began count like announced ones."""
    planned: Treatment = Treatment.OUT
    unknown: Treatment = Treatment.OUT


HOUSE_POLICY: Final = Policy()


@dataclass(frozen=True, slots=True)
class Window:
    """Planned work, as staff entered it at ``entered_ms``."""

    start_ms: int
    end_ms: int
    entered_ms: int

    @property
    def is_announced(self) -> bool:
        """Tell whether it was entered before it began."""
        return self.entered_ms <= self.start_ms


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a site: its outages, the time nobody saw, and planned work, in any order.

    An outage that lasts, lasts to the period's end: the caller ends a period that is not over at the present.
    """

    outages: Sequence[Outage] = ()
    unseen: Sequence[Span] = ()
    windows: Sequence[Window] = ()


@dataclass(frozen=True, slots=True)
class Availability:
    """Whole seconds of a period, each in one class."""

    seconds: int
    up: int
    planned: int
    unknown: int
    down_by_cause: Mapping[Cause, int]
    late: int
    """Seconds of windows that were entered afterwards and do not count; they stand in the other classes too."""
    policy: Policy

    @property
    def down(self) -> int:
        """Seconds of downtime, whatever the cause."""
        return sum(self.down_by_cause.values())

    @property
    def base(self) -> int:
        """Seconds that the percentage is of: without what the policy takes out."""
        return self.seconds - sum(part for part, treatment in self._parts() if treatment is Treatment.OUT)

    @property
    def share(self) -> Fraction | None:
        """Availability, 0 to 1, by the policy; ``None`` where nothing is left to judge."""
        good = self.up + sum(part for part, treatment in self._parts() if treatment is Treatment.UP)
        return Fraction(good, self.base) if self.base else None

    def _parts(self) -> tuple[tuple[int, Treatment], ...]:
        return (self.planned, self.policy.planned), (self.unknown, self.policy.unknown)


def availability(period: Iterable[Span], record: Record, policy: Policy = HOUSE_POLICY) -> Availability:
    """Return the classes of a period's seconds: a month is one span, its office hours are some twenty.

    Every instant is rounded down to its second, so that neighbours share no second and leave none out.
    """
    whole = _united(_seconds(period))
    last = whole[-1][1] if whole else 0
    lost, silent = _lost(record.outages, last)
    planned, late = _planned(whole, record.windows, policy)
    if policy.planned_where_down_only:
        planned = _shared(planned, _united((start, end) for start, end, _ in lost))
    left = _less(whole, planned)
    down: dict[Cause, int] = {}
    for start, end, cause in lost:
        taken = _shared(left, [(start, end)])
        if taken:
            down[cause] = down.get(cause, 0) + _length(taken)
            left = _less(left, taken)
    unknown = _shared(left, _united([*_seconds(record.unseen), *silent]))
    seconds = _length(whole)
    up = _length(left) - _length(unknown)
    return Availability(seconds, up, _length(planned), _length(unknown), down, _length(late), policy)


def percent(share: Fraction, sla_percent: Decimal | None = None) -> Decimal:
    """Return a share in per cent with two decimals, to the nearest, but never across the SLA (facts on billing 12).

    98,9999 % beside an SLA of 99 % is 98,99 %: a miss never reads as a hit, nor a hit as a miss.
    """
    exact = share * 100
    rounded = Decimal(math.floor(exact * 100 + Fraction(1, 2))) * _CENTS
    if sla_percent is None:
        return rounded
    if exact < sla_percent <= rounded:
        return (Decimal(math.ceil(Fraction(sla_percent) * 100)) - 1) * _CENTS
    if rounded < sla_percent <= exact:
        return Decimal(math.ceil(Fraction(sla_percent) * 100)) * _CENTS
    return rounded


def allowed_seconds(base_seconds: int, sla_percent: Decimal) -> Fraction:
    """Return the downtime that an SLA tolerates in so many seconds (facts on billing 8.2)."""
    return base_seconds * (100 - Fraction(sla_percent)) / 100


_Part = tuple[int, int]
"""From a second (included) to a second (excluded). Lists of them are in order and do not touch."""


def _planned(whole: list[_Part], windows: Iterable[Window], policy: Policy) -> tuple[list[_Part], list[_Part]]:
    counted: list[_Part] = []
    late: list[_Part] = []
    for one in windows:
        part = one.start_ms // 1000, one.end_ms // 1000
        (counted if one.is_announced or policy.late_windows_count else late).append(part)
    planned = _shared(whole, _united(counted))
    return planned, _less(_shared(whole, _united(late)), planned)


def _lost(outages: Iterable[Outage], last: int) -> tuple[list[tuple[int, int, Cause]], list[_Part]]:
    """Return proven downtime by when it began, and silence: alone it proves no outage, it is unknown."""
    proven: list[tuple[int, Cause, int]] = []
    silent: list[_Part] = []
    for one in outages:
        end = last if one.end_ms is None else one.end_ms // 1000
        if one.is_proven:
            proven.append((one.start_ms, one.cause, end))
        else:
            silent.append((one.start_ms // 1000, end))
    return [(start_ms // 1000, end, cause) for start_ms, cause, end in sorted(proven)], silent


def _seconds(spans: Iterable[Span]) -> list[_Part]:
    return [(one.start_ms // 1000, one.end_ms // 1000) for one in spans]


def _length(parts: Iterable[_Part]) -> int:
    return sum(end - start for start, end in parts)


def _united(parts: Iterable[_Part]) -> list[_Part]:
    found: list[_Part] = []
    for start, end in sorted(parts):
        if end <= start:
            continue
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


def _shared(first: Sequence[_Part], second: Sequence[_Part]) -> list[_Part]:
    found: list[_Part] = []
    place = 0
    for start, end in first:
        while place < len(second) and second[place][1] <= start:
            place += 1
        if place == len(second):
            break
        at = place
        while at < len(second) and second[at][0] < end:
            both = max(start, second[at][0]), min(end, second[at][1])
            if both[0] < both[1]:
                found.append(both)
            at += 1
    return found


def _less(first: Sequence[_Part], second: Sequence[_Part]) -> list[_Part]:
    """Return ``first`` without ``second``."""
    found: list[_Part] = []
    place = 0
    for start, end in first:
        rest = start
        while place < len(second) and second[place][1] <= start:
            place += 1
        at = place
        while at < len(second) and second[at][0] < end:
            if rest < second[at][0]:
                found.append((rest, second[at][0]))
            rest = second[at][1]
            at += 1
        if rest < end:
            found.append((rest, end))
    return found
