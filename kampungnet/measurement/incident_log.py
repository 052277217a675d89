"""Keep the incidents of each regency: grouped anew whenever outages were judged, under the ids they had.

Power cuts are grouped by kecamatan, what concerns the line by the cable where it is known: a trunk crosses kecamatan.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from kampungnet.core.rows import upsert
from kampungnet.measurement import installation, outage_log
from kampungnet.measurement.incidents import Grouping, Incident, Member, Place, incidents
from kampungnet.measurement.outage_models import LoggedIncident
from kampungnet.measurement.outage_words import Cause, Outage, Span
from kampungnet.measurement.topology import Topology, topology

MARGIN_MS: Final = 3_600_000
"""An incident that began so shortly before the open days may still gain or lose members."""
_KEY: Final = ("regency", "id")
_VALUES: Final = (
    "start_ms",
    "end_ms",
    "cause",
    "confidence",
    "place",
    "sites",
    "mixed",
    "provisional",
    "proven",
    "members",
)
_PLACE: Final = msgspec.json.Decoder(tuple[str, ...])
_MEMBERS: Final = msgspec.json.Decoder(tuple[tuple[str, int], ...])


@dataclass(frozen=True, slots=True)
class Seen:
    """An incident as it is kept, with the outages of its members."""

    id: str
    incident: Incident
    provisional: bool


def update(db: Session, regency: str, now_ms: int, since_ms: int | None = None) -> int:
    """Group the outages of the open days anew, or those since an earlier instant; return how many incidents they make.

    Twice is harmless.
    """
    since_ms = min(now_ms - outage_log.OPEN_DAYS * 86_400_000, now_ms if since_ms is None else since_ms)
    places = topology(db, regency)
    members = [
        Member(site, one)
        for site, found in outage_log.of_regency(db, regency, Span(since_ms, now_ms)).items()
        for one in found
        if one.start_ms >= since_ms
    ]
    grouped = _grouped(members, places, installation.grouping())
    before = db.scalars(
        select(LoggedIncident).where(LoggedIncident.regency == regency, LoggedIncident.start_ms >= since_ms - MARGIN_MS)
    ).all()
    named = _named(grouped, before)
    kept = {one_id for one_id, _ in named}
    gone = [one.id for one in before if one.id not in kept and one.start_ms >= since_ms]
    if gone:
        db.execute(delete(LoggedIncident).where(LoggedIncident.regency == regency, LoggedIncident.id.in_(gone)))
    if named:
        upsert(db, LoggedIncident, [_row(regency, one_id, one) for one_id, one in named], _KEY, _VALUES)
    _follow_older(db, regency, since_ms)
    return len(named)


def _follow_older(db: Session, regency: str, since_ms: int) -> None:
    """Let incidents that began before the open days end when their outages do; their members stay."""
    unsure = LoggedIncident.end_ms.is_(None) | LoggedIncident.provisional
    asked = select(LoggedIncident).where(LoggedIncident.regency == regency, LoggedIncident.start_ms < since_ms, unsure)
    for row in db.scalars(asked).all():
        found = [one for _, one in outages_of(db, row)]
        ends = [one.end_ms for one in found]
        row.end_ms = None if None in ends else max((end for end in ends if end is not None), default=row.start_ms)
        row.provisional = any(one.provisional for one in found)
        row.proven = any(one.is_proven for one in found)
    db.flush()


def listed(db: Session, regency: str, period: Span, only_open: bool = False) -> list[LoggedIncident]:
    """Return the incidents that reach into a period, the newest first."""
    asked = select(LoggedIncident).where(LoggedIncident.regency == regency, LoggedIncident.start_ms < period.end_ms)
    if only_open:
        asked = asked.where(LoggedIncident.end_ms.is_(None))
    rows = db.scalars(asked.order_by(LoggedIncident.start_ms.desc(), LoggedIncident.id))
    return [one for one in rows if one.end_ms is None or one.end_ms > period.start_ms]


def members(row: LoggedIncident) -> tuple[tuple[str, int], ...]:
    """Return site and beginning of each of its outages."""
    return _MEMBERS.decode(row.members)


def place(row: LoggedIncident) -> Place:
    """Return the path of the likely place."""
    return _PLACE.decode(row.place)


def _grouped(members: Iterable[Member], places: Topology, settings: Grouping) -> list[Incident]:
    on_cable: list[Member] = []
    in_district: list[Member] = []
    for one in members:
        by_cable = one.site in places.cable and one.outage.cause is not Cause.LISTRIK
        (on_cable if by_cable else in_district).append(one)
    found = [*incidents(on_cable, places.cable, settings), *incidents(in_district, places.district, settings)]
    return sorted(found, key=lambda one: (one.start_ms, one.place))


def _named(found: Sequence[Incident], before: Iterable[LoggedIncident]) -> list[tuple[str, Incident]]:
    """Give each incident the id of the one before with which it shares most sites at the same time, or a new one."""
    known = {one.id: (one, {site for site, _ in members(one)}) for one in before}
    pairs = sorted(
        (
            (-shared, number, one_id)
            for number, incident in enumerate(found)
            for one_id, (row, sites) in known.items()
            if abs(row.start_ms - incident.start_ms) <= MARGIN_MS
            and (shared := len(sites & {one.site for one in incident.members}))
        ),
    )
    ids: dict[int, str] = {}
    taken: set[str] = set()
    for _, number, one_id in pairs:
        if number not in ids and one_id not in taken:
            ids[number] = one_id
            taken.add(one_id)
    return [(ids.get(number) or secrets.token_hex(5), incident) for number, incident in enumerate(found)]


def _row(regency: str, one_id: str, one: Incident) -> dict[str, Any]:
    told = [(member.site, member.outage.start_ms) for member in one.members]
    return {
        "regency": regency, "id": one_id, "start_ms": one.start_ms, "end_ms": one.end_ms, "cause": one.cause.value,
        "confidence": one.confidence, "place": msgspec.json.encode(one.place).decode(), "sites": one.sites,
        "mixed": one.is_mixed, "provisional": any(member.outage.provisional for member in one.members),
        "proven": any(member.outage.is_proven for member in one.members), "members": msgspec.json.encode(told).decode(),
    }  # fmt: skip


def outages_of(db: Session, row: LoggedIncident) -> list[tuple[str, Outage]]:
    """Return the outages of an incident's members, by site; one that was judged away meanwhile is left out."""
    found = []
    for site, start_ms in members(row):
        for one in outage_log.outages(db, (row.regency, site), Span(start_ms, start_ms + 1)):
            if one.start_ms == start_ms:
                found.append((site, one))
    return found
