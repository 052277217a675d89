"""A small kabupaten of its own for each test: these tests change who may sign in."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, text

from kampungnet import cli
from kampungnet.app import Server
from kampungnet.core import clock, migrate
from kampungnet.core.database import Base, Database
from tests.pages.sample import PASSWORD, fill, hire
from tests.support.server import where

Run = Callable[..., tuple[int, str]]
"""A command's words in; its exit code and all it said out."""


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


@pytest.fixture
def run(database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command; return its exit code and all it said."""

    def one(*words: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD} lagi\n"))
        code = cli.main([*words, *where(database)])
        said = capsys.readouterr()
        return code, said.out + said.err

    return one
