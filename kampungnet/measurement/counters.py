"""Pure: the cumulative counters of one interface, a sample at a time or, a hundred times as many, by the column."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, pairwise
from operator import sub
from typing import Final, NamedTuple, TypeVar

import msgspec

from kampungnet.measurement.slots import SLOT_MS

UPTIME_SLACK_MS: Final = 10_000
"""Device and box clocks differ, and uptime comes in whole seconds."""
NO_TURN_BITS: Final = 64
"""A counter of so many bits never goes round."""

Packets = tuple[int, int] | None
"""Received and sent."""
Border = tuple[int, int, int, int]
"""The place of the sample after it, the instant of the one before, the time between both, and its own instant."""
One = TypeVar("One")


class CounterSample(msgspec.Struct, frozen=True, gc=False):
    """One interface's counters at one instant. Bytes as the device counts."""

    at_ms: int
    rx_bytes: int
    tx_bytes: int
    uptime_seconds: int | None = None
    """Of the device: a counter's life ends with it."""
    life: str = ""
    """Changes when the counters do: the number of a dialled interface, the device's boot id."""
    bits: int = NO_TURN_BITS
    row: str = ""
    """The device's own number of the interface: another one of the same name has a past of its own."""
    dial_seconds: int | None = None
    """How long a dialled line stands; its counters may, but need not, begin anew with it."""
    sure_uptime: bool = True
    """False for sysUpTime: a program's, which begins anew (or wraps after 497 days) while the counters go on."""
    packets: Packets = None
    """Received and sent: they prove that a counter of 32 bits did not go round once more."""


class Kind(NamedTuple):
    """What samples of one interface share as long as nothing happens to it."""

    life: str
    bits: int
    row: str
    sure_uptime: bool


class Shares(NamedTuple):
    """How a stretch of samples lies over slots: the samples around each border, and what time each slot saw."""

    before: list[int]
    after: list[int]
    parts_ms: list[int]
    """From the sample before a border to the border."""
    lengths_ms: list[int]
    """From the sample before a border to the one after it."""
    slots: list[int]
    """When each slot of the stretch starts."""
    covered_ms: list[int]


class Clock:
    """When samples were taken, no two at one instant and oldest first, and how long the device was up then.

    The interfaces of a device share one, and so what is worked out from it.
    """

    def __init__(self, at_ms: list[int], uptime_seconds: list[int | None]) -> None:
        self.at_ms, self.uptime_seconds = at_ms, uptime_seconds
        self._odd: dict[int, list[int]] = {}
        self._shares: dict[tuple[int, int], Shares] = {}

    def odd(self, longest_ms: int) -> list[int]:
        """Return the places before which more than so much time passed, or the device started anew."""
        if longest_ms not in self._odd:
            self._odd[longest_ms] = [] if self._is_plain(longest_ms) else self._places(longest_ms)
        return self._odd[longest_ms]

    def _is_plain(self, longest_ms: int) -> bool:
        """Tell, quicker than place by place, that there is no such place."""
        up = [one for one in self.uptime_seconds if one is not None]
        if len(up) < 2 or len(up) < len(self.at_ms):
            return False
        elapsed_ms: list[int] = list(map(sub, self.at_ms[1:], self.at_ms))
        up_ms: Iterable[int] = map((1000).__mul__, map(sub, up[1:], up))
        lag_ms: int = max(map(sub, elapsed_ms, up_ms))
        return max(elapsed_ms) <= longest_ms and lag_ms <= UPTIME_SLACK_MS

    def _places(self, longest_ms: int) -> list[int]:
        pairs = zip(pairwise(self.at_ms), pairwise(self.uptime_seconds), strict=True)
        return [
            place
            for place, ((old_ms, ms), (old, up)) in enumerate(pairs, 1)
            if ms - old_ms > longest_ms
            or (old is not None and up is not None and (up - old) * 1000 < ms - old_ms - UPTIME_SLACK_MS)
        ]

    def shares(self, first: int, last: int) -> Shares:
        """Return how the samples from one place to a later one lie over slots."""
        if (first, last) not in self._shares:
            borders = self._borders[
                bisect_right(self._borders, (first + 1,)) : bisect_right(self._borders, (last + 1,))
            ]
            edges = [self.at_ms[first], *(border_ms for *_, border_ms in borders), self.at_ms[last]]
            if edges[-1] == edges[-2]:  # the last sample was taken on a border
                edges.pop()
            self._shares[first, last] = Shares(
                [place - 1 for place, *_ in borders], [place for place, *_ in borders],
                [border_ms - old_ms for _, old_ms, _, border_ms in borders],
                [length_ms for _, _, length_ms, _ in borders],
                [from_ms - from_ms % SLOT_MS for from_ms in edges[:-1]], list(map(sub, edges[1:], edges)),
            )  # fmt: skip
        return self._shares[first, last]

    @cached_property
    def _borders(self) -> list[Border]:
        """Where the borders of slots lie between samples."""
        return [
            (place, old_ms, ms - old_ms, border_ms)
            for place, (old_ms, ms) in enumerate(pairwise(self.at_ms), 1)
            if ms // SLOT_MS != old_ms // SLOT_MS
            for border_ms in range(old_ms // SLOT_MS * SLOT_MS + SLOT_MS, ms + 1, SLOT_MS)
        ]


@dataclass(frozen=True, slots=True)
class Counters:
    """Some samples of one interface: what they say, number by number."""

    clock: Clock
    rx_bytes: list[int]
    tx_bytes: list[int]
    dial_seconds: list[int | None]
    kinds: list[Kind]
    packets: Sequence[Packets]
    """Not read before they are needed, which is rarely."""

    def sample(self, place: int) -> CounterSample:
        """Return one of the samples."""
        life, bits, row, sure = self.kinds[place]
        return CounterSample(
            self.clock.at_ms[place], self.rx_bytes[place], self.tx_bytes[place], self.clock.uptime_seconds[place],
            life, bits, row, self.dial_seconds[place], sure, self.packets[place],
        )  # fmt: skip


class _Joined(Sequence[Packets]):
    """Sequences one after the other, in another order; each is read when one of its members is asked for."""

    def __init__(self, parts: Sequence[Sequence[Packets]], order: Sequence[int]) -> None:
        self._parts, self._order = parts, order

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, place: int) -> Packets:  # type: ignore[override]  # nobody asks for slices
        place = self._order[place]
        for part in self._parts:
            if place < len(part):
                return part[place]
            place -= len(part)
        raise IndexError(place)


def in_columns(samples: Sequence[CounterSample]) -> Counters:
    """Lay samples, in order of time and one an instant, out in columns."""
    return Counters(
        Clock([one.at_ms for one in samples], [one.uptime_seconds for one in samples]),
        [one.rx_bytes for one in samples],
        [one.tx_bytes for one in samples],
        [one.dial_seconds for one in samples],
        [Kind(one.life, one.bits, one.row, one.sure_uptime) for one in samples],
        [one.packets for one in samples],
    )


def in_order(parts: Iterable[Counters]) -> list[Counters]:
    """Return parts, no two samples of one instant in them, oldest first and none reaching into another's time."""
    found = sorted((part for part in parts if part.clock.at_ms), key=lambda part: part.clock.at_ms[0])
    if all(last.clock.at_ms[-1] < now.clock.at_ms[0] for last, now in pairwise(found)):
        return found
    at_ms = _all(part.clock.at_ms for part in found)
    order = sorted(range(len(at_ms)), key=at_ms.__getitem__)
    clock = Clock(_picked(at_ms, order), _picked(_all(part.clock.uptime_seconds for part in found), order))
    return [Counters(
        clock, _picked(_all(part.rx_bytes for part in found), order),
        _picked(_all(part.tx_bytes for part in found), order),
        _picked(_all(part.dial_seconds for part in found), order), _picked(_all(part.kinds for part in found), order),
        _Joined([part.packets for part in found], order),
    )]  # fmt: skip


def _all(lists: Iterable[list[One]]) -> list[One]:
    return list(chain.from_iterable(lists))


def _picked(found: list[One], order: list[int]) -> list[One]:
    return [found[place] for place in order]
