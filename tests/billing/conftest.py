"""What these tests share: the small kabupaten with its cast, on both databases, and a July for commands."""

import pytest
from sqlalchemy import text

from kampungnet.core import migrate
from kampungnet.core.database import Database
from tests.billing.story import JULY, books, close, facts, outage
from tests.staff.conftest import database, server

__all__ = ["database", "server"]


@pytest.fixture
def target(database: Database) -> list[str]:
    with database.writes() as db:  # the small kabupaten was made without migrations
        db.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        db.execute(text("INSERT INTO alembic_version VALUES (:newest)"), {"newest": migrate.newest()})
    books(database)
    close(database, JULY, facts(JULY, (outage(JULY, (100, 116)),)))
    return ["--database-url", database.engine.url.render_as_string(hide_password=False)]
