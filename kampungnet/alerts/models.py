"""Who gets messages, which were written, and what Alertmanager told."""

from sqlalchemy import ForeignKeyConstraint, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from kampungnet.core.database import Base, Blob
from kampungnet.villages.models import Regency


class AlertRecipient(Base):
    """Where messages go: one chat, number or mailbox."""

    __tablename__ = "alert_recipients"
    __table_args__ = (ForeignKeyConstraint(["regency"], [Regency.code]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    place: Mapped[str]
    """Code of the regency, a kecamatan or a village: what it hears of."""
    kind: Mapped[str]
    """A :class:`kampungnet.alerts.facts.Kind`."""
    service: Mapped[str]
    """What its address begins with: ``tgram``, ``mailto``."""
    address: Mapped[bytes] = mapped_column(Blob)
    """Sealed: it holds passwords and tokens. Never shown again."""
    quiet_first: Mapped[int | None]
    """Minutes since local midnight, as ``quiet_end`` and ``digest_minute``; empty: no quiet hours."""
    quiet_end: Mapped[int | None]
    passes: Mapped[int] = mapped_column(SmallInteger)
    """The least :class:`kampungnet.alerts.facts.Severity` that goes out in quiet hours; above all of them: none."""
    digest_minute: Mapped[int | None]
    since_ms: Mapped[int]
    made_by: Mapped[str]
    ended_ms: Mapped[int | None]


class AlertMessage(Base):
    """One message to one recipient, or a note in its place. What was said is known from these rows alone."""

    __tablename__ = "alert_messages"
    __table_args__ = (
        ForeignKeyConstraint(["regency", "recipient"], [AlertRecipient.regency, AlertRecipient.id]),
        Index(None, "next_ms"),
        Index(None, "regency", "made_ms"),
    )

    regency: Mapped[str] = mapped_column(primary_key=True)
    recipient: Mapped[str] = mapped_column(primary_key=True)
    topic: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    """0, 1, 2 within the topic: a message that was written stands here, and none is written twice."""
    act: Mapped[str]
    severity: Mapped[int] = mapped_column(SmallInteger)
    made_ms: Mapped[int]
    start_ms: Mapped[int]
    members: Mapped[str]
    """JSON, list: the villages it told of, or the alerts."""
    sign: Mapped[str]
    spot: Mapped[str]
    text: Mapped[str]
    """Empty: nothing was sent by itself."""
    tries: Mapped[int] = mapped_column(SmallInteger)
    next_ms: Mapped[int | None]
    """When it is tried next; empty: sent, given up, or nothing to send."""
    sent_ms: Mapped[int | None]
    problem: Mapped[str]
    """Why the last try failed, as a code of :mod:`kampungnet.alerts.outbox`; never what the far end wrote."""


class AlertGroup(Base):
    """The newest state of a group of alerts, as Alertmanager sent it."""

    __tablename__ = "alert_groups"
    __table_args__ = (ForeignKeyConstraint(["regency"], [Regency.code]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    """Hash of its receiver and key: what fires again has the same."""
    start_ms: Mapped[int]
    end_ms: Mapped[int | None]
    received_ms: Mapped[int]
    severity: Mapped[int] = mapped_column(SmallInteger)
    is_watchdog: Mapped[bool]
    content: Mapped[str]
    """JSON, a :class:`kampungnet.alerts.facts.Group`."""


class AlertToken(Base):
    """The right to hand alerts in for a regency. Only the token's hash is kept."""

    __tablename__ = "alert_tokens"
    __table_args__ = (ForeignKeyConstraint(["regency"], [Regency.code]),)

    token_hash: Mapped[bytes] = mapped_column(Blob, primary_key=True)
    regency: Mapped[str]
    made_ms: Mapped[int]
    ended_ms: Mapped[int | None]
