"""Pages on which engineers add what machines cannot know: planned work, and the cause of an outage."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.core import clock, pages
from kampungnet.core.errors import NotFound, Problem, Unprocessable
from kampungnet.core.languages import N_, Language
from kampungnet.core.web import DATA_PREFIX, Reads, database_of
from kampungnet.devices.models import Site
from kampungnet.measurement import outage_log, planned_work, routes_counts, rulings
from kampungnet.measurement.outage_list import CAUSES, line
from kampungnet.measurement.outage_models import PlannedWork
from kampungnet.measurement.outage_words import Cause, Outage, Span
from kampungnet.measurement.planned_words import state_of
from kampungnet.measurement.planned_work import Entry
from kampungnet.measurement.routes_ledger import SeenSites, Sites
from kampungnet.staff import audit
from kampungnet.staff.access import CurrentStaff
from kampungnet.staff.models import AuditEntry
from kampungnet.staff.service import Role, Scope, SignedIn
from kampungnet.villages import service as villages
from kampungnet.villages.models import Regency

LISTED_MS: Final = 400 * clock.DAY_MS
AS_JUDGED: Final = "judged"
CAUSES_TO_CHOOSE: Final = tuple((cause.value, words) for cause, words in CAUSES.items() if cause is not Cause.UNKNOWN)

router = APIRouter(include_in_schema=False)
data_router = APIRouter(prefix=f"{DATA_PREFIX}v1", tags=["outages"])

Written = Annotated[str, Form()]
"""However long: the guard reads no form over 100 kB, and what is too long comes back with a sentence of its own."""


def _entry(
    start: Written = "",
    end: Written = "",
    places: Annotated[list[str] | None, Form()] = None,
    provider: Written = "",
    reason: Written = "",
) -> Entry:
    return Entry(start, end, places or [], provider, reason)


def _said(cause: Written = "", reason: Written = "") -> tuple[str, str]:
    return cause, reason


def _where(tempat: str = "", mulai: int = 0) -> tuple[str, int]:
    return tempat, mulai


Where = Annotated[tuple[str, int], Depends(_where)]
"""Site (empty: the first one of the village that was dark) and an instant of the outage."""


_NOTHING: Final = Entry("", "", (), "", "")


@dataclass(frozen=True, slots=True)
class PlannedWorkOut:
    """Planned work. ``announced``: entered before it began; ``withdrawn`` work counts no more."""

    id: str
    start: str
    end: str
    entered: str
    announced: bool
    withdrawn: str | None
    places: list[str]
    provider: str
    reason: str
    entered_by: str


@dataclass(frozen=True, slots=True)
class _Row:
    work: PlannedWork
    when: str
    where: str
    entered: str
    state: str
    withdrawal: str
    typed: str


@dataclass(frozen=True, slots=True)
class _Typed:
    """What somebody typed that could not be taken, and why."""

    problem: Problem
    entry: Entry = _NOTHING
    work: str = ""
    """Which work was to be withdrawn."""
    reason: str = ""


@router.get("/pekerjaan")
def planned(request: Request, db: Reads, staff: CurrentStaff) -> Response:
    """Show planned work, and to engineers the form."""
    return _planned_page(request, db, staff)


@router.post("/pekerjaan")
def enter(request: Request, staff: CurrentStaff, entry: Annotated[Entry, Depends(_entry)]) -> Response:
    """Take planned work in, or show the form again with what was typed and what is wrong with it."""
    database = database_of(request)
    try:
        with database.writes() as db:
            planned_work.enter(db, staff, entry, clock.now_ms())
    except Problem as problem:
        with database.reads() as db:
            return _planned_page(request, db, staff, _Typed(problem, entry))
    return RedirectResponse("/pekerjaan", 303)


@router.post("/pekerjaan/{work}/tarik")
def withdraw(request: Request, staff: CurrentStaff, work: str, reason: Written = "") -> Response:
    """Let planned work count no more."""
    database = database_of(request)
    try:
        with database.writes() as db:
            planned_work.withdraw(db, staff, work, reason, clock.now_ms())
    except Unprocessable as problem:
        with database.reads() as db:
            return _planned_page(request, db, staff, _Typed(problem, work=work, reason=reason))
    return RedirectResponse("/pekerjaan", 303)


@router.get("/desa/{code}/sebab")
def cause(request: Request, db: Reads, seen: SeenSites, where: Where) -> Response:
    """Show one outage and, to engineers, the form that sets its cause."""
    return _cause_page(request, db, (seen, where))


@router.post("/desa/{code}/sebab")
def set_cause(
    request: Request, staff: CurrentStaff, seen: SeenSites, said: Annotated[tuple[str, str], Depends(_said)],
    where: Where,
) -> Response:  # fmt: skip
    """Set the cause of an outage, or let the judged cause stand again."""
    database, now_ms = database_of(request), clock.now_ms()
    try:
        with database.writes() as db:
            site, outage = _outage(db, seen, where, now_ms)
            if said[0] == AS_JUDGED:
                rulings.withdraw(db, staff, site, outage, said[1], now_ms)
            else:
                rulings.rule(db, staff, site, outage, said, now_ms)
    except Unprocessable as problem:
        with database.reads() as db:
            return _cause_page(request, db, (seen, where), said, problem)
    return RedirectResponse(f"/desa/{seen.village}#gangguan", 303)


@data_router.get("/planned-work", summary="Planned work of the last 400 days and what is ahead")
def planned_json(db: Reads, staff: CurrentStaff) -> list[PlannedWorkOut]:
    """Return planned work, the latest first; an operator gets what concerns the own village."""
    zone = clock.zone_of(staff.scope.regency)

    def at(instant_ms: int) -> str:
        return clock.local(instant_ms, zone).isoformat()

    return [
        PlannedWorkOut(
            one.id, at(one.start_ms), at(one.end_ms), at(one.entered_ms), one.entered_ms <= one.start_ms,
            at(one.withdrawn_ms) if one.withdrawn_ms else None, list(planned_work.places(one, staff.scope)),
            one.provider, one.reason, one.entered_by,
        )
        for one in planned_work.listed(db, staff.scope, clock.now_ms() - LISTED_MS)
    ]  # fmt: skip


def _planned_page(request: Request, db: Session, staff: SignedIn, typed: _Typed | None = None) -> Response:
    language, now_ms, regency = pages.language_of(request), clock.now_ms(), db.get_one(Regency, staff.scope.regency)
    districts, names = villages.districts(db, regency.code), villages.names(db, regency.code)
    known = {regency.code: language.say("The whole kabupaten"), **districts, **names}
    works = planned_work.listed(db, staff.scope, now_ms - LISTED_MS)
    withdrawn = audit.newest_about(
        db, regency.code, "planned_work.withdraw", [one.id for one in works if one.withdrawn_ms is not None]
    )
    of_district = [
        (code, name, sorted((v, names[v]) for v in names if v.startswith(f"{code}.")))
        for code, name in districts.items()
    ]
    at = regency.time_zone, now_ms
    rows = [
        _row(one, _named(one, known, staff.scope), language, at, (withdrawn.get(one.id), typed)) for one in works
    ]  # fmt: skip
    problem = typed.problem.sentence if typed else None
    return pages.render(
        request, "measurement/planned_work.html", typed.problem.status if typed else 200, regency=regency,
        rows=rows, districts=of_district, may_enter=staff.role is Role.ENGINEER,
        entry=typed.entry if typed else _NOTHING, withdrawing=typed.work if typed else "", problem=problem,
        zone=clock.abbreviation(regency.time_zone),
    )  # fmt: skip


def _named(work: PlannedWork, known: dict[str, str], scope: Scope) -> str:
    return ", ".join(known.get(code, code) for code in planned_work.places(work, scope))


def _row(
    work: PlannedWork, where: str, language: Language, at: tuple[str, int],
    more: tuple[AuditEntry | None, _Typed | None],
) -> _Row:  # fmt: skip
    (zone, now_ms), (act, typed) = at, more
    when = language.stretch(work.start_ms, work.end_ms, zone, now_ms)
    state = language.say("Withdrawn, counts no more") if work.withdrawn_ms is not None else state_of(work, language)
    reason = typed.reason if typed and typed.work == work.id else ""
    entered = language.moment(work.entered_ms, zone, now_ms, with_zone=False)
    return _Row(work, when, where, entered, state, _withdrawal(act, language, at), reason)


def _withdrawal(act: AuditEntry | None, language: Language, at: tuple[str, int]) -> str:
    if act is None:
        return ""
    moment = language.moment(act.at_ms, *at, with_zone=False)
    reason = act.reason.rstrip(".")
    return language.say(
        "Withdrawn by %(name)s, %(moment)s: %(reason)s.", name=act.name, moment=moment, reason=reason
    )  # fmt: skip


def _cause_page(
    request: Request,
    db: Session,
    place: tuple[Sites, tuple[str, int]],
    typed: tuple[str, str] = ("", ""),
    problem: Problem | None = None,
) -> Response:
    (seen, where), now_ms, language = place, clock.now_ms(), pages.language_of(request)
    site, outage = _outage(db, seen, where, now_ms)
    site_name = db.scalar(select(Site.name).where(Site.regency == seen.regency, Site.code == site))
    return pages.render(
        request, "measurement/cause.html", problem.status if problem else 200, code=seen.village, start_ms=where[1],
        name=villages.village(db, seen.village).name, site=site, site_name=site_name,
        line=line(outage, language, seen.zone, now_ms), typed=typed,
        ruled=outage.ruled, causes=CAUSES_TO_CHOOSE, judged=CAUSES[outage.ruled.judged] if outage.ruled else "",
        problem=problem.sentence if problem else None,
        around=routes_counts.around(seen, site, (outage.start_ms, outage.end_ms), language),
    )  # fmt: skip


def _outage(db: Session, seen: Sites, where: tuple[str, int], now_ms: int) -> tuple[str, Outage]:
    """Return the outage of a village that covers an instant, and its site. Raises ``NotFound``."""
    wanted, start_ms = where
    if 0 < start_ms <= now_ms:
        for site in seen.codes:
            if wanted in {"", site}:
                for one in outage_log.outages(db, (seen.regency, site), Span(start_ms, start_ms + 1)):
                    return site, one
    raise NotFound(N_("There is no such outage any more: new readings changed it. Look at the village's page again."))
