"""Pure: two readings of one cumulative counter give the bytes between them, or nothing.

Rules (facts: routeros 8.4): the same uptime line and a counter that did not fall give the
difference; a fallen counter or a restarted device gives the new value, a lower bound; a gap
too long to belong to one five-minute slot gives nothing rather than a guess.
"""

from dataclasses import dataclass
from typing import Final

LONGEST_STEP_MS: Final = 600_000
"""Bytes between two readings further apart than this belong to no single slot."""
UPTIME_SLACK_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter as received: instant in ms, the device's uptime in seconds, the cumulative value."""

    at_ms: int
    uptime_seconds: int | None
    value: int | None


def growth(last: Counter, now: Counter) -> int | None:
    """Return the bytes between two readings, or ``None`` when nobody can know them."""
    elapsed_ms = now.at_ms - last.at_ms
    if last.value is None or now.value is None or not 0 < elapsed_ms <= LONGEST_STEP_MS:
        return None
    if restarted(last, now) or now.value < last.value:
        return now.value
    return now.value - last.value


def restarted(last: Counter, now: Counter) -> bool:
    """Say whether the device started anew between two readings: uptime smaller than it should be."""
    if last.uptime_seconds is None or now.uptime_seconds is None:
        return False
    elapsed_seconds = (now.at_ms - last.at_ms) / 1000
    return now.uptime_seconds < last.uptime_seconds + elapsed_seconds - UPTIME_SLACK_SECONDS
