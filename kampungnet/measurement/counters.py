"""Pure: two readings of one cumulative counter give the bytes between them, or nothing.

Rules (facts: routeros 8.4): the same uptime line and a counter that did not fall give the
difference; a fallen counter or a restarted device gives the new value, a lower bound; a gap
too long to belong to one five-minute slot, or growth beyond any line, gives nothing rather than a guess.
"""

from dataclasses import dataclass
from typing import Final

LONGEST_STEP_MS: Final = 600_000
"""Bytes between two readings further apart than this belong to no single slot."""
MOST_BYTES: Final = 30_000_000_000_000
"""400 Gbit/s over the longest step: no device of a village is faster, a counter that grew more is broken."""
UPTIME_SLACK_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Moment:
    """When a device was read (ms since 1970) and how long it had been up by its own word, in seconds."""

    at_ms: int
    uptime_seconds: int | None


def comparable(last: Moment, now: Moment) -> bool:
    """Say whether what happened between two readings can be put into one slot."""
    return 0 < now.at_ms - last.at_ms <= LONGEST_STEP_MS


def restarted(last: Moment, now: Moment) -> bool:
    """Say whether the device started anew between two readings: its uptime is smaller than it should be."""
    if last.uptime_seconds is None or now.uptime_seconds is None:
        return False
    elapsed_seconds = (now.at_ms - last.at_ms) / 1000
    return now.uptime_seconds < last.uptime_seconds + elapsed_seconds - UPTIME_SLACK_SECONDS


def growth(last: int | None, now: int | None, *, anew: bool) -> int | None:
    """Return the bytes a counter grew by, ``anew`` when its device started between; ``None`` when nobody can know."""
    if last is None or now is None:
        return None
    grown = now if anew or now < last else now - last
    return grown if grown <= MOST_BYTES else None
