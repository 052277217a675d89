"""What was asked for from afar, what became of it, what each box can do, and the bundles that boxes sent."""

from sqlalchemy import ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from kampungnet.core.database import Base, Blob
from kampungnet.devices.models import Site


class RemoteOrder(Base):
    """One thing somebody wanted done once in a village (:mod:`kampungnet.shared.orders`)."""

    __tablename__ = "remote_orders"
    __table_args__ = (
        ForeignKeyConstraint(["regency", "site"], [Site.regency, Site.code]),
        Index(None, "regency", "site", "asked_ms"),
        Index(None, "state"),
    )

    regency: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str]
    kind: Mapped[str]
    """As :class:`kampungnet.shared.orders.OrderKind`."""
    device: Mapped[str]
    """Empty: the box itself."""
    reason: Mapped[str]
    asked_ms: Mapped[int]
    asked_by: Mapped[str]
    asked_name: Mapped[str]
    expires_ms: Mapped[int]
    """By the server's clock: no box begins it from then on."""
    state: Mapped[str]
    """As :class:`kampungnet.hands.service.State`."""
    agent: Mapped[str | None]
    """The box that took it."""
    mark: Mapped[str]
    """Made by that box: nobody else may act. Empty until it was taken."""
    taken_ms: Mapped[int | None]
    ended_ms: Mapped[int | None]
    why: Mapped[str]
    """As :class:`kampungnet.shared.orders.Why`."""
    missing_right: Mapped[str]
    detail: Mapped[str]
    away_seconds: Mapped[int | None]
    changed: Mapped[int | None]


class RemoteAbility(Base):
    """What the box of a site can do, as it said when it asked last."""

    __tablename__ = "remote_abilities"
    __table_args__ = (ForeignKeyConstraint(["regency", "site"], [Site.regency, Site.code]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    device: Mapped[str] = mapped_column(primary_key=True)


class SupportBundle(Base):
    """What a box collected for whoever helps. Kept for days only."""

    __tablename__ = "support_bundles"
    __table_args__ = (ForeignKeyConstraint(["regency", "site"], [Site.regency, Site.code]), Index(None, "received_ms"))

    regency: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    """Of its order."""
    site: Mapped[str]
    received_ms: Mapped[int]
    packed: Mapped[bytes] = mapped_column(Blob, deferred=True)
    """JSON of :class:`kampungnet.shared.orders.Bundle`, deflated (zlib)."""
