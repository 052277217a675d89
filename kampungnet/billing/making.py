"""Statements are made from what was measured and contracted.

A draft is made anew as often as something changes. Approval freezes it with a number and a hash; what is found out
afterwards becomes a correction in the contract's next statement (facts on billing 7.5).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from kampungnet.billing import contracts, late, line_hours, months, statement, statements
from kampungnet.billing.contracts import Held
from kampungnet.billing.document import canonical
from kampungnet.billing.models import Contract, Statement
from kampungnet.billing.month_books import MonthBooks
from kampungnet.billing.rating import Unrateable
from kampungnet.billing.statements import DRAFT, FROZEN
from kampungnet.billing.tax import RateUnknown
from kampungnet.core import clock
from kampungnet.core.errors import Unprocessable
from kampungnet.core.languages import N_
from kampungnet.measurement import service_months
from kampungnet.villages.models import Regency

UNRATEABLE: Final = N_("The contract's terms do not allow to compute this month. Please correct the contract.")
MACHINE: Final = "KampungNet"
"""Who makes drafts, in the list of steps."""
AT_ONCE: Final = 25
"""Contracts in one transaction: it holds up the reports of boxes for about 0.1 s."""


@dataclass(frozen=True, slots=True)
class Made:
    """What making one contract's statement came to."""

    contract: str
    state: str
    changed: bool
    problem: str = ""
    """A text of the catalogue: why there is none."""


def make(db: Session, held: Held, month: date, now_ms: int) -> Made:
    """Make or renew the draft of one contract's month, see :func:`make_some`; looks back for late facts first."""
    late.look_back(db, held.contract.regency, month, now_ms, [held.contract.id])
    return make_some(db, held.contract.regency, [held], month, now_ms)[0]


def make_some(db: Session, regency: str, held: Sequence[Held], month: date, now_ms: int) -> list[Made]:
    """Make or renew the drafts of some contracts; what was approved stays, and what changed since is a correction.

    A contract that cannot be computed is told of and stops no other. Raises ``Unprocessable`` for a month that is
    not over.
    """
    demand_over(regency, month, now_ms)
    # Whoever signs holds the same row: a draft is not renewed over a statement that was approved meanwhile.
    db.execute(select(Regency.code).where(Regency.code == regency).with_for_update(key_share=True))
    books = MonthBooks(db, regency, held, month, now_ms)
    made = [_make(db, books, one, month, now_ms) for one in held]
    db.flush()
    for one in made:
        if one.changed and one.state == DRAFT:
            row, before = books.statements[one.contract], books.steps.get(one.contract, 0)
            db.add(statements.step(row, before + 1, (MACHINE, MACHINE), now_ms))
    db.flush()
    renewed = {one.contract for one in made if one.changed and one.state == DRAFT}
    for contract, row in books.statements.items():
        if contract in renewed or contract not in books.hours_known:
            line_hours.note(db, row, statements.document_of(row))
    return made


def demand_over(regency: str, month: date, now_ms: int) -> None:
    """Raise ``Unprocessable`` for a month that is not over in the zone of a regency."""
    if clock.local_day(now_ms, clock.zone_of(regency)) <= statements.last_day(month):
        raise Unprocessable(N_("This month is not over yet. Statements are made from its last day on."))


def make_all(db: Session, regency: str, month: date, now_ms: int) -> Iterator[Made]:
    """Make the statements of every contract that ran in a month; drafts of others, from before, are dropped."""
    for one in db.scalars(_no_longer_running(regency, month)).all():
        statements.drop_outside(db, one)
    late.look_back(db, regency, month, now_ms)
    held, unreadable = contracts.readable(db, regency, month, statements.last_day(month))
    yield from (Made(one, "", changed=False, problem=UNRATEABLE) for one in unreadable)
    for start in range(0, len(held), AT_ONCE):
        yield from make_some(db, regency, held[start : start + AT_ONCE], month, now_ms)


def _no_longer_running(regency: str, month: date) -> Select[Contract]:
    has_draft = exists().where(
        Statement.regency == Contract.regency, Statement.contract == Contract.id, Statement.month == month,
        Statement.state.not_in(FROZEN),
    )  # fmt: skip
    outside = (Contract.first_day > statements.last_day(month)) | (Contract.last_day < month)
    return select(Contract).where(Contract.regency == regency, outside, has_draft)


def _make(db: Session, books: MonthBooks, held: Held, month: date, now_ms: int) -> Made:
    contract, row = held.contract, books.statements.get(held.contract.id)
    if row is not None and row.state in FROZEN:
        return Made(contract.id, row.state, changed=late.note(db, row, books.measured.get(contract.site), now_ms))
    try:
        document = statement.draft(books.facts(held, statements.last_day(month)))
    except (Unrateable, RateUnknown):  # whatever else goes wrong is a defect of ours, and has to be seen
        return Made(contract.id, "", changed=False, problem=UNRATEABLE)
    if row is not None and row.document == canonical(document):
        return Made(contract.id, row.state, changed=False)
    if row is None:
        row = Statement(regency=contract.regency, contract=contract.id, month=month, number_year=None, number=None)
        books.statements[contract.id] = row
        db.add(row)
    row.unit, row.village, row.state, row.made_ms = contract.unit, contract.village, DRAFT, now_ms
    row.line = books.line_of.get(contract.id)
    statements.freeze(row, document)
    return Made(contract.id, DRAFT, changed=True)


def is_closed(db: Session, row: Statement, now_ms: int) -> bool:
    """Tell whether what was measured in a statement's month is final, also when that is nothing."""
    contract = db.get_one(Contract, (row.regency, row.contract))
    found = months.summary_of(db, contract, row.month, now_ms)
    if found is None or found.closed_ms is not None:
        return True
    return service_months.is_before_all(db, (found.regency, found.site), found.month)
