"""Incidents: what went dark together, for people and as JSON. Who belongs to one village sees its own share only."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from kampungnet.core import clock, pages
from kampungnet.core.errors import NotFound
from kampungnet.core.languages import N_
from kampungnet.core.web import DATA_PREFIX, Reads
from kampungnet.devices.service import village_states
from kampungnet.devices.sites import villages_of
from kampungnet.devices.status import Status
from kampungnet.measurement import incident_log, judged, month_strip
from kampungnet.measurement.incident_words import Told, causes_of, told
from kampungnet.measurement.outage_list import CAUSES, line
from kampungnet.measurement.outage_models import LoggedIncident
from kampungnet.measurement.outage_words import Cause, Span
from kampungnet.staff.access import CurrentStaff
from kampungnet.staff.service import Scope
from kampungnet.villages import service as villages
from kampungnet.villages.models import Regency

DAYS: Final = 31
MOST_SHOWN: Final = 200

router = APIRouter(include_in_schema=False)
data_router = APIRouter(prefix=f"{DATA_PREFIX}v1", tags=["outages"])


@dataclass(frozen=True, slots=True)
class IncidentOut:
    """What went dark together. Its id stays while new readings change the rest."""

    id: str
    start: str
    end: str | None
    cause: str
    confidence: float
    proven: bool
    provisional: bool
    mixed: bool
    place: list[str]
    sites_at_place: int
    villages: list[str]


@router.get("/gangguan")
def incidents(request: Request, db: Reads, staff: CurrentStaff, kecamatan: str = "", sebab: str = "") -> Response:
    """Show what is without service now, then the last 31 days."""
    language, now_ms, regency = pages.language_of(request), clock.now_ms(), db.get_one(Regency, staff.scope.regency)
    districts = villages.districts(db, regency.code)
    names = districts | villages.names(db, regency.code)
    sites = villages_of(db, regency.code)
    found = _seen(db, staff.scope, now_ms, (names, sites))
    only = Cause(sebab) if sebab in set(Cause) else None
    chosen = [
        one for one in found
        if only in {None, one.cause} and any(code.startswith(kecamatan) for code, _ in one.villages)
    ]  # fmt: skip
    connected = _connected(db, regency.code, chosen, now_ms)
    lines = [told(one, names, language, regency.time_zone, now_ms, connected) for one in chosen]
    own = [site for site, village in sites.items() if staff.scope.covers(village)]
    return pages.render(
        request, "measurement/incidents.html", regency=regency, open=[one for one in lines if one.is_open],
        ended=[one for one in lines if not one.is_open][:MOST_SHOWN], districts=districts, kecamatan=kecamatan,
        only=only, causes=[(cause, CAUSES[cause], number) for cause, number in causes_of(found)],
        marks=month_strip.MARKS, styles=sorted({one.style for one in lines}), all=len(found),
        judged=judged.age(db, regency.code, language, now_ms, None if staff.scope.is_whole else own),
    )  # fmt: skip


@router.get("/gangguan/{incident}")
def incident(request: Request, db: Reads, staff: CurrentStaff, incident: str) -> Response:
    """Show one incident and the outage of each village in it."""
    language, now_ms, regency = pages.language_of(request), clock.now_ms(), db.get_one(Regency, staff.scope.regency)
    names = villages.districts(db, regency.code) | villages.names(db, regency.code)
    row = db.get(LoggedIncident, (regency.code, incident))
    sites = villages_of(db, regency.code)
    seen = _told(row, sites, names, staff.scope) if row else None
    if row is None or seen is None:
        raise NotFound(N_("There is no such incident any more: new readings changed it. Look at the list again."))
    found, connected = incident_log.outages_of(db, row), _connected(db, regency.code, [seen], now_ms)
    members = [
        (code, names[code], line(outage, language, regency.time_zone, now_ms, is_back=code in connected))
        for code, outage in ((sites[site], outage) for site, outage in found)
        if staff.scope.covers(code)
    ]
    return pages.render(
        request, "measurement/incident.html", regency=regency, members=members, marks=month_strip.MARKS,
        one=told(seen, names, language, regency.time_zone, now_ms, connected),
        styles=sorted({one.style for _, _, one in members} | {seen.cause.value}),
        judged=judged.age(db, regency.code, language, now_ms, {site for site, _ in found}),
    )  # fmt: skip


@data_router.get("/incidents", summary="What went dark together in the last 31 days, the newest first")
def incidents_json(db: Reads, staff: CurrentStaff) -> list[IncidentOut]:
    """Return incidents; an operator gets those of the own village, without the others in them."""
    zone = clock.zone_of(staff.scope.regency)
    names, sites = villages.names(db, staff.scope.regency), villages_of(db, staff.scope.regency)
    return [
        IncidentOut(
            one.id, clock.local(one.start_ms, zone).isoformat(),
            None if one.end_ms is None else clock.local(one.end_ms, zone).isoformat(), one.cause, one.confidence,
            not one.is_silence, one.is_provisional, one.is_mixed, list(one.place), one.sites,
            [code for code, _ in one.villages],
        )
        for one in _seen(db, staff.scope, clock.now_ms(), (names, sites))
    ]  # fmt: skip


def _connected(db: Session, regency: str, found: Collection[Told], now_ms: int) -> set[str]:
    """Return the villages that are connected by now, if an incident is said to last: that is judged in turns."""
    if all(one.end_ms is not None for one in found):
        return set()
    return {one.village.code for one in village_states(db, regency, now_ms) if one.status is Status.UP}


def _seen(db: Session, scope: Scope, now_ms: int, known: tuple[dict[str, str], dict[str, str]]) -> list[Told]:
    names, sites = known
    rows = incident_log.listed(db, scope.regency, Span(now_ms - DAYS * clock.DAY_MS, now_ms + 1))
    found = (_told(row, sites, names, scope) for row in rows)
    return [one for one in found if one is not None]


def _told(row: LoggedIncident, sites: dict[str, str], names: dict[str, str], scope: Scope) -> Told | None:
    """Return what a person may see of an incident; ``None`` when none of it is theirs."""
    seen = [(sites[site], names[sites[site]]) for site, _ in incident_log.members(row) if site in sites]
    own = [one for one in seen if scope.covers(one[0])]
    if not own:
        return None
    return Told(
        row.id, row.start_ms, row.end_ms, Cause(row.cause), row.confidence, not row.proven,
        incident_log.place(row), row.sites, row.mixed, row.provisional, own,
    )  # fmt: skip
