"""Statements as they are kept: found, frozen, numbered, and who took which step (``making`` makes them)."""

import calendar
from collections.abc import Mapping
from datetime import date
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from kampungnet.billing import glances
from kampungnet.billing.document import (
    Judged,
    StatementDocument,
    canonical,
    content_hash,
    from_canonical,
)
from kampungnet.billing.models import Contract, Correction, LineHours, Statement, StatementStep
from kampungnet.core.errors import NotFound
from kampungnet.core.languages import N_
from kampungnet.staff.service import Scope
from kampungnet.villages import service as villages
from kampungnet.villages.models import Regency

DRAFT, CHECKED, APPROVED, PAID = "draft", "checked", "approved", "paid"
FROZEN: Final = (APPROVED, PAID)
MOST_MONTHS: Final = 36
"""Months to choose from."""


def last_day(month: date) -> date:
    """Return the last day of the month that begins on a day."""
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])


def freeze(row: Statement, document: StatementDocument) -> None:
    """Put a document into its row, with what lists show of it."""
    row.document, row.hash, row.total_rupiah = canonical(document), content_hash(document), document.total
    row.judged, row.glance = document.judgement.result is not Judged.NOT_JUDGED, glances.of(document)


def add_step(db: Session, row: Statement, who: tuple[str, str], at_ms: int, note: str = "") -> None:
    """Note that somebody (user name and name) brought a statement into the state it has now."""
    of_row = (StatementStep.regency == row.regency, StatementStep.contract == row.contract,
              StatementStep.month == row.month)  # fmt: skip
    known = db.execute(select(func.count()).select_from(StatementStep).where(*of_row)).scalar_one()
    db.add(step(row, known + 1, who, at_ms, note))
    db.flush()


def step(row: Statement, number: int, who: tuple[str, str], at_ms: int, note: str = "") -> StatementStep:
    """Return the row of a step into the state that a statement has now."""
    return StatementStep(
        regency=row.regency, contract=row.contract, month=row.month, step=number, state=row.state, username=who[0],
        name=who[1], at_ms=at_ms, note=note,
    )  # fmt: skip


def document_of(row: Statement) -> StatementDocument:
    """Return the document of a statement."""
    return from_canonical(row.document)


def find(db: Session, scope: Scope, contract: str, month: date) -> Statement:
    """Return one statement. Raises ``NotFound`` for one that is not there or not this person's."""
    row = db.get(Statement, (scope.regency, contract, month))
    if row is None or not scope.covers(row.unit):
        raise NotFound(N_("There is no such statement here. Go back to the list."))
    return row


def of_month(db: Session, scope: Scope, month: date) -> list[Statement]:
    """Return the statements of a month that a person may see."""
    asked = select(Statement).where(
        Statement.regency == scope.regency, Statement.month == month, scope.where(Statement.unit)
    )
    return list(db.scalars(asked.order_by(Statement.village, Statement.contract)))


def months(db: Session, scope: Scope) -> list[date]:
    """Return the newest months of which a person may see statements, the newest first."""
    asked = select(Statement.month).where(Statement.regency == scope.regency, scope.where(Statement.unit))
    return list(db.scalars(asked.distinct().order_by(Statement.month.desc()).limit(MOST_MONTHS)))


def steps_of(db: Session, row: Statement) -> list[StatementStep]:
    """Return who did what with a statement, the first one first."""
    asked = select(StatementStep).where(
        StatementStep.regency == row.regency, StatementStep.contract == row.contract, StatementStep.month == row.month
    )
    return list(db.scalars(asked.order_by(StatementStep.step)))


def paid_by(db: Session, row: Statement) -> str:
    """Return who paid a statement; empty while nobody did."""
    return next((one.name for one in steps_of(db, row) if one.state == PAID), "")


def by_hash(db: Session, content: str) -> Statement | None:
    """Return the approved statement with a content hash: whoever holds the paper may check it."""
    return db.scalar(select(Statement).where(Statement.hash == content, Statement.state.in_(FROZEN)))


def drop_outside(db: Session, contract: Contract) -> int:
    """Drop what was not approved of months in which a contract no longer runs, or not yet; return how many it were.

    What was approved stays: it has a number and a paper. Nobody signs meanwhile: who does holds the same row.
    """
    db.execute(select(Regency.code).where(Regency.code == contract.regency).with_for_update(key_share=True))
    start = max(contract.first_day, contract.activated or contract.first_day)
    end = date.max if contract.last_day is None else contract.last_day
    of_contract = (Statement.regency == contract.regency, Statement.contract == contract.id)
    gone = [
        one for one in db.scalars(select(Statement).where(*of_contract, Statement.state.not_in(FROZEN)))
        if not (one.month <= end and start <= last_day(one.month))
    ]  # fmt: skip
    for row in gone:
        for beside in (StatementStep, LineHours):
            of_row = (beside.regency == row.regency, beside.contract == row.contract, beside.month == row.month)
            db.execute(delete(beside).where(*of_row))
        db.delete(row)
    db.flush()
    return len(gone)


def mark_posted(db: Session, row: Statement) -> None:
    """Note that the corrections in a statement are posted with it."""
    open_ones = select(Correction).where(
        Correction.regency == row.regency, Correction.contract == row.contract, Correction.month < row.month,
        Correction.posted_month.is_(None),
    )  # fmt: skip
    for one in db.scalars(open_ones).all():
        one.posted_month = row.month
    db.flush()


def number_text(row: Statement) -> str:
    """Return a statement's number as papers write it (facts 9.4): ``0007/BPLI/15.2012/2026``; empty before approval."""
    if row.number is None:
        return ""
    return f"{row.number:04}/BPLI/{row.unit[6:]}/{row.number_year}"


def names(db: Session, regency: str) -> Mapping[str, str]:
    """Return the names of units by code: villages, and kecamatan for their offices."""
    return villages.districts(db, regency) | villages.names(db, regency)
