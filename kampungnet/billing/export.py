"""Pure: tables for other programs, as CSV and XLSX. A text never becomes a formula there, whatever it begins with."""

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any, Final

import xlsxwriter  # type: ignore[import-untyped]

from kampungnet.core.csv_file import Value, to_csv

__all__ = ["Value", "to_csv", "to_xlsx", "workbook"]

_EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)
"""When every file says it was made. It must have an hour: a bare day is passed over, and the clock asked."""
_A4: Final = 9


def to_xlsx(columns: Sequence[str], rows: Iterable[Sequence[Value]], title: str) -> bytes:
    """Return a spreadsheet of one sheet, each cell of its own kind. The same rows give the same bytes."""
    out = io.BytesIO()
    with workbook(out) as book:
        sheet = book.add_worksheet(title[:31])
        bold, day, amount = (book.add_format(one) for one in ({"bold": True}, {"num_format": "dd/mm/yyyy"},
                                                              {"num_format": "#,##0"}))  # fmt: skip
        for place, name in enumerate(columns):
            sheet.write_string(0, place, name, bold)
            sheet.set_column(place, place, max(12, len(name) + 2))
        for number, row in enumerate(rows, start=1):
            for place, cell in enumerate(row):
                _write(sheet, (number, place), cell, (day, amount))
        sheet.freeze_panes(1, 0)
    return out.getvalue()


@contextmanager
def workbook(out: io.BytesIO) -> Iterator[Any]:
    """Yield a new workbook whose bytes depend on its content alone; printed, each sheet is as wide as an A4 lies."""
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"created": _EPOCH, "author": "KampungNet"})
        yield book
        for sheet in book.worksheets():
            sheet.set_landscape()
            sheet.set_paper(_A4)
            sheet.fit_to_pages(1, 0)


def _write(sheet: Any, at: tuple[int, int], cell: Value, formats: tuple[Any, Any]) -> None:
    if isinstance(cell, date):
        sheet.write_datetime(*at, cell, formats[0])
    elif isinstance(cell, int):
        # A year is no amount: no dots in it.
        sheet.write_number(*at, cell, formats[1] if abs(cell) >= 10_000 else None)
    elif cell:
        sheet.write_string(*at, cell)
