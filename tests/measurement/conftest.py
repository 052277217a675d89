"""What these tests share."""

from tests.support.fixtures import box, database, server

__all__ = ["box", "database", "server"]
