"""How far each metrics store has what the database has, and what it would not take."""

from sqlalchemy.orm import Mapped, mapped_column

from kampungnet.core.database import Base


class PushCursor(Base):
    """How far the readings of one regency were pushed to one store, in the order in which they were stored."""

    __tablename__ = "push_cursors"

    regency: Mapped[str] = mapped_column(primary_key=True)
    store: Mapped[str] = mapped_column(primary_key=True)
    """Its URL without name and password."""
    stored_ms: Mapped[int]
    """Everything stored before was pushed."""
    resume_ms: Mapped[int]
    """Where ``stored_ms`` stood 15 minutes ago: who begins anew begins there, for stores lose their last seconds."""
    samples: Mapped[int]
    """Taken by the store since the first time, repeats included."""
    pushed_ms: Mapped[int | None]
    """When the store last took something."""
    trouble: Mapped[str]
    """Why nothing can be pushed at the moment; empty when all is well."""
    trouble_ms: Mapped[int | None]
    """Since when."""


class PushDropped(Base):
    """Samples that no store gets: they rest in the database only."""

    __tablename__ = "push_dropped"

    regency: Mapped[str] = mapped_column(primary_key=True)
    store: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(primary_key=True)
    """A :class:`kampungnet.metrics.pushing.Reason`."""
    samples: Mapped[int]
    last_ms: Mapped[int]
    """When one was dropped last."""
    example: Mapped[str]
    """The last one, and what the store said of it."""
