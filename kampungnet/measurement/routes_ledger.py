"""The ledger for programs: JSON with the same sign-in and the same view as the pages.

Under ``/data/`` and not under ``/api/``, which never looks at a session: those requests are signed.
"""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.errors import Unprocessable
from kampungnet.core.web import DATA_PREFIX, Reads
from kampungnet.devices.models import Site
from kampungnet.measurement import closing, traffic
from kampungnet.measurement.ledger import Flag, Slot
from kampungnet.measurement.models import Oddity, TrafficCorrection, TrafficDay, TrafficMonth, TrafficSlots
from kampungnet.measurement.slots import SLOTS_A_DAY
from kampungnet.staff.access import CurrentStaff

MOST_DAYS: Final = 400
POLICY: Final = "nearest rank of fully seen five-minute slots, missing ones ignored"
_ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    401: {"description": "Not signed in"},
    404: {"description": "No such village here"},
    422: {"description": "A day or month that is none, or too many of them"},
}

router = APIRouter(prefix=f"{DATA_PREFIX}v1/villages/{{code}}", tags=["ledger"], responses=_ERRORS)
_EARLIEST, _LATEST = date(2024, 1, 1), date(2099, 12, 31)
First = Annotated[date, Query(description="First local day", ge=_EARLIEST, le=_LATEST)]
Last = Annotated[date, Query(description="Last local day, included", ge=_EARLIEST, le=_LATEST)]
OneDay = Annotated[date, Query(description="A local day; for a month any day of it", ge=_EARLIEST, le=_LATEST)]


@dataclass(frozen=True, slots=True)
class Sites:
    """The sites of a village that this person may see."""

    regency: str
    codes: list[str]
    village: str

    @property
    def zone(self) -> str:
        """The zone of its days."""
        return clock.zone_of(self.regency)


def sites_of(db: Reads, staff: CurrentStaff, code: str) -> Sites:
    """Return the sites of the village in the path; a village of others looks like one that does not exist."""
    staff.scope.check(code)
    regency = staff.scope.regency
    codes = db.scalars(select(Site.code).where(Site.regency == regency, Site.village == code))
    return Sites(regency, list(codes), code)


SeenSites = Annotated[Sites, Depends(sites_of, scope="function")]


@dataclass(frozen=True, slots=True)
class SlotOut:
    """Five minutes of one interface. Without full coverage it is no sample of a percentile."""

    device: str
    interface: str
    at: str
    """Its beginning, local, with the zone's offset."""
    rx_bytes: int
    tx_bytes: int
    covered_seconds: float
    flags: list[str]


@dataclass(frozen=True, slots=True)
class GapOut:
    """Bytes that are known in sum only: they stand in no slot."""

    device: str
    interface: str
    first: str
    last: str
    rx_bytes: int
    tx_bytes: int
    flags: list[str]


@dataclass(frozen=True, slots=True)
class SlotsOut:
    """One local day."""

    day: date
    slots: list[SlotOut]
    gaps: list[GapOut]


@dataclass(frozen=True, slots=True)
class DayOut:
    """One local day of one interface; bytes of gaps are not in it."""

    device: str
    interface: str
    day: date
    rx_bytes: int
    tx_bytes: int
    covered_seconds: float
    samples: int
    expected: int
    busiest_hour: int
    flags: list[str]


@dataclass(frozen=True, slots=True)
class CorrectionOut:
    """What late readings changed after the month was closed: differences."""

    number: int
    noted: str
    rx_bytes: int
    tx_bytes: int
    samples: int
    rx_p95_bps: int
    tx_p95_bps: int


@dataclass(frozen=True, slots=True)
class MonthOut:
    """One local month of one interface as it was added up or closed, corrections beside it."""

    device: str
    interface: str
    month: date
    closed: str | None
    policy: str
    rx_bytes: int
    tx_bytes: int
    lower_bound: bool
    rx_p95_bps: int | None
    tx_p95_bps: int | None
    higher_p95_bps: int | None
    samples: int
    expected: int
    busiest_hour: str
    busiest_bytes: int
    flags: list[str]
    corrections: list[CorrectionOut]
    corrected_lower_bound: bool
    """The same as ``lower_bound`` with all corrections added."""


@dataclass(frozen=True, slots=True)
class OddityOut:
    """Readings that are not as they should be: of a device, or (without one) of the box's reports as a whole."""

    device: str
    day: date
    what: str
    count: int


@router.get("/traffic/slots", summary="Five-minute slots and gaps of one local day")
def slots(db: Reads, sites: SeenSites, day: OneDay) -> SlotsOut:
    """Return every slot that something is known of."""
    zone, start = sites.zone, clock.day_start_ms(day, sites.zone)
    found = SlotsOut(day, [], [])
    here = (TrafficSlots.regency == sites.regency, TrafficSlots.site.in_(sites.codes), TrafficSlots.day == day)
    for device, blob in db.execute(select(TrafficSlots.device, TrafficSlots.slots).where(*here)):
        for interface, of_one in traffic.unpack_all(blob, start).items():
            found.slots.extend(_slot(device, interface, _local(at, zone), slot) for at, slot in of_one.items())
    for row in _days(db, sites, day, day):
        place = (row.device, row.interface)
        for gap in traffic.unpack_gaps(row.gaps):
            ends = _local(gap.first_ms, zone), _local(gap.last_ms, zone)
            found.gaps.append(GapOut(*place, *ends, gap.rx_bytes, gap.tx_bytes, words(gap.flags)))
    return found


@router.get("/traffic/days", summary="Local days")
def days(db: Reads, sites: SeenSites, first: First, last: Last) -> list[DayOut]:
    """Return one entry for each day and interface."""
    _check_span(first, last)
    return [
        DayOut(
            row.device, row.interface, row.day, row.rx_bytes, row.tx_bytes, row.covered_ms / 1000, row.samples,
            SLOTS_A_DAY, row.busiest_hour, words(Flag(row.flags)),
        )
        for row in _days(db, sites, first, last)
    ]  # fmt: skip


@router.get("/traffic/month", summary="A local month, with corrections")
def month(db: Reads, sites: SeenSites, day: OneDay) -> list[MonthOut]:
    """Return one entry for each interface."""
    here = (TrafficMonth.regency == sites.regency, TrafficMonth.site.in_(sites.codes))
    of_month = (*here, TrafficMonth.month == day.replace(day=1))
    found = db.scalars(select(TrafficMonth).where(*of_month).order_by(TrafficMonth.device, TrafficMonth.interface))
    return [_month(db, one, sites.zone) for one in found]


def _is_lower_bound_still(db: Session, row: TrafficMonth) -> bool:
    """Tell whether more passed than is known with the corrections, which may have filled what was missing."""
    line = (row.site, row.device, row.interface)
    now = closing.months_of(db, row.regency, row.month, row.site).get(line)
    return row.lower_bound if now is None else now.lower_bound


@router.get("/oddities", summary="Readings that are not as they should be")
def oddities(db: Reads, sites: SeenSites, first: First, last: Last) -> list[OddityOut]:
    """Return one entry for each device, day and kind."""
    _check_span(first, last)
    here = (Oddity.regency == sites.regency, Oddity.site.in_(sites.codes), Oddity.day.between(first, last))
    rows = db.scalars(select(Oddity).where(*here).order_by(Oddity.day, Oddity.device, Oddity.what))
    return [OddityOut(row.device, row.day, row.what, row.count) for row in rows]


def words(flags: Flag) -> list[str]:
    """Return the names of flags, in their order."""
    return [str(one.name).lower() for one in flags]


def _slot(device: str, interface: str, at: str, slot: Slot) -> SlotOut:
    return SlotOut(device, interface, at, slot.rx_bytes, slot.tx_bytes, slot.covered_ms / 1000, words(slot.flags))


def _month(db: Session, row: TrafficMonth, zone: str) -> MonthOut:
    key = ("regency", "site", "device", "interface", "month")
    same = [getattr(TrafficCorrection, name) == getattr(row, name) for name in key]
    late = db.scalars(select(TrafficCorrection).where(*same).order_by(TrafficCorrection.number))
    corrections = [
        CorrectionOut(
            one.number, _local(one.noted_ms, zone), one.rx_bytes, one.tx_bytes, one.samples, one.rx_p95_bps,
            one.tx_p95_bps,
        )
        for one in late
    ]  # fmt: skip
    known = [one for one in (row.rx_p95_bps, row.tx_p95_bps) if one is not None]
    return MonthOut(
        row.device, row.interface, row.month, _local(row.closed_ms, zone) if row.closed_ms else None, POLICY,
        row.rx_bytes, row.tx_bytes, row.lower_bound, row.rx_p95_bps, row.tx_p95_bps, max(known, default=None),
        row.samples, row.expected, _local(row.busiest_hour_ms, zone), row.busiest_bytes, words(Flag(row.flags)),
        corrections, _is_lower_bound_still(db, row) if corrections else row.lower_bound,
    )  # fmt: skip


def _days(db: Session, sites: Sites, first: date, last: date) -> list[TrafficDay]:
    here = (TrafficDay.regency == sites.regency, TrafficDay.site.in_(sites.codes))
    rows = select(TrafficDay).where(*here, TrafficDay.day.between(first, last))
    return list(db.scalars(rows.order_by(TrafficDay.day, TrafficDay.device, TrafficDay.interface)))


def _check_span(first: date, last: date) -> None:
    if not 0 <= (last - first).days < MOST_DAYS:
        raise Unprocessable("Ask for at most 400 days, the first one first.")


def _local(at_ms: int, zone: str) -> str:
    return clock.local(at_ms, zone).isoformat()
