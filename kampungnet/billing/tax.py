"""Pure: dated tables of tax rates and of rounding rules. They are data, and a regency may replace them (facts 9.2).

A rate is exact numerators and denominators: 12 % of 11/12 of the price is 11 % of it, computed in one step and
rounded once. Rows marked ``unconfirmed`` rest on secondary texts: a setting, not law (facts 11).
"""

from datetime import date
from fractions import Fraction
from typing import Annotated, Final, Protocol, TypeVar

from msgspec import Meta

from kampungnet.billing.money import Rounding, rounded
from kampungnet.billing.terms import Fact, Price, Text

Part = Annotated[int, Meta(ge=0, le=100_000)]
Whole = Annotated[int, Meta(ge=1, le=100_000)]


class _Dated(Protocol):
    @property
    def since(self) -> date: ...


Row = TypeVar("Row", bound=_Dated)


class PpnRate(Fact, frozen=True, kw_only=True):
    """PPN from a day on: ``rate`` per cent of ``base`` of the price (DPP, or DPP nilai lain)."""

    since: date
    rate_percent: Part
    base_numerator: Part = 1
    base_denominator: Whole = 1
    source: Text = ""
    unconfirmed: bool = False

    @property
    def share(self) -> Fraction:
        """The tax as an exact share of the price."""
        return Fraction(self.rate_percent * self.base_numerator, 100 * self.base_denominator)


class RoundingRule(Fact, frozen=True, kw_only=True):
    """How taxes become whole rupiah from a day on."""

    since: date
    how: Rounding
    source: Text = ""
    unconfirmed: bool = False


class Pph23Rate(Fact, frozen=True, kw_only=True):
    """What is withheld of the price before PPN, from a day on."""

    since: date
    percent: Part
    percent_without_npwp: Part
    source: Text = ""
    unconfirmed: bool = False


class TaxTable(Fact, frozen=True, kw_only=True):
    """All rates and rules a statement was computed by; it travels inside the statement."""

    ppn: tuple[PpnRate, ...]
    roundings: tuple[RoundingRule, ...]
    pph23: tuple[Pph23Rate, ...]
    collect_above: Price = 2_000_000
    """A payment up to so much before PPN: the office does not collect PPN (facts 9.2; setting)."""


class RateUnknown(ValueError):
    """The table begins later than the day that was asked for."""


HOUSE_TAXES: Final = TaxTable(
    ppn=(
        PpnRate(since=date(2022, 4, 1), rate_percent=11),
        PpnRate(
            since=date(2025, 1, 1), rate_percent=12, base_numerator=11, base_denominator=12,
            source="PMK 131/2024", unconfirmed=True,
        ),
    ),
    roundings=(
        RoundingRule(since=date(2015, 1, 1), how=Rounding.DOWN, source="PER-29/PJ/2015, SE-22/PJ.24/1990"),
        RoundingRule(since=date(2025, 5, 22), how=Rounding.NEAREST, source="PER-11/PJ/2025 129", unconfirmed=True),
    ),
    pph23=(Pph23Rate(since=date(2015, 1, 1), percent=2, percent_without_npwp=4, unconfirmed=True),),
)  # fmt: skip


def on(rows: tuple[Row, ...], day: date) -> Row:
    """Return the row that holds on a day. Raises :class:`RateUnknown` before the first."""
    found = [row for row in rows if row.since <= day]
    if not found:
        raise RateUnknown(f"no rate is known for {day.isoformat()}")
    return max(found, key=lambda row: row.since)


def ppn_share(table: TaxTable, day: date, *, inclusive: bool = False) -> Fraction:
    """Return PPN as a share of the price: before tax, or of a price that includes it (11/111)."""
    share = on(table.ppn, day).share
    return share / (1 + share) if inclusive else share


def pph23_share(table: TaxTable, day: date, *, has_npwp: bool = True) -> Fraction:
    """Return PPh 23 as a share of the price before PPN."""
    row = on(table.pph23, day)
    return Fraction(row.percent if has_npwp else row.percent_without_npwp, 100)


def tax(exact: Fraction, table: TaxTable, day: date) -> int:
    """Return a tax in whole rupiah by the rounding rule of the day."""
    return rounded(exact, on(table.roundings, day).how)
