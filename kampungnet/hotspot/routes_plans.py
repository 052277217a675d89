"""The plans of the regency's free wifi: all staff see them, engineers change them."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from kampungnet.core import clock, pages
from kampungnet.core.errors import Problem
from kampungnet.core.web import Reads, database_of, texts_of
from kampungnet.hotspot import plan_form, plans
from kampungnet.shared.wanted import WantedPlan
from kampungnet.staff.access import CurrentStaff
from kampungnet.staff.service import Role, SignedIn

router = APIRouter(prefix="/paket-wifi", include_in_schema=False)

MOST_FIELDS: Final = 40
NEW: Final = "baru"
"""Where a new plan's form is; no plan may have this name."""


async def _form(request: Request, staff: CurrentStaff) -> dict[str, str]:
    """Read the form, after we know that an engineer sends it."""
    staff.check_role(Role.ENGINEER)
    return await texts_of(request, MOST_FIELDS)


Form = Annotated[dict[str, str], Depends(_form)]


@router.get("")
def listed(request: Request, db: Reads, staff: CurrentStaff) -> Response:
    """Show every plan in words."""
    language = pages.language_of(request)
    found = [
        (title, plan, offered, plan_form.words(plan, language))
        for title, plan, offered in plans.listed(db, staff.scope.regency)
    ]
    return pages.render(request, "hotspot/plans.html", plans=found, may_change=staff.role is Role.ENGINEER, new=NEW)


@router.get("/{name}")
def shown(request: Request, db: Reads, staff: CurrentStaff, name: str) -> Response:
    """Show a plan with its form, or the form of a new one."""
    return _page(request, db, staff, name)


@router.post("/{name}")
def done(request: Request, staff: CurrentStaff, form: Form, name: str) -> Response:
    """Make a plan, change it, or offer it no more or again."""
    database, now_ms, act = database_of(request), clock.now_ms(), form.get("act", "save")
    try:
        with database.writes() as db:
            if act in {"retire", "offer"}:
                plans.offer(db, staff, name, now_ms, offered=act == "offer")
            else:
                known = form.get("name", "").strip() if name == NEW else name
                plans.save(db, staff, plan_form.read(form, known), now_ms, new=name == NEW)
    except Problem as problem:
        with database.reads() as db:
            return _page(request, db, staff, name, problem, form if act == "save" else None)
    return RedirectResponse("/paket-wifi", 303)


def _page(
    request: Request, db: Session, staff: SignedIn, name: str, problem: Problem | None = None,
    typed: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    is_new = name == NEW
    title, plan, offered = ("", WantedPlan("x"), True) if is_new else plans.find(db, staff.scope.regency, name)
    values = plan_form.shown(title, plan) | ({"name": ""} if is_new else {}) | (typed or {})
    return pages.render(
        request, "hotspot/plan.html", problem.status if problem else 200, title=title, values=values, offered=offered,
        is_new=is_new, days=plan_form.DAYS, may_change=staff.role is Role.ENGINEER,
        problem=problem.sentence if problem else None,
    )  # fmt: skip
