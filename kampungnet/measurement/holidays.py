"""On which days the offices of a regency are closed, from a list that staff import; and their hours on all others.

National holidays and joint leave come by decree every year, and a bupati may add to them: so they are data.
"""

import csv
import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.core.errors import BadInput
from kampungnet.core.rows import upsert
from kampungnet.measurement import installation
from kampungnet.measurement.outage_models import Holiday
from kampungnet.measurement.workdays import OfficeHours
from kampungnet.villages.models import Regency

COLUMNS: Final = ("date", "name", "source")
MOST_LETTERS: Final = 200
_EARLIEST, _LATEST = date(2020, 1, 1), date(2099, 12, 31)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that was not taken, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Imported:
    """``days`` are known now, or lines are bad and nothing was changed."""

    days: int
    bad: tuple[BadRow, ...]


def import_list(db: Session, regency: str, lines: Iterable[str]) -> Imported:
    """Take a list of holidays for a regency; a date that is known gets the new name and source.

    With any bad line nothing is taken. Raises ``BadInput`` for a regency that is not known, or a file of another kind.
    """
    if db.get(Regency, regency) is None:
        raise BadInput(f"There is no regency {regency[:20]} in the register: import its villages first.")
    rows = csv.DictReader(lines)
    found: dict[date, dict[str, object]] = {}
    bad: list[BadRow] = []
    try:
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise BadInput("The first line must be: " + ",".join(COLUMNS))
        for row in rows:
            try:
                one = _row(row)
                if one["day"] in found:
                    raise ValueError("this date stands in the file twice")
                found[date.fromisoformat(row["date"])] = {"regency": regency, **one}
            except ValueError as error:
                bad.append(BadRow(rows.line_num, str(error)))
    except (csv.Error, UnicodeDecodeError) as error:
        raise BadInput(f"Line {rows.line_num + 1} is no CSV in UTF-8: {error}") from error
    if found and not bad:
        upsert(db, Holiday, list(found.values()), ("regency", "day"), ("name", "source"))
    return Imported(0 if bad else len(found), tuple(bad))


def office_hours_of(db: Session, regency: str, first: date, last: date) -> OfficeHours:
    """Return when the offices of a regency are open, with the holidays between two local days."""
    days = select(Holiday.day).where(Holiday.regency == regency, Holiday.day.between(first, last))
    return dataclasses.replace(installation.office(), holidays=frozenset(db.scalars(days)))


def _row(row: Mapping[str | None, str | None]) -> dict[str, object]:
    if None in row or None in row.values():
        raise ValueError(f"a line has {len(COLUMNS)} fields")
    texts = {name: " ".join(str(row[name]).split()) for name in COLUMNS}
    try:
        day = date.fromisoformat(texts["date"])
    except ValueError:
        raise ValueError(f"{texts['date'][:20]!r} is no date: write it like 2026-08-17") from None
    if not _EARLIEST <= day <= _LATEST:
        raise ValueError(f"{day} is not between {_EARLIEST} and {_LATEST}: check the year")
    for name in ("name", "source"):
        if not texts[name] or len(texts[name]) > MOST_LETTERS or not texts[name].isprintable():
            raise ValueError(f"{name} must have 1 to {MOST_LETTERS} readable letters")
    return {"day": day, "name": texts["name"], "source": texts["source"]}
