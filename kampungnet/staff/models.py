"""People who sign in to the console, and their sessions. Sessions live here, never in a cookie."""

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from kampungnet.core.database import Base, Blob
from kampungnet.villages.models import Regency


class StaffMember(Base):
    """A person with one role, for a whole regency, a kecamatan or one village."""

    __tablename__ = "staff"

    username: Mapped[str] = mapped_column(primary_key=True)
    """Lower case letters, digits, dot and dash."""
    name: Mapped[str]
    password_hash: Mapped[str]
    role: Mapped[str]
    """``engineer``, ``operator``, ``budget`` or ``auditor``."""
    regency: Mapped[str]
    village: Mapped[str | None]
    """Set for a village operator and a village's own budget staff: nothing of any other village is shown."""
    disabled_ms: Mapped[int | None]
    failed_logins: Mapped[int] = mapped_column(default=0)
    locked_until_ms: Mapped[int] = mapped_column(default=0)
    """No password is checked before this instant; grows with each failure, at most 15 minutes."""
    duty: Mapped[str] = mapped_column(default="")
    """What a member of a unit's budget staff signs: ``secretary`` checks, ``head`` approves, ``treasurer`` pays."""
    district: Mapped[str | None] = mapped_column(default=None)
    """Set for budget staff of a kecamatan: its villages are shown, and no other. Never together with ``village``."""
    factor: Mapped[bytes | None] = mapped_column(Blob, default=None)
    """Sealed secret of the second factor; see :mod:`kampungnet.staff.second_factor`."""
    factor_since_ms: Mapped[int | None] = mapped_column(default=None)
    factor_step: Mapped[int] = mapped_column(default=0)
    """Newest step of 30 s whose code was used: none at or before it counts again."""
    password_until_ms: Mapped[int | None] = mapped_column(default=None)
    """Set for a password that somebody else made: until then it opens once, to choose another."""


class SpareCode(Base):
    """A code for the day the phone is lost. Only its hash is kept, and not longer than it is good."""

    __tablename__ = "staff_spare_codes"

    username: Mapped[str] = mapped_column(ForeignKey(StaffMember.username), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(Blob, primary_key=True)


class StaffSession(Base):
    """One signed-in browser. The cookie holds a random token, this row only its hash."""

    __tablename__ = "staff_sessions"
    __table_args__ = (Index(None, "username"),)

    token_hash: Mapped[bytes] = mapped_column(Blob, primary_key=True)
    username: Mapped[str] = mapped_column(ForeignKey(StaffMember.username))
    started_ms: Mapped[int]
    last_seen_ms: Mapped[int]
    stage: Mapped[str] = mapped_column(default="")
    """What is still asked for before it opens anything: ``code``, ``password``, ``factor``; empty when nothing is."""
    address: Mapped[str] = mapped_column(default="")
    browser: Mapped[str] = mapped_column(default="")
    """In two words, so that its owner knows it again: ``Firefox, Android``."""


class SignInFailure(Base):
    """One wrong password. Kept here and not in memory, so that all processes of the server count together."""

    __tablename__ = "sign_in_failures"
    __table_args__ = (Index(None, "address", "at_ms"), Index(None, "stranger", "at_ms"), Index(None, "at_ms"))

    token: Mapped[bytes] = mapped_column(Blob, primary_key=True)
    """Random: two failures in one millisecond are two."""
    at_ms: Mapped[int]
    address: Mapped[str]
    stranger: Mapped[bytes | None] = mapped_column(Blob)
    """Hash of a name nobody has, never the name: people type passwords there. Known names count in their own row."""


class AuditEntry(Base):
    """One thing that a person did. Rows are only added; see :mod:`kampungnet.staff.audit`."""

    __tablename__ = "audit_log"
    __table_args__ = (
        ForeignKeyConstraint(["regency"], [Regency.code]), Index(None, "regency", "what", "sequence"),
        Index(None, "regency", "at_ms", "sequence"),
    )  # fmt: skip

    regency: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    """1, 2, 3 within the regency, without a hole."""
    at_ms: Mapped[int]
    username: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    what: Mapped[str]
    about: Mapped[str]
    reason: Mapped[str]
    before: Mapped[str]
    """JSON; empty where there was nothing."""
    after: Mapped[str]
    hash: Mapped[str]
    """The seal over this row and the one before: ``2:`` and a mark by the key outside the database, in hex.

    Of rows older than the key a plain SHA-256.
    """
