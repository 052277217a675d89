"""A provider's invoice beside the statement, and what is claimed otherwise than it is due, line by line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kampungnet.billing import money, sheets
from kampungnet.billing.document import StatementDocument
from kampungnet.billing.lines import SUMS, LineKind
from kampungnet.billing.models import Invoice, Statement
from kampungnet.core.errors import NotAllowed, Unprocessable
from kampungnet.core.languages import N_
from kampungnet.staff import audit
from kampungnet.staff.audit import Act
from kampungnet.staff.service import Role, SignedIn
from kampungnet.villages.models import Regency

AFTER_TOTAL: Final = frozenset({LineKind.PPN_COLLECTED, LineKind.PPH23, LineKind.PAYABLE})
CLAIMED: Final = tuple(one for one in LineKind if one not in SUMS | AFTER_TOTAL)
"""Kinds of line that stand above a total: an invoice has no others."""
USUAL: Final = (LineKind.PRICE, LineKind.CREDIT, LineKind.PPN)
"""Asked for in every form; the others where the statement has them."""
TAKEN_OFF: Final = frozenset(
    {LineKind.PRORATION, LineKind.CREDIT, LineKind.HELD, LineKind.PPN_INSIDE, LineKind.CREDIT_AFTER_TAX}
)
"""Amounts that are taken off, whichever sign was typed."""
MOST_LETTERS: Final = 100


class Claim(msgspec.Struct, frozen=True, array_like=True):
    """One line of an invoice."""

    kind: LineKind
    rupiah: int


@dataclass(frozen=True, slots=True)
class Entry:
    """What was typed, as texts."""

    number: str = ""
    dated: str = ""
    total: str = ""
    amounts: Mapping[str, str] = field(default_factory=dict)
    """By the value of a kind of line."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A kind of line: due by the statement, claimed by the invoice."""

    kind: LineKind
    due: int
    claimed: int

    @property
    def rupiah(self) -> int:
        """How much more is claimed than is due."""
        return self.claimed - self.due


@dataclass(frozen=True, slots=True)
class Compared:
    """An invoice against a statement. The differences of the lines and ``gap`` add up to that of the totals."""

    lines: tuple[Difference, ...]
    due: int
    claimed: int
    gap: int
    """How much the invoice's own total is above the sum of its lines."""

    @property
    def rupiah(self) -> int:
        """How much more is claimed than is due."""
        return self.claimed - self.due


def compare(document: StatementDocument, claims: Sequence[Claim], total: int) -> Compared:
    """Return what an invoice claims otherwise than the statement says. Pure."""
    claimed = {kind: sum(one.rupiah for one in claims if one.kind is kind) for kind in CLAIMED}
    shown = [kind for kind in CLAIMED if claimed[kind] or document.amount(kind)]
    lines = tuple(Difference(kind, document.amount(kind), claimed[kind]) for kind in shown)
    return Compared(lines, document.total, total, total - sum(claimed.values()))


def asked_for(document: StatementDocument) -> tuple[LineKind, ...]:
    """Return the kinds of line that the form asks for."""
    return tuple(kind for kind in CLAIMED if kind in USUAL or any(line.kind is kind for line in document.lines))


def may_enter(by: SignedIn, row: Statement) -> bool:
    """Tell whether a person enters invoices of this unit."""
    return by.role is Role.BUDGET and by.scope.covers(row.unit)


def enter(db: Session, by: SignedIn, row: Statement, entry: Entry, now_ms: int) -> Invoice:
    """Take an invoice in; it replaces the revision before. Raises a ``Problem`` with one sentence."""
    if not may_enter(by, row):
        raise NotAllowed(N_("Invoices are entered by the budget staff."))
    number, dated, claims, total = _understood(entry)
    # Two who send at once: the second waits here and gets the next revision.
    db.execute(select(Regency.code).where(Regency.code == row.regency).with_for_update(key_share=True))
    before = newest(db, row)
    invoice = Invoice(
        regency=row.regency, contract=row.contract, month=row.month, revision=before.revision + 1 if before else 1,
        number=number, dated=dated, lines=msgspec.json.encode(claims).decode(), total_rupiah=total,
        entered_by=by.name, entered_ms=now_ms,
    )  # fmt: skip
    db.add(invoice)
    db.flush()
    told = [
        {"number": one.number, "total_rupiah": one.total_rupiah, "revision": one.revision, "village": row.village}
        if one else None
        for one in (before, invoice)
    ]  # fmt: skip
    audit.record(db, by, Act("invoice.enter", f"{row.contract} {row.month:%Y-%m}", "", told[0], told[1]), now_ms)
    return invoice


def newest(db: Session, row: Statement) -> Invoice | None:
    """Return the invoice that counts: the last revision."""
    of_row = (Invoice.regency == row.regency, Invoice.contract == row.contract, Invoice.month == row.month)
    last = select(func.max(Invoice.revision)).where(*of_row).scalar_subquery()
    return db.scalar(select(Invoice).where(*of_row, Invoice.revision == last))


def claims_of(invoice: Invoice) -> tuple[Claim, ...]:
    """Return the lines of an invoice."""
    return msgspec.json.decode(invoice.lines, type=tuple[Claim, ...])


def _understood(entry: Entry) -> tuple[str, date, tuple[Claim, ...], int]:
    number, dated = " ".join(entry.number.split()), sheets.day(entry.dated)
    if not number or len(number) > MOST_LETTERS or not number.isprintable():
        raise Unprocessable(N_("Please write the invoice's number, at most 100 letters."))
    if dated is None or not 2000 <= dated.year <= 2099:
        raise Unprocessable(N_("Please write the invoice's date like 31/07/2026."))
    try:
        claims = tuple(
            Claim(kind, -abs(amount) if kind in TAKEN_OFF else amount)
            for kind in CLAIMED
            if (typed := entry.amounts.get(kind.value, "").strip()) and (amount := money.read(typed))
        )
        total = money.read(entry.total)
    except money.AmountUnreadable as problem:
        raise Unprocessable(problem.sentence) from problem
    if not claims:
        raise Unprocessable(N_("Please write at least one line of the invoice."))
    return number, dated, claims, total
