"""Right-sizing of contracts out of the books: twelve months of statements, the hours beside them, next year's price."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import msgspec
from sqlalchemy.orm import Session

from kampungnet.billing import contracts, glances, line_hours, rating, sizing, statements
from kampungnet.billing.glances import Seen
from kampungnet.billing.models import Contract, ContractVersion
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
    months: Sequence[MonthSeen]
    sizing: Sizing

    @property
    def contracted_kbps(self) -> int:
        """What is bought now."""
        return line_hours.contracted_kbps(self.terms) if self.terms else 0

    @property
    def samples(self) -> int:
        """Five-minute slots that were fully seen, in all of the months ..."""
        return sum(one.samples for one in self.months)

    @property
    def expected(self) -> int:
        """... of so many."""
        return sum(one.expected for one in self.months)

    @property
    def waiting(self) -> int:
        """Months whose hours were not counted yet."""
        return sum(not one.has_hours for one in self.months)

    @property
    def rab(self) -> RabLine | None:
        """Next year's line: 12 bulan x harga."""
        return None if self.monthly is None else sizing.rab_line(self.monthly, 12, self.sizing.need_kbps)


def sized(db: Session, scope: Scope, day: date, only: Contract | None = None) -> list[Sized]:
    """Return the contracts that a person may see and that run now or ran within the twelve months before.

    One that is asked for alone is returned whenever it runs.
    """
    last = _months_before(day, 1)
    first = _months_before(day, MONTHS)
    held = [only] if only else contracts.of_scope(db, scope)
    seen = _by_contract(glances.seen(db, scope, first, last, only.id if only else None))
    hours = line_hours.of_months(db, scope.regency, first, last)
    versions = contracts.terms_by_contract(db, scope.regency, [only.id] if only else None)
    names, districts = statements.names(db, scope.regency), villages.districts(db, scope.regency)
    providers = contracts.providers(db, scope.regency)
    return [
        _sized(one, versions[one.id], [_month(month, hours.get((one.id, month.month))) for month in seen[one.id]],
               (names.get(one.unit, one.unit), districts.get(one.unit[:8], ""), providers[one.provider]), day)
        for one in held
        if only or seen[one.id] or (one.first_day <= day and (one.last_day is None or one.last_day >= day))
    ]  # fmt: skip


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
    contract: Contract, versions: Sequence[ContractVersion], months: Sequence[MonthSeen],
    names: tuple[str, str, str], day: date,
) -> Sized:  # fmt: skip
    terms = contracts.terms_on(versions, max(day, contract.first_day), contract)
    monthly = rating.whole_month(terms, HOUSE_TAXES, date(day.year + 1, 1, 1)) if terms else None
    return Sized(contract, *names, terms, monthly, day.year + 1, months, sizing.sizing([one.use for one in months]))


def _month(seen: Seen, hours: Any) -> MonthSeen:
    traffic, terms = seen.glance.measured.traffic, seen.glance.contract.terms
    use = Use(
        month=seen.month.isoformat()[:7], contracted_kbps=terms.down_kbps or terms.committed_kbps,
        p95_bps=traffic.rx_p95_bps, peak_bps=hours.peak_rx_bytes * 8 // HOUR_SECONDS if hours else 0,
        ceiling_hours=hours.at_ceiling if hours else 0, measured_hours=hours.measured if hours else 0,
        total_bytes=traffic.rx_bytes + traffic.tx_bytes, rupiah=seen.glance.total,
    )  # fmt: skip
    return MonthSeen(seen.month, use, traffic.samples, traffic.expected, hours.peak_at_ms if hours else None,
                     hours is not None)  # fmt: skip


def _by_contract(found: Sequence[Seen]) -> Mapping[str, list[Seen]]:
    of_contract: dict[str, list[Seen]] = defaultdict(list)
    for one in found:
        of_contract[one.contract].append(one)
    return of_contract


def _months_before(day: date, number: int) -> date:
    months = day.year * 12 + day.month - 1 - number
    return date(months // 12, months % 12 + 1, 1)
