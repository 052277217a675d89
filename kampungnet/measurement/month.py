"""Pure: the days of one interface make its month: bytes, 95th percentile, busiest hour, how sure all of it is.

A month needs the highest slots only: each day brings its 40 highest along, and is opened when those do not decide.
"""

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate, chain
from operator import or_
from typing import Final, NamedTuple

from kampungnet.measurement import traffic
from kampungnet.measurement.ledger import Flag, Slot
from kampungnet.measurement.percentile import SLOT_SECONDS, GapPolicy, Runs, highest, rank
from kampungnet.measurement.slots import MOST, SLOT_MS

HOUR_MS: Final = 3_600_000
_WIDTH: Final = 8
"""Bytes of a double."""
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


class Columns(NamedTuple):
    """The same of many days, number by number: a regency's month has twelve thousand days."""

    start_ms: Sequence[int] = ()
    rx_bytes: Sequence[int] = ()
    tx_bytes: Sequence[int] = ()
    covered_ms: Sequence[int] = ()
    samples: Sequence[int] = ()
    flags: Sequence[int] = ()
    busiest_hour: Sequence[int] = ()
    busiest_bytes: Sequence[int] = ()
    peaks: Sequence[bytes] = ()
    gaps: Sequence[bytes] = ()

    def day(self, place: int) -> Day:
        """Return one of the days."""
        return Day._make(column[place] for column in self)


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
    return month_of(Columns(*zip(*days, strict=True)), period_ms, open_day, policy)


def month_of(days: Columns, period_ms: tuple[int, int], open_day: Open, policy: GapPolicy = GapPolicy.IGNORE) -> Month:
    """Do the same with the days as columns."""
    first_ms, last_ms = period_ms
    gaps = [gap for packed in filter(None, days.gaps) for gap in traffic.unpack_gaps(packed) if gap.last_ms <= last_ms]
    covered = sum(days.covered_ms) + sum(gap.last_ms - gap.first_ms for gap in gaps)
    flags = reduce(or_, days.flags, 0)
    doubtful = bool(flags & _DOUBTS) or any(gap.flags & _DOUBTS for gap in gaps)
    expected = (last_ms - first_ms) // SLOT_MS
    samples = sum(days.samples)
    numbers, runs = _tops(days.peaks)
    number = expected if policy is GapPolicy.ZERO else samples
    rx, tx = (_p95(days, (numbers, of_way), way, number, open_day) for way, of_way in enumerate(runs))
    busiest_bytes = max(days.busiest_bytes, default=0)
    return Month(
        rx_bytes=min(sum(days.rx_bytes) + sum(gap.rx_bytes for gap in gaps), MOST),
        tx_bytes=min(sum(days.tx_bytes) + sum(gap.tx_bytes for gap in gaps), MOST),
        covered_ms=covered, samples=samples, expected=expected, rx_p95_bps=rx, tx_p95_bps=tx,
        busiest_hour_ms=_busiest_hour_ms(days, busiest_bytes, first_ms),
        busiest_bytes=busiest_bytes, flags=Flag(flags), lower_bound=doubtful or covered < last_ms - first_ms,
    )  # fmt: skip


def _busiest_hour_ms(days: Columns, busiest_bytes: int, first_ms: int) -> int:
    """Return when the first of the busiest hours began."""
    if days.busiest_bytes.count(busiest_bytes) == 1:
        place = days.busiest_bytes.index(busiest_bytes)
        return days.start_ms[place] + days.busiest_hour[place] * HOUR_MS
    hours = zip(days.busiest_bytes, days.start_ms, days.busiest_hour, strict=True)
    return min((start + hour * HOUR_MS for one, start, hour in hours if one == busiest_bytes), default=first_ms)


def _tops(peaks: Sequence[bytes]) -> tuple["array[float]", tuple[Runs, Runs]]:
    """Return the highest numbers of all days, and where those of each day lie: received, and sent.

    Each day has them from the highest down, received before sent: turned round, all ascend, the last day first.
    """
    numbers = array("d", b"".join(peaks))
    numbers.reverse()
    lengths = [len(one) // (2 * _WIDTH) for one in reversed(peaks)]
    if lengths and lengths[0] and lengths.count(lengths[0]) == len(lengths):
        sent, received, end = (range(n * lengths[0], len(numbers) + 1, 2 * lengths[0]) for n in range(3))
        return numbers, ((received, end), (sent[:-1], received))
    borders = list(accumulate(chain.from_iterable(zip(lengths, lengths, strict=True)), initial=0))
    return numbers, ((borders[1::2], borders[2::2]), (borders[:-1:2], borders[1::2]))


def _p95(days: Columns, tops: tuple["array[float]", Runs], way: int, number: int, open_day: Open) -> int | None:
    """Return the rate at the nearest rank among ``number`` slots; those without a measurement count as 0."""
    if not number:
        return None
    numbers, (starts, ends) = tops
    place = number - rank(number)
    border = highest(numbers, (starts, ends), place) if place < sum(ends) - sum(starts) else -1.0
    # What a day keeps back is not above the lowest it brought along.
    if isinstance(starts, range) and max(numbers[starts[0] :: starts.step]) <= border:
        return int(border) * 8 // SLOT_SECONDS
    lowest = zip(starts, ends, reversed(range(len(starts))), strict=True)
    shut = [n for start, end, n in lowest
            if start < end and numbers[start] > border and days.samples[n] > traffic.PEAKS]  # fmt: skip
    if shut:
        ordered: list[float] = [one for start, end in zip(starts, ends, strict=True) for one in numbers[start:end]]
        for n in shut:
            values = sorted((_bytes(one, way) for one in open_day(days.day(n)) if one.is_sample), reverse=True)
            ordered += values[traffic.PEAKS :]
        ordered.sort(reverse=True)
        border = ordered[place] if place < len(ordered) else -1.0
    return max(0, int(border)) * 8 // SLOT_SECONDS


def _bytes(slot: Slot, way: int) -> int:
    return slot.tx_bytes if way else slot.rx_bytes
