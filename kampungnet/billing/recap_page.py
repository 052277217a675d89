"""Pure: a recap in the reader's language, every amount a way down: kabupaten, kecamatan, unit, statement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from kampungnet.billing import words
from kampungnet.billing.money import in_brackets
from kampungnet.billing.rollup import NO_FUND, Recap, Row
from kampungnet.core.languages import N_, Language

COLUMNS: Final = (
    N_("Budget (pagu)"), N_("Realised"), N_("Over/(under)"), N_("Percent"), N_("Approved, not paid yet"),
    N_("This month's statements"),
)  # fmt: skip
MISSING: Final[Mapping[str, str]] = {
    "contract": N_("No contract yet"), "pagu": N_("No budget line yet"), "data": N_("No data of this month"),
}  # fmt: skip
_NO_FUND: Final = N_("Without a budget line, or beyond it")


@dataclass(frozen=True, slots=True)
class Shown:
    """A row: its name, where it leads, and the cells of ``COLUMNS``."""

    name: str
    code: str
    address: str
    cells: tuple[str, ...]
    is_over: bool


@dataclass(frozen=True, slots=True)
class Told:
    """A recap as its page shows it."""

    rows: tuple[Shown, ...]
    total: Shown
    funds: tuple[Shown, ...]
    missing: tuple[tuple[str, tuple[str, ...]], ...]
    states: tuple[tuple[str, str, int], ...]
    """State, its words, how many statements."""


def told(recap: Recap, language: Language, *, by_district: bool) -> Told:
    """Return what a page shows: the sums of the kecamatan, or the row of each unit."""
    if by_district:
        rows = [
            _shown(group.total, language, f"/rekap/{recap.month}/{group.code}", group.name) for group in recap.groups
        ]
    else:
        rows = [_shown(row, language, _address(row, recap.month)) for group in recap.groups for row in group.rows]
    funds = [_shown(row, language, name=language.say(_NO_FUND) if row.name == NO_FUND else "") for row in recap.funds]
    missing = [(language.say(name), getattr(recap.missing, what)) for what, name in MISSING.items()]
    states = recap.states
    counted = [(one, language.say(name), states[one]) for one, name in words.STATES.items() if one in states]
    return Told(tuple(rows), _shown(recap.total, language), tuple(funds), tuple(missing), tuple(counted))


def headings(language: Language) -> Sequence[str]:
    """Return the names of the columns of amounts."""
    return [language.say(one) for one in COLUMNS]


def _address(row: Row, month: str) -> str:
    if len(row.papers) == 1:
        return f"/laporan/{row.papers[0].contract}/{month}"
    return f"/anggaran?bulan={month}&kecamatan={row.code}" if row.papers else ""


def _shown(row: Row, language: Language, address: str = "", name: str = "") -> Shown:
    marks = language.thousands_mark + language.decimal_mark
    percent = f"{words.figures(language, Fraction(row.realised * 100, row.budget), 2)}%" if row.budget else "–"
    cells = (
        words.figures(language, row.budget), words.figures(language, row.realised), in_brackets(row.left, marks),
        percent, words.figures(language, row.reserved), words.figures(language, row.due),
    )  # fmt: skip
    return Shown(name or row.name, row.code, address, cells, row.left < 0)
