"""Pure: recaps for kecamatan and kabupaten in the columns of "Laporan Realisasi" that staff know (facts 10).

Every amount is the sum of what stands below it, down to one fund of one village: totals cannot differ from their rows.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby
from typing import Final, NamedTuple

from kampungnet.billing import export
from kampungnet.billing.budget import paid_from
from kampungnet.billing.document import FundShare
from kampungnet.billing.money import figures

COLUMNS: Final = (
    "Uraian", "Anggaran (Rp)", "Realisasi (Rp)", "Lebih/(Kurang) (Rp)", "Persentase (%)",
    "Disetujui, belum dibayar (Rp)", "Laporan bulan ini (Rp)",
)  # fmt: skip
"""The five of the Laporan Realisasi, and what is on its way: reserved, and due for this month in whatever state."""
CSV_COLUMNS: Final = (
    "kelompok", "kode", "uraian", "anggaran", "realisasi", "lebih_kurang", "persentase", "disetujui_belum_dibayar",
    "bulan_ini",
)  # fmt: skip
NO_FUND: Final = "Tanpa pagu"
MISSING: Final = (
    ("Belum ada kontrak", "contract"), ("Belum ada pagu", "pagu"), ("Belum ada data", "data"),
)  # fmt: skip
"""Headings of the lists of :class:`Missing`."""


@dataclass(frozen=True, slots=True)
class Purse:
    """One budget line (or, without funds, what is spent from none) and what went out of it in rupiah."""

    funds: tuple[FundShare, ...] = ()
    """In the order in which they pay; of the version that holds at the month's end."""
    realised: int = 0
    """Paid from January to the month's end, with the opening balance from its day on (facts 12: realised when paid)."""
    reserved: int = 0
    """Approved, and not paid by the month's end."""
    before: int = 0
    """Of both, what stands in statements of earlier months: where in the funds this month begins."""
    due: int = 0
    """This month's statements, in whatever state."""


@dataclass(frozen=True, slots=True)
class FundPart:
    """What one fund has and pays for one unit, in rupiah."""

    fund: str
    """Empty for what was spent without a pagu, or beyond it."""
    pagu: int = 0
    realised: int = 0
    reserved: int = 0
    due: int = 0


class Paper(NamedTuple):
    """A statement of the month."""

    contract: str
    state: str


@dataclass(frozen=True, slots=True)
class Unit:
    """One desa, kelurahan or kecamatan office and its money of the year."""

    code: str
    name: str
    district: str
    parts: tuple[FundPart, ...] = ()
    papers: tuple[Paper, ...] = ()
    has_contract: bool = True
    has_data: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """One printed row."""

    code: str
    name: str
    budget: int
    realised: int
    reserved: int
    due: int
    papers: tuple[Paper, ...] = ()

    @property
    def left(self) -> int:
        """Lebih/(Kurang): budget less realised."""
        return self.budget - self.realised

    @property
    def percent(self) -> str:
        """Realised of the budget as 97,78; a dash where there is no budget."""
        return figures(Fraction(self.realised * 100, self.budget), 2) if self.budget else "–"


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that are summed up together: a kecamatan."""

    code: str
    name: str
    rows: tuple[Row, ...]

    @property
    def total(self) -> Row:
        """The sum of the rows."""
        return _sum(f"Jumlah {self.name}", self.rows)


@dataclass(frozen=True, slots=True)
class Missing:
    """Units of which something is not there, by name."""

    contract: tuple[str, ...]
    pagu: tuple[str, ...]
    data: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recap:
    """A recap: groups of rows, their total, the same money by fund, and what is missing."""

    title: str
    month: str
    groups: tuple[Group, ...]
    funds: tuple[Row, ...]
    missing: Missing

    @property
    def total(self) -> Row:
        """The sum of the groups."""
        return _sum("JUMLAH", tuple(group.total for group in self.groups))

    @property
    def fund_total(self) -> Row:
        """The sum of the funds: the same money."""
        return _sum("JUMLAH", self.funds)

    @property
    def states(self) -> Mapping[str, int]:
        """How many statements of the month there are in each state."""
        return Counter(paper.state for group in self.groups for row in group.rows for paper in row.papers)


def fund_parts(purses: Iterable[Purse]) -> tuple[FundPart, ...]:
    """Share what went out of some purses out to their funds: the fund named first is emptied first (facts 12)."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for purse in purses:
        for share in purse.funds:
            found[share.fund]["pagu"] += share.rupiah
        for what, before, rupiah in (
            ("realised", 0, purse.realised), ("reserved", purse.realised, purse.reserved),
            ("due", purse.before, purse.due),
        ):  # fmt: skip
            shares, rest = paid_from(purse.funds, before, rupiah)
            for share in shares:
                found[share.fund][what] += share.rupiah
            if rest:
                found[""][what] += rest
    return tuple(FundPart(fund, **found[fund]) for fund in sorted(found))


def recap(title: str, month: str, units: Iterable[Unit]) -> Recap:
    """Return the recap of some units, one row each, by kecamatan and code."""
    ordered = sorted(units, key=lambda unit: (unit.district, unit.code))
    groups = tuple(
        Group(code, f"Kecamatan {district}", tuple(_row(unit) for unit in of))
        for (district, code), of in groupby(ordered, key=lambda unit: (unit.district, unit.code[:8]))
    )
    return Recap(title, month, groups, _by_fund(ordered), _missing(ordered))


def recaps(regency: str, month: str, units: Sequence[Unit]) -> Mapping[str, Recap]:
    """Return by code the kabupaten's recap (under the empty one) and after it one for each kecamatan."""
    places = sorted({(unit.district, unit.code[:8]) for unit in units})
    return {"": recap(regency, month, units)} | {
        code: recap(f"Kecamatan {district}, {regency}", month,
                    [unit for unit in units if unit.code[:8] == code])
        for district, code in places
    }  # fmt: skip


def csv(recap: Recap) -> bytes:
    """Return the rows of a recap, without sums, so that a program may sum them itself."""
    rows = [
        (group.name, row.code, row.name, row.budget, row.realised, row.left, row.percent,
         row.reserved, row.due)
        for group in recap.groups for row in group.rows
    ]  # fmt: skip
    return export.to_csv(CSV_COLUMNS, rows)


def _row(unit: Unit) -> Row:
    return replace(_of_parts(unit.code, unit.name, unit.parts), papers=unit.papers)


def _of_parts(code: str, name: str, parts: Sequence[FundPart]) -> Row:
    return Row(
        code, name, sum(part.pagu for part in parts), sum(part.realised for part in parts),
        sum(part.reserved for part in parts), sum(part.due for part in parts),
    )  # fmt: skip


def _by_fund(units: Sequence[Unit]) -> tuple[Row, ...]:
    parts = sorted((part for unit in units for part in unit.parts), key=lambda part: part.fund)
    return tuple(_of_parts("", fund or NO_FUND, list(of)) for fund, of in groupby(parts, key=lambda part: part.fund))


def _missing(units: Sequence[Unit]) -> Missing:
    def names(wrong: Callable[[Unit], bool]) -> tuple[str, ...]:
        return tuple(f"{unit.code} {unit.name}" for unit in units if wrong(unit))

    return Missing(
        names(lambda unit: not unit.has_contract),
        names(lambda unit: not any(part.pagu for part in unit.parts)),
        names(lambda unit: not unit.has_data),
    )


def _sum(name: str, rows: Sequence[Row]) -> Row:
    return Row(
        "", name, sum(r.budget for r in rows), sum(r.realised for r in rows), sum(r.reserved for r in rows),
        sum(r.due for r in rows),
    )  # fmt: skip
