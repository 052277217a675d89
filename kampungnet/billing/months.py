"""What was measured at a contract's site becomes the facts of its statement: of the days on which the contract ran."""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction

from sqlalchemy.orm import Session

from kampungnet.billing.measured import HotspotFact, MeasuredMonth, Period, TrafficFact, measured
from kampungnet.billing.models import Contract
from kampungnet.billing.terms import ContractTerms
from kampungnet.core.errors import NotFound
from kampungnet.hotspot import evidence
from kampungnet.hotspot.evidence import Use
from kampungnet.hotspot.use import DayUse
from kampungnet.measurement import summary
from kampungnet.measurement.availability import Record
from kampungnet.measurement.month_facts import LineTraffic, MonthFacts
from kampungnet.measurement.summary import MonthSummary

SLOTS_A_DAY = 288


def summary_of(db: Session, contract: Contract, month: date, now_ms: int) -> MonthSummary | None:
    """Return what was measured at a contract's site in a month; ``None`` where nothing was ever installed."""
    try:
        return summary.summary(db, (contract.regency, contract.site), month, now_ms)
    except NotFound:
        return None


def measured_days(
    db: Session, found: MonthSummary | None, facts: MonthFacts | None, period: Period, terms: ContractTerms
) -> MeasuredMonth:
    """Return the facts of a contract's days; where no box judged them, all of their time is unseen."""
    if found is None or facts is None:
        return measured(period, Record((), (period.span,)), traffic_fact(None, period, terms))
    line = facts.traffic if period.is_whole else summary.traffic_of_days(db, found, period.first_day, period.last_day)
    record = facts.record if facts.judged else Record((), (period.span,), facts.windows)
    traffic = traffic_fact(line, period, terms)
    return measured(period, record, traffic, found.office.hours, facts.period.end_ms)


def hotspot_fact(days: Mapping[date, DayUse], period: Period) -> HotspotFact | None:
    """Return how the wifi was used on a contract's days; ``None`` where nobody's use was measured, which is not 0."""
    used = [one for day, one in days.items() if period.first_day <= day <= period.last_day and one.people]
    if not used:
        return None
    of = evidence.total(
        Use(one.people, one.people, one.seconds, one.office_seconds, one.up_bytes + one.down_bytes) for one in used
    )
    if of.is_small:
        return HotspotFact(people=0, seconds=0, outside_office_seconds=0, few=True)
    return HotspotFact(
        people=of.people, seconds=of.seconds, outside_office_seconds=of.seconds - of.office_seconds, most=of.most,
        days=len(used),
    )  # fmt: skip


def traffic_fact(line: LineTraffic | None, period: Period, terms: ContractTerms) -> TrafficFact:
    """Return what passed the line as a fact; of a line that nobody measured, nothing at least."""
    if line is None:
        return TrafficFact(
            rx_bytes=0, tx_bytes=0, lower_bound=True, samples=0, expected=period.served_days * SLOTS_A_DAY,
            rx_p95_bps=None, tx_p95_bps=None, busiest_hour_ms=period.start_ms, busiest_bytes=0,
        )  # fmt: skip
    p95 = line.p95(terms.gap_policy, Fraction(terms.coverage_percent) / 100)
    return TrafficFact(
        rx_bytes=line.rx_bytes, tx_bytes=line.tx_bytes, lower_bound=line.lower_bound, samples=line.samples,
        expected=line.expected, rx_p95_bps=p95.rx_bps, tx_p95_bps=p95.tx_bps, lines=line.lines,
        busiest_hour_ms=line.busiest_hour_ms, busiest_bytes=line.busiest_bytes,
    )  # fmt: skip
