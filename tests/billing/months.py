"""Months and contracts for the tests of money: June 2026 of facts 8.3, July 2026 of 9.1."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from kampungnet.billing.document import BudgetFact, ContractFact, FundShare, ProviderFact, VillageFact
from kampungnet.billing.measured import (
    Classes,
    EvidenceFact,
    MeasuredMonth,
    OfficeFact,
    OutageFact,
    Period,
    SpanFact,
    TrafficFact,
    WindowFact,
)
from kampungnet.billing.statement import Facts, classified
from kampungnet.billing.terms import ContractTerms, CreditFormula, CreditTerms, ServiceKind
from kampungnet.core.clock import WIB
from kampungnet.measurement.outage_words import Cause, Finding

MINUTE: Final = 60_000
FEE: Final = 2_500_000
JUNE: Final = Period.of(date(2026, 6, 1), date(2026, 6, 30), WIB)
JULY: Final = Period.of(date(2026, 7, 1), date(2026, 7, 31), WIB)
LATE_JULY: Final = Period.of(date(2026, 7, 13), date(2026, 7, 31), WIB)

SIX_AND_TEN: Final = ((0, 960, Cause.FIBER),)


def terms(**given: Any) -> ContractTerms:
    """A fixed service for 2.500.000 since January 2025."""
    plain: Mapping[str, Any] = {"kind": ServiceKind.FIXED, "price": FEE, "start": date(2025, 1, 1)}
    return ContractTerms(**{**plain, **given})


def credit(formula: CreditFormula, sla: str = "99", **given: Any) -> CreditTerms:
    return CreditTerms(formula=formula, sla_percent=Decimal(sla), **given)


def outage(period: Period, first: int, last: int, cause: Cause = Cause.FIBER) -> OutageFact:
    """An outage from a minute to a minute of the period."""
    start = period.start_ms + first * MINUTE
    return OutageFact(
        start_ms=start, end_ms=period.start_ms + last * MINUTE, cause=cause, confidence_percent=90,
        evidence=(EvidenceFact(at_ms=start, what=Finding.NO_LIGHT),),
    )  # fmt: skip


def traffic(period: Period, **given: Any) -> TrafficFact:
    expected = period.served_days * 288
    plain: Mapping[str, Any] = {
        "rx_bytes": 900 * 10**9, "tx_bytes": 100 * 10**9, "lower_bound": False, "samples": expected,
        "expected": expected, "rx_p95_bps": 18_000_000, "tx_p95_bps": 4_000_000,
        "busiest_hour_ms": period.start_ms, "busiest_bytes": 8 * 10**9,
    }  # fmt: skip
    return TrafficFact(**{**plain, **given})


def month(
    period: Period = JUNE,
    lost: tuple[tuple[int, int, Cause], ...] = (),
    planned: tuple[tuple[int, int], ...] = (),
    unseen: tuple[tuple[int, int], ...] = (),
    contract: ContractTerms | None = None,
    **of_traffic: Any,
) -> MeasuredMonth:
    """A month by minutes of its period, sorted into classes by the contract's policies."""
    at = period.start_ms
    windows = tuple(
        WindowFact(start_ms=at + first * MINUTE, end_ms=at + last * MINUTE, entered_ms=at) for first, last in planned
    )
    bare = MeasuredMonth(
        period=period, classes=Classes(seconds=0, up=0, planned=0, unknown=0, down={}),
        outages=tuple(outage(period, *one) for one in lost), windows=windows,
        unseen=tuple(SpanFact(start_ms=at + first * MINUTE, end_ms=at + last * MINUTE) for first, last in unseen),
        traffic=traffic(period, **of_traffic),
        office=OfficeFact(
            opens=7, closes=15, weekdays=(0, 1, 2, 3, 4), holidays=(),
            classes=Classes(seconds=0, up=0, planned=0, unknown=0, down={}),
        ),
    )  # fmt: skip
    return classified(bare, ContractFact(id="x", number="x", terms=contract or terms()))


def facts(contract: ContractTerms, measured: MeasuredMonth, budget: BudgetFact | None = None, **given: Any) -> Facts:
    """Facts of Kampunganyar."""
    return Facts(
        village=VillageFact(
            code="35.10.15.2012", name="Kampunganyar", kind="desa", district="Glagah", regency="Kabupaten Banyuwangi",
            regency_code="35.10",
        ),
        provider=ProviderFact(name="PT Serat Nusantara", npwp="01.234.567.8-901.000"),
        contract=ContractFact(id="35.10.15.2012-1", number="027/12/SPK/2026", terms=contract),
        measured=measured, budget=budget, **given,
    )  # fmt: skip


def pagu(rupiah: int, **given: Any) -> BudgetFact:
    """A line of 2026, paid by ADD alone unless ``funds`` are given."""
    plain: Mapping[str, Any] = {
        "year": 2026, "line": "35.10.15.2012-2026-1", "activity": "2.6.03", "account": "5.2.5.05",
        "name": "Belanja Jasa Langganan Internet", "version": "murni", "version_since": date(2026, 1, 1),
        "funds": (FundShare(fund="ADD", rupiah=rupiah),), "remaining": 0, "monthly": 0, "ends": None,
    }  # fmt: skip
    return BudgetFact(**{**plain, **given})
