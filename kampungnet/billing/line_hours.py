"""Hours of a contract's line in a month: how many were seen, how many stood at the ceiling, and the fullest one."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Case, case, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from kampungnet.billing.document import StatementDocument
from kampungnet.billing.models import LineHours, Statement
from kampungnet.billing.sizing import Months, at_ceiling
from kampungnet.billing.terms import ContractTerms
from kampungnet.core import clock
from kampungnet.core.rows import upsert
from kampungnet.measurement.models import TrafficHour

_KEYS = ("regency", "contract", "month")
_COUNTED = ("measured", "at_ceiling", "peak_rx_bytes", "peak_at_ms")
_BESIDE = ("contracted_kbps", "rx_p95_bps", "samples", "expected", "total_bytes", "rupiah")
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
    """Count the hours of a statement's days and keep them beside it, with what else right-sizing asks."""
    period, traffic, zone = document.measured.period, document.measured.traffic, clock.zone_of(row.regency)
    hours: list[Hour] = []
    for line in traffic.lines:
        device, _, interface = line.partition("/")
        asked = select(TrafficHour.device, TrafficHour.day, TrafficHour.hour, TrafficHour.rx_bytes,
                       TrafficHour.covered_seconds).where(
            TrafficHour.regency == row.regency, TrafficHour.site == document.village.site,
            TrafficHour.device == device, TrafficHour.interface == interface,
            TrafficHour.day >= period.first_day, TrafficHour.day <= period.last_day,
        )  # fmt: skip
        hours += [Hour._make(one) for one in db.execute(asked)]
    kbps = contracted_kbps(document.contract.terms)
    found = counted(hours, kbps)
    at_ms = clock.day_start_ms(found.peak[0], zone) + found.peak[1] * 3_600_000 if found.peak else None
    values = {
        "measured": found.measured, "at_ceiling": found.at_ceiling, "peak_rx_bytes": found.peak_rx_bytes,
        "peak_at_ms": at_ms, "contracted_kbps": kbps, "rx_p95_bps": traffic.rx_p95_bps, "samples": traffic.samples,
        "expected": traffic.expected, "total_bytes": traffic.total_bytes, "rupiah": document.total,
    }  # fmt: skip
    key = {"regency": row.regency, "contract": row.contract, "month": row.month}
    upsert(db, LineHours, [key | values], _KEYS, _COUNTED + _BESIDE)


def of_contract(db: Session, regency: str, contract: str, first: date, last: date) -> Mapping[date, LineHours]:
    """Return what was counted of a contract in some months (both included, by their first days), by month."""
    asked = select(LineHours).where(
        LineHours.regency == regency, LineHours.contract == contract, LineHours.month >= first, LineHours.month <= last
    )
    return {one.month: one for one in db.scalars(asked)}


class Coverage(NamedTuple):
    """How much of some months was measured."""

    samples: int = 0
    expected: int = 0
    months: int = 0
    """Of which the hours were counted."""


def sums(
    db: Session, regency: str, first: date, last: date, fewest_hours: int
) -> tuple[Mapping[str, list[Months]], Mapping[str, Coverage]]:
    """Return by contract the sums of some months that count in sizing, and how much was measured of all of them."""
    counts = LineHours.rx_p95_bps.is_not(None) & (LineHours.measured >= fewest_hours)

    def counted(column: InstrumentedAttribute[Any]) -> Case[Any]:
        return case((counts, column))

    asked = select(
        LineHours.contract, LineHours.contracted_kbps, func.count(), func.sum(LineHours.samples),
        func.sum(LineHours.expected), func.count(counted(LineHours.rx_p95_bps)),
        func.max(counted(LineHours.rx_p95_bps)), func.max(counted(LineHours.peak_rx_bytes)),
        func.sum(counted(LineHours.rx_p95_bps)), func.sum(counted(LineHours.at_ceiling)),
        func.sum(counted(LineHours.measured)), func.sum(counted(LineHours.total_bytes)),
        func.sum(counted(LineHours.rupiah)),
    ).where(LineHours.regency == regency, LineHours.month >= first, LineHours.month <= last)  # fmt: skip
    found: dict[str, list[Months]] = defaultdict(list)
    covered: dict[str, Coverage] = defaultdict(Coverage)
    rows = db.execute(asked.group_by(LineHours.contract, LineHours.contracted_kbps).order_by(LineHours.contracted_kbps))
    for contract, kbps, months, samples, expected, number, p95, peak, *sums_of in rows:
        so_far = covered[contract]
        covered[contract] = Coverage(
            so_far.samples + int(samples), so_far.expected + int(expected), so_far.months + months
        )
        if number:
            p95_sum, full, measured, size, rupiah = (int(one) for one in sums_of)
            peak_bps = peak * 8 // HOUR_SECONDS
            found[contract].append(Months(kbps, number, p95, p95_sum, peak_bps, full, measured, size, rupiah))
    return found, covered
