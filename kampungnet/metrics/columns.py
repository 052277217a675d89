"""Pure: many readings of one text as one reading, whose moving numbers are columns.

The mapping of a reading to samples (``samples.py``) takes such a reading like any other: what it does with a number
is done with all of them at once. Where it wants to know something that is not the same in all, it stops
(``Unforeseen``), and each reading is mapped by itself.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import repeat
from operator import ge, gt, lt, mul, truediv
from typing import Any, Final

import msgspec

from kampungnet.measurement import marks, packing
from kampungnet.measurement.boots import TimeQuality
from kampungnet.measurement.marks import Path, Unforeseen
from kampungnet.measurement.packing import Shared
from kampungnet.shared import wire

FEW: Final = 8
"""So few readings of a text cost less one by one."""
_READING: Final = msgspec.json.Decoder(wire.Reading)
NOT_ONE: Final = (Unforeseen, TypeError, AttributeError, *wire.UNREADABLE)
"""What comes of doing with a column what only one value can do."""


class Column:
    """A number of each of some readings, in order of time; read when it is wanted."""

    __slots__ = ("_numbers", "_read")

    def __init__(self, read: Callable[[], Sequence[float]]) -> None:
        self._read = read
        self._numbers: Sequence[float] | None = None

    @property
    def numbers(self) -> Sequence[float]:
        """Return them."""
        if self._numbers is None:
            self._numbers = self._read()
        return self._numbers

    def __truediv__(self, by: float) -> "Column":
        return self._each(truediv, by)

    def __mul__(self, by: float) -> "Column":
        return self._each(mul, by)

    def __gt__(self, other: Any) -> "Column":
        return self._each(gt, other)

    def __lt__(self, other: Any) -> "Column":
        return self._each(lt, other)

    def __ge__(self, other: Any) -> "Column":
        return self._each(ge, other)

    def __bool__(self) -> bool:
        found = set(map(bool, self.numbers))
        if len(found) != 1:
            raise Unforeseen
        return found.pop()

    __hash__ = None  # type: ignore[assignment]  # two of them are never asked whether they are the same

    def __eq__(self, other: object) -> bool:
        raise Unforeseen

    def _each(self, what: Callable[[Any, Any], float], other: Any) -> "Column":
        others = other.numbers if isinstance(other, Column) else repeat(other)
        return Column(lambda: list(map(what, self.numbers, others)))


def lifted(shared: Shared) -> wire.Reading | None:
    """Return readings of one text as one; ``None`` where each has to be read by itself."""
    if shared.length < FEW or len(shared.parts) > marks.MOST_RUNS or min(shared.quality) <= TimeQuality.UNKNOWN:
        return None
    try:
        reading = _READING.decode(packing.filled(shared.parts, shared.first_digits()))
        for path, text in marks.moving(shared).items():
            _put(reading, path, Column(partial(marks.numbers, shared, text)))
    except NOT_ONE:
        return None
    return reading


def _put(reading: Any, path: Path, column: Column) -> None:
    """Put a column where a number stands. A field that this version does not know is left out, as always."""
    *way, last = path
    for step in way:
        reading = reading[step] if isinstance(step, int) else getattr(reading, step, None)
        if reading is None:
            return
    if isinstance(last, int):
        reading[last] = column
    elif hasattr(reading, last):
        msgspec.structs.force_setattr(reading, last, column)
