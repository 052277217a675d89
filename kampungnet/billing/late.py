"""What is found out after a month was approved: corrections, for the contract's next statement (facts on billing 7.5).

Any later month's closing looks back for them; a contract that has ended keeps them on the statement they are about.
"""

from collections.abc import Collection
from datetime import date
from typing import Final

import msgspec
from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from kampungnet.billing import months, statement, statements
from kampungnet.billing.document import canonical
from kampungnet.billing.models import Contract, Correction, Statement
from kampungnet.billing.statements import FROZEN
from kampungnet.measurement.outage_models import ServiceMonth
from kampungnet.measurement.summary import MonthSummary
from kampungnet.villages.models import Regency

YEARS_BACK: Final = 1
"""How far closing a month looks back: the year of the budget and the one before it."""
AT_ONCE: Final = 5
"""Contracts looked back at in one transaction: each may have two years of months, and boxes wait to report."""


def concerned(db: Session, regency: str, month: date) -> list[str]:
    """Return the contracts with approved months before one about which something was found out later, by number."""
    return list(
        db.scalars(_changed_since(regency, month).with_only_columns(Statement.contract).distinct().order_by("contract"))
    )


def look_back(db: Session, regency: str, month: date, now_ms: int, only: Collection[str] | None = None) -> int:
    """Note what later facts changed in approved months before one, of all contracts or some; return how many.

    Doing so twice, or twice at once, notes nothing twice.
    """
    db.execute(select(Regency.code).where(Regency.code == regency).with_for_update(key_share=True))
    asked = _changed_since(regency, month).order_by(Statement.contract, Statement.month)
    if only is not None:
        asked = asked.where(Statement.contract.in_(only))
    rows = db.execute(asked).all()
    return sum(note(db, row, months.summary_of(db, contract, row.month, now_ms), now_ms) for row, contract in rows)


def _changed_since(regency: str, month: date) -> Select[Statement, Contract]:
    of_row = (Correction.contract == Statement.contract, Correction.month == Statement.month)
    of_site = (*of_row, Correction.facts_site == Contract.site)
    # The number of the facts and not their time: a clock that was ahead would hide what is found out after it.
    known = select(func.max(Correction.facts_number)).where(Correction.regency == regency, *of_site)
    # Said, or it would be the newest correction of any statement: SQLAlchemy itself looks only one question out.
    newest = known.correlate(Statement, Contract).scalar_subquery()
    corrected = exists().where(
        ServiceMonth.regency == regency, ServiceMonth.site == Contract.site, ServiceMonth.month == Statement.month,
        ServiceMonth.number > func.coalesce(newest, 0),
    )  # fmt: skip
    return (
        select(Statement, Contract)
        .join(Contract, (Contract.regency == Statement.regency) & (Contract.id == Statement.contract))
        .where(Statement.regency == regency, Statement.state.in_(FROZEN), corrected)
        .where(Statement.month < month, Statement.month >= date(month.year - YEARS_BACK, 1, 1))
    )


def note(db: Session, row: Statement, found: MonthSummary | None, now_ms: int) -> bool:
    """Note what later facts changed in an approved month; return whether they did."""
    if found is None or not found.corrections:
        return False
    posted = statements.document_of(row)
    now = months.measured_days(db, found, found.newest, posted.measured.period, posted.contract.terms)
    now = msgspec.structs.replace(now, hotspot=posted.measured.hotspot)  # it decides over no money
    recomputed = statement.settled(msgspec.structs.replace(posted, measured=now))
    before = of(db, row)
    fact = statement.correction(posted, recomputed, sum(one.rupiah for one in before))
    if fact is None:
        return False
    db.add(
        Correction(
            regency=row.regency, contract=row.contract, month=row.month, number=len(before) + 1, noted_ms=now_ms,
            rupiah=fact.rupiah, document=canonical(recomputed), posted_month=None, facts_site=found.site,
            facts_number=found.corrections[-1].number,
        )
    )  # fmt: skip
    db.flush()
    return True


def of(db: Session, row: Statement) -> list[Correction]:
    """Return the corrections of a statement, the first one first."""
    of_row = (Correction.regency == row.regency, Correction.contract == row.contract, Correction.month == row.month)
    return list(db.scalars(select(Correction).where(*of_row).order_by(Correction.number)))
