"""What these tests share: the small kabupaten with its cast, on both databases."""

from tests.staff.conftest import database, server

__all__ = ["database", "server"]
