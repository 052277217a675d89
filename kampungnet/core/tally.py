"""What the server has counted since it started: shown by ``/metrics``, kept in memory only, never billed from."""

import mmap
from bisect import bisect_left
from itertools import accumulate
from typing import Final

COUNTED: Final = (
    ("reports", "accepted"),
    ("reports", "refused"),
    ("reports", "failed"),
    ("readings", "accepted"),
    ("readings", "refused"),
)
"""Subject and result of all that is counted."""
_PLACE: Final = {name: place for place, name in enumerate(COUNTED)}
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper edges in seconds of how long a report took; one more bucket has no edge."""
_COLUMNS: Final = len(COUNTED) + len(BUCKETS) + 2
"""What is counted, the buckets, and the sum in microseconds."""
_BYTES: Final = 8


class Tally:
    """Counts in memory that forked processes share: each writes a row of its own, who reads adds them up.

    A row is written from one thread alone, the event loop's.
    """

    def __init__(self, processes: int = 1) -> None:
        self._numbers = memoryview(mmap.mmap(-1, _BYTES * _COLUMNS * processes)).cast("Q")
        self._row = 0

    def take_row(self, row: int) -> None:
        """From now on count in this row: what a process does first, after it was forked."""
        self._row = row * _COLUMNS

    def add(self, subject: str, result: str, number: int = 1) -> None:
        """Count ``number`` more. Raises ``KeyError`` for what is not in ``COUNTED``."""
        self._numbers[self._row + _PLACE[subject, result]] += number

    def took(self, seconds: float) -> None:
        """Count one report that took so long from being whole to its receipt."""
        self._numbers[self._row + len(COUNTED) + bisect_left(BUCKETS, seconds)] += 1
        self._numbers[self._row + _COLUMNS - 1] += round(seconds * 1_000_000)

    def counts(self) -> dict[tuple[str, str], int]:
        """Return the sums over all processes."""
        return {name: self._sum(place) for name, place in _PLACE.items()}

    def durations(self) -> tuple[list[tuple[str, int]], float]:
        """Return how many reports took at most so long, by upper edge, and the seconds of all of them."""
        each = [self._sum(len(COUNTED) + number) for number in range(len(BUCKETS) + 1)]
        edges = [*map(str, BUCKETS), "+Inf"]
        return list(zip(edges, accumulate(each), strict=True)), self._sum(_COLUMNS - 1) / 1_000_000

    def _sum(self, column: int) -> int:
        return sum(self._numbers[column::_COLUMNS])
