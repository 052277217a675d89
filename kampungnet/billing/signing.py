"""The way of a statement: checked by the sekretaris, approved by the kepala, paid by the kaur keuangan (facts 3.5).

A desa's own people sign for it. For kelurahan and kecamatan offices, whose money is the kabupaten's, its budget staff
signs; there, too, who checks does not approve.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kampungnet.billing import contracts, making, statement, statements
from kampungnet.billing.contracts import Held
from kampungnet.billing.document import StatementDocument, Step, StepKind
from kampungnet.billing.models import Contract, Statement
from kampungnet.billing.statements import APPROVED, CHECKED, DRAFT, PAID
from kampungnet.core.errors import Conflict, NotAllowed, Unprocessable
from kampungnet.core.languages import N_
from kampungnet.staff import audit
from kampungnet.staff.audit import Act
from kampungnet.staff.service import Duty, Role, SignedIn
from kampungnet.villages.models import Regency

TITLES: Final = {
    Duty.SECRETARY: ("Sekretaris Desa", "Sekretaris"),
    Duty.HEAD: ("Kepala Desa", "Kepala"),
    Duty.TREASURER: ("Kaur Keuangan", "Bendahara"),
}
"""What stands under a signature: in a desa, and elsewhere. The words of the paper, Indonesian in every language."""
MOST_LETTERS: Final = 500


@dataclass(frozen=True, slots=True)
class Move:
    """One step of the way."""

    before: str
    after: str
    duty: Duty


MOVES: Final = {
    "periksa": Move(DRAFT, CHECKED, Duty.SECRETARY),
    "setujui": Move(CHECKED, APPROVED, Duty.HEAD),
    "bayar": Move(APPROVED, PAID, Duty.TREASURER),
    "kembalikan": Move(CHECKED, DRAFT, Duty.HEAD),
}


def may(by: SignedIn, row: Statement, kind: str, move: Move) -> bool:
    """Tell whether a person signs this step for a unit of a kind (``desa``, ``kelurahan``, ``kecamatan``)."""
    if by.role is not Role.BUDGET or row.state != move.before:
        return False
    if by.scope.village is not None:
        return by.scope.village == row.unit and by.duty is move.duty
    return kind != "desa"


def take(db: Session, by: SignedIn, row: Statement, name: str, note: str, now_ms: int) -> None:
    """Take a step. Raises a ``Problem`` with one sentence when it is not this person's or not due."""
    move, kind = MOVES[name], statements.document_of(row).village.kind
    # Two who press at once: the second one finds the state that the first one left.
    db.execute(select(Regency.code).where(Regency.code == row.regency).with_for_update(key_share=True))
    db.refresh(row)
    if row.state != move.before:
        raise Conflict(N_("This statement is in another state by now. Look at it again."))
    if not may(by, row, kind, move):
        raise NotAllowed(N_("This step is somebody else's. The page says whose."))
    if len(note) > MOST_LETTERS or not note.isprintable():
        raise Unprocessable(N_("Please write at most 500 letters."))
    if move.after == DRAFT and not note.strip():
        raise Unprocessable(N_("Please write a reason: others read it later."))
    steps: dict[str, Callable[[Session, SignedIn, Statement, int], None]] = {APPROVED: _approve}
    steps.get(move.after, _keep)(db, by, row, now_ms)
    row.state = move.after
    row.paid_ms = now_ms if move.after == PAID else None
    statements.add_step(db, row, (by.username, by.name), now_ms, note.strip())
    about = statements.number_text(row) or f"{row.contract} {row.month:%Y-%m}"
    told = {"total_rupiah": row.total_rupiah, "hash": row.hash, "state": move.after, "village": row.village}
    audit.record(db, by, Act(f"statement.{move.after}", about, note.strip(), {"state": move.before}, told), now_ms)


def _keep(_db: Session, _by: SignedIn, _row: Statement, _now_ms: int) -> None:
    """Nothing else changes."""


def _approve(db: Session, by: SignedIn, row: Statement, now_ms: int) -> None:
    """Freeze a statement: a number without a hole, and who answers for it, inside the hash."""
    checker = next(one for one in reversed(statements.steps_of(db, row)) if one.state == CHECKED)
    if checker.username == by.username:
        raise NotAllowed(N_("Who checked a statement does not approve it. Ask somebody else to approve."))
    if not making.is_closed(db, row, now_ms):
        raise Conflict(N_("This month's measurements are not final yet: approve from the sixth day after its end."))
    document = _as_it_is_now(db, row, now_ms)
    of_unit = (Statement.regency == row.regency, Statement.unit == row.unit, Statement.number_year == row.month.year)
    row.number_year = row.month.year
    row.number = 1 + (db.scalar(select(func.max(Statement.number)).where(*of_unit)) or 0)
    place = 0 if document.village.kind == "desa" else 1
    steps = (
        Step(kind=StepKind.CHECKED, name=checker.name, role=TITLES[Duty.SECRETARY][place], at_ms=checker.at_ms),
        Step(kind=StepKind.APPROVED, name=by.name, role=TITLES[Duty.HEAD][place], at_ms=now_ms),
    )
    statements.freeze(row, statement.approved(document, statements.number_text(row), steps))
    statements.mark_posted(db, row)


def _as_it_is_now(db: Session, row: Statement, now_ms: int) -> StatementDocument:
    """Return the document with what other statements took from the budget meanwhile.

    Raises ``Conflict`` when anything else came out otherwise than it was checked.
    """
    contract, checked = db.get_one(Contract, (row.regency, row.contract)), statements.document_of(row)
    versions = contracts.terms_by_contract(db, row.regency)[row.contract]
    terms = contracts.terms_on(versions, statements.last_day(row.month), contract)
    made = making.make(db, Held(contract, terms), row.month, now_ms) if terms else None
    now = statements.document_of(row)
    if made is None or made.problem or _without_budget(now) != _without_budget(checked):
        raise Conflict(N_("The numbers changed since they were checked. Send it back and have it checked again."))
    return now


def _without_budget(document: StatementDocument) -> StatementDocument:
    return msgspec.structs.replace(document, budget=None)
