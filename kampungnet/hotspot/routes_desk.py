"""The desk of a village office: who is online, single devices, notices, accounts, and the rules of the login page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from kampungnet.core import clock, pages
from kampungnet.core.errors import NotFound, Problem, Unprocessable
from kampungnet.core.languages import N_
from kampungnet.core.web import Reads, database_of
from kampungnet.hotspot import desk, desk_page, portals, sessions
from kampungnet.hotspot.desk import NewBinding
from kampungnet.hotspot.handover import login_addresses
from kampungnet.hotspot.policy import MOST_TRIES, Policy
from kampungnet.hotspot.portals import Place
from kampungnet.measurement.planned_work import written
from kampungnet.measurement.routes_ledger import SeenSites, Sites
from kampungnet.shared.wanted import BindingKind
from kampungnet.staff.access import CurrentStaff
from kampungnet.staff.service import Role, SignedIn
from kampungnet.villages import service as villages

router = APIRouter(prefix="/desa/{code}/wifi", include_in_schema=False)

MOST_FIELDS: Final = 30
MINUTES_A_DAY: Final = 1440
MOST_WORDS: Final = 200


@dataclass(frozen=True, slots=True)
class Sent:
    """One form of the desk; each act reads the fields it needs."""

    fields: Mapping[str, str]
    ways: frozenset[str]

    def text(self, name: str) -> str:
        """Return what was typed, or nothing."""
        return self.fields.get(name, "")

    def number(self, name: str) -> int:
        """Return a whole number. Raises ``Unprocessable`` for anything else."""
        typed = self.text(name).strip()
        if not (typed.isascii() and typed.isdigit() and len(typed) < 8):
            raise Unprocessable(N_("Please write a whole number."))
        return int(typed)


async def sent_form(request: Request, _staff: CurrentStaff, _seen: SeenSites) -> Sent:
    """Read the form, after we know who sends it and that the village is theirs."""
    async with request.form(max_files=0, max_fields=MOST_FIELDS) as form:
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        return Sent(fields, frozenset(value for value in form.getlist("ways") if isinstance(value, str)))


@router.get("")
def shown(request: Request, db: Reads, staff: CurrentStaff, seen: SeenSites) -> Response:
    """Show the desk."""
    return _page(request, db, staff, seen)


@router.post("")
def done(request: Request, staff: CurrentStaff, seen: SeenSites, sent: Annotated[Sent, Depends(sent_form)]) -> Response:
    """Do one thing, or show the desk again with what is wrong with it."""
    database, now_ms = database_of(request), clock.now_ms()
    try:
        with database.writes() as db:
            _do(db, staff, place_of(seen), sent, now_ms)
    except Problem as problem:
        with database.reads() as db:
            return _page(request, db, staff, seen, problem)
    return RedirectResponse(f"/desa/{seen.village}/wifi", 303)


def _do(db: Session, by: SignedIn, place: Place, sent: Sent, now_ms: int) -> None:
    act, one = sent.text("act"), sent.text("one")
    if act == "kick":
        desk.kick(db, by, place, one, now_ms)
    elif act == "bind":
        desk.bind(db, by, place, _binding(sent), now_ms)
    elif act == "unbind":
        desk.unbind(db, by, place, one, now_ms)
    elif act == "account":
        login = (sent.text("name").strip().lower(), sent.text("password"), sent.text("plan"))
        desk.add_account(db, by, place, login, now_ms)
    elif act == "end-account":
        desk.end_account(db, by, place, one, now_ms)
    elif act == "reset-account":
        desk.reset_account(db, by, place, (one, sent.text("password")), now_ms)
    else:
        _do_more(db, by, place, sent, now_ms)


def _do_more(db: Session, by: SignedIn, place: Place, sent: Sent, now_ms: int) -> None:
    act, one = sent.text("act"), sent.text("one")
    if act == "say":
        desk.say(db, by, place, sent.text("text"), sent.number("days"), now_ms)
    elif act == "unsay":
        desk.unsay(db, by, place, one, now_ms)
    elif act == "erase":
        by.check_role(Role.ENGINEER, Role.OPERATOR)
        sessions.erase(db, by, place, one, now_ms)
    elif act == "policy":
        portals.set_policy(db, by, place, _policy(portals.policy(db, place), sent), now_ms)
    else:
        raise NotFound(N_("This page cannot do that. Go back and try again."))


def _binding(sent: Sent) -> NewBinding:
    kind = BindingKind.BLOCKED if sent.text("kind") == BindingKind.BLOCKED.value else BindingKind.BYPASSED
    return NewBinding(
        kind, sent.text("one"), sent.text("mac"), sent.text("label"), sent.text("reason"), sent.number("days")
    )  # fmt: skip


def _policy(before: Policy, sent: Sent) -> Policy:
    return msgspec.structs.replace(
        before,
        managed="managed" in sent.ways,
        click="click" in sent.ways,
        click_plan=sent.text("plan") or before.click_plan,
        click_seconds=min(MINUTES_A_DAY, sent.number("minutes")) * 60,
        vouchers="vouchers" in sent.ways,
        accounts="accounts" in sent.ways,
        greeting=line(sent.text("greeting")),
        contact=line(sent.text("contact")),
        tries_a_minute=min(MOST_TRIES, sent.number("tries")) if "tries" in sent.fields else before.tries_a_minute,
        logins=login_addresses(sent.text("logins")) if "logins" in sent.fields else before.logins,
    )


def line(text: str) -> str:
    """Return what was typed as one line that fits into the rules."""
    return written(text, required=False)[:MOST_WORDS]


def place_of(seen: Sites) -> Place:
    """Return the site of a village. Raises ``NotFound`` where no box is yet."""
    if not seen.codes:
        raise NotFound(N_("This village has no box yet. Ask an engineer of the kabupaten to install one."))
    return seen.regency, seen.codes[0]


def _page(request: Request, db: Session, staff: SignedIn, seen: Sites, problem: Problem | None = None) -> Response:
    place, language = place_of(seen), pages.language_of(request)
    return pages.render(
        request, "hotspot/desk.html", problem.status if problem else 200,
        village=villages.village(db, seen.village), view=desk_page.view(db, place, language, clock.now_ms()),
        may_change=staff.role in {Role.ENGINEER, Role.OPERATOR}, is_engineer=staff.role is Role.ENGINEER,
        problem=problem.sentence if problem else None,
    )  # fmt: skip
