"""Pure: a contract's terms and its measured month become lines in whole rupiah, each rounded once, with its formula.

The order of the sums is the order of the lines (facts 9.2): price, proration, overuse, credit, tax base, taxes, the
contract's own rounding, total. Every line is rounded when it is made, so that what is printed adds up.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import Final, NamedTuple

from kampungnet.billing import proration, tax
from kampungnet.billing.credit import amount_of, credit, judgeable
from kampungnet.billing.document import CorrectionFact, Judged, Judgement
from kampungnet.billing.lines import Line, LineKind, amount, formula
from kampungnet.billing.measured import MeasuredMonth, Period
from kampungnet.billing.money import Rounding, down
from kampungnet.billing.tax import TaxTable
from kampungnet.billing.terms import (
    ContractTerms,
    CreditOrder,
    OveruseUnit,
    PriceFor,
    ServiceKind,
    TaxDate,
    Unjudged,
    faults,
)
from kampungnet.core import clock

GB: Final = 10**9
MBPS: Final = 10**6


class Unrateable(ValueError):
    """Terms that do not fit together, or a month outside the contract."""


class Rated(NamedTuple):
    """The money of a month, and what the month comes to beside it."""

    lines: tuple[Line, ...]
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class _Case:
    """What every step of the sum looks at."""

    terms: ContractTerms
    month: MeasuredMonth
    taxes: TaxTable
    judged: bool

    @property
    def day(self) -> date:
        return tax_day(self.terms, self.month.period.first_day, self.month.period.last_day)


def rate(
    terms: ContractTerms, month: MeasuredMonth, taxes: TaxTable, corrections: tuple[CorrectionFact, ...] = ()
) -> Rated:
    """Return the lines of a month. Raises :class:`Unrateable`, and ``RateUnknown`` for a day before the tax table."""
    _check(terms, month.period)
    judgement = judge(terms, month)
    case = _Case(terms, month, taxes, judgement.result is not Judged.NOT_JUDGED)
    lines: tuple[Line, ...] = tuple(_service(case))
    fee = sum(line.rupiah for line in lines)
    lines += tuple(_overuse(case))
    taken_off = tuple(_credit(case, fee))
    after_tax = terms.credit.order is CreditOrder.AFTER_TAX
    if not after_tax:
        lines += taken_off
    if not case.judged and terms.unjudged is Unjudged.HELD:
        held = sum(line.rupiah for line in lines)
        lines += (Line(kind=LineKind.HELD, rupiah=-held, formula=formula("held", -held, due=held)),)
    lines += tuple(_taxed(case, lines))
    if after_tax:
        lines += taken_off
    lines += tuple(_rounding(case, _standing(lines)))
    lines += tuple(_correction(one) for one in corrections)
    lines += (_sum(LineKind.TOTAL, _standing(lines)),)
    withheld = tuple(_withheld(case, lines))
    payable = amount(lines, LineKind.TOTAL) + sum(line.rupiah for line in withheld)
    return Rated((*lines, *withheld, _sum(LineKind.PAYABLE, payable)), judgement)


def judge(terms: ContractTerms, month: MeasuredMonth) -> Judgement:
    """Return whether the SLA was kept, where enough is known to say so.

    Known is the share of the time of which anything is known: an outage that is proven is known. What a 95th
    percentile is taken of are samples, so such a contract asks for enough of them too.
    """
    classes, traffic = month.classes, month.traffic
    time = judgeable(classes, terms.credit)
    known = Fraction(classes.seconds - classes.unknown, classes.seconds) if classes.seconds else Fraction(0)
    coverage = Fraction(traffic.samples, traffic.expected) if traffic.expected else Fraction(0)
    needed = Fraction(terms.coverage_percent) / 100
    rate_known = traffic.higher_p95_bps is not None and coverage >= needed
    if known < needed or time.share is None or (terms.kind is ServiceKind.P95 and not rate_known):
        result = Judged.NOT_JUDGED
    elif terms.credit.sla_percent is None:
        result = Judged.NO_SLA
    else:
        result = Judged.MISSED if time.misses(Fraction(terms.credit.sla_percent) / 100) else Judged.MET
    share = None if time.share is None else str(time.share)
    return Judgement(result=result, availability=share, known=str(known), coverage=str(coverage))


def tax_day(terms: ContractTerms, first_day: date, last_day: date) -> date:
    """Return the day whose tax rates hold for some days of service."""
    return last_day if terms.tax.on is TaxDate.LAST_DAY else first_day


@lru_cache(maxsize=4096)
def whole_month(terms: ContractTerms, taxes: TaxTable, day: date) -> int:
    """Return what a whole month without credit and overuse costs, tax included: what a budget has to hold."""
    price = terms.price
    if terms.price_for is PriceFor.CONTRACT and terms.end is not None:
        price = max(proration.parts(terms.price, terms.start, terms.end))
    return _with_tax(terms, taxes, price, day)


def planned(terms: ContractTerms, taxes: TaxTable, first_day: date, last_day: date) -> int:
    """Return what some days of one month cost without credit and overuse, tax included."""
    period, day = Period.of(first_day, last_day, clock.WIB), tax_day(terms, first_day, last_day)
    if terms.price_for is PriceFor.CONTRACT and terms.end is not None:
        place = (first_day.year - terms.start.year) * 12 + first_day.month - terms.start.month
        return _with_tax(terms, taxes, proration.parts(terms.price, terms.start, terms.end)[place], day)
    if period.is_whole:
        return whole_month(terms, taxes, day)
    return _with_tax(terms, taxes, down(terms.price * proration.ratio(terms.proration, period)), day)


def check(terms: ContractTerms) -> None:
    """Raise :class:`Unrateable` for terms that do not fit together."""
    wrong = faults(terms)
    if wrong:
        raise Unrateable(f"the terms do not fit together: {', '.join(wrong)}")


def _with_tax(terms: ContractTerms, taxes: TaxTable, price: int, day: date) -> int:
    total = price + (0 if terms.price_includes_ppn else _ppn(terms, taxes, price, day))
    return total - total % (terms.rounding_step if terms.price_for is PriceFor.MONTH else 1)


def _check(terms: ContractTerms, period: Period) -> None:
    check(terms)
    if period.first_day < terms.start or (terms.end is not None and period.last_day > terms.end):
        raise Unrateable("the month lies outside the contract")


def _standing(lines: tuple[Line, ...]) -> int:
    """Return the sum of what stands so far; ``BASE`` sums it up and is not counted twice."""
    return sum(line.rupiah for line in lines if line.kind is not LineKind.BASE)


def _sum(kind: LineKind, rupiah: int) -> Line:
    return Line(kind=kind, rupiah=rupiah, formula=formula("sum", rupiah))


def _service(case: _Case) -> Iterator[Line]:
    """The price, and less for what was not served."""
    terms, period = case.terms, case.month.period
    price, charged, of = terms.price, *proration.days(terms.proration, period)
    name = f"proration.{terms.proration}"
    if terms.price_for is PriceFor.CONTRACT and terms.end is not None:
        spans = proration.months(terms.start, terms.end)
        place = next(
            n for n, (first, _) in enumerate(spans) if (first.year, first.month) == (period.year, period.month)
        )
        price = proration.parts(terms.price, terms.start, terms.end)[place]
        charged, of, name = period.served_days, (spans[place][1] - spans[place][0]).days + 1, "proration.actual"
        said = formula("price.part", price, whole=terms.price, month=place + 1, months=len(spans))
    else:
        said = formula("price", price, price=price)
    yield Line(kind=LineKind.PRICE, rupiah=price, formula=said)
    if charged != of:
        exact = Fraction(price * charged, of)
        how = formula(name, exact, Rounding.DOWN, price=price, charged=charged, of=of)
        yield Line(kind=LineKind.PRORATION, rupiah=down(exact) - price, formula=how)


def _measured_counts(case: _Case) -> bool:
    """Tell whether credit and overuse are computed at all."""
    return case.judged or case.terms.unjudged is Unjudged.AS_MEASURED


def _overuse(case: _Case) -> Iterator[Line]:
    terms, traffic = case.terms, case.month.traffic
    if not _measured_counts(case):
        return
    if terms.kind is ServiceKind.QUOTA:
        over, unit, price, share = traffic.total_bytes - terms.quota_bytes, GB, terms.overuse_per_gb, Fraction(1)
        name, used, allowed = "overuse.quota", traffic.total_bytes, terms.quota_bytes
    elif terms.kind is ServiceKind.P95 and traffic.higher_p95_bps is not None:
        used, allowed = traffic.higher_p95_bps, terms.committed_kbps * 1000
        over, unit, price = used - allowed, MBPS, terms.overuse_per_mbps
        name, share = "overuse.p95", proration.ratio(terms.proration, case.month.period)
    else:
        return
    if over <= 0 or not price:
        return
    units = Fraction(over, unit) if terms.overuse_unit is OveruseUnit.EXACT else Fraction(-(-over // unit))
    exact = units * price * share
    said = formula(name, exact, Rounding.DOWN, used=used, allowed=allowed, units=units, price=price, share=share)
    yield Line(kind=LineKind.OVERUSE, rupiah=down(exact), formula=said)


def _credit(case: _Case, fee: int) -> Iterator[Line]:
    if not _measured_counts(case):
        return
    found = credit(case.terms.credit, fee, case.month)
    if found is None:
        return
    after = case.terms.credit.order is CreditOrder.AFTER_TAX
    kind = LineKind.CREDIT_AFTER_TAX if after else LineKind.CREDIT
    yield Line(kind=kind, rupiah=-down(amount_of(found, fee)), formula=found)


def _taxed(case: _Case, lines: tuple[Line, ...]) -> Iterator[Line]:
    """PPN on what stands so far, or taken out of it where the price includes it; rounded once, the base is the rest."""
    terms, due = case.terms, sum(line.rupiah for line in lines)
    if not terms.tax.ppn:
        yield _sum(LineKind.BASE, due)
        return
    inside = terms.price_includes_ppn
    rule, rate = tax.on(case.taxes.roundings, case.day), tax.on(case.taxes.ppn, case.day)
    share = tax.ppn_share(case.taxes, case.day, inclusive=inside)
    said = formula(
        "ppn.inside" if inside else "ppn", due * share, rule.how, due=due, rate_percent=rate.rate_percent,
        base_numerator=rate.base_numerator, base_denominator=rate.base_denominator,
    )  # fmt: skip
    ppn = tax.tax(due * share, case.taxes, case.day)
    if inside:
        yield Line(kind=LineKind.PPN_INSIDE, rupiah=-ppn, formula=said)
    yield _sum(LineKind.BASE, due - ppn if inside else due)
    yield Line(kind=LineKind.PPN, rupiah=ppn, formula=said)


def _ppn(terms: ContractTerms, taxes: TaxTable, price: int, day: date) -> int:
    return tax.tax(price * tax.ppn_share(taxes, day), taxes, day) if terms.tax.ppn else 0


def _rounding(case: _Case, total: int) -> Iterator[Line]:
    """The contract's own rounding; of a price for the whole contract it is settled in its last month (facts 12)."""
    terms = case.terms
    if terms.price_for is PriceFor.MONTH:
        less = total % terms.rounding_step
        if less:
            said = formula("rounding.step", -less, total=total, step=terms.rounding_step)
            yield Line(kind=LineKind.ROUNDING, rupiah=-less, formula=said)
    elif terms.end == case.month.period.last_day:
        agreed, charged = _contract_totals(terms, case.taxes)
        if agreed != charged:
            said = formula("rounding.contract", agreed - charged, agreed=agreed, charged=charged)
            yield Line(kind=LineKind.ROUNDING, rupiah=agreed - charged, formula=said)


def _contract_totals(terms: ContractTerms, taxes: TaxTable) -> tuple[int, int]:
    """Return what the contract comes to as a whole, and what its months come to one by one, without any credit."""
    end = terms.end or terms.start
    agreed = charged = terms.price
    if terms.tax.ppn and not terms.price_includes_ppn:
        spans = proration.months(terms.start, end)
        bills = [
            (price, tax_day(terms, *span))
            for price, span in zip(proration.parts(terms.price, terms.start, end), spans, strict=True)
        ]
        exact = sum((price * tax.ppn_share(taxes, day) for price, day in bills), Fraction(0))
        agreed += tax.tax(exact, taxes, bills[-1][1])
        charged += sum(_ppn(terms, taxes, price, day) for price, day in bills)
    return agreed - agreed % terms.rounding_step, charged


def _correction(one: CorrectionFact) -> Line:
    said = formula("correction", one.rupiah, month=one.month, number=one.number[:100])
    return Line(kind=LineKind.CORRECTION, rupiah=one.rupiah, formula=said)


def _withheld(case: _Case, lines: tuple[Line, ...]) -> Iterator[Line]:
    """What the office keeps back and pays to the state itself (facts 9.2)."""
    terms, base, ppn = case.terms, amount(lines, LineKind.BASE), amount(lines, LineKind.PPN)
    if terms.tax.office_collects_ppn and ppn and base > case.taxes.collect_above:
        said = formula("ppn.collected", -ppn, ppn=ppn, base=base, above=case.taxes.collect_above)
        yield Line(kind=LineKind.PPN_COLLECTED, rupiah=-ppn, formula=said)
    if terms.tax.pph23:
        share = tax.pph23_share(case.taxes, case.day, has_npwp=terms.tax.has_npwp)
        rule = tax.on(case.taxes.roundings, case.day)
        said = formula("pph23", base * share, rule.how, base=base, percent=share * 100)
        yield Line(kind=LineKind.PPH23, rupiah=-tax.tax(base * share, case.taxes, case.day), formula=said)
