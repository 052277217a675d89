"""What the server itself judges of a regency at this moment: outages and incidents that last. Alerts stand on it."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.devices.service import VillageState
from kampungnet.devices.status import Status
from kampungnet.measurement import incident_log
from kampungnet.measurement.outage_models import LoggedIncident, LoggedOutage
from kampungnet.measurement.outage_words import Span
from kampungnet.metrics.page import Page
from kampungnet.metrics.samples import Labels

SHARED: Final = 2
"""Sites that went dark together; one alone is its own outage."""
INCIDENTS: Final = 100
"""Shown of a regency, the newest first: more at once is no list that somebody reads."""
_UP: Final = {Status.UP: 1.0, Status.DOWN: 0.0}


@dataclass(frozen=True, slots=True)
class Judged:
    """What lasts in one regency."""

    outages: dict[str, LoggedOutage]
    """By site."""
    incidents: list[LoggedIncident]
    incident_of: dict[str, LoggedIncident] = field(default_factory=dict)
    """By site; only of sites whose own outage lasts too."""


def judged(db: Session, regency: str, now_ms: int) -> Judged:
    """Return what lasts in a regency."""
    lasts = select(LoggedOutage).where(LoggedOutage.regency == regency, LoggedOutage.end_ms.is_(None))
    outages = {one.site: one for one in db.scalars(lasts)}
    found = incident_log.listed(db, regency, Span(0, now_ms), only_open=True)
    shared = [one for one in found if len(incident_log.members(one)) >= SHARED][:INCIDENTS]
    known = Judged(outages, shared)
    for one in shared:
        for site, start_ms in incident_log.members(one):
            if site in outages and outages[site].start_ms == start_ms:
                known.incident_of[site] = one
    return known


def of_village(page: Page, place: Labels, state: VillageState, known: Judged) -> None:
    """Add what is judged of one village."""
    page.gauge("kampungnet_village_up", place, _UP.get(state.status))
    site = state.site or ""
    if (outage := known.outages.get(site)) is not None:
        page.gauge("kampungnet_outage_since_timestamp_seconds", place | {"cause": outage.cause}, outage.start_ms / 1000)
    if (incident := known.incident_of.get(site)) is not None:
        page.info("kampungnet_village_incident", place, {"incident": incident.id, "cause": incident.cause})


def of_regency(page: Page, regency: str, states: Iterable[VillageState], known: Judged) -> None:
    """Add the incidents of a regency, each in the district where most of its villages are, and how much lasts."""
    district_of = {state.site: state.village.district for state in states if state.site}
    members: dict[str, Counter[str]] = defaultdict(Counter)
    for site, incident in known.incident_of.items():
        if site in district_of:
            members[incident.id][district_of[site]] += 1
    for one in known.incidents:
        if not (districts := members[one.id]):
            continue
        # Among equals the first by code, so that the series stays the same from scrape to scrape.
        labels = {"regency": regency, "district": min(districts, key=lambda code: (-districts[code], code)),
                  "incident": one.id}  # fmt: skip
        page.info("kampungnet_incident", labels, {"cause": one.cause, "place": " / ".join(incident_log.place(one))})
        page.gauge("kampungnet_incident_since_timestamp_seconds", labels, one.start_ms / 1000)
        page.gauge("kampungnet_incident_villages", labels, districts.total())
    page.gauge("kampungnet_incidents_open", {"regency": regency}, len(known.incidents))
    page.gauge("kampungnet_outages_open", {"regency": regency}, len(known.outages))
