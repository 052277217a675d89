"""Settings of routers as boxes told them: kept once a change, found again, compared."""

import zlib
from collections.abc import Iterable
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session, undefer

from kampungnet.configs.history import Changed, changed, found
from kampungnet.configs.models import ConfigBackup, ConfigRevision
from kampungnet.devices.bodies import SETTINGS
from kampungnet.devices.models import Device
from kampungnet.devices.service import clean
from kampungnet.shared.config_body import ConfigBody

MOST_BACKUPS: Final = 5
"""Of one router; older ones go."""
MOST_REVISIONS: Final = 200
"""Of one router, as a page compares them."""


class Told(NamedTuple):
    """What one reading says of one router's settings."""

    regency: str
    site: str
    device: str
    taken_ms: int
    body: ConfigBody


class Since(NamedTuple):
    """One router whose settings changed since a moment."""

    site: str
    device: str
    revision: ConfigRevision
    """The newest."""
    times: int
    """How often they changed."""
    lines: Changed | None
    """What came and went in all; ``None`` where nothing is known of before."""


class Hit(NamedTuple):
    """Lines of one router's newest settings in which the words stand."""

    site: str
    device: str
    lines: list[str]


def record(db: Session, told: Iterable[Told]) -> None:
    """Keep what is new. In any order, and again as often as it comes: a late reading is put where it belongs."""
    for one in told:
        _record_text(db, one)
        if one.body.backup:
            _record_backup(db, one)


def _record_text(db: Session, told: Told) -> None:
    of_device = _of_device(ConfigRevision, told.regency, told.site, told.device)
    before = db.scalar(
        select(ConfigRevision).where(*of_device, ConfigRevision.first_ms <= told.taken_ms)
        .order_by(ConfigRevision.first_ms.desc()).limit(1)
    )  # fmt: skip
    body = told.body
    if before is not None and before.digest == body.digest:
        before.last_ms = max(before.last_ms, told.taken_ms)
        return
    if not body.packed:  # the text itself comes at least once a day
        return
    after = db.scalar(
        select(ConfigRevision).where(*of_device, ConfigRevision.first_ms > told.taken_ms)
        .options(undefer(ConfigRevision.packed)).order_by(ConfigRevision.first_ms).limit(1)
    )  # fmt: skip
    last_ms = told.taken_ms
    if after is not None and after.digest == body.digest:
        last_ms = after.last_ms
        db.delete(after)
        db.flush()
    if before is not None and before.last_ms > told.taken_ms:  # it came back afterwards, as we knew already
        db.add(_copy(before, before.last_ms))
        before.last_ms = before.first_ms
    db.add(
        ConfigRevision(
            regency=told.regency, site=told.site, device=told.device, first_ms=told.taken_ms, last_ms=last_ms,
            digest=body.digest, packed=body.packed, model=clean(body.model), version=clean(body.version),
            serial=clean(body.serial), left_out="\n".join(clean(entry) for entry in body.left_out),
        )
    )  # fmt: skip
    db.flush()


def _copy(row: ConfigRevision, first_ms: int) -> ConfigRevision:
    values = {column.key: getattr(row, column.key) for column in ConfigRevision.__table__.columns}
    return ConfigRevision(**values | {"first_ms": first_ms})


def _record_backup(db: Session, told: Told) -> None:
    body, key = told.body, (told.regency, told.site, told.device, told.taken_ms)
    if db.get(ConfigBackup, key) is not None:
        return
    db.add(
        ConfigBackup(
            regency=told.regency, site=told.site, device=told.device, taken_ms=told.taken_ms, digest=body.digest,
            size=len(body.backup), content=body.backup, model=clean(body.model), version=clean(body.version),
            serial=clean(body.serial),
        )
    )  # fmt: skip
    db.flush()
    of_device = _of_device(ConfigBackup, told.regency, told.site, told.device)
    kept = db.scalars(select(ConfigBackup.taken_ms).where(*of_device).order_by(ConfigBackup.taken_ms.desc()))
    too_old = list(kept)[MOST_BACKUPS:]
    if too_old:
        db.execute(delete(ConfigBackup).where(*of_device, ConfigBackup.taken_ms.in_(too_old)))


def _of_device(
    model: type[ConfigRevision] | type[ConfigBackup], regency: str, site: str, device: str
) -> tuple[ColumnElement[bool], ...]:
    return (model.regency == regency, model.site == site, model.device == device)


def text_of(revision: ConfigRevision) -> str:
    """Return the text of a revision, which was checked when it came."""
    return zlib.decompress(revision.packed).decode()


def revisions(db: Session, regency: str, site: str, device: str) -> list[ConfigRevision]:
    """Return the newest revisions of one router with their texts, oldest first."""
    rows = db.scalars(
        select(ConfigRevision).where(*_of_device(ConfigRevision, regency, site, device))
        .options(undefer(ConfigRevision.packed)).order_by(ConfigRevision.first_ms.desc()).limit(MOST_REVISIONS)
    )  # fmt: skip
    return list(rows)[::-1]


def backups(db: Session, regency: str, site: str, device: str) -> list[ConfigBackup]:
    """Return what backups there are of one router, newest first, without their content."""
    of_device = _of_device(ConfigBackup, regency, site, device)
    return list(db.scalars(select(ConfigBackup).where(*of_device).order_by(ConfigBackup.taken_ms.desc())))


def watched(db: Session, regency: str) -> list[Device]:
    """Return the devices whose settings boxes read, those in trouble too, once they answered."""
    wanted = (Device.regency == regency, Device.kind == SETTINGS)
    return list(db.scalars(select(Device).where(*wanted).order_by(Device.site, Device.name)))


def newest(db: Session, regency: str, *, texts: bool = False) -> list[ConfigRevision]:
    """Return the newest revision of every router."""
    last = (
        select(ConfigRevision.site, ConfigRevision.device, func.max(ConfigRevision.first_ms).label("first_ms"))
        .where(ConfigRevision.regency == regency).group_by(ConfigRevision.site, ConfigRevision.device).subquery()
    )  # fmt: skip
    same = [ConfigRevision.__table__.c[name] == last.c[name] for name in ("site", "device", "first_ms")]
    asked = select(ConfigRevision).join(last, same[0] & same[1] & same[2]).where(ConfigRevision.regency == regency)
    asked = asked.options(undefer(ConfigRevision.packed)) if texts else asked
    return list(db.scalars(asked.order_by(ConfigRevision.site, ConfigRevision.device)))


def changed_since(db: Session, regency: str, since_ms: int) -> list[Since]:
    """Return the routers whose settings changed after a moment, newest change first."""
    recent = db.scalars(
        select(ConfigRevision).where(ConfigRevision.regency == regency, ConfigRevision.first_ms > since_ms)
        .options(undefer(ConfigRevision.packed)).order_by(ConfigRevision.first_ms)
    )  # fmt: skip
    by_device: dict[tuple[str, str], list[ConfigRevision]] = {}
    for row in recent:
        by_device.setdefault((row.site, row.device), []).append(row)
    found = [_since(db, regency, since_ms, key, rows) for key, rows in by_device.items()]
    return sorted(found, key=lambda one: -one.revision.first_ms)


def _since(db: Session, regency: str, since_ms: int, key: tuple[str, str], rows: list[ConfigRevision]) -> Since:
    before = db.scalar(
        select(ConfigRevision).where(*_of_device(ConfigRevision, regency, *key), ConfigRevision.first_ms <= since_ms)
        .options(undefer(ConfigRevision.packed)).order_by(ConfigRevision.first_ms.desc()).limit(1)
    )  # fmt: skip
    base = before or (rows[0] if len(rows) > 1 else None)
    lines = changed(text_of(base), text_of(rows[-1])) if base is not None else None
    return Since(*key, rows[-1], len(rows) - (before is None), lines)


def search(db: Session, regency: str, words: str) -> list[Hit]:
    """Return the routers in whose newest settings a line has all of some words."""
    hits = (Hit(one.site, one.device, found(text_of(one), words)) for one in newest(db, regency, texts=True))
    return [hit for hit in hits if hit.lines]
