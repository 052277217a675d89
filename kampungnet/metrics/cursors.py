"""How far each store has everything, as it stands in the database."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.metrics.models import PushCursor, PushDropped
from kampungnet.metrics.sending import Dropped, Reason

Key = tuple[str, str]
"""Store, regency."""


class Position(NamedTuple):
    """How far a store has everything."""

    stored_ms: int
    resume_ms: int
    taken: int
    """Samples since the last time this was written down."""
    pushed_ms: int | None


def resume_ms(db: Session, store: str, regency: str) -> int:
    """Return where to begin: 15 minutes before the end, for a new store at the beginning of its window."""
    known = db.get(PushCursor, (regency, store))
    return known.resume_ms if known else 0


def keep(db: Session, key: Key, position: Position, trouble: tuple[str, int]) -> None:
    """Write down a position, and why nothing can be pushed since when."""
    store, regency = key
    known = db.get(PushCursor, (regency, store))
    if known is None:
        known = PushCursor(regency=regency, store=store, samples=0, pushed_ms=None, trouble="", trouble_ms=None)
        db.add(known)
    known.stored_ms, known.resume_ms = position.stored_ms, position.resume_ms
    known.samples += position.taken
    known.pushed_ms = position.pushed_ms or known.pushed_ms
    text, now_ms = trouble
    if not text:
        known.trouble_ms = None
    elif known.trouble_ms is None:
        known.trouble_ms = now_ms
    known.trouble = text[:500]


def count_dropped(db: Session, key: Key, dropped: Mapping[Reason, Dropped], now_ms: int) -> None:
    """Add what was set aside since the last time."""
    store, regency = key
    for reason, one in dropped.items():
        if one.samples == one.written:
            continue
        known = db.get(PushDropped, (regency, store, reason.value))
        if known is None:
            known = PushDropped(regency=regency, store=store, reason=reason.value, samples=0)
            db.add(known)
        known.samples += one.samples - one.written
        known.last_ms, known.example = now_ms, one.example[:1000]


def all_of(db: Session) -> Sequence[PushCursor]:
    """Return how far every store is."""
    return db.scalars(select(PushCursor).order_by(PushCursor.store, PushCursor.regency)).all()


def dropped(db: Session) -> Sequence[PushDropped]:
    """Return what no store took."""
    return db.scalars(select(PushDropped).order_by(PushDropped.store, PushDropped.regency, PushDropped.reason)).all()
