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
from kampungnet.villages.models import Regency, Village


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


class TrafficDay(Base):
    """One interface over one local day, summed up: all that a month needs of it. Its slots are in ``traffic_slots``."""

    __tablename__ = "traffic_days"
    __table_args__ = (
        ForeignKeyConstraint(["regency", "site"], [Site.regency, Site.code]),
        Index(None, "regency", "day"),
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
    peaks: Mapped[bytes] = mapped_column(Blob)
    """The highest 40 slots of each direction: a month's percentile seldom needs more."""
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
    """``time``: a clock that cannot be believed; ``impossible`` growth; ``conflict``: one instant, two contents."""
    count: Mapped[int]


class SightDay(Base):
    """What the readings at rest of one site's local day say about service, folded: an outage is judged from these."""

    __tablename__ = "sight_days"
    __table_args__ = (ForeignKeyConstraint(["regency", "site"], [Site.regency, Site.code]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    packs: Mapped[bytes] = mapped_column(Blob)
    """Hash of which packs it was folded from: another one, and it is folded anew."""
    timeline: Mapped[bytes] = mapped_column(Blob)
    """A :class:`kampungnet.measurement.evidence.Timeline`."""


class LoggedOutage(Base):
    """One stretch of a site without service, and why."""

    __tablename__ = "outages"
    __table_args__ = (ForeignKeyConstraint(["regency", "site"], [Site.regency, Site.code]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(primary_key=True)
    start_ms: Mapped[int] = mapped_column(primary_key=True)
    end_ms: Mapped[int | None]
    """Empty while it lasts."""
    cause: Mapped[str]
    """A :class:`kampungnet.measurement.outage_words.Cause`."""
    confidence: Mapped[float]
    evidence: Mapped[str]
    """JSON, a list of :class:`kampungnet.measurement.outage_words.Evidence`."""
    provisional: Mapped[bool]
    """Readings may still come that change it."""


class JudgedSite(Base):
    """When the outages of a site were judged last, and since when it is known which of its time nobody saw."""

    __tablename__ = "judged_sites"
    __table_args__ = (ForeignKeyConstraint(["regency", "site"], [Site.regency, Site.code]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(primary_key=True)
    judged_ms: Mapped[int]
    since: Mapped[date]
    """The first local day that was ever judged."""
    first_service_ms: Mapped[int | None]
    """When service was seen first; empty until then."""


class UnseenDay(Base):
    """The time of one local day of a judged site that nobody saw. A day that was seen as a whole has no row."""

    __tablename__ = "unseen_days"
    __table_args__ = (ForeignKeyConstraint(["regency", "site"], [Site.regency, Site.code]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    spans: Mapped[str]
    """JSON, list of [start, end] in ms since local midnight, ends excluded."""


class ServiceMonth(Base):
    """What was known of a site's month when it was closed (0), and each time that changed later (1, 2, ...).

    Each is the whole month as it stood: under any contract's policy the difference of two is the correction.
    """

    __tablename__ = "service_months"
    __table_args__ = (ForeignKeyConstraint(["regency", "site"], [Site.regency, Site.code]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    """Its first day."""
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    noted_ms: Mapped[int]
    facts: Mapped[bytes] = mapped_column(Blob)
    """Msgpack, a :class:`kampungnet.measurement.month_facts.MonthFacts`."""


class Holiday(Base):
    """A day on which the offices of a regency are closed."""

    __tablename__ = "holidays"
    __table_args__ = (ForeignKeyConstraint(["regency"], [Regency.code]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    name: Mapped[str]
    source: Mapped[str]
    """The decree or circular that says so."""


class PlannedWork(Base):
    """Work at the network that somebody entered: its time is not the provider's failure. Never changed or deleted."""

    __tablename__ = "planned_work"
    __table_args__ = (ForeignKeyConstraint(["regency"], [Regency.code]), Index(None, "regency", "end_ms"))

    regency: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    start_ms: Mapped[int]
    end_ms: Mapped[int]
    entered_ms: Mapped[int]
    """Before ``start_ms``, and it was announced."""
    places: Mapped[str]
    """JSON, list of codes: the regency's own, of kecamatan, of villages."""
    provider: Mapped[str]
    reason: Mapped[str]
    entered_by: Mapped[str]
    withdrawn_ms: Mapped[int | None]


class Ruling(Base):
    """A cause that a person put in the place of the judged one, for the stretch that the outage had at that time."""

    __tablename__ = "rulings"
    __table_args__ = (ForeignKeyConstraint(["regency", "site"], [Site.regency, Site.code]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(primary_key=True)
    made_ms: Mapped[int] = mapped_column(primary_key=True)
    start_ms: Mapped[int]
    end_ms: Mapped[int]
    """Of an outage that lasted: when the ruling was made."""
    lasted: Mapped[bool]
    cause: Mapped[str]
    reason: Mapped[str]
    made_by: Mapped[str]
    withdrawn_ms: Mapped[int | None]


class SitePlace(Base):
    """On which cable a site hangs, as the provider or an engineer told it: what goes dark together is found by it."""

    __tablename__ = "site_places"
    __table_args__ = (ForeignKeyConstraint(["regency", "village"], [Village.regency, Village.code]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    village: Mapped[str] = mapped_column(primary_key=True)
    trunk: Mapped[str]
    """Name of the trunk cable or of the OLT and its PON."""
    odp: Mapped[str]
    """Name of the distribution point; may be empty."""


class LoggedIncident(Base):
    """What went dark together, or one site alone: see :mod:`kampungnet.measurement.incidents`."""

    __tablename__ = "incidents"
    __table_args__ = (ForeignKeyConstraint(["regency"], [Regency.code]), Index(None, "regency", "start_ms"))

    regency: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    """Stays the same while new readings change the incident's edges, cause and members."""
    start_ms: Mapped[int]
    end_ms: Mapped[int | None]
    cause: Mapped[str]
    confidence: Mapped[float]
    place: Mapped[str]
    """JSON, the path of the likely place: kecamatan, or trunk and ODP, or of a single site its village."""
    sites: Mapped[int]
    """How many sites there are at the place."""
    mixed: Mapped[bool]
    provisional: Mapped[bool]
    proven: Mapped[bool]
    """More than silence speaks for one of its outages at least."""
    members: Mapped[str]
    """JSON, list of [site, start_ms] of its outages."""
