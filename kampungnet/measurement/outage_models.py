"""When a site was without service, why, and what people and other sites say of it."""

from datetime import date

from sqlalchemy import ForeignKeyConstraint, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from kampungnet.core.database import Base, Blob
from kampungnet.devices.models import Site
from kampungnet.villages.models import Regency, Village


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


class OnuSightDay(Base):
    """What a provider's OLT saw of one ONU of a site over one local day."""

    __tablename__ = "onu_sight_days"
    __table_args__ = (ForeignKeyConstraint(["regency", "site"], [Site.regency, Site.code]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(primary_key=True)
    """The village's, not the OLT's."""
    device: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    hours: Mapped[bytes] = mapped_column(Blob)
    """Msgpack, :data:`kampungnet.measurement.onu_sights.Hours`."""


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
