"""Pure: readings become series of samples with their own time, ready to be sent. Labels are encoded once a series."""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec

from kampungnet.devices.bodies import Body
from kampungnet.metrics import remote_write, samples
from kampungnet.metrics.samples import MAX_INTERFACES, SERIES_A_VILLAGE, Labels
from kampungnet.shared import wire

_FORGET_MS: Final = 3_600_000
"""How long a series keeps its place among the sixty of its village without a sample."""
_MOST_DEVICES: Final = 200_000
_WAN_ROOM: Final = 2
"""The two directions of the line that the village pays for always have a place."""


class Part:
    """A series and some samples of it, in order of time."""

    __slots__ = ("of", "samples")

    def __init__(self, of: "Series", found: list[bytes]) -> None:
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


@dataclass(frozen=True, slots=True)
class Taken:
    """One poll as it is pushed: of which device, and what it said."""

    labels: Labels
    """``regency``, ``district``, ``village``, ``device``."""
    seen: samples.Seen
    body: Body | None


@dataclass
class _Village:
    """Which series of a village have a place. Told of only when they are used, so that a lying box cannot grow it."""

    places: dict["Series", int] = field(default_factory=dict)
    """Series to the hour in which it was used last."""
    ports: dict[tuple[str, str], int] = field(default_factory=dict)
    wan: tuple[str, str] | None = None


class Gatherer:
    """Takes polls, gives requests. What it knows of labels it keeps; what waits it gives away once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], Series] = {}
        self._villages: dict[str, _Village] = {}
        self._before: dict[tuple[str, str], list[Series]] = {}
        self._waiting: list[Series] = []
        self._at, self._hour = b"", 0
        self._village = _Village()
        self._now: list[Series] = []
        self._is_wan = False

    def take(self, taken: Taken) -> None:
        """Add one poll. What its device said last time and no longer says ends now."""
        labels, seen = taken.labels, taken.seen
        self._at, self._hour = remote_write.stamp(seen.taken_ms), seen.taken_ms // _FORGET_MS
        self._village = self._villages.setdefault(labels["village"], _Village())
        self._now = []
        samples.read_at(self, labels, seen.taken_ms)
        samples.of_device(self, labels, seen, taken.body)
        if taken.body is not None:
            self._interfaces(labels, taken.body)
        self._end_what_is_gone(labels)

    def given(self, most: int) -> Iterator[list[Part]]:
        """Yield what waits in requests of about ``most`` samples, and forget it."""
        parts: list[Part] = []
        number = 0
        for series in self._waiting:
            parts.append(Part(series, series.waiting))
            number += len(series.waiting)
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
        elif self._village.places.get(series) != self._hour and not self._has_place(series):
            return
        self._now.append(series)
        if not series.waiting:
            self._waiting.append(series)
        series.waiting.append(remote_write.sample(value, self._at))

    def _has_place(self, series: Series) -> bool:
        """Give a series its place for this hour, unless sixty others of the village have one."""
        places = self._village.places
        room = SERIES_A_VILLAGE if self._is_wan else SERIES_A_VILLAGE - _WAN_ROOM
        if series not in places and len(places) >= room:
            for old in [one for one, hour in places.items() if hour != self._hour]:
                del places[old]
                self._known.pop((old.labels["__name__"], *list(old.labels.values())[1:]), None)
            if len(places) >= room:
                return False
        places[series] = self._hour
        return True

    def _interfaces(self, labels: Labels, body: Body) -> None:
        ports = self._village.ports
        is_router = isinstance(body, wire.RouterBody)
        for place, counter in enumerate(samples.shown(body)):
            port = (labels["device"], counter.interface)
            if is_router and place == 0 and self._village.wan is None:
                self._village.wan = port
            if port not in ports and len(ports) >= MAX_INTERFACES:
                ports = self._village.ports = {one: hour for one, hour in ports.items() if hour == self._hour}
            self._is_wan = port == self._village.wan
            if self._is_wan or port in ports or len(ports) < MAX_INTERFACES:
                ports[port] = self._hour
                samples.of_interfaces(self, [(labels, counter)])
        self._is_wan = False

    def _end_what_is_gone(self, labels: Labels) -> None:
        device = labels["village"], labels["device"]
        if len(self._before) > _MOST_DEVICES:
            self._before.clear()
        before, self._before[device] = self._before.get(device, self._now), self._now
        if before != self._now:
            over = remote_write.end(self._at)
            for series in set(before).difference(self._now):
                if not series.waiting:
                    self._waiting.append(series)
                series.waiting.append(over)


class _Count:
    """Counts the samples of a poll that is not sent."""

    def __init__(self) -> None:
        self.number = 0

    def gauge(self, _name: str, _labels: Labels, value: float | None) -> None:
        """Count one."""
        self.number += value is not None

    counter = gauge

    def info(self, _name: str, _labels: Labels, _facts: Labels) -> None:
        """Count one."""
        self.number += 1


def count(taken: Taken) -> int:
    """Return how many samples a poll makes, interfaces included."""
    found = _Count()
    samples.read_at(found, taken.labels, taken.seen.taken_ms)
    samples.of_device(found, taken.labels, taken.seen, taken.body)
    if taken.body is not None:
        shown = samples.shown(taken.body)[:MAX_INTERFACES]
        samples.of_interfaces(found, [(taken.labels, counter) for counter in shown])
    return found.number


def request(parts: Iterable[Part]) -> bytes:
    """Return the message of a request, not compressed yet."""
    return b"".join(remote_write.time_series(part.of.encoded, part.samples) for part in parts)


def number_of(parts: Iterable[Part]) -> int:
    """Return how many samples a request has."""
    return sum(len(part.samples) for part in parts)


def halves(parts: list[Part]) -> tuple[list[Part], list[Part]]:
    """Return the first and the second half of a request of two samples or more."""
    half = number_of(parts) // 2
    first: list[Part] = []
    for place, part in enumerate(parts):
        if len(part.samples) > half:
            middle = [Part(part.of, part.samples[:half])] if half else []
            return first + middle, [Part(part.of, part.samples[half:]), *parts[place + 1 :]]
        half -= len(part.samples)
        first.append(part)
    return first, []


def instant_of(sample: bytes) -> int:
    """Return when a sample was taken, in milliseconds."""
    return sum((byte & 127) << 7 * place for place, byte in enumerate(sample[12:]))


def value_of(sample: bytes) -> float:
    """Return what a sample says."""
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
