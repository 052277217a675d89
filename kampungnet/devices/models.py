"""What stands in a village: the site, its agent, its devices and the state each was last seen in."""

from sqlalchemy import ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from kampungnet.core.database import Base, Blob
from kampungnet.villages.models import Village


class Site(Base):
    """A place with devices and one agent: balai desa, sekolah, pasar."""

    __tablename__ = "sites"
    __table_args__ = (
        ForeignKeyConstraint(["regency", "village"], [Village.regency, Village.code]),
        Index(None, "regency", "village"),
    )

    regency: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    """Village code and a number within the village: ``35.10.15.2012-1``."""
    village: Mapped[str]
    name: Mapped[str]


class Agent(Base):
    """The box of a site. The server keeps only the public half of its key."""

    __tablename__ = "agents"
    __table_args__ = (ForeignKeyConstraint(["regency", "site"], [Site.regency, Site.code]), Index(None, "id"))

    regency: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    """80 random bits in Crockford's base 32; says nothing about the village."""
    site: Mapped[str]
    public_key: Mapped[bytes] = mapped_column(Blob)
    enrolled_ms: Mapped[int]
    revoked_ms: Mapped[int | None]
    """When its right ended, and ``ended`` says how."""
    board: Mapped[str]
    version: Mapped[str]
    last_report_ms: Mapped[int | None]
    """Server time of the last report that was stored."""
    clock_offset_ms: Mapped[int | None]
    """The box's wall clock minus the server's at the last report, transport included."""
    clock_synchronised: Mapped[bool] = mapped_column(default=False)
    spool_readings: Mapped[int] = mapped_column(default=0)
    spool_oldest_ms: Mapped[int | None]
    dropped_readings: Mapped[int] = mapped_column(default=0)
    refused_readings: Mapped[int] = mapped_column(default=0)
    corrupt_readings: Mapped[int] = mapped_column(default=0)
    packed_up_to: Mapped[int] = mapped_column(default=0)
    """Highest sequence of its readings that rests in a pack: a lower one may be a repeat from long ago."""
    conflicts: Mapped[int] = mapped_column(default=0)
    """Readings that came twice with different content: the sign of a cloned SD card."""
    next_key: Mapped[bytes | None] = mapped_column(Blob)
    """Announced by the box, signed with ``public_key``: both are accepted until this one is used."""
    next_key_ms: Mapped[int | None]
    previous_key: Mapped[bytes | None] = mapped_column(Blob)
    """The key before: nothing is accepted from it, and who still has it has a copy."""
    key_since_ms: Mapped[int | None]
    """When the key came into use; unknown: with the enrolment."""
    ended: Mapped[str | None]
    """As :class:`kampungnet.devices.credentials.Ended`; nothing while it may report."""
    networks: Mapped[str | None]
    """From where it spoke, the newest first (:mod:`kampungnet.devices.whereabouts`)."""
    boots: Mapped[str | None]
    """The boots it reported in, the newest first."""
    moved_ms: Mapped[int | None]
    """When it last spoke from a place far from all that were known."""
    twice_ms: Mapped[int | None]
    """When it was last seen that two boxes speak with its key."""


class BoxKnock(Base):
    """Who knocked at the agents' doors and was not let in (:mod:`kampungnet.devices.knocks`)."""

    __tablename__ = "box_knocks"
    __table_args__ = (Index(None, "last_ms"),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    """Empty for a box that is nobody's."""
    knock: Mapped[str] = mapped_column(primary_key=True)
    agent: Mapped[str] = mapped_column(primary_key=True)
    network: Mapped[str] = mapped_column(primary_key=True)
    first_ms: Mapped[int]
    last_ms: Mapped[int]
    count: Mapped[int]


class EnrolmentCode(Base):
    """A one-time code that lets one box become the agent of one village. Only its hash is kept."""

    __tablename__ = "enrolment_codes"
    __table_args__ = (ForeignKeyConstraint(["regency", "village"], [Village.regency, Village.code]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(Blob, primary_key=True)
    village: Mapped[str]
    expires_ms: Mapped[int]
    used_ms: Mapped[int | None]


class AssignedOnu(Base):
    """An ONT of a village by its serial number, so that it is known when some OLT reports it.

    One site's OLT is believed: the first that reported the number, until somebody assigns it anew.
    """

    __tablename__ = "onus"
    __table_args__ = (
        ForeignKeyConstraint(["regency", "site"], [Site.regency, Site.code]),
        Index(None, "regency", "site"),
    )

    regency: Mapped[str] = mapped_column(primary_key=True)
    serial: Mapped[str] = mapped_column(primary_key=True)
    """In its one spelling, see :func:`kampungnet.devices.bodies.spelled`."""
    site: Mapped[str]
    device: Mapped[str]
    """What it is called among the devices of its site: ``ont@olt``, ``ont@olt-2``."""
    set_by: Mapped[str]
    set_ms: Mapped[int]
    since_ms: Mapped[int]
    """Readings from then on are the village's."""
    olt_site: Mapped[str] = mapped_column(default="")
    """Whose OLT reports it; empty until the first time."""
    olt_device: Mapped[str] = mapped_column(default="")


class Device(Base):
    """A device and the newest that is known of it, by the repaired time of its readings.

    Late readings never move the state back: only a newer ``last_reading_ms`` replaces it.
    """

    __tablename__ = "devices"
    __table_args__ = (ForeignKeyConstraint(["regency", "site"], [Site.regency, Site.code]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    """As :func:`kampungnet.devices.bodies.kind_of` says; empty until the first good reading."""
    outcome: Mapped[str]
    """Outcome of the newest reading: ``ok``, ``unreachable``, ``login_refused``, ``unreadable``."""
    detail: Mapped[str]
    last_reading_ms: Mapped[int]
    last_ok_ms: Mapped[int | None]
    uptime_seconds: Mapped[int | None]
    internet_up: Mapped[bool | None]
    """Did the router's ping to the internet come back? Unknown when it could not ask. Of an ONU: is it at work?"""
    hotspot_sessions: Mapped[int | None]
    rx_power_dbm: Mapped[float | None]
    """Light of the village's line at an ONT, or at the module in a router's WAN port."""
    no_light: Mapped[bool | None]
    body: Mapped[bytes | None] = mapped_column(Blob, deferred=True)
    """JSON body of the newest good reading, as received."""
