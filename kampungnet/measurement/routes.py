"""The pages of what is measured: all villages, and one of them."""

from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from kampungnet.core import clock, pages
from kampungnet.core.errors import NotFound
from kampungnet.core.languages import N_, Language
from kampungnet.core.web import Reads
from kampungnet.devices.bodies import model_of, version_of
from kampungnet.devices.models import Agent, Device
from kampungnet.devices.service import VillageState, body_of, village_states
from kampungnet.devices.status import Status
from kampungnet.measurement import outages, service, states, village_page
from kampungnet.measurement.overview import overview
from kampungnet.measurement.service import Measured
from kampungnet.shared import wire
from kampungnet.staff.access import CurrentStaff
from kampungnet.staff.service import Scope
from kampungnet.villages.models import Regency

MOST_OUTAGES: Final = 10
_MONTH_MS: Final = village_page.DAYS * clock.DAY_MS

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class DeviceCard:
    """A device as the page shows it. Everything in it came from the device and is hostile text."""

    name: str
    kind: str
    identity: str
    model: str
    version: str
    uptime: str
    seen: str
    outcome: str
    is_old: bool


@router.get("/")
def first_page(request: Request, db: Reads, staff: CurrentStaff, keadaan: str = "") -> Response:
    """Show all villages; a village operator has only one and goes there."""
    if staff.scope.village is not None:
        return RedirectResponse(f"/desa/{staff.scope.village}", 303)
    only = Status(keadaan) if keadaan in set(Status) else None
    language, now_ms, regency = pages.language_of(request), clock.now_ms(), _regency(db, staff.scope)
    seen = overview(village_states(db, regency.code, now_ms), language, now_ms, only)
    as_of = language.moment(now_ms, regency.time_zone, now_ms)
    return pages.render(request, "measurement/overview.html", regency=regency, seen=seen, only=only, as_of=as_of)


@router.get("/desa/{code}")
def village(request: Request, db: Reads, staff: CurrentStaff, code: str) -> Response:
    """Show one village."""
    staff.scope.check(code)
    language, now_ms, regency = pages.language_of(request), clock.now_ms(), _regency(db, staff.scope)
    found = village_states(db, regency.code, now_ms, only=code)
    if not found:
        raise NotFound(N_("There is no such village here. Go back to the first page."))
    state, zone = found[0], regency.time_zone
    router = states.device_of(state, "router")
    wan = service.wan_interface(router) if router else ""
    of_router = _measured(
        db, state, router, now_ms, "readings", "status", "hotspot_sessions", f"rx_bytes/{wan}", f"tx_bytes/{wan}"
    )
    return pages.render(
        request, "measurement/village.html", regency=regency, state=state,
        sentence=states.sentence(state, language, zone, now_ms),
        warning=states.light_warning(state, language, now_ms),
        stale=state.status in {Status.SILENT, Status.NEVER},
        age=language.age(state.last_reading_ms, now_ms),
        devices=[_card(device, language, now_ms) for device in state.devices],
        panels=_panels(db, state, of_router, language, now_ms),
        zone=clock.abbreviation(zone), outages=_outages(of_router, language, zone, now_ms),
        agent=_agent_words(state.agent, language, now_ms) if state.agent else [],
    )  # fmt: skip


@router.get("/tentang")
def about(request: Request, staff: CurrentStaff) -> Response:
    """Say what the words and signs on these pages mean."""
    return pages.render(request, "measurement/about.html", whole_regency=staff.scope.village is None)


def _regency(db: Session, scope: Scope) -> Regency:
    return db.get_one(Regency, scope.regency)


def _measured(db: Session, state: VillageState, device: Device | None, now_ms: int, *only: str) -> Measured:
    first_ms = now_ms - now_ms % 3_600_000 + 3_600_000 - _MONTH_MS
    if device is None or state.site is None:
        return Measured(first_ms, now_ms)
    place = service.Place(state.village.regency, state.site, device.name)
    return service.measured(db, place, first_ms, now_ms, only)


def _panels(
    db: Session, state: VillageState, of_router: Measured, language: Language, now_ms: int
) -> list[list[village_page.Chart]]:
    """Return one list of charts (24 hours, 30 days) for each thing that was ever measured here."""
    zone = clock.zone_of(state.village.regency)
    views = (village_page.last_day(language, zone, now_ms), village_page.last_month(language, zone, now_ms))
    router, ont = states.device_of(state, "router"), states.device_of(state, "ont")
    panels = []
    if router is not None:
        wan = service.wan_interface(router)
        panels.append([village_page.traffic(of_router, wan, view) for view in views])
        if "hotspot_sessions" in of_router.series:
            panels.append([village_page.people(of_router, view) for view in views])
    of_ont = _measured(db, state, ont, now_ms, "readings", "rx_power_mdbm")
    if "rx_power_mdbm" in of_ont.series:
        panels.append([village_page.light(of_ont, view) for view in views])
    return panels


def _outages(of_router: Measured, language: Language, zone: str, now_ms: int) -> list[tuple[str, str, str]]:
    status = of_router.series.get("status", {})
    found = outages.outages(status, of_router.first_ms, now_ms)
    lines = []
    for outage in reversed(found[-MOST_OUTAGES:]):
        length = language.duration(((outage.end_ms or now_ms) - outage.start_ms) / 1000)
        if outage.end_ms is None:
            length = language.say("%(length)s, still going on", length=length)
        lines.append(
            (
                language.moment(outage.start_ms, zone, now_ms, with_zone=False),
                length,
                language.say(states.OUTAGE_WORDS[outage.what]),
            )
        )
    return lines


def _card(device: Device, language: Language, now_ms: int) -> DeviceCard:
    body = body_of(device)
    identity = body.identity if isinstance(body, wire.RouterBody) else ""
    kinds = {"router": language.say("Router"), "ont": language.say("Fibre modem (ONT)")}
    return DeviceCard(
        name=device.name, kind=kinds.get(device.kind or device.name, device.name), identity=identity,
        model=model_of(body) if body else "", version=version_of(body) if body else "",
        uptime="" if device.uptime_seconds is None else language.duration(device.uptime_seconds),
        seen=language.age(device.last_ok_ms, now_ms), outcome=states.outcome_words(device.outcome, language),
        is_old=states.is_stale(device.last_ok_ms, now_ms),
    )  # fmt: skip


def _agent_words(agent: Agent, language: Language, now_ms: int) -> list[tuple[str, str]]:
    """Return the box about itself, for the small print."""
    say, number = language.say, language.number
    clock_words = say("set by the network") if agent.clock_synchronised else say("not set by the network")
    if agent.clock_offset_ms is not None and abs(agent.clock_offset_ms) > 120_000:
        away = language.duration(abs(agent.clock_offset_ms) / 1000)
        clock_words += ", " + say("%(away)s away from ours", away=away)
    lines = [
        (say("Last report"), language.age(agent.last_report_ms, now_ms)),
        (say("Clock"), clock_words),
        (say("Readings waiting on the box"), number(agent.spool_readings)),
        (say("Version"), agent.version or "–"),
        (say("Board"), agent.board or "–"),
    ]
    lost = ((say("Readings lost"), agent.dropped_readings + agent.corrupt_readings),
            (say("Readings refused"), agent.refused_readings),
            (say("Readings that contradict each other"), agent.conflicts))  # fmt: skip
    return lines + [(words, number(count)) for words, count in lost if count]
