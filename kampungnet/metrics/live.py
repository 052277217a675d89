"""Live state for Prometheus, asked for at scrape time.

A device that was not heard of for five minutes is absent, never flat. Labels are codes; names stand
in ``…_info`` only. No MAC, address or voucher ever becomes a label (facts: operations 2.3).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from kampungnet.core import clock, jobs
from kampungnet.core.database import Database
from kampungnet.core.tally import Tally
from kampungnet.devices import service as devices
from kampungnet.devices.bodies import Body
from kampungnet.devices.models import Agent, Device
from kampungnet.devices.service import VillageState
from kampungnet.devices.status import SILENT_AFTER_MS
from kampungnet.metrics import judged, pushed, samples
from kampungnet.metrics.page import Page
from kampungnet.metrics.samples import MAX_INTERFACES, Labels
from kampungnet.shared import wire
from kampungnet.villages import service as villages

REGENCY_SERIES: Final = 3 * judged.INCIDENTS + 2
STORE_SERIES: Final = 600
"""Six of each store and regency."""
BudgetEnds = Callable[[Session, str], Mapping[str, int]]
"""When the money of each village of a regency ends, in milliseconds, by village code."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What the page shows and this slice cannot know."""

    budget_ends: BudgetEnds | None = None
    certificate_end_ms: int | None = None


class VillageCollector(Collector):
    """All villages as they are now; ``only_state`` leaves out what devices said, for that is pushed."""

    def __init__(
        self, database: Database, tally: Tally, elsewhere: Elsewhere | None = None, *, only_state: bool = False
    ) -> None:
        self._database, self._tally, self._only_state = database, tally, only_state
        self._elsewhere = elsewhere or Elsewhere()

    def collect(self) -> Iterator[Metric]:
        """Yield every family of one scrape."""
        page = Page()
        now_ms = clock.now_ms()
        with self._database.reads() as db:
            for regency in villages.regencies(db):
                self._regency(page, db, regency.code, now_ms)
            page.next_village(room=STORE_SERIES)
            pushed.of_stores(page, db)
            _jobs(page, db)
        page.next_village(room=REGENCY_SERIES)
        _server(page, self._tally, self._elsewhere.certificate_end_ms)
        yield from page.families()

    def _regency(self, page: Page, db: Session, regency: str, now_ms: int) -> None:
        bodies = None if self._only_state else _fresh_bodies(db, regency, now_ms)
        known = judged.judged(db, regency, now_ms)
        states = devices.village_states(db, regency, now_ms)
        ends = self._elsewhere.budget_ends(db, regency) if self._elsewhere.budget_ends else {}
        for state in states:
            page.next_village()
            place = {"regency": regency, "district": state.village.district, "village": state.village.code}
            _village(page, place, state, now_ms)
            judged.of_village(page, place, state, known)
            if (end_ms := ends.get(state.village.code)) is not None:
                page.gauge("kampungnet_budget_end_timestamp_seconds", place, end_ms / 1000)
            _devices(page, place, state, bodies, now_ms)
        page.next_village(room=REGENCY_SERIES)
        judged.of_regency(page, regency, states, known)


def page_text(
    database: Database, tally: Tally, elsewhere: Elsewhere | None = None, *, only_state: bool = False
) -> bytes:
    """Return the whole page in the Prometheus text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(VillageCollector(database, tally, elsewhere, only_state=only_state))
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


def _server(page: Page, tally: Tally, certificate_end_ms: int | None) -> None:
    for (subject, result), number in sorted(tally.counts().items()):
        page.counter(f"kampungnet_ingest_{subject}", {"result": result}, number)
    page.histogram("kampungnet_ingest_duration_seconds", *tally.durations())
    if certificate_end_ms is not None:
        page.gauge("kampungnet_certificate_end_timestamp_seconds", {}, certificate_end_ms / 1000)


def _jobs(page: Page, db: Session) -> None:
    for job in jobs.known(db):  # "task", for what Prometheus asks is its "job"
        if job.name == jobs.PUSH:  # its metrics are those of the stores
            continue
        done_ms = job.succeeded_ms
        done_seconds = None if done_ms is None else done_ms / 1000
        page.gauge("kampungnet_job_last_success_timestamp_seconds", {"task": job.name}, done_seconds)
        page.gauge("kampungnet_job_late_timestamp_seconds", {"task": job.name}, job.late_ms / 1000)


def _village(page: Page, place: Labels, state: VillageState, now_ms: int) -> None:
    page.info(
        "kampungnet_village", place,
        {"name": state.village.name, "district_name": state.district_name, "kind": state.village.kind},
    )  # fmt: skip
    if state.agent is not None:
        _agent(page, place, state.agent, now_ms)


def _devices(
    page: Page, place: Labels, state: VillageState, bodies: Mapping[tuple[str, str], Body] | None, now_ms: int
) -> None:
    """Add when each device was read last and, unless ``bodies`` is ``None``, what those said that are not silent."""
    ports: list[samples.Port] = []
    for device in state.devices:
        labels = place | {"device": device.name}
        samples.read_at(page, labels, device.last_reading_ms)
        if bodies is None or now_ms - device.last_reading_ms > SILENT_AFTER_MS:
            continue
        body = bodies.get((device.site, device.name))
        samples.of_device(page, labels, _seen(device), body)
        if body is not None:
            ports += [(labels, counter) for counter in samples.shown(body)]
            # The router comes first, and one of its ports is what the village pays for: no gauge may take its place.
            samples.of_interfaces(page, ports[:1])
    samples.of_interfaces(page, ports[:MAX_INTERFACES])


def _seen(device: Device) -> samples.Seen:
    return samples.Seen(device.kind, device.outcome, device.uptime_seconds)


def _agent(page: Page, place: Labels, agent: Agent, now_ms: int) -> None:
    page.info("kampungnet_agent", place, {"version": agent.version, "board": agent.board})
    if agent.last_report_ms is None:
        return
    page.gauge("kampungnet_agent_last_report_timestamp_seconds", place, agent.last_report_ms / 1000)
    page.counter("kampungnet_agent_conflicts", place, agent.conflicts)
    if now_ms - agent.last_report_ms > SILENT_AFTER_MS:
        return
    page.gauge("kampungnet_agent_spool_readings", place, agent.spool_readings)
    if agent.spool_oldest_ms is not None:
        page.gauge("kampungnet_agent_spool_oldest_timestamp_seconds", place, agent.spool_oldest_ms / 1000)
    if agent.clock_offset_ms is not None:
        page.gauge("kampungnet_agent_clock_offset_seconds", place, agent.clock_offset_ms / 1000)
    page.counter("kampungnet_agent_dropped_readings", place, agent.dropped_readings)
