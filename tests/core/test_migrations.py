"""Migrations: what they make is what the models say, with data inside, up and down, on both databases."""

import os
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from kampungnet import tables
from kampungnet.core import migrate, revision
from kampungnet.core.database import Base, Database
from kampungnet.core.errors import BadInput, Unavailable
from kampungnet.upkeep import pack_all
from tests.support.contents import contents
from tests.support.server import enrolled, ingested, prepared_database

LEDGER = {"traffic_days", "traffic_slots", "traffic_hours", "months_due"}
STORED = "reading_days"
"""Readings at rest, with when they were stored: what an older version does not know."""
HEARD = "agents"
"""With the networks and boots they spoke from, which an older version does not know either."""


@pytest.fixture
def empty(database_url: str) -> Iterator[Database]:
    tables.load()
    database = Database(database_url)
    yield database
    database.close()


def _downgrade(database: Database, to: str) -> None:
    with as_file(files("kampungnet") / "migrations") as folder, database.engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.attributes["connection"] = connection
        command.downgrade(config, to)


def test_an_empty_database_is_brought_to_the_newest_version_and_twice_is_harmless(empty: Database) -> None:
    assert migrate.version(empty) is revision.of(empty) is None
    assert migrate.migrate(empty) == (None, migrate.newest())
    assert migrate.migrate(empty) == (migrate.newest(), migrate.newest())
    assert migrate.version(empty) == migrate.newest() == revision.of(empty) == revision.newest()


def test_a_migration_is_on_disk_before_it_is_told_as_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[str, str | None]] = []
    really = os.fdatasync

    def watched(file: int) -> None:
        really(file)
        with database.reads() as db:
            version = db.scalar(text("SELECT version_num FROM alembic_version"))
        synced.append((Path(f"/proc/self/fd/{file}").readlink().name, version))

    database = Database(f"sqlite:///{tmp_path / 'kampungnet.db'}")
    monkeypatch.setattr(os, "fdatasync", watched)
    migrate.migrate(database)
    assert synced == [("kampungnet.db-wal", migrate.newest())]
    database.close()


def test_the_migrated_tables_are_those_of_the_models(empty: Database) -> None:
    migrate.migrate(empty)
    with empty.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_migrated_and_created_tables_agree_in_every_key_and_index(
    empty: Database, tmp_path_factory: pytest.TempPathFactory
) -> None:
    created = Database(f"sqlite:///{tmp_path_factory.mktemp('created') / 'db'}")
    Base.metadata.create_all(created.engine)
    migrate.migrate(empty)
    if empty.engine.dialect.name == "sqlite":
        for table in Base.metadata.tables:
            assert _described(empty, table) == _described(created, table)
    assert set(inspect(empty.engine).get_table_names()) - {"alembic_version"} == set(Base.metadata.tables)
    created.close()


def _described(database: Database, table: str) -> list[object]:
    found = inspect(database.engine)
    columns = [(one["name"], str(one["type"]), one["nullable"]) for one in found.get_columns(table)]
    indexes = sorted((one["name"] or "", one["column_names"]) for one in found.get_indexes(table))
    keys = sorted((one["constrained_columns"], one["referred_table"]) for one in found.get_foreign_keys(table))
    return [columns, indexes, keys, found.get_pk_constraint(table)["constrained_columns"]]


def test_postgresql_compresses_quickly_what_every_report_writes(postgresql_database_url: str) -> None:
    tables.load()
    database = Database(postgresql_database_url)
    migrate.migrate(database)
    columns = text(
        "SELECT attrelid::regclass::text, attcompression::text FROM pg_attribute WHERE attcompression <> '' ORDER BY 1"
    )
    room = text("SELECT reloptions FROM pg_class WHERE oid = 'devices'::regclass")
    with database.reads() as db:
        assert db.execute(columns).all() == [("devices", "l"), ("young_readings", "l")]
        assert db.scalar(room) == ["fillfactor=50"]
    _downgrade(database, "0028")
    with database.reads() as db:
        assert db.execute(columns).all() == []
        assert db.scalar(room) is None
    database.close()


def test_data_survives_every_upgrade(database_url: str) -> None:
    """A version later than these adds its own step with data from the version before."""
    database = prepared_database(database_url)
    box = enrolled(database)
    ingested(database, box.request(box.report(*(box.reading(taken_at_ms=1_785_462_000_000 + n) for n in range(3)))))
    pack_all(database)
    before = contents(database)
    assert len(before["reading_days"]) == 1
    _downgrade(database, "0001")
    assert "onus" not in inspect(database.engine).get_table_names()
    assert migrate.migrate(database) == ("0001", migrate.newest())
    after = contents(database)
    changed = {name for name in before if before[name] != after[name]}
    assert changed - {STORED, HEARD} == LEDGER, "made anew from readings by `recompute`"
    ((*kept, _), (*was, _)) = after[STORED] + before[STORED]
    assert kept == was
    assert after[STORED][0][-1] == 0
    database.close()


def test_a_day_of_traffic_is_turned_into_what_a_month_reads_and_back(database_url: str) -> None:
    database = prepared_database(database_url)
    box = enrolled(database)
    midnight_ms = 1_785_517_200_000
    readings = [box.reading(taken_at_ms=midnight_ms + n * 300_000) for n in range(-10, 50)]
    ingested(database, box.request(box.report(*readings)))
    pack_all(database)
    before = contents(database)["traffic_days"]
    _downgrade(database, "0017")
    with database.reads() as db:
        rows = db.execute(text("SELECT samples, peaks FROM traffic_days")).all()
    assert {len(peaks) // 16 for samples, peaks in rows} == {min(samples, 40) for samples, _ in rows}
    assert any(0 < samples < 40 for samples, _ in rows), "a short day is made as long as the others"
    migrate.migrate(database)
    assert contents(database)["traffic_days"] == before
    database.close()


def test_going_back_one_version_and_forth_again_loses_nothing_the_older_one_knows(database_url: str) -> None:
    """What a centre does that does not like an update; whichever version is the newest, it is held to this."""
    database = prepared_database(database_url)
    box = enrolled(database)
    readings = [box.reading(taken_at_ms=1_785_462_000_000 + n * 60_000) for n in range(30)]
    ingested(database, box.request(box.report(*readings)))
    pack_all(database)
    ingested(database, box.request(box.report(box.reading())))
    before = contents(database)
    newest = migrate.newest()
    with as_file(files("kampungnet") / "migrations") as folder:
        older = str(ScriptDirectory(str(folder)).get_revision("head").down_revision)
    assert migrate.migrate(database, older) == (newest, older)
    known = _columns(database)
    assert migrate.migrate(database) == (older, newest)
    after = contents(database)
    for table, columns in known.items():
        if table in before:
            assert _only(table, after, columns) == _only(table, before, columns), table
    database.close()


def _columns(database: Database) -> dict[str, set[str]]:
    found = inspect(database.engine)
    return {name: {one["name"] for one in found.get_columns(name)} for name in found.get_table_names()}


def _only(table: str, rows: dict[str, list[tuple[Any, ...]]], columns: set[str]) -> list[tuple[Any, ...]]:
    """Return the rows with those columns alone."""
    places = [place for place, column in enumerate(Base.metadata.tables[table].columns) if column.name in columns]
    return sorted((tuple(row[place] for place in places) for row in rows[table]), key=repr)


def test_a_version_that_does_not_exist_is_refused(empty: Database) -> None:
    with pytest.raises(BadInput, match="no version 12"):
        migrate.migrate(empty, "12")


def test_there_is_one_line_of_versions_and_each_can_go_back(empty: Database) -> None:
    with as_file(files("kampungnet") / "migrations") as folder:
        scripts = ScriptDirectory(str(folder))
        assert len(scripts.get_heads()) == 1
        versions = [script.revision for script in scripts.walk_revisions()]
    migrate.migrate(empty)
    for version in versions:
        assert migrate.version(empty) == version
        _downgrade(empty, "-1")
    assert set(inspect(empty.engine).get_table_names()) == {"alembic_version"}
    assert migrate.migrate(empty) == (None, versions[0])


def test_a_database_of_a_newer_program_is_refused_and_left_alone(empty: Database) -> None:
    migrate.migrate(empty)
    with empty.writes() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Unavailable, match="newer program"):
        migrate.migrate(empty)
    assert migrate.version(empty) == "9999"
