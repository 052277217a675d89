"""Pure: what is known of one site's month at one instant, as values that are frozen when the month is closed.

Stretches stand here, not only sums: a contract judges them by its own policy, over its own days. Instants are ms
since 1970 UTC, rates bits a second, ``rx`` is what the village received.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from kampungnet.measurement.availability import HOUSE_POLICY, Availability, Policy, Record, Window, availability
from kampungnet.measurement.outage_words import Cause, Outage, Span
from kampungnet.measurement.percentile import GapPolicy, Percentile


@dataclass(frozen=True, slots=True)
class LineTraffic:
    """What passed a site's line to its provider. Several interfaces are added slot by slot before any percentile."""

    lines: tuple[str, ...]
    """Device and interface: ``router/ether1``."""
    rx_bytes: int
    tx_bytes: int
    lower_bound: bool
    """At least so many bytes passed: a part of the time was not seen."""
    samples: int
    """Five-minute slots that were fully seen, of ``expected`` ones."""
    expected: int
    rx_p95_bps: int | None
    tx_p95_bps: int | None
    """Nearest rank over the samples; empty without any."""
    rx_p95_zero_bps: int
    tx_p95_zero_bps: int
    """The same, but slots that were not fully seen count as nothing passed."""
    busiest_hour_ms: int
    """When the hour with most bytes began, both directions together."""
    busiest_bytes: int

    def p95(self, policy: GapPolicy = GapPolicy.IGNORE, refuse_below: Fraction = Fraction(0)) -> Percentile:
        """Return the 95th percentile under a contract's gap policy (facts on billing 6)."""
        if policy is GapPolicy.ZERO:
            return Percentile(self.rx_p95_zero_bps, self.tx_p95_zero_bps, self.samples, self.expected)
        if policy is GapPolicy.REFUSE and self.samples < refuse_below * self.expected:
            return Percentile(None, None, self.samples, self.expected)
        return Percentile(self.rx_p95_bps, self.tx_p95_bps, self.samples, self.expected)


@dataclass(frozen=True, slots=True)
class MonthFacts:
    """A month as it was known at ``noted_ms``."""

    noted_ms: int
    period: Span
    """The local month; of one that is not over, up to ``noted_ms``."""
    judged: bool
    """False: the site has no box of its own, and nothing is known of its service."""
    outages: tuple[Outage, ...]
    """All that reach into the period, uncut; causes as people ruled them."""
    unseen: tuple[Span, ...]
    windows: tuple[Window, ...]
    traffic: LineTraffic | None
    """Empty where no router named its line to the provider."""

    @property
    def record(self) -> Record:
        """The same for :func:`kampungnet.measurement.availability.availability`."""
        return Record(self.outages, self.unseen, self.windows)

    def classes(self, spans: Iterable[Span] = (), policy: Policy = HOUSE_POLICY) -> Availability:
        """Return the seconds by class, of the whole period or of spans within it."""
        return availability(tuple(spans) or (self.period,), self.record, policy)


def same(one: MonthFacts, other: MonthFacts) -> bool:
    """Tell whether two say the same of everything that a bill or a report could depend on."""
    return _telling(one) == _telling(other)


def changes(before: MonthFacts, after: MonthFacts) -> Mapping[str, int]:
    """Return by how much a later knowledge of a month differs, in units that the names tell; what is equal is left out.

    Seconds are by the house policy; a contract with another one compares the facts themselves.
    """
    old, new = _numbers(before), _numbers(after)
    return {name: new[name] - old[name] for name in new if new[name] != old[name]}


def _numbers(facts: MonthFacts) -> dict[str, int]:
    found, line = facts.classes(), facts.traffic
    rates = line.p95() if line else None
    return {
        "rx_bytes": line.rx_bytes if line else 0,
        "tx_bytes": line.tx_bytes if line else 0,
        "samples": line.samples if line else 0,
        "rx_p95_bps": (rates.rx_bps or 0) if rates else 0,
        "tx_p95_bps": (rates.tx_bps or 0) if rates else 0,
        "up_seconds": found.up,
        "planned_seconds": found.planned,
        "late_seconds": found.late,
        "unknown_seconds": found.unknown,
        "down_seconds": found.down,
    } | {f"down_{cause.value}_seconds": seconds for cause, seconds in _all_causes(found).items()}


def _all_causes(found: Availability) -> dict[Cause, int]:
    return {cause: found.down_by_cause.get(cause, 0) for cause in Cause}


def _telling(facts: MonthFacts) -> tuple[object, ...]:
    first, last = facts.period.start_ms // 1000, facts.period.end_ms // 1000
    outages = sorted(
        (max(first, one.start_ms // 1000), last if one.end_ms is None else min(last, one.end_ms // 1000),
         one.cause, one.is_proven)
        for one in facts.outages
    )  # fmt: skip
    unseen = [(one.start_ms // 1000, one.end_ms // 1000) for one in facts.unseen]
    windows = sorted((one.start_ms, one.end_ms, one.is_announced) for one in facts.windows)
    return facts.period, facts.judged, outages, unseen, windows, facts.traffic
