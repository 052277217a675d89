"""Tables that people send: CSV or spreadsheet bytes in, rows of cells out, each knowing where it stood.

What a village sends was typed by hand: a BOM or Latin-1, a title above the heading, merged cells, semicolons instead
of commas, dates as numbers. All of that is read; what is not a table at all is refused with a sentence.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from kampungnet.billing import spreadsheet
from kampungnet.billing.spreadsheet import Cell
from kampungnet.core import clock
from kampungnet.core.errors import BadInput, TooLarge
from kampungnet.core.languages import N_

MOST_BYTES: Final = 10_000_000
MOST_ROWS: Final = 20_000
HEADING_WITHIN: Final = 30
"""Rows within which the heading stands: titles and logos come above it."""
_SPREADSHEETS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_NOT_A_TABLE: Final = N_("This file is no table that we can read. Save it as XLSX or CSV and send it again.")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its line in the file, counted from 1, and its cells by column name."""

    line: int
    cells: Mapping[str, Cell]

    def get(self, column: str) -> Cell:
        """Return a cell; nothing is an empty text."""
        return self.cells.get(column, "")

    def text(self, column: str) -> str:
        """Return a cell as the text that a person sees."""
        cell = self.get(column)
        if isinstance(cell, float) and cell == int(cell):
            cell = int(cell)
        return " ".join(str(cell).split())


@dataclass(frozen=True, slots=True)
class Table:
    """A table and the places of its columns: ``letter`` names them as a spreadsheet does."""

    columns: Mapping[str, int]
    rows: tuple[Row, ...]

    def letter(self, column: str) -> str:
        """Return A, B … AA for a column; empty for one that is not there."""
        number, letters = self.columns.get(column, -1) + 1, ""
        while number:
            number, rest = divmod(number - 1, 26)
            letters = chr(65 + rest) + letters
        return letters


def read(data: bytes, wanted: Sequence[str], required: Sequence[str]) -> Table:
    """Return the table of a file whose heading has the ``required`` ones of the ``wanted`` columns.

    Raises ``TooLarge`` or ``BadInput`` with a sentence. Empty rows are left out; unknown columns are not looked at.
    """
    if len(data) > MOST_BYTES:
        raise TooLarge(N_("This file is larger than 10 MB. Send it in parts."))
    lines = list(_of_spreadsheet(data) if data.startswith(_SPREADSHEETS) else _of_text(data))
    heading = _heading(lines, wanted, required)
    columns = {name: place for place, name in enumerate(map(_name, lines[heading])) if name in wanted}
    rows = tuple(
        Row(number, {name: line[place] for name, place in columns.items() if place < len(line)})
        for number, line in enumerate(lines[heading + 1 :], start=heading + 2)
        if any(cell != "" for cell in line)
    )
    if len(rows) > MOST_ROWS:
        raise TooLarge(N_("This table has more than 20.000 rows. Send it in parts."))
    return Table(columns, rows)


def day(cell: Cell) -> date | None:
    """Return a day of this century, written as 2026-07-31, 31/07/2026, 31-7-2026 or as a date; ``None`` otherwise."""
    found = _any_day(cell)
    return found if found and clock.EARLIEST_DAY <= found <= clock.LATEST_DAY else None


def _any_day(cell: Cell) -> date | None:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if not isinstance(cell, str):
        return None
    for form in ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y"):
        try:
            return datetime.strptime(cell.strip(), form).date()  # noqa: DTZ007 -- a day has no zone
        except ValueError:
            continue
    return None


def whole(cell: Cell) -> int | None:
    """Return a whole number, ``None`` for anything else."""
    if isinstance(cell, str):
        return int(cell) if cell.strip().isascii() and cell.strip().isdecimal() and len(cell) < 19 else None
    return int(cell) if isinstance(cell, (int, float)) and cell == int(cell) else None


def decimal(cell: Cell) -> Decimal | None:
    """Return a number with a decimal comma or point, such as a percentage; ``None`` for anything else."""
    text = str(cell).strip().removesuffix("%").strip().replace(",", ".")
    plain = text.isascii() and text.replace(".", "", 1).isdecimal() and len(text) < 19
    return Decimal(text) if plain else None


def _of_spreadsheet(data: bytes) -> Iterator[list[Cell]]:
    try:
        yield from spreadsheet.rows(data, MOST_ROWS + HEADING_WITHIN + 1)
    except spreadsheet.TooMuch as error:
        raise TooLarge(N_("This spreadsheet unpacks to more than we read. Send it in parts.")) from error
    except spreadsheet.Unreadable as error:
        raise BadInput(_NOT_A_TABLE) from error


def _of_text(data: bytes) -> Iterator[list[Cell]]:
    text = _decoded(data)
    first = next((line for line in text.splitlines() if line.count(";") + line.count(",") + line.count("\t") > 1), "")
    mark = max(";,\t", key=first.count)
    try:
        for number, line in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=mark)):
            if number > MOST_ROWS + HEADING_WITHIN:
                break
            yield [cell.strip() for cell in line]
    except csv.Error as error:
        raise BadInput(_NOT_A_TABLE) from error


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    if b"\0" in data:
        raise BadInput(_NOT_A_TABLE)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")  # what Excel calls CSV on most offices' machines


def _heading(lines: Sequence[Sequence[Cell]], wanted: Sequence[str], required: Sequence[str]) -> int:
    """Return which line is the heading: the one with most of the wanted names. Raises ``BadInput``."""
    found = [len(set(wanted) & set(map(_name, line))) for line in lines[:HEADING_WITHIN]]
    best = max(range(len(found)), key=found.__getitem__, default=None)
    names = set(map(_name, lines[best])) if best is not None and found[best] else set()
    if best is None or (missing := [name for name in required if name not in names]):
        listed = ", ".join(missing if best is not None else required)
        raise MissingColumns(listed)
    if len([name for name in map(_name, lines[best]) if name in wanted]) > found[best]:
        raise BadInput(N_("A column stands twice in the heading. Take one of them out and send the file again."))
    return best


class MissingColumns(BadInput):
    """The heading lacks columns; ``columns`` are their names, parted by commas."""

    def __init__(self, columns: str) -> None:
        super().__init__(N_("Columns are missing in the heading. Start from our own file: it has all of them."))
        self.columns = columns


def _name(cell: Cell) -> str:
    """Return a heading as a column's name: ``Kode Desa`` and ``kode_desa`` are the same."""
    return "_".join(str(cell).lower().replace("_", " ").replace("*", " ").split())
