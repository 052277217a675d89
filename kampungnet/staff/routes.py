"""Signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from kampungnet.core import clock, pages, security
from kampungnet.core.errors import NotSignedIn, TooMany
from kampungnet.core.web import SIGN_IN_PATH, Reads, Writes, database_of
from kampungnet.staff import service
from kampungnet.staff.access import cookie_name

router = APIRouter(include_in_schema=False)


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
        before = request.cookies.get(cookie, "")
        token = service.sign_in(database_of(request), (username, password), address, clock.now_ms(), before)
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
