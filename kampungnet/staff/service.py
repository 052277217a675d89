"""Staff: who may sign in, what they may see, and their sessions."""

import enum
import re
import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, delete, func, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from kampungnet.core import security
from kampungnet.core.database import Database
from kampungnet.core.errors import Conflict, NotAllowed, NotFound, NotSignedIn, TooMany, Unprocessable
from kampungnet.core.languages import N_
from kampungnet.staff.models import SignInFailure, StaffMember, StaffSession
from kampungnet.villages.models import District, Regency, Village

IDLE_MS: Final = 8 * 3_600_000
ABSOLUTE_MS: Final = 7 * 86_400_000
TOUCH_MS: Final = 10 * 60_000
"""A session's last sign of life is written at most this often: looking at pages stays a read."""
ADDRESS_LIMIT: Final = 60
ADDRESS_WINDOW_MS: Final = 15 * 60_000
EVERYBODY_LIMIT: Final = 600
EVERYBODY_WINDOW_MS: Final = 5 * 60_000
REMEMBERED_MS: Final = 86_400_000
"""How long a wrong password counts."""

_USERNAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,39}")
_VILLAGE_CODE: Final = re.compile(r"\d\d\.\d\d\.\d\d\.\d{4}", re.ASCII)
_WRONG: Final = N_("The name or the password is not right. Please try again.")


class Role(enum.StrEnum):
    """What a person does here."""

    ENGINEER = "engineer"
    OPERATOR = "operator"
    BUDGET = "budget"
    AUDITOR = "auditor"


class Duty(enum.StrEnum):
    """What a member of a unit's own budget staff signs (Permendagri 20/2018, facts on billing 3.5)."""

    NONE = ""
    SECRETARY = "secretary"
    """Sekretaris desa: checks."""
    HEAD = "head"
    """Kepala desa (lurah): approves."""
    TREASURER = "treasurer"
    """Kaur keuangan (bendahara): pays."""


@dataclass(frozen=True, slots=True)
class Scope:
    """How far a person sees: a whole regency, a kecamatan or one village of it. Every page function takes one.

    Codes are nested (35.10, 35.10.15, 35.10.15.2012), so that where somebody may look is one beginning of a code.
    """

    regency: str
    village: str | None = None
    district: str | None = None

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing of the regency is hidden."""
        return self.village is None and self.district is None

    @property
    def place(self) -> str:
        """The code of all that is seen."""
        return self.village or self.district or self.regency

    def covers(self, code: str) -> bool:
        """Tell whether a village, or a kecamatan with its office, lies inside."""
        return code == self.place or code.startswith(f"{self.place}.")

    def where(self, column: InstrumentedAttribute[str]) -> ColumnElement[bool]:
        """Return the condition that a column of codes lies inside, for rows of this regency."""
        if self.is_whole:
            return true()
        return (column == self.place) | column.startswith(f"{self.place}.", autoescape=True)

    def within(self, district: str) -> "Scope":
        """Return what of it lies in a chosen kecamatan; who does not see the whole regency keeps theirs."""
        return Scope(self.regency, None, district) if self.is_whole and district else self

    def check(self, village: str) -> None:
        """Raise ``NotFound`` for a village outside; it must look like one that does not exist."""
        # The pattern first: PostgreSQL would stumble over a NUL.
        if _VILLAGE_CODE.fullmatch(village) is None or not self.covers(village):
            raise NotFound(N_("There is no such village here. Go back to the first page."))


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person with a living session."""

    username: str
    name: str
    role: Role
    scope: Scope
    duty: Duty = Duty.NONE

    def check_role(self, *roles: Role) -> None:
        """Raise ``NotAllowed`` for who does something else here."""
        if self.role not in roles:
            raise NotAllowed(N_("Your role may look at this, but not change it. Ask an engineer of the kabupaten."))

    @property
    def keeps_books(self) -> bool:
        """Tell whether this person writes contracts and budgets: a unit's own budget staff, or the kabupaten's."""
        return self.role is Role.BUDGET and self.scope.district is None

    def check_keeps_books(self) -> None:
        """Raise ``NotAllowed`` for who may only read contracts and budgets."""
        self.check_role(Role.BUDGET)
        if not self.keeps_books:
            raise NotAllowed(
                N_("A kecamatan reads the books of its villages. The desa itself or the kabupaten changes them.")
            )


@dataclass(frozen=True, slots=True)
class NewStaff:
    """A person to add."""

    username: str
    name: str
    role: Role
    scope: Scope
    duty: Duty = Duty.NONE


def add_staff(db: Session, person: NewStaff, password: str) -> StaffMember:
    """Add a person. Raises ``Unprocessable`` or ``Conflict`` with a sentence for who typed it."""
    username, name, role, scope = person.username, person.name, person.role, person.scope
    if not _USERNAME.fullmatch(username):
        raise Unprocessable("A user name has 2 to 40 small letters, digits, dots or dashes.")
    _check_place(db, person)
    if db.get(StaffMember, username) is not None:
        raise Conflict(f"There is already somebody called {username}.")
    check_password_rules(password, username, name)
    member = StaffMember(
        username=username, name=name, password_hash=security.hash_password(password),
        role=role, regency=scope.regency, village=scope.village, district=scope.district,
        duty=person.duty, failed_logins=0, locked_until_ms=0,
    )  # fmt: skip
    db.add(member)
    db.flush()
    return member


def _check_place(db: Session, person: NewStaff) -> None:
    """Raise a ``Problem`` where role, duty and place do not fit together, or there is no such place."""
    _check_role_of_place(person)
    scope = person.scope
    if db.get(Regency, scope.regency) is None:
        raise NotFound(f"Kabupaten {scope.regency} is not in the register: import its villages first.")
    if scope.village and db.get(Village, (scope.regency, scope.village)) is None:
        raise NotFound(f"Village {scope.village} is not in the register of kabupaten {scope.regency}.")
    if scope.district and db.get(District, (scope.regency, scope.district)) is None:
        raise NotFound(f"Kecamatan {scope.district} is not in the register of kabupaten {scope.regency}.")


def _check_role_of_place(person: NewStaff) -> None:
    role, scope = person.role, person.scope
    if scope.village is None and role is Role.OPERATOR:
        raise Unprocessable("An operator belongs to one village: name it.")
    if scope.village is not None and role not in {Role.OPERATOR, Role.BUDGET}:
        raise Unprocessable("Engineers and auditors see the whole kabupaten: leave the village out.")
    if scope.district is not None and (role is not Role.BUDGET or scope.village is not None):
        raise Unprocessable("Only budget staff are bound to a kecamatan, and then to no village.")
    if person.duty and (role is not Role.BUDGET or scope.village is None):
        raise Unprocessable("Only budget staff of a village have a duty.")


def check_password_rules(password: str, *own_words: str) -> None:
    """Raise ``Unprocessable`` for a password that is short or easy to guess. No rules of composition."""
    if len(password) < security.MIN_PASSWORD_LENGTH:
        raise Unprocessable(f"A password needs at least {security.MIN_PASSWORD_LENGTH} characters.")
    if len(password) > security.MAX_PASSWORD_LENGTH:
        raise Unprocessable(f"A password has at most {security.MAX_PASSWORD_LENGTH} characters.")
    words = [part for own in own_words for part in re.split(r"[\W_]+", own)]
    if security.is_guessable(password, *words):
        raise Unprocessable("This password is made of common words only: add a few words nobody would guess.")


def set_password(db: Session, username: str, password: str) -> None:
    """Give a person a new password, forget old failures and end all sessions."""
    member = _member(db, username)
    check_password_rules(password, username, member.name)
    member.password_hash = security.hash_password(password)
    member.failed_logins = member.locked_until_ms = 0
    db.execute(delete(StaffSession).where(StaffSession.username == username))


def disable_staff(db: Session, username: str, now_ms: int) -> None:
    """Shut a person out at once: no new sign-in, and every open session ends."""
    _member(db, username).disabled_ms = now_ms
    db.execute(delete(StaffSession).where(StaffSession.username == username))


def sign_in(database: Database, form: tuple[str, str], address: str, now_ms: int, before: str = "") -> str:
    """Check a name and a password and return the token of a new session; the one ``before`` in this browser ends.

    Raises ``NotSignedIn`` for a wrong pair and ``TooMany`` for too many. Takes the database instead of
    a session, because a failure must be committed although it raises, and because nobody may hold the
    write lock for the time a hash takes.
    """
    username, password = form[0].strip().casefold(), form[1]
    # Counting happens while the place is held: at most two guesses can pass on the same old count.
    with security.place_in_hashing():
        with database.reads() as db:
            member = _unlocked_member(db, username, address, now_ms)
        right = security.password_matches(member.password_hash if member else security.nobodys_hash(), password)
        if member and right and member.disabled_ms is None:
            rehashed = security.hash_password(password) if security.needs_rehash(member.password_hash) else None
            with database.writes() as db:
                sign_out(db, before)
                return _open_session(db, username, rehashed, now_ms)
        with database.writes() as db:
            note_failure(db, username, address, now_ms)
    raise NotSignedIn(_WRONG)


def staff_of(db: Session, token: str, now_ms: int) -> tuple[SignedIn, bool] | None:
    """Return who a token belongs to and whether :func:`touch` is due; ``None`` when the session is over."""
    row = db.execute(
        select(StaffSession, StaffMember)
        .join(StaffMember, StaffMember.username == StaffSession.username)
        .where(StaffSession.token_hash == security.token_hash(token))
    ).one_or_none()
    if row is None:
        return None
    session, member = row.StaffSession, row.StaffMember
    too_old = now_ms - session.last_seen_ms > IDLE_MS or now_ms - session.started_ms > ABSOLUTE_MS
    if too_old or member.disabled_ms is not None:
        return None
    scope = Scope(member.regency, member.village, member.district)
    signed_in = SignedIn(member.username, member.name, Role(member.role), scope, Duty(member.duty))
    return signed_in, now_ms - session.last_seen_ms > TOUCH_MS


def touch(db: Session, token: str, now_ms: int) -> None:
    """Note that a session is in use."""
    session = db.get(StaffSession, security.token_hash(token))
    if session is not None:
        session.last_seen_ms = now_ms


def sign_out(db: Session, token: str) -> None:
    """End one session."""
    db.execute(delete(StaffSession).where(StaffSession.token_hash == security.token_hash(token)))


def _member(db: Session, username: str) -> StaffMember:
    member = db.get(StaffMember, username)
    if member is None:
        raise NotFound(f"There is nobody called {username}.")
    return member


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
    """Count a wrong password: for its address, and for its name whether somebody has it or not."""
    member = _known(db, username)
    stranger = None if member else security.token_hash(username)
    token = secrets.token_bytes(16)
    db.add(SignInFailure(token=token, at_ms=now_ms, address=address, stranger=stranger))
    db.execute(delete(SignInFailure).where(SignInFailure.at_ms < now_ms - REMEMBERED_MS))
    if member:
        member.failed_logins += 1
        member.locked_until_ms = now_ms + security.delay_ms(member.failed_logins)


def _known(db: Session, username: str) -> StaffMember | None:
    return db.get(StaffMember, username) if _USERNAME.fullmatch(username) else None


def _unlocked_member(db: Session, username: str, address: str, now_ms: int) -> StaffMember | None:
    check_floods(db, address, now_ms)
    member = _known(db, username)
    if (member.locked_until_ms if member else _stranger_rests_until(db, username)) > now_ms:
        raise TooMany(security.WAIT)
    return member


def _stranger_rests_until(db: Session, username: str) -> int:
    """Unknown names are slowed down like known ones, or the delay itself would tell which names exist."""
    of_name = SignInFailure.stranger == security.token_hash(username)
    failures, last_ms = db.execute(select(func.count(), func.max(SignInFailure.at_ms)).where(of_name)).one()
    return (last_ms or 0) + security.delay_ms(failures)


def _open_session(db: Session, username: str, rehashed: str | None, now_ms: int) -> str:
    member = db.get_one(StaffMember, username)
    if member.disabled_ms is not None:
        raise NotSignedIn(_WRONG)
    member.failed_logins = member.locked_until_ms = 0
    member.password_hash = rehashed or member.password_hash
    db.execute(
        delete(StaffSession).where(
            (StaffSession.last_seen_ms < now_ms - IDLE_MS) | (StaffSession.started_ms < now_ms - ABSOLUTE_MS)
        )
    )
    token = security.new_token()
    db.add(
        StaffSession(token_hash=security.token_hash(token), username=username, started_ms=now_ms, last_seen_ms=now_ms)
    )
    return token
