"""Heads of the log of acts for everybody: whoever keeps one proves later that nothing before it was changed or cut off.

The head of a day is the last act before its end. They stand on a page without signing in, and the newest one goes out
with the digest of each morning: copies in mailboxes of others are what the server itself cannot take back.
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final, NamedTuple

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.staff import audit
from kampungnet.staff.models import AuditEntry

DAYS: Final = 14
_NO_ACT: Final = 2**62
"""Above every number of an act."""
_LINE: Final = re.compile(r"(\d\d\.\d\d) (\d{4}-\d\d-\d\d) (\d{1,12}) · ((?:2:)?[0-9a-f]{32,64})")


class Head(NamedTuple):
    """The newest act of a day and its seal."""

    regency: str
    day: date
    number: int
    seal: str

    def __str__(self) -> str:
        """Return the line that is published, and read again by ``kampungnet audit verify --published``."""
        return f"{self.regency} {self.day} {self.number} · {self.seal}"


def heads(db: Session, regency: str, now_ms: int, days: int = DAYS) -> list[Head]:
    """Return the heads of the last days that are over, the newest first; none for days before the first act."""
    zone = clock.zone_of(regency)
    today, found = clock.local_day(now_ms, zone), list[Head]()
    for ago in range(1, days + 1):
        day = today - timedelta(days=ago)
        asked = newest_before(regency, clock.day_start_ms(day + timedelta(days=1), zone))
        newest = db.execute(asked).one_or_none()
        if newest is None:
            break
        found.append(Head(regency, day, newest.sequence, newest.hash))
    return found


def newest_before(regency: str, end_ms: int) -> Select[int, str]:
    """Return the question for number and seal of the newest act before an instant: two looks into indexes.

    A clock that was set back lets acts follow whose time is earlier: of those up to the next one after the instant the
    last is the newest.
    """
    number, at_ms, own = AuditEntry.sequence, AuditEntry.at_ms, AuditEntry.regency == regency
    by_time = select(number).where(own, at_ms < end_ms).order_by(at_ms.desc(), number.desc()).limit(1)
    latest = by_time.scalar_subquery()
    after = select(number).where(own, number > latest, at_ms >= end_ms).order_by(number).limit(1).scalar_subquery()
    asked = select(number, AuditEntry.hash).where(own, number >= latest, number < func.coalesce(after, _NO_ACT))
    return asked.order_by(number.desc()).limit(1)


def read(text: str) -> Iterator[Head]:
    """Return the heads in a page or a message that somebody kept, whatever stands around them."""
    for regency, day, number, seal in _LINE.findall(text):
        yield Head(regency, date.fromisoformat(day), int(number), seal)


def differing(db: Session, kept: list[Head]) -> list[Head]:
    """Return those kept heads that the log of today does not have."""
    return [one for one in kept if audit.seal_of(db, one.regency, one.number) != one.seal]
