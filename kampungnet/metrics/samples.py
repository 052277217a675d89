"""The one mapping of a device's reading to samples, for the live page and for what is pushed with its own time.

Labels are codes and the names that devices carry; names of people, MAC, addresses and vouchers never are
(facts: operations 2.3).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from kampungnet.devices.bodies import Body, OnuSeen, model_of, onu_up, version_of, wan_light
from kampungnet.shared import wire

SERIES_A_VILLAGE: Final = 60
MAX_INTERFACES: Final = 6
"""Interfaces shown of one village: the WAN interface always, then those that carry something, as the room allows."""
PINGED: Final = ("gateway", "internet", "device")
DYNAMIC: Final = "<"
"""RouterOS names what it makes for one caller `<pppoe-NAME>`: a person's name is no label."""

Labels = dict[str, str]
Port = tuple[Labels, wire.CounterReading]
"""One interface with the labels of its device."""


class Sink(Protocol):
    """What takes samples. A value of ``None`` is not known and makes none."""

    def gauge(self, name: str, labels: Labels, value: float | None) -> None:
        """Take a value that goes up and down."""

    def counter(self, name: str, labels: Labels, value: float | None) -> None:
        """Take a cumulative value exactly as the device gave it; the name has no ``_total`` yet."""

    def info(self, name: str, labels: Labels, facts: Labels) -> None:
        """Take a constant 1 with facts as labels; the name has no ``_info`` yet."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One poll of one device, apart from its body."""

    kind: str
    outcome: str
    uptime_seconds: int | None


def read_at(out: Sink, labels: Labels, taken_ms: int) -> None:
    """Add when the reading was taken: the one thing that still stands of a device that has gone silent."""
    out.gauge("kampungnet_device_last_reading_timestamp_seconds", labels, taken_ms / 1000)


def of_device(out: Sink, labels: Labels, seen: Seen, body: Body | None) -> None:
    """Add all that one reading says, except interfaces: a village has room for some of them only."""
    out.gauge("kampungnet_device_up", labels, float(seen.outcome == wire.Outcome.OK))
    if body is not None:
        _answered(out, labels, seen, body)


def of_interfaces(out: Sink, ports: Iterable[Port]) -> None:
    """Add what interfaces carried."""
    for labels, counter in ports:
        own = labels | {"interface": counter.interface}
        out.counter("kampungnet_interface_receive_bytes", own, counter.rx_bytes)
        out.counter("kampungnet_interface_transmit_bytes", own, counter.tx_bytes)


def _answered(out: Sink, labels: Labels, seen: Seen, body: Body) -> None:
    """Add one device that answered."""
    out.gauge("kampungnet_device_uptime_seconds", labels, seen.uptime_seconds)
    out.info("kampungnet_device", labels, {"kind": seen.kind, "model": model_of(body), "version": version_of(body)})
    if isinstance(body, wire.RouterBody):
        _router(out, labels, body)
    elif isinstance(body, wire.OntBody):
        _ont(out, labels, body)
    elif isinstance(body, OnuSeen):
        _onu(out, labels, body.onu)
    elif isinstance(body, wire.HostBody):
        _pings(out, labels, body.pings)
        out.gauge("kampungnet_wireless_clients", labels, body.wireless_clients)
    elif isinstance(body, wire.PortalBody):
        out.gauge("kampungnet_hotspot_usable", labels, _usable(body))


def _usable(body: wire.PortalBody) -> float | None:
    """Say whether a citizen can get online: every step of the box's own check is good."""
    if body.running is False:
        return 0.0
    return float(all(step.good for step in body.check)) if body.check else None


def _router(out: Sink, labels: Labels, body: wire.RouterBody) -> None:
    ratio = None if body.cpu_load_percent is None else body.cpu_load_percent / 100
    out.gauge("kampungnet_router_cpu_load_ratio", labels, ratio)
    out.gauge("kampungnet_router_free_memory_bytes", labels, body.free_memory_bytes)
    out.gauge("kampungnet_router_free_storage_bytes", labels, body.free_storage_bytes)
    out.gauge("kampungnet_router_storage_bytes", labels, body.total_storage_bytes)
    temperature = max((sensor.value for sensor in body.sensors if sensor.unit == "C"), default=None)
    out.gauge("kampungnet_device_temperature_celsius", labels, temperature)
    out.gauge("kampungnet_hotspot_sessions", labels, body.hotspot_sessions)
    out.gauge("kampungnet_hotspot_hosts", labels, body.hotspot_hosts)
    out.gauge("kampungnet_dhcp_leases", labels, body.dhcp_leases)
    out.gauge("kampungnet_wireless_clients", labels, body.wireless_clients)
    _pings(out, labels, body.pings)
    if light := wan_light(body):
        _light(out, labels, light)


def _pings(out: Sink, labels: Labels, pings: Iterable[wire.Ping]) -> None:
    for ping in pings:
        if ping.target not in PINGED or not ping.sent:
            continue
        own = labels | {"target": ping.target}
        out.gauge("kampungnet_ping_up", own, (ping.received > 0) * 1.0)
        rtt = None if ping.rtt_ms is None else ping.rtt_ms / 1000
        out.gauge("kampungnet_ping_rtt_seconds", own, rtt)


def _ont(out: Sink, labels: Labels, body: wire.OntBody) -> None:
    _light(out, labels, body)
    out.gauge("kampungnet_device_temperature_celsius", labels, body.temperature_celsius)


def _onu(out: Sink, labels: Labels, onu: wire.Onu) -> None:
    up = onu_up(onu.state)
    out.gauge("kampungnet_onu_up", labels, None if up is None else float(up))
    cause = onu.last_down_cause.value if onu.last_down_cause else ""
    out.info("kampungnet_onu", labels, {"state": onu.state.value, "last_down_cause": cause})
    _light(out, labels, onu)
    out.gauge("kampungnet_onu_olt_rx_power_dbm", labels, onu.olt_rx_power_dbm)


def _light(out: Sink, labels: Labels, light: wire.Light | wire.OntBody | wire.Onu) -> None:
    out.gauge("kampungnet_ont_rx_power_dbm", labels, light.rx_power_dbm)
    out.gauge("kampungnet_ont_tx_power_dbm", labels, light.tx_power_dbm)
    out.gauge("kampungnet_ont_no_light", labels, float(light.no_light))


def shown(body: Body) -> list[wire.CounterReading]:
    """Return the interfaces worth a series, the WAN interface first."""
    if isinstance(body, wire.OltBody | OnuSeen | wire.PortalBody | wire.ConfigBody):  # no ports of the village
        return []
    wan = body.wan_interface if isinstance(body, wire.RouterBody) else ""
    lasting = [one for one in body.interfaces if one.interface == wan or _lasts(one)]
    return sorted(lasting, key=lambda one: (one.interface != wan, not one.running))


def _lasts(one: wire.CounterReading) -> bool:
    """Tell whether an interface is there tomorrow, and anything is or was plugged in: an empty port is no series."""
    return not one.interface.startswith(DYNAMIC) and bool(one.running or one.rx_bytes or one.tx_bytes)
