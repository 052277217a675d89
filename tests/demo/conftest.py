"""A database with the register in it, as the demo has one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kampungnet import tables
from kampungnet.core import migrate
from kampungnet.core.database import Database
from kampungnet.villages import service as villages


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    tables.load()
    opened = Database(f"sqlite:///{tmp_path / 'kampungnet.db'}")
    migrate.migrate(opened)
    with opened.writes() as db, villages.register_path("banyuwangi").open(encoding="utf-8") as lines:
        villages.import_register(db, lines)
    yield opened
    opened.close()
