"""These tests change the register itself: each gets a database of its own, migrated and empty."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kampungnet import tables
from kampungnet.core import migrate
from kampungnet.core.database import Database


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database; the test runs on SQLite and on PostgreSQL."""
    yield from _migrated(database_url)


@pytest.fixture
def sqlite_database(tmp_path: Path) -> Iterator[Database]:
    """An empty SQLite database."""
    yield from _migrated(f"sqlite:///{tmp_path / 'kampungnet.db'}")


def _migrated(url: str) -> Iterator[Database]:
    tables.load()
    database = Database(url)
    migrate.migrate(database)
    yield database
    database.close()
