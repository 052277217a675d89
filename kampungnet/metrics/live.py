"""Live state for Prometheus, asked for at scrape time. The only place that knows the word Sample.

A device that was not heard of for five minutes is absent, never flat. Labels are codes; names stand
in ``…_info`` only. No MAC, address or voucher ever becomes a label (facts: operations 2.3).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.tally import Tally
from kampungnet.devices import service as devices
from kampungnet.devices.bodies import Body, OnuSeen, model_of, onu_up, version_of, wan_light
from kampungnet.devices.models import Agent, Device
from kampungnet.devices.service import VillageState
from kampungnet.devices.status import SILENT_AFTER_MS
from kampungnet.shared import wire
from kampungnet.villages import service as villages

SERIES_A_VILLAGE: Final = 60
MAX_INTERFACES: Final = 13
"""Interfaces shown of one village: the WAN interface always, then those that carry something, as the room allows."""
PINGED: Final = ("gateway", "internet", "device")
DYNAMIC: Final = "<"
"""RouterOS names what it makes for one caller `<pppoe-NAME>`: a person's name is no label."""

CLIENTS: Final = "Devices on a router's or an access point's radios."

Labels = dict[str, str]
Family = TypeVar("Family", CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily)


class Page:
    """The families of one scrape, made on first use, so that each is described once."""

    def __init__(self) -> None:
        self._gauges: dict[str, GaugeMetricFamily] = {}
        self._counters: dict[str, CounterMetricFamily] = {}
        self._infos: dict[str, InfoMetricFamily] = {}
        self._room = 0
        self._shown: set[tuple[str, ...]] = set()

    def next_village(self, room: int = SERIES_A_VILLAGE) -> None:
        """Give the next village its room: what a lying box says beyond it, or twice, is left out."""
        self._room = room
        self._shown.clear()

    def _has_room(self, name: str, labels: Labels) -> bool:
        series = (name, *labels.values())
        if series in self._shown or len(self._shown) >= self._room:
            return False
        self._shown.add(series)
        return True

    def gauge(self, name: str, help_text: str, labels: Labels, value: float | None) -> None:
        """Add one sample, unless nothing is known."""
        if value is not None and self._has_room(name, labels):
            family = _family(self._gauges, GaugeMetricFamily, name, help_text, labels)
            family.add_metric(list(labels.values()), value)

    def counter(self, name: str, help_text: str, labels: Labels, value: float | None) -> None:
        """Add one cumulative value exactly as the device gave it."""
        if value is not None and self._has_room(name, labels):
            family = _family(self._counters, CounterMetricFamily, name, help_text, labels)
            family.add_metric(list(labels.values()), value)

    def info(self, name: str, help_text: str, labels: Labels, facts: dict[str, str]) -> None:
        """Add one constant 1 with facts as labels."""
        if self._has_room(name, labels):
            family = _family(self._infos, InfoMetricFamily, name, help_text, labels)
            family.add_metric(list(labels.values()), facts)

    def families(self) -> Iterator[Metric]:
        """Yield what was gathered."""
        yield from self._infos.values()
        yield from self._gauges.values()
        yield from self._counters.values()


def _family(known: dict[str, Family], kind: Callable[..., Family], name: str, help_text: str, labels: Labels) -> Family:
    family = known.get(name)
    if family is None:
        family = known[name] = kind(name, help_text, labels=list(labels))
    return family


class VillageCollector(Collector):
    """All villages as they are now."""

    def __init__(self, database: Database, tally: Tally) -> None:
        self._database, self._tally = database, tally

    def collect(self) -> Iterator[Metric]:
        """Yield every family of one scrape."""
        page = Page()
        now_ms = clock.now_ms()
        with self._database.reads() as db:
            for regency in villages.regencies(db):
                bodies = _fresh_bodies(db, regency.code, now_ms)
                for state in devices.village_states(db, regency.code, now_ms):
                    page.next_village()
                    _village(page, state, bodies, now_ms)
        page.next_village(room=100)
        _ingest(page, self._tally)
        yield from page.families()


def page_text(database: Database, tally: Tally) -> bytes:
    """Return the whole page in the Prometheus text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(VillageCollector(database, tally))
    return generate_latest(registry)


def _fresh_bodies(db: Session, regency: str, now_ms: int) -> dict[tuple[str, str], Body]:
    fresh = (
        select(Device)
        .where(Device.regency == regency, Device.last_reading_ms > now_ms - SILENT_AFTER_MS)
        .where(Device.outcome == wire.Outcome.OK)
        .options(undefer(Device.body))
    )
    found = {(device.site, device.name): devices.body_of(device) for device in db.scalars(fresh)}
    return {key: body for key, body in found.items() if body is not None}


def _ingest(page: Page, tally: Tally) -> None:
    for (subject, result), number in sorted(tally.counts().items()):
        name, text = f"kampungnet_ingest_{subject}", f"What came to the agents' door since the start: {subject}."
        page.counter(name, text, {"result": result}, number)


def _village(page: Page, state: VillageState, bodies: dict[tuple[str, str], Body], now_ms: int) -> None:
    place = {"regency": state.village.regency, "district": state.village.district, "village": state.village.code}
    page.info(
        "kampungnet_village", "A village of the register.", place,
        {"name": state.village.name, "district_name": state.district_name, "kind": state.village.kind},
    )  # fmt: skip
    if state.agent is not None:
        _agent(page, place, state.agent, now_ms)
    ports: list[tuple[Labels, wire.CounterReading]] = []
    for device in state.devices:
        labels = place | {"device": device.name}
        page.gauge(
            "kampungnet_device_last_reading_timestamp_seconds", "When the newest reading of a device was taken.",
            labels, device.last_reading_ms / 1000,
        )  # fmt: skip
        if now_ms - device.last_reading_ms > SILENT_AFTER_MS:
            continue
        page.gauge("kampungnet_device_up", "1 when the newest poll of a device succeeded.", labels,
                   float(device.outcome == wire.Outcome.OK))  # fmt: skip
        body = bodies.get((device.site, device.name))
        if body is not None:
            _device(page, labels, device, body)
            ports += [(labels, counter) for counter in _shown(body)]
            # The router comes first, and one of its ports is what the village pays for: no gauge may take its place.
            _interfaces(page, ports[:1])
    _interfaces(page, ports[:MAX_INTERFACES])


def _interfaces(page: Page, ports: Iterable[tuple[Labels, wire.CounterReading]]) -> None:
    for labels, counter in ports:
        own = labels | {"interface": counter.interface}
        page.counter("kampungnet_interface_receive_bytes", "Bytes an interface received, as the device counts.", own,
                     counter.rx_bytes)  # fmt: skip
        page.counter("kampungnet_interface_transmit_bytes", "Bytes an interface sent, as the device counts.", own,
                     counter.tx_bytes)  # fmt: skip


def _agent(page: Page, place: Labels, agent: Agent, now_ms: int) -> None:
    page.info("kampungnet_agent", "The box of a village.", place, {"version": agent.version, "board": agent.board})
    if agent.last_report_ms is None:
        return
    page.gauge("kampungnet_agent_last_report_timestamp_seconds", "When the last report was stored.", place,
               agent.last_report_ms / 1000)  # fmt: skip
    page.counter("kampungnet_agent_conflicts", "Readings that came twice with different content.", place,
                 agent.conflicts)  # fmt: skip
    if now_ms - agent.last_report_ms > SILENT_AFTER_MS:
        return
    page.gauge("kampungnet_agent_spool_readings", "Readings waiting on the box, at its last report.", place,
               agent.spool_readings)  # fmt: skip
    if agent.spool_oldest_ms is not None:
        page.gauge("kampungnet_agent_spool_oldest_timestamp_seconds", "When the oldest waiting reading was taken.",
                   place, agent.spool_oldest_ms / 1000)  # fmt: skip
    if agent.clock_offset_ms is not None:
        page.gauge("kampungnet_agent_clock_offset_seconds", "The box's clock minus the server's.", place,
                   agent.clock_offset_ms / 1000)  # fmt: skip
    page.counter("kampungnet_agent_dropped_readings", "Readings the box dropped because its spool was full.", place,
                 agent.dropped_readings)  # fmt: skip


def _device(page: Page, labels: Labels, device: Device, body: Body) -> None:
    """Add one device that answered."""
    page.gauge("kampungnet_device_uptime_seconds", "Time since a device started.", labels, device.uptime_seconds)
    page.info("kampungnet_device", "Facts about a device.", labels,
              {"kind": device.kind, "model": model_of(body), "version": version_of(body)})  # fmt: skip
    if isinstance(body, wire.RouterBody):
        _router(page, labels, body)
    elif isinstance(body, wire.OntBody):
        _ont(page, labels, body)
    elif isinstance(body, OnuSeen):
        _onu(page, labels, body.onu)
    elif isinstance(body, wire.HostBody):
        _pings(page, labels, body.pings)
        page.gauge("kampungnet_wireless_clients", CLIENTS, labels, body.wireless_clients)


def _router(page: Page, labels: Labels, body: wire.RouterBody) -> None:
    ratio = None if body.cpu_load_percent is None else body.cpu_load_percent / 100
    page.gauge("kampungnet_router_cpu_load_ratio", "Processor load, 0 to 1.", labels, ratio)
    page.gauge("kampungnet_router_free_memory_bytes", "Free memory.", labels, body.free_memory_bytes)
    page.gauge("kampungnet_router_free_storage_bytes", "Free flash.", labels, body.free_storage_bytes)
    temperature = max((sensor.value for sensor in body.sensors if sensor.unit == "C"), default=None)
    page.gauge("kampungnet_device_temperature_celsius", "Highest temperature a device reports.", labels, temperature)
    page.gauge("kampungnet_hotspot_sessions", "Devices logged in at the portal.", labels, body.hotspot_sessions)
    page.gauge("kampungnet_hotspot_hosts", "Devices the hotspot sees.", labels, body.hotspot_hosts)
    page.gauge("kampungnet_dhcp_leases", "Addresses given out.", labels, body.dhcp_leases)
    page.gauge("kampungnet_wireless_clients", CLIENTS, labels, body.wireless_clients)
    _pings(page, labels, body.pings)
    if light := wan_light(body):
        _light(page, labels, light)


def _pings(page: Page, labels: Labels, pings: Iterable[wire.Ping]) -> None:
    for ping in pings:
        if ping.target not in PINGED or not ping.sent:
            continue
        own = labels | {"target": ping.target}
        page.gauge("kampungnet_ping_up", "1 when a ping came back.", own, float(ping.received > 0))
        rtt = None if ping.rtt_ms is None else ping.rtt_ms / 1000
        page.gauge("kampungnet_ping_rtt_seconds", "Round trip of a ping by the router, or to a device by the agent.",
                   own, rtt)  # fmt: skip


def _ont(page: Page, labels: Labels, body: wire.OntBody) -> None:
    _light(page, labels, body)
    page.gauge("kampungnet_device_temperature_celsius", "Highest temperature a device reports.", labels,
               body.temperature_celsius)  # fmt: skip


def _onu(page: Page, labels: Labels, onu: wire.Onu) -> None:
    up = onu_up(onu.state)
    page.gauge("kampungnet_onu_up", "1 when the OLT says that a village's ONT is at work.", labels,
               None if up is None else float(up))  # fmt: skip
    cause = onu.last_down_cause.value if onu.last_down_cause else ""
    page.info("kampungnet_onu", "What the OLT says of a village's ONT.", labels,
              {"state": onu.state.value, "last_down_cause": cause})  # fmt: skip
    _light(page, labels, onu)
    page.gauge("kampungnet_onu_olt_rx_power_dbm", "Light of a village's ONT at the OLT.", labels,
               onu.olt_rx_power_dbm)  # fmt: skip


def _light(page: Page, labels: Labels, light: wire.Light | wire.OntBody | wire.Onu) -> None:
    page.gauge("kampungnet_ont_rx_power_dbm", "Light received on the village's line.", labels, light.rx_power_dbm)
    page.gauge("kampungnet_ont_tx_power_dbm", "Light sent on the village's line.", labels, light.tx_power_dbm)
    page.gauge("kampungnet_ont_no_light", "1 when the unit measures darkness.", labels, float(light.no_light))


def _shown(body: Body) -> list[wire.CounterReading]:
    if isinstance(body, wire.OltBody | OnuSeen | wire.PortalBody):  # the provider's ports are not the village's
        return []
    wan = body.wan_interface if isinstance(body, wire.RouterBody) else ""
    lasting = [one for one in body.interfaces if one.interface == wan or not one.interface.startswith(DYNAMIC)]
    return sorted(lasting, key=lambda one: (one.interface != wan, not one.running, not one.rx_bytes))
