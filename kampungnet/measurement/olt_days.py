"""Fold hours of an OLT's readings into what they say of each village's ONUs: series, and sights.

An hour is folded as a whole, from what every box packed of it, and laid over what is stored of its day. Storing hour by
hour and making days anew from what rests give the same bytes.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.devices.models import AssignedOnu, Device, Site
from kampungnet.measurement import onu_sights, onu_slots, slots
from kampungnet.measurement.days import Rows, slot_rows
from kampungnet.measurement.digests import timed_of
from kampungnet.measurement.models import SlotDay
from kampungnet.measurement.onu_slots import Olt
from kampungnet.measurement.outage_models import OnuSightDay
from kampungnet.measurement.packing import Kept


@dataclass
class Hours:
    """What hours of one day say, by the owners of the ONUs."""

    folded: onu_slots.Folded = field(default_factory=dict)
    looks: dict[int, onu_sights.Looks] = field(default_factory=dict)
    """By the hour of the local day."""


def fold(db: Session, olt: Olt, of_hours: Iterable[tuple[int, Iterable[Kept]]]) -> Hours:
    """Fold hours of one day, each opened when it is its turn."""
    found = Hours()
    for hour, kept in of_hours:
        known = timed_of(kept)
        for owner, series in onu_slots.fold(db, olt, known).items():
            found.folded[owner] = slots.merge(found.folded.get(owner, {}), series)
        found.looks[hour] = onu_sights.looks(db, olt, known)
    return found


def rows(db: Session, regency: str, day: date, found: Hours, sites: Collection[str] | None = None) -> Rows:
    """Return the rows of a day: what was folded over what is stored; with ``sites`` of those alone."""
    made = Rows()
    start_ms = clock.day_start_ms(day, clock.zone_of(regency))
    folded = {owner: series for owner, series in found.folded.items() if sites is None or owner[0] in sites}
    looks = {
        hour: {owner: seen for owner, seen in of_hour.items() if sites is None or owner[0] in sites}
        for hour, of_hour in found.looks.items()
    }
    made.of[OnuSightDay] += onu_sights.day_rows(db, regency, day, looks)
    for (site, device), series in onu_slots.laid_over(db, regency, day, folded).items():
        key = {"regency": regency, "site": site, "device": device, "day": day}
        made.of[SlotDay] += slot_rows(key, series, start_ms)
    return made


def lock(db: Session, regency: str, day: date, found: Hours) -> None:
    """Let whoever writes other hours of the day wait until what is stored was read and written."""
    owners = {site for site, _ in found.folded}
    of_day = select(SlotDay.series).where(SlotDay.regency == regency, SlotDay.day == day, SlotDay.site.in_(owners))
    db.execute(of_day.with_for_update())


def olts(db: Session, village: str | None = None) -> dict[Olt, frozenset[str] | None]:
    """Return all OLTs; with ``village`` those that stand there or see an ONU of it, each with the sites that count."""
    everyone = (select(Device.regency, Device.site, Device.name).where(Device.kind == "olt")
                .order_by(Device.regency, Device.site, Device.name))  # fmt: skip
    found = [Olt(*row) for row in db.execute(everyone)]
    if village is None:
        return dict.fromkeys(found)
    sites = {(regency, site) for regency, site in
             db.execute(select(Site.regency, Site.code).where(Site.village == village))}  # fmt: skip
    seen = select(AssignedOnu.regency, AssignedOnu.site, AssignedOnu.olt_site, AssignedOnu.olt_device)
    sees = {Olt(regency, olt_site, device) for regency, site, olt_site, device in db.execute(seen)
            if (regency, site) in sites}  # fmt: skip
    of_village = frozenset(site for _, site in sites)
    return {olt: of_village for olt in found if olt in sees or (olt.regency, olt.site) in sites}
