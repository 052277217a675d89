"""A kabupaten with a cast, and someone who gets messages."""

import pytest

from kampungnet.app import Server
from kampungnet.core import reach
from kampungnet.core.database import Database
from tests.pages.sample import hire


@pytest.fixture(autouse=True)
def far_ends_may_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let messages go to services of this machine, as in an installation whose mail server is its neighbour."""
    monkeypatch.setenv(reach.NETWORKS, "127.0.0.0/8")


@pytest.fixture
def staffed(database: Database) -> Database:
    """The three villages of the register with the cast of the pages."""
    hire(database)
    return database


@pytest.fixture
def pages_server(staffed: Database) -> Server:
    """The pages of it."""
    return Server(staffed, upkeep=False)


@pytest.fixture
def sqlite_staffed(sqlite_database: Database) -> Server:
    """The pages on SQLite alone, for what no database can change."""
    hire(sqlite_database)
    return Server(sqlite_database, upkeep=False)
