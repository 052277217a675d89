"""Pure: readings in, five-minute slots out. No database, no clock.

A series is named ``quantity`` or ``quantity/interface``; its unit is part of the name:

=========================  ==========================================================
``status``                 1 up, 2 internet down, 3 device does not answer
``rx_bytes/IF``            bytes received by interface IF (WAN, bridges, all of an ONT) within the slot
``tx_bytes/IF``            bytes sent
``latency_us``             mean round trip to the internet, microseconds
``hotspot_sessions``       most devices logged in at once
``rx_power_mdbm``          lowest light received, thousandths of dBm
``cpu_percent``            mean processor load
``temperature_mc``         highest temperature, thousandths of a degree Celsius
``readings``               readings that fell into the slot: what coverage counts
=========================  ==========================================================
"""

import zlib
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from kampungnet.measurement import planes
from kampungnet.measurement.counters import growth
from kampungnet.shared import wire

SLOT_SECONDS: Final = 300
SLOT_MS: Final = SLOT_SECONDS * 1000
SLOTS_A_DAY: Final = 288
ABSENT: Final = -(2**63)
MOST: Final = 2**63 - 1
"""The largest number a slot holds; only a box that lies gets there."""

COLDEST_C: Final = -60
HOTTEST_C: Final = 200
"""A sensor that says more or less is broken; its number might not even fit into a slot."""

UP: Final = 1
INTERNET_DOWN: Final = 2
NO_ANSWER: Final = 3

Slots = Mapping[int, int]
"""Slot start (ms since 1970, a multiple of five minutes) to value; an absent slot has no value."""


class Timed(msgspec.Struct, frozen=True, gc=False):
    """One reading with its repaired instant."""

    taken_ms: int
    reading: wire.Reading


def fold(readings: Iterable[Timed], before: Timed | None = None) -> dict[str, dict[int, int]]:
    """Fold one device's readings, in any order and with repeats, into series of slots.

    ``before`` is a good reading known from elsewhere, so that the counters after it have something to
    grow from; it adds nothing of its own. The same readings give the same slots in any order.
    """
    ordered = sorted({(t.taken_ms, t.reading.boot_id, t.reading.sequence): t for t in readings}.items())
    gathered: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    last: Timed | None = None
    for _, timed in ordered:
        if before and before.taken_ms <= timed.taken_ms and (last is None or last.taken_ms < before.taken_ms):
            last = before
        slot = timed.taken_ms - timed.taken_ms % SLOT_MS
        for name, value in _gauges(timed.reading):
            gathered[name][slot].append(value)
        if timed.reading.body is not None:
            for name, value in _traffic(last, timed):
                gathered[name][slot].append(value)
            last = timed
    return {name: {slot: _combine(name)(values) for slot, values in slots.items()} for name, slots in gathered.items()}


def merge(old: Mapping[str, Slots], new: Mapping[str, Slots]) -> dict[str, dict[int, int]]:
    """Lay ``new`` slots over ``old`` ones: a slot that stands in both is taken from ``new``."""
    return {name: {**old.get(name, {}), **new.get(name, {})} for name in {*old, *new}}


def pack(slots: Slots, day_start_ms: int) -> bytes:
    """Pack the slots that fall into the day starting at ``day_start_ms`` into a few hundred bytes."""
    values = array("q", [ABSENT]) * SLOTS_A_DAY
    for slot, value in slots.items():
        place = (slot - day_start_ms) // SLOT_MS
        if 0 <= place < SLOTS_A_DAY:
            values[place] = min(value, MOST)
    return zlib.compress(planes.split(values.tobytes()), 9)


def unpack(packed: bytes, day_start_ms: int) -> dict[int, int]:
    """Return the slots that :func:`pack` was given. Raises ``zlib.error`` or ``ValueError`` on foreign bytes."""
    values = array("q")
    values.frombytes(planes.join(zlib.decompress(packed)))
    return {day_start_ms + place * SLOT_MS: value for place, value in enumerate(values) if value != ABSENT}


def _gauges(reading: wire.Reading) -> Iterable[tuple[str, int]]:
    yield "readings", 1
    body = reading.body
    if body is None:
        yield "status", NO_ANSWER
    elif isinstance(body, wire.RouterBody):
        yield from _router_gauges(body)
    elif isinstance(body, wire.OntBody):
        yield "status", INTERNET_DOWN if body.no_light or body.link_up is False else UP
        if body.rx_power_dbm is not None:
            yield "rx_power_mdbm", round(body.rx_power_dbm * 1000)
        if body.temperature_celsius is not None:
            yield "temperature_mc", round(body.temperature_celsius * 1000)
    else:
        yield "status", UP


def _router_gauges(body: wire.RouterBody) -> Iterable[tuple[str, int]]:
    internet = next((ping for ping in body.pings if ping.target == "internet" and ping.sent), None)
    yield "status", INTERNET_DOWN if internet and not internet.received else UP
    if internet and internet.rtt_ms is not None:
        yield "latency_us", round(internet.rtt_ms * 1000)
    if body.hotspot_sessions is not None:
        yield "hotspot_sessions", body.hotspot_sessions
    if body.cpu_load_percent is not None:
        yield "cpu_percent", body.cpu_load_percent
    for sensor in body.sensors:
        if sensor.unit == "C" and COLDEST_C <= sensor.value <= HOTTEST_C:
            yield "temperature_mc", round(sensor.value * 1000)


def _traffic(last: Timed | None, now: Timed) -> Iterable[tuple[str, int]]:
    """Yield what each interface moved since the last good reading, in both directions."""
    if last is None:
        return
    elapsed_ms = now.taken_ms - last.taken_ms
    earlier = _counters(last.reading.body)
    for name, counter in _counters(now.reading.body).items():
        old = earlier.get(name)
        if old is None:
            continue
        received = growth(old.rx_bytes, counter.rx_bytes, elapsed_ms)
        if received is not None:
            yield f"rx_bytes/{name}", received
        sent = growth(old.tx_bytes, counter.tx_bytes, elapsed_ms)
        if sent is not None:
            yield f"tx_bytes/{name}", sent


def _counters(body: wire.Body | None) -> dict[str, wire.CounterReading]:
    """Return the counters worth slots: of a router whose WAN port is named, that one and the bridges.

    What the village buys and whom it serves is in those; the other ports rest in the packed readings. All of
    them would double what a year takes on disk.
    """
    if body is None:
        return {}
    wan = body.wan_interface if isinstance(body, wire.RouterBody) else ""
    wanted = [one for one in body.interfaces if not wan or one.interface == wan or one.kind == "bridge"]
    return {counter.interface: counter for counter in wanted}


def _mean(values: list[int]) -> int:
    return round(sum(values) / len(values))


_COMBINE: Final[Mapping[str, Callable[[list[int]], int]]] = {
    "status": min,  # one good poll in five minutes is service; issue "ledger" judges by evidence
    "latency_us": _mean,
    "cpu_percent": _mean,
    "hotspot_sessions": max,
    "temperature_mc": max,
    "rx_power_mdbm": min,
}


def _combine(series: str) -> Callable[[list[int]], int]:
    return _COMBINE.get(series, sum)
