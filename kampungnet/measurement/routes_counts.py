"""The way from a sum of traffic down to what the router counted: days, hours of a day, readings of an hour."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.core import clock, pages
from kampungnet.core.errors import NotFound, Unprocessable
from kampungnet.core.languages import N_, Language
from kampungnet.core.web import Reads
from kampungnet.devices.models import Site
from kampungnet.measurement import counts, counts_page, service_months, site_traffic
from kampungnet.measurement.ledger import Slot, Step
from kampungnet.measurement.outage_words import Span
from kampungnet.measurement.routes_ledger import SeenSites, Sites
from kampungnet.measurement.service import Place
from kampungnet.measurement.site_traffic import Days, LineDay
from kampungnet.measurement.traffic import unpack_gaps
from kampungnet.villages import service as villages

MOST_DAYS: Final = 62
_EARLIEST, _LATEST = date(2024, 1, 1), date(2099, 12, 30)

router = APIRouter(include_in_schema=False)
Day = Annotated[date, Path(ge=_EARLIEST, le=_LATEST)]
Hour = Annotated[int, Path(ge=0, le=23)]
AskedDay = Annotated[date | None, Query(ge=_EARLIEST, le=_LATEST)]


@dataclass(frozen=True, slots=True)
class Here:
    """A site of a village that this person may see."""

    sites: Sites
    site: str
    name: str

    def days(self, first: date, last: date) -> Days:
        """Return some of its days, both included."""
        return Days(self.sites.regency, self.site, first, last)


def _here(db: Reads, sites: SeenSites, tempat: str = "") -> Here:
    wanted = (Site.regency == sites.regency, Site.village == sites.village)
    rows = db.execute(select(Site.code, Site.name).where(*wanted).order_by(Site.code))
    for code, name in rows:
        if tempat in {"", code}:
            return Here(sites, code, name)
    raise NotFound(N_("Nothing was ever measured here. Go back to the village's page."))


AtSite = Annotated[Here, Depends(_here, scope="function")]


@router.get("/desa/{code}/hitungan")
def days(request: Request, db: Reads, here: AtSite, dari: AskedDay = None, sampai: AskedDay = None) -> Response:
    """Show what the days between two were added up from; without them this month."""
    today = clock.local_day(clock.now_ms(), here.sites.zone)
    last = sampai or (_month_end(dari) if dari else today)
    first = dari or last.replace(day=1)
    if not 0 <= (last - first).days < MOST_DAYS:
        raise Unprocessable(N_("Ask for at most 62 days, the first one first."))
    language, asked = pages.language_of(request), here.days(first, last)
    found = _line_days(db, asked)
    rows = counts_page.days(language, clock.days_between(first, min(last, max(first, today))), found)
    return _page(
        request, db, here, "days", title=f"{language.full_day(first)} – {language.full_day(last)}",
        rows=rows, facts=_facts(db, asked, found, language) if found else [],
        earlier=first - timedelta(days=1), first=first,
    )  # fmt: skip


@router.get("/desa/{code}/hitungan/{day}")
def hours(request: Request, db: Reads, here: AtSite, day: Day) -> Response:
    """Show the hours of one day."""
    language, zone, one = pages.language_of(request), here.sites.zone, _line_day(db, here, day)
    slots = _slots(db, here, one)
    return _page(
        request, db, here, "hours", title=language.full_day(day), day=day,
        rows=counts_page.hours(language, day, zone, slots), gaps=counts_page.gaps(language, zone, _gaps(one)),
    )  # fmt: skip


@router.get("/desa/{code}/hitungan/{day}/{hour}")
def readings(request: Request, db: Reads, here: AtSite, day: Day, hour: Hour) -> Response:
    """Show the five minutes of one hour, and the router's counters as they were received."""
    language, zone, one = pages.language_of(request), here.sites.zone, _line_day(db, here, day)
    start_ms = clock.day_start_ms(day, zone) + hour * counts_page.HOUR_MS
    span = Span(start_ms, start_ms + counts_page.HOUR_MS)
    slots = {at_ms: slot for at_ms, slot in _slots(db, here, one).items() if span.start_ms <= at_ms < span.end_ms}
    touching = [gap for gap in _gaps(one) if gap.first_ms < span.end_ms and gap.last_ms > span.start_ms]
    routers = []
    for device, interface in one.lines if one else ():
        place = Place(here.sites.regency, here.site, device)
        seen = counts_page.readings(language, zone, counts.visits(db, place, interface, span))
        oldest = counts.oldest_reading(db, place)
        routers.append((f"{device}/{interface}", seen, language.full_day(oldest) if oldest else ""))
    times = counts_page.from_to(language, span.start_ms, counts_page.HOUR_MS, zone)
    return _page(
        request, db, here, "readings", title=f"{language.full_day(day)}, {times}", day=day, hour=hour,
        rows=counts_page.fives(language, zone, slots), gaps=counts_page.gaps(language, zone, touching),
        routers=routers,
    )  # fmt: skip


def around(seen: Sites, site: str, outage: tuple[int, int | None], language: Language) -> list[tuple[str, str]]:
    """Return the readings at both ends of an outage (ms since 1970; ``None``: still going on) as words and address."""
    texts = (N_("The router's readings when it began"), N_("The router's readings when it ended"))
    return [
        (language.say(words), f"/desa/{seen.village}/hitungan/{_hour(at_ms, seen.zone)}?{urlencode({'tempat': site})}")
        for words, at_ms in zip(texts, outage, strict=True) if at_ms is not None
    ]  # fmt: skip


def _hour(at_ms: int, zone: str) -> str:
    return f"{clock.local_day(at_ms, zone)}/{clock.local(at_ms, zone).hour}"


def _page(request: Request, db: Session, here: Here, view: str, **values: Any) -> Response:
    code = here.sites.village
    shown = {"rows": [], "facts": [], "gaps": [], "routers": []} | values
    return pages.render(
        request, "measurement/counts.html", view=view, code=code, name=villages.village(db, code).name, here=here,
        base=f"/desa/{code}/hitungan", zone=clock.abbreviation(here.sites.zone), **shown,
    )  # fmt: skip


def _line_days(db: Session, asked: Days) -> list[LineDay]:
    """Return stored days; of months whose hours are forgotten, the closed month knows which interface was the line."""
    months = {day.replace(day=1) for day in clock.days_between(asked.first, asked.last)}
    frozen = [one for month in months for one in service_months.frozen(db, (asked.regency, asked.site), month)]
    named = frozenset(line for one in frozen if one.traffic for line in one.traffic.lines)
    return site_traffic.line_days(db, asked, named)


def _line_day(db: Session, here: Here, day: date) -> LineDay | None:
    found = _line_days(db, here.days(day, day))
    return found[0] if found else None


def _slots(db: Session, here: Here, one: LineDay | None) -> dict[int, Slot]:
    return site_traffic.slots_of(db, here.days(one.day, one.day), one) if one else {}


def _gaps(one: LineDay | None) -> list[Step]:
    return [gap for line in one.lines.values() for gap in unpack_gaps(line.gaps)] if one else []


def _facts(db: Session, asked: Days, found: list[LineDay], language: Language) -> list[tuple[str, str, str]]:
    """Return the sums of some days: their words, the number, and the hour in which it stands."""
    names = [f"{device}/{interface}" for one in found for device, interface in one.lines]
    line, zone, say = site_traffic.line_traffic(db, asked, names), clock.zone_of(asked.regency), language.say
    if line is None:
        return []

    facts = [(say("Received"), language.size(line.rx_bytes), ""), (say("Sent"), language.size(line.tx_bytes), "")]
    for words, bps, received in ((say("95th percentile received"), line.rx_p95_bps, True),
                                 (say("95th percentile sent"), line.tx_p95_bps, False)):  # fmt: skip
        if bps is not None:
            at_ms = counts.slot_of_rate(db, asked, found, bps, received=received)
            facts.append(
                (words, f"{language.number(bps / 1e6, 2)} Mbps", _hour(at_ms, zone) if at_ms is not None else "")
            )
    if line.busiest_bytes:
        facts.append((say("Busiest hour"), language.size(line.busiest_bytes), _hour(line.busiest_hour_ms, zone)))
    measured = say("%(seen)s of %(whole)s", seen=language.number(line.samples), whole=language.number(line.expected))
    return [*facts, (say("Five minutes that were seen whole"), measured, "")]


def _month_end(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1) - timedelta(days=1)
