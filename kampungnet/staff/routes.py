"""Signing in and out."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from kampungnet.core import clock, pages, security
from kampungnet.core.errors import NotSignedIn, TooMany
from kampungnet.core.web import SIGN_IN_PATH, Reads, Writes, database_of
from kampungnet.staff import audit, service
from kampungnet.staff.access import CurrentStaff, cookie_name
from kampungnet.staff.service import Role

router = APIRouter(include_in_schema=False)

Before = Annotated[int | None, Query(ge=1, le=2**62)]


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
    cookie, wanted = cookie_name(request), security.own_path(ke)
    address = request.client.host if request.client else ""
    try:
        token = service.sign_in(database_of(request), (username, password), address, clock.now_ms())
    except (NotSignedIn, TooMany) as problem:
        return pages.render(
            request, "staff/sign_in.html", problem.status, wanted=wanted, username=username, problem=problem.sentence
        )
    answer = RedirectResponse(wanted, 303)
    answer.set_cookie(cookie, token, path="/", secure=cookie.startswith("__Host-"), httponly=True, samesite="lax")
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


@router.get("/catatan")
def acts(
    request: Request,
    db: Reads,
    staff: CurrentStaff,
    apa: str = "",
    sebelum: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """Show what staff decided, a page at a time."""
    staff.check_role(Role.ENGINEER, Role.AUDITOR)
    regency, language, now_ms = staff.scope.regency, pages.language_of(request), clock.now_ms()
    zone = clock.zone_of(regency)
    found = audit.entries(db, regency, apa, sebelum, audit.PAGE + 1)
    shown = [(one, language.moment(one.at_ms, zone, now_ms, with_zone=False)) for one in found[: audit.PAGE]]
    older = urlencode({"apa": apa, "sebelum": shown[-1][0].sequence}) if len(found) > audit.PAGE else ""
    return pages.render(
        request, "staff/audit.html", entries=shown, kinds=audit.kinds(db, regency), only=apa, older=older,
        seal="{} · {}".format(*audit.head(db, regency)),
    )  # fmt: skip
