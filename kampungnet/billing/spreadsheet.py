"""Cells of a spreadsheet, read by a process of its own with bounded memory and time.

A file of 5 kB may name one cell in the furthest corner, and whatever reads it makes room for all cells before that one:
17 billion. Libraries in other languages end the whole process then; here it is only the one that read it.

``python -m kampungnet.billing.spreadsheet ROWS`` takes the file from standard input and writes its first rows as JSON.
"""

import io
import math
import resource
import subprocess
import sys
import threading
from datetime import date, datetime
from pathlib import Path
from typing import Final

import msgspec
import python_calamine

from kampungnet.core.errors import Unavailable
from kampungnet.core.languages import N_

Cell = str | int | float | date

MOST_MEMORY_BYTES: Final = 600_000_000
"""Address space of the process; a table of 20,000 rows and 30 columns takes half."""
MOST_CPU_SECONDS: Final = 20
MOST_SECONDS: Final = 60
"""By the clock, on a machine that does much else."""
NO_TABLE: Final = 3
"""Exit code: the file was read, and is no spreadsheet."""
_FOLDER: Final = Path(__file__).parents[2]
_ONE_AT_A_TIME: Final = threading.Lock()


class Unreadable(ValueError):
    """The file is no spreadsheet."""


class TooMuch(ValueError):
    """What the file unpacks to takes more memory or time than we give it."""


class _Dated(msgspec.Struct, array_like=True, frozen=True):
    """A date or an instant, as ISO 8601 writes it: JSON has no such thing."""

    iso: str


_ROWS: Final = msgspec.json.Decoder(list[list[str | int | float | _Dated]])


def rows(data: bytes, most: int) -> list[list[Cell]]:
    """Return the first ``most`` rows of a spreadsheet's first sheet.

    Raises ``Unreadable``, ``TooMuch``, or ``Unavailable`` when others take too long.
    """
    command = [sys.executable, "-m", __name__, str(most)]
    if not _ONE_AT_A_TIME.acquire(timeout=MOST_SECONDS):
        raise Unavailable(N_("Other tables are being read right now. Please try again in a minute."))
    try:
        done = subprocess.run(  # noqa: S603 -- our own module; the file is its input
            command, input=data, capture_output=True, check=False, timeout=MOST_SECONDS, cwd=_FOLDER
        )
    except subprocess.TimeoutExpired as error:
        raise TooMuch("it takes too long") from error
    finally:
        _ONE_AT_A_TIME.release()
    if done.returncode == NO_TABLE:
        raise Unreadable(done.stderr.decode(errors="replace").strip())
    if done.returncode:
        raise TooMuch(f"its reader ended with {done.returncode}")
    return [[_cell(one) for one in row] for row in _ROWS.decode(done.stdout)]


def _cell(told: str | int | float | _Dated) -> Cell:
    if not isinstance(told, _Dated):
        return told
    return datetime.fromisoformat(told.iso) if "T" in told.iso else date.fromisoformat(told.iso)


def _told(value: object) -> str | int | float | _Dated:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, date):  # an instant is one, too
        return _Dated(value.isoformat())
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return str(value)  # "nan" and "inf" too: JSON has no such numbers, and no amount understands them
    return value


def _read(most: int) -> int:
    for limit, value in (
        (resource.RLIMIT_AS, MOST_MEMORY_BYTES), (resource.RLIMIT_CPU, MOST_CPU_SECONDS), (resource.RLIMIT_CORE, 0),
    ):  # fmt: skip
        resource.setrlimit(limit, (value, value))
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
        found = book.get_sheet_by_index(0).to_python(skip_empty_area=False, nrows=most)
    except (python_calamine.CalamineError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return NO_TABLE
    sys.stdout.buffer.write(msgspec.json.encode([[_told(value) for value in row] for row in found]))
    return 0


if __name__ == "__main__":
    sys.exit(_read(int(sys.argv[1])))
