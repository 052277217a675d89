"""Copies of a PostgreSQL database by its own tools: ``pg_dump`` and ``pg_restore``."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from psycopg.conninfo import make_conninfo
from sqlalchemy import Engine, text

from kampungnet.core import sight
from kampungnet.core.errors import Conflict, Unavailable

KIND: Final = "postgresql"
PATIENCE_SECONDS = 10.0
_OTHERS: Final = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND usesysid IS NOT NULL"
)
_TABLES: Final = text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
_OURS: Final = ("--no-owner", "--no-acl")
"""The database may have another owner where it is restored; rights of a reader are given again by `migrate`."""
_SEES_ALL: Final = f"-c {sight.SETTING}={sight.EVERYTHING}"


def engine_version(engine: Engine) -> str:
    """Return the version of the server."""
    with engine.connect() as db:
        return str(db.scalar(text("SHOW server_version")))


def copy(engine: Engine, to: Path) -> None:
    """Write a dump of the database as it is at this moment. Writers go on meanwhile.

    The owner is held by the wall between villages like everybody: it says that it wants to see everything. What says
    nothing gets no copy at all, for without that word ``pg_dump`` refuses to leave rows out.

    Packed days stand in a dump as hexadecimal digits: the lightest compression gives back the half of it.
    """
    _run(engine, "pg_dump", "--format=custom", "--compress=1", "--enable-row-security", *_OURS, f"--file={to}")


def check(engine: Engine, dump: Path) -> None:
    """Let the tool that will restore it read the whole dump."""
    _run(engine, "pg_restore", "--file=/dev/null", str(dump), with_database=False)


def exists(engine: Engine) -> bool:
    """Tell whether the database has tables."""
    with engine.connect() as db:
        return bool(db.scalar(_TABLES))


def expect_unused(engine: Engine) -> None:
    """Raise ``Conflict`` when anybody else is connected, and still is after a while: who just left is seen a moment."""
    until = time.monotonic() + PATIENCE_SECONDS
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        while db.scalar(_OTHERS):
            if time.monotonic() > until:
                raise Conflict(
                    f"Somebody is connected to the database {engine.url.database}: stop the server first "
                    "(systemctl stop kampungnet), then restore."
                )
            time.sleep(0.1)


def restore(engine: Engine, dump: Path) -> None:
    """Bring a dump into a database without tables: all of it or nothing."""
    _run(engine, "pg_restore", "--single-transaction", "--exit-on-error", *_OURS, str(dump))


@contextmanager
def put_aside(engine: Engine, name: str) -> Iterator[str]:
    """Keep the tables that are there in a schema of their own; they come back when the block fails."""
    _steps(engine, f'ALTER SCHEMA public RENAME TO "{name}"', "CREATE SCHEMA public")
    try:
        yield f"schema {name}"
    except BaseException:
        _steps(engine, "DROP SCHEMA public CASCADE", f'ALTER SCHEMA "{name}" RENAME TO public')
        raise


def _steps(engine: Engine, *steps: str) -> None:
    with engine.begin() as db:
        for step in steps:
            db.execute(text(step))


def _run(engine: Engine, program: str, *arguments: str, with_database: bool = True) -> None:
    found = shutil.which(program)
    if found is None:
        raise Unavailable(f"{program} is not installed here: on Debian, apt install postgresql-client.")
    place, secret = _place(engine)
    where = [f"--dbname={place}"] if with_database else []
    done = subprocess.run(  # noqa: S603 -- PostgreSQL's own tools, no shell
        [found, *where, *arguments],
        env=os.environ | secret | {"PGOPTIONS": _SEES_ALL},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it said nothing"]
        raise Unavailable(f"{lines[0].removesuffix('.')}. {program} must be as new as the server, and may read all.")


def _place(engine: Engine) -> tuple[str, dict[str, str]]:
    """Return where the database is, and its password apart: a command line can be read by all users of a machine."""
    _, words = engine.dialect.create_connect_args(engine.url)
    known: dict[str, Any] = {key: value for key, value in words.items() if key != "context"}
    password = known.pop("password", None)
    return make_conninfo("", **known), {"PGPASSWORD": str(password)} if password else {}
