"""Statements: made from what was measured and contracted, then checked, approved and paid, each by who answers for it.

A draft is made anew as often as something changes. Approval freezes it with a number and a hash; what is found out
afterwards becomes a correction in the contract's next statement (facts on billing 7.5).
"""

import calendar
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kampungnet.billing import budgets, contracts, line_hours, statement
from kampungnet.billing import months as contract_months
from kampungnet.billing.contracts import Held
from kampungnet.billing.document import (
    BudgetFact,
    ContractFact,
    CorrectionFact,
    FundShare,
    Judged,
    ProviderFact,
    StatementDocument,
    VillageFact,
    canonical,
    content_hash,
    from_canonical,
)
from kampungnet.billing.measured import Period
from kampungnet.billing.models import BudgetLine, Contract, Correction, Provider, Statement, StatementStep
from kampungnet.core import clock
from kampungnet.core.errors import NotFound, Unprocessable
from kampungnet.core.languages import N_
from kampungnet.staff.service import Scope
from kampungnet.villages import service as villages
from kampungnet.villages.models import District, Regency, Village

DRAFT, CHECKED, APPROVED, PAID = "draft", "checked", "approved", "paid"
FROZEN: Final = (APPROVED, PAID)
UNRATEABLE: Final = N_("The contract's terms do not allow to compute this month. Please correct the contract.")
MOST_MONTHS: Final = 36
"""Months to choose from."""
MACHINE: Final = "KampungNet"
"""Who makes drafts, in the list of steps."""


@dataclass(frozen=True, slots=True)
class Made:
    """What making one contract's statement came to."""

    contract: str
    state: str
    changed: bool
    problem: str = ""
    """A text of the catalogue: why there is none."""


def last_day(month: date) -> date:
    """Return the last day of the month that begins on a day."""
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])


def make(db: Session, held: Held, month: date, now_ms: int) -> Made:
    """Make or renew the draft of a contract's month; what was approved stays, and what changed since is a correction.

    Raises ``Unprocessable`` for a month that is not over.
    """
    made = _make(db, held, month, now_ms)
    row = db.get(Statement, (held.contract.regency, held.contract.id, month))
    if row is not None and ((made.changed and row.state == DRAFT) or not line_hours.are_known(db, row)):
        line_hours.note(db, row, document_of(row))
    return made


def _make(db: Session, held: Held, month: date, now_ms: int) -> Made:
    contract, zone = held.contract, clock.zone_of(held.contract.regency)
    if clock.local_day(now_ms, zone) <= last_day(month):
        raise Unprocessable(N_("This month is not over yet. Statements are made from its last day on."))
    row = db.get(Statement, (contract.regency, contract.id, month))
    if row is not None and row.state in FROZEN:
        return Made(contract.id, row.state, changed=_note_correction(db, row, now_ms))
    try:
        document = statement.draft(_facts(db, held, month, now_ms))
    except ValueError:
        return Made(contract.id, "", changed=False, problem=UNRATEABLE)
    body = canonical(document)
    if row is not None and row.document == body:
        return Made(contract.id, row.state, changed=False)
    if row is None:
        row = Statement(regency=contract.regency, contract=contract.id, month=month, number_year=None, number=None)
        db.add(row)
    row.unit, row.village, row.state, row.made_ms = contract.unit, contract.village, DRAFT, now_ms
    freeze(row, document)
    db.flush()
    add_step(db, row, (MACHINE, MACHINE), now_ms)
    return Made(contract.id, DRAFT, changed=True)


def make_all(db: Session, regency: str, month: date, now_ms: int) -> Iterator[Made]:
    """Make the statements of every contract that ran in a month, one after the other."""
    for held in contracts.running(db, regency, month, last_day(month)):
        yield make(db, held, month, now_ms)


def freeze(row: Statement, document: StatementDocument) -> None:
    """Put a document into its row, with what lists show of it."""
    row.document, row.hash, row.total_rupiah = canonical(document), content_hash(document), document.total
    row.judged = document.judgement.result is not Judged.NOT_JUDGED


def add_step(db: Session, row: Statement, who: tuple[str, str], at_ms: int, note: str = "") -> None:
    """Note that somebody (user name and name) brought a statement into the state it has now."""
    of_row = (StatementStep.regency == row.regency, StatementStep.contract == row.contract,
              StatementStep.month == row.month)  # fmt: skip
    known = db.execute(select(func.count()).select_from(StatementStep).where(*of_row)).scalar_one()
    db.add(
        StatementStep(
            regency=row.regency, contract=row.contract, month=row.month, step=known + 1, state=row.state,
            username=who[0], name=who[1], at_ms=at_ms, note=note,
        )
    )  # fmt: skip
    db.flush()


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
    asked = select(Statement).where(Statement.regency == scope.regency, Statement.month == month)
    asked = asked.where(scope.where(Statement.unit))
    return list(db.scalars(asked.order_by(Statement.village, Statement.contract)))


def months(db: Session, scope: Scope) -> list[date]:
    """Return the newest months of which a person may see statements, the newest first."""
    asked = select(Statement.month).where(Statement.regency == scope.regency)
    asked = asked.where(scope.where(Statement.unit))
    return list(db.scalars(asked.distinct().order_by(Statement.month.desc()).limit(MOST_MONTHS)))


def steps_of(db: Session, row: Statement) -> list[StatementStep]:
    """Return who did what with a statement, the first one first."""
    asked = select(StatementStep).where(
        StatementStep.regency == row.regency, StatementStep.contract == row.contract, StatementStep.month == row.month
    )
    return list(db.scalars(asked.order_by(StatementStep.step)))


def by_hash(db: Session, content: str) -> Statement | None:
    """Return the approved statement with a content hash: whoever holds the paper may check it."""
    return db.scalar(select(Statement).where(Statement.hash == content, Statement.state.in_(FROZEN)))


def is_closed(db: Session, row: Statement, now_ms: int) -> bool:
    """Tell whether what was measured in a statement's month is final."""
    contract = db.get_one(Contract, (row.regency, row.contract))
    found = contract_months.summary_of(db, contract, row.month, now_ms)
    return found is None or found.closed_ms is not None


def _facts(db: Session, held: Held, month: date, now_ms: int) -> statement.Facts:
    contract, terms = held.contract, held.terms
    zone = clock.zone_of(contract.regency)
    last = last_day(month)
    period = Period.of(max(month, terms.start), min(last, terms.end or last), zone)
    found = contract_months.summary_of(db, contract, month, now_ms)
    provider = db.get_one(Provider, (contract.regency, contract.provider))
    return statement.Facts(
        village=village_fact(db, contract),
        provider=ProviderFact(name=provider.name, npwp=provider.npwp),
        contract=ContractFact(id=contract.id, number=contract.number, terms=terms),
        measured=contract_months.measured_days(db, found, found.facts if found else None, period, terms),
        corrections=_unposted(db, contract, month), budget=_budget(db, contract, month, period.last_day),
    )  # fmt: skip


def village_fact(db: Session, contract: Contract) -> VillageFact:
    """Return who was served, with the names above it."""
    village = db.get_one(Village, (contract.regency, contract.village))
    district = db.get_one(District, (contract.regency, village.district))
    is_office = len(contract.unit) == 8
    return VillageFact(
        code=contract.unit, name=district.name if is_office else village.name,
        kind="kecamatan" if is_office else village.kind, district=district.name,
        regency=db.get_one(Regency, contract.regency).name, regency_code=contract.regency, site=contract.site,
    )  # fmt: skip


def _budget(db: Session, contract: Contract, month: date, day: date) -> BudgetFact | None:
    line = db.get(BudgetLine, (contract.regency, contract.line)) if contract.line else None
    version = budgets.version_on(budgets.versions(db, contract.regency, [line.id])[line.id], day) if line else None
    if line is None or version is None:
        return None
    spent = _spent(db, line, contract.id, month)
    return BudgetFact(
        year=line.year, line=line.id, activity=line.activity, account=line.account, name=line.name,
        version=version.kind, version_since=version.valid_from, version_document=version.document,
        funds=tuple(FundShare(fund=one.fund, rupiah=one.rupiah) for one in budgets.funds_of(version)),
        opening=line.opening_rupiah, realised=spent.get(PAID, 0), reserved=spent.get(APPROVED, 0), remaining=0,
        monthly=0, ends=None,
    )  # fmt: skip


def _spent(db: Session, line: BudgetLine, contract: str, month: date) -> Mapping[str, int]:
    """Return what other statements took from a line in its year, by state."""
    rows = db.execute(
        select(Statement.state, Statement.contract, Statement.month, Statement.total_rupiah)
        .join(Contract, (Contract.regency == Statement.regency) & (Contract.id == Statement.contract))
        .where(
            Statement.regency == line.regency, Contract.line == line.id, Statement.state.in_(FROZEN),
            Statement.month >= date(line.year, 1, 1), Statement.month <= date(line.year, 12, 31),
        )
    )  # fmt: skip
    spent: dict[str, int] = {}
    for one in rows:
        if (one.contract, one.month) != (contract, month):
            spent[one.state] = spent.get(one.state, 0) + one.total_rupiah
    return spent


def _unposted(db: Session, contract: Contract, month: date) -> tuple[CorrectionFact, ...]:
    """Return the corrections that the statement of a month takes: of earlier months, in no other statement yet."""
    open_ones = Correction.posted_month.is_(None) | (Correction.posted_month == month)
    rows = db.execute(
        select(Correction, Statement)
        .join(Statement, (Statement.regency == Correction.regency) & (Statement.contract == Correction.contract)
              & (Statement.month == Correction.month))
        .where(Correction.regency == contract.regency, Correction.contract == contract.id, open_ones)
        .where(Correction.month < month).order_by(Correction.month, Correction.number)
    )  # fmt: skip
    return tuple(
        CorrectionFact(
            month=f"{one.month:%Y-%m}", rupiah=one.rupiah, number=number_text(posted), content_hash=posted.hash
        )
        for one, posted in rows
    )


def mark_posted(db: Session, row: Statement) -> None:
    """Note that the corrections in a statement are posted with it."""
    open_ones = select(Correction).where(
        Correction.regency == row.regency, Correction.contract == row.contract, Correction.month < row.month,
        Correction.posted_month.is_(None),
    )  # fmt: skip
    for one in db.scalars(open_ones).all():
        one.posted_month = row.month
    db.flush()


def _note_correction(db: Session, row: Statement, now_ms: int) -> bool:
    """Note what later facts changed in an approved month; return whether they did."""
    contract = db.get_one(Contract, (row.regency, row.contract))
    found = contract_months.summary_of(db, contract, row.month, now_ms)
    if found is None or not found.corrections:
        return False
    posted = document_of(row)
    now = contract_months.measured_days(db, found, found.newest, posted.measured.period, posted.contract.terms)
    recomputed = statement.settled(msgspec.structs.replace(posted, measured=now))
    of_row = (Correction.regency == row.regency, Correction.contract == row.contract, Correction.month == row.month)
    before = list(db.scalars(select(Correction).where(*of_row).order_by(Correction.number)))
    fact = statement.correction(posted, recomputed, sum(one.rupiah for one in before))
    if fact is None:
        return False
    db.add(
        Correction(
            regency=row.regency, contract=row.contract, month=row.month, number=len(before) + 1, noted_ms=now_ms,
            rupiah=fact.rupiah, document=canonical(recomputed), posted_month=None,
        )
    )  # fmt: skip
    db.flush()
    return True


def number_text(row: Statement) -> str:
    """Return a statement's number as papers write it (facts 9.4): ``0007/BPLI/15.2012/2026``; empty before approval."""
    if row.number is None:
        return ""
    return f"{row.number:04}/BPLI/{row.unit[6:]}/{row.number_year}"


def names(db: Session, regency: str) -> Mapping[str, str]:
    """Return the names of units by code: villages, and kecamatan for their offices."""
    return villages.districts(db, regency) | villages.names(db, regency)
