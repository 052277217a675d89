"""What a database holds, and ways to make its commits fail for real."""

from typing import Any

from sqlalchemy import select, text

from kampungnet.core.database import Base, Database

_SQLITE_COMMIT_FAILS = (
    (
        "CREATE TABLE IF NOT EXISTS no_commit"
        " (child INTEGER REFERENCES no_commit_parent(id) DEFERRABLE INITIALLY DEFERRED)"
    ),
    "CREATE TABLE IF NOT EXISTS no_commit_parent (id INTEGER PRIMARY KEY)",
    (
        "CREATE TRIGGER no_commit_{table} AFTER {event} ON {table} WHEN {condition}"
        " BEGIN INSERT INTO no_commit VALUES (1); END"
    ),
)
_POSTGRESQL_COMMIT_FAILS = (
    (
        "CREATE OR REPLACE FUNCTION no_commit() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RAISE EXCEPTION ''this commit fails''; END'"
    ),
    (
        "CREATE CONSTRAINT TRIGGER no_commit_{table} AFTER {event} ON {table} DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION no_commit()"
    ),
)


def contents(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table, in an order of its own."""
    with database.reads() as db:
        return {
            table.name: sorted((tuple(row) for row in db.execute(select(table))), key=repr)
            for table in Base.metadata.sorted_tables
        }


def let_commits_fail(database: Database, table: str, event: str = "INSERT", condition: str = "true") -> None:
    """Let every statement succeed and the COMMIT fail, for rows of ``table`` that fulfil ``condition``."""
    steps = _SQLITE_COMMIT_FAILS if database.engine.dialect.name == "sqlite" else _POSTGRESQL_COMMIT_FAILS
    with database.writes() as db:
        for step in steps:
            db.execute(text(step.format(table=table, event=event, condition=condition)))


def let_commits_succeed(database: Database, table: str) -> None:
    """Take the failure away again."""
    with database.writes() as db:
        place = "" if database.engine.dialect.name == "sqlite" else f" ON {table}"
        db.execute(text(f"DROP TRIGGER no_commit_{table}{place}"))
