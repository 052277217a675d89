"""Free wifi as people run it: plans, portals, accounts, vouchers, single devices, free places, and who was online.

Nothing here tells a device's address: guests are pseudonyms whose key stays in the village and is replaced each
month; an address that staff typed, a password and a voucher's code are sealed (:mod:`kampungnet.core.keys`).
"""

from datetime import date
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from kampungnet.core.database import Base, Blob
from kampungnet.devices.models import Site
from kampungnet.villages.models import Regency


def _of_site() -> Any:
    return ForeignKeyConstraint(["regency", "site"], [Site.regency, Site.code])


def _of_regency() -> Any:
    return ForeignKeyConstraint(["regency"], [Regency.code])


class HotspotPlan(Base):
    """A plan (paket) of the regency: what who has it may use."""

    __tablename__ = "hotspot_plans"
    __table_args__ = (_of_regency(),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    """As the router knows it: small letters, digits, dashes."""
    title: Mapped[str]
    """As people read it."""
    limits: Mapped[str]
    """JSON of :class:`kampungnet.shared.wanted.WantedPlan`."""
    retired_ms: Mapped[int | None]
    """Offered no more; who has it keeps it."""


class HotspotPortal(Base):
    """The captive portal of one site: what is wanted of it, and how far the box has come."""

    __tablename__ = "hotspot_portals"
    __table_args__ = (_of_site(), Index(None, "changed_ms"))

    regency: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[int]
    """Grows with every change of what is wanted, 1 at first."""
    changed_ms: Mapped[int]
    policy: Mapped[str]
    """JSON of :class:`kampungnet.hotspot.policy.Policy`."""
    asked_ms: Mapped[int | None]
    """When the box asked last: it holds one request open all the time."""
    box_revision: Mapped[int]
    """What the box has on its disk."""
    done_revision: Mapped[int]
    """What the router was made to follow, and found to follow."""
    done_ms: Mapped[int | None]
    problems: Mapped[str]
    """JSON list of sentences: what the router refused."""


class HotspotNotice(Base):
    """A few words on the portal's pages, of one village or of all."""

    __tablename__ = "hotspot_notices"
    __table_args__ = (_of_regency(), Index(None, "regency", "site"))

    regency: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str]
    """Empty: of every village."""
    text: Mapped[str]
    until_ms: Mapped[int | None]
    made_ms: Mapped[int]
    made_by: Mapped[str]


class HotspotAccount(Base):
    """A named login: village staff, or residents."""

    __tablename__ = "hotspot_accounts"
    __table_args__ = (_of_site(), Index(None, "regency", "site", "name", unique=True))

    regency: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str]
    name: Mapped[str]
    plan: Mapped[str]
    password: Mapped[bytes] = mapped_column(Blob)
    """Sealed; the router needs it in clear."""
    made_ms: Mapped[int]
    made_by: Mapped[str]
    ended_ms: Mapped[int | None]


class VoucherBatch(Base):
    """Vouchers that were made together, and are printed together."""

    __tablename__ = "voucher_batches"
    __table_args__ = (_of_site(), Index(None, "regency", "site"))

    regency: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str]
    plan: Mapped[str]
    number: Mapped[int]
    """How many."""
    limit_seconds: Mapped[int]
    """Time online of each, in all; 0 is no limit."""
    valid_seconds: Mapped[int]
    """From the first use; 0 is no limit."""
    expires_ms: Mapped[int | None]
    note: Mapped[str]
    made_ms: Mapped[int]
    made_by: Mapped[str]
    printed_ms: Mapped[int | None]
    """When its codes were shown the last time; showing them again is an act in the log."""


class Voucher(Base):
    """One code on paper."""

    __tablename__ = "vouchers"
    __table_args__ = (
        ForeignKeyConstraint(["regency", "batch"], [VoucherBatch.regency, VoucherBatch.id]),
        Index(None, "regency", "mark", unique=True),
        Index(None, "regency", "batch", "serial"),
        Index(None, "regency", "site"),
    )

    regency: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    batch: Mapped[str]
    site: Mapped[str]
    serial: Mapped[int]
    """1, 2, 3 within its batch: what is printed beside the code and may be said aloud."""
    mark: Mapped[bytes] = mapped_column(Blob)
    """Keyed mark of the code: who has the paper is found, who has the table finds nothing."""
    code: Mapped[bytes] = mapped_column(Blob)
    """Sealed."""
    first_used_ms: Mapped[int | None]
    used_seconds: Mapped[int]
    """Time online of all its sessions, as the box told."""
    more_seconds: Mapped[int]
    """Given on top by staff, of time and of validity alike."""
    revoked_ms: Mapped[int | None]


class VoucherMiss(Base):
    """A code that was asked for at the desk and is none here: whoever guesses is slowed down by these. Kept a day."""

    __tablename__ = "voucher_misses"
    __table_args__ = (_of_site(), Index(None, "regency", "at_ms"))

    regency: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str]
    username: Mapped[str]
    device: Mapped[bytes] = mapped_column(Blob)
    """Keyed mark of the address that asked."""
    at_ms: Mapped[int]


class HotspotBinding(Base):
    """One device that is let through without logging in (a printer), or kept out."""

    __tablename__ = "hotspot_bindings"
    __table_args__ = (_of_site(), Index(None, "regency", "site"))

    regency: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str]
    kind: Mapped[str]
    """``bypassed`` or ``blocked``."""
    guest: Mapped[str]
    """Pseudonym of a device that was seen; empty where staff typed an address."""
    mac: Mapped[bytes | None] = mapped_column(Blob)
    """Sealed."""
    label: Mapped[str]
    reason: Mapped[str]
    until_ms: Mapped[int | None]
    made_ms: Mapped[int]
    made_by: Mapped[str]
    ended_ms: Mapped[int | None]


class GardenEntry(Base):
    """A place that is free without logging in (walled garden), the same in every village of the regency."""

    __tablename__ = "hotspot_garden"
    __table_args__ = (_of_regency(),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str]
    ports: Mapped[str]
    """JSON list; empty: 80 and 443."""
    title: Mapped[str]
    """As citizens read it in the list of free services."""
    owner: Mapped[str]
    reason: Mapped[str]
    review_on: Mapped[date]
    checked_ms: Mapped[int | None]
    problem: Mapped[str]
    """What the last look found: empty when the name resolves and answers."""
    ended_ms: Mapped[int | None]


class HotspotKick(Base):
    """Staff ended a session. Told to the box for a day."""

    __tablename__ = "hotspot_kicks"
    __table_args__ = (_of_site(), Index(None, "regency", "site", "at_ms"))

    regency: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str]
    session: Mapped[str]
    at_ms: Mapped[int]


class HotspotSession(Base):
    """One device online at a portal. Kept for the days of retention, then only its day's sums remain."""

    __tablename__ = "hotspot_sessions"
    __table_args__ = (
        _of_site(),
        Index(None, "regency", "site", "seen_ms"),
        Index(None, "regency", "site", "guest"),
        Index(None, "seen_ms"),
    )

    regency: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    guest: Mapped[str]
    """Pseudonym; what begins with ``x-`` stands for one that was erased."""
    way: Mapped[str]
    reference: Mapped[str]
    """Of the voucher or account; empty for others."""
    plan: Mapped[str]
    random_mac: Mapped[bool]
    started_ms: Mapped[int]
    seen_ms: Mapped[int]
    ended: Mapped[str]
    """Why it ended; empty while it is online."""
    shift: Mapped[int]
    """Half hours by which the box's clock was put right for it."""
    seconds: Mapped[int]
    up_bytes: Mapped[int]
    down_bytes: Mapped[int]
    slots: Mapped[bytes] = mapped_column(Blob)
    """Its half hours, packed (:mod:`kampungnet.hotspot.use`)."""


class HotspotDay(Base):
    """The use of one portal on one local day, without names. Made from its sessions, and kept when those are gone."""

    __tablename__ = "hotspot_days"
    __table_args__ = (_of_site(),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    people: Mapped[int]
    """Different devices, as far as pseudonyms tell."""
    sessions: Mapped[int]
    seconds: Mapped[int]
    office_seconds: Mapped[int]
    """Of them within office hours."""
    up_bytes: Mapped[int]
    down_bytes: Mapped[int]
    clicks: Mapped[int]
    vouchers: Mapped[int]
    accounts: Mapped[int]
    """Sessions by the way in."""
    stale: Mapped[bool]
    """Sessions came since it was made: it has to be made anew."""
