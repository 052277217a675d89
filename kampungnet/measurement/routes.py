"""The pages of what is measured: all villages, and one of them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from kampungnet.core import clock, pages
from kampungnet.core.errors import NotFound
from kampungnet.core.languages import N_, Language
from kampungnet.core.web import Reads
from kampungnet.devices import onus
from kampungnet.devices.bodies import Body, is_onu
from kampungnet.devices.models import Agent, Device
from kampungnet.devices.service import VillageState, body_of, village_states
from kampungnet.devices.status import Status
from kampungnet.hands import page as hands_page
from kampungnet.measurement import (
    holidays,
    month_strip,
    outage_log,
    outages,
    planned_work,
    service,
    states,
    village_page,
)
from kampungnet.measurement.device_cards import DeviceCard, card, needs_day
from kampungnet.measurement.light import outlook
from kampungnet.measurement.light_words import DAYS, LightWords, light_words, millidecibels
from kampungnet.measurement.month_strip import Strip
from kampungnet.measurement.months_of_village import months
from kampungnet.measurement.notices import notices
from kampungnet.measurement.outage_list import Line, lines
from kampungnet.measurement.outage_words import Span
from kampungnet.measurement.overview import overview
from kampungnet.measurement.planned_words import work_lines
from kampungnet.measurement.service import Measured
from kampungnet.measurement.stray_page import olt_list, stray_list
from kampungnet.shared import wire
from kampungnet.staff.access import CurrentStaff
from kampungnet.staff.service import Scope
from kampungnet.villages import service as villages
from kampungnet.villages.models import Regency
from kampungnet.villages.search import MAX_TYPED, Named, search

MOST_OUTAGES: Final = 10
ONU_COMMAND: Final = "kampungnet onu --village 35.10.15.2012 --serial ZTEGC1234567"
_MONTH_MS: Final = village_page.DAYS * clock.DAY_MS

router = APIRouter(include_in_schema=False)


@router.get("/")
def first_page(request: Request, db: Reads, staff: CurrentStaff, keadaan: str = "") -> Response:
    """Show all villages; a village operator has only one and goes there."""
    if staff.scope.village is not None:
        return RedirectResponse(f"/desa/{staff.scope.village}", 303)
    only = Status(keadaan) if keadaan in set(Status) else None
    language, now_ms, regency = pages.language_of(request), clock.now_ms(), _regency(db, staff.scope)
    found = [one for one in village_states(db, regency.code, now_ms) if staff.scope.covers(one.village.code)]
    seen = overview(found, language, now_ms, only)
    as_of = language.moment(now_ms, regency.time_zone, now_ms)
    number = len(onus.strays(db, regency.code, onus.olts(db, regency.code, now_ms))) if staff.scope.is_whole else 0
    return pages.render(
        request, "measurement/overview.html", regency=regency, seen=seen, only=only, as_of=as_of, strays=number
    )


@router.get("/cari")
def find(request: Request, db: Reads, staff: CurrentStaff, nama: str = "") -> Response:
    """Find a village by its name; the only one that fits is opened at once."""
    regency, now_ms = _regency(db, staff.scope), clock.now_ms()
    states_of = [one for one in village_states(db, regency.code, now_ms) if staff.scope.covers(one.village.code)]
    districts = villages.districts(db, regency.code)
    named = [Named(one.village.code, one.village.name, districts.get(one.village.district, "")) for one in states_of]
    found = search(named, nama)
    if len(found.villages) == 1 and not found.is_guess:
        return RedirectResponse(f"/desa/{found.villages[0].code}", 303)
    words = {status.value: pages.language_of(request).say(text) for status, text in states.STATUS_WORDS.items()}
    return pages.render(
        request, "measurement/search.html", regency=regency, typed=nama.strip()[:MAX_TYPED], found=found, words=words,
        signs={one.village.code: one.status.value for one in states_of},
    )  # fmt: skip


@router.get("/desa/{code}")
def village(request: Request, db: Reads, staff: CurrentStaff, code: str) -> Response:
    """Show one village."""
    staff.scope.check(code)
    language, now_ms, regency = pages.language_of(request), clock.now_ms(), _regency(db, staff.scope)
    found = village_states(db, regency.code, now_ms, only=code)
    if not found:
        raise NotFound(N_("There is no such village here. Go back to the first page."))
    state, zone = found[0], regency.time_zone
    bodies = {device.name: body_of(device) for device in state.devices}
    router = states.device_of(state, "router")
    onu = next((device for device in state.devices if is_onu(device.name)), None)
    watched = _watched(db, state, router or onu, now_ms)
    light = _light(db, state, language, zone, now_ms)
    body = bodies[router.name] if router else None
    return pages.render(
        request, "measurement/village.html", regency=regency, state=state,
        sentence=states.sentence(state, language, zone, now_ms),
        added=states.word_of_olt(state, bodies[onu.name] if onu else None, language, now_ms),
        warning=states.light_warning(state, language, now_ms),
        notices=notices(body, language) if isinstance(body, wire.RouterBody) else [],
        stale=state.status in {Status.SILENT, Status.NEVER},
        age=language.age(state.last_reading_ms, now_ms),
        devices=_cards(db, state, bodies, language, now_ms),
        panels=_panels(watched, router, language, zone, now_ms), light=light,
        is_mute=light is None and any(d.kind == "ont" or d.name == "ont" for d in state.devices),
        zone=clock.abbreviation(zone), ledger=_ledger(db, state, language, zone, now_ms),
        months=months(db, (regency.code, state.site), language, now_ms) if state.site else None,
        outages=_outages(watched, router, language, zone, now_ms),
        agent=_agent_words(state.agent, language, now_ms) if state.agent else [],
        hands=hands_page.card(db, staff, (regency.code, state.site), state.devices, language) if state.site else None,
    )  # fmt: skip


@router.get("/onu")
def strays(request: Request, db: Reads, staff: CurrentStaff) -> Response:
    """Show to who sees the whole regency which ONUs of its OLTs no village gets."""
    if not staff.scope.is_whole:
        raise NotFound(N_("There is no such page here. Go back to the first page."))
    language, now_ms, regency = pages.language_of(request), clock.now_ms(), _regency(db, staff.scope)
    told, names = onus.olts(db, regency.code, now_ms), villages.names(db, regency.code)
    found = stray_list(onus.strays(db, regency.code, told), names, language, now_ms)
    return pages.render(
        request, "measurement/onus.html", regency=regency, groups=found, olts=olt_list(told, names, language),
        command=ONU_COMMAND,
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


def _watched(db: Session, state: VillageState, device: Device | None, now_ms: int) -> Measured:
    """Return what the charts and the interruptions are drawn from: the router, or an ONU where nothing else is."""
    wan = service.wan_interface(device) if device else ""
    wanted = ("readings", "status", "hotspot_sessions", f"rx_bytes/{wan}", f"tx_bytes/{wan}")
    return _measured(db, state, device, now_ms, *wanted)


def _panels(
    watched: Measured, router: Device | None, language: Language, zone: str, now_ms: int
) -> list[list[village_page.Chart]]:
    """Return one list of charts (24 hours, 30 days) for traffic and people, where there is a router."""
    if router is None:
        return []
    wan, views = service.wan_interface(router), _views(language, zone, now_ms)
    panels = [[village_page.traffic(watched, wan, view) for view in views]]
    if "hotspot_sessions" in watched.series:
        panels.append([village_page.people(watched, view) for view in views])
    return panels


def _views(language: Language, zone: str, now_ms: int) -> tuple[village_page.View, ...]:
    return (village_page.last_day(language, zone, now_ms), village_page.last_month(language, zone, now_ms))


def _light(
    db: Session, state: VillageState, language: Language, zone: str, now_ms: int
) -> tuple[LightWords, list[village_page.Chart]] | None:
    """Return the village's light in words and charts, whichever device measures it."""
    device = state.light or _once_told(db, state, now_ms)
    if device is None:
        return None
    place = service.Place(device.regency, device.site, device.name)
    today = clock.local_day(now_ms, zone)
    # Today is not over: its median would be that of a morning.
    days = service.daily_medians(db, place, "rx_power_mdbm", today - timedelta(days=DAYS), today - timedelta(days=1))
    words = light_words(device, outlook(millidecibels(days)), language, zone, now_ms)
    measured = _measured(db, state, device, now_ms, "readings", "rx_power_mdbm")
    views = _views(language, zone, now_ms)
    return words, [village_page.light(measured, view) for view in views if village_page.has_light(measured, views[0])]


def _once_told(db: Session, state: VillageState, now_ms: int) -> Device | None:
    """Return a device that told of light within the month and does not at this moment: an OLT is asked rarely."""
    for device in state.devices:
        if device.kind in {"ont", "router"} and _measured(db, state, device, now_ms, "rx_power_mdbm").series:
            return device
    return None


def _cards(
    db: Session, state: VillageState, bodies: Mapping[str, Body | None], language: Language, now_ms: int
) -> list[DeviceCard]:
    cards = []
    for device in state.devices:
        body, day = bodies[device.name], Measured(0, 0)
        if needs_day(body):
            place = service.Place(device.regency, device.site, device.name)
            day = service.measured(db, place, now_ms - clock.DAY_MS, now_ms)
        cards.append(card(device, body, day.series, language, now_ms))
    return cards


def _outages(
    watched: Measured, router: Device | None, language: Language, zone: str, now_ms: int
) -> list[tuple[str, str, str]]:
    found = outages.outages(watched.series.get("status", {}), watched.first_ms, now_ms)
    words = states.OUTAGE_WORDS | ({} if router else states.ONU_OUTAGE_WORDS)
    lines = []
    for outage in reversed(found[-MOST_OUTAGES:]):
        length = language.duration(((outage.end_ms or now_ms) - outage.start_ms) / 1000)
        if outage.end_ms is None:
            length = language.say("%(length)s, still going on", length=length)
        began = language.moment(outage.start_ms, zone, now_ms, with_zone=False)
        lines.append((began, length, language.say(words[outage.what])))
    return lines


def _ledger(
    db: Session, state: VillageState, language: Language, zone: str, now_ms: int
) -> tuple[Strip, list[Line]] | None:
    """Return the last 30 days as a strip, and their outages with planned work, also what is ahead.

    ``None`` for a village without a box of its own.
    """
    if state.site is None:
        return None
    period = month_strip.period(now_ms, zone)
    place = (state.village.regency, state.site)
    record = outage_log.record(db, place, period)
    if record is None:
        return None
    works = planned_work.at_site(db, place, Span(period.start_ms, now_ms + planned_work.AHEAD_MS))
    record = replace(record, windows=[planned_work.window(one) for one in works])
    days = clock.local_day(period.start_ms, zone), clock.local_day(now_ms, zone)
    hours = holidays.office_hours_of(db, state.village.regency, *days)
    note = hands_page.restarted(db, place, period.start_ms, language)
    interruptions = lines(record.outages, language, zone, now_ms, is_back=state.status is Status.UP)
    noted = [replace(one, note=note(one.start_ms, one.note)) for one in interruptions]
    listed = [*noted, *work_lines(works, language, zone, now_ms)]
    newest_first = sorted(listed, key=lambda one: one.start_ms, reverse=True)
    return month_strip.strip(record, period, language, zone, hours), newest_first


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
