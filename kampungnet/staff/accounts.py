"""What people change about their own account, and what an engineer changes about anybody's. Each act is in the log."""

from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from kampungnet.core import security
from kampungnet.core.database import Database
from kampungnet.core.errors import NotFound, TooMany, Unprocessable
from kampungnet.core.languages import N_
from kampungnet.staff import audit, second_factor, service, signing_in, throttle
from kampungnet.staff.audit import Act
from kampungnet.staff.models import StaffMember, StaffSession
from kampungnet.staff.service import Role, SignedIn
from kampungnet.staff.signing_in import Opened, Visitor

MOST_LETTERS: Final = 300
_WRONG: Final = N_("The password is not right. Nothing was changed.")


def confirm(database: Database, by: SignedIn, password: str, visitor: Visitor, now_ms: int) -> None:
    """Ask for the password again before something that matters. Raises ``Unprocessable`` or ``TooMany``."""
    with security.place_in_hashing():
        with database.reads() as db:
            member = throttle.unlocked_member(db, by.username, visitor.address, now_ms)
        if member is not None and security.password_matches(member.password_hash, password):
            return
        with database.writes() as db:
            throttle.note_failure(db, by.username, visitor.address, now_ms)
    raise Unprocessable(_WRONG)


def change_password(database: Database, by: SignedIn, new: str, visitor: Visitor, now_ms: int) -> Opened:
    """Give oneself another password; every session ends, and this browser gets a new one."""
    with security.place_in_hashing(), database.reads() as db:
        hashed = service.new_hash(service.member_of(db, by.username), new)
    with database.writes() as db:
        member = service.member_of(db, by.username)
        service.set_password(db, by.username, hashed)
        audit.record(db, by, Act("staff.password", by.username), now_ms)
        return signing_in.open_again(db, member, visitor, now_ms)


def turn_factor_on(db: Session, by: SignedIn, sent: tuple[str, str], now_ms: int) -> list[str]:
    """Set up a second factor from the offer and a code; return the spare codes."""
    spare = second_factor.turn_on(db, service.member_of(db, by.username), *sent, now_ms)
    audit.record(db, by, Act("staff.factor_on", by.username), now_ms)
    return spare


def turn_factor_off(database: Database, by: SignedIn, code: str, visitor: Visitor, now_ms: int) -> None:
    """Take one's own factor off, with a code of it. Raises ``Unprocessable`` and ``TooMany``."""
    with database.writes() as db:
        member = service.member_of(db, by.username)
        if second_factor.is_asked_of(member):
            raise Unprocessable(N_("Your role must have a second factor. An engineer can take it off for a new phone."))
        if member.locked_until_ms > now_ms:
            raise TooMany(security.WAIT)
        if second_factor.is_right(db, member, code, now_ms):
            second_factor.turn_off(db, member)
            audit.record(db, by, Act("staff.factor_off", by.username), now_ms)
            return
        throttle.note_failure(db, by.username, visitor.address, now_ms)
    raise Unprocessable(second_factor.WRONG)


def end_session(db: Session, by: SignedIn, key: str) -> None:
    """End one of one's own sessions. Raises ``NotFound``."""
    mine = db.scalars(select(StaffSession).where(StaffSession.username == by.username))
    found = next((one for one in mine if one.token_hash.hex() == key), None)
    if found is None:
        raise NotFound(N_("This session has ended already. Look at the list again."))
    db.delete(found)


def end_others(db: Session, by: SignedIn, visitor: Visitor) -> None:
    """End all of one's own sessions but this one."""
    others = (StaffSession.username == by.username, StaffSession.token_hash != security.token_hash(visitor.token))
    db.execute(delete(StaffSession).where(*others))


def people(db: Session, by: SignedIn) -> list[tuple[StaffMember, int]]:
    """Return everybody of the regency with the number of their sessions, by name."""
    _check_admin(by)
    counted = select(StaffSession.username, func.count().label("number")).group_by(StaffSession.username)
    sessions = {row.username: row.number for row in db.execute(counted.where(StaffSession.stage == ""))}
    asked = select(StaffMember).where(StaffMember.regency == by.scope.regency)
    members = db.scalars(asked.order_by(StaffMember.disabled_ms.is_not(None), StaffMember.name, StaffMember.username))
    return [(member, sessions.get(member.username, 0)) for member in members]


def administer(database: Database, by: SignedIn, act: str, username: str, reason: str, now_ms: int) -> str:
    """Do one of ``end``, ``factor``, ``password``, ``disable`` to somebody; return a first password if one was made."""
    _check_admin(by)
    made = hashed = ""
    if act == "password":
        made = security.random_password()
        with security.place_in_hashing():  # before anybody has to wait for us to write
            hashed = security.hash_password(made)
    with database.writes() as db:
        _administer(db, by, (act, hashed), username, reason, now_ms)
    return made


def _administer(
    db: Session, by: SignedIn, wanted: tuple[str, str], username: str, reason: str, now_ms: int
) -> None:  # fmt: skip
    act, hashed = wanted
    member = db.get(StaffMember, username) if service.USERNAME.fullmatch(username) else None
    if member is None or member.regency != by.scope.regency or member.disabled_ms is not None:
        raise NotFound(N_("There is nobody of this name. Look at the list again."))
    told = " ".join(reason.split())
    if not told or len(told) > MOST_LETTERS or not told.isprintable():
        raise Unprocessable(N_("Say in a few words why, so that others can follow it later."))
    if act == "end":
        service.end_sessions(db, username)
    elif act == "factor":
        second_factor.turn_off(db, member)
        service.end_sessions(db, username)
    elif act == "password":
        service.first_password(db, username, hashed, now_ms)
    elif act == "disable" and username != by.username:
        service.disable_staff(db, username, now_ms)
    else:
        raise Unprocessable(N_("This cannot be done. Open the page again and choose from it."))
    audit.record(db, by, Act(f"staff.admin_{act}", username, told), now_ms)


def _check_admin(by: SignedIn) -> None:
    by.check_role(Role.ENGINEER)
