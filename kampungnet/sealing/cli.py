"""Command ``kampungnet keys``: a new key, and everything sealed with it."""

import argparse
import sys
from contextlib import closing
from pathlib import Path
from typing import Final

from kampungnet.core import clock, keys
from kampungnet.core.commands import Add, open_database, place_of
from kampungnet.core.database import Database
from kampungnet.core.errors import NotFound
from kampungnet.sealing import service
from kampungnet.staff import audit
from kampungnet.staff.audit import Act
from kampungnet.villages import service as villages

_STEPS: Final = {
    "status": "which key is needed by what",
    "new": "put a new key on top of the file; the old ones stay below and still open",
    "rotate": "seal everything with the key on top; may be cut off and begun again",
}


def add_commands(add: Add) -> None:
    """Add the command of this slice."""
    one = add("keys", _keys)
    one.add_argument("step", choices=list(_STEPS), help="; ".join(f"{step}: {told}" for step, told in _STEPS.items()))


def _keys(options: argparse.Namespace) -> None:
    file = place_of(options).key_file
    if options.step == "new":
        name = keys.put_on_top(file)
        print(f"Key {name} stands on top of {file}. Keep a copy of the file in another place.")
        print("A server that reads the file itself takes it within a second; where systemd hands it over, restart the "
              "services now. Then: kampungnet keys rotate", file=sys.stderr)  # fmt: skip
        return
    if not file.exists():
        raise NotFound(f"There is no key file {file}: nothing is sealed yet, or $KAMPUNGNET_KEY_FILE names another.")
    with closing(open_database(options)) as database:
        if options.step == "rotate":
            _rotate(database, file)
        _status(database, file)


def _rotate(database: Database, file: Path) -> None:
    newest = next(iter(keys.names(file)))
    with database.writes() as db:  # before the first batch: one that is cut off, or stops at a row, is in the log too
        by = [audit.on_the_server(db, one.code) for one in villages.regencies(db)]
        older = sum(counts.total() for name, counts in service.needed(db).items() if name != newest)
        for one in by:
            audit.record(db, one, Act("keys.rotate", newest, "", None, {"to_seal": older}), clock.now_ms())
    for name, seen, done in service.reseal(database):
        print(f"{name}: {done} of {seen} sealed anew", file=sys.stderr)
    print("Everything is sealed with the key on top.")


def _status(database: Database, file: Path) -> None:
    with database.reads() as db:
        needed, acts = service.needed(db), service.acts_sealed(db)
    known = keys.names(file)
    for number, name in enumerate(known):
        by = ", ".join(f"{place} {count}" for place, count in sorted(needed.get(name, {}).items()))
        print(f"{name}{' (seals)' if number == 0 else ''}: {by or 'opens nothing that is kept'}")
    for name in needed.keys() - known.keys():
        print(f"{name}: IS MISSING in {file}, and is needed by {sum(needed[name].values())} values")
    if acts and len(known) > 1:
        print(f"The log of decisions has {acts} acts: keep the old keys in the file, they prove those of their time.")
