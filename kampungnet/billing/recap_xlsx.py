"""Pure: a recap as a spreadsheet: rows are numbers; sums, differences and percentages are formulas."""

import io
from collections.abc import Sequence
from typing import Any, Final

from kampungnet.billing import export
from kampungnet.billing.rollup import COLUMNS, MISSING, Recap, Row

_SUMMED: Final = {"B": 1, "C": 2, "F": 5, "G": 6}
"""Columns of numbers by their letter: budget, realised, reserved, due."""
_WIDTHS: Final = (44, 20, 20, 20, 16, 20, 20)


def xlsx(recap: Recap) -> bytes:
    """Return the spreadsheet; the same recap gives the same bytes."""
    out = io.BytesIO()
    with export.workbook(out) as book:
        looks = [
            book.add_format(one)
            for one in ({"bold": True}, {"num_format": "#,##0;(#,##0)"},
                        {"num_format": "#,##0;(#,##0)", "bold": True, "top": 1}, {"num_format": "0.00"})
        ]  # fmt: skip
        rows = _Sheet(book.add_worksheet("Realisasi"), looks)
        rows.heading((recap.title, recap.month))
        totals = [rows.group(group.rows, group.total, group.name) for group in recap.groups]
        rows.line(recap.total, {letter: f"=SUM({','.join(f'{letter}{n}' for n in totals)})" for letter in _SUMMED}
                  if totals else {})  # fmt: skip
        funds = _Sheet(book.add_worksheet("Per sumber dana"), looks)
        funds.heading((recap.title, recap.month))
        funds.group(recap.funds, recap.fund_total, "")
        missing = book.add_worksheet("Belum ada")
        for place, (name, what) in enumerate(MISSING):
            missing.write_string(0, place, name, looks[0])
            missing.set_column(place, place, 40)
            for number, unit in enumerate(getattr(recap.missing, what), start=1):
                missing.write_string(number, place, unit)
    return out.getvalue()


class _Sheet:
    """A sheet that is written downwards."""

    def __init__(self, sheet: Any, looks: Sequence[Any]) -> None:
        self._sheet, self._looks, self._at = sheet, looks, 0
        for place, width in enumerate(_WIDTHS):
            sheet.set_column(place, place, width)

    def heading(self, titles: Sequence[str]) -> None:
        for text in titles:
            self._words(text)
        for place, name in enumerate(COLUMNS):
            self._sheet.write_string(self._at, place, name, self._looks[0])
        self._at += 1
        self._sheet.freeze_panes(self._at, 1)
        self._sheet.repeat_rows(self._at - 1)

    def group(self, rows: Sequence[Row], total: Row, name: str) -> int:
        """Write rows and their sum; return the row of the sum, counted from 1."""
        if name:
            self._words(name)
        first = self._at + 1
        for row in rows:
            self.line(row, {})
        last = self._at
        self.line(total, {letter: f"=SUM({letter}{first}:{letter}{last})" for letter in _SUMMED} if rows else {})
        return self._at

    def line(self, row: Row, sums: dict[str, str]) -> None:
        """Write a row; of a sum by formulas."""
        number, look = self._at + 1, self._looks[2 if sums else 1]
        self._sheet.write_string(self._at, 0, f"{row.code} {row.name}".strip(), self._looks[0] if sums else None)
        values = (row.budget, row.realised, row.reserved, row.due)
        for (letter, place), value in zip(_SUMMED.items(), values, strict=True):
            if sums:
                self._sheet.write_formula(self._at, place, sums[letter], look, value)
            else:
                self._sheet.write_number(self._at, place, value, look)
        self._sheet.write_formula(self._at, 3, f"=B{number}-C{number}", look, row.left)
        percent = f'=IF(B{number}=0,"–",ROUND(C{number}/B{number}*100,2))'
        shown = row.percent.replace(".", "").replace(",", ".")
        self._sheet.write_formula(self._at, 4, percent, self._looks[3], shown)
        self._at += 1

    def _words(self, text: str) -> None:
        self._sheet.write_string(self._at, 0, text, self._looks[0])
        self._at += 1
