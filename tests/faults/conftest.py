"""What the tests of this folder share. Databases are empty and of the test's own: these tests damage them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kampungnet.core.database import Database
from tests.faults import office
from tests.faults.office import Office


@pytest.fixture
def filled_office(postgresql_database_url: str, tmp_path: Path) -> Iterator[Office]:
    """A whole office on PostgreSQL, the stricter one: it refuses letters and numbers that SQLite takes."""
    database = Database(postgresql_database_url, tmp_path / "kampungnet.key")
    office.fill(database)
    with office.opened(database, tmp_path) as opened:
        yield opened
    database.close()


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """A small centre on SQLite, for faults that come before anything is stored."""
    return sqlite_database
