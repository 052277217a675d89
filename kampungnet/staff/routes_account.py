"""One's own account, and the page on which engineers help people who lost a phone or a password."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from kampungnet.core import clock, pages, security
from kampungnet.core.errors import Problem, Unprocessable
from kampungnet.core.languages import N_
from kampungnet.core.web import Reads, database_of, texts_of
from kampungnet.staff import accounts, factor_page, second_factor, service, signing_in
from kampungnet.staff.access import CurrentStaff
from kampungnet.staff.models import StaffMember
from kampungnet.staff.routes import give, visitor_of
from kampungnet.staff.service import Role, SignedIn
from kampungnet.villages import service as villages

PATH: Final = "/akun"
PEOPLE_PATH: Final = "/petugas"
_MOST_FIELDS: Final = 8
_CHANGED: Final = N_("The password was changed. All other sessions have ended.")
_ENDED: Final = N_("Signed out there.")
_DONE: Final = N_("Done. It stands in the log.")
_ROLES: Final = {
    Role.ENGINEER: N_("Engineer"), Role.OPERATOR: N_("Village operator"), Role.BUDGET: N_("Budget staff"),
    Role.AUDITOR: N_("Auditor"),
}  # fmt: skip

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Open:
    """One session as its owner reads it."""

    key: str
    browser: str
    address: str
    started: str
    seen: str
    is_this: bool


@dataclass(frozen=True, slots=True)
class Person:
    """One line of the list."""

    member: StaffMember
    role: str
    place: str
    sessions: int


async def _sent(request: Request, _staff: CurrentStaff) -> dict[str, str]:
    return await texts_of(request, _MOST_FIELDS)


Sent = Annotated[dict[str, str], Depends(_sent)]


@router.get(PATH)
def account(request: Request, db: Reads, staff: CurrentStaff, lagi: str = "") -> Response:
    """Show one's own account."""
    done = {"sandi": _CHANGED, "sesi": _ENDED, "faktor": _DONE}.get(lagi, "")
    return _account(request, db, staff, done=done)


@router.post(PATH)
def change(request: Request, db: Reads, staff: CurrentStaff, sent: Sent) -> Response:
    """Change something, or show the page again with the reason."""
    act = sent.get("act", "")
    try:
        return _change(request, staff, act, sent)
    except Problem as problem:
        return _account(request, db, staff, problem, is_open=act == "factor_on")


@router.get(PEOPLE_PATH)
def people(request: Request, db: Reads, staff: CurrentStaff) -> Response:
    """Show who signs in."""
    return _people(request, db, staff)


@router.post(PEOPLE_PATH)
def administer(request: Request, db: Reads, staff: CurrentStaff, sent: Sent) -> Response:
    """Help somebody, or shut somebody out."""
    staff.check_role(Role.ENGINEER)
    one, act, reason = (sent.get(name, "") for name in ("one", "act", "reason"))
    try:
        made = accounts.administer(database_of(request), staff, act, one, reason, clock.now_ms())
    except Problem as problem:
        return _people(request, db, staff, problem)
    return _people(request, db, staff, made=(one, made))


def _change(request: Request, staff: SignedIn, act: str, sent: dict[str, str]) -> Response:
    database, visitor, now_ms = database_of(request), visitor_of(request), clock.now_ms()
    if act in {"password", "factor_on", "factor_off"}:
        accounts.confirm(database, staff, sent.get("password", "")[:1000], visitor, now_ms)
    if act == "password":
        opened = accounts.change_password(database, staff, sent.get("new", "")[:1000], visitor, now_ms)
        answer: Response = _back("sandi")
        give(answer, request, opened.token)
        return answer
    if act == "factor_on":
        with database.writes() as db:
            spare = accounts.turn_factor_on(db, staff, (sent.get("offer", ""), sent.get("code", "")), now_ms)
        return pages.render(request, "staff/spare_codes.html", codes=spare, wanted=PATH, name=staff.name)
    if act == "factor_off":
        accounts.turn_factor_off(database, staff, sent.get("code", ""), visitor, now_ms)
        return _back("faktor")
    with database.writes() as db:
        if act == "end_others":
            accounts.end_others(db, staff, visitor)
        elif act == "end":
            accounts.end_session(db, staff, sent.get("one", ""))
        else:
            raise Unprocessable(N_("This cannot be done. Open the page again and choose from it."))
    return _back("sesi")


def _back(what: str) -> Response:
    return RedirectResponse(f"{PATH}?lagi={what}", 303)


def _account(
    request: Request, db: Session, staff: SignedIn, problem: Problem | None = None, *, done: str = "",
    is_open: bool = False,
) -> Response:  # fmt: skip
    member, language, zone = service.member_of(db, staff.username), pages.language_of(request), _zone(staff)
    now_ms, this = clock.now_ms(), security.token_hash(visitor_of(request).token)
    listed = [
        Open(
            one.token_hash.hex(), one.browser, one.address, language.moment(one.started_ms, zone, now_ms),
            language.moment(one.last_seen_ms, zone, now_ms), one.token_hash == this,
        )
        for one in signing_in.sessions_of(db, staff.username, now_ms)
    ]  # fmt: skip
    since = member.factor_since_ms
    return pages.render(
        request, "staff/account.html", problem.status if problem else 200, sessions=listed, done=done,
        problem=problem.sentence if problem else "", is_required=second_factor.is_asked_of(member),
        letters=security.PASSWORD_LETTERS,
        since=language.moment(since, zone, now_ms) if since is not None else "", offer_open=is_open,
        spare_left=second_factor.spare_left(db, staff.username),
        offer=factor_page.offer(db, staff.username) if since is None else None,
    )  # fmt: skip


def _people(
    request: Request, db: Session, staff: SignedIn, problem: Problem | None = None, made: tuple[str, str] = ("", "")
) -> Response:
    language = pages.language_of(request)
    db.expire_all()
    names = villages.names(db, staff.scope.regency) | villages.districts(db, staff.scope.regency)
    listed = [
        Person(one, language.say(_ROLES[Role(one.role)]), names.get(one.village or one.district or "", ""), number)
        for one, number in accounts.people(db, staff)
    ]
    username, password = made
    name = next((one.member.name for one in listed if one.member.username == username), "")
    return pages.render(
        request, "staff/people.html", problem.status if problem else 200, people=listed, password=password,
        password_of=name, problem=problem.sentence if problem else "", done=_DONE if username and not password else "",
    )  # fmt: skip


def _zone(staff: SignedIn) -> str:
    return clock.zone_of(staff.scope.regency)
