"""A budget line: which pagu holds, who pays, what is left, when the money ends (facts on billing 1, 3, 9.3)."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kampungnet.billing import budget
from kampungnet.billing.budget import Spent, Stage, Version, VersionKind
from kampungnet.billing.document import FundShare
from tests.billing.months import pagu

BILL = 2_775_000


def _funds(**rupiah: int) -> tuple[FundShare, ...]:
    return tuple(FundShare(fund=name, rupiah=one) for name, one in rupiah.items())


def test_thirty_million_pays_ten_months_with_tax() -> None:
    assert budget.lasting(30_000_000, BILL) == (10, 2_250_000)
    assert 12 * BILL == 33_300_000
    assert budget.lasting(0, BILL) == (0, 0)
    assert budget.ends(30_000_000, dict.fromkeys(range(1, 13), BILL)) == 11


def test_a_pagu_set_without_tax_runs_dry_after_october() -> None:
    january = budget.settled(pagu(30_000_000), BILL, BILL, 1)
    assert (january.remaining, january.ends) == (27_225_000, "2026-10")
    october = budget.settled(pagu(30_000_000, realised=9 * BILL), BILL, BILL, 10)
    assert (october.remaining, october.ends) == (2_250_000, "2026-10")
    november = budget.settled(pagu(30_000_000, realised=10 * BILL), BILL, BILL, 11)
    assert (november.remaining, november.ends) == (-525_000, "2026-10")
    assert budget.settled(pagu(33_300_000), BILL, BILL, 1).ends is None


def test_a_contract_that_ends_in_june_needs_money_until_june() -> None:
    assert budget.settled(pagu(6 * BILL), BILL, BILL, 1, last_month=6).ends is None
    assert budget.settled(pagu(6 * BILL - 1), BILL, BILL, 1, last_month=6).ends == "2026-05"
    assert budget.settled(pagu(1), BILL, BILL, 1).ends == "2025-12"


def test_a_changed_pagu_replaces_the_old_one_from_its_day_on() -> None:
    murni = Version(date(2026, 1, 1), VersionKind.MURNI, _funds(ADD=30_000_000))
    change = Version(date(2026, 9, 15), VersionKind.PERUBAHAN, _funds(ADD=30_000_000, PBH=3_300_000))
    for day, found in ((date(2025, 12, 31), None), (date(2026, 9, 14), murni), (date(2026, 9, 15), change)):
        assert budget.version_on((change, murni), day) is found
    assert change.pagu == 33_300_000


def test_funds_pay_in_order() -> None:
    """Facts 1.6: one line of Rp1.740.000 with several funds."""
    funds = _funds(ADD=1_000_000, DLL=40_000, PAD=700_000)
    assert budget.paid_from(funds, 900_000, 500_000) == (_funds(ADD=100_000, DLL=40_000, PAD=360_000), 0)
    assert budget.paid_from(funds, 1_740_000, 5) == ((), 5)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=6), st.lists(st.integers(0, 10**9), max_size=6))
def test_no_fund_pays_more_than_it_holds_and_every_rupiah_is_paid_once(held: list[int], bills: list[int]) -> None:
    funds = tuple(FundShare(fund=f"F{n}", rupiah=one) for n, one in enumerate(held))
    gone, paid, short = 0, dict.fromkeys((one.fund for one in funds), 0), 0
    for bill in bills:
        shares, missing = budget.paid_from(funds, gone, bill)
        assert sum(one.rupiah for one in shares) + missing == bill
        for one in shares:
            paid[one.fund] += one.rupiah
        gone, short = gone + bill, short + missing
    assert all(paid[one.fund] <= one.rupiah for one in funds)
    assert short == max(0, sum(bills) - sum(held))


def test_a_village_owes_before_its_add_has_arrived() -> None:
    stages = [
        Stage("ADD", Fraction(30, 100), date(2026, 3, 20)),
        Stage("ADD", Fraction(30, 100), date(2026, 4, 15)),
        Stage("ADD", Fraction(40, 100), date(2026, 8, 25)),
    ]
    funds = _funds(ADD=30_000_000, PAD=1_000_000)
    assert budget.arrived(stages, funds, date(2026, 3, 19)) == 1_000_000
    assert budget.arrived(stages, funds, date(2026, 3, 20)) == 10_000_000
    assert budget.arrived(stages, funds, date(2026, 8, 25)) == 31_000_000
    owed = budget.owed_before_arrival(stages, funds, Spent(reserved=BILL), BILL, date(2026, 2, 28))
    assert owed == 2 * BILL - 1_000_000
    assert budget.owed_before_arrival(stages, funds, Spent(realised=BILL), BILL, date(2026, 3, 31)) == 0


@pytest.mark.parametrize(("left", "dry"), [(5_549_999, 9), (5_550_000, None)])
def test_a_forecast_says_month_by_month_what_is_left(left: int, dry: int | None) -> None:
    bills = {8: BILL, 9: BILL}
    assert budget.ends(left, bills) == dry
    assert [one.left for one in budget.forecast(left, bills)] == [left - BILL, left - 2 * BILL]


def test_all_that_is_gone_or_promised_counts() -> None:
    assert Spent(opening=1, realised=20, reserved=300).total == 321
