"""Pure: what one poll says about a village's service, as a handful of bits.

Two polls that say the same have the same sight, so a quiet month is a few stretches and not 43,200 minutes.
Levels are judged here ("far below its own past") and not kept: weather moves them by tenths.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from statistics import median
from typing import Final

from kampungnet.devices.bodies import spelled, wan_light
from kampungnet.measurement.light import B_PLUS
from kampungnet.measurement.slots import Timed
from kampungnet.shared import wire

DIM_DB: Final = 3.0
"""So much below its own median a light is "far below baseline": a module repeats to tenths, a bend costs 2 dB or
more (facts on ONTs 12.4), and a line of class B+ has some to spare (setting: the caller passes the levels)."""
TOO_WEAK_DBM: Final = B_PLUS.weakest_dbm
"""Without a past: weaker than its receiver needs is "far below" whatever it was before."""
LONGEST_UPTIME_SECONDS: Final = 30 * 366 * 86_400
"""A device that claims more says nothing."""

_BEYOND: Final = frozenset({"internet", "internet2", "server"})
_PORT_KIND: Final = "ether"
_NO_SIGNAL: Final = frozenset({"O1", "O6"})
_KNOCKING: Final = frozenset({"O2", "O3", "O4", "O7"})
"""G.984.3: waiting for light (O1) or having lost it (O6); seen but not at work (O2 to O4), stopped by the OLT (O7)."""


class Seen:
    """The bits of a sight. An absent bit is "not known", never "no"."""

    ANSWERS: Final = 1 << 0
    ALIVE: Final = 1 << 1
    """It answered, but refused our login or could not be read: it tells nothing else."""
    SILENT: Final = 1 << 2
    UPTIME: Final = 1 << 3
    """It told its uptime, so a restart can be seen."""
    INTERNET: Final = 1 << 4
    NO_INTERNET: Final = 1 << 5
    GATEWAY: Final = 1 << 6
    NO_GATEWAY: Final = 1 << 7
    LINK: Final = 1 << 8
    NO_LINK: Final = 1 << 9
    """Router: no carrier at the WAN port. ONT: its fibre link is not up."""
    PORT_OFF: Final = 1 << 10
    """Somebody disabled the router's WAN port."""
    LIGHT: Final = 1 << 11
    DIM: Final = 1 << 12
    DARK: Final = 1 << 13
    BARRED: Final = 1 << 14
    """Light is there, but the provider's OLT does not let the ONT in."""
    ONLINE: Final = 1 << 15
    GASP: Final = 1 << 16
    LOS: Final = 1 << 17
    OFFLINE: Final = 1 << 18
    """These four from the OLT."""


ONU_DOWN: Final = Seen.GASP | Seen.LOS | Seen.OFFLINE | Seen.BARRED

_BITS_OF_ONU: Final = {
    wire.OnuState.ONLINE: Seen.ONLINE,
    wire.OnuState.DYING_GASP: Seen.GASP,
    wire.OnuState.LOS: Seen.LOS,
    wire.OnuState.OFFLINE: Seen.OFFLINE,
    wire.OnuState.REGISTERING: Seen.BARRED,
    wire.OnuState.REFUSED: Seen.BARRED,
    wire.OnuState.DISABLED: Seen.BARRED,
}


def sight_of(reading: wire.Reading, dim_below_dbm: float = TOO_WEAK_DBM) -> int:
    """Return the sight of one poll of a router, an ONT or anything else a box polls."""
    body = reading.body
    if body is None:
        return Seen.SILENT if reading.outcome is wire.Outcome.UNREACHABLE else Seen.ALIVE
    sight = Seen.ANSWERS if uptime_of(reading) is None else Seen.ANSWERS | Seen.UPTIME
    if isinstance(body, wire.RouterBody):
        return sight | _router(body, dim_below_dbm)
    if isinstance(body, wire.OntBody):
        return sight | _ont(body, dim_below_dbm)
    return sight


def sight_of_onu(onu: wire.Onu) -> int:
    """Return what an OLT says of one ONU now; 0 when it does not know. Its "last down cause" is history."""
    return _BITS_OF_ONU.get(onu.state, 0)


def uptime_of(reading: wire.Reading) -> int | None:
    """Return the device's uptime in seconds, if it told one that can be."""
    told = reading.device_uptime_seconds
    return told if told is not None and told <= LONGEST_UPTIME_SECONDS else None


def dim_levels(readings: Iterable[Timed], drop_db: float = DIM_DB) -> dict[str, float]:
    """Return, by device, the level in dBm below which its light is far below its own past (median of the readings).

    Never below what a receiver needs: a light that fell for weeks drags its own median down.
    """
    levels: dict[str, list[float]] = defaultdict(list)
    for timed in readings:
        body = timed.reading.body
        light = wan_light(body) if isinstance(body, wire.RouterBody) and body.lights else body
        if isinstance(light, wire.OntBody | wire.Light) and light.rx_power_dbm is not None:
            levels[timed.reading.device].append(light.rx_power_dbm)
    return {device: max(TOO_WEAK_DBM, median(found) - drop_db) for device, found in levels.items()}


def onu_sights(readings: Iterable[Timed], serial: str) -> list[tuple[int, int]]:
    """Return (instant in ms, sight) of one ONU, by its serial number in its one spelling, from an OLT's readings.

    An OLT that does not answer, or does not name the ONU, says nothing about it.
    """
    return looks_at_onus(readings, {serial: 0}).get(serial, [])


def looks_at_onus(readings: Iterable[Timed], since_ms: Mapping[str, int]) -> dict[str, list[tuple[int, int]]]:
    """Return the same for many ONUs: by serial number, each from the instant on that ``since_ms`` names."""
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for timed in readings:
        if not isinstance(timed.reading.body, wire.OltBody):
            continue
        for onu in timed.reading.body.onus:
            serial, sight = spelled(onu.serial), sight_of_onu(onu)
            if sight and serial in since_ms and timed.taken_ms >= since_ms[serial]:
                found[serial].append((timed.taken_ms, sight))
    return dict(found)


def merge_levels(known: Mapping[str, float], new: Mapping[str, float]) -> dict[str, float]:
    """Return the levels to judge by: those known from a longer past before those of the readings at hand."""
    return {**new, **known}


def _router(body: wire.RouterBody, dim_below_dbm: float) -> int:
    sight = _pings(body.pings) | _wan_port(body)
    if body.lights and (light := wan_light(body)):
        sight |= _light(light.rx_power_dbm, dim_below_dbm, dark=light.no_light)
    return sight


def _pings(pings: Iterable[wire.Ping]) -> int:
    """One answer from anywhere beyond the gateway is internet: a single far end may be down by itself."""
    sight = 0
    for ping in pings:
        if not ping.sent:
            continue
        if ping.target in _BEYOND:
            sight |= Seen.INTERNET if ping.received else Seen.NO_INTERNET
        elif ping.target == "gateway":
            sight |= Seen.GATEWAY if ping.received else Seen.NO_GATEWAY
    return sight & ~Seen.NO_INTERNET if sight & Seen.INTERNET else sight


def _wan_port(body: wire.RouterBody) -> int:
    """A PPPoE client that is not running is a line not dialled, no cable: only a port has a carrier."""
    wan = body.wan_interface or body.default_interface
    for one in body.interfaces if wan else ():
        if one.interface == wan and one.kind == _PORT_KIND:
            if one.disabled:
                return Seen.PORT_OFF
            return 0 if one.running is None else Seen.LINK if one.running else Seen.NO_LINK
    return 0


def _ont(body: wire.OntBody, dim_below_dbm: float) -> int:
    sight = 0 if body.link_up is None else Seen.LINK if body.link_up else Seen.NO_LINK
    state = body.registration.upper()
    lost = state in _NO_SIGNAL and body.rx_power_dbm is None
    sight |= _light(body.rx_power_dbm, dim_below_dbm, dark=body.no_light or lost)
    return sight | Seen.BARRED if state in _KNOCKING else sight


def _light(received_dbm: float | None, dim_below_dbm: float, *, dark: bool) -> int:
    if dark:
        return Seen.DARK
    if received_dbm is None:
        return 0
    return Seen.DIM if received_dbm < dim_below_dbm else Seen.LIGHT
