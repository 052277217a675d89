"""Which version the tables have and which one this program needs, as :mod:`kampungnet.core.migrate` says it: without
Alembic, whose import takes a quarter of the start of a command."""

from importlib.resources import files
from typing import Final

from sqlalchemy import inspect, text

from kampungnet.core.database import Database

_TABLE: Final = "alembic_version"
_ASK: Final = text(f"SELECT version_num FROM {_TABLE}")  # noqa: S608 -- our own word


def of(database: Database) -> str | None:
    """Return the version of a database; ``None`` for an empty one."""
    with database.engine.connect() as connection:
        return connection.scalar(_ASK) if inspect(connection).has_table(_TABLE) else None


def newest() -> str:
    """Return the version this program needs: the number in front of its last migration's name."""
    scripts = (files("kampungnet") / "migrations/versions").iterdir()
    return max(name for name, mark, _ in (one.name.partition("_") for one in scripts) if mark and name.isdecimal())
