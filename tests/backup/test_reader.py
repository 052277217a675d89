"""The role that Grafana reads as sees the views for people still after a restore and a migration, and nothing else."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from kampungnet.backup.service import backup, restore
from kampungnet.core import migrate, readers
from kampungnet.core.commands import Place
from kampungnet.core.database import Database
from tests.architecture.sources import ROOT
from tests.support import postgres
from tests.support.server import prepared_database

SCRIPT: Final = ROOT / "dashboards/grafana/reader.sql"
VIEWS: Final = "SELECT relname FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace"


@pytest.fixture
def reading(postgresql_database_url: str) -> Iterator["psycopg.Connection[Any]"]:
    """Sign in as the reader, who was made by the script."""
    prepared_database(postgresql_database_url).close()
    with psycopg.connect(postgres.for_superuser(postgresql_database_url), autocommit=True) as db:
        db.execute(SCRIPT.read_text().encode())
    plain = postgresql_database_url.replace("+psycopg", "").replace("kampungnet@", f"{readers.ROLE}@", 1)
    with psycopg.connect(plain, autocommit=True) as db:
        yield db


def _seen(reading: "psycopg.Connection[Any]") -> list[str]:
    """Return the views that can be read; of tables there is none."""
    with pytest.raises(InsufficientPrivilege):
        reading.execute("SELECT count(*) FROM staff")
    found = sorted(name for (name,) in reading.execute(VIEWS))
    for name in found:
        reading.execute(f"SELECT count(*) FROM {name}".encode())
    return found


@pytest.mark.parametrize("lost", ["the tables", "nothing"])
def test_the_reader_reads_again_when_a_restored_database_is_started(
    lost: str, reading: "psycopg.Connection[Any]", postgresql_database_url: str, tmp_path: Path
) -> None:
    before, dsn = _seen(reading), reading.info.dsn
    place = Place(postgresql_database_url, tmp_path / "key")
    file, _ = backup(place, tmp_path / "backups")
    if lost == "the tables":
        with psycopg.connect(postgresql_database_url.replace("+psycopg", ""), autocommit=True) as db:
            db.execute("DROP SCHEMA public CASCADE")
            db.execute("CREATE SCHEMA public")
    reading.close()  # the server must be alone
    restore(file, place, force=True)
    with closing(Database(postgresql_database_url)) as database:
        migrate.migrate(database)  # what its unit does before it starts
    with psycopg.connect(dsn, autocommit=True) as again:
        assert _seen(again) == before
        assert len(before) >= 14


def test_the_reader_reads_a_view_that_a_migration_made_anew(
    reading: "psycopg.Connection[Any]", postgresql_database_url: str
) -> None:
    before = _seen(reading)
    with closing(Database(postgresql_database_url)) as database:
        migrate.migrate(database, "0016")
        migrate.migrate(database)
    assert _seen(reading) == before
