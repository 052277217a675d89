"""A village's line as everybody may see it: up or down now, this month's availability, visits to the free wifi.

Open to all, so it says nothing of people or devices, and a busy market costs the server one page in half a minute.
"""

import time
from datetime import date
from typing import Final
from weakref import WeakKeyDictionary

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from kampungnet.core import clock, pages
from kampungnet.core.database import Database
from kampungnet.core.languages import N_, Language
from kampungnet.core.sight import Sight
from kampungnet.core.web import whole_database_of
from kampungnet.devices.service import VillageState, village_states
from kampungnet.devices.status import Status
from kampungnet.hotspot import evidence, sessions
from kampungnet.hotspot.evidence import Use
from kampungnet.measurement.months_of_village import months
from kampungnet.staff.service import Scope
from kampungnet.villages import service as villages
from kampungnet.villages.models import Regency

KEPT_SECONDS: Final = 30
MOST_KEPT: Final = 1_000
SENTENCES: Final = {
    Status.UP: N_("The internet of the village office works."),
    Status.DOWN: N_("The internet of the village office is cut."),
    Status.SILENT: N_("The village office has not reported. The power or the line may be off."),
    Status.NEVER: N_("Nothing is measured here yet."),
}

_Shelf = dict[tuple[str, str], tuple[float, Response]]
_SHELVES: Final[WeakKeyDictionary[Database, _Shelf]] = WeakKeyDictionary()

router = APIRouter(include_in_schema=False)


@router.get("/info/{village}")
def public(request: Request, village: str) -> Response:
    """Show a village's line to everybody."""
    database, language = whole_database_of(request), pages.language_of(request)
    shelf, key = _SHELVES.setdefault(database, {}), (village, language.code)
    until, kept = shelf.get(key, (0.0, None))
    # What somebody writes behind the address stands in the page's links: nobody else gets that page.
    is_plain = not request.query_params
    if is_plain and kept is not None and time.monotonic() < until:
        return kept
    Scope(village[:5]).check(village)
    with database.seen_by(Sight(village)).reads() as db:
        answer = _page(request, db, village, language)
    answer.headers["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
    answer.headers["Vary"] = "Cookie"
    if is_plain:
        if len(shelf) >= MOST_KEPT:
            shelf.clear()
        shelf[key] = time.monotonic() + KEPT_SECONDS, answer
    return answer


def _page(request: Request, db: Session, code: str, language: Language) -> Response:
    village, now_ms = villages.village(db, code), clock.now_ms()
    regency = db.get_one(Regency, village.regency)
    (state,) = village_states(db, regency.code, now_ms, only=code)
    known = months(db, (regency.code, state.site), language, now_ms) if state.site else None
    return pages.render(
        request, "hotspot/public.html", village=village, regency=regency,
        district=villages.districts(db, regency.code).get(village.district, ""), sign=state.status.value,
        sentence=language.say(SENTENCES[state.status]), age=language.age(state.last_reading_ms, now_ms),
        months=known.rows if known else (), visits=_visits(db, state, regency, language, now_ms),
    )  # fmt: skip


def _visits(db: Session, state: VillageState, regency: Regency, language: Language, now_ms: int) -> str:
    """Return this month's visits to the free wifi in a sentence; nothing where nobody was seen."""
    today = clock.local_day(now_ms, regency.time_zone)
    first: date = today.replace(day=1)
    days = sessions.days_of_sites(db, regency.code, [state.site] if state.site else [], first, today)
    used = evidence.total(
        Use(one.people, one.people, one.seconds, one.office_seconds) for of_day in days.values()
        for one in of_day.values()
    )  # fmt: skip
    if not used.people:
        return ""
    if used.is_small:
        return language.say("fewer than five devices a day: too few to tell more")
    return language.say(
        "%(visits)s visits, %(hours)s hours; a device counts once a day",
        visits=language.number(used.people), hours=language.number(used.seconds // 3600),
    )  # fmt: skip
