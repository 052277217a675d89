"""What every route shares: its database session, the guard in front, and errors as pages.

``install(app)`` is all an app needs to call; it expects ``app.state.database``.
"""

import logging
from collections.abc import Iterator, Mapping
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy.orm import Session
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kampungnet.core import pages, security, sight
from kampungnet.core.database import Database
from kampungnet.core.errors import BadInput, NotAllowed, NotFound, NotSignedIn, Problem, TooLarge, Unprocessable
from kampungnet.core.languages import N_
from kampungnet.core.sight import Sight

log = logging.getLogger(__name__)

SIGN_IN_PATH: Final = "/masuk"
MAX_FORM_BYTES: Final = 100_000
MAX_FILE_BYTES: Final = 10_500_000
FILE_PATHS: Final = frozenset({"/kontrak/unggah", "/pagu/unggah", "/pagu/tahap/unggah", "/pagu/rekening/unggah"})
"""Forms that bring a table of up to 10 MB; their routes look at who asks before they read it."""
API_PREFIX: Final = "/api/"
DATA_PREFIX: Final = "/data/"
"""JSON for people's programs: behind the guard and with a session like pages, answered like the API."""
_JSON: Final = (API_PREFIX, DATA_PREFIX)

_TITLES: Final[Mapping[int, str]] = {
    400: N_("That could not be understood"),
    401: N_("Please sign in"),
    403: N_("Not allowed"),
    404: N_("Nothing here"),
    405: N_("Not possible here"),
    413: N_("Too much"),
    422: N_("Something is missing"),
    429: N_("One moment"),
    503: N_("Busy right now"),
}
_SENTENCES: Final[Mapping[int, str]] = {
    400: N_("What was sent cannot be read. Open the page again and send it from there."),
    404: N_("This page does not exist, or it belongs to another village. Go back to the first page."),
    405: N_("This page can only be looked at. Go back to the first page."),
    422: N_("There is a character in it that no text has. Take it out and send it again."),
}
_DEFECT: Final = N_("Something broke on our side and has been written down. Please try again in a few minutes.")
_FORGED: Final = N_("This form was not sent from a KampungNet page. Open the page again and send it from there.")


def sight_of(request: Request) -> Sight:
    """Return what the sessions of this request see: no village, until it is known who asks."""
    found: Sight | None = getattr(request.state, "sight", None)
    if found is None:
        found = request.state.sight = Sight(sight.NOBODY_YET)
    return found


def database_of(request: Request) -> Database:
    """Return the app's database as this request sees it, for the few who need more than one session."""
    return whole_database_of(request).seen_by(sight_of(request))


def whole_database_of(request: Request) -> Database:
    """Return the app's database, of which everything is seen: for what is looked up once for many who ask."""
    database: Database = request.app.state.database
    return database


def reads(request: Request) -> Iterator[Session]:
    """Give a route a session that changes nothing."""
    with database_of(request).reads() as db:
        yield db


def writes(request: Request) -> Iterator[Session]:
    """Give a route a session that commits before the answer leaves."""
    with database_of(request).writes() as db:
        yield db


Reads = Annotated[Session, Depends(reads, scope="function")]
Writes = Annotated[Session, Depends(writes, scope="function")]
# scope="function": FastAPI's default would commit after the answer was sent.


async def texts_of(request: Request, most_fields: int) -> dict[str, str]:
    """Return what a form says, its last word for each field; files are refused. Call it once it is known who asks."""
    async with request.form(max_files=0, max_fields=most_fields) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


_NUL: Final = b"\0"
_SENT_NUL: Final = b"%00"
"""As forms and addresses carry it."""


class Guard:
    """Refuses forged requests and those with a NUL, adds the security headers; lets ``/api/`` through untouched.

    Nothing under ``/api/`` may ever look at the session cookie: its requests are signed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"].startswith(API_PREFIX):
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in security.HEADERS.items():
                    headers.setdefault(name, value)
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", security.HSTS)
            await send(message)

        refusal = _refusal(Request(scope, receive))
        takes_file = scope["path"] in FILE_PATHS
        await (refusal or self._app)(scope, receive if takes_file else _without_nul(receive), send_guarded)


def _without_nul(receive: Receive) -> Receive:
    """Pass on a form as long as no NUL is in it: what has one is no text, and PostgreSQL takes none."""
    last = b""

    async def receive_text() -> Message:
        nonlocal last
        message = await receive()
        body = last + message.get("body", b"")
        if _NUL in body or _SENT_NUL in body:
            raise HTTPException(Unprocessable.status)
        last = body[1 - len(_SENT_NUL) :]
        return message

    return receive_text


def _refusal(request: Request) -> Response | None:
    if "\0" in request.scope["path"]:
        return _problem_answer(request, NotFound.status, _SENTENCES[NotFound.status])
    if _SENT_NUL in request.scope["query_string"]:
        return _problem_answer(request, Unprocessable.status, _SENTENCES[Unprocessable.status])
    if request.method in security.SAFE_METHODS:
        return None
    if security.is_forged(request.method, request.headers):
        return _problem_answer(request, NotAllowed.status, _FORGED)
    length = request.headers.get("content-length", "")
    # A form without a length would be read to its end, however long that is.
    most = MAX_FILE_BYTES if request.url.path in FILE_PATHS else MAX_FORM_BYTES
    if not length.isdecimal() or int(length) > most:
        return _problem_answer(request, TooLarge.status, N_("This form is larger than we read."))
    return None


def install(app: FastAPI) -> None:
    """Put guard, static files and error pages into an app."""
    app.add_middleware(Guard)
    app.include_router(pages.router)
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(ClientDisconnect, _on_gone)
    app.add_exception_handler(Exception, _on_defect)


def _on_problem(request: Request, error: Exception) -> Response:
    problem = error if isinstance(error, Problem) else Problem(str(error))
    wants_page = request.method == "GET" and not request.url.path.startswith(_JSON)
    if isinstance(problem, NotSignedIn) and wants_page:
        return _to_sign_in(request)
    return _problem_answer(request, problem.status, problem.sentence)


def _to_sign_in(request: Request) -> Response:
    path, query = request.url.path, request.url.query
    wanted = "" if path == "/" else "?ke=" + quote(path + (f"?{query}" if query else ""), safe="/")
    return RedirectResponse(SIGN_IN_PATH + wanted, 303, headers=security.HEADERS)


def _on_http_exception(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _problem_answer(request, status, _SENTENCES.get(status, _DEFECT))


def _on_invalid(request: Request, error: Exception) -> Response:
    if request.url.path.startswith(_JSON) and isinstance(error, RequestValidationError):
        # Never what was sent: it may be a secret, and it is hostile.
        places = ", ".join(sorted({".".join(str(part) for part in fault["loc"]) for fault in error.errors()}))
        return _problem_answer(request, Unprocessable.status, f"Missing or wrong: {places}.")
    sentence = N_("Please fill in every field and send it again.")
    if request.method in security.SAFE_METHODS:
        sentence = N_("This address cannot be read. Go back to the first page.")
    return _problem_answer(request, Unprocessable.status, sentence)


def _on_gone(request: Request, _error: Exception) -> Response:
    """Whoever sent half a form and went away is no defect of ours; nobody reads this."""
    return _problem_answer(request, BadInput.status, _SENTENCES[BadInput.status])


def _on_defect(request: Request, error: Exception) -> Response:
    log.error("defect at %s %r", request.method, request.url.path, exc_info=error)
    return _problem_answer(request, 500, _DEFECT)


def _problem_answer(request: Request, status: int, sentence: str) -> Response:
    if request.url.path.startswith(_JSON):
        return JSONResponse({"detail": sentence}, status)
    title = _TITLES.get(status, N_("Something broke"))
    return pages.render(request, "core/problem.html", status, title=title, sentence=sentence)
