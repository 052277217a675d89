"""The list of free places: everybody on the staff reads it, engineers of the kabupaten change it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from kampungnet.core import clock, pages
from kampungnet.core.errors import NotFound, Problem
from kampungnet.core.languages import N_, Language
from kampungnet.core.web import Reads, database_of, texts_of
from kampungnet.hotspot import garden, garden_check
from kampungnet.hotspot.garden import NewEntry
from kampungnet.hotspot.models import GardenEntry
from kampungnet.staff.access import CurrentStaff
from kampungnet.staff.service import Role, SignedIn

MOST_FIELDS: Final = 12
REVIEW: Final = timedelta(days=365)
FIELDS: Final = ("host", "title", "owner", "reason", "review_on", "ports")
PROBLEMS: Final = {
    garden_check.NO_NAME: N_("This name leads nowhere. Ask its owner, or end it."),
    garden_check.NO_ANSWER: N_("Nobody answers there. Ask its owner, or end it."),
    garden.NOT_KNOWN: N_("It could not be looked at; it will be tried again in an hour."),
}

router = APIRouter(prefix="/layanan-gratis", include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as people read it."""

    entry: GardenEntry
    review: str
    is_overdue: bool
    problem: str
    is_broken: bool
    """The problem is the place's own, as far as anybody knows."""
    looked: str
    """When it was looked at, as an age; empty: not yet."""


async def _sent(request: Request, _staff: CurrentStaff) -> dict[str, str]:
    return await texts_of(request, MOST_FIELDS)


@router.get("")
def shown(request: Request, db: Reads, staff: CurrentStaff) -> Response:
    """Show the list."""
    return _page(request, db, staff, {})


@router.post("")
def done(request: Request, staff: CurrentStaff, sent: Annotated[dict[str, str], Depends(_sent)]) -> Response:
    """Change the list, or show it again with what is wrong."""
    database = database_of(request)
    try:
        with database.writes() as db:
            _do(db, staff, sent, clock.now_ms())
    except Problem as problem:
        with database.reads() as db:
            return _page(request, db, staff, sent, problem)
    return RedirectResponse("/layanan-gratis", 303)


def _do(db: Session, by: SignedIn, sent: Mapping[str, str], now_ms: int) -> None:
    act, key = sent.get("act", ""), sent.get("one", "")
    if act == "add":
        garden.add(db, by, NewEntry(**{name: sent.get(name, "") for name in FIELDS}), now_ms)
    elif act == "review":
        garden.review(db, by, key, sent.get("review_on", ""), now_ms)
    elif act == "end":
        garden.end(db, by, key, now_ms)
    else:
        raise NotFound(N_("This page cannot do that. Go back and try again."))


def _page(
    request: Request, db: Session, staff: SignedIn, sent: Mapping[str, str], problem: Problem | None = None
) -> Response:
    language, now_ms, regency = pages.language_of(request), clock.now_ms(), staff.scope.regency
    today = clock.local_day(now_ms, clock.zone_of(regency))
    found = garden.entries(db, regency)
    hosts = {one.host for one in found}
    return pages.render(
        request, "hotspot/garden.html", problem.status if problem else 200,
        lines=[_line(one, one.review_on <= today, language, now_ms) for one in found],
        examples=[one for one in garden.examples() if one.host not in hosts],
        typed={name: sent.get(name, "") if sent.get("act") == "add" else "" for name in FIELDS},
        may_change=staff.role is Role.ENGINEER and staff.scope.is_whole, next_review=(today + REVIEW).isoformat(),
        problem=problem.sentence if problem else None,
    )  # fmt: skip


def _line(one: GardenEntry, overdue: bool, language: Language, now_ms: int) -> Line:
    return Line(
        one, language.full_day(one.review_on), overdue, language.say(PROBLEMS[one.problem]) if one.problem else "",
        one.problem not in {"", garden.NOT_KNOWN}, language.age(one.checked_ms, now_ms) if one.checked_ms else "",
    )  # fmt: skip
