"""What one OLT may be asked for, whoever in this process asks. Polling every ONU has crashed line cards (facts 2.1).

Agents on other boxes cannot be counted from here: one agent for each OLT is the rule, and the server
says so when two report the same ONU.
"""

import time
from collections.abc import Callable
from typing import Final
from weakref import WeakValueDictionary

ROWS_PER_MINUTE: Final = 400
"""A busy OLT answers some 18 rows a second; we take a third of that at most."""
LIGHTS_PER_MINUTE: Final = 30
"""Each makes the OLT ask that ONU over OMCI."""


class Bucket:
    """Fills by ``per_minute`` a minute up to ``per_minute``; begins full. ``clock`` in seconds."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute, self._clock = per_minute, clock
        self._level, self._at = float(per_minute), clock()

    def take(self, wanted: int) -> int:
        """Return how many of ``wanted`` may be asked for now."""
        now = self._clock()
        self._level = min(self._per_minute, self._level + (now - self._at) * self._per_minute / 60)
        self._at = now
        given = min(wanted, int(self._level))
        self._level -= given
        return given

    def put_back(self, unused: int) -> None:
        """Return what was taken and not asked."""
        self._level = min(self._per_minute, self._level + unused)


class Budget:
    """One OLT's rows and lights; shared by every device of the settings with its address."""

    def __init__(self, rows_per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.rows = Bucket(rows_per_minute, clock)
        self.lights = Bucket(LIGHTS_PER_MINUTE, clock)
        self.reading_light = False
        """Somebody does right now; nobody begins a second reading meanwhile."""


_BUDGETS: Final[WeakValueDictionary[tuple[str, int], Budget]] = WeakValueDictionary()


def budget_of(host: str, port: int, rows_per_minute: int) -> Budget:
    """Return the one budget of an OLT in this process; the first to ask sets its size."""
    budget = _BUDGETS.get((host, port))
    if budget is None:
        budget = _BUDGETS[host, port] = Budget(rows_per_minute)
    return budget
