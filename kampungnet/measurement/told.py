"""Pure: what readings that share a text say, by the column: as if each were read by itself, ten times as fast.

They differ in digits only. One of them, read in full, shows what all are; the digits that move are followed to the
fields they stand in, and only those are read that a fold needs. What a reading says is defined where each is read by
itself (:func:`slots.gauges`, :func:`traffic.samples`): the first and the last one are, and must agree. Where digits
move in a field that nobody foresaw, there is no answer, and each reading is read by itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import add, neg
from typing import Any, Final

import msgspec

from kampungnet.devices.bodies import internet_up, wan_light
from kampungnet.measurement import marks, packing, slots, traffic
from kampungnet.measurement.boots import TimeQuality
from kampungnet.measurement.counters import Clock, Counters, Kind, Packets
from kampungnet.measurement.marks import Path, Unforeseen
from kampungnet.measurement.packing import Shared
from kampungnet.measurement.slots import Timed
from kampungnet.shared import wire

FEW: Final = 4
"""So few readings of a text cost less one by one."""
_READING: Final = msgspec.json.Decoder(wire.Reading)
_READ: Final = frozenset({
    "device_uptime_seconds", "body.cpu_load_percent", "body.hotspot_sessions", "body.pings.received",
    "body.pings.rtt_ms", "body.sensors.value", "body.temperature_celsius", "body.rx_power_dbm", "body.tx_power_dbm",
    "body.lights.rx_power_dbm", "body.lights.tx_power_dbm", "body.interfaces.rx_bytes", "body.interfaces.tx_bytes",
    "body.interfaces.rx_packets", "body.interfaces.tx_packets", "body.pppoe.uptime_seconds",
})  # fmt: skip
"""Fields whose digits may move and are read."""
_UNREAD: Final = frozenset({
    "sequence", "taken_at_ms", "boottime_ms", "duration_ms", "detail",
    "body.free_memory_bytes", "body.free_storage_bytes", "body.hotspot_hosts", "body.hotspot_users",
    "body.dhcp_leases", "body.dhcp_leases_known", "body.wireless_clients", "body.access_points",
    "body.voltage_volts", "body.bias_milliamperes", "body.lights.temperature_celsius", "body.lights.voltage_volts",
    "body.lights.bias_milliamperes", "body.interfaces.link_downs", "body.interfaces.last_link_down",
    "body.interfaces.rx_errors", "body.interfaces.tx_errors", "body.interfaces.rx_drops", "body.interfaces.tx_drops",
})  # fmt: skip
"""Fields whose digits may move, and no fold looks at them."""
_UNREAD_PARTS: Final = ("body.radios.", "body.queues.", "body.netwatch.", "body.lookups.", "body.hotspots.",
                        "body.radius.", "body.log.", "body.users.", "body.guests.")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """What readings of one text say, in order of time."""

    taken_ms: list[int]
    gauges: list[tuple[str, list[int]]]
    counters: dict[str, Counters]
    line: str
    """The interface that a router names as its line to the provider."""

    def edges(self) -> tuple[int, int]:
        """Return the first and the last place."""
        return 0, len(self.taken_ms) - 1


def told(shared: Shared) -> Told | None:
    """Return what readings of one text say; ``None`` where each has to be read by itself."""
    if not shared.length > FEW or len(shared.parts) > marks.MOST_RUNS or min(shared.quality) <= TimeQuality.UNKNOWN:
        return None
    try:
        found = _told(_Fields(shared))
    except (Unforeseen, OverflowError, *wire.UNREADABLE):  # numbers beyond every measure are read one by one, too
        return None
    return found


def _told(fields: "_Fields") -> Told:
    reading = fields.first
    body = reading.body
    if isinstance(body, wire.OltBody):
        raise Unforeseen
    found = Told(
        fields.shared.taken_ms, list(_gauges(fields, body)), dict(_counters(fields, reading)),
        body.wan_interface if isinstance(body, wire.RouterBody) else "",
    )  # fmt: skip
    for place in found.edges():
        timed = Timed(found.taken_ms[place], fields.reading(place))
        if sorted(slots.gauges(timed.reading)) != sorted((name, values[place]) for name, values in found.gauges):
            raise Unforeseen
        if traffic.samples([timed]) != {name: [one.sample(place)] for name, one in found.counters.items()}:
            raise Unforeseen
    return found


class _Fields:
    """The fields of readings of one text: of the first all, of the others the numbers that move."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self._digits = shared.first_digits()
        self.first = self._typed(self._digits)
        self._columns: dict[int, list[bytes]] = {}
        self._whole: dict[int, list[int]] = {}
        self._prefixed: dict[int, list[int]] = {}
        self._last: dict[int, int] = {}
        self._moving = marks.moving(shared)
        for path in self._moving:
            _foresee(".".join(one for one in path if isinstance(one, str)))

    def reading(self, place: int) -> wire.Reading:
        """Return a reading as far as it was read: what else moves is as in the first one."""
        digits = list(self._digits)
        for run, words in self._columns.items():
            digits[run] = words[place]
        for run, numbers in self._whole.items():
            digits[run] = b"%d" % numbers[place]
        for run, numbers in self._prefixed.items():
            digits[run] = str(numbers[place]).encode()[1:]
        if place == self.shared.length - 1:
            digits = [b"%d" % self._last[run] if run in self._last else old for run, old in enumerate(digits)]
        return self._typed(digits)

    def whole(self, still: int, *path: str | int) -> list[int]:
        """Return whole numbers at a path; ``still`` is that of the first reading."""
        text = self._moving.get(path)
        if text is None:
            return [still] * self.shared.length
        return self._numbers(self._run(text))

    def ends(self, still: int, *path: str | int) -> tuple[int, int]:
        """Return the first and the last of :meth:`whole`."""
        text = self._moving.get(path)
        if text is None:
            return still, still
        run = self._run(text)
        if run not in self._last:
            self._last[run] = self.shared.last(run)
        return still, self._last[run]

    def _run(self, text: str) -> int:
        mark = marks.MARK.fullmatch(text)
        if mark is None:
            raise Unforeseen
        return int(mark[1])

    def _numbers(self, run: int) -> list[int]:
        if run not in self._whole:
            self._whole[run] = self.shared.numbers(run)
        return self._whole[run]

    def thousandths(self, still: float, *path: str | int) -> list[int]:
        """Return numbers at a path in thousandths."""
        text = self._moving.get(path)
        if text is None:
            return [round(still * 1000)] * self.shared.length
        plain = marks.PLAIN.fullmatch(text)
        if plain:
            whole, fraction = int(plain[2]), int(plain[3])
            prefixed = self.shared.prefixed(fraction)
            if max(prefixed) < len(marks.THOUSANDTHS):
                self._prefixed[fraction] = prefixed
                parts = map(marks.THOUSANDTHS.__getitem__, prefixed)
                found = list(map(add, map((1000).__mul__, self._numbers(whole)), parts))
                return list(map(neg, found)) if plain[1] else found
        return [round(number * 1000) for number in marks.read(text, self._read)]

    def _read(self, run: int) -> list[bytes]:
        if run not in self._columns:
            self._columns[run] = self.shared.digits(run)
        return self._columns[run]

    def _typed(self, digits: Sequence[bytes]) -> wire.Reading:
        return _READING.decode(packing.filled(self.shared.parts, digits))


def _foresee(name: str) -> None:
    if name not in _READ and name not in _UNREAD and not name.startswith(_UNREAD_PARTS):
        raise Unforeseen


def _gauges(fields: _Fields, body: wire.Body | None) -> Iterator[tuple[str, list[int]]]:
    number = fields.shared.length
    yield "readings", [1] * number
    if body is None:
        yield "status", [slots.NO_ANSWER] * number
    elif isinstance(body, wire.RouterBody):
        yield from _router_gauges(fields, body)
    elif isinstance(body, wire.OntBody):
        yield "status", [slots.INTERNET_DOWN if body.no_light or body.link_up is False else slots.UP] * number
        yield from _light(fields, body, "body")
        if body.temperature_celsius is not None:
            yield "temperature_mc", fields.thousandths(body.temperature_celsius, "body", "temperature_celsius")
    else:
        yield "status", [slots.UP] * number
        if isinstance(body, wire.HostBody):
            yield from _latency(fields, body.pings, "device")


def _router_gauges(fields: _Fields, body: wire.RouterBody) -> Iterator[tuple[str, list[int]]]:
    status = [slots.UP] * fields.shared.length
    if internet_up(body) is not None:
        place = next(n for n, one in enumerate(body.pings) if one.target == "internet" and one.sent)
        received = fields.whole(body.pings[place].received, "body", "pings", place, "received")
        status = [slots.UP if number else slots.INTERNET_DOWN for number in received]
    yield "status", status
    yield from _latency(fields, body.pings, "internet")
    if body.hotspot_sessions is not None:
        yield "hotspot_sessions", fields.whole(body.hotspot_sessions, "body", "hotspot_sessions")
    if body.cpu_load_percent is not None:
        yield "cpu_percent", fields.whole(body.cpu_load_percent, "body", "cpu_load_percent")
    yield from _temperatures(fields, body.sensors)
    light = wan_light(body)
    for place, one in enumerate(body.lights):
        if one is light:
            yield from _light(fields, one, "body", "lights", place)


def _temperatures(fields: _Fields, sensors: Sequence[wire.Sensor]) -> Iterator[tuple[str, list[int]]]:
    for place, sensor in enumerate(sensors):
        if sensor.unit == "C":
            values = fields.thousandths(sensor.value, "body", "sensors", place, "value")
            if min(values) < slots.COLDEST_C * 1000 or max(values) > slots.HOTTEST_C * 1000:
                raise Unforeseen
            yield "temperature_mc", values


def _latency(fields: _Fields, pings: Sequence[wire.Ping], target: str) -> Iterator[tuple[str, list[int]]]:
    for place, one in enumerate(pings):
        if one.target == target and one.sent:
            if one.rtt_ms is not None:
                yield "latency_us", fields.thousandths(one.rtt_ms, "body", "pings", place, "rtt_ms")
            return


def _light(fields: _Fields, light: wire.OntBody | wire.Light, *path: str | int) -> Iterator[tuple[str, list[int]]]:
    if light.rx_power_dbm is not None:
        yield "rx_power_mdbm", fields.thousandths(light.rx_power_dbm, *path, "rx_power_dbm")
    if light.tx_power_dbm is not None:
        yield "tx_power_mdbm", fields.thousandths(light.tx_power_dbm, *path, "tx_power_dbm")


def _counters(fields: _Fields, reading: wire.Reading) -> Iterator[tuple[str, Counters]]:
    body, taken_ms, number = reading.body, fields.shared.taken_ms, fields.shared.length
    if body is None or isinstance(body, wire.OltBody | wire.PortalBody | wire.ConfigBody):
        return
    uptime: list[Any] = [None] * number
    if reading.device_uptime_seconds is not None:
        uptime = fields.whole(reading.device_uptime_seconds, "device_uptime_seconds")
    clock = Clock(taken_ms, uptime)
    worth = {id(one) for one in traffic.worth_slots(body)}
    names: set[str] = set()
    for place, one in enumerate(body.interfaces):
        if id(one) not in worth or one.rx_bytes is None or one.tx_bytes is None:
            continue
        if one.interface in names:
            raise Unforeseen
        names.add(one.interface)
        path = ("body", "interfaces", place)
        yield one.interface, Counters(
            clock, fields.whole(one.rx_bytes, *path, "rx_bytes"), fields.whole(one.tx_bytes, *path, "tx_bytes"),
            _dials(fields, body, one.interface),
            [Kind(*traffic.life_of(one), isinstance(body, wire.RouterBody))] * number,
            _Packets(fields, one, path),
        )  # fmt: skip


def _dials(fields: _Fields, body: wire.Body, interface: str) -> list[Any]:
    found: list[Any] = [None] * fields.shared.length
    for place, line in enumerate(body.pppoe if isinstance(body, wire.RouterBody) else ()):
        if line.name == interface:
            found = [None] * fields.shared.length
            if line.uptime_seconds is not None:
                found = fields.whole(line.uptime_seconds, "body", "pppoe", place, "uptime_seconds")
    return found


class _Packets(Sequence[Packets]):
    """Packets of one interface, read when they are asked for."""

    def __init__(self, fields: _Fields, one: wire.CounterReading, path: Path) -> None:
        self._fields, self._one, self._path = fields, one, path

    def __len__(self) -> int:
        return self._fields.shared.length

    def __getitem__(self, place: int) -> Packets:  # type: ignore[override]  # nobody asks for slices
        rx, tx = self._one.rx_packets, self._one.tx_packets
        if rx is None or tx is None:
            return None
        at_end = len(self) - 1
        if place in (0, at_end):  # nearly always those
            read, place = self._fields.ends, int(place == at_end)
            return read(rx, *self._path, "rx_packets")[place], read(tx, *self._path, "tx_packets")[place]
        whole = self._fields.whole
        return whole(rx, *self._path, "rx_packets")[place], whole(tx, *self._path, "tx_packets")[place]
