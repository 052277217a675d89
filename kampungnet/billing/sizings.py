"""Right-sizing of contracts out of the books: twelve months of statements, the hours beside them, next year's price."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kampungnet.billing import contracts, glances, line_hours, rating, sizing, statements
from kampungnet.billing.glances import Seen
from kampungnet.billing.line_hours import Coverage
from kampungnet.billing.models import Contract, ContractVersion, LineHours, Statement
from kampungnet.billing.sizing import Package, RabLine, Sizing, Use, WhatIf
from kampungnet.billing.tax import HOUSE_TAXES
from kampungnet.billing.terms import ContractTerms, PriceFor
from kampungnet.staff.service import Scope
from kampungnet.villages import service as villages

MONTHS: Final = 12
HOUR_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True)
class MonthSeen:
    """One month of a line, with what its figures rest on."""

    month: date
    use: Use
    samples: int
    expected: int
    peak_at_ms: int | None
    has_hours: bool
    """Whether its hours were counted; a month without them does not count."""


@dataclass(frozen=True, slots=True)
class Sized:
    """One contract against what was used of it."""

    contract: Contract
    name: str
    district: str
    provider: str
    terms: ContractTerms | None
    """Those that hold now, or hold first."""
    monthly: int | None
    """Rupiah of a whole month next January, tax included; empty where the contract has no terms."""
    next_year: int
    samples: int
    """Five-minute slots that were fully seen, in all of the months ..."""
    expected: int
    """... of so many."""
    waiting: int
    """Months whose hours were not counted yet."""
    sizing: Sizing

    @property
    def contracted_kbps(self) -> int:
        """What is bought now."""
        return line_hours.contracted_kbps(self.terms) if self.terms else 0

    @property
    def rab(self) -> RabLine | None:
        """Next year's line: 12 bulan x harga."""
        return None if self.monthly is None else sizing.rab_line(self.monthly, 12, self.sizing.need_kbps)


def sized(db: Session, scope: Scope, day: date) -> list[Sized]:
    """Return the contracts that a person may see and that run now or ran within the twelve months before.

    No document is read: the sums of months stand beside them.
    """
    first, last = _months_before(day, MONTHS), _months_before(day, 1)
    made = _made(db, scope, first, last)
    counted, measured = line_hours.sums(db, scope.regency, first, last, sizing.HOUSE.fewest_hours)
    versions = contracts.terms_by_contract(db, scope.regency)
    names, districts = statements.names(db, scope.regency), villages.districts(db, scope.regency)
    providers = contracts.providers(db, scope.regency)
    return [
        _sized(one, versions[one.id],
               (names.get(one.unit, one.unit), districts.get(one.unit[:8], ""), providers[one.provider]), day,
               (measured.get(one.id, Coverage()), made.get(one.id, 0), sizing.summed(counted[one.id])))
        for one in contracts.of_scope(db, scope)
        if one.id in made or one.runs_on(day)
    ]  # fmt: skip


def sized_one(db: Session, scope: Scope, held: Contract, day: date) -> tuple[Sized, list[MonthSeen]]:
    """Return one contract, whenever it runs, with its months, the oldest first."""
    first, last = _months_before(day, MONTHS), _months_before(day, 1)
    hours = line_hours.of_contract(db, scope.regency, held.id, first, last)
    months = [_month(one, hours.get(one.month)) for one in glances.seen(db, scope, first, last, held.id)]
    versions = contracts.terms_by_contract(db, scope.regency, [held.id])
    name = statements.names(db, scope.regency).get(held.unit, held.unit)
    district = villages.districts(db, scope.regency).get(held.unit[:8], "")
    provider = contracts.providers(db, scope.regency)[held.provider]
    counted = [one for one in months if one.has_hours]
    coverage = Coverage(sum(one.samples for one in counted), sum(one.expected for one in counted), len(counted))
    found = sizing.sizing([one.use for one in months])
    return _sized(held, versions[held.id], (name, district, provider), day, (coverage, len(months), found)), months


def _made(db: Session, scope: Scope, first: date, last: date) -> Mapping[str, int]:
    """Return of how many of some months each contract has a statement."""
    asked = select(Statement.contract, func.count().label("number")).where(
        Statement.regency == scope.regency, scope.where(Statement.unit),
        Statement.month >= first, Statement.month <= last,
    )  # fmt: skip
    return {row.contract: row.number for row in db.execute(asked.group_by(Statement.contract))}


def compared(found: Sized, other_kbps: int, price: int, *, includes_ppn: bool) -> tuple[int, WhatIf] | None:
    """Return what another package costs a month, tax included, and how it compares; ``None`` where there are no terms.

    All other terms stay as they are.
    """
    if found.terms is None or found.monthly is None:
        return None
    terms = msgspec.structs.replace(found.terms, price=price, price_for=PriceFor.MONTH, price_includes_ppn=includes_ppn)
    monthly = rating.whole_month(terms, HOUSE_TAXES, date(found.next_year, 1, 1))
    now, other = Package(found.contracted_kbps, found.monthly), Package(other_kbps, monthly)
    return monthly, sizing.what_if(now, other, found.sizing.need_kbps)


def _sized(
    contract: Contract, versions: Sequence[ContractVersion], names: tuple[str, str, str], day: date,
    of: tuple[Coverage, int, Sizing],
) -> Sized:  # fmt: skip
    (measured, made, found), year = of, day.year + 1
    terms, _ = contracts.known_terms(versions, max(day, contract.first_day), contract)
    monthly = rating.whole_month(terms, HOUSE_TAXES, date(year, 1, 1)) if terms else None
    waiting = made - measured.months
    return Sized(contract, *names, terms, monthly, year, measured.samples, measured.expected, waiting, found)


def _month(seen: Seen, hours: LineHours | None) -> MonthSeen:
    traffic, terms = seen.glance.measured.traffic, seen.glance.contract.terms
    use = Use(
        month=seen.month.isoformat()[:7], contracted_kbps=terms.down_kbps or terms.committed_kbps,
        p95_bps=traffic.rx_p95_bps, peak_bps=hours.peak_rx_bytes * 8 // HOUR_SECONDS if hours else 0,
        ceiling_hours=hours.at_ceiling if hours else 0, measured_hours=hours.measured if hours else 0,
        total_bytes=traffic.rx_bytes + traffic.tx_bytes, rupiah=seen.glance.total,
    )  # fmt: skip
    return MonthSeen(seen.month, use, traffic.samples, traffic.expected, hours.peak_at_ms if hours else None,
                     hours is not None)  # fmt: skip


def _months_before(day: date, number: int) -> date:
    months = day.year * 12 + day.month - 1 - number
    return date(months // 12, months % 12 + 1, 1)
