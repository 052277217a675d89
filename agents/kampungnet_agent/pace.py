"""When to send and when to wait: phase, back-off. Pure sums; seconds throughout."""

import random
import zlib

BASE_SECONDS = 2.0
CAP_SECONDS = 300.0
DENIED_SECONDS = 3600.0


class BackOff:
    """Full jitter: any time between nothing and a doubling bound, so that 400 boxes do not come at once."""

    def __init__(self, dice: random.Random, base: float = BASE_SECONDS, cap: float = CAP_SECONDS) -> None:
        self._dice, self._base, self._cap = dice, base, cap
        self.failures = 0

    def failed(self) -> float:
        """Count one more failure and return the seconds to wait."""
        bound = min(self._cap, self._base * 2.0 ** min(self.failures, 30))
        self.failures += 1
        return self._dice.uniform(0.0, bound)

    def worked(self) -> None:
        """Start from the beginning at the next failure."""
        self.failures = 0


def phase(name: str, interval: float) -> float:
    """Return a moment in ``[0, interval)`` that stays the same for ``name`` over restarts."""
    return zlib.crc32(name.encode()) / 2**32 * interval


def until_phase(name: str, interval: float, wall: float) -> float:
    """Return the seconds from ``wall`` to the next moment of ``name``'s phase."""
    return (phase(name, interval) - wall) % interval


def next_turn(due: float, interval: float, now: float) -> float:
    """Return the turn after ``due`` that still lies ahead of ``now``: no drift, and missed turns do not pile up."""
    return due + interval * max(1, int((now - due) // interval) + 1)
