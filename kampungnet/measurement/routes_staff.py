"""Pages on which engineers add what machines cannot know: planned work, and the cause of an outage."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from kampungnet.core import clock, pages
from kampungnet.core.errors import NotFound, Problem, Unprocessable
from kampungnet.core.languages import N_, Language
from kampungnet.core.web import DATA_PREFIX, Reads, database_of
from kampungnet.measurement import outage_log, planned_work, rulings
from kampungnet.measurement.outage_list import CAUSES, line
from kampungnet.measurement.outage_models import PlannedWork
from kampungnet.measurement.outage_words import Cause, Outage, Span
from kampungnet.measurement.planned_work import Entry
from kampungnet.measurement.routes_ledger import SeenSites, Sites
from kampungnet.staff.access import CurrentStaff
from kampungnet.staff.service import Role, Scope, SignedIn
from kampungnet.villages import service as villages
from kampungnet.villages.models import Regency

LISTED_MS: Final = 400 * clock.DAY_MS
AS_JUDGED: Final = "judged"
CAUSES_TO_CHOOSE: Final = tuple((cause.value, words) for cause, words in CAUSES.items() if cause is not Cause.UNKNOWN)

router = APIRouter(include_in_schema=False)
data_router = APIRouter(prefix=f"{DATA_PREFIX}v1", tags=["outages"])

Written = Annotated[str, Form(max_length=4000)]


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
            return _planned_page(request, db, staff, entry, problem)
    return RedirectResponse("/pekerjaan", 303)


@router.post("/pekerjaan/{work}/tarik")
def withdraw(request: Request, staff: CurrentStaff, work: str, reason: Written = "") -> Response:
    """Let planned work count no more."""
    with database_of(request).writes() as db:
        planned_work.withdraw(db, staff, work, reason, clock.now_ms())
    return RedirectResponse("/pekerjaan", 303)


@router.get("/desa/{code}/sebab")
def cause(request: Request, db: Reads, seen: SeenSites, code: str, mulai: int = 0) -> Response:
    """Show one outage and, to engineers, the form that sets its cause."""
    return _cause_page(request, db, (seen, code, mulai))


@router.post("/desa/{code}/sebab")
def set_cause(
    request: Request, staff: CurrentStaff, seen: SeenSites, said: Annotated[tuple[str, str], Depends(_said)],
    mulai: int = 0,
) -> Response:  # fmt: skip
    """Set the cause of an outage, or let the judged cause stand again."""
    database, now_ms = database_of(request), clock.now_ms()
    try:
        with database.writes() as db:
            site, outage = _outage(db, seen, mulai, now_ms)
            if said[0] == AS_JUDGED:
                rulings.withdraw(db, staff, site, outage, said[1], now_ms)
            else:
                rulings.rule(db, staff, site, outage, said, now_ms)
    except Unprocessable as problem:
        with database.reads() as db:
            return _cause_page(request, db, (seen, seen.village, mulai), said, problem)
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


def _planned_page(
    request: Request, db: Session, staff: SignedIn, entry: Entry | None = None, problem: Problem | None = None
) -> Response:
    language, now_ms, regency = pages.language_of(request), clock.now_ms(), db.get_one(Regency, staff.scope.regency)
    districts, names = villages.districts(db, regency.code), villages.names(db, regency.code)
    known = {regency.code: language.say("The whole kabupaten"), **districts, **names}
    works = planned_work.listed(db, staff.scope, now_ms - LISTED_MS)
    of_district = [
        (code, name, sorted((v, names[v]) for v in names if v.startswith(f"{code}.")))
        for code, name in districts.items()
    ]
    at = regency.time_zone, now_ms
    rows = [_row(one, _named(one, known, staff.scope), language, at) for one in works]
    return pages.render(
        request, "measurement/planned_work.html", problem.status if problem else 200, regency=regency,
        rows=rows, districts=of_district,
        may_enter=staff.role is Role.ENGINEER, entry=entry or Entry("", "", (), "", ""),
        problem=problem.sentence if problem else None, zone=clock.abbreviation(regency.time_zone),
    )  # fmt: skip


def _named(work: PlannedWork, known: dict[str, str], scope: Scope) -> str:
    return ", ".join(known.get(code, code) for code in planned_work.places(work, scope))


def _row(work: PlannedWork, where: str, language: Language, at: tuple[str, int]) -> _Row:
    zone, now_ms = at
    when = language.say(
        "%(began)s to %(end)s (%(length)s)",
        began=language.moment(work.start_ms, zone, now_ms, with_zone=False),
        end=language.moment(work.end_ms, zone, now_ms, with_zone=False),
        length=language.duration((work.end_ms - work.start_ms) / 1000),
    )
    if work.withdrawn_ms is not None:
        state = language.say("Withdrawn, counts no more")
    elif work.entered_ms <= work.start_ms:
        state = language.say("Announced before it began")
    else:
        state = language.say("Entered afterwards: shown, but it counts only where the contract says so")
    return _Row(work, when, where, language.moment(work.entered_ms, zone, now_ms, with_zone=False), state)


def _cause_page(
    request: Request,
    db: Session,
    place: tuple[Sites, str, int],
    typed: tuple[str, str] = ("", ""),
    problem: Problem | None = None,
) -> Response:
    (seen, code, start_ms), now_ms, language = place, clock.now_ms(), pages.language_of(request)
    _, outage = _outage(db, seen, start_ms, now_ms)
    return pages.render(
        request, "measurement/cause.html", problem.status if problem else 200, code=code, start_ms=start_ms,
        name=villages.village(db, code).name, line=line(outage, language, seen.zone, now_ms), typed=typed,
        ruled=outage.ruled, causes=CAUSES_TO_CHOOSE, judged=CAUSES[outage.ruled.judged] if outage.ruled else "",
        problem=problem.sentence if problem else None,
    )  # fmt: skip


def _outage(db: Session, seen: Sites, start_ms: int, now_ms: int) -> tuple[str, Outage]:
    """Return the outage of a village that covers an instant, and its site. Raises ``NotFound``."""
    if 0 < start_ms <= now_ms:
        for site in seen.codes:
            for one in outage_log.outages(db, (seen.regency, site), Span(start_ms, start_ms + 1)):
                return site, one
    raise NotFound(N_("There is no such outage any more: new readings changed it. Look at the village's page again."))
