"""Read and write a group of rows in one go, on SQLite and PostgreSQL alike.

Statements are text and go to the driver as they are: building, compiling and passing them on cost more than running
them. The text is made of the names of our own tables and columns only; every value is a parameter.

SQLite gets a row at a time, PostgreSQL all of them as one array a column: a statement for each row cost it three
times as much.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import Connection, Date, cast, func, literal
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from kampungnet.core.database import Base, Blob

Rows = Sequence[Mapping[str, Any]]


def among(
    db: Session, model: type[Base], names: tuple[str, ...], within: Mapping[str, Collection[str]]
) -> Sequence[Any]:
    """Return the columns ``names`` of the rows whose columns ``within`` have one of those texts each.

    Give the columns of an index in its order. For columns that need no conversion.
    """
    connection = db.connection()
    dialect = connection.dialect.name
    parameters = [json.dumps(list(values)) if dialect == "sqlite" else list(values) for values in within.values()]
    statement = _among(dialect, model, names, tuple(within))
    with _sqlalchemys_errors(connection, statement):
        found: Sequence[Any] = _driver(connection).execute(statement, parameters).fetchall()
    return found


@cache
def _among(dialect: str, model: type[Base], names: tuple[str, ...], within: tuple[str, ...]) -> str:
    one_of = "IN (SELECT value FROM json_each(?))" if dialect == "sqlite" else "= ANY(%s)"
    conditions = " AND ".join(f"{name} {one_of}" for name in within)
    return f"SELECT {', '.join(names)} FROM {model.__tablename__} WHERE {conditions}"  # noqa: S608 -- see the top


def joined(db: Session, column: Any) -> Any:
    """Return, of a grouped query, the bytes of all its rows as one value, in any order."""
    if db.connection().dialect.name == "sqlite":  # which takes bytes for text without looking at them
        return cast(func.group_concat(column, ""), Blob)
    return func.string_agg(column, literal(b"", Blob))


def insert_new(db: Session, model: type[Base], rows: Rows) -> int:
    """Insert the rows whose key is not there yet, and return how many those were."""
    return _insert(db, model, rows, "ON CONFLICT DO NOTHING")


def upsert(
    db: Session,
    model: type[Base],
    rows: Rows,
    keys: tuple[str, ...],
    changed: tuple[str, ...],
    newer: str | None = None,
) -> None:
    """Insert rows, each key once; where one with the same ``keys`` stands, replace its columns ``changed``.

    With ``newer`` it does so only when that column grows: what comes late changes nothing.
    """
    _insert(db, model, rows, _replacing(model, keys, changed, newer))


def change(db: Session, model: type[Base], rows: Rows, keys: tuple[str, ...]) -> None:
    """Set the columns that the rows name, each key once, in those that have the same ``keys``."""
    dialect, names = db.connection().dialect.name, tuple(rows[0])
    _run(db, model, rows, _change(dialect, model, names, keys))


def _insert(db: Session, model: type[Base], rows: Rows, on_conflict: str) -> int:
    names = tuple(rows[0])
    given = _given(db.connection().dialect.name, model, names)
    into = f"INSERT INTO {model.__tablename__} ({', '.join(names)})"
    return _run(db, model, rows, f"{into} {given} {on_conflict}")


@cache
def _given(dialect: str, model: type[Base], names: tuple[str, ...]) -> str:
    if dialect == "sqlite":
        return f"VALUES ({', '.join(f':{name}' for name in names)})"
    return f"SELECT * FROM {_arrays(model, names)}"  # noqa: S608 -- see the top


@cache
def _replacing(model: type[Base], keys: tuple[str, ...], changed: tuple[str, ...], newer: str | None) -> str:
    values = ", ".join(f"{name} = excluded.{name}" for name in changed)
    only = f" WHERE excluded.{newer} > {model.__tablename__}.{newer}" if newer else ""
    return f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {values}{only}"


@cache
def _change(dialect: str, model: type[Base], names: tuple[str, ...], keys: tuple[str, ...]) -> str:
    mark, rows = (":", "") if dialect == "sqlite" else ("given.", f" FROM {_arrays(model, names)}")
    values = ", ".join(f"{name} = {mark}{name}" for name in names if name not in keys)
    same = " AND ".join(f"{model.__tablename__}.{name} = {mark}{name}" for name in keys)
    return f"UPDATE {model.__tablename__} SET {values}{rows} WHERE {same}"  # noqa: S608 -- see the top


def _arrays(model: type[Base], names: tuple[str, ...]) -> str:
    """Return the rows as PostgreSQL's table ``given``, from a parameter for each column."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy says no types there
    arrays = (f"%b::{model.__table__.c[name].type.compile(dialect)}[]" for name in names)
    return f"unnest({', '.join(arrays)}) AS given({', '.join(names)})"


def _run(db: Session, model: type[Base], rows: Rows, statement: str) -> int:
    connection, names = db.connection(), tuple(rows[0])
    cursor = _driver(connection).cursor()
    with _sqlalchemys_errors(connection, statement):
        if connection.dialect.name != "sqlite":
            cursor.execute(statement, [[row[name] for row in rows] for name in names])
        elif days := _days(model, names):  # SQLite has no dates; SQLAlchemy reads them from text
            cursor.executemany(statement, [{**row, **{name: row[name].isoformat() for name in days}} for row in rows])
        else:
            cursor.executemany(statement, rows)
    touched: int = cursor.rowcount
    return touched


@cache
def _days(model: type[Base], names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if isinstance(model.__table__.c[name].type, Date))


@contextmanager
def _sqlalchemys_errors(connection: Connection, statement: str) -> Iterator[None]:
    """Let an error of the driver out as SQLAlchemy's: those are what upkeep and the doors catch."""
    try:
        yield
    except connection.dialect.loaded_dbapi.Error as error:
        raise DBAPIError(statement, None, error) from error


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection
