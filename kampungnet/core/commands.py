"""What commands are made of and share; :mod:`kampungnet.cli` knows which there are and imports the one that is run."""

import argparse
import importlib
import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from kampungnet.core import revision
from kampungnet.core.database import Database
from kampungnet.core.errors import Problem, Unavailable

Command = Callable[[argparse.Namespace], None]


class Add(Protocol):
    """Adds a command to the command line."""

    def __call__(self, name: str, run: Command, *, database: bool = True) -> argparse.ArgumentParser:
        """Return its parser, to which arguments are added; it has those that say where the database is already."""


@dataclass(frozen=True)
class Place:
    """A database and the key that belongs to it."""

    url: str
    key_file: Path

    @property
    def file(self) -> Path | None:
        """The file of an embedded database."""
        url = make_url(self.url)
        return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def carried_out(run: Command, options: argparse.Namespace) -> str:
    """Run a command and return in one sentence what went wrong: nothing when all went well."""
    try:
        run(options)
    except Problem as problem:
        return str(problem)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror or error}"
    except SQLAlchemyError as error:
        return f"the database refused: {str(error).splitlines()[0]}"
    return ""


def place_of(options: argparse.Namespace) -> Place:
    """Return where the database is, and where the key lies that its tables are useless without."""
    folder = Path(options.data)
    key_file = Path(os.environ.get("KAMPUNGNET_KEY_FILE") or folder / "kampungnet.key")
    return Place(options.database_url or f"sqlite:///{folder / 'kampungnet.db'}", key_file)


def open_database(options: argparse.Namespace) -> Database:
    """Open the database of a command. The embedded one is made or brought up to date without asking."""
    database = unmigrated(options)
    if revision.of(database) != revision.newest():
        if options.database_url:
            raise Unavailable("The database has another version than this program: run `kampungnet migrate` first.")
        importlib.import_module("kampungnet.core.migrate").migrate(database)
    return database


def with_database(run: Callable[[argparse.Namespace, Database], None]) -> Command:
    """Return a command that opens the database, runs and closes it."""

    def command(options: argparse.Namespace) -> None:
        with closing(open_database(options)) as database:
            run(options, database)

    return command


def unmigrated(options: argparse.Namespace) -> Database:
    """Open the database of a command as it is."""
    place = place_of(options)
    try:
        return Database(place.url, place.key_file)
    except ImportError as error:
        raise Unavailable("This kind of database is not known: write postgresql+psycopg://…") from error


def port(text: str) -> int:
    """Return a port that exists: beyond 65535 the event loop would silently take another one."""
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text} is no port: write a number from 1 to 65535")
    return int(text)


def day(text: str) -> date:
    """Return a day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no day: write it like 2026-07-01") from None


def number(text: str) -> int:
    """Return a whole number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number from 1")
    return int(text)
