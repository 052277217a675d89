"""What is not as it should be, as a page for who looks after the whole regency, and as JSON."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from kampungnet.core import clock, pages
from kampungnet.core.errors import NotFound, Unprocessable
from kampungnet.core.languages import N_, Language
from kampungnet.core.web import DATA_PREFIX, Reads, database_of
from kampungnet.devices.sites import villages_of
from kampungnet.measurement import judged, lost_rulings, oddities
from kampungnet.measurement.oddities import BOX_WORDS, DAYS, KNOCK_WORDS, WORDS, Knocked, Odd, OddBox, OddDevice
from kampungnet.measurement.outage_list import CAUSES
from kampungnet.measurement.outage_models import Ruling
from kampungnet.measurement.outage_words import Cause
from kampungnet.staff.access import CurrentStaff
from kampungnet.staff.service import Role, SignedIn
from kampungnet.villages import service as villages
from kampungnet.villages.models import Regency

router = APIRouter(include_in_schema=False)
data_router = APIRouter(prefix=f"{DATA_PREFIX}v1", tags=["ledger"])


@dataclass(frozen=True, slots=True)
class OddDeviceOut:
    """One kind of oddity of one device; without a device of the box itself."""

    village: str
    site: str
    device: str
    what: str
    first: date
    last: date
    count: int


@dataclass(frozen=True, slots=True)
class OddBoxOut:
    """Counters of a box that should be 0, since it was enrolled."""

    village: str
    site: str
    agent: str
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class KnockOut:
    """A box that was not let in; without a village nobody knows whose it is."""

    village: str
    what: str
    network: str
    first: str
    last: str
    count: int


@dataclass(frozen=True, slots=True)
class LostRulingOut:
    """A cause that somebody set for an outage that readings have changed since: it counts nowhere."""

    village: str
    site: str
    start: str
    end: str
    cause: str
    reason: str
    made_by: str
    made: str


@dataclass(frozen=True, slots=True)
class OdditiesOut:
    """What is odd in a regency."""

    devices: list[OddDeviceOut]
    boxes: list[OddBoxOut]
    knocks: list[KnockOut]
    lost_rulings: list[LostRulingOut]


@dataclass(frozen=True, slots=True)
class _Row:
    village: str
    name: str
    device: str
    when: str
    count: str


@dataclass(frozen=True, slots=True)
class _Group:
    title: str
    meaning: str
    remedy: str
    rows: tuple[_Row, ...]


@dataclass(frozen=True, slots=True)
class _Lost:
    """A ruling that is about nothing any more, and what somebody typed who could not take it back."""

    village: str
    name: str
    site: str
    made_ms: int
    when: str
    what: str
    made: str
    typed: str = ""
    problem: str = ""


Refused = tuple[str, str, str, str]
"""Site and time of a ruling, what was typed, and the sentence."""


@router.get("/janggal")
def page(request: Request, db: Reads, staff: CurrentStaff) -> Response:
    """Show what was odd in the last thirty days, by kind, and the boxes that lost or doubled readings."""
    _check(staff)
    return _page(request, db, staff)


@router.post("/janggal/sebab")
def take_back(
    request: Request, staff: CurrentStaff, site: Annotated[str, Form()] = "", made: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:  # fmt: skip
    """Take a cause back that is about nothing any more."""
    _check(staff)
    database = database_of(request)
    try:
        with database.writes() as db:
            made_ms = int(made) if made.isdecimal() and len(made) < 16 else 0
            lost_rulings.take_back(db, staff, site, made_ms, reason, clock.now_ms())
    except Unprocessable as problem:
        with database.reads() as db:
            return _page(request, db, staff, (site, made, reason, problem.sentence))
    return RedirectResponse("/janggal", 303)


def _page(request: Request, db: Session, staff: SignedIn, refused: Refused | None = None) -> Response:
    language, now_ms = pages.language_of(request), clock.now_ms()
    regency = db.get_one(Regency, staff.scope.regency)
    names, today = villages.names(db, regency.code), clock.local_day(now_ms, regency.time_zone)
    found = oddities.devices(db, regency.code, today - timedelta(days=DAYS - 1), today)
    groups = [_of_kind(what, found, names, language) for what in Odd]
    groups += [_of_boxes(*words, oddities.boxes(db, regency.code), names, (language, now_ms)) for words in BOX_WORDS]
    knocked = oddities.knocked(db, regency.code, now_ms - DAYS * clock.DAY_MS)
    groups += [_of_knocks(*words, [one for one in knocked if one.knock is kind], names, (language, now_ms))
               for kind, words in KNOCK_WORDS.items()]  # fmt: skip
    sites, at = villages_of(db, regency.code), (regency.time_zone, now_ms)
    lost = [
        _lost(one, (sites[one.site], names.get(sites[one.site], one.site)), language, at, refused)
        for one in lost_rulings.lost_rulings(db, regency.code, now_ms)
    ]
    return pages.render(
        request, "measurement/oddities.html", 422 if refused else 200, regency=regency, days=DAYS, lost=lost,
        groups=[one for one in groups if one.rows], may_take_back=staff.role is Role.ENGINEER,
        judged=judged.age(db, regency.code, language, now_ms),
    )  # fmt: skip


@data_router.get("/oddities", summary="Readings and boxes that are not as they should be, of the last thirty days")
def listed(db: Reads, staff: CurrentStaff) -> OdditiesOut:
    """Return what the page shows: oddities by device and kind, and counters of boxes."""
    _check(staff)
    regency = staff.scope.regency
    today = clock.local_day(clock.now_ms(), clock.zone_of(regency))
    found = oddities.devices(db, regency, today - timedelta(days=DAYS - 1), today)
    sites = villages_of(db, regency)
    lost = lost_rulings.lost_rulings(db, regency, clock.now_ms())
    return OdditiesOut(
        [OddDeviceOut(one.village, one.site, one.device, one.what.value, one.first, one.last, one.count)
         for one in found],
        [OddBoxOut(one.village, one.site, one.agent, dict(one.counts)) for one in oddities.boxes(db, regency)],
        [_knock_out(one, clock.zone_of(regency))
         for one in oddities.knocked(db, regency, clock.now_ms() - DAYS * clock.DAY_MS)],
        [_lost_out(one, sites[one.site], clock.zone_of(regency)) for one in lost],
    )  # fmt: skip


def _check(staff: SignedIn) -> None:
    if not staff.scope.is_whole:
        raise NotFound(N_("There is no such page here. Go back to the first page."))


def _lost(
    one: Ruling, village: tuple[str, str], language: Language, at: tuple[str, int], refused: Refused | None
) -> _Lost:
    when = language.stretch(one.start_ms, one.end_ms, *at)
    made = language.moment(one.made_ms, *at, with_zone=False)
    what = f"{language.say(CAUSES[Cause(one.cause)])}: {one.reason}"
    by = language.say("Set by %(name)s, %(moment)s.", name=one.made_by, moment=made)
    is_refused = refused is not None and refused[:2] == (one.site, str(one.made_ms))
    typed, problem = refused[2:] if refused and is_refused else ("", "")
    return _Lost(*village, one.site, one.made_ms, when, what, by, typed, problem)


def _lost_out(one: Ruling, village: str, zone: str) -> LostRulingOut:
    start, end, made = (clock.local(at, zone).isoformat() for at in (one.start_ms, one.end_ms, one.made_ms))
    return LostRulingOut(village, one.site, start, end, one.cause, one.reason, one.made_by, made)


def _of_kind(what: Odd, found: list[OddDevice], names: dict[str, str], language: Language) -> _Group:
    title, meaning, remedy = (language.say(one) for one in WORDS[what])
    rows = tuple(
        _Row(one.village, names.get(one.village, one.village), one.device or language.say("the box"),
             _when(one, language), language.number(one.count))
        for one in found if one.what is what
    )  # fmt: skip
    return _Group(title, meaning, remedy, rows)


def _of_boxes(
    counter: str, title: str, remedy: str, found: list[OddBox], names: dict[str, str], at: tuple[Language, int]
) -> _Group:
    language, now_ms = at
    rows = tuple(
        _Row(one.village, names.get(one.village, one.village), language.say("the box"),
             language.age(one.last_report_ms, now_ms), language.number(one.counts[counter]))
        for one in found if counter in one.counts
    )  # fmt: skip
    return _Group(language.say(title), language.say("Since the box was enrolled."), language.say(remedy), rows)


def _of_knocks(
    title: str, meaning: str, remedy: str, found: list[Knocked], names: dict[str, str], at: tuple[Language, int]
) -> _Group:
    language, now_ms = at
    unknown = language.say("nobody's")
    rows = tuple(
        _Row(one.village, names.get(one.village, one.village) or unknown,
             one.network or language.say("unknown network"), language.age(one.last_ms, now_ms),
             language.number(one.count))
        for one in found
    )  # fmt: skip
    return _Group(language.say(title), language.say(meaning), language.say(remedy), rows)


def _knock_out(one: Knocked, zone: str) -> KnockOut:
    first, last = (clock.local(at, zone).isoformat() for at in (one.first_ms, one.last_ms))
    return KnockOut(one.village, one.knock.value, one.network, first, last, one.count)


def _when(one: OddDevice, language: Language) -> str:
    if one.first == one.last:
        return language.day(one.first)
    return language.say("%(first)s to %(last)s", first=language.day(one.first), last=language.day(one.last))
