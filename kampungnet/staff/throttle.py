"""Guessing is slowed down in three rings: the name, the address, everybody (facts on operations 4.4)."""

import secrets
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from kampungnet.core import security
from kampungnet.core.errors import TooMany
from kampungnet.staff.models import SignInFailure, StaffMember
from kampungnet.staff.service import USERNAME

ADDRESS_LIMIT: Final = 60
ADDRESS_WINDOW_MS: Final = 15 * 60_000
EVERYBODY_LIMIT: Final = 600
EVERYBODY_WINDOW_MS: Final = 5 * 60_000
REMEMBERED_MS: Final = 86_400_000
"""How long a wrong password counts."""


def check_floods(db: Session, address: str, now_ms: int) -> None:
    """Raise ``TooMany`` while an address, or everybody together, fails too often.

    Village offices share an address, so the rest of the one account does the work; these two only stop floods.
    """
    failures = select(func.count()).select_from(SignInFailure)
    of_address = failures.where(SignInFailure.address == address, SignInFailure.at_ms > now_ms - ADDRESS_WINDOW_MS)
    of_all = failures.where(SignInFailure.at_ms > now_ms - EVERYBODY_WINDOW_MS)
    if db.execute(of_address).scalar_one() >= ADDRESS_LIMIT or db.execute(of_all).scalar_one() >= EVERYBODY_LIMIT:
        raise TooMany(security.WAIT)


def note_failure(db: Session, username: str, address: str, now_ms: int) -> None:
    """Count a wrong password or code: for its address, and for its name whether somebody has it or not."""
    member = known(db, username)
    stranger = None if member else security.token_hash(username)
    token = secrets.token_bytes(16)
    db.add(SignInFailure(token=token, at_ms=now_ms, address=address, stranger=stranger))
    db.execute(delete(SignInFailure).where(SignInFailure.at_ms < now_ms - REMEMBERED_MS))
    if member:
        member.failed_logins += 1
        member.locked_until_ms = now_ms + security.delay_ms(member.failed_logins)


def known(db: Session, username: str) -> StaffMember | None:
    """Return who has a name; PostgreSQL would stumble over some that nobody can have."""
    return db.get(StaffMember, username) if USERNAME.fullmatch(username) else None


def unlocked_member(db: Session, username: str, address: str, now_ms: int) -> StaffMember | None:
    """Return who has a name. Raises ``TooMany`` while name, address or everybody rests."""
    check_floods(db, address, now_ms)
    member = known(db, username)
    if (member.locked_until_ms if member else _stranger_rests_until(db, username)) > now_ms:
        raise TooMany(security.WAIT)
    return member


def _stranger_rests_until(db: Session, username: str) -> int:
    """Unknown names are slowed down like known ones, or the delay itself would tell which names exist."""
    of_name = SignInFailure.stranger == security.token_hash(username)
    failures, last_ms = db.execute(select(func.count(), func.max(SignInFailure.at_ms)).where(of_name)).one()
    return (last_ms or 0) + security.delay_ms(failures)
