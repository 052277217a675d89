"""Read and write a group of rows in one go, on SQLite and PostgreSQL alike.

Statements are text and go to the driver as they are: building, compiling and passing them on cost more than running
them. The text is made of the names of our own tables and columns only; every value is a parameter.

SQLite gets a row at a time, PostgreSQL all of them as one array a column: a statement for each row cost it three
times as much.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Date, Dialect, cast, func, literal
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from kampungnet.core.database import Base, Blob
from kampungnet.core.line import Driver, driver_of


class Columns(NamedTuple):
    """Rows as tuples of the columns ``names``: for who makes very many, a dictionary for each is dear."""

    names: tuple[str, ...]
    values: Sequence[tuple[Any, ...]]


Rows = Sequence[Mapping[str, Any]] | Columns


def among(
    db: Session, model: type[Base], names: tuple[str, ...], keys: tuple[str, ...], wanted: Collection[tuple[str, ...]]
) -> Sequence[Any]:
    """Return the columns ``names`` of the rows whose columns ``keys`` are one of ``wanted``, each of which comes once.

    Give the columns of an index in its order. For columns that need no conversion.
    """
    driver = driver_of(db)
    dialect = driver.dialect.name
    if dialect == "sqlite":
        parameters: list[Any] = [msgspec.json.encode(list(wanted)).decode()]
    else:
        parameters = [[one[place] for one in wanted] for place in range(len(keys))]
    statement = _among(dialect, model, names, keys)
    with _sqlalchemys_errors(driver.dialect, statement):
        found: Sequence[Any] = driver.connection.execute(statement, parameters).fetchall()
    return found


@cache
def _among(dialect: str, model: type[Base], names: tuple[str, ...], keys: tuple[str, ...]) -> str:
    # A look for each that is wanted: with a list for each column SQLite tries every text of one with all of the other.
    table = model.__tablename__
    if dialect == "sqlite":
        given = {name: f"json_extract(given.value, '$[{place}]')" for place, name in enumerate(keys)}
        source = f"json_each(?) AS given CROSS JOIN {table}"  # CROSS: in this order
    else:
        given = {name: f"given.{name}" for name in keys}
        source = f"{_arrays(model, keys)} JOIN {table}"
    same = " AND ".join(f"{table}.{name} = {given[name]}" for name in keys)
    return f"SELECT {', '.join(f'{table}.{name}' for name in names)} FROM {source} ON {same}"  # noqa: S608 -- see the top


def joined(db: Session, column: Any) -> Any:
    """Return, of a grouped query, the bytes of all its rows as one value, in any order."""
    if driver_of(db).dialect.name == "sqlite":  # which takes bytes for text without looking at them
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
    driver, given = driver_of(db), _columns(rows)
    _run(driver, model, given, _change(driver.dialect.name, model, given.names, keys))


def _insert(db: Session, model: type[Base], rows: Rows, on_conflict: str) -> int:
    driver, given = driver_of(db), _columns(rows)
    return _run(driver, model, given, f"{_into(driver.dialect.name, model, given.names)} {on_conflict}")


def _columns(rows: Rows) -> Columns:
    if isinstance(rows, Columns):
        return rows
    names = tuple(rows[0])
    return Columns(names, [tuple(row[name] for name in names) for row in rows])


@cache
def _into(dialect: str, model: type[Base], names: tuple[str, ...]) -> str:
    marks = ", ".join("?" * len(names))
    given = f"VALUES ({marks})" if dialect == "sqlite" else f"SELECT * FROM {_arrays(model, names)}"  # noqa: S608 -- see the top
    return f"INSERT INTO {model.__tablename__} ({', '.join(names)}) {given}"


@cache
def _replacing(model: type[Base], keys: tuple[str, ...], changed: tuple[str, ...], newer: str | None) -> str:
    values = ", ".join(f"{name} = excluded.{name}" for name in changed)
    only = f" WHERE excluded.{newer} > {model.__tablename__}.{newer}" if newer else ""
    return f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {values}{only}"


@cache
def _change(dialect: str, model: type[Base], names: tuple[str, ...], keys: tuple[str, ...]) -> str:
    if dialect == "sqlite":
        marks, rows = {name: f"?{place}" for place, name in enumerate(names, 1)}, ""
    else:
        marks, rows = {name: f"given.{name}" for name in names}, f" FROM {_arrays(model, names)}"
    values = ", ".join(f"{name} = {marks[name]}" for name in names if name not in keys)
    same = " AND ".join(f"{model.__tablename__}.{name} = {marks[name]}" for name in keys)
    return f"UPDATE {model.__tablename__} SET {values}{rows} WHERE {same}"  # noqa: S608 -- see the top


def _arrays(model: type[Base], names: tuple[str, ...]) -> str:
    """Return the rows as PostgreSQL's table ``given``, from a parameter for each column."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy says no types there
    arrays = (f"%b::{model.__table__.c[name].type.compile(dialect)}[]" for name in names)
    return f"unnest({', '.join(arrays)}) AS given({', '.join(names)})"


def _run(driver: Driver, model: type[Base], rows: Columns, statement: str) -> int:
    names, values = rows
    cursor = driver.connection.cursor()
    with _sqlalchemys_errors(driver.dialect, statement):
        if driver.dialect.name != "sqlite":
            cursor.execute(statement, [list(column) for column in zip(*values, strict=True)])
        else:
            if days := _days(model, names):  # SQLite has no dates; SQLAlchemy reads them from text
                values = [tuple(v.isoformat() if n in days else v for n, v in enumerate(row)) for row in values]
            cursor.executemany(statement, values)
    touched: int = cursor.rowcount
    return touched


@cache
def _days(model: type[Base], names: tuple[str, ...]) -> frozenset[int]:
    """Return which of the columns hold dates."""
    return frozenset(place for place, name in enumerate(names) if isinstance(model.__table__.c[name].type, Date))


@contextmanager
def _sqlalchemys_errors(dialect: Dialect, statement: str) -> Iterator[None]:
    """Let an error of the driver out as SQLAlchemy's: those are what upkeep and the doors catch."""
    try:
        yield
    except dialect.loaded_dbapi.Error as error:
        raise DBAPIError(statement, None, error) from error
