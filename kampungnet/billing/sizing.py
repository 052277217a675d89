"""Pure: was the right amount bought? Contracted rates against what was used, and next year's line (facts 4: auditors).

The thresholds are the house's own choice, and settings; a page that shows a verdict shows them beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final, NamedTuple

MBPS: Final = 10**6
GB: Final = 10**9


@dataclass(frozen=True, slots=True)
class Use:
    """One month of a line. Rates in bits a second, of the direction towards the village."""

    month: str
    """``2026-07``"""
    contracted_kbps: int
    p95_bps: int | None
    peak_bps: int
    """Of the busiest hour."""
    ceiling_hours: int
    """Hours at the ceiling, see :func:`at_ceiling`."""
    measured_hours: int
    """Hours that were fully seen."""
    total_bytes: int
    rupiah: int
    """What the month came to, tax included."""


class Months(NamedTuple):
    """Months of a line with one contracted rate, as a database adds them up."""

    contracted_kbps: int
    months: int
    p95_bps: int
    """The highest."""
    p95_sum_bps: int
    peak_bps: int
    """The highest."""
    ceiling_hours: int
    measured_hours: int
    total_bytes: int
    rupiah: int


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Settings."""

    ceiling_percent: int = 90
    """An hour this full stands at the ceiling."""
    under_percent: int = 85
    """Under-bought: the 95th percentile is above this share of the contract ..."""
    under_hours_percent: int = 5
    """... or more of the hours than this stand at the ceiling."""
    over_percent: int = 40
    """Over-bought: in no month the 95th percentile is above this share, and no hour stands at the ceiling."""
    headroom_percent: int = 25
    """What is to be bought lies this much above the highest 95th percentile."""
    fewest_months: int = 3
    """With fewer measured months nothing is said."""
    fewest_hours: int = 360
    """A month with fewer measured hours (half a month) does not count."""


HOUSE: Final = Thresholds()


class Fit(StrEnum):
    """What was bought, against what is needed."""

    UNKNOWN = "unknown"
    """Not enough was measured, or the contract names no rate."""
    FITS = "fits"
    OVER = "over"
    UNDER = "under"


class Sizing(NamedTuple):
    """What the months of a line come to."""

    fit: Fit
    months: int
    """That counted."""
    p95_bps: int | None
    """The highest of the months."""
    peak_bps: int
    ceiling_hours: int
    measured_hours: int
    used_share: Fraction | None
    """The highest 95th percentile, as a share of what was contracted in its month."""
    need_kbps: int | None
    """What to buy: whole Mbps."""
    per_mbps: Fraction | None
    """Rupiah a month for each Mbps of the 95th percentile that was received."""
    per_gb: Fraction | None


class RabLine(NamedTuple):
    """A line of next year's RAB, as staff know it: volume, unit, unit price, amount (facts 10.4)."""

    volume: int
    unit_price: int
    """Tax included: a pagu without it runs dry after October (facts 9.3)."""
    amount: int
    need_kbps: int | None
    """The measured need beside it."""


class Package(NamedTuple):
    """Something else that could be bought; ``monthly`` in rupiah, tax included."""

    down_kbps: int
    monthly: int


class WhatIf(NamedTuple):
    """Another package against the one that is."""

    yearly_difference: int
    """Rupiah in twelve months; negative is cheaper."""
    enough: bool | None
    """Whether it holds the measured need; ``None`` where that is not known."""


def at_ceiling(hour_bytes: int, contracted_kbps: int, thresholds: Thresholds = HOUSE) -> bool:
    """Tell whether an hour's bytes (one direction) filled a contracted rate."""
    full = contracted_kbps * 1000 * 3600
    return bool(full) and hour_bytes * 8 * 100 >= full * thresholds.ceiling_percent


def sizing(uses: Sequence[Use], thresholds: Thresholds = HOUSE) -> Sizing:
    """Return what the months of a line, usually twelve, say about what was bought."""
    return summed([
        Months(one.contracted_kbps, 1, one.p95_bps, one.p95_bps, one.peak_bps, one.ceiling_hours, one.measured_hours,
               one.total_bytes, one.rupiah)
        for one in uses if one.p95_bps is not None and one.measured_hours >= thresholds.fewest_hours
    ], thresholds)  # fmt: skip


def summed(counted: Sequence[Months], thresholds: Thresholds = HOUSE) -> Sizing:
    """Return the same from sums of months that count: those with a 95th percentile, and hours enough."""
    highest, share = max((one.p95_bps for one in counted), default=None), _highest_share(counted)
    volume, rupiah = sum(one.total_bytes for one in counted), sum(one.rupiah for one in counted)
    rates = sum(one.p95_sum_bps for one in counted)
    return Sizing(
        fit=_fit(counted, share, thresholds), months=sum(one.months for one in counted), p95_bps=highest,
        peak_bps=max((one.peak_bps for one in counted), default=0),
        ceiling_hours=sum(one.ceiling_hours for one in counted),
        measured_hours=sum(one.measured_hours for one in counted),
        used_share=share, need_kbps=_need(highest, thresholds),
        per_mbps=Fraction(rupiah * MBPS, rates) if rates else None,
        per_gb=Fraction(rupiah * GB, volume) if volume else None,
    )  # fmt: skip


def rab_line(monthly: int, months: int = 12, need_kbps: int | None = None) -> RabLine:
    """Return next year's line: so many months of what a whole month costs, tax included."""
    return RabLine(months, monthly, months * monthly, need_kbps)


def what_if(now: Package, other: Package, need_kbps: int | None) -> WhatIf:
    """Return what another package would cost and whether it would be enough."""
    enough = None if need_kbps is None else other.down_kbps >= need_kbps
    return WhatIf(12 * (other.monthly - now.monthly), enough)


def _highest_share(counted: Sequence[Months]) -> Fraction | None:
    """Return the highest 95th percentile as a share of what was contracted; one fraction for each rate is enough."""
    highest: dict[int, int] = {}
    for one in counted:
        if one.contracted_kbps:
            highest[one.contracted_kbps] = max(one.p95_bps, highest.get(one.contracted_kbps, 0))
    return max((Fraction(rate, kbps * 1000) for kbps, rate in highest.items()), default=None)


def _fit(counted: Sequence[Months], share: Fraction | None, thresholds: Thresholds) -> Fit:
    compared = sum(one.months for one in counted if one.contracted_kbps)
    if share is None or compared < thresholds.fewest_months:
        return Fit.UNKNOWN
    hours, full = sum(one.measured_hours for one in counted), sum(one.ceiling_hours for one in counted)
    if share * 100 > thresholds.under_percent or full * 100 > hours * thresholds.under_hours_percent:
        return Fit.UNDER
    return Fit.OVER if share * 100 <= thresholds.over_percent and not full else Fit.FITS


def _need(p95_bps: int | None, thresholds: Thresholds) -> int | None:
    if p95_bps is None:
        return None
    return -(-p95_bps * (100 + thresholds.headroom_percent) // (100 * MBPS)) * 1000
