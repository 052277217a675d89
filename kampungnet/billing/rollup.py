"""Pure: recaps for kecamatan and kabupaten in the columns of "Laporan Realisasi" that staff know (facts 10).

Every amount is the sum of what stands below it, down to one fund of one village: totals cannot differ from their rows.
"""

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import Any, Final

from kampungnet.billing import export
from kampungnet.billing.money import figures

COLUMNS: Final = ("Uraian", "Anggaran (Rp)", "Realisasi (Rp)", "Lebih/(Kurang) (Rp)", "Persentase (%)")
CSV_COLUMNS: Final = ("kelompok", "kode", "uraian", "anggaran", "realisasi", "lebih_kurang", "persentase", "bulan_ini")
NO_FUND: Final = "Tanpa pagu"


@dataclass(frozen=True, slots=True)
class FundPart:
    """What one fund has and pays for one unit, in rupiah."""

    fund: str
    """Empty for what was spent without a pagu."""
    pagu: int
    before: int
    """Realised in the months before this one, with the opening balance."""
    now: int
    """Realised by this month's statements."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One desa, kelurahan or kecamatan office and its money of the year."""

    code: str
    name: str
    district: str
    parts: tuple[FundPart, ...] = ()
    has_contract: bool = True
    has_data: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """One printed row."""

    code: str
    name: str
    budget: int
    realised: int
    now: int

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


def recap(title: str, month: str, units: Iterable[Unit]) -> Recap:
    """Return the recap of some units, one row each, by kecamatan and code."""
    ordered = sorted(units, key=lambda unit: (unit.district, unit.code))
    groups = tuple(
        Group(f"Kecamatan {district}", tuple(_row(unit) for unit in of))
        for district, of in groupby(ordered, key=lambda unit: unit.district)
    )
    return Recap(title, month, groups, _by_fund(ordered), _missing(ordered))


def recaps(regency: str, month: str, units: Sequence[Unit]) -> tuple[Recap, ...]:
    """Return the kabupaten's recap and after it one for each kecamatan."""
    districts = sorted({unit.district for unit in units})
    return (
        recap(f"Kabupaten {regency}", month, units),
        *(recap(f"Kecamatan {one}", month, [unit for unit in units if unit.district == one]) for one in districts),
    )


def csv(recap: Recap) -> bytes:
    """Return the rows of a recap, without sums, so that a program may sum them itself."""
    rows = [
        (group.name, row.code, row.name, row.budget, row.realised, row.left, row.percent, row.now)
        for group in recap.groups for row in group.rows
    ]  # fmt: skip
    return export.to_csv(CSV_COLUMNS, rows)


def xlsx(recap: Recap) -> bytes:
    """Return a recap as a spreadsheet: rows are numbers, sums, differences and percentages are formulas."""
    out = io.BytesIO()
    with export.workbook(out) as book:
        looks = [
            book.add_format(one)
            for one in ({"bold": True}, {"num_format": "#,##0;(#,##0)"},
                        {"num_format": "#,##0;(#,##0)", "bold": True, "top": 1}, {"num_format": "0.00"})
        ]  # fmt: skip
        writer = _Sheet(book.add_worksheet("Realisasi"), looks)
        writer.heading((recap.title, recap.month))
        totals = [writer.group(group.rows, group.total, group.name) for group in recap.groups]
        writer.total(recap.total, totals)
        funds = _Sheet(book.add_worksheet("Per sumber dana"), looks)
        funds.heading((recap.title, recap.month))
        funds.group(recap.funds, _sum("JUMLAH", recap.funds), "")
        missing = book.add_worksheet("Belum ada")
        told = (("Belum ada kontrak", recap.missing.contract), ("Belum ada pagu", recap.missing.pagu),
                ("Belum ada data", recap.missing.data))  # fmt: skip
        for place, (name, units) in enumerate(told):
            missing.write_string(0, place, name, looks[0])
            missing.set_column(place, place, 40)
            for number, unit in enumerate(units, start=1):
                missing.write_string(number, place, unit)
    return out.getvalue()


class _Sheet:
    """A sheet that is written downwards."""

    def __init__(self, sheet: Any, looks: Sequence[Any]) -> None:
        self._sheet, self._looks, self._at = sheet, looks, 0
        for place, width in enumerate((44, 22, 22, 22, 16)):
            sheet.set_column(place, place, width)

    def heading(self, titles: Sequence[str]) -> None:
        for text in titles:
            self._words(text, bold=True)
        for place, name in enumerate(COLUMNS):
            self._sheet.write_string(self._at, place, name, self._looks[0])
        self._at += 1
        self._sheet.freeze_panes(self._at, 1)

    def group(self, rows: Sequence[Row], total: Row, name: str) -> int:
        """Write rows and their sum; return the row of the sum, counted from 1."""
        if name:
            self._words(name, bold=True)
        first = self._at + 1
        for row in rows:
            self._line(row, ())
        last = self._at
        self._line(total, tuple(f"=SUM({letter}{first}:{letter}{last})" for letter in "BC") if rows else ())
        return self._at

    def total(self, total: Row, of: Sequence[int]) -> None:
        if of:
            self._line(total, tuple(f"=SUM({','.join(f'{letter}{n}' for n in of)})" for letter in "BC"))
        else:
            self._line(total, ())

    def _words(self, text: str, *, bold: bool = False) -> None:
        self._sheet.write_string(self._at, 0, text, self._looks[0] if bold else None)
        self._at += 1

    def _line(self, row: Row, sums: Sequence[str]) -> None:
        number, look = self._at + 1, self._looks[2 if sums else 1]
        self._sheet.write_string(self._at, 0, f"{row.code} {row.name}".strip(), self._looks[0] if sums else None)
        for place, value in enumerate((row.budget, row.realised), start=1):
            if sums:
                self._sheet.write_formula(self._at, place, sums[place - 1], look, value)
            else:
                self._sheet.write_number(self._at, place, value, look)
        self._sheet.write_formula(self._at, 3, f"=B{number}-C{number}", look, row.left)
        percent = f'=IF(B{number}=0,"–",ROUND(C{number}/B{number}*100,2))'
        shown = row.percent.replace(".", "").replace(",", ".")
        self._sheet.write_formula(self._at, 4, percent, self._looks[3], shown)
        self._at += 1


def _row(unit: Unit) -> Row:
    return _of_parts(unit.code, unit.name, unit.parts)


def _of_parts(code: str, name: str, parts: Sequence[FundPart]) -> Row:
    now = sum(part.now for part in parts)
    return Row(code, name, sum(part.pagu for part in parts), sum(part.before for part in parts) + now, now)


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
    return Row("", name, sum(r.budget for r in rows), sum(r.realised for r in rows), sum(r.now for r in rows))
