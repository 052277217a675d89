"""The command ``kampungnet migrate``."""

import argparse

from kampungnet.core import migrate
from kampungnet.core.commands import Add, unmigrated


def add_commands(add: Add) -> None:
    """Add the command."""
    one = add("migrate", _migrate)
    one.add_argument("--to", default="head", help="another version, also an older one before an older program is "
                     "installed: it drops what that version has no place for, so make a backup first")  # fmt: skip


def _migrate(options: argparse.Namespace) -> None:
    before, after = migrate.migrate(unmigrated(options), options.to)
    if before == after:
        print(f"Database version {after}.")
    else:
        print(f"Database migrated from {before} to {after}." if before else f"Database made, version {after}.")
