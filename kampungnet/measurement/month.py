"""Pure: the days of one interface make its month: bytes, 95th percentile, busiest hour, how sure all of it is.

A month needs the highest slots only: each day brings its 40 highest along, and is opened when those do not decide.
"""

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
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
_WORDS: Final = traffic.DAY_NUMBERS + 2 * traffic.PEAKS
"""Numbers of a packed day."""
_DOUBTS: Final = int(Flag.LOWER_BOUND | Flag.IMPOSSIBLE)
_GAP: Final = int(Flag.GAP)
"""As plain numbers: flags cost ten times as much to compare."""


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
    tops: "Tops" = (array("d"), ((), ()), ((), ()))
    gaps: Sequence[bytes] = ()
    """Of those days that have any, in any order."""


Tops = tuple["array[float]", Runs, Runs]
"""The highest numbers of all days, lowest first, and where those of each day lie: received, and sent."""
Open = Callable[[int], Iterable[Slot]]
"""Returns the slots of the day that starts at an instant."""


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


def unpacked(packed: bytes, starts: Mapping[int, int]) -> Columns:
    """Return days that :func:`traffic.pack_day` packed, in any order, by the column and without their gaps.

    ``starts`` has the instant at which each day starts, by its ordinal.
    """
    numbers = array("q", packed)
    days, rx, tx, covered, samples, flags, hours, most = (numbers[n::_WORDS] for n in range(traffic.DAY_NUMBERS))
    sent, received, end = (
        range(traffic.DAY_NUMBERS + n * traffic.PEAKS, len(numbers) + 1, _WORDS) for n in range(3)
    )  # fmt: skip
    tops = array("d", packed), (received, end), (sent, received)
    return Columns(list(map(starts.__getitem__, days)), rx, tx, covered, samples, flags, hours, most, tops)


def has_gaps(days: Columns) -> bool:
    """Tell whether a gap may begin on one of the days: its slots say so."""
    return bool(reduce(or_, days.flags, 0) & _GAP)


def month(
    days: Sequence[Day], period_ms: tuple[int, int], open_day: Open, policy: GapPolicy = GapPolicy.IGNORE
) -> Month:
    """Add up the days of one interface that lie in a period (start included, end excluded)."""
    columns = Columns(*zip(*days, strict=True))
    tops = _tops([day.peaks for day in days])
    return month_of(columns._replace(tops=tops), period_ms, open_day, policy)


def month_of(days: Columns, period_ms: tuple[int, int], open_day: Open, policy: GapPolicy = GapPolicy.IGNORE) -> Month:
    """Do the same with the days as columns."""
    first_ms, last_ms = period_ms
    gaps = [gap for packed in filter(None, days.gaps) for gap in traffic.unpack_gaps(packed) if gap.last_ms <= last_ms]
    covered = sum(days.covered_ms) + sum(gap.last_ms - gap.first_ms for gap in gaps)
    flags = reduce(or_, days.flags, 0)
    doubtful = bool(flags & _DOUBTS) or any(gap.flags & _DOUBTS for gap in gaps)
    expected = (last_ms - first_ms) // SLOT_MS
    samples = sum(days.samples)
    number = expected if policy is GapPolicy.ZERO else samples
    rx, tx = (_p95(days, way, number, open_day) for way in range(2))
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


def _tops(peaks: Sequence[bytes]) -> Tops:
    """Return the highest numbers of days. Each has them from the highest down, received before sent: turned round."""
    numbers = array("d", b"".join(reversed(peaks)))
    numbers.reverse()
    lengths = [len(one) // (2 * _WIDTH) for one in peaks]
    borders = list(accumulate(chain.from_iterable(zip(lengths, lengths, strict=True)), initial=0))
    return numbers, (borders[1::2], borders[2::2]), (borders[:-1:2], borders[1::2])


def _p95(days: Columns, way: int, number: int, open_day: Open) -> int | None:
    """Return the rate at the nearest rank among ``number`` slots; those without a measurement count as 0."""
    if not number:
        return None
    numbers, received, sent = days.tops
    starts, ends = sent if way else received
    place = number - rank(number)
    border = highest(numbers, (starts, ends), place)
    if border is None:
        border = -1.0
    # What a day keeps back is not above the lowest it brought along.
    if isinstance(starts, range) and max(numbers[starts[0] :: starts.step]) <= border:
        return max(0, int(border)) * 8 // SLOT_SECONDS
    shut = [n for n, (start, end) in enumerate(zip(starts, ends, strict=True))
            if start < end and numbers[start] > border and days.samples[n] > traffic.PEAKS]  # fmt: skip
    if shut:
        ordered: list[float] = [one for start, end in zip(starts, ends, strict=True) for one in numbers[start:end]]
        for n in shut:
            slots = open_day(days.start_ms[n])
            values = sorted((_bytes(one, way) for one in slots if one.is_sample), reverse=True)
            ordered += values[traffic.PEAKS :]
        ordered.sort(reverse=True)
        border = ordered[place] if place < len(ordered) else -1.0
    return max(0, int(border)) * 8 // SLOT_SECONDS


def _bytes(slot: Slot, way: int) -> int:
    return slot.tx_bytes if way else slot.rx_bytes
