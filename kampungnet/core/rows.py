"""Write a group of rows with one statement, on SQLite and PostgreSQL alike.

Statements are text and not expressions: building and compiling those cost more than running them, and
PostgreSQL takes a whole group as one array a column, which is many times faster than a statement a row.
The text is made of the names of our own tables and columns only; every value is a parameter.
"""

from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Date, Dialect
from sqlalchemy.dialects import registry
from sqlalchemy.orm import Session

from kampungnet.core.database import Base

_POSTGRESQL: Final[Dialect] = registry.load("postgresql.psycopg")()


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
    connection.exec_driver_sql(
        _change(connection.dialect.name, model, names, keys), _parameters(connection, model, names, rows)
    )


def _insert(db: Session, model: type[Base], rows: list[dict[str, Any]], on_conflict: str) -> int:
    connection, names = db.connection(), tuple(rows[0])
    listed, source = ", ".join(names), _source(connection.dialect.name, model, names)
    statement = f"INSERT INTO {model.__tablename__} ({listed}) {source} {on_conflict}"
    return connection.exec_driver_sql(statement, _parameters(connection, model, names, rows)).rowcount


@cache
def _replacing(model: type[Base], keys: tuple[str, ...], changed: tuple[str, ...], newer: str | None) -> str:
    values = ", ".join(f"{name} = excluded.{name}" for name in changed)
    only = f" WHERE excluded.{newer} > {model.__tablename__}.{newer}" if newer else ""
    return f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {values}{only}"


@cache
def _change(dialect: str, model: type[Base], names: tuple[str, ...], keys: tuple[str, ...]) -> str:
    table, source = model.__tablename__, ""
    new = {name: f":{name}" for name in names}
    if dialect != "sqlite":
        source = f" FROM {_arrays(model, names)} AS new({', '.join(names)})"
        new = {name: f"new.{name}" for name in names}
    values = ", ".join(f"{name} = {new[name]}" for name in names if name not in keys)
    same = " AND ".join(f"{table}.{name} = {new[name]}" for name in keys)
    return f"UPDATE {table} SET {values}{source} WHERE {same}"  # noqa: S608 -- see above


def _parameters(connection: Connection, model: type[Base], names: tuple[str, ...], rows: list[dict[str, Any]]) -> Any:
    if connection.dialect.name != "sqlite":
        return {name: [row[name] for row in rows] for name in names}
    days = _days(model, names)  # SQLite has no dates; SQLAlchemy reads them from text
    return [row | {name: row[name].isoformat() for name in days} for row in rows] if days else rows


@cache
def _days(model: type[Base], names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if isinstance(model.__table__.c[name].type, Date))


@cache
def _source(dialect: str, model: type[Base], names: tuple[str, ...]) -> str:
    if dialect == "sqlite":
        return f"VALUES ({', '.join(f':{name}' for name in names)})"
    return f"SELECT * FROM {_arrays(model, names)}"  # noqa: S608 -- see above


@cache
def _arrays(model: type[Base], names: tuple[str, ...]) -> str:
    types = {column.name: column.type.compile(_POSTGRESQL) for column in model.__table__.columns}
    return f"unnest({', '.join(f'%({name})s::{types[name]}[]' for name in names)})"
