"""The login page on the server, for villages whose router leads there: open to everybody, without a cookie.

What the router hands over stands in the address; it is used for this answer and forgotten. The browser goes back to
an address that an engineer set for the village, and to no other. A password is answered to the router's challenge
here, so that it needs no script in the phone; without a challenge the form goes to the router itself, as from the
router's own pages.
"""

import asyncio
import time
from functools import cache, lru_cache
from typing import Annotated, Final
from urllib.parse import parse_qsl, urlencode
from weakref import WeakKeyDictionary

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup, escape
from sqlalchemy import select

from kampungnet.core import clock, pages, security
from kampungnet.core.database import Database
from kampungnet.core.errors import NotFound, Unprocessable
from kampungnet.core.languages import DEFAULT, N_
from kampungnet.core.sight import Sight
from kampungnet.core.web import texts_of, whole_database_of
from kampungnet.devices.models import Site
from kampungnet.hotspot import codes, handover, portal_pages, portals
from kampungnet.hotspot.handover import Handed, origins
from kampungnet.hotspot.portal_pages import ERRORS, NOT_RIGHT, At, Portal
from kampungnet.staff.service import Scope

MOST_FIELDS: Final = 30
FRESH_SECONDS: Final = 5.0
"""What was changed at the desk is on the page after this."""
MOST_KEPT: Final = 1_000

_Shelf = dict[str, tuple[float, Portal]]
_SHELVES: Final[WeakKeyDictionary[Database, _Shelf]] = WeakKeyDictionary()
"""What the pages of villages say, for some seconds: after the market 200 guests arrive at once."""
_NONE: Final = N_("There is no login page here. Open the one that the village's wifi shows by itself.")
_STRANGE: Final = N_("This is not the login of this village's wifi. Join the wifi again and open its own page.")

_NOTHING: Final = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
_CLICK, _OTHER_LINK, _HIDDEN = "$click$", "$other$", "$hidden$"
"""Places in a drawn page; what people write cannot look like them: their ``$`` is drawn as ``&#36;``."""
_FIELD: Final = Markup('<input type="hidden" name="{}" value="{}">')

router = APIRouter(prefix="/portal/{village}", include_in_schema=False)


async def portal_of(request: Request, village: str) -> Portal:
    """Return what the page of a village says. Raises ``NotFound`` where the server has none."""
    database = whole_database_of(request)
    shelf, now = _SHELVES.setdefault(database, {}), time.monotonic()
    until, found = shelf.get(village, (0.0, None))
    if found is None or until < now:
        if found is not None:  # one asks, the others go on with what is there
            shelf[village] = now + FRESH_SECONDS, found
        found = await asyncio.to_thread(_portal, database, village)
        if len(shelf) >= MOST_KEPT:
            shelf.clear()
        shelf[village] = now + FRESH_SECONDS, found
    return found


async def _form(request: Request, _portal: Annotated[Portal, Depends(portal_of)]) -> dict[str, str]:
    return await texts_of(request, MOST_FIELDS)


SeenPortal = Annotated[Portal, Depends(portal_of)]


@router.get("")
async def shown(request: Request, portal: SeenPortal) -> Response:
    """Show the login page."""
    given = _handed(request.url.query)
    return _page(portal, _language(given), _read(portal, given))


@router.get(f"/{portal_pages.SIGN}")
async def sign(_portal: SeenPortal) -> Response:
    """Answer the router's own page, which asks whether this one is there, with a picture of nothing."""
    headers = security.HEADERS | {"Cross-Origin-Resource-Policy": "cross-origin"}
    return Response(_NOTHING, media_type="image/svg+xml", headers=headers)


@router.post("")
async def tried(portal: SeenPortal, form: Annotated[dict[str, str], Depends(_form)]) -> Response:
    """Answer the router's challenge with what was typed, and send the browser back to the router."""
    code, handed = _language(form), _read(portal, form)
    name, password = form.get("username", "").strip(), form.get("password", "")
    if not password:  # a voucher: as it was typed, with capitals and blanks
        name = codes.read(name) or name
    if handed.login is None or handed.challenge is None:
        return _page(portal, code, handed)
    if not _can_be(name, handover.LONGEST_NAME) or (password and not _can_be(password, handover.LONGEST_PASSWORD)):
        return _page(portal, code, handed, pages.all_languages()[code].say(NOT_RIGHT))
    sent = [("username", name), ("password", handed.challenge.answer(password))]
    link = handover.onward(handed.login, [*sent, *_target(code)])
    return RedirectResponse(link, 303, headers=_headers(portal))


def _portal(database: Database, village: str) -> Portal:
    Scope(village[:5]).check(village)
    with database.seen_by(Sight(village)).reads() as db:
        found = db.execute(select(Site.regency, Site.code).where(Site.village == village).order_by(Site.code)).first()
        if found is None or not portals.policy(db, (found[0], found[1])).logins:
            raise NotFound(_NONE)
        return portal_pages.shown_at(db, (found[0], found[1]), clock.now_ms())


def _handed(query: str) -> dict[str, str]:
    """Return what stands in the address, one letter for each byte; nothing of what no router writes."""
    try:
        return dict(parse_qsl(query, keep_blank_values=True, encoding="latin-1", max_num_fields=MOST_FIELDS))
    except ValueError:
        return {}


def _read(portal: Portal, given: dict[str, str]) -> Handed:
    return handover.read(given, portal.policy.logins, _sentences())


@cache
def _sentences() -> dict[str, str]:
    return portal_pages.sentences()


def _page(portal: Portal, code: str, handed: Handed, wrong: str = "") -> Response:
    say = pages.all_languages()[code].say
    if handed.strange:
        page = portal_pages.draw(portal, code, "error.html", At(error=say(_STRANGE), back=portal.policy.logins[0]))
        return HTMLResponse(page, Unprocessable.status, headers=_headers(portal))
    words, other = handed.words(), "en" if code == "id" else "id"
    error = wrong or (say(ERRORS[handed.reason]) if handed.reason else "")
    click, action = _click(handed, code), _action(handed, code)
    page = _drawn(portal, code, (action, bool(click), bool(handed.challenge), error))
    hidden = [(name, value) for name, value in (*words, ("lang", code))]
    of_this_one = {
        _CLICK: escape(click), _OTHER_LINK: escape("?" + urlencode([("lang", other), *words])),
        _HIDDEN: Markup().join(_FIELD.format(name, value) for name, value in hidden),
    }  # fmt: skip
    for place, value in of_this_one.items():
        page = page.replace(place, value)
    return HTMLResponse(page, headers=_headers(portal))


@lru_cache(MOST_KEPT)
def _drawn(portal: Portal, code: str, shape: tuple[str, bool, bool, str]) -> str:
    """Return a page with places for what differs from guest to guest: drawing it costs more than all the rest."""
    action, has_click, has_challenge, error = shape
    at = At(
        action=action, hidden=_HIDDEN if has_challenge else "", click=_CLICK if has_click else "",
        other_link=_OTHER_LINK, back=portal.policy.logins[0], error=error,
    )  # fmt: skip
    return portal_pages.draw(portal, code, "login.html", at)


def _action(handed: Handed, code: str) -> str:
    """Return where the forms go: here, where there is a challenge to answer; else to the router."""
    if handed.login is None or handed.challenge:
        return "?" if handed.login else ""
    return handover.onward(handed.login, _target(code))


def _click(handed: Handed, code: str) -> str:
    if not (handed.login and handed.mac and handed.trial):
        return ""
    return handover.onward(handed.login, [("username", f"T-{handed.mac}"), *_target(code)])


def _target(code: str) -> list[tuple[str, str]]:
    folder = portal_pages.FOLDERS[code].rstrip("/")
    return [("target", folder)] if folder else []


def _language(given: dict[str, str]) -> str:
    wanted = given.get("lang", "")
    return wanted if wanted in portal_pages.FOLDERS else DEFAULT


def _can_be(text: str, longest: int) -> bool:
    return 0 < len(text) <= longest and text.isprintable()


def _headers(portal: Portal) -> dict[str, str]:
    """Let the page's own style stand, and forms go here and to the village's routers."""
    policy = (
        f"default-src 'none'; style-src {_style()}; form-action 'self' {' '.join(origins(portal.policy.logins))}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    return security.HEADERS | {"Content-Security-Policy": policy}


@cache
def _style() -> str:
    return portal_pages.style_hash()
