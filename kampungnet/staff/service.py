"""Staff: who may sign in, what they may see, and their sessions."""

import enum
import re
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, delete, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from kampungnet.core import security
from kampungnet.core.errors import Conflict, NotAllowed, NotFound, Unprocessable
from kampungnet.core.languages import N_
from kampungnet.staff.models import StaffMember, StaffSession
from kampungnet.villages.models import District, Regency, Village

IDLE_MS: Final = 8 * 3_600_000
ABSOLUTE_MS: Final = 7 * 86_400_000
TOUCH_MS: Final = 10 * 60_000
"""A session's last sign of life is written at most this often: looking at pages stays a read."""
HALF_MS: Final = 10 * 60_000
"""How long somebody may take between the password and what is asked after it."""
FIRST_PASSWORD_MS: Final = 7 * 86_400_000
USERNAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,39}")
_VILLAGE_CODE: Final = re.compile(r"\d\d\.\d\d\.\d\d\.\d{4}", re.ASCII)


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

    def check_sees(self, *roles: Role) -> None:
        """Raise ``NotAllowed`` for whom a page is not meant."""
        if self.role not in roles:
            raise NotAllowed(N_("This page is for others: it has nothing that your role needs."))

    def check_role(self, *roles: Role) -> None:
        """Raise ``NotAllowed`` for who does something else here."""
        if self.role in roles:
            return
        if Role.ENGINEER in roles:
            raise NotAllowed(N_("Your role may look at this, but not change it. Ask an engineer of the kabupaten."))
        raise NotAllowed(N_("Your role may look at this, but not change it. Ask the budget staff."))

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
    if not USERNAME.fullmatch(username):
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
    if len(password) < security.PASSWORD_LETTERS.start:
        raise Unprocessable(N_("This password is too short. A few words nobody would guess are good."))
    if len(password) not in security.PASSWORD_LETTERS:
        raise Unprocessable(N_("This password is too long. Choose a shorter one."))
    words = [part for own in own_words for part in re.split(r"[\W_]+", own)]
    if security.is_guessable(password, *words):
        raise Unprocessable(N_("This password is made of common words only. Add a few words nobody would guess."))


def new_hash(member: StaffMember, password: str) -> str:
    """Return what is stored of a new password; takes its time, so ask before others have to wait to write.

    Raises ``Unprocessable`` for one that is easy to guess, and for the one that the person has already.
    """
    if security.password_matches(member.password_hash, password):
        raise Unprocessable(N_("This is the password you have already. Choose another one."))
    check_password_rules(password, member.username, member.name)
    return security.hash_password(password)


def set_password(db: Session, username: str, password_hash: str) -> None:
    """Give a person a password of their own (see :func:`new_hash`), forget old failures and end all sessions."""
    member = member_of(db, username)
    member.password_hash, member.password_until_ms = password_hash, None
    member.failed_logins = member.locked_until_ms = 0
    end_sessions(db, username)


def first_password(db: Session, username: str, password_hash: str, now_ms: int) -> None:
    """Give a person a password that opens a week long, for the only time: then its owner chooses another one."""
    member = member_of(db, username)
    member.password_hash, member.password_until_ms = password_hash, now_ms + FIRST_PASSWORD_MS
    member.failed_logins = member.locked_until_ms = 0
    end_sessions(db, username)


def end_sessions(db: Session, username: str) -> None:
    """Sign a person out everywhere."""
    db.execute(delete(StaffSession).where(StaffSession.username == username))


def disable_staff(db: Session, username: str, now_ms: int) -> None:
    """Shut a person out at once: no new sign-in, and every open session ends."""
    member_of(db, username).disabled_ms = now_ms
    end_sessions(db, username)


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
    if too_old or member.disabled_ms is not None or session.stage:
        return None
    return person_of(member), now_ms - session.last_seen_ms > TOUCH_MS


def person_of(member: StaffMember) -> SignedIn:
    """Return a person as routes know them."""
    scope = Scope(member.regency, member.village, member.district)
    return SignedIn(member.username, member.name, Role(member.role), scope, Duty(member.duty))


def touch(db: Session, token: str, now_ms: int) -> None:
    """Note that a session is in use."""
    session = db.get(StaffSession, security.token_hash(token))
    if session is not None:
        session.last_seen_ms = now_ms


def sign_out(db: Session, token: str) -> None:
    """End one session."""
    db.execute(delete(StaffSession).where(StaffSession.token_hash == security.token_hash(token)))


def member_of(db: Session, username: str) -> StaffMember:
    """Return a person. Raises ``NotFound``."""
    member = db.get(StaffMember, username)
    if member is None:
        raise NotFound(f"There is nobody called {username}.")
    return member
