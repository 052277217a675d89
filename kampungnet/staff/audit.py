"""What people did, kept for ever: each row carries the seal of the one before, so that none is changed or taken out.

A slice writes here whatever a person decides. The chain is one a regency; its newest seal proves all of it. A seal is
made with the key outside the database (facts on operations 4.4): who can write the tables alone cannot make one. Only
a seal that is kept elsewhere shows that the end was cut off, or that who has the key wrote all of it anew.
Where the key is lost for good, an act of its own begins the log anew with another one (:func:`begin_anew`).
"""

import os
import pwd
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from kampungnet.core.errors import Unavailable
from kampungnet.core.keys import keys_of
from kampungnet.core.sight import seeing
from kampungnet.staff import chain
from kampungnet.staff.chain import ANEW, KEYED, START, Examined, Walk
from kampungnet.staff.models import AuditEntry
from kampungnet.staff.service import Role, Scope, SignedIn
from kampungnet.villages.models import Regency

PAGE: Final = 50
"""Acts on one page."""
BOX: Final = "(kotak)"
"""Stands for user name and role where a box told something; no user name has brackets."""
SERVER: Final = "(server)"
"""Stands for the user name of who runs a command on the server."""
SHARED: Final = frozenset({BOX, SERVER})
"""Stand for many, whom only the name tells apart."""
WHY: Final = "on the server"
"""The reason of a command that was given none."""
_NAME_IT: Final = (
    "let KAMPUNGNET_KEY_FILE name the key file of the server. Lost for good? See kampungnet audit begin-anew."
)
_ENCODER: Final = msgspec.json.Encoder(order="sorted")


class NotSealable(Unavailable):
    """The key at hand is not the one of the log: a command is refused before it did anything."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{why} Nothing was done.")
        self.why = why
        """Of this alone who did something already can tell."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that somebody did."""

    what: str
    """Subject and verb in English: ``planned_work.enter``."""
    about: str
    """What it was done to: a village's code, a statement's number."""
    reason: str = ""
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


def on_the_server(db: Session, regency: str) -> SignedIn:
    """Return who runs a command on the server: whoever can, can do everything, and the log has the name there.

    To be asked before anything is sealed or stored. Raises ``NotSealable`` where the key at hand is not the one of the
    log: a command that runs in another folder, or as another user, would break the chain with a key of its own.
    """
    if (newest := _newest_sealed(db, regency)) is not None:
        _expect_key_of(db, newest)
    return SignedIn(SERVER, system_user(), Role.ENGINEER, Scope(regency))


def system_user() -> str:
    """Return whose process this is, by the kernel: what the environment says could be anything."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def record(db: Session, by: SignedIn, act: Act, now_ms: int) -> None:
    """Add an act to the chain of the person's regency, in the transaction of the act itself."""
    _add(db, (by.scope.regency, by.username, by.name, by.role.value), act, now_ms)


def record_of_box(db: Session, regency: str, village: str, act: Act, now_ms: int) -> None:
    """Add what came of an act of staff, as the box of a village told it, or the clock: nobody can be called so."""
    _add(db, (regency, BOX, f"Kotak {village}", BOX), act, now_ms)


def begin_anew(db: Session, regency: str, reason: str, now_ms: int) -> bool:
    """Begin a log anew that the keys at hand do not prove; where no key is at hand, one is made.

    What stands there stays as it is: the act holds a digest of it. Return whether it had to be; not where it holds.
    """
    _wait(db, regency)
    walk = _walk(db, regency)
    found = walk.found
    if found.broken is None:
        return False
    after = {"acts": head(db, regency)[0], "unproven": found.unproven or found.broken, "digest": walk.digest}
    by = (regency, SERVER, system_user(), Role.ENGINEER.value)
    _add(db, by, Act(ANEW, regency, reason, None, after), now_ms)
    return True


def _wait(db: Session, regency: str) -> None:
    """Let whoever adds to a chain wait for the one before; on SQLite there is only one writer anyway."""
    db.execute(select(Regency.code).where(Regency.code == regency).with_for_update(key_share=True))


def _add(db: Session, by: tuple[str, str, str, str], act: Act, now_ms: int) -> None:
    regency, username, name, role = by
    _wait(db, regency)
    with seeing(db, regency):  # a village's act, too, is chained to the one before, which may be another's
        last = _last(db, regency)
        if username == SERVER and act.what != ANEW and last is not None and last.hash.startswith(KEYED):
            _expect_key_of(db, last)  # a server with another key may have been first since the command looked
        entry = AuditEntry(
            regency=regency, sequence=last.sequence + 1 if last else 1, at_ms=now_ms, username=username, name=name,
            role=role, what=act.what, about=act.about, reason=act.reason, before=_json(act.before),
            after=_json(act.after), hash="",
        )  # fmt: skip
        entry.hash = chain.seal(entry, last.hash if last else START, keys_of(db))
        db.add(entry)
        db.flush()


def entries(
    db: Session, regency: str, only: Sequence[ColumnElement[bool]] = (), before: int | None = None, most: int = PAGE
) -> list[AuditEntry]:
    """Return the newest acts, all or those that fulfil conditions, older than the row ``before``."""
    asked = select(AuditEntry).where(AuditEntry.regency == regency, *only)
    if before is not None:
        asked = asked.where(AuditEntry.sequence < before)
    return list(db.scalars(asked.order_by(AuditEntry.sequence.desc()).limit(most)))


def newest_about(db: Session, regency: str, what: str, about: Collection[str]) -> dict[str, AuditEntry]:
    """Return, for each thing that an act of this kind was done to, the newest one."""
    asked = select(AuditEntry).where(AuditEntry.regency == regency, AuditEntry.what == what)
    rows = db.scalars(asked.where(AuditEntry.about.in_(about)).order_by(AuditEntry.sequence))
    return {one.about: one for one in rows}


def kinds(db: Session, regency: str) -> list[str]:
    """Return the kinds of act there are."""
    return list(db.scalars(select(AuditEntry.what).where(AuditEntry.regency == regency).distinct().order_by("what")))


def head(db: Session, regency: str) -> tuple[int, str]:
    """Return how many acts the chain has and its newest hash: who keeps it elsewhere can prove the whole later."""
    last = _last(db, regency)
    return (last.sequence, last.hash) if last else (0, START)


def seal_of(db: Session, regency: str, sequence: int) -> str | None:
    """Return the seal of one act; ``None`` when there is no such act."""
    asked = select(AuditEntry.hash).where(AuditEntry.regency == regency, AuditEntry.sequence == sequence)
    return START if sequence == 0 else db.scalar(asked)


def first_broken(db: Session, regency: str) -> int | None:
    """Return the sequence at which the chain does not hold, or ``None``: changed, taken out or put in between."""
    return examine(db, regency).broken


def examine(db: Session, regency: str) -> Examined:
    """Walk the whole chain up to the first act that does not hold and after which the log was not begun anew."""
    return _walk(db, regency).found


def begun_anew(db: Session, regency: str) -> int | None:
    """Return the newest act that says it began the log anew: what stands before it is proven by kept seals alone."""
    found = newest_about(db, regency, ANEW, [regency]).get(regency)
    return found.sequence if found else None


def _walk(db: Session, regency: str) -> Walk:
    asked = select(AuditEntry).where(AuditEntry.regency == regency).order_by(AuditEntry.sequence)
    with db.scalars(asked.execution_options(yield_per=1000)) as rows:
        return Walk(keys_of(db)).over(rows)


def _newest_sealed(db: Session, regency: str) -> AuditEntry | None:
    """Return the last act that was sealed with a key: of this regency, or where its log has none, of any other."""
    last, other = _last(db, regency), aliased(AuditEntry)
    if last is not None and last.hash.startswith(KEYED):
        return last
    newest = select(func.max(other.sequence)).where(other.regency == AuditEntry.regency, other.hash.startswith(KEYED))
    asked = select(AuditEntry).where(AuditEntry.sequence == newest.scalar_subquery())
    return db.scalar(asked.order_by(AuditEntry.at_ms.desc(), AuditEntry.sequence.desc()).limit(1))


def _expect_key_of(db: Session, entry: AuditEntry) -> None:
    keys = keys_of(db)
    if not keys.is_there():
        where = f"There is no key in {keys.file}" if keys.file else "No key file is named"
        raise NotSealable(f"{where}, and the log of {entry.regency} was sealed with one: {_NAME_IT}")
    if not chain.holds(entry, seal_of(db, entry.regency, entry.sequence - 1) or START, keys):
        raise NotSealable(
            f"The key in {keys.file} is not the one that sealed the last act in the log of {entry.regency}: {_NAME_IT}"
        )


def _last(db: Session, regency: str) -> AuditEntry | None:
    newest = select(func.max(AuditEntry.sequence)).where(AuditEntry.regency == regency).scalar_subquery()
    return db.scalar(select(AuditEntry).where(AuditEntry.regency == regency, AuditEntry.sequence == newest))


def _json(values: Mapping[str, Any] | None) -> str:
    return _ENCODER.encode(values).decode() if values is not None else ""
