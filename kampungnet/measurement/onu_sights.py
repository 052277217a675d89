"""What a provider's OLT saw of a village's ONUs, kept by the day: outages are judged from it, with a box or without.

An OLT's reading tells of hundreds of ONUs, so it is opened once for all of them: when its hour goes to rest, and for
the young ones once a round of judging (:class:`Young`). An hour is folded as a whole or not at all.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.devices.models import Agent, AssignedOnu
from kampungnet.measurement.boots import TimeQuality
from kampungnet.measurement.evidence import Role, Row, Stretch, Timeline, onu_stretches
from kampungnet.measurement.models import YoungReading
from kampungnet.measurement.onu_slots import Olt, Owner
from kampungnet.measurement.outage_models import OnuSightDay
from kampungnet.measurement.packing import Kept
from kampungnet.measurement.sights import looks_at_onus
from kampungnet.measurement.slots import Timed

HOUR_MS: Final = 3_600_000

Hours = dict[int, tuple[Stretch, ...]]
"""By the hour of a local day, counted from midnight: what was seen in it."""
Looks = Mapping[Owner, list[tuple[int, int]]]
"""By site and device: instants in ms and sights, in any order."""

_HOURS: Final = msgspec.msgpack.Decoder(Hours)


class Young:
    """What the young readings of OLTs say, opened once for all villages; good for one round of judging."""

    def __init__(self) -> None:
        self._looks: dict[Olt, Looks] = {}

    def of(self, db: Session, olt: Olt) -> Looks:
        """Return what one OLT saw of each village's ONUs."""
        if olt not in self._looks:
            self._looks[olt] = looks(db, olt, _young_readings(db, olt))
        return self._looks[olt]


def looks(db: Session, olt: Olt, readings: Iterable[Timed]) -> Looks:
    """Return what readings of an OLT say of the ONUs that it reports for villages, since these are theirs."""
    owned = select(AssignedOnu).where(
        AssignedOnu.regency == olt.regency, AssignedOnu.olt_site == olt.site, AssignedOnu.olt_device == olt.device
    )
    onus = {onu.serial: onu for onu in db.scalars(owned)}
    found = looks_at_onus(readings, {serial: onu.since_ms for serial, onu in onus.items()})
    return {(onus[serial].site, onus[serial].device): seen for serial, seen in found.items()}


def day_rows(db: Session, regency: str, day: date, of_hours: Mapping[int, Looks]) -> list[dict[str, Any]]:
    """Return the rows of a day: the hours that were folded now in the place of those that are stored."""
    new: dict[Owner, Hours] = defaultdict(dict)
    for hour, found in of_hours.items():
        for owner, seen in found.items():
            new[owner][hour] = onu_stretches(seen)
    stored = select(OnuSightDay).where(OnuSightDay.regency == regency, OnuSightDay.day == day)
    stored = stored.where(OnuSightDay.site.in_({site for site, _ in new}))
    known = {(row.site, row.device): _HOURS.decode(row.hours) for row in db.scalars(stored)}
    return [
        {"regency": regency, "site": owner[0], "device": owner[1], "day": day,
         "hours": msgspec.msgpack.encode(dict(sorted({**known.get(owner, {}), **hours}.items())))}
        for owner, hours in new.items()
    ]  # fmt: skip


def seen_of(db: Session, place: tuple[str, str], first: date, young: Young) -> Timeline:
    """Return all that OLTs saw of a site's ONUs from a local day on: to be joined with what its own box saw."""
    regency, site = place
    zone = clock.zone_of(regency)
    rested: dict[str, list[Stretch]] = defaultdict(list)
    ends: dict[tuple[str, int], int] = {}
    rows = select(OnuSightDay).where(OnuSightDay.regency == regency, OnuSightDay.site == site)
    for row in db.scalars(rows.where(OnuSightDay.day >= first).order_by(OnuSightDay.day)):
        start_ms = clock.day_start_ms(row.day, zone)
        for hour, stretches in sorted(_HOURS.decode(row.hours).items()):
            rested[row.device] += stretches
            ends[row.device, start_ms + hour * HOUR_MS] = stretches[-1].last_ms
    first_ms = clock.day_start_ms(first, zone)
    for device, seen in _young_of(db, place, young).items():
        # Late ones of an hour at rest wait until they rest, too: only a whole hour is folded.
        fresh = [one for one in seen if one[0] >= first_ms and one[0] > ends.get((device, _hour(one[0], zone)), 0)]
        rested[device] += onu_stretches(fresh)
    return Timeline((), tuple(_row(device, stretches) for device, stretches in rested.items() if stretches))


def forget(db: Session, place: tuple[str, str], before: date) -> None:
    """Drop the days that no open outage needs."""
    of_site = (OnuSightDay.regency == place[0], OnuSightDay.site == place[1])
    db.connection().execute(delete(OnuSightDay).where(*of_site, OnuSightDay.day < before))


def settled_ms(db: Session, place: tuple[str, str]) -> int | None:
    """Return before when nothing waits on the boxes that speak for a site, as they said last.

    These are its own boxes; of a site that has none, those that ask the OLT. ``None`` when none ever reported.
    """
    own = _settled_ms(db, place[0], {place[1]})
    return own if own is not None else _settled_ms(db, place[0], {olt.site for olt in olts_of(db, place)})


def _settled_ms(db: Session, regency: str, sites: set[str]) -> int | None:
    boxes = db.execute(
        select(Agent.spool_readings, Agent.spool_oldest_ms, Agent.last_report_ms).where(
            Agent.regency == regency, Agent.site.in_(sites), Agent.revoked_ms.is_(None)
        )
    )
    said = (oldest_ms if waiting else report_ms for waiting, oldest_ms, report_ms in boxes)
    return min((at_ms for at_ms in said if at_ms is not None), default=None)


def olts_of(db: Session, place: tuple[str, str]) -> list[Olt]:
    """Return the OLTs that see an ONU of a site."""
    regency, site = place
    of_site = select(AssignedOnu.olt_site, AssignedOnu.olt_device).distinct()
    of_site = of_site.where(AssignedOnu.regency == regency, AssignedOnu.site == site, AssignedOnu.olt_site != "")
    return [Olt(regency, *row) for row in db.execute(of_site.order_by(AssignedOnu.olt_site, AssignedOnu.olt_device))]


def _young_of(db: Session, place: tuple[str, str], young: Young) -> dict[str, list[tuple[int, int]]]:
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for olt in olts_of(db, place):
        for (site, device), seen in young.of(db, olt).items():
            if site == place[1]:
                found[device] += seen
    return found


def _young_readings(db: Session, olt: Olt) -> Iterable[Timed]:
    columns = (YoungReading.taken_ms, YoungReading.time_quality, YoungReading.payload)
    of_olt = (
        YoungReading.regency == olt.regency, YoungReading.site == olt.site, YoungReading.device == olt.device,
        YoungReading.time_quality > TimeQuality.UNKNOWN,
    )  # fmt: skip
    return (Kept(*row).timed() for row in db.execute(select(*columns).where(*of_olt)))


def _hour(at_ms: int, zone: str) -> int:
    """Return when the hour of the local day began that holds an instant."""
    start_ms = clock.day_start_ms(clock.local_day(at_ms, zone), zone)
    return at_ms - (at_ms - start_ms) % HOUR_MS


def _row(device: str, stretches: list[Stretch]) -> Row:
    return Row(device, Role.ONU, (), tuple(sorted(stretches, key=lambda one: one.first_ms)))
