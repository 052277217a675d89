"""What the agents of a village would have read in the past, as lines of JSON.

The shape is the project's wire format (``kampungnet/shared/wire.py``), written here from its
schema and never imported: the simulator shares no code with the house, so that both cannot
be wrong in the same way. Values left out are the wire's defaults.
"""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context

import msgspec

from kampungnet_sim.chance import generator, unit
from kampungnet_sim.register import RegisteredVillage
from kampungnet_sim.routeros_menus_ip import GATEWAY
from kampungnet_sim.routeros_menus_wireless import has_wifi, has_wireless
from kampungnet_sim.village import NO_LIGHT_DBM, Village, VillageState, draw_profile
from kampungnet_sim.village_events import EventKind
from kampungnet_sim.village_features import NO_WISH, Wish
from kampungnet_sim.village_interfaces import InterfaceCounters

Json = dict[str, object]

# A small board needs about this long from electricity to its first poll, seconds.
BOX_START_SECONDS = 35.0
INTERNET_ADDRESS = "1.1.1.1"
# The router and the ONT.
DEVICES = 2
_DARK_BOX = frozenset({EventKind.POWER_CUT, EventKind.BOX_OFF})
_TIMEOUT_MS = 10_000
# How SNMP's ifType reads in words, against RouterOS' own words for a kind of port.
_ONT_KINDS = {"ether": "ethernet", "pon": "gpon", "l2tp-out": "ifType 23", "wifi": "wlan"}


@dataclass(frozen=True, slots=True)
class Span:
    """Which past is wanted: Unix seconds, one poll of each device every ``step`` seconds."""

    start: float
    end: float
    step: int


class Past:
    """The readings of one village's agent, in order of time."""

    def __init__(self, village: Village) -> None:
        self._village = village
        self._code, self._seed = village.profile.code, village.profile.seed
        self._sequence = 0
        self._box: tuple[float, str] = (-1.0, "")
        self._gateway_known = False
        """The agent pings the gateway it knows from its last look, also when the route to it has just gone."""

    def lines(self, span: Span) -> Iterator[str]:
        """One JSON object a line: ``{"village": code, "reading": {...}}``."""
        # Agents spread their polls over the interval.
        when = self.first_poll(span)
        head = f'{{"village":{json.dumps(self._code)},"reading":'
        while when < span.end:
            for reading, ports in self._readings(when):
                yield f"{head}{_with_ports(reading, ports)}}}"
            when += span.step

    def first_poll(self, span: Span) -> float:
        """When the village's box polls first in a span."""
        return span.start + unit(self._seed, hash_of(self._code)) * min(span.step, 60)

    def polls_at(self, when: float) -> bool:
        """Has the box electricity, and has it started? In a power cut it is as dark as the devices."""
        segment = self._village.calendar.segment(when)
        return not segment.kinds & _DARK_BOX and when >= segment.box_back + BOX_START_SECONDS

    def poll(self, when: float) -> list[str]:
        """The readings of one poll, as JSON."""
        return [_with_ports(reading, ports) for reading, ports in self._readings(when)]

    def skip(self, polls: int) -> None:
        """Number on as if so many polls had been made."""
        self._sequence += DEVICES * polls

    def _readings(self, when: float) -> Iterator[tuple[Json, list[str]]]:
        if not self.polls_at(when):
            return
        state = self._village.state_at(when)
        yield self._router(state, when), [_router_port(p) for p in state.interfaces]
        ports = [_ont_port(p) for p in state.ont_interfaces]
        yield self._ont(state, when + 1.2), ports

    # -- parts every reading has --------------------------------------------------------

    def _head(self, device: str, when: float, duration_ms: int) -> Json:
        box_back = self._village.calendar.segment(when).box_back
        if self._box[0] != box_back:
            bits = generator(self._seed, self._code, "box", box_back).getrandbits(128)
            self._gateway_known = False
            self._box = (box_back, str(uuid.UUID(int=bits, version=4)))
        self._sequence += 1
        return {
            "boot_id": self._box[1],
            "sequence": self._sequence,
            "device": device,
            "taken_at_ms": round(when * 1000),
            "boottime_ms": round((when - box_back) * 1000),
            "outcome": "ok",
            "duration_ms": duration_ms,
        }

    def _failed(self, device: str, when: float, detail: str, duration_ms: int) -> Json:
        reading = self._head(device, when, duration_ms)
        reading["outcome"] = "unreachable"
        reading["detail"] = detail
        return reading

    # -- router -------------------------------------------------------------------------

    def _router(self, state: VillageState, when: float) -> Json:
        if not state.router_up:
            return self._failed("router", when, "connection refused", 3)
        if not state.router_answers:
            return self._failed("router", when, "no answer within 10 s", _TIMEOUT_MS)
        reading = self._head("router", when, 12 + state.cpu_load_percent // 4)
        reading["device_uptime_seconds"] = state.uptime_seconds
        profile = self._village.profile
        router = profile.router
        missing = []
        if profile.ros.major < 7 and not router.sensors:
            missing.append("health: no such command prefix")
        body: Json = {
            "kind": "router",
            "identity": f"Desa {profile.name}",
            "board": router.board_name,
            "model": router.model,
            "serial": profile.router_serial,
            "version": profile.version,
            "cpu_load_percent": state.cpu_load_percent,
            "free_memory_bytes": state.free_memory_bytes,
            "total_memory_bytes": router.memory_bytes,
            "free_storage_bytes": state.free_storage_bytes,
            "total_storage_bytes": router.disk_bytes,
            "wan_interface": router.wan_interface,
            "gateway": GATEWAY if state.line_up else "",
            "pings": _pings(state, whole=profile.ros.major < 7, gateway=state.line_up or self._gateway_known),
            "hotspot_sessions": state.hotspot_active,
            "hotspot_hosts": state.hotspot_hosts,
            "dhcp_leases": state.dhcp_leases,
        }
        sensors = _sensors(state, router.sensors)
        if sensors:
            body["sensors"] = sensors
        if has_wifi(profile) or has_wireless(profile):
            body["wireless_clients"] = state.wireless_clients
        if missing:
            body["missing"] = missing
        self._gateway_known = state.line_up
        reading["body"] = body
        return reading

    # -- ONT ----------------------------------------------------------------------------

    def _ont(self, state: VillageState, when: float) -> Json:
        profile = self._village.profile
        kind = profile.ont.kind
        silent = kind == "silent" or (kind == "sfp-mikrotik" and not state.router_answers)
        if silent or not state.ont_up:
            return self._failed("ont", when, "no answer within 6 s", 6_000)
        reading = self._head("ont", when, 9)
        reading["device_uptime_seconds"] = state.ont_uptime_seconds
        body: Json = {
            "kind": "ont",
            "model": profile.ont.sys_descr,
            "link_up": state.fibre_up,
        }
        if kind == "sfp-mikrotik":
            body["serial"] = profile.router_serial
            body["version"] = profile.version.split(" ", 1)[0]
            body["voltage_volts"] = state.ont_voltage_volts
            body["bias_milliamperes"] = float(round(state.ont_bias_milliamperes))
            body["temperature_celsius"] = float(round(state.ont_temperature_celsius))
        elif kind == "hsgq":
            body["temperature_celsius"] = state.ont_temperature_celsius
        _put_light(body, state, kind)
        reading["body"] = body
        return reading


_NO_ERRORS = ',"rx_errors":0,"tx_errors":0,"rx_drops":0,"tx_drops":0'


def _with_ports(reading: Json, ports: list[str]) -> str:
    text = msgspec.json.encode(reading).decode()
    # The body stands last, so the text ends with its brace and the reading's.
    return f'{text[:-2]},"interfaces":[{",".join(ports)}]}}}}' if "body" in reading else text


def hash_of(code: str) -> int:
    """The digits of a village code as one number."""
    return int("".join(c for c in code if c.isdecimal()) or "0")


def _put_light(body: Json, state: VillageState, kind: str) -> None:
    if kind == "plain":
        body["missing"] = ["light level: this device gives none over SNMP"]
    elif state.rx_power_dbm <= NO_LIGHT_DBM:
        body["no_light"] = True
    else:
        body["rx_power_dbm"] = state.rx_power_dbm
        if state.tx_power_dbm is not None:
            body["tx_power_dbm"] = state.tx_power_dbm


def _port(port: InterfaceCounters, kind: str, more: str) -> str:
    """One port as JSON. Names are plain words, so no escaping: this is most of a month's work."""
    return (
        f'{{"interface":"{port.name}","kind":"{kind}","running":{"true" if port.running else "false"}'
        f',"rx_bytes":{port.rx_bytes},"tx_bytes":{port.tx_bytes}'
        f',"rx_packets":{port.rx_packets},"tx_packets":{port.tx_packets}{more}}}'
    )


def _router_port(port: InterfaceCounters) -> str:
    errors = _NO_ERRORS if port.kind == "ether" else ""
    return _port(port, port.kind, f',"link_downs":{port.link_downs}{errors}')


def _ont_port(port: InterfaceCounters) -> str:
    # IF-MIB counts errors on every port and changes of the link on none.
    return _port(port, _ONT_KINDS.get(port.kind, port.kind), _NO_ERRORS)


def _sensors(state: VillageState, names: tuple[str, ...]) -> list[Json]:
    known: dict[str, tuple[float, str]] = {
        "voltage": (state.voltage_volts, "V"),
        "temperature": (float(state.temperature_celsius), "C"),
        "cpu-temperature": (float(state.temperature_celsius + 9), "C"),
    }
    return [{"name": n, "value": known[n][0], "unit": known[n][1]} for n in names]


def _pings(state: VillageState, *, whole: bool, gateway: bool) -> list[Json]:
    found: list[Json] = []
    lost = state.packet_loss_percent >= 50
    trips = (("gateway", GATEWAY, state.gateway_ping_ms), ("internet", INTERNET_ADDRESS, state.internet_ping_ms))
    for target, address, trip in trips:
        if target == "gateway" and not gateway:
            # Without a carrier there is no default route and so no gateway to ping.
            continue
        row: Json = {"target": target, "address": address, "sent": 1, "received": 0}
        if trip is not None and not (lost and target == "internet"):
            # Version 6 prints whole milliseconds.
            row["received"], row["rtt_ms"] = 1, float(int(trip)) if whole else trip
        found.append(row)
    return found


def _all_lines(job: tuple[RegisteredVillage, int, Wish, Span]) -> str:
    found, seed, wish, span = job
    return "\n".join(Past(Village(draw_profile(found.code, found.name, seed, wish=wish))).lines(span))


def history(
    villages: list[RegisteredVillage], seed: int, span: Span, *, workers: int, wish: Wish = NO_WISH
) -> Iterator[str]:
    """The lines of all villages, village by village, each in order of time."""
    jobs = [(found, seed, wish, span) for found in villages]
    if workers < 2 or len(jobs) < 2:
        for job in jobs:
            yield _all_lines(job)
        return
    with get_context("fork").Pool(workers) as pool:
        yield from pool.imap(_all_lines, jobs)
