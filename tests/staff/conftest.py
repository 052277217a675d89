"""A small kabupaten of its own for each test: these tests change who may sign in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kampungnet.app import Server
from kampungnet.core import clock
from kampungnet.core.database import Database
from tests.pages.sample import fill, hire


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    database = Database(database_url, tmp_path / "kampungnet.key")
    fill(database, clock.now_ms(), history=(), whole=False)
    hire(database)
    yield database
    database.close()


@pytest.fixture
def server(database: Database) -> Server:
    return Server(database, upkeep=False)
