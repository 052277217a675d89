"""Live state for Prometheus, asked for at scrape time.

A device that was not heard of for five minutes is absent, never flat. Labels are codes; names stand
in ``…_info`` only. No MAC, address or voucher ever becomes a label (facts: operations 2.3).
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.tally import Tally
from kampungnet.devices import service as devices
from kampungnet.devices.bodies import Body
from kampungnet.devices.models import Agent, Device
from kampungnet.devices.service import VillageState
from kampungnet.devices.status import SILENT_AFTER_MS
from kampungnet.metrics import samples
from kampungnet.metrics.samples import MAX_INTERFACES, SERIES_A_VILLAGE, Labels
from kampungnet.shared import wire
from kampungnet.villages import service as villages

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
    ports: list[samples.Port] = []
    for device in state.devices:
        labels = place | {"device": device.name}
        samples.read_at(page, labels, device.last_reading_ms)
        if now_ms - device.last_reading_ms > SILENT_AFTER_MS:
            continue
        body = bodies.get((device.site, device.name))
        samples.of_device(page, labels, _seen(device), body)
        if body is not None:
            ports += [(labels, counter) for counter in samples.shown(body)]
            # The router comes first, and one of its ports is what the village pays for: no gauge may take its place.
            samples.of_interfaces(page, ports[:1])
    samples.of_interfaces(page, ports[:MAX_INTERFACES])


def _seen(device: Device) -> samples.Seen:
    return samples.Seen(device.kind, device.outcome, device.last_reading_ms, device.uptime_seconds)


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
