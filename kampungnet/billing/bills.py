"""Bills to come: what the contracts that a budget line pays have still to cost in its year, each by its own terms."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.billing import contracts, paying, rating, statements
from kampungnet.billing.models import BudgetLine, Contract, ContractVersion, Statement
from kampungnet.billing.tax import HOUSE_TAXES, RateUnknown


class Bill(NamedTuple):
    """A month of a contract that is not approved yet; without credit and overuse, tax included."""

    contract: str
    month: int
    rupiah: int


def to_come(db: Session, regency: str, year: int, lines: Collection[str] | None = None) -> Mapping[str, list[Bill]]:
    """Return the bills to come by line, of some lines of a year or of all.

    A month that the opening balance reaches is paid. Of terms that cannot be read or computed nothing is known.
    """
    line_of = paying.lines_of_year(db, regency, year)
    if lines is not None:
        line_of = {contract: line for contract, line in line_of.items() if line in lines}
    some = None if lines is None else list(line_of)
    asked = select(Contract).where(Contract.regency == regency)
    held = db.scalars(asked if some is None else asked.where(Contract.id.in_(some)))
    versions, billed = contracts.terms_by_contract(db, regency, some), _billed(db, regency, year, some)
    opened = _opened(db, regency, year)
    found: dict[str, list[Bill]] = defaultdict(list)
    for one in held:
        if (line := line_of.get(one.id)) is not None:
            months = [number for number in range(opened.get(line, 0) + 1, 13) if number not in billed[one.id]]
            found[line] += _bills(one, versions[one.id], year, months)
    return found


def by_month(bills: Sequence[Bill]) -> Mapping[int, int]:
    """Return the sum of each month."""
    found: dict[int, int] = defaultdict(int)
    for one in bills:
        found[one.month] += one.rupiah
    return found


def _bills(
    contract: Contract, versions: Sequence[ContractVersion], year: int, months: Sequence[int]
) -> Iterator[Bill]:  # fmt: skip
    for number in months:
        first = date(year, number, 1)
        last = statements.last_day(first)
        try:
            terms = contracts.terms_on(versions, last, contract)
            if terms is None or terms.start > last or (terms.end or last) < max(first, terms.start):
                continue
            days = max(first, terms.start), min(last, terms.end or last)
            yield Bill(contract.id, number, rating.planned(terms, HOUSE_TAXES, *days))
        except (RateUnknown, msgspec.DecodeError):
            continue


def _billed(db: Session, regency: str, year: int, some: Collection[str] | None) -> Mapping[str, set[int]]:
    """Return the months, 1 to 12, of which each contract has an approved statement."""
    asked = select(Statement.contract, Statement.month).where(
        Statement.regency == regency, Statement.state.in_(statements.FROZEN),
        Statement.month >= date(year, 1, 1), Statement.month <= date(year, 12, 31),
    )  # fmt: skip
    found: dict[str, set[int]] = defaultdict(set)
    for row in db.execute(asked if some is None else asked.where(Statement.contract.in_(some))):
        found[row.contract].add(row.month.month)
    return found


def _opened(db: Session, regency: str, year: int) -> Mapping[str, int]:
    """Return until which month each line's opening balance tells what was spent."""
    asked = select(BudgetLine.id, BudgetLine.opening_through).where(
        BudgetLine.regency == regency, BudgetLine.year == year, BudgetLine.opening_through.is_not(None)
    )
    return {row.id: row.opening_through.month for row in db.execute(asked)}
