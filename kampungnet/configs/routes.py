"""Settings of routers for engineers: what changed, since when each line stands, and backups to put back."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from kampungnet.configs import history, service
from kampungnet.configs.history import Blamed, DiffLine
from kampungnet.configs.models import ConfigBackup, ConfigRevision
from kampungnet.configs.versions import Known, known_against, version_of
from kampungnet.core import clock, pages
from kampungnet.core.errors import NotFound
from kampungnet.core.languages import N_, Language
from kampungnet.core.web import Reads, Writes
from kampungnet.devices.bodies import version_of as version_in
from kampungnet.devices.service import body_of, village_states
from kampungnet.devices.sites import villages_of
from kampungnet.staff import audit
from kampungnet.staff.access import CurrentStaff
from kampungnet.staff.service import Role, SignedIn
from kampungnet.villages import service as villages

DAYS: Final = 7
MOST_DAYS: Final = 400
MOST_LINES: Final = 20
"""Of one router among what was found."""
_NO_STORE: Final = {"Cache-Control": "no-store"}

router = APIRouter(include_in_schema=False)
Days = Annotated[int, Query(ge=1, le=MOST_DAYS)]
Words = Annotated[str, Query(max_length=100)]


@dataclass(frozen=True, slots=True)
class Line:
    """One router in a list."""

    village: str
    name: str
    device: str
    when: str
    what: str


@dataclass(frozen=True, slots=True)
class Here:
    """One router of a village that this person may see, with all that is kept of its settings."""

    village: str
    site: str
    device: str
    devices: list[str]
    revisions: list[ConfigRevision]
    backups: list[ConfigBackup]


def engineer(staff: CurrentStaff) -> SignedIn:
    """Let engineers of the kabupaten in; for others there is no such page."""
    if staff.role is not Role.ENGINEER or not staff.scope.is_whole:
        raise NotFound(N_("There is no such page here. Go back to the first page."))
    return staff


Engineer = Annotated[SignedIn, Depends(engineer, scope="function")]


def _here(db: Reads, staff: Engineer, code: str, perangkat: Annotated[str, Query(max_length=40)] = "") -> Here:
    staff.scope.check(code)
    regency = staff.scope.regency
    places = [(one.site, one.device) for one in service.newest(db, regency) if one.site.rpartition("-")[0] == code]
    for site, device in places:
        if perangkat in {"", device}:
            kept = service.revisions(db, regency, site, device)
            names = [name for _, name in places]
            return Here(code, site, device, names, kept, service.backups(db, regency, site, device))
    raise NotFound(N_("The settings of no router are kept here. Go back to the village's page."))


AtRouter = Annotated[Here, Depends(_here, scope="function")]


@router.get("/pengaturan-router")
def overview(request: Request, db: Reads, staff: Engineer, hari: Days = DAYS, cari: Words = "") -> Response:
    """Show what changed in all routers in some days, what was not read lately, and where some words stand."""
    language, now_ms, regency = pages.language_of(request), clock.now_ms(), staff.scope.regency
    names, sites = villages.names(db, regency), villages_of(db, regency)

    def line(site: str, device: str, when: str, what: str) -> Line:
        return Line(sites[site], names.get(sites[site], site), device, when, what)

    since_ms = now_ms - int(timedelta(days=hari).total_seconds() * 1000)
    zone = clock.zone_of(regency)
    changes = [
        line(one.site, one.device, language.moment(one.revision.first_ms, zone, now_ms), _lines(one, language))
        for one in service.changed_since(db, regency, since_ms)
    ]
    troubles = [
        line(one.site, one.name, language.age(one.last_ok_ms, now_ms), _trouble(one.detail, language))
        for one in service.watched(db, regency) if one.outcome != "ok"
    ]  # fmt: skip
    hits = service.search(db, regency, cari) if cari.strip() else []
    return pages.render(
        request, "configs/overview.html", days=hari, words=cari, changes=changes, troubles=troubles,
        known=len(service.newest(db, regency)),
        hits=[(line(one.site, one.device, "", ""), one.lines[:MOST_LINES], len(one.lines)) for one in hits],
    )  # fmt: skip


@router.get("/desa/{code}/pengaturan-router")
def settings(
    request: Request, db: Reads, here: AtRouter, staff: Engineer,
    dari: Annotated[int, Query(ge=0)] = 0, ke: Annotated[int, Query(ge=0)] = 0,
) -> Response:  # fmt: skip
    """Show one router's settings line by line with their age, or the difference of two of them."""
    language, now_ms = pages.language_of(request), clock.now_ms()
    zone = clock.zone_of(staff.scope.regency)
    moments = [language.moment(one.first_ms, zone, now_ms) for one in here.revisions]
    places = {one.first_ms: place for place, one in enumerate(here.revisions)}
    compared = _compared(here, dari, ke)
    lines = [] if compared is not None else history.blame([service.text_of(one) for one in here.revisions])
    return pages.render(
        request, "configs/router.html", here=here, village=villages.village(db, here.village), zone=zone,
        newest=here.revisions[-1], known=[_known(one, language) for one in known_against(here.revisions[-1].version)],
        history=[
            (moments[place], here.revisions[place], _count(here, place, language))
            for place in reversed(range(len(moments)))
        ],
        compared=compared, lines=_by_age(lines), moments=moments, chosen=(places.get(dari), places.get(ke)),
        backups=[(language.moment(one.taken_ms, zone, now_ms), one, language.size(one.size)) for one in here.backups],
    )  # fmt: skip


@router.get("/desa/{code}/pengaturan-router/teks")
def text(here: AtRouter, saat: Annotated[int, Query(ge=0)] = 0) -> Response:
    """Hand out one text of settings, as a file that the router can import."""
    found = next((one for one in here.revisions if one.first_ms == saat), here.revisions[-1])
    headers = _NO_STORE | {"Content-Disposition": f'attachment; filename="{here.site}-{here.device}.rsc"'}
    return Response(service.text_of(found), media_type="text/plain; charset=utf-8", headers=headers)


@router.post("/desa/{code}/pengaturan-router/cadangan")
def backup(db: Writes, here: AtRouter, staff: Engineer, saat: Annotated[int, Form()] = 0) -> Response:
    """Hand out one binary backup; who took it stands in the log."""
    found = db.get(ConfigBackup, (staff.scope.regency, here.site, here.device, saat))
    if found is None:
        raise NotFound(N_("This backup is not kept any more. Go back and take another one."))
    act = audit.Act("config.backup", here.village, after={"device": here.device, "taken_ms": found.taken_ms})
    audit.record(db, staff, act, clock.now_ms())
    headers = _NO_STORE | {"Content-Disposition": f'attachment; filename="{here.site}-{here.device}.backup"'}
    return Response(found.content, media_type="application/octet-stream", headers=headers)


@router.get("/versi-router")
def versions(request: Request, db: Reads, staff: Engineer) -> Response:
    """Show which router runs which version, and what is known against it."""
    language, regency = pages.language_of(request), staff.scope.regency
    by_version: dict[str, list[Line]] = {}
    for state in village_states(db, regency, clock.now_ms()):
        for device in state.devices:
            body = body_of(device) if device.kind == "router" else None
            if body is not None and (written := version_in(body)):
                line = Line(state.village.code, state.village.name, device.name, "", "")
                by_version.setdefault(written, []).append(line)
    groups = [
        (written, lines, [_known(one, language) for one in known_against(written)])
        for written, lines in sorted(by_version.items(), key=lambda one: version_of(one[0]) or (0, 0, 0))
    ]
    return pages.render(request, "configs/versions.html", groups=groups)


def _lines(one: service.Since, language: Language) -> str:
    if one.lines is None:
        return language.say("seen for the first time")
    return language.say("%(added)s lines new, %(removed)s gone", added=one.lines.added, removed=one.lines.removed)


def _trouble(detail: str, language: Language) -> str:
    if "host key" in detail:
        return language.say("The router's SSH key changed: was it replaced? If not, nobody should sign in there.")
    return detail


def _compared(here: Here, first: int, last: int) -> list[DiffLine] | None:
    by_moment = {one.first_ms: one for one in here.revisions}
    if first not in by_moment or last not in by_moment:
        return None
    return list(history.diff(service.text_of(by_moment[first]), service.text_of(by_moment[last])))


def _count(here: Here, place: int, language: Language) -> str:
    if place == 0:
        return language.say("seen for the first time")
    before, after = (service.text_of(here.revisions[at]) for at in (place - 1, place))
    lines = history.changed(before, after)
    return language.say("%(added)s lines new, %(removed)s gone", added=lines.added, removed=lines.removed)


def _by_age(lines: list[Blamed]) -> list[tuple[int, list[str]]]:
    """Put lines that stand since the same text together, in their order."""
    groups: list[tuple[int, list[str]]] = []
    for line in lines:
        if not groups or groups[-1][0] != line.since:
            groups.append((line.since, []))
        groups[-1][1].append(line.text)
    return groups


def _known(one: Known, language: Language) -> tuple[str, str, str]:
    return one.severity, one.words[language.code], one.source
