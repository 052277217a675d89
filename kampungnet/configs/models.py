"""What routers were set up as, and the backups they made of themselves."""

from sqlalchemy import ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kampungnet.core.database import Base, Blob
from kampungnet.devices.models import Site


class ConfigRevision(Base):
    """One text of a router's settings, from the first visit that saw it to the last before another one."""

    __tablename__ = "config_revisions"
    __table_args__ = (ForeignKeyConstraint(["regency", "site"], [Site.regency, Site.code]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(primary_key=True)
    device: Mapped[str] = mapped_column(primary_key=True)
    first_ms: Mapped[int] = mapped_column(primary_key=True)
    """When it was seen first, repaired time."""
    last_ms: Mapped[int]
    digest: Mapped[str]
    """SHA-256 of the text, in hexadecimal."""
    packed: Mapped[bytes] = mapped_column(Blob, deferred=True)
    """The text, deflated (zlib)."""
    model: Mapped[str]
    version: Mapped[str]
    serial: Mapped[str]
    left_out: Mapped[str]
    """What the box left out of the text, a line each."""


class ConfigBackup(Base):
    """A binary backup, encrypted by the router with a password that the server never learns."""

    __tablename__ = "config_backups"
    __table_args__ = (ForeignKeyConstraint(["regency", "site"], [Site.regency, Site.code]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(primary_key=True)
    device: Mapped[str] = mapped_column(primary_key=True)
    taken_ms: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str]
    """Of the text of settings that it was made with."""
    size: Mapped[int]
    content: Mapped[bytes] = mapped_column(Blob, deferred=True)
    model: Mapped[str]
    version: Mapped[str]
    serial: Mapped[str]
