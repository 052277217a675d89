"""When the jobs that systemd begins by the clock succeeded: one that fails, or is never begun, can then be told of.

Their units say at their end how it went (`kampungnet job NAME`), killed ones too; a job that is never begun says
nothing and becomes late. So does the push, which has no end, where a store is named: it says again and again that it
goes.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from kampungnet.core import clock
from kampungnet.core.database import Base
from kampungnet.core.rows import insert_new

PATIENCE_MS: Final[Mapping[str, int]] = {
    "audit": 3 * clock.DAY_MS // 2, "backup": 3 * clock.DAY_MS // 2, "close-month": 33 * clock.DAY_MS,
}  # fmt: skip
"""Each job, named as its unit is, and how long after a success the next is late: it runs each night, or on the 6th."""

PUSH: Final = "push"
PUSH_MS: Final = 3_600_000
"""How long after readings last went to a metrics store that is late: it may be away for an update."""


class Job(Base):
    """What is known of one job."""

    __tablename__ = "jobs"

    name: Mapped[str] = mapped_column(primary_key=True)
    since_ms: Mapped[int]
    """From when on it is expected to run."""
    succeeded_ms: Mapped[int | None]
    failed_ms: Mapped[int | None]
    """When it failed for the first time since it succeeded."""

    @property
    def late_ms(self) -> int:
        """From when on it is late: since it failed, or from when on its next success is overdue."""
        due_ms = (self.succeeded_ms or self.since_ms) + PATIENCE_MS.get(self.name, PUSH_MS)
        return due_ms if self.failed_ms is None else min(due_ms, self.failed_ms)


def expect(db: Session, now_ms: int) -> None:
    """Expect every job from now on that was not expected before: one that never ran is late some day as well.

    What a clock that was ahead wrote down was now at the latest, or nobody would be told until that day comes.
    """
    _expect(db, PATIENCE_MS, now_ms)
    for column in (Job.since_ms, Job.succeeded_ms, Job.failed_ms):
        db.execute(update(Job).where(column > now_ms).values({column: now_ms}))


def expect_push(db: Session, now_ms: int, *, is_wanted: bool) -> None:
    """Expect the push as well, from now on; or not any more."""
    if is_wanted:
        _expect(db, [PUSH], now_ms)
    else:
        db.execute(delete(Job).where(Job.name == PUSH))


def pushed(db: Session, now_ms: int) -> None:
    """Note that the push goes and its store takes what comes, where that is expected."""
    db.execute(update(Job).where(Job.name == PUSH).values(succeeded_ms=now_ms))


def _expect(db: Session, names: Iterable[str], now_ms: int) -> None:
    row = {"since_ms": now_ms, "succeeded_ms": None, "failed_ms": None}
    insert_new(db, Job, [{"name": name} | row for name in names])


def ended(db: Session, name: str, now_ms: int, *, well: bool) -> None:
    """Note how a job ended."""
    expect(db, now_ms)
    job = db.get_one(Job, name)
    if well:
        job.succeeded_ms, job.failed_ms = now_ms, None
    elif job.failed_ms is None:
        job.failed_ms = now_ms


def known(db: Session) -> Sequence[Job]:
    """Return all that are expected, by name."""
    return db.scalars(select(Job).where(Job.name.in_([*PATIENCE_MS, PUSH])).order_by(Job.name)).all()
