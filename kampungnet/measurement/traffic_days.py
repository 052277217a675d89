"""Read the ledger's days: packed ones, and the young hours on top."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.measurement import installation, traffic
from kampungnet.measurement.boots import TimeQuality
from kampungnet.measurement.counters import CounterSample
from kampungnet.measurement.days import of_device, resting
from kampungnet.measurement.ledger import Slot, ledger
from kampungnet.measurement.models import ReadingDay, TrafficSlots
from kampungnet.measurement.slots import Timed


class OfDevice(NamedTuple):
    """A device and the local days that are asked for, both included."""

    regency: str
    site: str
    device: str
    first: date
    last: date


Slots = dict[int, Slot]


def stored(db: Session, asked: OfDevice, interfaces: Collection[str] = ()) -> dict[str, Slots]:
    """Return the packed slots by interface; without ``interfaces`` of all."""
    zone = clock.zone_of(asked.regency)
    place = (TrafficSlots.regency == asked.regency, TrafficSlots.site == asked.site)
    rows = select(TrafficSlots.day, TrafficSlots.slots).where(*place, TrafficSlots.device == asked.device)
    found: dict[str, Slots] = {}
    for day, blob in db.execute(rows.where(TrafficSlots.day.between(asked.first, asked.last))):
        for interface, of_day in traffic.unpack_all(blob, clock.day_start_ms(day, zone), interfaces).items():
            found.setdefault(interface, {}).update(of_day)
    return found


def known(db: Session, asked: OfDevice, young: Iterable[Timed], interfaces: Collection[str] = ()) -> dict[str, Slots]:
    """Return slots by interface, packed and young. What came late waits until it is packed: its slots are taken."""
    found = stored(db, asked, interfaces)
    samples = traffic.samples(young)
    before = _last_samples(db, asked) if samples else {}
    for interface, fresh in samples.items():
        if interfaces and interface not in interfaces:
            continue
        last = before.get(interface)
        later = [one for one in fresh if last is None or one.at_ms > last.at_ms]
        book = ledger([last, *later] if last else later, installation.policy())
        found[interface] = traffic.merged(found.get(interface, {}), book.slots)
    return found


def series(found: Mapping[str, Slots]) -> dict[str, dict[int, int]]:
    """Return ``rx_bytes/IF`` and ``tx_bytes/IF`` of the slots that were seen, at least in part."""
    told: dict[str, dict[int, int]] = {}
    for interface, of_one in found.items():
        seen = {at_ms: slot for at_ms, slot in of_one.items() if slot.covered_ms}
        told[f"rx_bytes/{interface}"] = {at_ms: slot.rx_bytes for at_ms, slot in seen.items()}
        told[f"tx_bytes/{interface}"] = {at_ms: slot.tx_bytes for at_ms, slot in seen.items()}
    return told


def _last_samples(db: Session, asked: OfDevice) -> Mapping[str, CounterSample]:
    """Return the last sample of each interface that rests in a pack."""
    place = (asked.regency, asked.site, asked.device)
    newest = db.scalar(select(func.max(ReadingDay.day)).where(*of_device(*place)))
    if newest is None:
        return {}
    kept = resting(db, asked.regency, (asked.site, asked.device, newest))
    return traffic.edges(traffic.samples(one.timed() for one in kept if one.time_quality > TimeQuality.UNKNOWN))[1]
