"""Pure: a table as CSV for other programs. A text never becomes a formula there, whatever it begins with."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

Value = str | int | date

_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r")


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> bytes:
    """Return CSV (UTF-8 with BOM, so that Excel reads it). A text that could start a formula gets an apostrophe."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _harmless(cell: Value) -> Value:
    if isinstance(cell, date):
        return cell.isoformat()
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_DANGEROUS) else cell
