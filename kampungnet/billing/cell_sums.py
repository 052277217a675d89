"""Pure: the lines of a statement as spreadsheet formulas, so that an office recomputes the total with its own program.

What was measured (overuse, service credit) and what comes from elsewhere stays a number; base, taxes, rounding and
totals are formulas of the cells above them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from kampungnet.billing.lines import SUMS, Line, LineKind, Value
from kampungnet.billing.money import Rounding

EXACT_BELOW: Final = 10**11
"""A spreadsheet counts with 15 digits: above so many rupiah a rounding could go the other way, and numbers stand."""
_FUNCTIONS: Final = {Rounding.DOWN: "ROUNDDOWN", Rounding.NEAREST: "ROUND"}


@dataclass(frozen=True, slots=True)
class _At:
    """A line and where it stands: in a column of cells, the first at ``first`` (rows counted from 1)."""

    lines: Sequence[Line]
    place: int
    letter: str
    first: int

    @property
    def line(self) -> Line:
        return self.lines[self.place]

    @property
    def inputs(self) -> Mapping[str, Value]:
        return self.line.formula.inputs

    def cell(self, kind: LineKind) -> str:
        place = next(n for n, line in enumerate(self.lines) if line.kind is kind)
        return f"{self.letter}{self.first + place}"

    @property
    def above(self) -> str:
        """What stands so far: the cells above, from the last sum on."""
        sums = [n for n, line in enumerate(self.lines[: self.place]) if line.kind in SUMS]
        return f"SUM({self.letter}{self.first + max(sums, default=0)}:{self.letter}{self.first + self.place - 1})"

    def rounded(self, what: str) -> str:
        function = _FUNCTIONS.get(self.line.formula.rounding)
        return f"{function}({what},0)" if function else f"({what})"


def formulas(lines: Sequence[Line], letter: str, first: int) -> tuple[str, ...]:
    """Return the formula of each line, empty where a number stands, for lines in the cells from ``first`` down."""
    if any(abs(line.rupiah) > EXACT_BELOW for line in lines):
        return ("",) * len(lines)
    return tuple(
        _MAKERS[line.formula.id](_At(lines, place, letter, first)) if line.formula.id in _MAKERS else ""
        for place, line in enumerate(lines)
    )


def _sum(at: _At) -> str:
    return f"={at.above}"


def _proration(at: _At) -> str:
    price = at.cell(LineKind.PRICE)
    return f"=ROUNDDOWN({price}*{at.inputs['charged']}/{at.inputs['of']},0)-{price}"


def _held(at: _At) -> str:
    return f"=-{at.above}"


def _ppn(at: _At) -> str:
    how = at.inputs
    share = f"{how['base_numerator']}*{how['rate_percent']}/({how['base_denominator']}*100)"
    return "=" + at.rounded(f"{at.cell(LineKind.BASE)}*{share}")


def _ppn_inside(at: _At) -> str:
    """Taken out of a price that includes it, then added again below the base."""
    if at.line.kind is LineKind.PPN:
        return f"=-{at.cell(LineKind.PPN_INSIDE)}"
    how = {name: Fraction(value) for name, value in at.inputs.items()}
    share = how["rate_percent"] * how["base_numerator"] / (100 * how["base_denominator"])
    inside = share / (1 + share)
    return "=-" + at.rounded(f"{at.above}*{inside.numerator}/{inside.denominator}")


def _ppn_collected(at: _At) -> str:
    return f"=-{at.cell(LineKind.PPN)}"


def _pph23(at: _At) -> str:
    percent = Fraction(at.inputs["percent"])
    return "=-" + at.rounded(f"{at.cell(LineKind.BASE)}*{percent.numerator}/{100 * percent.denominator}")


def _step(at: _At) -> str:
    return f"=-MOD({at.above},{at.inputs['step']})"


_MAKERS: Final[Mapping[str, Callable[[_At], str]]] = {
    "sum": _sum, "held": _held, "ppn": _ppn, "ppn.inside": _ppn_inside, "ppn.collected": _ppn_collected,
    "pph23": _pph23, "rounding.step": _step,
    "proration.actual": _proration, "proration.actual_30": _proration, "proration.30_360": _proration,
}  # fmt: skip
