"""Signing in, step by step: the password, then the code of the phone, then what must be set up first.

Until the last step is done a session has a *stage* and opens nothing else. Each step gives the browser a new token.
All take the database instead of a session: a failure must be committed although it raises, and nobody may hold the
write lock for the time a hash takes.
"""

import enum
import logging
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from kampungnet.core import security
from kampungnet.core.database import Database
from kampungnet.core.errors import NotSignedIn, TooMany
from kampungnet.core.languages import N_
from kampungnet.staff import second_factor, service, throttle
from kampungnet.staff.models import StaffMember, StaffSession
from kampungnet.staff.service import ABSOLUTE_MS, HALF_MS, IDLE_MS

log = logging.getLogger(__name__)

_WRONG: Final = N_("The name or the password is not right. Please try again.")
_TOO_OLD: Final = N_("This first password is too old. Ask an engineer of the kabupaten for another one.")
_AGAIN: Final = N_("That took too long. Please sign in again.")
_SYSTEMS: Final = ("Android", "iPhone", "iPad", "Windows", "Mac", "Linux")
_BROWSERS: Final = {"Firefox/": "Firefox", "Edg/": "Edge", "Chrome/": "Chrome", "Safari/": "Safari"}


class Stage(enum.StrEnum):
    """What is still asked for."""

    DONE = ""
    CODE = "code"
    """The phone's code."""
    PASSWORD = "password"  # noqa: S105 -- the name of a step
    """A password of one's own, instead of the first one."""
    FACTOR = "factor"
    """A second factor, which the role must have."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is at the other end of a request."""

    address: str
    browser: str = ""
    token: str = ""
    """Of the session the browser has already, half or whole."""


class Opened(NamedTuple):
    """A new session."""

    token: str
    stage: Stage


def sign_in(database: Database, form: tuple[str, str], visitor: Visitor, now_ms: int) -> Opened:
    """Check a name and a password and return a new session; the one of this browser ends.

    Raises ``NotSignedIn`` for a wrong pair and ``TooMany`` for too many.
    """
    username, password = form[0].strip().casefold(), form[1]
    # Counting happens while the place is held: at most two guesses can pass on the same old count.
    with security.place_in_hashing():
        with database.reads() as db:
            member = throttle.unlocked_member(db, username, visitor.address, now_ms)
        right = security.password_matches(member.password_hash if member else security.nobodys_hash(), password)
        if member and right and member.disabled_ms is None:
            rehashed = security.hash_password(password) if security.needs_rehash(member.password_hash) else None
            with database.writes() as db:
                return _with_password(db, username, rehashed, visitor, now_ms)
        with database.writes() as db:
            throttle.note_failure(db, username, visitor.address, now_ms)
    # Never a name nobody has: people type passwords there.
    log.warning("wrong password for %s from %s", member.username if member else "a name nobody has", visitor.address)
    raise NotSignedIn(_WRONG)


def half_of(db: Session, token: str, now_ms: int) -> tuple[StaffMember, Stage]:
    """Return who has come how far. Raises ``NotSignedIn`` when nobody is on the way, or it took too long."""
    session = db.get(StaffSession, security.token_hash(token))
    member = db.get(StaffMember, session.username) if session else None
    is_over = session is None or not session.stage or now_ms - session.started_ms > HALF_MS
    if session is None or member is None or is_over or member.disabled_ms is not None:
        raise NotSignedIn(_AGAIN)
    return member, Stage(session.stage)


def give_code(database: Database, typed: str, visitor: Visitor, now_ms: int) -> Opened:
    """Take the phone's code or a spare one. Raises ``NotSignedIn`` and ``TooMany`` like a password does."""
    with database.writes() as db:
        member = _at(db, Stage.CODE, visitor, now_ms)
        throttle.check_floods(db, visitor.address, now_ms)
        if member.locked_until_ms > now_ms:
            raise TooMany(security.WAIT)
        if second_factor.is_right(db, member, typed, now_ms):
            return _opened(db, member, _after_code(member), visitor, now_ms)
        throttle.note_failure(db, member.username, visitor.address, now_ms)
        name = member.username
    log.warning("wrong code for %s from %s", name, visitor.address)
    raise NotSignedIn(second_factor.WRONG)


def choose_password(database: Database, password: str, visitor: Visitor, now_ms: int) -> Opened:
    """Replace a first password. Raises ``Unprocessable`` for one that is easy to guess."""
    with security.place_in_hashing(), database.reads() as db:
        hashed = service.new_hash(_at(db, Stage.PASSWORD, visitor, now_ms), password)
    with database.writes() as db:
        member = _at(db, Stage.PASSWORD, visitor, now_ms)
        service.set_password(db, member.username, hashed)
        return _opened(db, member, _after_code(member), visitor, now_ms)


def prove_factor(database: Database, sent: tuple[str, str], visitor: Visitor, now_ms: int) -> tuple[Opened, list[str]]:
    """Set up the second factor that the role must have, from the offer and a code; return the spare codes with it."""
    with database.writes() as db:
        member = _at(db, Stage.FACTOR, visitor, now_ms)
        spare = second_factor.turn_on(db, member, *sent, now_ms)
        return _opened(db, member, _after_code(member), visitor, now_ms), spare


def open_again(db: Session, member: StaffMember, visitor: Visitor, now_ms: int) -> Opened:
    """Give somebody who is signed in a new session in place of all that were ended."""
    return _opened(db, member, Stage.DONE, visitor, now_ms)


def browser_words(agent: str) -> str:
    """Return which browser and system a header names, in two words."""
    browser = next((name for mark, name in _BROWSERS.items() if mark in agent), "")
    return ", ".join(filter(None, (browser, next((name for name in _SYSTEMS if name in agent), ""))))


def _at(db: Session, wanted: Stage, visitor: Visitor, now_ms: int) -> StaffMember:
    member, stage = half_of(db, visitor.token, now_ms)
    if stage is not wanted:
        raise NotSignedIn(_AGAIN)
    return member


def _with_password(db: Session, username: str, rehashed: str | None, visitor: Visitor, now_ms: int) -> Opened:
    member = db.get_one(StaffMember, username)
    if member.disabled_ms is not None:
        raise NotSignedIn(_WRONG)
    if member.password_until_ms is not None and member.password_until_ms < now_ms:
        raise NotSignedIn(_TOO_OLD)
    member.password_hash = rehashed or member.password_hash
    stage = Stage.CODE if member.factor is not None else _after_code(member)
    return _opened(db, member, stage, visitor, now_ms)


def _after_code(member: StaffMember) -> Stage:
    if member.password_until_ms is not None:
        return Stage.PASSWORD
    return Stage.FACTOR if member.factor is None and second_factor.is_asked_of(member) else Stage.DONE


def _opened(db: Session, member: StaffMember, stage: Stage, visitor: Visitor, now_ms: int) -> Opened:
    if stage is Stage.DONE:  # not before: who knows the password alone must not get more tries at the code
        member.failed_logins = member.locked_until_ms = 0
        log.info("%s signed in from %s", member.username, visitor.address)
    service.sign_out(db, visitor.token)
    is_over = (StaffSession.last_seen_ms < now_ms - IDLE_MS) | (StaffSession.started_ms < now_ms - ABSOLUTE_MS)
    db.execute(delete(StaffSession).where(is_over))
    token = security.new_token()
    db.add(
        StaffSession(
            token_hash=security.token_hash(token), username=member.username, started_ms=now_ms, last_seen_ms=now_ms,
            stage=stage.value, address=visitor.address, browser=visitor.browser,
        )
    )  # fmt: skip
    db.flush()
    return Opened(token, stage)


def sessions_of(db: Session, username: str, now_ms: int) -> list[StaffSession]:
    """Return somebody's open sessions, the one used last first."""
    mine = (StaffSession.username == username, StaffSession.stage == "")
    lives = (StaffSession.last_seen_ms >= now_ms - IDLE_MS, StaffSession.started_ms >= now_ms - ABSOLUTE_MS)
    return list(db.scalars(select(StaffSession).where(*mine, *lives).order_by(StaffSession.last_seen_ms.desc())))
