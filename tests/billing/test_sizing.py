"""Right-sizing: what was bought against what was used, and next year's line."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from kampungnet.billing.sizing import Fit, Package, Thresholds, Use, at_ceiling, rab_line, sizing, what_if

YEAR = [
    Use(f"2026-{n:02}", contracted_kbps=20_000, p95_bps=12_000_000, peak_bps=15_000_000, ceiling_hours=0,
        measured_hours=720, total_bytes=10**12, rupiah=2_775_000)
    for n in range(1, 13)
]  # fmt: skip


def _with(**given: Any) -> list[Use]:
    return [*YEAR[:-1], replace(YEAR[-1], **given)]


def test_what_a_received_mbps_and_a_gb_cost() -> None:
    found = sizing(YEAR)
    assert (found.fit, found.months) == (Fit.FITS, 12)
    assert found.per_mbps == Fraction(2_775_000, 12)
    assert found.per_gb == Fraction(2_775_000, 1_000)
    assert (found.p95_bps, found.used_share, found.need_kbps) == (12_000_000, Fraction(12, 20), 15_000)


@pytest.mark.parametrize(
    ("p95_bps", "ceiling_hours", "fit"),
    [
        (17_000_000, 0, Fit.FITS), (17_000_001, 0, Fit.UNDER), (12_000_000, 432, Fit.FITS),
        (12_000_000, 433, Fit.UNDER),
    ],
)  # fmt: skip
def test_too_little_was_bought_when_one_month_or_the_hours_say_so(p95_bps: int, ceiling_hours: int, fit: Fit) -> None:
    assert sizing(_with(p95_bps=p95_bps, ceiling_hours=ceiling_hours)).fit is fit


def test_too_much_was_bought_when_no_month_needs_it() -> None:
    little = [replace(one, p95_bps=8_000_000) for one in YEAR]
    assert sizing(little).fit is Fit.OVER
    assert sizing([*little[:-1], replace(little[-1], p95_bps=8_000_001)]).fit is Fit.FITS
    assert sizing([*little[:-1], replace(little[-1], ceiling_hours=1)]).fit is Fit.FITS


def test_of_too_little_nothing_is_said() -> None:
    assert sizing([]).fit is Fit.UNKNOWN
    assert sizing([]).need_kbps is None
    assert sizing(YEAR[:2]).fit is Fit.UNKNOWN
    assert sizing([replace(one, contracted_kbps=0) for one in YEAR]).fit is Fit.UNKNOWN
    assert sizing(_with(p95_bps=None)).months == 11
    assert sizing(_with(measured_hours=359)).months == 11


def test_the_need_is_in_whole_mbps_above_the_highest_month() -> None:
    assert sizing(_with(p95_bps=12_000_001)).need_kbps == 16_000
    assert sizing(YEAR, Thresholds(headroom_percent=0)).need_kbps == 12_000


def test_an_hour_at_the_ceiling_is_ninety_percent_full() -> None:
    full = 20_000_000 * 3600 // 8
    assert at_ceiling(full * 9 // 10, 20_000)
    assert not at_ceiling(full * 9 // 10 - 1, 20_000)
    assert not at_ceiling(full, 0)


def test_next_years_line_is_twelve_months_with_tax() -> None:
    assert rab_line(2_775_000, need_kbps=15_000) == (12, 2_775_000, 33_300_000, 15_000)


def test_another_package_is_cheaper_or_not_enough() -> None:
    now = Package(20_000, 2_775_000)
    assert what_if(now, Package(15_000, 2_220_000), 15_000) == (-6_660_000, True)
    assert what_if(now, Package(10_000, 1_110_000), 15_000) == (-19_980_000, False)
    assert what_if(now, Package(50_000, 3_330_000), None) == (6_660_000, None)
