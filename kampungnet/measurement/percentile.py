"""Pure: the 95th percentile of five-minute slots, nearest rank, with its coverage beside it.

Facts: billing-add 6. Nearest rank gives a rate that was measured, which interpolation does not.
"""

import enum
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import repeat
from typing import Final

SLOT_SECONDS: Final = 300
_STRIDE: Final = 3
"""One run's number further, so many runs are passed: a step that goes too far costs less than one more look."""
_FEW: Final = 256
"""So many numbers cost less to sort than to look for a nearer border."""

Runs = tuple[Sequence[int], Sequence[int]]
"""Where runs of numbers start (included) and end (excluded); as ranges where all are of one length, but not empty."""


class GapPolicy(enum.StrEnum):
    """What slots without a full measurement count as; a term of the contract, which can change a bill by 2.5 times."""

    IGNORE = "ignore"
    ZERO = "zero"
    REFUSE = "refuse"
    """As ``ignore``, but no result below a coverage."""


@dataclass(frozen=True, slots=True)
class Percentile:
    """Rates in bits a second, of each direction alone; the higher one is what a 95th-percentile contract bills."""

    rx_bps: int | None
    tx_bps: int | None
    measured: int
    """Slots with a full measurement."""
    expected: int

    @property
    def higher_bps(self) -> int | None:
        """The higher of both directions; ``None`` when there is no result."""
        known = [rate for rate in (self.rx_bps, self.tx_bps) if rate is not None]
        return max(known, default=None)

    @property
    def coverage(self) -> Fraction:
        """Measured slots by expected ones, 0 to 1."""
        return Fraction(self.measured, self.expected) if self.expected else Fraction(0)


def rank(number: int, percent: int = 95) -> int:
    """Return the 1-based nearest rank in ascending order: ``ceil(percent / 100 * number)``."""
    return -(-number * percent // 100)


def nearest_rank(values: Sequence[int], percent: int = 95) -> int | None:
    """Return the value at the nearest rank, ``None`` of nothing."""
    return sorted(values)[rank(len(values), percent) - 1] if values else None


def highest(numbers: Sequence[float], runs: Runs, place: int) -> float | None:
    """Return the number at a place from the top, which is 0, of many runs of numbers that each ascend.

    Each run gives one number near the one that is sought; by those, most of a run is passed over unread.
    ``None`` where there are not that many.
    """
    low, high = runs
    top, above = sum(high), 0
    left = top - sum(low)
    if place >= left:
        return None
    many = len(low)
    share = -(-(place + 1) // many)
    if isinstance(low, range):
        near = sorted(numbers[max(low[0], high[0] - share) :: low.step])
    else:
        near = sorted([numbers[max(start, end - share)] for start, end in zip(low, high, strict=True) if start < end])
    first, last = 0, len(near)
    middle = last // 2
    while left > _FEW and last - first > 1:
        cuts = list(map(bisect_left, repeat(numbers), repeat(near[middle]), low, high))
        bottom = sum(cuts)
        found = top - bottom
        if above + found > place:
            low, first, left = cuts, middle, found
            middle = min(middle + 1 + _STRIDE * (above + found - place) // many, (first + last) // 2)
        else:
            high, top, last, left, above = cuts, bottom, middle, left - found, above + found
            middle = max(middle - 1 - _STRIDE * (place - above) // many, (first + last) // 2)
    here: list[float] = []
    for start, end in zip(low, high, strict=True):
        if start < end:
            here += numbers[start:end]
    here.sort()
    return here[above - place - 1]


def together(interfaces: Sequence[Mapping[int, tuple[int, int]]]) -> dict[int, tuple[int, int]]:
    """Add several interfaces slot by slot; a slot is missing where a part of it is missing."""
    if not interfaces:
        return {}
    common = set(interfaces[0]).intersection(*interfaces[1:])
    return {at: (sum(one[at][0] for one in interfaces), sum(one[at][1] for one in interfaces)) for at in common}


def percentile(
    samples: Mapping[int, tuple[int, int]],
    period_ms: tuple[int, int],
    policy: GapPolicy = GapPolicy.IGNORE,
    refuse_below: Fraction = Fraction(0),
    percent: int = 95,
) -> Percentile:
    """Return the percentile of a period (start included, end excluded) of fully measured slots.

    ``samples`` are bytes received and sent by slot start. ``refuse_below`` is a coverage of 0 to 1, for ``REFUSE``.
    """
    first_ms, last_ms = period_ms
    expected = (last_ms - first_ms) // (SLOT_SECONDS * 1000)
    inside = [both for at, both in samples.items() if first_ms <= at < last_ms]
    measured = len(inside)
    if policy is GapPolicy.ZERO:
        inside += [(0, 0)] * (expected - measured)
    refused = policy is GapPolicy.REFUSE and measured < refuse_below * expected
    rates = [nearest_rank([both[way] for both in inside], percent) for way in (0, 1)]
    rx, tx = (None if refused or one is None else one * 8 // SLOT_SECONDS for one in rates)
    return Percentile(rx, tx, measured, expected)
