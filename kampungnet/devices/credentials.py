"""The keys of boxes: which count at this moment, how a box changes its own, and how a right ends.

Three words that differ. A box *changes its key* itself, and stays the same box. A box is *replaced* when another one
enrols for its site: its right ends, nothing is held against it. A box is *revoked* by a person: its right ends, and no
key it ever had opens anything again.
"""

from collections.abc import Collection
from enum import StrEnum
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from kampungnet.core.errors import BadInput
from kampungnet.core.rows import among
from kampungnet.devices.knocks import Knock
from kampungnet.devices.models import Agent, EnrolmentCode, Site
from kampungnet.villages.models import Village


class Ended(StrEnum):
    """How the right of a box ended."""

    REPLACED = "replaced"
    REVOKED = "revoked"


class Reporter(NamedTuple):
    """An agent that may report: where it stands, and the keys its requests are signed with."""

    regency: str
    site: str
    public_key: bytes
    packed_up_to: int
    """Readings up to this sequence may rest in packs already."""
    next_key: bytes | None = None
    """Announced, and not used yet: accepted as well."""
    networks: str | None = None
    boots: str | None = None
    moved_ms: int | None = None
    twice_ms: int | None = None

    @property
    def keys(self) -> tuple[bytes, ...]:
        """Return the keys that are accepted."""
        return (self.public_key,) if self.next_key is None else (self.public_key, self.next_key)

    def after(self, key: bytes) -> "Reporter":
        """Return who this is once ``key`` was used."""
        return self._replace(public_key=key, next_key=None) if key == self.next_key else self


class Former(NamedTuple):
    """Keys that were accepted once, and why they are not."""

    regency: str
    kind: Knock
    keys: tuple[bytes, ...]


_USED_UP: Final = "This key was used before or may not be used: make another one."


def reporting_agents(db: Session, ids: Collection[str]) -> dict[str, Reporter]:
    """Return those agents that may report at this moment, by id. Ended ones are absent."""
    rows = among(db, Agent, ("id", "revoked_ms", *Reporter._fields), ("id",), [(one,) for one in ids])
    return {agent: Reporter(*known) for agent, revoked_ms, *known in rows if revoked_ms is None}


def former_keys(db: Session, agent: str) -> list[Former]:
    """Return the keys of an agent that open nothing any more."""
    found: list[Former] = []
    for one in db.scalars(select(Agent).where(Agent.id == agent)):
        had = tuple(key for key in (one.public_key, one.next_key, one.previous_key) if key)
        if one.revoked_ms is not None:
            found.append(Former(one.regency, Knock.REVOKED if one.ended == Ended.REVOKED else Knock.REPLACED, had))
        elif one.previous_key is not None:
            found.append(Former(one.regency, Knock.OLD_KEY, (one.previous_key,)))
    return found


def announce(db: Session, agent: str, reporter: Reporter, key: bytes, now_ms: int) -> None:
    """Accept a further key of a box until it uses it. Raises ``BadInput`` for a key that was used up or revoked."""
    mine = select(Agent).where(Agent.regency == reporter.regency, Agent.id == agent, Agent.revoked_ms.is_(None))
    known = db.scalars(mine).one()
    if key == known.previous_key or is_revoked(db, key):
        raise BadInput(_USED_UP)
    known.next_key, known.next_key_ms = key, now_ms


def take_over(db: Session, regency: str, agent: str, key: bytes, now_ms: int) -> bool:
    """End the old key of a box, now that it used the next one. Returns whether there was something to end."""
    done = db.execute(
        update(Agent)
        .where(Agent.regency == regency, Agent.id == agent, Agent.next_key == key, Agent.revoked_ms.is_(None))
        .values(previous_key=Agent.public_key, public_key=key, next_key=None, next_key_ms=None, key_since_ms=now_ms)
        .returning(Agent.id)
    )
    return done.first() is not None


def is_revoked(db: Session, key: bytes) -> bool:
    """Tell whether a key belongs, or belonged, to a box that was revoked."""
    theirs = or_(Agent.public_key == key, Agent.next_key == key, Agent.previous_key == key)
    return db.scalars(select(Agent.id).where(Agent.ended == Ended.REVOKED, theirs).limit(1)).first() is not None


def replace(db: Session, site: Site, now_ms: int) -> None:
    """End the right of whatever box reported for a site: another one takes over."""
    _end(db, Agent.site == site.code, site.regency, Ended.REPLACED, now_ms)


def revoke(db: Session, village: Village, now_ms: int) -> int:
    """Revoke every box of a village for good, and its unused codes; return how many lost their right."""
    db.execute(
        update(EnrolmentCode)
        .where(EnrolmentCode.regency == village.regency, EnrolmentCode.village == village.code)
        .where(EnrolmentCode.used_ms.is_(None))
        .values(used_ms=now_ms)
    )
    of_village = select(Site.code).where(Site.regency == village.regency, Site.village == village.code)
    return _end(db, Agent.site.in_(of_village), village.regency, Ended.REVOKED, now_ms)


def _end(db: Session, whose: ColumnElement[bool], regency: str, how: Ended, now_ms: int) -> int:
    ended = db.execute(
        update(Agent)
        .where(Agent.regency == regency, whose, Agent.revoked_ms.is_(None))
        .values(revoked_ms=now_ms, ended=how.value)
        .returning(Agent.id)
    )
    return len(ended.all())
