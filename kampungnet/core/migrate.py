"""Bring a database to the version this program needs. Migrations live inside the package."""

from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from kampungnet.core.database import Database
from kampungnet.core.errors import Unavailable


def version(database: Database) -> str | None:
    """Return the version the database has; ``None`` for an empty one."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str | None:
    """Return the version this program needs."""
    with as_file(files("kampungnet") / "migrations") as folder:
        return ScriptDirectory(str(folder)).get_current_head()


def _known() -> set[str]:
    with as_file(files("kampungnet") / "migrations") as folder:
        return {script.revision for script in ScriptDirectory(str(folder)).walk_revisions()}


def migrate(database: Database, to: str = "head") -> tuple[str | None, str | None]:
    """Upgrade step by step and return the versions before and after. Doing it twice changes nothing."""
    before = version(database)
    if before is not None and before not in _known():
        raise Unavailable("The database belongs to a newer program than this one: update KampungNet first.")
    with as_file(files("kampungnet") / "migrations") as folder, database.writes() as db:
        command.upgrade(_config(str(folder), db.connection()), to)
    return before, version(database)


def _config(folder: str, connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", folder)
    config.attributes["connection"] = connection
    return config
