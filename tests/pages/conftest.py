"""A whole kabupaten, filled once for each database engine; these tests only look at it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kampungnet.app import Server
from kampungnet.core import clock
from kampungnet.core.database import Database
from tests.pages.sample import FATES, fill, hire
from tests.support import postgres


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def regency(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    folder = tmp_path_factory.mktemp("pages")
    if request.param == "sqlite":
        yield from _filled(f"sqlite:///{folder / 'kampungnet.db'}", folder)
    else:
        with postgres.database(request.getfixturevalue("postgresql_url"), "test_pages") as url:
            yield from _filled(url, folder)


@pytest.fixture
def server(regency: Database) -> Server:
    """The real app; each test has its own, so that failed sign-ins are not remembered."""
    return Server(regency, upkeep=False)


def _filled(url: str, folder: Path) -> Iterator[Database]:
    database = Database(url, folder / "kampungnet.key")
    fill(database, clock.now_ms(), history=tuple(FATES)[:4])
    hire(database)
    yield database
    database.close()
