"""Pure: the days of one interface make its month: bytes, 95th percentile, busiest hour, how sure all of it is.

A month needs the highest slots only: each day brings its 40 highest along, and is opened when those do not decide.
"""

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from struct import Struct
from typing import Final, NamedTuple

from kampungnet.measurement import traffic
from kampungnet.measurement.ledger import SLOT_MS, Flag, Slot
from kampungnet.measurement.percentile import SLOT_SECONDS, GapPolicy, rank
from kampungnet.measurement.slots import MOST

HOUR_MS: Final = 3_600_000
_DOUBLE: Final = Struct("d")
_FIRST: Final = 24 * _DOUBLE.size
"""So many of a day's highest are looked at first."""
_DOUBTS: Final = Flag.LOWER_BOUND | Flag.IMPOSSIBLE


class Day(NamedTuple):
    """One stored day, its slots still packed."""

    start_ms: int
    rx_bytes: int
    tx_bytes: int
    covered_ms: int
    samples: int
    flags: int
    busiest_hour: int
    busiest_bytes: int
    peaks: bytes
    gaps: bytes


Open = Callable[[Day], Iterable[Slot]]
"""Returns the slots of a day."""


@dataclass(frozen=True, slots=True)
class Month:
    """What passed one interface in a period. Rates in bits a second."""

    rx_bytes: int
    tx_bytes: int
    covered_ms: int
    """Time whose bytes are known, gaps included that lie in the period as a whole."""
    samples: int
    """Slots that were fully seen: what the percentile is taken of."""
    expected: int
    rx_p95_bps: int | None
    tx_p95_bps: int | None
    busiest_hour_ms: int
    busiest_bytes: int
    flags: Flag
    lower_bound: bool

    @property
    def higher_p95_bps(self) -> int | None:
        """The higher of both directions; ``None`` when there is no result."""
        return max((one for one in (self.rx_p95_bps, self.tx_p95_bps) if one is not None), default=None)


def month(
    days: Sequence[Day], period_ms: tuple[int, int], open_day: Open, policy: GapPolicy = GapPolicy.IGNORE
) -> Month:
    """Add up the days of one interface that lie in a period (start included, end excluded)."""
    first_ms, last_ms = period_ms
    gaps = [gap for day in days if day.gaps for gap in traffic.unpack_gaps(day.gaps) if gap.last_ms <= last_ms]
    covered = sum(day.covered_ms for day in days) + sum(gap.last_ms - gap.first_ms for gap in gaps)
    flags = reduce(or_, (day.flags for day in days), 0)
    doubtful = bool(flags & _DOUBTS) or any(gap.flags & _DOUBTS for gap in gaps)
    expected = (last_ms - first_ms) // SLOT_MS
    samples = sum(day.samples for day in days)
    rx, tx = (_p95(days, way, expected if policy is GapPolicy.ZERO else samples, open_day) for way in (0, 1))
    busiest = max(days, key=lambda day: (day.busiest_bytes, -day.start_ms), default=None)
    return Month(
        rx_bytes=min(sum(day.rx_bytes for day in days) + sum(gap.rx_bytes for gap in gaps), MOST),
        tx_bytes=min(sum(day.tx_bytes for day in days) + sum(gap.tx_bytes for gap in gaps), MOST),
        covered_ms=covered, samples=samples, expected=expected, rx_p95_bps=rx, tx_p95_bps=tx,
        busiest_hour_ms=busiest.start_ms + busiest.busiest_hour * HOUR_MS if busiest else first_ms,
        busiest_bytes=busiest.busiest_bytes if busiest else 0,
        flags=Flag(flags), lower_bound=doubtful or covered < last_ms - first_ms,
    )  # fmt: skip


def _p95(days: Sequence[Day], way: int, number: int, open_day: Open) -> int | None:
    """Return the rate at the nearest rank among ``number`` slots; those without a measurement count as 0."""
    if not number:
        return None
    place = number - rank(number)
    halves = [_peaks(day, way) for day in days]
    ordered = sorted(array("d", b"".join(half[:_FIRST] for half in halves)), reverse=True)
    border = ordered[place] if place < len(ordered) else -1.0
    # What a day keeps back is not above the lowest it brought along. Merging a few into what is sorted costs little.
    more = [n for n, half in enumerate(halves) if len(half) > _FIRST and _number(half, _FIRST) > border]
    if more:
        ordered = sorted([*ordered, *array("d", b"".join(halves[n][_FIRST:] for n in more))], reverse=True)
        border = ordered[place] if place < len(ordered) else -1.0
    shut = [n for n in more if days[n].samples > traffic.PEAKS and _number(halves[n], len(halves[n])) > border]
    for n in shut:
        values = sorted((_bytes(one, way) for one in open_day(days[n]) if one.is_sample), reverse=True)
        ordered += values[traffic.PEAKS :]
    if shut:
        ordered.sort(reverse=True)
    return int(ordered[place]) * 8 // SLOT_SECONDS if place < len(ordered) else 0


def _number(numbers: bytes, end: int) -> float:
    """Return the double that ends at ``end``."""
    found: float = _DOUBLE.unpack_from(numbers, end - _DOUBLE.size)[0]
    return found


def _peaks(day: Day, way: int) -> bytes:
    half = len(day.peaks) // 2
    return day.peaks[half:] if way else day.peaks[:half]


def _bytes(slot: Slot, way: int) -> int:
    return slot.tx_bytes if way else slot.rx_bytes
