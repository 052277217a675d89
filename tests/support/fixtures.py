"""Fixtures of the server's tests; a folder's conftest imports those it needs."""

from collections.abc import Iterator

import pytest

from kampungnet.core.database import Database
from tests.support.server import Box, Running, enrolled, prepared_database, serving


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated database with three villages; the test runs on SQLite and on PostgreSQL."""
    database = prepared_database(database_url)
    yield database
    database.close()


@pytest.fixture
def box(database: Database) -> Box:
    """An enrolled box of the first village."""
    return enrolled(database)


@pytest.fixture
def server(database: Database) -> Iterator[Running]:
    """The whole application on loopback."""
    with serving(database) as running:
        yield running
