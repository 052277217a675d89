"""Pure: a long list a hundred rows at a time, or as a whole for printing and searching."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar
from urllib.parse import parse_qsl, urlencode

ROWS: Final = 100
NAME: Final = "halaman"
ALL: Final = "semua"
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Paged(Generic[Row]):
    """Some rows of a list, and where the others are."""

    rows: Sequence[Row]
    all: int
    pages: tuple[tuple[str, str, bool], ...]
    """Its words, its address and whether it is this one; empty where one page holds everything. The last one is all."""


def paged(rows: Sequence[Row], query: str) -> Paged[Row]:
    """Return the page of a list that an address asks for; what it asks otherwise stays in the links."""
    if len(rows) <= ROWS:
        return Paged(rows, len(rows), ())
    asked = parse_qsl(query)
    wanted, kept = dict(asked).get(NAME, ""), [one for one in asked if one[0] != NAME]
    count = -(-len(rows) // ROWS)
    known = [*(str(number) for number in range(1, count + 1)), ALL]
    chosen = wanted if wanted in known else "1"
    links = tuple((name, f"?{urlencode([*kept, (NAME, name)])}", name == chosen) for name in known)
    first = 0 if chosen == ALL else (int(chosen) - 1) * ROWS
    return Paged(rows if chosen == ALL else rows[first : first + ROWS], len(rows), links)
