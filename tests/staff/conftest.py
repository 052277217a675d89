"""A small kabupaten of its own for each test: these tests change who may sign in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, text

from kampungnet.app import Server
from kampungnet.core import clock, migrate
from kampungnet.core.database import Base, Database
from tests.pages.sample import fill, hire


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """On PostgreSQL one that migrations made, with the wall between villages."""
    if request.param == "postgresql":
        database: Database = request.getfixturevalue("postgresql_database")
        with database.writes() as db:
            for name in ("villages", "districts", "regencies"):
                db.execute(delete(Base.metadata.tables[name]))
    else:
        database = Database(f"sqlite:///{tmp_path / 'kampungnet.db'}", tmp_path / "kampungnet.key")
    fill(database, clock.now_ms(), history=(), whole=False)
    if request.param == "sqlite":  # made without migrations: commands want to know the version
        with database.writes() as db:
            db.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
            db.execute(text("INSERT INTO alembic_version VALUES (:newest)"), {"newest": migrate.newest()})
    hire(database)
    yield database
    database.close()


@pytest.fixture
def server(database: Database) -> Server:
    return Server(database, upkeep=False)
