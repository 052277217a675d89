"""Which GETBULKs read one table, and what their answers say of it. Pure.

Reading a column to its end costs one value more than it has rows. A table whose rows are known from the last time is
asked for just those, and only its first column for what stands behind them: nothing, unless the table has grown.
"""

from collections.abc import Collection, Sequence
from typing import Final

from .snmp_ber import Binding, Oid, Question, Value

Table = dict[Oid, dict[Oid, Value]]
"""Column to row index to value."""

MOST_ROWS: Final = 500
"""Some small devices answer for ever (facts 2.1)."""


class TableReading:
    """Exact objects and whole columns, read together.

    A column ends at its border, at an OID that does not grow, at ``MOST_ROWS``, and at the last known row when
    nothing stands behind that.
    """

    def __init__(self, exact: Sequence[Oid], columns: Sequence[Oid], rows: Collection[Oid] = ()) -> None:
        self.found: dict[Oid, Value] = {}
        self.table: Table = {column: {} for column in columns}
        self._wanted = frozenset(exact)
        self._pending = tuple(exact)
        self._last = {column: column for column in columns}
        """How far each column was read that goes on."""
        self._rows = len(rows)
        self._last_row = max(rows, default=())
        self._probes: tuple[Oid, ...] = ((*columns[0], *self._last_row),) if rows else ()
        self._ends_there = False
        """The device said that nothing stands behind the last known row."""

    @property
    def finished(self) -> bool:
        """Whether every column was read."""
        return not self._last

    def question(self, most_values: int) -> Question:
        """Return what to ask next, for an answer of about ``most_values``."""
        once = (*map(_just_before, self._pending), *self._probes)
        room = max(1, (most_values - len(once)) // len(self._last))
        left = self._rows - min(len(self.table[column]) for column in self._last)
        return Question((*once, *self._last.values()), len(once), min(room, left) if left > 0 else room)

    def take(self, answer: Sequence[Binding]) -> None:
        """Sort one answer in; a device may cut it anywhere."""
        exact, rest = answer[: len(self._pending)], answer[len(self._pending) :]
        self.found.update((oid, value) for oid, value in exact if value is not None and oid in self._wanted)
        self._pending = self._pending[len(exact) :]
        if rest and self._probes:
            (last,), self._probes = self._probes, ()
            self._ends_there = not _goes_on(rest[0], next(iter(self.table)), last)
            rest = rest[1:]
        self._take_rows(rest)

    def _take_rows(self, answer: Sequence[Binding]) -> None:
        asked = tuple(self._last)
        for position, (oid, value) in enumerate(answer):
            column = asked[position % len(asked)]
            if column not in self._last:
                continue
            cells = self.table[column]
            if value is None or not _goes_on((oid, value), column, self._last[column]) or len(cells) >= MOST_ROWS:
                del self._last[column]
            else:
                cells[oid[len(column) :]] = value
                self._last[column] = oid
        if self._ends_there:
            self._last = {column: last for column, last in self._last.items() if last != (*column, *self._last_row)}


def _just_before(oid: Oid) -> Oid:
    """Return an OID whose successor is ``oid`` if that exists: GETBULK asks for what comes next."""
    return (*oid[:-1], oid[-1] - 1) if oid[-1] else oid[:-1]


def _goes_on(binding: Binding, column: Oid, last: Oid) -> bool:
    """Tell whether an answer is the next cell of ``column``."""
    oid, value = binding
    return value is not None and oid[: len(column)] == column and oid > last
