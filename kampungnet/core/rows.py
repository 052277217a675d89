"""Read and write a group of rows in one go, on SQLite and PostgreSQL alike.

Statements are text and not expressions: building and compiling those cost more than running them. The
text is made of the names of our own tables and columns only; every value is a parameter.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Date
from sqlalchemy.orm import Session

from kampungnet.core.database import Base


def among(
    db: Session, model: type[Base], names: tuple[str, ...], within: Mapping[str, Collection[str]]
) -> Sequence[Any]:
    """Return the columns ``names`` of the rows whose columns ``within`` have one of those texts each.

    Give the columns of an index in its order. For columns that need no conversion.
    """
    connection = db.connection()
    dialect = connection.dialect.name
    as_parameter: Callable[[list[str]], Any] = json.dumps if dialect == "sqlite" else list
    parameters = tuple(as_parameter(list(values)) for values in within.values())
    return connection.exec_driver_sql(_among(dialect, model, names, tuple(within)), parameters).all()


@cache
def _among(dialect: str, model: type[Base], names: tuple[str, ...], within: tuple[str, ...]) -> str:
    one_of = "IN (SELECT value FROM json_each(?))" if dialect == "sqlite" else "= ANY(%s)"
    conditions = " AND ".join(f"{name} {one_of}" for name in within)
    return f"SELECT {', '.join(names)} FROM {model.__tablename__} WHERE {conditions}"  # noqa: S608 -- see the top


def insert_new(db: Session, model: type[Base], rows: list[dict[str, Any]]) -> int:
    """Insert the rows whose key is not there yet, and return how many those were."""
    return _insert(db, model, rows, "ON CONFLICT DO NOTHING")


def upsert(
    db: Session,
    model: type[Base],
    rows: list[dict[str, Any]],
    keys: tuple[str, ...],
    changed: tuple[str, ...],
    newer: str | None = None,
) -> None:
    """Insert rows, each key once; where one with the same ``keys`` stands, replace its columns ``changed``.

    With ``newer`` it does so only when that column grows: what comes late changes nothing.
    """
    _insert(db, model, rows, _replacing(model, keys, changed, newer))


def change(db: Session, model: type[Base], rows: list[dict[str, Any]], keys: tuple[str, ...]) -> None:
    """Set the columns that the rows name, in those that have the same ``keys``; others stay as they are."""
    connection, names = db.connection(), tuple(rows[0])
    statement = _change(connection.dialect.name, model, names, keys)
    connection.exec_driver_sql(statement, _values(connection, model, names, rows))


def _insert(db: Session, model: type[Base], rows: list[dict[str, Any]], on_conflict: str) -> int:
    connection, names = db.connection(), tuple(rows[0])
    listed, marks = ", ".join(names), ", ".join(_marks(connection.dialect.name, names).values())
    statement = f"INSERT INTO {model.__tablename__} ({listed}) VALUES ({marks}) {on_conflict}"  # noqa: S608 -- see the top
    return connection.exec_driver_sql(statement, _values(connection, model, names, rows)).rowcount


@cache
def _replacing(model: type[Base], keys: tuple[str, ...], changed: tuple[str, ...], newer: str | None) -> str:
    values = ", ".join(f"{name} = excluded.{name}" for name in changed)
    only = f" WHERE excluded.{newer} > {model.__tablename__}.{newer}" if newer else ""
    return f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {values}{only}"


@cache
def _change(dialect: str, model: type[Base], names: tuple[str, ...], keys: tuple[str, ...]) -> str:
    marks = _marks(dialect, names)
    values = ", ".join(f"{name} = {marks[name]}" for name in names if name not in keys)
    same = " AND ".join(f"{name} = {marks[name]}" for name in keys)
    return f"UPDATE {model.__tablename__} SET {values} WHERE {same}"  # noqa: S608 -- see the top


@cache
def _marks(dialect: str, names: tuple[str, ...]) -> dict[str, str]:
    """Return how the driver wants each parameter written."""
    return {name: f":{name}" if dialect == "sqlite" else f"%({name})s" for name in names}


def _values(
    connection: Connection, model: type[Base], names: tuple[str, ...], rows: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    days = _days(model, names) if connection.dialect.name == "sqlite" else ()
    # SQLite has no dates; SQLAlchemy reads them from text.
    return [row | {name: row[name].isoformat() for name in days} for row in rows] if days else rows


@cache
def _days(model: type[Base], names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if isinstance(model.__table__.c[name].type, Date))
