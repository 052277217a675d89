"""What people did, kept for ever: each row carries the hash of the one before, so that none is changed or taken out.

A slice writes here whatever a person decides. The chain is one a regency; its newest hash proves all of it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kampungnet.staff.models import AuditEntry
from kampungnet.staff.service import SignedIn
from kampungnet.villages.models import Regency

START: Final = "0" * 64
"""What the first row of a chain has in the place of a hash before it."""
PAGE: Final = 50
"""Acts on one page."""
_ENCODER: Final = msgspec.json.Encoder(order="sorted")


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that somebody did."""

    what: str
    """Subject and verb in English: ``planned_work.enter``."""
    about: str
    """What it was done to: a village's code, a statement's number."""
    reason: str = ""
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


def record(db: Session, by: SignedIn, act: Act, now_ms: int) -> None:
    """Add an act to the chain of the person's regency, in the transaction of the act itself."""
    # Whoever adds to the chain waits here for the one before; on SQLite there is only one writer anyway.
    regency = by.scope.regency
    db.execute(select(Regency.code).where(Regency.code == regency).with_for_update(key_share=True))
    last = _last(db, regency)
    entry = AuditEntry(
        regency=regency, sequence=last.sequence + 1 if last else 1, at_ms=now_ms, username=by.username, name=by.name,
        role=by.role.value, what=act.what, about=act.about, reason=act.reason, before=_json(act.before),
        after=_json(act.after), hash="",
    )  # fmt: skip
    entry.hash = _hash(entry, last.hash if last else START)
    db.add(entry)
    db.flush()


def entries(db: Session, regency: str, what: str = "", before: int | None = None, most: int = PAGE) -> list[AuditEntry]:
    """Return the newest acts, those of one kind or all, older than the row ``before``."""
    asked = select(AuditEntry).where(AuditEntry.regency == regency).order_by(AuditEntry.sequence.desc()).limit(most)
    if what:
        asked = asked.where(AuditEntry.what == what)
    if before is not None:
        asked = asked.where(AuditEntry.sequence < before)
    return list(db.scalars(asked))


def newest_about(db: Session, regency: str, what: str, about: Collection[str]) -> dict[str, AuditEntry]:
    """Return, for each thing that an act of this kind was done to, the newest one."""
    asked = select(AuditEntry).where(AuditEntry.regency == regency, AuditEntry.what == what)
    rows = db.scalars(asked.where(AuditEntry.about.in_(about)).order_by(AuditEntry.sequence))
    return {one.about: one for one in rows}


def kinds(db: Session, regency: str) -> list[str]:
    """Return the kinds of act there are."""
    return list(db.scalars(select(AuditEntry.what).where(AuditEntry.regency == regency).distinct().order_by("what")))


def head(db: Session, regency: str) -> tuple[int, str]:
    """Return how many acts the chain has and its newest hash: who keeps it elsewhere can prove the whole later."""
    last = _last(db, regency)
    return (last.sequence, last.hash) if last else (0, START)


def first_broken(db: Session, regency: str) -> int | None:
    """Return the sequence at which the chain does not hold, or ``None``: changed, taken out or put in between."""
    previous, expected = START, 1
    asked = select(AuditEntry).where(AuditEntry.regency == regency).order_by(AuditEntry.sequence)
    with db.scalars(asked.execution_options(yield_per=1000)) as rows:
        for entry in rows:
            if entry.sequence != expected or entry.hash != _hash(entry, previous):
                return expected
            previous, expected = entry.hash, expected + 1
    return None


def _last(db: Session, regency: str) -> AuditEntry | None:
    newest = select(func.max(AuditEntry.sequence)).where(AuditEntry.regency == regency).scalar_subquery()
    return db.scalar(select(AuditEntry).where(AuditEntry.regency == regency, AuditEntry.sequence == newest))


def _json(values: Mapping[str, Any] | None) -> str:
    return _ENCODER.encode(values).decode() if values is not None else ""


def _hash(entry: AuditEntry, previous: str) -> str:
    told: Sequence[Any] = (
        previous, entry.regency, entry.sequence, entry.at_ms, entry.username, entry.name, entry.role, entry.what,
        entry.about, entry.reason, entry.before, entry.after,
    )  # fmt: skip
    return sha256(_ENCODER.encode(told)).hexdigest()
