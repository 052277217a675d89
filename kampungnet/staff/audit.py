"""What people did, kept for ever: each row carries the seal of the one before, so that none is changed or taken out.

A slice writes here whatever a person decides. The chain is one a regency; its newest seal proves all of it. A seal is
made with the key outside the database (facts on operations 4.4): who can write the tables alone cannot make one. Only
a seal that is kept elsewhere shows that the end was cut off, or that who has the key wrote all of it anew.
"""

import os
import pwd
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from kampungnet.core.errors import Unavailable
from kampungnet.core.keys import Keys, keys_of
from kampungnet.core.sight import seeing
from kampungnet.staff.models import AuditEntry
from kampungnet.staff.service import Role, Scope, SignedIn
from kampungnet.villages.models import Regency

START: Final = "0" * 64
"""What the first row of a chain has in the place of a hash before it."""
PAGE: Final = 50
"""Acts on one page."""
KEYED: Final = "2:"
"""What a seal begins with that was made with the key; those from before are a plain SHA-256."""
BOX: Final = "(kotak)"
"""Stands for user name and role where a box told something; no user name has brackets."""
SERVER: Final = "(server)"
"""Stands for the user name of who runs a command on the server."""
SHARED: Final = frozenset({BOX, SERVER})
"""Stand for many, whom only the name tells apart."""
WHY: Final = "on the server"
"""The reason of a command that was given none."""
_NAME_IT: Final = "let KAMPUNGNET_KEY_FILE name the key file of the server."
_PURPOSE: Final = "audit"
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


@dataclass(frozen=True, slots=True)
class Examined:
    """How a chain was found."""

    acts: int
    """Those that hold, from the first one on."""
    without_key: int
    """Those of them that are older than the key: their seals can be made by anybody."""
    broken: int | None = None
    """The first one that does not hold."""
    entry: AuditEntry | None = None
    """What stands there; without it, or with another number, it was taken out."""


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


def _add(db: Session, by: tuple[str, str, str, str], act: Act, now_ms: int) -> None:
    # Whoever adds to the chain waits here for the one before; on SQLite there is only one writer anyway.
    regency, username, name, role = by
    db.execute(select(Regency.code).where(Regency.code == regency).with_for_update(key_share=True))
    with seeing(db, regency):  # a village's act, too, is chained to the one before, which may be another's
        last = _last(db, regency)
        if username == SERVER and last is not None and last.hash.startswith(KEYED):
            _expect_key_of(db, last)  # a server with another key may have been first since the command looked
        entry = AuditEntry(
            regency=regency, sequence=last.sequence + 1 if last else 1, at_ms=now_ms, username=username, name=name,
            role=role, what=act.what, about=act.about, reason=act.reason, before=_json(act.before),
            after=_json(act.after), hash="",
        )  # fmt: skip
        entry.hash = KEYED + keys_of(db).mark(_PURPOSE, _told(entry, last.hash if last else START)).hex()
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
    """Walk the whole chain up to the first act that does not hold."""
    keys, previous, number, without_key = keys_of(db), START, 0, 0
    asked = select(AuditEntry).where(AuditEntry.regency == regency).order_by(AuditEntry.sequence)
    with db.scalars(asked.execution_options(yield_per=1000)) as rows:
        for entry in rows:
            is_keyed = entry.hash.startswith(KEYED)
            # Once seals are made with the key, one without it can only come from somebody who does not have it.
            fell_back = without_key < number and not is_keyed
            if entry.sequence != number + 1 or fell_back or not _holds(entry, previous, keys):
                return Examined(number, without_key, number + 1, entry)
            previous, number, without_key = entry.hash, number + 1, without_key + (not is_keyed)
    return Examined(number, without_key)


def _holds(entry: AuditEntry, previous: str, keys: Keys) -> bool:
    told = _told(entry, previous)
    if not entry.hash.startswith(KEYED):
        return compare_digest(entry.hash.encode(), sha256(told).hexdigest().encode())
    seal = entry.hash.removeprefix(KEYED).encode()
    return any(compare_digest(seal, mark.hex().encode()) for mark in keys.marks(_PURPOSE, told))


def _newest_sealed(db: Session, regency: str) -> AuditEntry | None:
    """Return the last act that was sealed with a key: of this regency, or where its log has none, of any other."""
    last = _last(db, regency)
    if last is not None and last.hash.startswith(KEYED):
        return last
    asked = select(AuditEntry).where(AuditEntry.hash.startswith(KEYED))
    return db.scalar(asked.order_by(AuditEntry.at_ms.desc(), AuditEntry.sequence.desc()).limit(1))


def _expect_key_of(db: Session, entry: AuditEntry) -> None:
    keys = keys_of(db)
    if not keys.is_there():
        where = f"There is no key in {keys.file}" if keys.file else "No key file is named"
        raise NotSealable(f"{where}, and the log of {entry.regency} was sealed with one: {_NAME_IT}")
    if not _holds(entry, seal_of(db, entry.regency, entry.sequence - 1) or START, keys):
        raise NotSealable(
            f"The key in {keys.file} is not the one that sealed the last act in the log of {entry.regency}: {_NAME_IT}"
        )


def _last(db: Session, regency: str) -> AuditEntry | None:
    newest = select(func.max(AuditEntry.sequence)).where(AuditEntry.regency == regency).scalar_subquery()
    return db.scalar(select(AuditEntry).where(AuditEntry.regency == regency, AuditEntry.sequence == newest))


def _json(values: Mapping[str, Any] | None) -> str:
    return _ENCODER.encode(values).decode() if values is not None else ""


def _told(entry: AuditEntry, previous: str) -> bytes:
    told: Sequence[Any] = (
        previous, entry.regency, entry.sequence, entry.at_ms, entry.username, entry.name, entry.role, entry.what,
        entry.about, entry.reason, entry.before, entry.after,
    )  # fmt: skip
    return _ENCODER.encode(told)
