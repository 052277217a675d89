"""From the database: everything that is the matter in a regency, then what of it one reader may see."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.alerts import boxes, late_jobs
from kampungnet.alerts.facts import WATCHDOG, Alarm, Fact, Group, Names, Severity, Work
from kampungnet.alerts.models import AlertGroup
from kampungnet.core import clock
from kampungnet.devices.sites import villages_of
from kampungnet.measurement import incident_log, planned_work
from kampungnet.measurement.incident_words import Told
from kampungnet.measurement.installation import number
from kampungnet.measurement.outage_models import LoggedIncident, LoggedOutage, PlannedWork
from kampungnet.measurement.outage_words import Cause, Span
from kampungnet.staff.service import Scope
from kampungnet.villages import service as villages

URGENT_VILLAGES: Final = "KAMPUNGNET_ALERT_URGENT_VILLAGES"
"""Setting: so many villages in one incident are urgent. The house's own choice is five."""
BACK_MS: Final = 4 * clock.DAY_MS
"""What ended longer ago is told no more."""
OVERRUN_MS: Final = 15 * 60_000
"""Planned work that lasts so long beyond its end is trouble like any other."""
WATCHDOG_MS: Final = 15 * 60_000
"""It comes every five minutes: three missing ones are silence."""
SILENCE: Final = "silence"
_GROUP: Final = msgspec.json.Decoder(Group)


@dataclass(frozen=True, slots=True)
class Known:
    """What is the matter in a regency, for whoever sees the whole."""

    regency: str
    zone: str
    names: Names
    facts: Sequence[Fact]


def urgent_villages(environment: Mapping[str, str]) -> int:
    """Return from how many villages an incident is urgent. Raises ``BadInput`` for what is no number from 1."""
    return number(environment, URGENT_VILLAGES, 5)


def known(db: Session, regency: str, now_ms: int, environment: Mapping[str, str] = os.environ) -> Known:
    """Return what is the matter now and what ended in the last days. Raises ``BadInput`` for a bad setting."""
    names = villages.names(db, regency)
    sites = villages_of(db, regency)
    asked = select(PlannedWork).where(PlannedWork.regency == regency, PlannedWork.end_ms > now_ms - BACK_MS)
    works = db.scalars(asked).all()
    urgent = urgent_villages(environment)
    logged = incident_log.listed(db, regency, Span(now_ms - BACK_MS, now_ms + 1))
    ends = _ends(db, regency, min((row.start_ms for row in logged), default=now_ms))
    found = [_incident(row, sites, names, ends) for row in logged]
    valid = [one for one in works if one.withdrawn_ms is None]
    found = [
        replace(
            one, is_planned=_is_planned(one, valid, now_ms),
            severity=Severity.CRITICAL if len(one.members) >= urgent else Severity.WARNING,
        )
        for one in found
        if one.members
    ]  # fmt: skip
    groups = db.scalars(select(AlertGroup).where(AlertGroup.regency == regency)).all()
    found += [_work(one) for one in works]
    found += [_watchdog(one, now_ms) if one.is_watchdog else _group(one) for one in groups]
    found += boxes.facts(db, regency, sites, names, now_ms)
    is_watched = any(one.is_watchdog and not _is_silent(one, now_ms) for one in groups)
    found += late_jobs.facts(db, now_ms, is_watched=is_watched)
    return Known(regency, clock.zone_of(regency), villages.districts(db, regency) | names, found)


def seen_by(found: Known, scope: Scope) -> list[Fact]:
    """Return what somebody may see, without the others in it."""
    return [seen for one in found.facts if (seen := _seen(one, scope))]


def _seen(fact: Fact, scope: Scope) -> Fact | None:
    about = fact.about
    if isinstance(about, Told):
        return fact if scope.is_whole else _own_part(fact, about, scope)
    if isinstance(about, Work):
        places = [one for one in about.places if scope.covers(one) or scope.place.startswith(f"{one}.")]
        return replace(fact, about=replace(about, places=places)) if places else None
    alarms = tuple(one for one in about.alarms if (scope.covers(one.village) if one.village else scope.is_whole))
    if not alarms:
        return None
    # How many were left out is known of the whole only.
    seen = Group(alarms, about.more if scope.is_whole else 0)
    return replace(fact, members=frozenset(one.fingerprint for one in alarms), about=seen)


def _own_part(fact: Fact, about: Told, scope: Scope) -> Fact | None:
    own = [one for one in about.villages if scope.covers(one[0])]
    if not own:
        return None
    spans = [fact.spans.get(code, (fact.start_ms, fact.end_ms)) for code, _ in own]
    start_ms, ends = min(start for start, _ in spans), [end for _, end in spans]
    end_ms = None if None in ends else max(end for end in ends if end is not None)
    part = replace(about, villages=own, start_ms=start_ms, end_ms=end_ms)
    return replace(fact, members=frozenset(code for code, _ in own), start_ms=start_ms, end_ms=end_ms, about=part)


def _ends(db: Session, regency: str, since_ms: int) -> dict[tuple[str, int], int | None]:
    """Return when each outage ended that began since an instant, by site and beginning."""
    asked = select(LoggedOutage.site, LoggedOutage.start_ms, LoggedOutage.end_ms)
    asked = asked.where(LoggedOutage.regency == regency, LoggedOutage.start_ms >= since_ms)
    return {(site, start_ms): end_ms for site, start_ms, end_ms in db.execute(asked)}


def _incident(row: LoggedIncident, sites: Names, names: Names, ends: Mapping[tuple[str, int], int | None]) -> Fact:
    told = [(site, start_ms) for site, start_ms in incident_log.members(row) if site in sites]
    members = [(sites[site], names[sites[site]]) for site, _ in told]
    spans: dict[str, tuple[int, int | None]] = {}
    for site, start_ms in told:  # of a village with several outages in it the last one counts
        first = spans.get(sites[site], (start_ms, None))[0]
        spans[sites[site]] = min(first, start_ms), ends.get((site, start_ms), row.end_ms)
    cause, place = Cause(row.cause), incident_log.place(row)
    about = Told(
        row.id, row.start_ms, row.end_ms, cause, row.confidence, not row.proven, place, row.sites, row.mixed,
        row.provisional, members,
    )  # fmt: skip
    return Fact(
        f"incident:{row.id}", Severity.WARNING, row.start_ms, row.end_ms, frozenset(code for code, _ in members),
        cause.value if row.proven else SILENCE, "/".join(place), about, is_settled=not row.provisional, spans=spans,
    )  # fmt: skip


def _is_planned(fact: Fact, works: Sequence[PlannedWork], now_ms: int) -> bool:
    """Tell whether all of it is work that was announced, and not yet longer than it should be."""
    if fact.sign == Cause.TERENCANA:
        return True
    now_ms = fact.end_ms or now_ms
    near = [one for one in works if one.start_ms <= fact.start_ms < one.end_ms and now_ms < one.end_ms + OVERRUN_MS]
    return all(any(planned_work.covers(one, village) for one in near) for village in fact.members)


def _work(row: PlannedWork) -> Fact:
    about = Work(planned_work.places(row), row.provider, row.reason, row.entered_ms, row.withdrawn_ms is not None)
    return Fact(f"work:{row.id}", Severity.INFO, row.start_ms, row.end_ms, frozenset(), "", "", about)


def _group(row: AlertGroup) -> Fact:
    about = _GROUP.decode(row.content)
    topic = f"group:{row.id}"
    sign = "/".join(sorted({one.name for one in about.alarms}))
    return Fact(topic, Severity(row.severity), row.start_ms, row.end_ms, frozenset(), sign, topic, about)


def _is_silent(row: AlertGroup, now_ms: int) -> bool:
    return now_ms - row.received_ms > WATCHDOG_MS


def _watchdog(row: AlertGroup, now_ms: int) -> Fact:
    """Return that nothing was heard of whoever watches, or that it was heard again."""
    about = Group((Alarm(row.id, WATCHDOG, "", "", "", "", ""),), 0)
    topic = f"watchdog:{row.id}"
    end_ms = None if _is_silent(row, now_ms) else row.received_ms
    return Fact(topic, Severity.CRITICAL, row.received_ms, end_ms, frozenset(), "", topic, about)
