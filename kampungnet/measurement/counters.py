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
WRAP_32: Final = 2**32
FASTEST_OF_32_BITS: Final = 125_000_000
"""1 Gbit/s: a port faster than this has counters of 64 bits (RFC 2863 asks for them from 20 Mbit/s on)."""
LARGEST_FRAME_BYTES: Final = 1_522


def growth(last: int | None, now: int | None, elapsed_ms: int) -> int | None:
    """Return the bytes a counter grew by within ``elapsed_ms``, or ``None`` when nobody can know."""
    if last is None or now is None or not 0 < elapsed_ms <= LONGEST_STEP_MS:
        return None
    grown = now if now < last else now - last
    return grown if grown * 1000 <= FASTEST_BYTES_A_SECOND * elapsed_ms else None


def growth_of_32_bits(
    last: int | None, now: int | None, elapsed_ms: int, packets: tuple[int | None, int | None]
) -> int | None:
    """Return the bytes a counter of 32 bits grew by, or ``None`` when it may have wrapped more often than was seen.

    It wraps in 34 s at 1 Gbit/s, between two polls. ``packets`` is the port's own count of packets, before and now:
    so many cannot have carried another 4 GB, or they can. Without them only the time between the polls tells.
    """
    if last is None or now is None or not 0 < elapsed_ms <= LONGEST_STEP_MS:
        return None
    packets_last, packets_now = packets
    if packets_last is None or packets_now is None:
        most, grown = FASTEST_OF_32_BITS * elapsed_ms // 1000, now - last
    elif now < last and packets_now < packets_last:  # both fell: they were reset
        most, grown = LARGEST_FRAME_BYTES * packets_now, now
    else:
        most, grown = LARGEST_FRAME_BYTES * ((packets_now - packets_last) % WRAP_32), (now - last) % WRAP_32
    return grown if grown >= 0 and most < grown + WRAP_32 else None
