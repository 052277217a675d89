"""Boxes that asked for something and were not let in, as they are kept: a row for each, bounded."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

from sqlalchemy import delete, or_, select, text
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.devices.models import BoxKnock

KEEP_MS: Final = 30 * clock.DAY_MS
MOST: Final = 500
"""Rows that are kept, the newest."""


class Knock(StrEnum):
    """Why it was not let in."""

    UNKNOWN = "unknown"
    """Nobody knows its key."""
    CODE = "code"
    """It brought an enrolment code that opens nothing."""
    REPLACED = "replaced"
    """Another box took its place."""
    REVOKED = "revoked"
    """It was shut out for good: who has it is on the line now."""
    OLD_KEY = "old_key"
    """It has a key that its box has changed since: a copy of the card."""


class Knocker(NamedTuple):
    """Who knocked."""

    regency: str
    """Empty: nobody knows whose it is."""
    knock: Knock
    agent: str
    network: str


MANY: Final = Knocker("", Knock.UNKNOWN, "", "")
"""All those that were too many to tell apart."""
_RECORD: Final = text(
    "INSERT INTO box_knocks (regency, knock, agent, network, first_ms, last_ms, count)"
    " VALUES (:regency, :knock, :agent, :network, :first_ms, :last_ms, :count)"
    " ON CONFLICT (regency, knock, agent, network) DO UPDATE"
    " SET last_ms = excluded.last_ms, count = box_knocks.count + excluded.count"
)


def record(db: Session, seen: Iterable[tuple[Knocker, int, int, int]]) -> None:
    """Add what was heard: who, when first, when last, how often. Old rows, and the oldest of too many, go."""
    newest = 0
    for one, first_ms, last_ms, count in sorted(seen):  # in one order, so that two processes do not wait for each other
        row = {"regency": one.regency, "knock": one.knock.value, "agent": one.agent, "network": one.network,
               "first_ms": first_ms, "last_ms": last_ms, "count": count}  # fmt: skip
        db.execute(_RECORD, row)
        newest = max(newest, last_ms)
    edge = db.scalar(select(BoxKnock.last_ms).order_by(BoxKnock.last_ms.desc()).offset(MOST).limit(1))
    db.execute(delete(BoxKnock).where(or_(BoxKnock.last_ms < newest - KEEP_MS, BoxKnock.last_ms <= (edge or 0))))


def since(db: Session, regency: str, instant_ms: int) -> list[BoxKnock]:
    """Return who knocked since an instant and is of a regency or of nobody, the newest first."""
    asked = select(BoxKnock).where(BoxKnock.regency.in_(("", regency)), BoxKnock.last_ms >= instant_ms)
    return list(db.scalars(asked.order_by(BoxKnock.last_ms.desc(), BoxKnock.knock, BoxKnock.agent)))
