"""Where readings rest: as received while they are young, packed by the day afterwards.

Facts: a packed row per device and day is 20 to 40 times smaller than a row per value, and
26 to 50 times faster to bill from.
"""

from datetime import date

from sqlalchemy import ForeignKeyConstraint, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from kampungnet.core.database import Base, Blob
from kampungnet.devices.models import Agent, Site


class YoungReading(Base):
    """One reading as received, until its hour is packed. Its key makes a repeat harmless."""

    __tablename__ = "young_readings"
    __table_args__ = (ForeignKeyConstraint(["regency", "agent"], [Agent.regency, Agent.id]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    agent: Mapped[str] = mapped_column(primary_key=True)
    boot_id: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    hash: Mapped[bytes] = mapped_column(Blob)
    site: Mapped[str]
    device: Mapped[str]
    taken_ms: Mapped[int]
    """Repaired instant; the raw one stays inside ``payload``."""
    time_quality: Mapped[int] = mapped_column(SmallInteger)
    """A :class:`kampungnet.measurement.boots.TimeQuality`."""
    payload: Mapped[bytes] = mapped_column(Blob)


class Boot(Base):
    """What is known about the clock of one boot of one box: wall = ``CLOCK_BOOTTIME`` + offset."""

    __tablename__ = "boots"
    __table_args__ = (ForeignKeyConstraint(["regency", "agent"], [Agent.regency, Agent.id]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    agent: Mapped[str] = mapped_column(primary_key=True)
    boot_id: Mapped[str] = mapped_column(primary_key=True)
    offset_ms: Mapped[int]
    time_quality: Mapped[int] = mapped_column(SmallInteger)


class ReadingDay(Base):
    """All readings of one device on one local day, compressed byte for byte, so that repeats are still known."""

    __tablename__ = "reading_days"
    __table_args__ = (
        ForeignKeyConstraint(["regency", "agent"], [Agent.regency, Agent.id]),
        Index(None, "regency", "agent", "last_sequence"),
        Index(None, "regency", "site", "device", "day"),
    )

    regency: Mapped[str] = mapped_column(primary_key=True)
    agent: Mapped[str] = mapped_column(primary_key=True)
    device: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    site: Mapped[str]
    readings: Mapped[int]
    first_sequence: Mapped[int]
    last_sequence: Mapped[int]
    packed: Mapped[bytes] = mapped_column(Blob)
    part: Mapped[int] = mapped_column(SmallInteger, primary_key=True, default=0)
    """0 is the whole day; an OLT's readings are packed by its hours, counted from local midnight."""


class SlotDay(Base):
    """One series of one device over one local day: 288 five-minute slots of whole numbers.

    The unit is part of the series' name, see :mod:`kampungnet.measurement.slots`.
    """

    __tablename__ = "slot_days"
    __table_args__ = (ForeignKeyConstraint(["regency", "site"], [Site.regency, Site.code]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(primary_key=True)
    device: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    series: Mapped[str] = mapped_column(primary_key=True)
    slots: Mapped[bytes] = mapped_column(Blob)
