"""What these tests share: the small kabupaten with its cast, on both databases, and a July for commands."""

import pytest

from kampungnet.core.database import Database
from tests.billing.story import JULY, books, close, facts, outage
from tests.staff.conftest import database, server

__all__ = ["database", "server"]


@pytest.fixture
def target(database: Database) -> list[str]:
    books(database)
    close(database, JULY, facts(JULY, (outage(JULY, (100, 116)),)))
    return ["--database-url", database.engine.url.render_as_string(hide_password=False)]
