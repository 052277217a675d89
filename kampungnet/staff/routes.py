"""Signing in and out. After the password more may be asked for: those pages show what the session still lacks."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session
from starlette.datastructures import URL

from kampungnet.core import clock, pages, security
from kampungnet.core.errors import NotSignedIn, Problem, TooMany
from kampungnet.core.web import SIGN_IN_PATH, Reads, Writes, database_of, texts_of
from kampungnet.staff import factor_page, second_factor, service, signing_in
from kampungnet.staff.access import cookie_name
from kampungnet.staff.models import StaffMember
from kampungnet.staff.signing_in import Opened, Stage, Visitor

STEP_PATH: Final = f"{SIGN_IN_PATH}/langkah"
_PAGE: Final = "staff/step.html"
_MOST_FIELDS: Final = 6

router = APIRouter(include_in_schema=False)


def visitor_of(request: Request) -> Visitor:
    """Return who is at the other end."""
    address = request.client.host if request.client else ""
    browser = signing_in.browser_words(request.headers.get("user-agent", ""))
    return Visitor(address, browser, request.cookies.get(cookie_name(request), ""))


def give(answer: Response, request: Request, token: str) -> None:
    """Give the browser the token of its session."""
    cookie = cookie_name(request)
    answer.set_cookie(cookie, token, path="/", secure=cookie.startswith("__Host-"), httponly=True, samesite="lax")


def half_signed_in(request: Request, db: Reads) -> tuple[StaffMember, Stage]:
    """Return who is on the way in. Raises ``NotSignedIn``."""
    return signing_in.half_of(db, visitor_of(request).token, clock.now_ms())


async def sent_form(request: Request, _half: "Half") -> dict[str, str]:
    """Return a form's fields, read only from who is on the way in."""
    return await texts_of(request, _MOST_FIELDS)


Half = Annotated[tuple[StaffMember, Stage], Depends(half_signed_in, scope="function")]
Sent = Annotated[dict[str, str], Depends(sent_form)]


@router.get(SIGN_IN_PATH)
def sign_in_form(request: Request, db: Reads, ke: str = "/") -> Response:
    """Show the form; who is signed in already goes on to the page wanted."""
    token = request.cookies.get(cookie_name(request))
    if token and service.staff_of(db, token, clock.now_ms()):
        return RedirectResponse(security.own_path(ke), 303)
    return pages.render(request, "staff/sign_in.html", wanted=security.own_path(ke), username="", problem=None)


@router.post(SIGN_IN_PATH)
def sign_in(
    request: Request,
    username: Annotated[str, Form(max_length=100)],
    password: Annotated[str, Form(max_length=1000)],
    ke: Annotated[str, Form()] = "/",
) -> Response:
    """Open a session, or show the form again with the reason."""
    visitor, wanted = visitor_of(request), security.own_path(ke)
    try:
        opened = signing_in.sign_in(database_of(request), (username, password), visitor, clock.now_ms())
    except (NotSignedIn, TooMany) as problem:
        return pages.render(
            request, "staff/sign_in.html", problem.status, wanted=wanted, username=username, problem=problem.sentence
        )
    return _onward(request, opened, wanted)


@router.get(STEP_PATH)
def step(request: Request, db: Reads, ke: str = "/") -> Response:
    """Show what is still asked for; who is not on the way in begins at the form."""
    wanted = security.own_path(ke)
    try:
        half = half_signed_in(request, db)
    except NotSignedIn:  # not back to here: who is signed in already would go round for ever
        return RedirectResponse(_with_wanted(SIGN_IN_PATH, wanted), 303)
    return _step(request, db, half, wanted)


@router.post(STEP_PATH)
def take_step(request: Request, db: Reads, half: Half, sent: Sent) -> Response:
    """Take one step, or show the page again with the reason."""
    database, visitor, now_ms = database_of(request), visitor_of(request), clock.now_ms()
    member, stage = half
    wanted, code = security.own_path(sent.get("ke")), sent.get("code", "")
    try:
        if stage is Stage.CODE:
            return _onward(request, signing_in.give_code(database, code, visitor, now_ms), wanted)
        if stage is Stage.PASSWORD:
            opened = signing_in.choose_password(database, sent.get("password", ""), visitor, now_ms)
            return _onward(request, opened, wanted)
        opened, spare = signing_in.prove_factor(database, (sent.get("offer", ""), code), visitor, now_ms)
    except Problem as problem:
        return _step(request, db, half, wanted, problem)
    answer = pages.render(request, "staff/spare_codes.html", codes=spare, wanted=wanted, name=member.name)
    give(answer, request, opened.token)
    return answer


@router.post("/keluar")
def sign_out(request: Request, db: Writes) -> Response:
    """End the session at the server and in the browser."""
    cookie = cookie_name(request)
    token = request.cookies.get(cookie)
    if token:
        service.sign_out(db, token)
    answer = RedirectResponse(SIGN_IN_PATH, 303)
    answer.delete_cookie(cookie, path="/", secure=cookie.startswith("__Host-"), httponly=True, samesite="lax")
    return answer


def _onward(request: Request, opened: Opened, wanted: str) -> Response:
    if opened.stage is Stage.DONE:
        answer = RedirectResponse(wanted, 303)
    else:
        answer = RedirectResponse(_with_wanted(STEP_PATH, wanted), 303)
    give(answer, request, opened.token)
    return answer


def _with_wanted(path: str, wanted: str) -> str:
    return str(URL(path).include_query_params(ke=wanted)) if wanted != "/" else path


def _step(
    request: Request, db: Session, half: tuple[StaffMember, Stage], wanted: str, problem: Problem | None = None
) -> Response:
    member, stage = half
    offer = factor_page.offer(db, member.username) if stage is Stage.FACTOR else None
    return pages.render(
        request, _PAGE, problem.status if problem else 200, stage=stage.value, wanted=wanted, name=member.name,
        username=member.username, offer=offer, problem=problem.sentence if problem else None,
        is_required=second_factor.is_asked_of(member), letters=security.PASSWORD_LETTERS,
    )  # fmt: skip
