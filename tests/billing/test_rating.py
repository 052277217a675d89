"""The money of a month: every vector of facts on billing 6, 8.3, 9.1, 9.2, and that printed lines add up."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kampungnet.billing import proration, tax
from kampungnet.billing.credit import credit, judgeable
from kampungnet.billing.document import Judged
from kampungnet.billing.lines import Line, LineKind, adds_up, amount
from kampungnet.billing.measured import MeasuredMonth, Period
from kampungnet.billing.money import Rounding, down
from kampungnet.billing.rating import Unrateable, rate, whole_month
from kampungnet.billing.tax import HOUSE_TAXES, RateUnknown
from kampungnet.billing.terms import (
    ContractTerms,
    CreditFormula,
    CreditOrder,
    CreditTerms,
    CreditWhen,
    OveruseUnit,
    PriceFor,
    Proration,
    ServiceKind,
    TaxTerms,
    TermsFault,
    Unjudged,
    faults,
)
from kampungnet.core.clock import WIB, WIT, WITA
from kampungnet.measurement.availability import Treatment
from kampungnet.measurement.outage_words import Cause
from tests.billing import months
from tests.billing.months import FEE, JULY, JUNE, LATE_JULY, SIX_AND_TEN, month, terms

DOWN, OUT, UP = Treatment.DOWN, Treatment.OUT, Treatment.UP
K = LineKind


def _lines(contract: ContractTerms, measured: MeasuredMonth) -> tuple[Line, ...]:
    return rate(contract, measured, HOUSE_TAXES).lines


def _amounts(contract: ContractTerms, measured: MeasuredMonth) -> dict[str, int]:
    return {line.kind.value: line.rupiah for line in _lines(contract, measured)}


def _credit(formula: CreditFormula, fee: int = FEE, sla: str = "99", **given: object) -> Fraction:
    how = months.credit(formula, sla, planned=UP)
    contract = terms(credit=how)
    found = credit(how, fee, month(lost=SIX_AND_TEN, planned=((2_000, 2_240),), contract=contract))
    return Fraction(found.exact) if found else Fraction(0)


@pytest.mark.parametrize(
    ("formula", "sla", "cents"),
    [
        (CreditFormula.R1, "99", 55_555_56), (CreditFormula.R2, "99", 30_555_56), (CreditFormula.R3, "99", 30_555_56),
        (CreditFormula.R3B, "99", 30_864_20), (CreditFormula.R4, "99", 56_116_72), (CreditFormula.R5, "99", 166_666_67),
    ],
)  # fmt: skip
def test_six_formulas_give_six_credits_for_the_same_month(formula: CreditFormula, sla: str, cents: int) -> None:
    assert round(_credit(formula, sla=sla) * 100) == cents


def test_the_tolerance_is_taken_of_the_base_that_the_policy_leaves() -> None:
    how = months.credit(CreditFormula.R2, planned=OUT)
    found = credit(how, FEE, month(lost=SIX_AND_TEN, planned=((2_000, 2_240),), contract=terms(credit=how)))
    assert found is not None
    assert round(Fraction(found.exact) * 100) == 30_865_92
    assert Fraction(str(found.inputs["tolerance_s"])) == Fraction("429.6") * 60


@pytest.mark.parametrize(("unknown", "share"), [(UP, "97.7778"), (DOWN, "97.5000"), (OUT, "97.7716")])
def test_unknown_time_is_judged_as_the_contract_says(unknown: Treatment, share: str) -> None:
    how = CreditTerms(unknown=unknown)
    measured = month(lost=SIX_AND_TEN, unseen=((5_000, 5_120),), contract=terms(credit=how))
    found = judgeable(measured.classes, how).share
    assert found is not None
    assert f"{round(found * 1_000_000):,}".replace(",", "") == share.replace(".", "")


def test_a_credit_says_how_it_came_out() -> None:
    how = months.credit(CreditFormula.R2)
    line = next(one for one in _lines(terms(credit=how), month(lost=SIX_AND_TEN)) if one.kind is K.CREDIT)
    assert line.rupiah == -30_555
    assert line.formula.id == "credit.r2"
    assert line.formula.inputs == {"fee": FEE, "outage_s": 57_600, "tolerance_s": 25_920, "base_s": 2_592_000}
    assert (line.formula.exact, line.formula.rounding) == ("275000/9", Rounding.DOWN)


def test_r1_pays_only_when_the_sla_is_missed_r4_and_r5_for_every_outage() -> None:
    short = month(lost=((0, 60, Cause.FIBER),))
    paid = {one: credit(months.credit(one), FEE, short) is not None for one in CreditFormula}
    assert {one.value for one, pays in paid.items() if pays} == {"r4", "r5"}
    assert credit(months.credit(CreditFormula.R1, when=CreditWhen.ALWAYS), FEE, short) is not None
    assert credit(months.credit(CreditFormula.R4, when=CreditWhen.MISSED), FEE, short) is None


def test_r5_counts_every_24_hours_begun_of_each_outage() -> None:
    lost = ((0, 1_440, Cause.FIBER), (3_000, 4_441, Cause.FIBER), (9_000, 9_001, Cause.LISTRIK))
    found = credit(months.credit(CreditFormula.R5), FEE, month(lost=lost))
    assert found is not None
    assert found.inputs["begun"] == 1 + 2 + 1
    assert Fraction(found.exact) == Fraction(2 * FEE * 4, 30)


def test_r5_does_not_count_an_outage_within_planned_work() -> None:
    how = months.credit(CreditFormula.R5)
    found = credit(how, FEE, month(lost=((100, 200, Cause.FIBER),), planned=((50, 300),)))
    assert found is not None
    assert found.inputs["begun"] == 0


def test_a_cause_the_provider_does_not_answer_for_is_taken_out() -> None:
    how = months.credit(CreditFormula.R1, excused=(Cause.LISTRIK,))
    lost = (*SIX_AND_TEN, (2_000, 3_200, Cause.LISTRIK))
    measured = month(lost=lost)
    assert judgeable(measured.classes, how).outage == 960 * 60
    assert judgeable(measured.classes, how).base == (43_200 - 1_200) * 60
    r5 = credit(months.credit(CreditFormula.R5, excused=(Cause.LISTRIK,)), FEE, measured)
    assert r5 is not None
    assert r5.inputs["begun"] == 1


def test_a_credit_is_never_above_the_fee_of_the_served_part() -> None:
    lost = tuple((n * 1_440, n * 1_440 + 10, Cause.FIBER) for n in range(19))
    contract = terms(credit=months.credit(CreditFormula.R5))
    found = _amounts(contract, month(LATE_JULY, lost=lost, contract=contract))
    assert found["price"] + found["proration"] == 1_532_258
    assert found["credit"] == -1_532_258
    assert found["total"] == 0


@pytest.mark.parametrize(
    ("method", "amount_"),
    [(Proration.ACTUAL, 1_532_258), (Proration.ACTUAL_30, 1_583_333), (Proration.STRICT_30_360, 1_500_000)],
)
def test_july_from_the_13th_by_three_methods(method: Proration, amount_: int) -> None:
    found = _amounts(terms(proration=method, tax=TaxTerms(ppn=False)), month(LATE_JULY))
    assert found["price"] == FEE
    assert found["price"] + found["proration"] == found["base"] == found["total"] == amount_


def test_a_february_has_its_own_days() -> None:
    for year, cents in ((2026, 1_696_428_57), (2028, 1_724_137_93)):
        period = Period.of(date(year, 2, 10), date(year, 2, 29 if year == 2028 else 28), WIB)
        assert round(FEE * proration.ratio(Proration.ACTUAL, period) * 100) == cents


@given(st.sampled_from(Proration), st.dates(date(2020, 1, 1), date(2040, 12, 31)), st.integers(0, 30))
def test_proration_is_never_above_the_price_and_a_whole_month_is_the_price(
    method: Proration, first: date, more: int
) -> None:
    whole = Period.of(first.replace(day=1), proration.months(first, date(2041, 1, 31))[0][1], WIB)
    last = min(first.toordinal() + more, whole.last_day.toordinal())
    assert 0 < proration.ratio(method, Period.of(first, date.fromordinal(last), WIB)) <= 1
    assert proration.ratio(method, whole) == 1


def test_half_a_year_not_served_is_not_paid() -> None:
    assert proration.parts(7_920_000, date(2020, 1, 1), date(2020, 12, 31)) == (660_000,) * 12
    assert 6 * 660_000 * 412 == 1_631_520_000


@given(st.integers(0, 10**12), st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 1_500))
def test_the_months_of_a_contract_add_up_to_its_price(price: int, start: date, days: int) -> None:
    end = date.fromordinal(start.toordinal() + days)
    parts = proration.parts(price, start, end)
    assert sum(parts) == price
    assert len(parts) == len(proration.months(start, end))
    assert min(parts) >= 0


@pytest.mark.parametrize(
    ("price", "day", "ppn"),
    [
        (2_500_000, date(2024, 12, 31), 275_000), (2_500_000, date(2026, 7, 31), 275_000),
        (3_453_454, date(2025, 5, 21), 379_879), (3_453_454, date(2025, 5, 22), 379_880),
        (2_342_343, date(2025, 5, 21), 257_657), (2_342_343, date(2025, 5, 22), 257_658),
        (1_500_037, date(2025, 1, 1), 165_004), (1_532_258, date(2025, 1, 1), 168_548),
        (1_532_258, date(2026, 1, 1), 168_548),
    ],
)  # fmt: skip
def test_ppn_is_rounded_once_by_the_rule_of_the_day(price: int, day: date, ppn: int) -> None:
    assert tax.tax(price * tax.ppn_share(HOUSE_TAXES, day), HOUSE_TAXES, day) == ppn


def test_rounding_the_tax_base_first_would_be_a_rupiah_short() -> None:
    assert down(Fraction(down(Fraction(2_500_000 * 11, 12)) * 12, 100)) == 274_999


@pytest.mark.parametrize(("price", "base", "ppn"), [(2_775_000, 2_500_000, 275_000), (3_000_000, 2_702_703, 297_297)])
def test_a_price_that_includes_ppn_is_taken_apart(price: int, base: int, ppn: int) -> None:
    found = _amounts(terms(price=price, price_includes_ppn=True), month())
    assert found == {
        "price": price, "ppn_inside": -ppn, "base": base, "ppn": ppn, "total": price, "payable": price,
    }  # fmt: skip


def test_the_example_bill_of_july_2026_with_a_credit() -> None:
    """Facts 9.2: the credit of June's 30 days, in a bill of July's taxes."""
    contract = terms(credit=months.credit(CreditFormula.R2), tax=TaxTerms(pph23=True))
    found = _amounts(contract, month(JUNE, SIX_AND_TEN))
    assert found == {
        "price": 2_500_000, "credit": -30_555, "base": 2_469_445, "ppn": 271_639, "total": 2_741_084,
        "pph23": -49_389, "payable": 2_691_695,
    }  # fmt: skip


def test_the_same_bill_before_22_may_2025_rounds_taxes_down() -> None:
    april = Period.of(date(2025, 4, 1), date(2025, 4, 30), WIB)
    contract = terms(credit=months.credit(CreditFormula.R2), tax=TaxTerms(pph23=True))
    found = _amounts(contract, month(april, SIX_AND_TEN))
    assert (found["ppn"], found["total"], found["pph23"]) == (271_638, 2_741_083, -49_388)


def test_a_credit_after_tax_is_worth_more_to_the_provider() -> None:
    contract = terms(credit=months.credit(CreditFormula.R2, order=CreditOrder.AFTER_TAX))
    found = _amounts(contract, month(lost=SIX_AND_TEN))
    assert (found["ppn"], found["credit_after_tax"], found["total"]) == (275_000, -30_555, 2_744_445)


def test_without_npwp_twice_as_much_is_withheld_and_without_tax_nothing() -> None:
    found = _amounts(terms(tax=TaxTerms(pph23=True, has_npwp=False)), month())
    assert found["pph23"] == -100_000
    assert _amounts(terms(tax=TaxTerms(ppn=False)), month())["total"] == FEE


@pytest.mark.parametrize(("price", "collected"), [(2_000_000, None), (2_000_001, -220_000)])
def test_the_office_collects_ppn_above_the_threshold_only(price: int, collected: int | None) -> None:
    found = _amounts(terms(price=price, tax=TaxTerms(office_collects_ppn=True)), month())
    assert found.get("ppn_collected") == collected
    assert found["payable"] == found["total"] + (collected or 0)


def test_a_day_before_the_table_is_refused() -> None:
    with pytest.raises(RateUnknown, match="2022-03-31"):
        tax.ppn_share(HOUSE_TAXES, date(2022, 3, 31))


def test_the_contracts_own_rounding_is_a_line() -> None:
    """Sumbawa Barat 2022: Rp181.457.250 became Rp181.450.000."""
    contract = terms(price=163_475_000, rounding_step=10_000)
    found = _amounts(contract, month())
    assert (found["ppn"], found["rounding"], found["total"]) == (17_982_250, -7_250, 181_450_000)


@pytest.mark.parametrize("step", [1, 10_000])
def test_a_contract_paid_in_months_comes_to_what_was_agreed(step: int) -> None:
    contract = terms(
        price=163_475_000, price_for=PriceFor.CONTRACT, start=date(2026, 1, 1), end=date(2026, 12, 31),
        rounding_step=step,
    )  # fmt: skip
    bills = [
        _amounts(contract, month(Period.of(first, last, WIB)))
        for first, last in proration.months(date(2026, 1, 1), date(2026, 12, 31))
    ]
    assert [bill["price"] for bill in bills] == [13_622_917] * 8 + [13_622_916] * 4
    assert sum(bill["total"] for bill in bills) == (181_457_250 if step == 1 else 181_450_000)
    assert [n for n, bill in enumerate(bills) if "rounding" in bill] == [11]


def test_a_95th_percentile_above_the_committed_rate_costs_more() -> None:
    contract = terms(kind=ServiceKind.P95, committed_kbps=10_000, overuse_per_mbps=125_000, tax=TaxTerms(ppn=False))
    assert _amounts(contract, month(rx_p95_bps=20_000_000, tx_p95_bps=8_000_000))["overuse"] == 1_250_000
    assert "overuse" not in _amounts(contract, month(rx_p95_bps=8_000_000))
    late = _amounts(contract, month(LATE_JULY, rx_p95_bps=20_000_000))
    assert late["overuse"] == 1_250_000 * 19 // 31
    started = terms(
        kind=ServiceKind.P95, committed_kbps=10_000, overuse_per_mbps=125_000, overuse_unit=OveruseUnit.STARTED
    )
    assert _amounts(started, month(rx_p95_bps=12_000_001))["overuse"] == 3 * 125_000


def test_a_quota_counts_both_directions() -> None:
    contract = terms(kind=ServiceKind.QUOTA, quota_bytes=10 * 10**9, overuse_per_gb=50_000)
    found = _amounts(contract, month(rx_bytes=9 * 10**9, tx_bytes=2_500_000_000))
    assert found["overuse"] == 75_000


@pytest.mark.parametrize(
    ("unjudged", "base", "credit_"),
    [(Unjudged.FULL, FEE, 0), (Unjudged.HELD, 0, 0), (Unjudged.AS_MEASURED, None, None)],
)
def test_a_month_of_which_too_little_is_known_is_not_judged(
    unjudged: Unjudged, base: int | None, credit_: int | None
) -> None:
    contract = terms(credit=months.credit(CreditFormula.R1), unjudged=unjudged)
    found = rate(contract, month(lost=SIX_AND_TEN, unseen=((10_000, 14_321),)), HOUSE_TAXES)
    assert found.judgement.result is Judged.NOT_JUDGED
    assert adds_up(found.lines)
    if base is None:
        assert amount(found.lines, K.CREDIT) == -(FEE * 960 // (43_200 - 4_321))
    else:
        assert (amount(found.lines, K.BASE), amount(found.lines, K.CREDIT)) == (base, credit_)


def test_a_month_is_judged_from_the_threshold_on() -> None:
    for minutes, judged in ((4_320, True), (4_321, False)):  # a tenth of June
        found = rate(terms(), month(unseen=((0, minutes),)), HOUSE_TAXES).judgement
        assert (found.result is Judged.NO_SLA) is judged


def test_thirty_days_of_a_longer_month_are_the_price_by_thirtieths() -> None:
    thirty = Period.of(date(2026, 7, 2), date(2026, 7, 31), WIB)
    assert "proration" not in _amounts(terms(proration=Proration.ACTUAL_30), month(thirty))


def test_a_proven_outage_is_known_time() -> None:
    found = rate(terms(credit=months.credit(CreditFormula.R1)), month(lost=((0, 20_000, Cause.FIBER),)), HOUSE_TAXES)
    assert found.judgement.result is Judged.MISSED
    assert (found.judgement.known, found.judgement.availability) == ("1", str(Fraction(23_200, 43_200)))


def test_a_95th_percentile_asks_for_samples() -> None:
    contract = terms(kind=ServiceKind.P95, committed_kbps=10_000, overuse_per_mbps=125_000)
    few = rate(contract, month(samples=7_775, rx_p95_bps=50_000_000), HOUSE_TAXES)
    assert few.judgement.result is Judged.NOT_JUDGED
    assert not amount(few.lines, K.OVERUSE)
    assert rate(contract, month(samples=7_776), HOUSE_TAXES).judgement.result is Judged.NO_SLA


def test_terms_that_do_not_fit_and_months_outside_are_refused() -> None:
    assert faults(terms(end=date(2024, 1, 1), price_for=PriceFor.CONTRACT)) == (TermsFault.ENDS_BEFORE_START,)
    assert faults(terms(kind=ServiceKind.P95)) == (TermsFault.NO_COMMITTED_RATE,)
    assert faults(terms(credit=CreditTerms(formula=CreditFormula.R2))) == (TermsFault.NO_SLA,)
    with pytest.raises(Unrateable, match="no_quota"):
        _lines(terms(kind=ServiceKind.QUOTA), month())
    with pytest.raises(Unrateable, match="outside"):
        _lines(terms(start=date(2026, 6, 2)), month())
    for wrong in ("100.1", "-1", "99.99999", "NaN", "1E+9999999", "1E-9999999"):
        with pytest.raises(ValueError, match="percentage"):
            CreditTerms(sla_percent=Decimal(wrong))


def test_a_whole_month_costs_what_a_budget_has_to_hold() -> None:
    assert whole_month(terms(), HOUSE_TAXES, date(2026, 7, 31)) == 2_775_000
    assert whole_month(terms(price=3_000_000, price_includes_ppn=True), HOUSE_TAXES, date(2026, 7, 31)) == 3_000_000


_CONTRACTS = st.builds(
    terms,
    kind=st.sampled_from([ServiceKind.FIXED, ServiceKind.UP_TO]),
    price=st.integers(0, 10**9),
    price_includes_ppn=st.booleans(),
    proration=st.sampled_from(Proration),
    unjudged=st.sampled_from(Unjudged),
    rounding_step=st.sampled_from([1, 100, 1_000, 10_000]),
    tax=st.builds(
        TaxTerms, ppn=st.booleans(), pph23=st.booleans(), has_npwp=st.booleans(), office_collects_ppn=st.booleans()
    ),
    credit=st.builds(
        months.credit,
        st.sampled_from(CreditFormula),
        st.sampled_from(["98", "99", "99.5", "100"]),
        when=st.sampled_from(CreditWhen),
        order=st.sampled_from(CreditOrder),
        planned=st.sampled_from(Treatment),
        unknown=st.sampled_from(Treatment),
    ),
)
_STRETCH = st.tuples(st.integers(0, 27_000), st.integers(1, 4_000)).map(lambda one: (one[0], min(27_360, sum(one))))


@settings(max_examples=150)
@given(
    _CONTRACTS,
    st.sampled_from([JUNE, JULY, LATE_JULY, Period.of(date(2028, 2, 1), date(2028, 2, 29), WITA)]),
    st.lists(_STRETCH, max_size=3),
    st.lists(_STRETCH, max_size=2),
    st.lists(_STRETCH, max_size=2),
)
def test_printed_lines_always_add_up_and_nobody_pays_more_than_the_price(
    contract: ContractTerms,
    period: Period,
    lost: list[tuple[int, int]],
    planned: list[tuple[int, int]],
    unseen: list[tuple[int, int]],
) -> None:
    outages = tuple((*one, Cause.FIBER) for one in lost)
    lines = _lines(contract, month(period, outages, tuple(planned), tuple(unseen), contract))
    assert adds_up(lines)
    assert lines == tuple(sorted(lines, key=lambda line: list(LineKind).index(line.kind)))
    fee = amount(lines, K.PRICE) + amount(lines, K.PRORATION)
    assert 0 <= fee <= contract.price
    assert -fee <= amount(lines, K.CREDIT) + amount(lines, K.CREDIT_AFTER_TAX) <= 0
    assert (
        0 <= amount(lines, K.TOTAL) <= whole_month(contract, HOUSE_TAXES, period.last_day) or contract.rounding_step > 1
    )


def test_a_month_is_as_long_as_its_zone_says() -> None:
    for zone in (WIB, WITA, WIT):
        assert Period.of(date(2026, 7, 1), date(2026, 7, 31), zone).end_ms - JULY.end_ms in {0, -3_600_000, -7_200_000}
