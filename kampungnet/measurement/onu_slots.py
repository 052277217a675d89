"""Readings of an OLT become series of the villages whose ONUs they tell of."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.devices.models import AssignedOnu
from kampungnet.measurement import slots
from kampungnet.measurement.models import SlotDay
from kampungnet.measurement.slots import Slots, Timed

Owner = tuple[str, str]
"""Site and device whose series it is."""
Folded = dict[Owner, dict[str, dict[int, int]]]


class Olt(NamedTuple):
    """An OLT as the device of the site whose agent reports it."""

    regency: str
    site: str
    device: str


def fold(db: Session, olt: Olt, readings: Sequence[Timed]) -> Folded:
    """Fold an OLT's readings into its own series and those of the ONUs that it reports for villages."""
    owned = select(AssignedOnu).where(
        AssignedOnu.regency == olt.regency, AssignedOnu.olt_site == olt.site, AssignedOnu.olt_device == olt.device
    )
    onus = {onu.serial: onu for onu in db.scalars(owned)}
    found = slots.fold_onus(readings, {serial: onu.since_ms for serial, onu in onus.items()})
    folded = {(onus[serial].site, onus[serial].device): series for serial, series in found.items()}
    return {(olt.site, olt.device): slots.fold(readings)} | folded


def laid_over(db: Session, regency: str, day: date, folded: Mapping[Owner, Mapping[str, Slots]]) -> Folded:
    """Return whole days: the hours that were folded now over those that are stored."""
    start = clock.day_start_ms(day, clock.zone_of(regency))
    stored: Folded = {}
    rows = db.execute(
        select(SlotDay.site, SlotDay.device, SlotDay.series, SlotDay.slots)
        .where(SlotDay.regency == regency, SlotDay.day == day)
        .where(SlotDay.site.in_({site for site, _ in folded}), SlotDay.device.in_({device for _, device in folded}))
        .order_by(SlotDay.site, SlotDay.device, SlotDay.series)
    )
    for site, device, name, blob in rows:
        stored.setdefault((site, device), {})[name] = slots.unpack(blob, start)
    return {owner: slots.merge(stored.get(owner, {}), series) for owner, series in folded.items()}


def of_onu(onu: AssignedOnu, readings: Iterable[Timed]) -> dict[str, dict[int, int]]:
    """Fold an OLT's readings into the series of one ONU."""
    return slots.fold_onus(readings, {onu.serial: onu.since_ms}).get(onu.serial, {})
