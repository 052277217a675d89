"""Commands ``kampungnet backup`` and ``kampungnet restore``."""

import argparse
import os
import sys
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from kampungnet.backup import archive, service
from kampungnet.backup.archive import Manifest
from kampungnet.backup.service import Restored
from kampungnet.core import clock
from kampungnet.core.commands import Add, Place, number, place_of
from kampungnet.core.database import Database
from kampungnet.core.errors import BadInput, Unavailable
from kampungnet.staff import audit
from kampungnet.staff.audit import Act, NotSealable
from kampungnet.villages.models import Regency

POLITE = 5
"""Reports go before a backup where both want the processor."""
_FIRST_WITH_LOG: Final = "0006"
"""Version of the tables since which there is a log; its rows have the same columns ever since."""


def add_commands(add: Add) -> None:
    """Add the commands of this slice."""
    one = add("backup", _backup)
    one.add_argument("folder", type=Path, help="where the file is put: kampungnet-YYYYMMDD-HHMMSS.backup (UTC)")
    one.add_argument("--keep", type=number, help="afterwards keep only so many of the newest backups in the folder")
    one.add_argument("--also", type=Path, default=os.environ.get(service.ALSO) or None, help="a folder on another disk "
                     f"that gets a copy, read again there (default: ${service.ALSO})")  # fmt: skip
    one.add_argument("--with-key", action="store_true", help="put the key file in as well; then the file opens every "
                     "secret in it: keep it as safe as the key")  # fmt: skip

    one = add("restore", _restore)
    one.add_argument("file", type=Path, help="the backup")
    one.add_argument("--check", action="store_true", help="only say what is in it and whether it is whole")
    one.add_argument("--force", action="store_true", help="put a database aside that is there already")


def _backup(options: argparse.Namespace) -> None:
    os.nice(POLITE)
    place = place_of(options)
    file, manifest = service.backup(place, options.folder, options.keep, with_key=options.with_key)
    print(f"{file} ({_size(manifest)}, version {manifest.revision}) is written and verified.")
    if options.also:
        print(f"{service.put_elsewhere(file, options.also, options.keep)} is the same.")
    elif (home := service.home_of(place)) and service.shares_disk(home, file):
        print("It lies on the disk of the database, and is lost with it: name a folder on another one with --also.",
              file=sys.stderr)  # fmt: skip
    if manifest.key_names and not manifest.keys:
        print(f"The key is not in it: keep a copy of {place.key_file} in another place.", file=sys.stderr)


def _restore(options: argparse.Namespace) -> None:
    place = place_of(options)
    if not options.file.is_file():
        raise BadInput(f"There is no file {options.file}: name a backup.")
    if options.check:
        manifest = archive.manifest_of(options.file)
        archive.check(options.file, manifest)
        print(f"{options.file} is whole: {_described(manifest)}.")
        return
    done = service.restore(options.file, place, force=options.force)
    print(f"Restored: {_described(done.manifest)}. Now: kampungnet migrate, then start the server.")
    if done.kept:
        print(f"What was there before is kept as {done.kept}: remove it when you are sure.")
    if problem := _noted(place, options.file, done):
        print(f"This does not stand in the log of decisions: {problem}", file=sys.stderr)
    if not done.has_key:
        print(
            f"The key of this backup is not in {place.key_file}: put its copy there, or secrets stay sealed.",
            file=sys.stderr,
        )


def _noted(place: Place, file: Path, done: Restored) -> str:
    """Add to the log that came back that it was brought back; return why it could not be, after which all is as said.

    A disaster is mended with or without the key: nothing of it is refused here.
    """
    if done.manifest.revision < _FIRST_WITH_LOG:
        return "the backup is older than the log."
    database, now_ms = Database(place.url, place.key_file), clock.now_ms()
    made = clock.local(done.manifest.made_ms, "UTC").isoformat(timespec="seconds")
    try:
        with database.writes() as db:
            for regency in db.scalars(select(Regency.code).order_by(Regency.code)):
                act = Act("backup.restore", file.name, "", None, {"made": made, "kept": done.kept or ""})
                audit.record(db, audit.on_the_server(db, regency), act, now_ms)
    except NotSealable as problem:
        return problem.why
    except (Unavailable, SQLAlchemyError, OSError) as problem:
        return str(problem).splitlines()[0]  # of a database without the statement
    finally:
        database.close()
    return ""


def _described(manifest: Manifest) -> str:
    made = clock.local(manifest.made_ms, clock.WIB)
    key = "with its key" if manifest.keys else "without its key"
    return (
        f"{manifest.kind} {manifest.engine}, {_size(manifest)}, version {manifest.revision}, "
        f"made {made:%Y-%m-%d %H:%M} WIB by KampungNet {manifest.program}, {key}"
    )


def _size(manifest: Manifest) -> str:
    return f"{manifest.copy_bytes / 1e6:.1f} MB"
