"""Pure: readings in, five-minute slots of gauges out. No database, no clock.

A series is named by its quantity; its unit is part of the name. Bytes are no gauge: what counters say is the
ledger's alone (:mod:`kampungnet.measurement.traffic`).

=========================  ==========================================================
``status``                 1 up, 2 internet down, 3 device does not answer
``latency_us``             mean round trip to the internet, or from the agent to a camera and the like, microseconds
``hotspot_sessions``       most devices logged in at once
``rx_power_mdbm``          lowest light received on the village's line, thousandths of dBm
``tx_power_mdbm``          lowest light sent
``olt_rx_power_mdbm``      lowest light of this ONU at its OLT
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

from kampungnet.devices.bodies import internet_up, onu_up, spelled, wan_light
from kampungnet.measurement import planes
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

OLDEST_LIGHT_SECONDS: Final = 7_200

UP: Final = 1
INTERNET_DOWN: Final = 2
NO_ANSWER: Final = 3

Slots = Mapping[int, int]
"""Slot start (ms since 1970, a multiple of five minutes) to value; an absent slot has no value."""

Gathered = defaultdict[str, defaultdict[int, list[int]]]
"""By series and slot: what each reading said."""


class Timed(msgspec.Struct, frozen=True, gc=False):
    """One reading with its repaired instant."""

    taken_ms: int
    reading: wire.Reading


def fold(readings: Iterable[Timed]) -> dict[str, dict[int, int]]:
    """Fold one device's readings, in any order and with repeats, into series of slots."""
    return combined(gathered(readings))


def gathered(readings: Iterable[Timed]) -> Gathered:
    """Gather what readings say by series and slot, in any order and with repeats."""
    once = {(t.taken_ms, t.reading.boot_id, t.reading.sequence): t for t in readings}
    found: Gathered = defaultdict(lambda: defaultdict(list))
    for timed in once.values():
        slot = timed.taken_ms - timed.taken_ms % SLOT_MS
        for name, value in gauges(timed.reading):
            found[name][slot].append(value)
    return found


def fold_onus(readings: Iterable[Timed], serials: Mapping[str, int]) -> dict[str, dict[str, dict[int, int]]]:
    """Fold an OLT's readings into the series of each of its ONUs, by serial number in its one spelling.

    ``serials`` names those that are wanted and the instant in ms from which their readings count.
    """
    found: dict[str, Gathered] = {}
    for timed in readings:
        if not isinstance(timed.reading.body, wire.OltBody):
            continue
        slot = timed.taken_ms - timed.taken_ms % SLOT_MS
        for onu in timed.reading.body.onus:
            serial = spelled(onu.serial)
            if timed.taken_ms < serials.get(serial, MOST):
                continue
            of_onu = found.setdefault(serial, defaultdict(lambda: defaultdict(list)))
            for name, value in _onu_gauges(onu):
                of_onu[name][slot].append(value)
    return {serial: combined(series) for serial, series in found.items()}


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


def gauges(reading: wire.Reading) -> Iterable[tuple[str, int]]:
    """Yield what one reading of anything but an ONU says, by the series it belongs to."""
    yield "readings", 1
    body = reading.body
    if body is None:
        yield "status", NO_ANSWER
    elif isinstance(body, wire.RouterBody):
        yield from _router_gauges(body)
    elif isinstance(body, wire.OntBody):
        yield "status", INTERNET_DOWN if body.no_light or body.link_up is False else UP
        yield from _light(body.rx_power_dbm, body.tx_power_dbm)
        if body.temperature_celsius is not None:
            yield "temperature_mc", round(body.temperature_celsius * 1000)
    else:
        yield "status", UP
        if isinstance(body, wire.HostBody):
            yield from _latency(body.pings, "device")


def _router_gauges(body: wire.RouterBody) -> Iterable[tuple[str, int]]:
    yield "status", INTERNET_DOWN if internet_up(body) is False else UP
    yield from _latency(body.pings, "internet")
    if body.hotspot_sessions is not None:
        yield "hotspot_sessions", body.hotspot_sessions
    if body.cpu_load_percent is not None:
        yield "cpu_percent", body.cpu_load_percent
    for sensor in body.sensors:
        if sensor.unit == "C" and COLDEST_C <= sensor.value <= HOTTEST_C:
            yield "temperature_mc", round(sensor.value * 1000)
    if light := wan_light(body):
        yield from _light(light.rx_power_dbm, light.tx_power_dbm)


def _latency(pings: Iterable[wire.Ping], target: str) -> Iterable[tuple[str, int]]:
    ping = next((ping for ping in pings if ping.target == target and ping.sent), None)
    if ping and ping.rtt_ms is not None:
        yield "latency_us", round(ping.rtt_ms * 1000)


def _light(received: float | None, sent: float | None) -> Iterable[tuple[str, int]]:
    if received is not None:
        yield "rx_power_mdbm", round(received * 1000)
    if sent is not None:
        yield "tx_power_mdbm", round(sent * 1000)


def _onu_gauges(onu: wire.Onu) -> Iterable[tuple[str, int]]:
    yield "readings", 1
    is_up = onu_up(onu.state)
    if is_up is not None:
        yield "status", UP if is_up else INTERNET_DOWN
    # Light is asked rarely and repeated until it is asked again; far too old, it says nothing of this slot.
    if (onu.light_age_seconds or 0) <= OLDEST_LIGHT_SECONDS:
        yield from _light(onu.rx_power_dbm, onu.tx_power_dbm)
        if onu.olt_rx_power_dbm is not None:
            yield "olt_rx_power_mdbm", round(onu.olt_rx_power_dbm * 1000)


def combined(found: Mapping[str, Mapping[int, list[int]]]) -> dict[str, dict[int, int]]:
    """Return one value for each slot of what was gathered."""
    done: dict[str, dict[int, int]] = {}
    for name, of_name in found.items():
        combine = _COMBINE.get(name, sum)
        done[name] = {slot: combine(values) for slot, values in of_name.items()}
    return done


def _mean(values: list[int]) -> int:
    return round(sum(values) / len(values))


_COMBINE: Final[Mapping[str, Callable[[list[int]], int]]] = {
    "status": min,  # one good poll in five minutes is service; issue "ledger" judges by evidence
    "latency_us": _mean,
    "cpu_percent": _mean,
    "hotspot_sessions": max,
    "temperature_mc": max,
    "rx_power_mdbm": min,
    "tx_power_mdbm": min,
    "olt_rx_power_mdbm": min,
}
