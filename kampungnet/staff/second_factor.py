"""The second factor of staff: a code from the phone beside the password. Optional, or asked of a role by a setting.

The phone's secret is sealed with the key outside the database. A code counts once: its step is written down, and none
at or before it is taken again. For a lost phone there are spare codes, and an engineer who takes the factor off.
"""

import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Final

from sqlalchemy import CursorResult, delete, func, insert, select, update
from sqlalchemy.orm import Session

from kampungnet.core.errors import BadInput, Conflict, Problem, Unprocessable
from kampungnet.core.keys import keys_of
from kampungnet.core.languages import N_
from kampungnet.staff import one_time_codes as codes
from kampungnet.staff.models import SpareCode, StaffMember
from kampungnet.staff.service import Role

SETTING: Final = "KAMPUNGNET_SECOND_FACTOR"
"""Setting: roles that must have a second factor, like ``engineer,auditor``; ``all``; empty for nobody."""
FACTOR: Final = "second factor"
OFFER: Final = "second factor offered"
WRONG: Final = N_("This code is not right, or it was used already. Wait for the next one and type that.")
_AGAIN: Final = N_("This page is too old. Open it again and scan the new code.")


def roles(environment: Mapping[str, str] | None = None) -> frozenset[Role]:
    """Return the roles that must have a second factor. Raises ``BadInput`` for a role that is none."""
    named = (os.environ if environment is None else environment).get(SETTING, "").replace(",", " ").split()
    if named == ["all"]:
        return frozenset(Role)
    try:
        return frozenset(Role(one) for one in named)
    except ValueError:
        known = ", ".join(Role)
        raise BadInput(f"{SETTING} names a role that is none: choose from {known}, or write all.") from None


def is_asked_of(member: StaffMember) -> bool:
    """Tell whether this person must have one."""
    return Role(member.role) in roles()


def offer(db: Session, username: str) -> tuple[bytes, str]:
    """Return a new secret, and the same sealed for the form that brings it back. Nothing is stored yet."""
    secret = codes.new_secret()
    return secret, b64encode(keys_of(db).seal(OFFER, secret, username)).decode()


def offered(db: Session, username: str, sealed: str) -> bytes:
    """Return the secret of a form. Raises ``Unprocessable`` for one that is not ours, or another person's."""
    try:
        return keys_of(db).open(OFFER, b64decode(sealed, validate=True), username)
    except (ValueError, Problem):
        raise Unprocessable(_AGAIN) from None


def turn_on(db: Session, member: StaffMember, offer_sent: str, typed: str, now_ms: int) -> list[str]:
    """Store an offered secret that the phone proved to have; return the spare codes, for the only time."""
    secret = offered(db, member.username, offer_sent)
    if member.factor is not None:
        raise Conflict(N_("There is a second factor already. Take it off first."))
    step = codes.step_of(secret, typed, now_ms, 0)
    if step is None:
        raise Unprocessable(WRONG)
    member.factor = keys_of(db).seal(FACTOR, secret, member.username)
    member.factor_step, member.factor_since_ms = step, now_ms
    spare = codes.spare_codes()
    _forget_spare(db, member.username)
    rows = [{"username": member.username, "code_hash": codes.spare_hash(one)} for one in spare]
    db.execute(insert(SpareCode), rows)
    return spare


def turn_off(db: Session, member: StaffMember) -> None:
    """Take the factor off, with its spare codes."""
    member.factor = member.factor_since_ms = None
    _forget_spare(db, member.username)


def is_right(db: Session, member: StaffMember, typed: str, now_ms: int) -> bool:
    """Tell whether a code is the person's, and use it up: of two who send the same one at once, one is right."""
    if member.factor is None:
        return False
    spare = codes.spare_hash(typed)
    if spare is not None:
        mine = (SpareCode.username == member.username, SpareCode.code_hash == spare)
        return _changed_one(db.execute(delete(SpareCode).where(*mine)))
    step = codes.step_of(keys_of(db).open(FACTOR, member.factor, member.username), typed, now_ms, member.factor_step)
    if step is None:
        return False
    mine = (StaffMember.username == member.username, StaffMember.factor_step < step)
    return _changed_one(db.execute(update(StaffMember).where(*mine).values(factor_step=step)))


def spare_left(db: Session, username: str) -> int:
    """Return how many spare codes were not used yet."""
    asked = select(func.count()).select_from(SpareCode).where(SpareCode.username == username)
    return db.execute(asked).scalar_one()


def _forget_spare(db: Session, username: str) -> None:
    db.execute(delete(SpareCode).where(SpareCode.username == username))


def _changed_one(result: object) -> bool:
    return isinstance(result, CursorResult) and result.rowcount == 1
