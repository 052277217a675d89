"""What these tests share."""

from tests.support.fixtures import (
    box,
    database,
    postgresql_database,
    prepared_file,
    prepared_postgresql,
    server,
    sqlite_database,
)

__all__ = [
    "box",
    "database",
    "postgresql_database",
    "prepared_file",
    "prepared_postgresql",
    "server",
    "sqlite_database",
]
