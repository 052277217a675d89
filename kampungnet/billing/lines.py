"""Pure: a printed line of money: what it is, how much, and the formula with the numbers that were filled in.

The lines of a statement stand in the order of :class:`LineKind`; those that are sums add up what stands above.
"""

from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Final

from msgspec import Meta

from kampungnet.billing.money import Rounding
from kampungnet.billing.terms import Fact, Rupiah

Value = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | Annotated[str, Meta(max_length=100)]


class LineKind(StrEnum):
    """What a line is. Amounts carry their sign: what is taken off is negative."""

    PRICE = "price"
    PRORATION = "proration"
    OVERUSE = "overuse"
    CREDIT = "credit"
    HELD = "held"
    """All of the above taken back, where nothing is due until it is cleared up."""
    PPN_INSIDE = "ppn_inside"
    """The PPN in a price that includes it, taken out, so that ``BASE`` is what remains."""
    BASE = "base"
    """Sum of the above: the tax base."""
    PPN = "ppn"
    CREDIT_AFTER_TAX = "credit_after_tax"
    ROUNDING = "rounding"
    """The contract's own ("Pembulatan")."""
    CORRECTION = "correction"
    """Of an earlier month; rounded already."""
    TOTAL = "total"
    """``BASE`` and the lines since: what the provider is due."""
    PPN_COLLECTED = "ppn_collected"
    """PPN that the office pays to the state itself."""
    PPH23 = "pph23"
    """Withheld."""
    PAYABLE = "payable"
    """``TOTAL`` and the lines since: what goes to the provider's account."""


SUMS: Final = frozenset({LineKind.BASE, LineKind.TOTAL, LineKind.PAYABLE})


class Formula(Fact, frozen=True, kw_only=True):
    """How an amount came out: the formula's name, the numbers filled in, and the exact result."""

    id: Annotated[str, Meta(max_length=40)]
    inputs: dict[Annotated[str, Meta(max_length=40)], Value]
    exact: Annotated[str, Meta(max_length=100)]
    """A fraction of rupiah, such as ``4938890/90``, before rounding."""
    rounding: Rounding = Rounding.NONE


class Line(Fact, frozen=True, kw_only=True):
    """One printed line in whole rupiah."""

    kind: LineKind
    rupiah: Rupiah
    formula: Formula


def formula(
    name: str, exact: Fraction | int, rounding: Rounding = Rounding.NONE, **inputs: Fraction | int | str
) -> Formula:
    """Return a formula with its numbers; what is no whole number is kept as an exact fraction."""
    numbers = {key: _value(one) for key, one in inputs.items()}
    return Formula(id=name, inputs=numbers, exact=str(exact), rounding=rounding)


def _value(one: Fraction | int | str) -> Value:
    if isinstance(one, Fraction):
        return one.numerator if one.denominator == 1 else str(one)
    return one


def amount(lines: tuple[Line, ...], kind: LineKind) -> int:
    """Return the rupiah of all lines of a kind; 0 where there is none."""
    return sum(line.rupiah for line in lines if line.kind is kind)


def adds_up(lines: tuple[Line, ...]) -> bool:
    """Tell whether every sum is the sum of what stands above it."""
    running = 0
    for line in lines:
        if line.kind not in SUMS:
            running += line.rupiah
        elif line.rupiah != running:
            return False
    return True
