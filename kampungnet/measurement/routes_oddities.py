"""What is not as it should be, as a page for who looks after the whole regency, and as JSON."""

from dataclasses import dataclass
from datetime import date, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response

from kampungnet.core import clock, pages
from kampungnet.core.errors import NotFound
from kampungnet.core.languages import N_, Language
from kampungnet.core.web import DATA_PREFIX, Reads
from kampungnet.measurement import oddities
from kampungnet.measurement.oddities import BOX_WORDS, DAYS, WORDS, Odd, OddBox, OddDevice
from kampungnet.staff.access import CurrentStaff
from kampungnet.staff.service import SignedIn
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
class OdditiesOut:
    """What is odd in a regency."""

    devices: list[OddDeviceOut]
    boxes: list[OddBoxOut]


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


@router.get("/janggal")
def page(request: Request, db: Reads, staff: CurrentStaff) -> Response:
    """Show what was odd in the last thirty days, by kind, and the boxes that lost or doubled readings."""
    _check(staff)
    language, now_ms = pages.language_of(request), clock.now_ms()
    regency = db.get_one(Regency, staff.scope.regency)
    names, today = villages.names(db, regency.code), clock.local_day(now_ms, regency.time_zone)
    found = oddities.devices(db, regency.code, today - timedelta(days=DAYS - 1), today)
    groups = [_of_kind(what, found, names, language) for what in Odd]
    groups += [_of_boxes(*words, oddities.boxes(db, regency.code), names, (language, now_ms)) for words in BOX_WORDS]
    return pages.render(
        request, "measurement/oddities.html", regency=regency, groups=[one for one in groups if one.rows], days=DAYS,
    )  # fmt: skip


@data_router.get("/oddities", summary="Readings and boxes that are not as they should be, of the last thirty days")
def listed(db: Reads, staff: CurrentStaff) -> OdditiesOut:
    """Return what the page shows: oddities by device and kind, and counters of boxes."""
    _check(staff)
    regency = staff.scope.regency
    today = clock.local_day(clock.now_ms(), clock.zone_of(regency))
    found = oddities.devices(db, regency, today - timedelta(days=DAYS - 1), today)
    return OdditiesOut(
        [OddDeviceOut(one.village, one.site, one.device, one.what.value, one.first, one.last, one.count)
         for one in found],
        [OddBoxOut(one.village, one.site, one.agent, dict(one.counts)) for one in oddities.boxes(db, regency)],
    )  # fmt: skip


def _check(staff: SignedIn) -> None:
    if staff.scope.village is not None:
        raise NotFound(N_("There is no such page here. Go back to the first page."))


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


def _when(one: OddDevice, language: Language) -> str:
    if one.first == one.last:
        return language.day(one.first)
    return language.say("%(first)s to %(last)s", first=language.day(one.first), last=language.day(one.last))
