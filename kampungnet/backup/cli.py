"""Commands ``kampungnet backup`` and ``kampungnet restore``."""

import argparse
import os
import sys
from pathlib import Path

from kampungnet.backup import archive, service
from kampungnet.backup.archive import Manifest
from kampungnet.core import clock
from kampungnet.core.commands import Add, number, place_of
from kampungnet.core.errors import BadInput

POLITE = 5
"""Reports go before a backup where both want the processor."""


def add_commands(add: Add) -> None:
    """Add the commands of this slice."""
    one = add("backup", _backup)
    one.add_argument("folder", type=Path, help="where the file is put: kampungnet-YYYYMMDD-HHMMSS.backup (UTC)")
    one.add_argument("--keep", type=number, help="afterwards keep only so many of the newest backups in the folder")
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
    if not done.has_key:
        print(
            f"The key of this backup is not in {place.key_file}: put its copy there, or secrets stay sealed.",
            file=sys.stderr,
        )


def _described(manifest: Manifest) -> str:
    made = clock.local(manifest.made_ms, clock.WIB)
    key = "with its key" if manifest.keys else "without its key"
    return (
        f"{manifest.kind} {manifest.engine}, {_size(manifest)}, version {manifest.revision}, "
        f"made {made:%Y-%m-%d %H:%M} WIB by KampungNet {manifest.program}, {key}"
    )


def _size(manifest: Manifest) -> str:
    return f"{manifest.copy_bytes / 1e6:.1f} MB"
