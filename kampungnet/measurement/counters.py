"""Pure: two readings of one cumulative counter give the bytes between them, or nothing.

Rules (facts: routeros 8.4): a counter that did not fall gives the difference; a fallen one was reset,
by a reboot or by hand, and gives the new value. Both are lower bounds: nothing counts that was not
counted. What no line can carry, and a gap too long to belong to one five-minute slot, give nothing
rather than a guess.
"""

from typing import Final

LONGEST_STEP_MS: Final = 600_000
"""Bytes between two readings further apart than this belong to no single slot."""
FASTEST_BYTES_A_SECOND: Final = 1_250_000_000
"""10 Gbit/s: no port of a village is faster, so a counter that grew more is broken."""


def growth(last: int | None, now: int | None, elapsed_ms: int) -> int | None:
    """Return the bytes a counter grew by within ``elapsed_ms``, or ``None`` when nobody can know."""
    if last is None or now is None or not 0 < elapsed_ms <= LONGEST_STEP_MS:
        return None
    grown = now if now < last else now - last
    return grown if grown * 1000 <= FASTEST_BYTES_A_SECOND * elapsed_ms else None
