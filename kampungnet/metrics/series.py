"""Pure: readings become series of samples with their own time, ready to be sent. Labels are encoded once a series."""

import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import Final

import msgspec

from kampungnet.devices.bodies import Body
from kampungnet.measurement.marks import Unforeseen
from kampungnet.metrics import remote_write, samples
from kampungnet.metrics.columns import Column
from kampungnet.metrics.remote_write import SAMPLE_BYTES
from kampungnet.metrics.samples import MAX_INTERFACES, SERIES_A_VILLAGE, Labels
from kampungnet.shared import wire

_HOUR_MS: Final = 3_600_000
"""How long a series keeps its place among the sixty of its village without a sample; one of a day keeps it all day."""
_MOST_DEVICES: Final = 200_000
_WAN_ROOM: Final = 2
"""The two directions of the line that the village pays for always have a place."""


class Part:
    """A series and some samples of it, in order of time."""

    __slots__ = ("of", "samples")

    def __init__(self, of: "Series", found: bytes) -> None:
        self.of, self.samples = of, found


class Series:
    """One series: its labels as they travel, and who it is, for people."""

    __slots__ = ("encoded", "labels", "waiting")

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self.encoded = remote_write.labels(labels)
        self.waiting: list[bytes] = []

    def __str__(self) -> str:
        rest = ",".join(f"{name}={value!r}" for name, value in self.labels.items() if name != "__name__")
        return f"{self.labels['__name__']}{{{rest}}}"


Device = tuple[str, str]
"""Village, name."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One poll as it is pushed: of which device, and what it said. Or many, whose numbers are columns."""

    labels: Labels
    """``regency``, ``district``, ``village``, ``device``."""
    seen: samples.Seen
    body: Body | None
    times: Sequence[int]
    """When, in ms, in order; of one poll only one."""


@dataclass
class _Village:
    """Which series of a village have a place. Told of only when they are used, so that a lying box cannot grow it."""

    places: dict["Series", int] = field(default_factory=dict)
    """Series to the term in which it was used last: an hour, or a day that is read as a whole."""
    ports: dict[tuple[str, str], int] = field(default_factory=dict)
    wan: tuple[str, str] | None = None


class Gatherer:
    """Takes polls, gives requests. What it knows of labels it keeps; what waits it gives away once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], Series] = {}
        self._villages: dict[str, _Village] = {}
        self._before: dict[Device, list[Series]] = {}
        self._waiting: list[Series] = []
        self._term = 0
        self._village = _Village()
        self._now: list[Series] = []
        self._values: list[float | Column] = []
        self._is_wan = False

    def take(self, taken: Taken) -> None:
        """Add one poll. What its device said last time and no longer says ends now."""
        (at_ms,) = taken.times
        self._map(taken, at_ms // _HOUR_MS)
        at = remote_write.stamp(at_ms)
        for series, value in zip(self._now, self._values, strict=True):
            self._wait(series, remote_write.sample(value, at))  # type: ignore[arg-type]  # of one poll: no column
        self._end_what_is_gone(taken, at)

    def take_day(self, day: int, polls: Iterable[Taken]) -> None:
        """Add the polls of a day, by its number, of a device and of those that it tells of."""
        of: dict[Device, list[Taken]] = defaultdict(list)
        for taken in polls:
            of[_device(taken)].append(taken)
        for several in of.values():
            self._take_several(-day, sorted(several, key=lambda one: one.times[0]))

    def _take_several(self, term: int, several: Sequence[Taken]) -> None:
        said: list[list[Series]] = []
        empty = b""
        for place, taken in enumerate(several):
            self._map(taken, term)
            if not place or taken.times is not several[place - 1].times:
                empty = remote_write.empty(taken.times)
            for series, value in zip(self._now, self._values, strict=True):
                self._wait(series, remote_write.filled(empty, value.numbers if isinstance(value, Column) else value))
            said.append(self._now)
        has_ends = self._end_between(several, said)
        is_mixed = any(one.times[-1] > after.times[0] for one, after in pairwise(several))
        if has_ends or is_mixed or any(len(set(now)) < len(now) for now in said):  # the last: two ports of one name
            for series in set().union(*said):
                series.waiting = [remote_write.in_order(b"".join(series.waiting))]

    def _end_between(self, several: Sequence[Taken], said: Sequence[list[Series]]) -> bool:
        """End what one poll of a device says and the next does not; say whether there was any."""
        sets = [frozenset(now) for now in said]
        if len(set(sets)) == 1:
            return False
        order = sorted((at_ms, place) for place, taken in enumerate(several) for at_ms in taken.times)
        for (_, before), (at_ms, now) in pairwise(order):
            for series in sets[before] - sets[now]:
                self._wait(series, remote_write.end(remote_write.stamp(at_ms)))
        return True

    def _map(self, taken: Taken, term: int) -> None:
        """Find which series a poll has samples of, and their values."""
        self._term = term
        self._village = self._villages.setdefault(taken.labels["village"], _Village())
        self._now, self._values = [], []
        samples.of_device(self, taken.labels, taken.seen, taken.body)
        if taken.body is not None:
            self._interfaces(taken.labels, taken.body)

    def given(self, most: int) -> Iterator[list[Part]]:
        """Yield what waits in requests of about ``most`` samples, and forget it."""
        parts: list[Part] = []
        number = 0
        for series in self._waiting:
            parts.append(Part(series, b"".join(series.waiting)))
            number += len(parts[-1].samples) // SAMPLE_BYTES
            series.waiting = []
            if number >= most:
                yield parts
                parts, number = [], 0
        self._waiting = []
        if parts:
            yield parts

    def forget_waiting(self) -> None:
        """Forget what waits: it could not be sent and will be gathered anew."""
        for series in self._waiting:
            series.waiting = []
        self._waiting = []
        self._before.clear()

    def gauge(self, name: str, labels: Labels, value: float | None) -> None:
        """Take a value that goes up and down."""
        if value is not None:
            self._add(name, labels, value)

    def counter(self, name: str, labels: Labels, value: float | None) -> None:
        """Take a cumulative value."""
        if value is not None:
            self._add(name + "_total", labels, value)

    def info(self, name: str, labels: Labels, facts: Labels) -> None:
        """Take a constant 1 with facts as labels."""
        self._add(name + "_info", labels | facts, 1.0)

    def _add(self, name: str, labels: Labels, value: float) -> None:
        key = (name, *labels.values())
        series = self._known.get(key)
        if series is None:
            series = Series({"__name__": name} | labels)
            if not self._has_place(series):
                return
            self._known[key] = series
        elif self._village.places.get(series) != self._term and not self._has_place(series):
            return
        self._now.append(series)
        self._values.append(value)

    def _wait(self, series: Series, found: bytes) -> None:
        if not series.waiting:
            self._waiting.append(series)
        series.waiting.append(found)

    def _has_place(self, series: Series) -> bool:
        """Give a series its place for this term, unless sixty others of the village have one."""
        places = self._village.places
        room = SERIES_A_VILLAGE if self._is_wan else SERIES_A_VILLAGE - _WAN_ROOM
        if series not in places and len(places) >= room:
            for old in [one for one, term in places.items() if term != self._term]:
                del places[old]
                self._known.pop((old.labels["__name__"], *list(old.labels.values())[1:]), None)
            if len(places) >= room:
                return False
        places[series] = self._term
        return True

    def _interfaces(self, labels: Labels, body: Body) -> None:
        ports = self._village.ports
        is_router = isinstance(body, wire.RouterBody)
        for place, counter in enumerate(samples.shown(body)):
            port = (labels["device"], counter.interface)
            if is_router and place == 0 and self._village.wan is None:
                self._village.wan = port
            if port not in ports and len(ports) >= MAX_INTERFACES:
                ports = self._village.ports = {one: term for one, term in ports.items() if term == self._term}
            self._is_wan = port == self._village.wan
            if self._is_wan or port in ports or len(ports) < MAX_INTERFACES:
                ports[port] = self._term
                samples.of_interfaces(self, [(labels, counter)])
        self._is_wan = False

    def _end_what_is_gone(self, taken: Taken, at: remote_write.Stamp) -> None:
        device = _device(taken)
        if len(self._before) > _MOST_DEVICES:
            self._before.clear()
        before, self._before[device] = self._before.get(device, self._now), self._now
        if before != self._now:
            over = remote_write.end(at)
            for series in set(before).difference(self._now):
                self._wait(series, over)


def _device(taken: Taken) -> Device:
    return taken.labels["village"], taken.labels["device"]


class _Count:
    """Counts the samples of a poll that is not sent."""

    def __init__(self) -> None:
        self.number = 0

    def gauge(self, _name: str, _labels: Labels, value: float | None) -> None:
        """Count one."""
        self.number += value is not None

    counter = gauge

    def info(self, _name: str, _labels: Labels, facts: Labels) -> None:
        """Count one. Raises ``Unforeseen`` for a fact that is not the same in all polls."""
        if not all(isinstance(fact, str) for fact in facts.values()):
            raise Unforeseen
        self.number += 1


def count(taken: Taken) -> int:
    """Return how many samples polls make, interfaces included.

    Raises one of ``columns.NOT_ONE`` for many that cannot be mapped together.
    """
    found = _Count()
    samples.of_device(found, taken.labels, taken.seen, taken.body)
    if taken.body is not None:
        shown = samples.shown(taken.body)[:MAX_INTERFACES]
        samples.of_interfaces(found, [(taken.labels, counter) for counter in shown])
    return found.number * len(taken.times)


def request(parts: Iterable[Part]) -> bytes:
    """Return the message of a request, not compressed yet."""
    return b"".join(chain.from_iterable(remote_write.pieces(part.of.encoded, part.samples) for part in parts))


def number_of(parts: Iterable[Part]) -> int:
    """Return how many samples a request has."""
    return sum(len(part.samples) for part in parts) // SAMPLE_BYTES


def halves(parts: list[Part]) -> tuple[list[Part], list[Part]]:
    """Return the first and the second half of a request of two samples or more."""
    half = number_of(parts) // 2 * SAMPLE_BYTES
    first: list[Part] = []
    for place, part in enumerate(parts):
        if len(part.samples) > half:
            middle = [Part(part.of, part.samples[:half])] if half else []
            return first + middle, [Part(part.of, part.samples[half:]), *parts[place + 1 :]]
        half -= len(part.samples)
        first.append(part)
    return first, []


def instant_of(sample: bytes) -> int:
    """Return when the first of some samples was taken, in milliseconds."""
    return sum((byte & 127) << 7 * place for place, byte in enumerate(sample[12:SAMPLE_BYTES]))


def value_of(sample: bytes) -> float:
    """Return what the first of some samples says."""
    value: float = struct.unpack_from("<d", sample, 3)[0]
    return value


class Place(msgspec.Struct, frozen=True):
    """Whose device it is, as labels say it."""

    regency: str
    district: str
    village: str

    def labels(self, device: str) -> Labels:
        """Return the labels of one of its devices."""
        return {"regency": self.regency, "district": self.district, "village": self.village, "device": device}
