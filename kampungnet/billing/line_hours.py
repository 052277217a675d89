"""Hours of a contract's line in a month: how many were seen, how many stood at the ceiling, and the fullest one."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.billing.document import StatementDocument
from kampungnet.billing.models import LineHours, Statement
from kampungnet.billing.sizing import at_ceiling
from kampungnet.billing.terms import ContractTerms
from kampungnet.core import clock
from kampungnet.core.rows import upsert
from kampungnet.measurement.models import TrafficHour

_KEYS = ("regency", "contract", "month")
_COUNTED = ("measured", "at_ceiling", "peak_rx_bytes", "peak_at_ms")
HOUR_SECONDS = 3600


class Hour(NamedTuple):
    """One local hour of one interface; ``seconds`` of it were seen."""

    device: str
    day: date
    hour: int
    rx_bytes: int
    seconds: int


class Counted(NamedTuple):
    """What the hours come to; see :class:`kampungnet.billing.models.LineHours`."""

    measured: int
    at_ceiling: int
    peak_rx_bytes: int
    peak: tuple[date, int] | None
    """Local day and hour of the fullest."""


def contracted_kbps(terms: ContractTerms) -> int:
    """Return the rate towards the village that was bought: what is promised, or else what is committed."""
    return terms.down_kbps or terms.committed_kbps


def counted(hours: Iterable[Hour], kbps: int) -> Counted:
    """Count hours. Interfaces of one router follow each other, routers stand side by side.

    In an hour that counts, all routers of its day were seen: of one that was dark nothing is stored.
    """
    received: dict[tuple[date, int], int] = defaultdict(int)
    of_day: dict[date, set[str]] = defaultdict(set)
    seen: dict[tuple[date, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in hours:
        at = one.day, one.hour
        received[at] += one.rx_bytes
        seen[at][one.device] += one.seconds
        of_day[one.day].add(one.device)
    whole = {
        at: received[at] for at, devices in seen.items()
        if all(devices.get(device, 0) >= HOUR_SECONDS for device in of_day[at[0]])
    }  # fmt: skip
    peak = max(sorted(whole), key=whole.__getitem__, default=None)
    full = sum(at_ceiling(rx_bytes, kbps) for rx_bytes in whole.values())
    return Counted(len(whole), full, whole[peak] if peak else 0, peak)


def note(db: Session, row: Statement, document: StatementDocument) -> None:
    """Count the hours of a statement's days and keep them beside it."""
    period, zone = document.measured.period, clock.zone_of(row.regency)
    hours: list[Hour] = []
    for line in document.measured.traffic.lines:
        device, _, interface = line.partition("/")
        asked = select(TrafficHour.device, TrafficHour.day, TrafficHour.hour, TrafficHour.rx_bytes,
                       TrafficHour.covered_seconds).where(
            TrafficHour.regency == row.regency, TrafficHour.site == document.village.site,
            TrafficHour.device == device, TrafficHour.interface == interface,
            TrafficHour.day >= period.first_day, TrafficHour.day <= period.last_day,
        )  # fmt: skip
        hours += [Hour._make(one) for one in db.execute(asked)]
    found = counted(hours, contracted_kbps(document.contract.terms))
    at_ms = clock.day_start_ms(found.peak[0], zone) + found.peak[1] * 3_600_000 if found.peak else None
    values = {"measured": found.measured, "at_ceiling": found.at_ceiling, "peak_rx_bytes": found.peak_rx_bytes,
              "peak_at_ms": at_ms}  # fmt: skip
    key = {"regency": row.regency, "contract": row.contract, "month": row.month}
    upsert(db, LineHours, [key | values], _KEYS, _COUNTED)


def of_months(db: Session, regency: str, first: date, last: date) -> Mapping[tuple[str, date], LineHours]:
    """Return what was counted in some months (both included, by their first days), by contract and month."""
    asked = select(LineHours.contract, LineHours.month, LineHours.measured, LineHours.at_ceiling,
                   LineHours.peak_rx_bytes, LineHours.peak_at_ms).where(
        LineHours.regency == regency, LineHours.month >= first, LineHours.month <= last
    )  # fmt: skip
    return {(one.contract, one.month): one for one in db.execute(asked)}  # type: ignore[misc]  # rows with its names
