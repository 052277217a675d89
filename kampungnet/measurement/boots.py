"""Pure: repair the time of readings from boxes without a clock battery.

``CLOCK_BOOTTIME`` never jumps within a boot. Once the offset between it and true time is
known for a boot, every reading of that boot has a true time, earlier ones included
(facts: operations 1.4).
"""

import enum
from typing import Final, NamedTuple

from kampungnet.shared import wire

SERVER_AGREES_MS: Final = 300_000
"""A "synchronised" box further than this from the server's clock is not believed."""
STEP_MS: Final = 2_000
"""Offsets closer than this are the same: transport and small clock corrections."""


EARLIEST_MS: Final = 1_704_067_200_000
"""2024-01-01, before the first box: a clock without a battery that still shows 1970 is not believed."""


class TimeQuality(enum.IntEnum):
    """How sure a reading's time is; a higher one replaces a lower one."""

    UNKNOWN = -1
    """The box's clock claimed a time that cannot be: arrival time is kept, and nothing is computed from it."""
    RAW = 0
    """The box's own wall clock: its boot was never heard of while it lasted."""
    ESTIMATED = 1
    """From the server's clock when a report of that boot arrived; right to the transport time."""
    SYNCHRONISED = 2
    """From the box's synchronised clock."""


# Python 3.11 takes a microsecond to find a member of an enumeration by its name, and reports ask for each reading.
_UNKNOWN: Final = TimeQuality.UNKNOWN
_RAW: Final = TimeQuality.RAW
_ESTIMATED: Final = TimeQuality.ESTIMATED
_SYNCHRONISED: Final = TimeQuality.SYNCHRONISED


class Offset(NamedTuple):
    """True time in ms = ``CLOCK_BOOTTIME`` in ms + ``ms``."""

    ms: int
    quality: TimeQuality


def offset_of(sent_at_ms: int, boottime_ms: int, received_ms: int, *, synchronised: bool) -> Offset:
    """Return the offset that one report proves for the boot it was sent in."""
    if synchronised and abs(sent_at_ms - received_ms) <= SERVER_AGREES_MS:
        return Offset(sent_at_ms - boottime_ms, _SYNCHRONISED)
    return Offset(received_ms - boottime_ms, _ESTIMATED)


def better(known: Offset | None, new: Offset) -> Offset:
    """Return the offset to keep: the surer one, and of two alike the known one unless the clock was stepped."""
    if known is None or new.quality > known.quality:
        return new
    if new.quality < known.quality or abs(new.ms - known.ms) < STEP_MS:
        return known
    # Two estimates: transport only ever adds, so the smaller one is nearer to the truth.
    return min(known, new, key=lambda offset: offset.ms) if new.quality is _ESTIMATED else new


def repaired(reading: wire.Reading, offset: Offset | None, received_ms: int) -> tuple[int, TimeQuality]:
    """Return a reading's best instant in milliseconds since 1970 and how sure it is."""
    instant, quality = reading.taken_at_ms, _RAW
    if offset is not None:
        instant, quality = reading.boottime_ms + offset.ms, offset.quality
    if not EARLIEST_MS <= instant <= received_ms + SERVER_AGREES_MS:
        return received_ms, _UNKNOWN
    return instant, quality
