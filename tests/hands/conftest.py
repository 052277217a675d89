"""What the tests of remote hands have in common."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kampungnet.core.database import Database
from tests.hands.scene import HandsOfBox, able
from tests.support.server import enrolled


@pytest.fixture
def hands(sqlite_database: Database, tmp_path: Path) -> Iterator[HandsOfBox]:
    """Return the hands of an enrolled box, of which the server knows what it can do."""
    box = enrolled(sqlite_database)
    able(sqlite_database, box)
    one = HandsOfBox(sqlite_database, box, tmp_path)
    yield one
    one.close()
