"""Where readings rest: as received while they are young, packed by the day afterwards.

Facts: a packed row per device and day is 20 to 40 times smaller than a row per value, and
26 to 50 times faster to bill from.

A day of traffic is a pure function of that day's readings, the last before it and the first after it, so that it
can be made again at any time; an hour and a month are sums of day rows.
"""

from datetime import date

from sqlalchemy import ForeignKeyConstraint, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from kampungnet.core.database import Base, Blob
from kampungnet.devices.models import Agent, Site


class YoungReading(Base):
    """One reading as received, until its hour is packed. Its key makes a repeat harmless."""

    __tablename__ = "young_readings"
    __table_args__ = (
        ForeignKeyConstraint(["regency", "agent"], [Agent.regency, Agent.id]),
        Index(None, "regency", "stored_ms"),
    )

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
    stored_ms: Mapped[int] = mapped_column(server_default="0")
    """When it was stored, by the server's clock: in this order metrics stores get it."""


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
        Index(None, "regency", "stored_ms"),
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
    stored_ms: Mapped[int] = mapped_column(server_default="0")
    """When the newest of its readings was stored."""


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


class TrafficDay(Base):
    """One interface over one local day, summed up: all that a month needs of it. Its slots are in ``traffic_slots``."""

    __tablename__ = "traffic_days"
    __table_args__ = (
        ForeignKeyConstraint(["regency", "site"], [Site.regency, Site.code]),
        Index(None, "regency", "day", "site", "device", "interface"),
    )

    regency: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(primary_key=True)
    device: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    interface: Mapped[str] = mapped_column(primary_key=True)
    rx_bytes: Mapped[int]
    tx_bytes: Mapped[int]
    """Of the slots, without what passed in gaps."""
    covered_ms: Mapped[int]
    samples: Mapped[int] = mapped_column(SmallInteger)
    """Slots that were fully seen."""
    flags: Mapped[int] = mapped_column(SmallInteger)
    """:class:`kampungnet.measurement.ledger.Flag` of all slots together."""
    busiest_hour: Mapped[int] = mapped_column(SmallInteger)
    busiest_bytes: Mapped[int]
    packed: Mapped[bytes] = mapped_column(Blob)
    """The day and these numbers once more, with the highest 40 slots of each direction: a month reads no more than
    this (:func:`kampungnet.measurement.traffic.pack_day`)."""
    gaps: Mapped[bytes] = mapped_column(Blob)
    """Gaps that begin on this day, with their bytes."""


class TrafficSlots(Base):
    """288 slots of every interface of a device over one local day, packed by :mod:`kampungnet.measurement.traffic`.

    One row for all its interfaces: of rows this long SQLite puts one on a page, and each would waste the rest of it.
    """

    __tablename__ = "traffic_slots"
    __table_args__ = (ForeignKeyConstraint(["regency", "site"], [Site.regency, Site.code]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(primary_key=True)
    device: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    slots: Mapped[bytes] = mapped_column(Blob)


class TrafficHour(Base):
    """One hour of a village's line to its provider, for people who query the database."""

    __tablename__ = "traffic_hours"
    __table_args__ = (
        ForeignKeyConstraint(["regency", "site"], [Site.regency, Site.code]),
        {"sqlite_with_rowid": False},
    )

    regency: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(primary_key=True)
    device: Mapped[str] = mapped_column(primary_key=True)
    interface: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    hour: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    """0 to 23 of the local day."""
    rx_bytes: Mapped[int]
    tx_bytes: Mapped[int]
    covered_seconds: Mapped[int] = mapped_column(SmallInteger)
    flags: Mapped[int] = mapped_column(SmallInteger)


class TrafficMonth(Base):
    """One interface over one local month. Once closed it never changes: later findings are corrections."""

    __tablename__ = "traffic_months"
    __table_args__ = (ForeignKeyConstraint(["regency", "site"], [Site.regency, Site.code]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(primary_key=True)
    device: Mapped[str] = mapped_column(primary_key=True)
    interface: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    """Its first day."""
    rx_bytes: Mapped[int]
    tx_bytes: Mapped[int]
    covered_ms: Mapped[int]
    samples: Mapped[int]
    expected: Mapped[int]
    """Slots of the whole month."""
    rx_p95_bps: Mapped[int | None]
    tx_p95_bps: Mapped[int | None]
    """Nearest rank over the fully seen slots, missing ones ignored; empty without any."""
    busiest_hour_ms: Mapped[int]
    busiest_bytes: Mapped[int]
    flags: Mapped[int] = mapped_column(SmallInteger)
    lower_bound: Mapped[bool]
    """At least so many bytes passed: a part of the month was not seen, or not to its end."""
    closed_ms: Mapped[int | None]


class TrafficCorrection(Base):
    """What late readings changed in a closed month: the difference to what stood, the month it belongs to named."""

    __tablename__ = "traffic_corrections"
    __table_args__ = (
        ForeignKeyConstraint(
            ["regency", "site", "device", "interface", "month"],
            [TrafficMonth.regency, TrafficMonth.site, TrafficMonth.device, TrafficMonth.interface, TrafficMonth.month],
        ),
    )

    regency: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(primary_key=True)
    device: Mapped[str] = mapped_column(primary_key=True)
    interface: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    noted_ms: Mapped[int]
    rx_bytes: Mapped[int]
    tx_bytes: Mapped[int]
    covered_ms: Mapped[int]
    samples: Mapped[int]
    rx_p95_bps: Mapped[int]
    tx_p95_bps: Mapped[int]
    lower_bound: Mapped[bool | None]
    """Whether more passed than is known with this correction; empty in corrections older than this column."""


class MonthDue(Base):
    """A month of a site whose days changed: who deletes this row adds the month up in the same transaction."""

    __tablename__ = "months_due"
    __table_args__ = (ForeignKeyConstraint(["regency", "site"], [Site.regency, Site.code]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    since_ms: Mapped[int]


class Oddity(Base):
    """How many readings of a device's day are not as they should be, for staff to look at."""

    __tablename__ = "oddities"
    __table_args__ = (ForeignKeyConstraint(["regency", "site"], [Site.regency, Site.code]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(primary_key=True)
    device: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    what: Mapped[str] = mapped_column(primary_key=True)
    """A :class:`kampungnet.measurement.oddities.Odd`; of what is odd about whole reports the device is empty."""
    count: Mapped[int]
