"""Fixtures of the server's tests, there for all; a folder that needs another database or server has its own.

Making and migrating a database takes half a second: here it is done once for each kind, and every test gets a fresh
copy of the file or a PostgreSQL database with only the register in it.
"""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text

from kampungnet.core.database import Base, Database
from tests.support import postgres
from tests.support.contents import let_commits_succeed
from tests.support.server import Box, Running, enrolled, prepared_database, serving

_numbers = itertools.count(1)
_REGISTER = ("regencies", "districts", "villages")
_FAILING = "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE 'no_commit_%'"


def _register(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of the register, parents first."""
    with database.reads() as db:
        return {
            name: [dict(row) for row in db.execute(select(Base.metadata.tables[name])).mappings()] for name in _REGISTER
        }


@pytest.fixture(scope="session")
def prepared_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file with three villages."""
    path = tmp_path_factory.mktemp("prepared") / "kampungnet.db"
    prepared_database(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def prepared_postgresql(postgresql_url: str) -> Iterator[str]:
    """A migrated PostgreSQL database with three villages."""
    with postgres.database(postgresql_url, f"prepared_{next(_numbers)}") as url:
        prepared_database(url).close()
        yield url


@pytest.fixture
def sqlite_database(prepared_file: Path, tmp_path: Path) -> Iterator[Database]:
    """A migrated SQLite database with three villages."""
    database = Database(f"sqlite:///{shutil.copy(prepared_file, tmp_path)}")
    yield database
    database.close()


@pytest.fixture
def postgresql_database(prepared_postgresql: str, tmp_path: Path) -> Iterator[Database]:
    """A migrated PostgreSQL database with three villages and nothing else, however the last test left it."""
    database = Database(prepared_postgresql, tmp_path / "kampungnet.key")
    register = _register(database)
    yield database
    with database.reads() as db:
        failing = db.scalars(text(_FAILING)).all()
    for table in failing:
        let_commits_succeed(database, table)
    keeps_register = _register(database) == register
    with database.writes() as db:
        for table in reversed(Base.metadata.sorted_tables):
            if not keeps_register or table.name not in _REGISTER:
                db.execute(delete(table))
        if not keeps_register:
            for name, rows in register.items():
                db.execute(insert(Base.metadata.tables[name]), rows)
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """A migrated database with three villages; the test runs on SQLite and on PostgreSQL."""
    found: Database = request.getfixturevalue(f"{request.param}_database")
    return found


@pytest.fixture
def box(database: Database) -> Box:
    """An enrolled box of the first village."""
    return enrolled(database)


@pytest.fixture
def server(database: Database) -> Iterator[Running]:
    """The whole application on loopback."""
    with serving(database) as running:
        yield running
