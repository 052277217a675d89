"""Bring a database to the version this program needs. Migrations live inside the package."""

from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from kampungnet.core import readers
from kampungnet.core.database import Database
from kampungnet.core.errors import BadInput, Unavailable


def version(database: Database) -> str | None:
    """Return the version the database has; ``None`` for an empty one."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str | None:
    """Return the version this program needs."""
    with as_file(files("kampungnet") / "migrations") as folder:
        return ScriptDirectory(str(folder)).get_current_head()


def is_known(revision: str) -> bool:
    """Tell whether this program knows a version."""
    with as_file(files("kampungnet") / "migrations") as folder:
        return any(script.revision == revision for script in ScriptDirectory(str(folder)).walk_revisions())


def migrate(database: Database, to: str = "head") -> tuple[str | None, str | None]:
    """Go to a version step by step and return the versions before and after. Doing it twice changes nothing.

    Going back drops what the older version has no place for.
    """
    before = version(database)
    if before is not None and not is_known(before):
        raise Unavailable("The database belongs to a newer program than this one: update KampungNet first.")
    if to != "head" and not is_known(to):
        raise BadInput(f"There is no version {to}: `kampungnet migrate` says which one the database has.")
    with as_file(files("kampungnet") / "migrations") as folder, database.writes() as db:
        scripts = ScriptDirectory(str(folder))
        older = {one.revision for one in scripts.iterate_revisions(before, "base")} - {before} if before else set()
        go = command.downgrade if to in older else command.upgrade
        go(_config(str(folder), db.connection()), to)
        readers.let_in(db.connection())
    return before, version(database)


def _config(folder: str, connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", folder)
    config.attributes["connection"] = connection
    return config
