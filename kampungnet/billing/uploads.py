"""Files of budgets and contracts: looked at first, put into the books when who sent them says so.

What was understood of a file waits in the database until then, so that what is confirmed is exactly what was shown.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import delete
from sqlalchemy.orm import Session

from kampungnet.billing import budgets, charts_of_accounts, contract_rows, contracts, paying, sheets, stages
from kampungnet.billing.budgets import BudgetEntry
from kampungnet.billing.charts_of_accounts import AccountEntry
from kampungnet.billing.contract_rows import ContractEntry
from kampungnet.billing.intake import Fault, Register
from kampungnet.billing.models import PendingImport
from kampungnet.billing.sheets import Table
from kampungnet.billing.stages import StageEntry
from kampungnet.core import clock
from kampungnet.core.errors import NotAllowed, NotFound
from kampungnet.core.languages import N_
from kampungnet.staff import audit
from kampungnet.staff.audit import Act
from kampungnet.staff.service import SignedIn

KEPT_MS: Final = clock.DAY_MS
"""How long a file waits to be confirmed."""
LONGEST_NAME: Final = 200
"""Letters of a file's name that are kept."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file."""

    columns: tuple[str, ...]
    required: tuple[str, ...]
    entry: type[Any]
    understood: Callable[[Table, Register], tuple[list[Any], list[Fault]]]
    store: Callable[[Session, str, Sequence[Any], tuple[str, int]], int]
    is_for_all: bool = False
    """Its rows belong to no unit: they hold for the whole kabupaten, and its own budget staff alone puts them in."""

    def check(self, by: SignedIn) -> None:
        """Raise ``NotAllowed`` for who may not put such a file in."""
        by.check_keeps_books()
        if self.is_for_all and not by.scope.is_whole:
            raise NotAllowed(N_("This holds for the whole kabupaten: ask its budget staff to put it in."))


def _store_budget(db: Session, regency: str, entries: Sequence[BudgetEntry], _by: tuple[str, int]) -> int:
    number = budgets.store(db, regency, entries)
    paying.follow(db, regency)
    return number


KINDS: Final = {
    "anggaran": Kind(budgets.COLUMNS, budgets.REQUIRED, BudgetEntry, budgets.understood, _store_budget),
    "kontrak": Kind(
        contract_rows.COLUMNS, contract_rows.REQUIRED, ContractEntry, contract_rows.understood, contracts.store
    ),
    "tahap": Kind(stages.COLUMNS, stages.REQUIRED, StageEntry, stages.understood, stages.store, is_for_all=True),
    "rekening": Kind(
        charts_of_accounts.COLUMNS, charts_of_accounts.REQUIRED, AccountEntry, charts_of_accounts.understood,
        charts_of_accounts.store, is_for_all=True,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Preview:
    """What was understood of a file; ``id`` is empty where faults keep it from being confirmed."""

    id: str
    what: str
    file_name: str
    entries: Sequence[Any]
    faults: Sequence[Fault]


def look_at(db: Session, by: SignedIn, what: str, file: tuple[str, bytes], now_ms: int) -> Preview:
    """Understand a file (its name and its bytes) and keep what it says for a day. The books do not change.

    Raises ``NotAllowed`` for who does not keep books, ``BadInput`` or ``TooLarge`` for what is no table.
    """
    kind, name = kind_of(what), file[0][:LONGEST_NAME]
    kind.check(by)
    found, faults = kind.understood(sheets.read(file[1], kind.columns, kind.required), budgets.register(db, by.scope))
    db.execute(delete(PendingImport).where(PendingImport.uploaded_ms < now_ms - KEPT_MS))
    if faults or not found:
        return Preview("", what, name, found, faults)
    pending = PendingImport(
        regency=by.scope.regency, id=secrets.token_hex(8), username=by.username, what=what, file_name=name,
        content=msgspec.json.encode(found), uploaded_ms=now_ms,
    )  # fmt: skip
    db.add(pending)
    db.flush()
    return Preview(pending.id, what, name, found, [])


def confirm(db: Session, by: SignedIn, pending_id: str, now_ms: int) -> tuple[str, int]:
    """Put a file that was looked at into the books; return its kind and how many lines or contracts it had.

    Raises ``NotFound`` when it was confirmed already, waited too long or is somebody else's.
    """
    by.check_keeps_books()
    pending = db.get(PendingImport, (by.scope.regency, pending_id))
    if pending is None or pending.username != by.username or pending.uploaded_ms < now_ms - KEPT_MS:
        raise NotFound(N_("This file waits no more. Send it again."))
    kind = kind_of(pending.what)
    kind.check(by)
    entries = msgspec.json.decode(pending.content, type=list[kind.entry])  # type: ignore[name-defined]  # the kind says
    # What this person may write for may have become less since the file was looked at.
    allowed = budgets.register(db, by.scope).units
    if not kind.is_for_all and any(entry.unit not in allowed for entry in entries):
        raise NotFound(N_("This file waits no more. Send it again."))
    number = put_in(db, by, pending.what, (pending.file_name, entries), now_ms)
    db.delete(pending)
    return pending.what, number


def put_in(db: Session, by: SignedIn, what: str, file: tuple[str, Sequence[Any]], now_ms: int) -> int:
    """Put what was understood of a file (its name and its entries) into the books; return how many lines it had."""
    name, entries = file
    number = kind_of(what).store(db, by.scope.regency, entries, (by.name, now_ms))
    told = {"file": name, "rows": len(entries)}
    audit.record(db, by, Act(f"{what}.import", name, "", None, told), now_ms)
    return number


def kind_of(what: str) -> Kind:
    """Return one kind of file. Raises ``NotFound``."""
    if what not in KINDS:
        raise NotFound(N_("There is no such page here. Go back to the first page."))
    return KINDS[what]
