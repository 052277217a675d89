"""Which budget line pays: each year its own, with the kegiatan and rekening of the line that the contract names.

A contract may run for years, a line never does (facts on billing 1.3). What was approved keeps the line that it was
approved with; what is not, and what was approved while the books had no line for it, follows the books.
"""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, extract, func, select, update
from sqlalchemy.orm import Session, aliased

from kampungnet.billing.models import BudgetLine, Contract, Statement
from kampungnet.billing.statements import FROZEN

_named, _paying = aliased(BudgetLine), aliased(BudgetLine)


def lines_of_year(db: Session, regency: str, year: int, contracts: Collection[str] | None = None) -> Mapping[str, str]:
    """Return by contract (of some, or of all) the line that pays for it in a year; those without one are left out."""
    asked = _joined(select(Contract.id, _paying.id.label("line")), _paying.year == year).where(
        Contract.regency == regency
    )
    if contracts is not None:
        asked = asked.where(Contract.id.in_(contracts))
    return {row.id: row.line for row in db.execute(asked)}


def line_on(db: Session, contract: Contract, day: date) -> str | None:
    """Return the line that pays for a contract in the year of a day."""
    return lines_of_year(db, contract.regency, day.year, [contract.id]).get(contract.id)


def follow(db: Session, regency: str) -> None:
    """Let statements follow contracts and budget lines that changed, as far as they may."""
    db.flush()
    of_year = _paying.year == extract("year", Statement.month)
    own = (Contract.regency == Statement.regency) & (Contract.id == Statement.contract)
    line = _joined(select(_paying.id).select_from(Contract), of_year).where(own).scalar_subquery()
    db.execute(
        update(Statement)
        .where(Statement.regency == regency, Statement.line.is_(None) | Statement.state.not_in(FROZEN))
        .values(line=func.coalesce(line.correlate(Statement), Statement.line)),
        execution_options={"synchronize_session": "fetch"},
    )


def _joined(asked: Any, of_year: ColumnElement[bool]) -> Any:
    return asked.join(_named, (_named.regency == Contract.regency) & (_named.id == Contract.line)).join(
        _paying,
        (_paying.regency == _named.regency) & (_paying.unit == _named.unit) & of_year
        & (_paying.activity == _named.activity) & (_paying.account == _named.account),
    )  # fmt: skip
