"""Make a backup while the server works, and bring one back. Nothing half-done is ever in a place where it counts."""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from kampungnet.backup import archive, disks, postgresql, sqlite
from kampungnet.backup.archive import Manifest
from kampungnet.core import clock, keys, migrate
from kampungnet.core.commands import Place
from kampungnet.core.database import Database
from kampungnet.core.errors import BadInput, Conflict, NotFound, Unavailable
from kampungnet.shared.files import sync_folder

NAME: Final = "kampungnet-*.backup"
ALSO: Final = "KAMPUNGNET_BACKUP_ALSO"
"""Setting: a folder on another disk, or on another machine's that is mounted."""
_DRAFTS: Final = ".kampungnet-backup-"
_OF_DEBIAN: Final = Path("/var/lib/postgresql")
"""Where Debian's PostgreSQL keeps its databases. Only a superuser may ask the server itself."""


@dataclass(frozen=True)
class _Copied:
    kind: str
    engine: str
    revision: str
    digest: str


@dataclass(frozen=True)
class Restored:
    """What a restore did."""

    manifest: Manifest
    kept: str | None
    """Where the database lies that was there before."""
    has_key: bool
    """Whether the key that is there now opens the secrets of the backup."""


def backup(place: Place, folder: Path, keep: int | None = None, *, with_key: bool = False) -> tuple[Path, Manifest]:
    """Write a backup into a folder and return it; then only the newest ``keep`` stay there.

    The key is left out unless asked for: a backup travels to disks and people that need not read what it seals.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(folder), _draft_in(folder) as draft:
        made_ms = clock.now_ms()
        copied = _copy_sqlite(place.file, draft) if place.file else _copy_postgresql(place, draft)
        known = keys.names(place.key_file)
        manifest = Manifest(
            made_ms=made_ms, program=version("kampungnet"), kind=copied.kind, engine=copied.engine,
            revision=copied.revision, copy_bytes=draft.stat().st_size, copy_sha256=copied.digest,
            key_names=list(known), keys=list(known.values()) if with_key else [],
        )  # fmt: skip
        archive.seal(draft, manifest)
        target = folder / f"kampungnet-{clock.local(made_ms, 'UTC'):%Y%m%d-%H%M%S}.backup"
        if target.exists():
            raise Conflict(f"{target} is there already: wait a second and try again.")
        _keep(draft, target, keep)
    return target, manifest


def put_elsewhere(file: Path, folder: Path, keep: int | None = None) -> Path:
    """Copy a backup to another disk, read it there and return it; then only the newest ``keep`` stay there.

    The folder is never made: where nothing is mounted it would be one more on the first disk. Raises ``Unavailable``.
    """
    if not folder.is_dir():
        raise Unavailable(f"{file} has no second copy: there is no folder {folder}. Is its disk mounted?")
    if shares_disk(folder, file.parent):
        raise Unavailable(f"{file} has no second copy: {folder} lies on the same disk. Is the other one mounted?")
    with _alone(folder), _draft_in(folder) as draft:
        _expect_room(file.stat().st_size, folder)
        with file.open("rb") as source, draft.open("r+b") as copy:
            shutil.copyfileobj(source, copy, archive.BLOCK)
            copy.flush()
            os.fsync(copy.fileno())
            os.posix_fadvise(copy.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # so that the disk is read, not the memory
        archive.check(draft, archive.manifest_of(draft))
        _keep(draft, folder / file.name, keep)
    return folder / file.name


def shares_disk(one: Path, other: Path) -> bool:
    """Tell whether both lie on one disk, in whatever parts of it; what the kernel calls two disks may still be one."""
    first, second = (place.stat().st_dev for place in (one, other))
    return first == second or bool(disks.below(first) & disks.below(second))


def home_of(place: Place) -> Path | None:
    """Return where the files of a database lie; ``None`` where they are on another machine, or it is not known."""
    url = make_url(place.url)
    host = str(url.host or url.query.get("host", ""))
    is_here = not host or host.startswith("/") or host in {"localhost", "127.0.0.1", "::1"}
    found = place.file or (_OF_DEBIAN if is_here else None)
    return found if found and found.exists() else None


def _keep(draft: Path, target: Path, keep: int | None) -> None:
    """Let what is whole count, and only the newest stay beside it.

    Those whose names say that they were made later than this one go first: a clock was ahead, or is behind now.
    """
    draft.rename(target)
    sync_folder(target.parent)
    known = sorted(target.parent.glob(NAME), key=lambda one: (one.name <= target.name, one.name))
    for old in known[:-keep] if keep else ():
        old.unlink()


def restore(file: Path, place: Place, *, force: bool = False) -> Restored:
    """Bring a backup back. What is there already is refused, or kept aside with ``force``; never written over."""
    manifest = archive.manifest_of(file)
    wanted = sqlite.KIND if place.file else postgresql.KIND
    if manifest.kind != wanted:
        raise BadInput(f"This is a backup of {manifest.kind}, and the database named here is {wanted}: name another.")
    if not migrate.is_known(manifest.revision):
        raise Unavailable("The backup was made by a newer program than this one: update KampungNet first.")
    aside = f"before_restore_{clock.now():%Y%m%d_%H%M%S}"
    if place.file:
        kept = _restore_sqlite(file, manifest, place.file, aside, force=force)
    else:
        kept = _restore_postgresql(file, manifest, place, aside, force=force)
    if manifest.keys and not place.key_file.exists():
        keys.write(place.key_file, manifest.keys)
    return Restored(manifest, kept, not manifest.key_names or manifest.key_names[0] in keys.names(place.key_file))


def _copy_sqlite(database: Path, draft: Path) -> _Copied:
    if not sqlite.exists(database):
        raise NotFound(f"There is no database in {database.parent}: name its folder with --data.")
    _expect_room(database.stat().st_size, draft.parent)
    sqlite.copy(database, draft)
    revision = sqlite.revision(draft)
    if revision is None:
        raise NotFound(f"There is no database in {database.parent}: name its folder with --data.")
    with archive.digesting(draft) as digest:
        sqlite.check(draft)
    return _Copied(sqlite.KIND, sqlite.engine_version(), revision, digest.result())


def _copy_postgresql(place: Place, draft: Path) -> _Copied:
    database = Database(place.url)
    try:
        revision = migrate.version(database)
        if revision is None:
            raise NotFound("The database has no tables of KampungNet: name the right one.")
        postgresql.copy(database.engine, draft)
        with archive.digesting(draft) as digest:
            postgresql.check(database.engine, draft)
        if migrate.version(database) != revision:
            raise Conflict("The database was migrated meanwhile: make the backup again.")
        return _Copied(postgresql.KIND, postgresql.engine_version(database.engine), revision, digest.result())
    finally:
        database.close()


def _restore_sqlite(file: Path, manifest: Manifest, database: Path, aside: str, *, force: bool) -> str | None:
    _expect_free(database if sqlite.exists(database) else None, force=force)
    if sqlite.exists(database):
        sqlite.expect_unused(database)
    database.parent.mkdir(parents=True, exist_ok=True)
    with _draft_in(database.parent) as draft:
        with draft.open("wb") as out:
            archive.check(file, manifest, out.write)
            out.flush()
            os.fsync(out.fileno())
        if sqlite.exists(database):
            sqlite.expect_unused(database)  # copying took a while
        kept = sqlite.put_aside(database, aside)
        draft.rename(database)
        sync_folder(database.parent)
    return str(kept) if kept else None


def _restore_postgresql(file: Path, manifest: Manifest, place: Place, aside: str, *, force: bool) -> str | None:
    database = Database(place.url)
    try:
        has_tables = postgresql.exists(database.engine)
        _expect_free(database.engine.url.database if has_tables else None, force=force)
        archive.check(file, manifest)
        postgresql.expect_unused(database.engine)
        if not has_tables:
            postgresql.restore(database.engine, file)
            return None
        with postgresql.put_aside(database.engine, aside) as kept:
            postgresql.restore(database.engine, file)
        return kept
    finally:
        database.close()


def _expect_room(need: int, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if need > free:
        room = f"The backup needs {need // 2**20} MB and {folder} has {free // 2**20} MB"
        raise Unavailable(f"{room}: make room, or choose another folder.")


def _expect_free(found: object | None, *, force: bool) -> None:
    if found is not None and not force:
        raise Conflict(f"{found} holds a database already: restore elsewhere, or put it aside with --force.")


@contextmanager
def _draft_in(folder: Path) -> Iterator[Path]:
    """Yield a new file for what is being written, readable by us alone; it is gone afterwards unless renamed."""
    draft = folder / f"{_DRAFTS}{secrets.token_hex(4)}"
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        yield draft
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let no other backup write there, and clear away what one left that was killed."""
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for left in folder.glob(f"{_DRAFTS}*"):
            left.unlink()
        yield
    except BlockingIOError:
        raise Conflict(f"Another backup is being written into {folder}: wait until it is done.") from None
    finally:
        os.close(place)
