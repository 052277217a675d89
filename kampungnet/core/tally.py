"""What the server has counted since it started: shown by ``/metrics``, kept in memory only, never billed from."""

import mmap
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
_BYTES: Final = 8


class Tally:
    """Counts in memory that forked processes share: each writes a row of its own, who reads adds them up.

    A row is written from one thread alone, the event loop's.
    """

    def __init__(self, processes: int = 1) -> None:
        self._numbers = memoryview(mmap.mmap(-1, _BYTES * len(COUNTED) * processes)).cast("Q")
        self._row = 0

    def take_row(self, row: int) -> None:
        """From now on count in this row: what a process does first, after it was forked."""
        self._row = row * len(COUNTED)

    def add(self, subject: str, result: str, number: int = 1) -> None:
        """Count ``number`` more. Raises ``KeyError`` for what is not in ``COUNTED``."""
        self._numbers[self._row + _PLACE[subject, result]] += number

    def counts(self) -> dict[tuple[str, str], int]:
        """Return the sums over all processes."""
        return {name: sum(self._numbers[place :: len(COUNTED)]) for name, place in _PLACE.items()}
