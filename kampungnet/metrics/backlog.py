"""What the database has and a metrics store may not have yet: readings in the order in which they were stored.

Young readings are found one by one, those at rest by the pack: a pack knows when the newest of its readings was
stored, and a reading that goes to rest before it was pushed lies in a pack that is due. So nothing is overlooked,
and what is sent twice the store has once.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from kampungnet.devices.bodies import OnuSeen, kind_of, spelled
from kampungnet.devices.models import AssignedOnu, Site
from kampungnet.measurement.boots import TimeQuality
from kampungnet.measurement.marks import Unforeseen
from kampungnet.measurement.models import ReadingDay, YoungReading
from kampungnet.measurement.packing import Kept, Shared
from kampungnet.metrics import columns, series
from kampungnet.metrics.samples import Seen
from kampungnet.metrics.sending import When, time_problem
from kampungnet.metrics.series import Place, Taken
from kampungnet.shared import wire
from kampungnet.villages.models import Village

_YOUNG: Final = YoungReading.__table__.c
_PACK: Final = ReadingDay.__table__.c

_BLOB: Final = select(_PACK.packed).where(
    _PACK.regency == bindparam("of"), _PACK.agent == bindparam("by"), _PACK.device == bindparam("from"),
    _PACK.day == bindparam("on"), _PACK.part == bindparam("at"),
)  # fmt: skip
"""Built once: of a day of a regency it is asked a thousand times."""

YoungKey = tuple[str, str, int]
"""Agent, boot id, sequence."""
PackKey = tuple[str, str, date, int]
"""Agent, device, local day, part."""
Young = tuple[YoungKey, int, str, str, Kept]
"""Key, when it was stored, site, device, the reading."""


@dataclass(frozen=True, slots=True)
class Rested:
    """A pack that is due."""

    key: PackKey
    site: str
    stored_ms: int


@dataclass
class Places:
    """Whose readings they are: sites as labels, and ONUs that an OLT reports for other villages."""

    of_site: dict[str, Place] = field(default_factory=dict)
    onus: dict[tuple[str, str], dict[str, AssignedOnu]] = field(default_factory=lambda: defaultdict(dict))
    """Site and name of the OLT to serial number to whose it is."""


def places(db: Session, regency: str) -> Places:
    """Return the places of a regency. Of a village with several sites the first speaks, as on every page."""
    found = Places()
    rows = select(Site.code, Village.code, Village.district).join(
        Village, (Village.regency == Site.regency) & (Village.code == Site.village)
    )
    seen: set[str] = set()
    for site, village, district in db.execute(rows.where(Site.regency == regency).order_by(Site.code)):
        if village not in seen:
            seen.add(village)
            found.of_site[site] = Place(regency, district, village)
    for onu in db.scalars(select(AssignedOnu).where(AssignedOnu.regency == regency)):
        found.onus[onu.olt_site, onu.olt_device][onu.serial] = onu
    db.expunge_all()
    return found


def young(db: Session, regency: str, from_ms: int, done: Mapping[YoungKey, int], most: int) -> list[Young]:
    """Return young readings stored from an instant on that are not done."""
    rows = (
        select(_YOUNG.agent, _YOUNG.boot_id, _YOUNG.sequence, _YOUNG.stored_ms, _YOUNG.site, _YOUNG.device,
               _YOUNG.taken_ms, _YOUNG.time_quality, _YOUNG.payload)
        .where(_YOUNG.regency == regency, _YOUNG.stored_ms >= from_ms)
        .order_by(_YOUNG.stored_ms)
    )  # fmt: skip
    found: list[Young] = []
    with db.connection().execution_options(yield_per=500).execute(rows) as streamed:
        for row in streamed:
            key = (row.agent, row.boot_id, row.sequence)
            if key not in done:
                kept = Kept(row.taken_ms, row.time_quality, row.payload)
                found.append((key, row.stored_ms, row.site, row.device, kept))
                if len(found) == most:
                    break
    return found


def rested(db: Session, regency: str, from_ms: int, first_day: date, done: Mapping[PackKey, int]) -> list[Rested]:
    """Return the packs that got readings from an instant on, those stored first before others."""
    rows = (
        _packs(regency)
        .where(_PACK.stored_ms >= from_ms, _PACK.stored_ms > 0, _PACK.day >= first_day)
        .order_by(_PACK.stored_ms, _PACK.day, _PACK.device)
    )
    found = [_rested(row) for row in db.execute(rows)]
    return [one for one in found if done.get(one.key) != one.stored_ms]


def rested_between(db: Session, regency: str, first: date, last: date, site: str | None = None) -> list[Rested]:
    """Return the packs of some days, of one site or of all."""
    rows = _packs(regency).where(_PACK.day.between(first, last)).order_by(_PACK.day, _PACK.site, _PACK.device)
    return [_rested(row) for row in db.execute(rows if site is None else rows.where(_PACK.site == site))]


def young_between(
    db: Session, regency: str, first_ms: int, end_ms: int, site: str | None = None
) -> Iterator[tuple[str, str, Kept]]:
    """Yield young readings taken in a stretch of time: site, device, reading."""
    rows = select(_YOUNG.site, _YOUNG.device, _YOUNG.taken_ms, _YOUNG.time_quality, _YOUNG.payload).where(
        _YOUNG.regency == regency, _YOUNG.taken_ms >= first_ms, _YOUNG.taken_ms < end_ms
    )
    rows = (rows if site is None else rows.where(_YOUNG.site == site)).order_by(_YOUNG.taken_ms)
    for row in db.connection().execution_options(yield_per=500).execute(rows):
        yield row.site, row.device, Kept(row.taken_ms, row.time_quality, row.payload)


def blob_of(db: Session, regency: str, pack: Rested) -> bytes | None:
    """Return a pack as it rests; nothing when it went meanwhile."""
    agent, device, day, part = pack.key
    found = {"of": regency, "by": agent, "from": device, "on": day, "at": part}
    blob: bytes | None = db.connection().execute(_BLOB, found).scalar()
    return blob


def polls(found: Places, site: str, device: str, kept: Iterable[Kept]) -> Iterator[Taken]:
    """Yield what readings of one device are pushed as: the device's own, and those of the ONUs it tells of.

    A reading whose time is not known is nobody's.
    """
    for one in kept:
        if one.time_quality > TimeQuality.UNKNOWN:
            yield from _said(found, (site, device), [one.taken_ms], one.reading())


def polls_of_pack(found: Places, pack: Rested, texts: Iterable[Shared], when: When) -> Iterator[Taken]:
    """Yield the same of a pack: readings of one text together, where that can be."""
    whose = pack.site, pack.key[1]
    for shared in texts:
        yield from _together(found, whose, shared, when) or polls(found, *whose, shared.kept())


def _together(found: Places, whose: tuple[str, str], shared: Shared, when: When) -> list[Taken] | None:
    ends = {time_problem(shared.taken_ms[place], when) for place in (0, -1)}
    reading = columns.lifted(shared) if len(ends) == 1 else None
    if reading is None:
        return None
    try:
        together = list(_said(found, whose, shared.taken_ms, reading))
        for taken in together:
            series.count(taken)
    except columns.NOT_ONE:
        return None
    return together


def _said(found: Places, whose: tuple[str, str], times: Sequence[int], reading: wire.Reading) -> Iterator[Taken]:
    place, owned, body = found.of_site.get(whose[0]), found.onus.get(whose, {}), reading.body
    if place is not None:
        kind = kind_of(body) if body is not None else ""
        seen = Seen(kind, reading.outcome.value, reading.device_uptime_seconds)
        yield Taken(place.labels(whose[1]), seen, body, times)
    if owned and isinstance(body, wire.OltBody):
        for onu in body.onus:
            owner = owned.get(spelled(onu.serial))
            if owner and owner.site in found.of_site and times[-1] >= owner.since_ms:
                if times[0] < owner.since_ms:
                    raise Unforeseen
                seen = Seen("ont", wire.Outcome.OK.value, None)
                labels = found.of_site[owner.site].labels(owner.device)
                yield Taken(labels, seen, OnuSeen(onu, body.model, body.grade), times)


def _packs(regency: str) -> Select[Any]:
    return select(_PACK.agent, _PACK.device, _PACK.day, _PACK.part, _PACK.site, _PACK.stored_ms).where(
        _PACK.regency == regency
    )


def _rested(row: Any) -> Rested:
    return Rested((row.agent, row.device, row.day, row.part), row.site, row.stored_ms)
