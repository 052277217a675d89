"""Pure: the service credit (restitusi), by the formula that the contract names (facts 8.3; house policies 12).

Where a month is served in part, the served part stands for the month throughout: the prorated fee, its hours, its days.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from kampungnet.billing.lines import Formula, formula
from kampungnet.billing.measured import Classes, MeasuredMonth, record_of
from kampungnet.billing.money import Rounding
from kampungnet.billing.terms import CreditFormula, CreditTerms, CreditWhen
from kampungnet.measurement.availability import Record, Treatment, allowed_seconds, availability
from kampungnet.measurement.outage_words import Span

DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class Judgeable:
    """Seconds left to judge after the contract's policies, and how many of them were an outage."""

    base: int
    outage: int

    @property
    def share(self) -> Fraction | None:
        """Availability, 0 to 1; ``None`` where nothing is left to judge."""
        return Fraction(self.base - self.outage, self.base) if self.base else None

    def misses(self, sla: Fraction) -> bool:
        """Tell whether the availability is below an SLA (0 to 1)."""
        return self.share is not None and self.share < sla


def judgeable(classes: Classes, terms: CreditTerms) -> Judgeable:
    """Return what is judged: excused causes are taken out; planned and unknown time count as the contract says."""
    excused = sum(seconds for cause, seconds in classes.down.items() if cause in terms.excused)
    out = excused
    outage = sum(classes.down.values()) - excused
    for seconds, treatment in ((classes.planned, terms.planned), (classes.unknown, terms.unknown)):
        out += seconds if treatment is Treatment.OUT else 0
        outage += seconds if treatment is Treatment.DOWN else 0
    return Judgeable(classes.seconds - out, outage)


def credit(terms: CreditTerms, fee: int, month: MeasuredMonth) -> Formula | None:
    """Return what is taken off the fee of the served part (whole rupiah), with its numbers; ``None``: nothing is.

    The amount is never above the fee, and is rounded down where it becomes a line.
    """
    time = judgeable(month.classes, terms)
    sla = None if terms.sla_percent is None else Fraction(terms.sla_percent) / 100
    if terms.formula is CreditFormula.NONE or not time.base or not _pays(terms, time, sla):
        return None
    if terms.formula is CreditFormula.R5:
        return _r5(terms, fee, month)
    if sla is None:
        raise ValueError(f"formula {terms.formula} needs an SLA")
    if terms.formula is CreditFormula.R4:
        return _r4(fee, time, sla, month.classes.seconds)
    return _of_time(terms, fee, time, sla)


def amount_of(found: Formula, fee: int) -> Fraction:
    """Return the exact credit, never above the fee of the served part."""
    return min(Fraction(found.exact), Fraction(fee))


def _pays(terms: CreditTerms, time: Judgeable, sla: Fraction | None) -> bool:
    always = terms.formula in {CreditFormula.R4, CreditFormula.R5} and terms.when is CreditWhen.HOUSE
    if always or terms.when is CreditWhen.ALWAYS:
        return True
    return sla is not None and time.misses(sla)


def _of_time(terms: CreditTerms, fee: int, time: Judgeable, sla: Fraction) -> Formula | None:
    """R1, R2, R3, R3b: of the seconds that are left after the policies."""
    actual = Fraction(time.base - time.outage, time.base)
    if terms.formula is CreditFormula.R1:
        exact = Fraction(fee * time.outage, time.base)
        return formula("credit.r1", exact, Rounding.DOWN, fee=fee, outage_s=time.outage, base_s=time.base)
    if actual >= sla:
        return None
    if terms.formula is CreditFormula.R2:
        tolerance = allowed_seconds(time.base, terms.sla_percent) if terms.sla_percent is not None else Fraction(0)
        exact = fee * (time.outage - tolerance) / time.base
        return formula(
            "credit.r2", exact, Rounding.DOWN, fee=fee, outage_s=time.outage, tolerance_s=tolerance, base_s=time.base
        )
    if terms.formula is CreditFormula.R3:
        return formula("credit.r3", fee * (sla - actual), Rounding.DOWN, fee=fee, sla=sla, actual=actual)
    return formula("credit.r3b", fee * (sla - actual) / sla, Rounding.DOWN, fee=fee, sla=sla, actual=actual)


def _r4(fee: int, time: Judgeable, sla: Fraction, seconds: int) -> Formula:
    """All hours of the month, whatever was planned or unknown."""
    exact = Fraction(fee * time.outage) / (seconds * sla)
    return formula("credit.r4", exact, Rounding.DOWN, fee=fee, outage_s=time.outage, month_s=seconds, sla=sla)


def _r5(terms: CreditTerms, fee: int, month: MeasuredMonth) -> Formula:
    begun = sum(_days_begun(seconds) for seconds in _lengths(terms, month))
    days = month.period.served_days
    return formula("credit.r5", Fraction(2 * fee * begun, days), Rounding.DOWN, fee=fee, days=days, begun=begun)


def _days_begun(seconds: int) -> int:
    return -(-seconds // DAY_SECONDS)


def _lengths(terms: CreditTerms, month: MeasuredMonth) -> list[int]:
    """Return the seconds of this month in each outage the provider answers for, without planned work taken out."""
    record, start = record_of(month), month.period.start_ms
    windows = () if terms.planned is Treatment.DOWN else record.windows
    return [
        availability([Span(max(one.start_ms, start), one.end_ms)], Record((whole,), (), windows), terms.policy).down
        for one, whole in zip(month.outages, record.outages, strict=True)
        if one.cause not in terms.excused
    ]
