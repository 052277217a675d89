"""What a unit of work sees: the second wall between villages, held by PostgreSQL itself (:mod:`kampungnet.core.wall`).

Handlers name the village in each question. Where one forgets it, the database answers as if there were no other: each
transaction says of which place it is, in the same message that begins it, and the policies of the tables let nothing
else through, neither read nor written. Who says nothing sees nothing. SQLite has no such wall.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

EVERYTHING: Final = "*"
"""Of commands and jobs, and of the doors that serve many boxes at once."""
NOBODY_YET: Final = "?"
"""Of a request before it is known who asks: staff, their sessions, the tokens of programs, and no village."""
SETTING: Final = "kampungnet.place"
OPTION: Final = "kampungnet_sight"
"""Execution option with the sight of a session; a connection without one sees nothing."""
SNAPSHOT: Final = "kampungnet_snapshot"
"""Execution option of sessions that see one moment."""
_PLACE: Final = re.compile(r"[*?]|\d\d\.\d\d(\.\d\d(\.\d{4})?)?", re.ASCII)
_BYPASSES: Final = text("SELECT rolname FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls)")
_NOW: Final = text(f"SELECT current_setting('{SETTING}', true)")
_SET: Final = text(f"SELECT set_config('{SETTING}', :place, true)")


def bypass_sentence(role: str) -> str:
    """Return what is wrong with a role that walks through the wall, and what to do."""
    return (
        f"PostgreSQL's role {role} is a superuser or has BYPASSRLS, so the wall between villages does not hold: give "
        "the database to an ordinary role (docs/security.md)."
    )


def _checked(place: str) -> str:
    if not _PLACE.fullmatch(place):
        raise ValueError("This is no place that can be seen: a Kemendagri code of a kabupaten, kecamatan or village.")
    return place


class Sight:
    """What the sessions of one request see: a place by its code, and all that lies in it."""

    def __init__(self, place: str) -> None:
        self._place = _checked(place)
        self._begun: list[Connection] = []

    @property
    def place(self) -> str:
        """The place of now."""
        return self._place

    def see(self, place: str) -> None:
        """See another place from now on; transactions that have begun already are told."""
        self._place = _checked(place)
        for connection in self._begun:
            if not connection.closed and connection.in_transaction():
                connection.execute(_SET, {"place": place})

    def note(self, connection: Connection) -> None:
        """Remember whom to tell."""
        self._begun.append(connection)


class _Whole(Sight):
    """The one that all commands and jobs share."""

    def see(self, place: str) -> None:
        raise TypeError(f"Many see everything through this one: take a sight of your own to see {place}.")

    def note(self, connection: Connection) -> None:
        """Never told anything."""


WHOLE: Final = _Whole(EVERYTHING)


def begin(connection: Connection) -> None:
    """Begin a transaction of PostgreSQL and say what it sees, in one message."""
    options = connection.get_execution_options()
    if options.get("isolation_level") == "AUTOCOMMIT":
        return
    driver: Any = connection.connection.driver_connection
    if driver.info.transaction_status:  # a Line's, which the session joins
        return
    sight: Sight | None = options.get(OPTION)
    statement = "BEGIN ISOLATION LEVEL REPEATABLE READ" if options.get(SNAPSHOT) else "BEGIN"
    if sight is not None:
        statement += f"; SET LOCAL {SETTING} = '{_checked(sight.place)}'"
        sight.note(connection)
    try:
        driver.execute(statement, prepare=False)  # what is prepared may be one statement only
    except connection.dialect.loaded_dbapi.Error as error:
        if connection.dialect.is_disconnect(error, driver, None):
            connection.invalidate(error)
        raise DBAPIError.instance(statement, None, error, connection.dialect.loaded_dbapi.Error) from error


def see_everything(connection: Connection) -> None:
    """Let the transaction of a connection without a sight see everything."""
    if connection.dialect.name == "postgresql":
        connection.execute(_SET, {"place": EVERYTHING})


def see_everything_for_good(connection: Connection) -> None:
    """Let all transactions of a connection that never goes back to the pool see everything."""
    if connection.dialect.name == "postgresql":
        driver: Any = connection.connection.driver_connection
        driver.execute(f"SET {SETTING} = '{EVERYTHING}'")


@contextmanager
def seeing(db: Session, place: str = EVERYTHING) -> Iterator[None]:
    """Let one question of a session see more than who asks may: say beside each use why nothing of it gets out."""
    if db.get_bind().dialect.name != "postgresql":
        yield
        return
    if db.autoflush:  # what waits is written as seen until now
        db.flush()
    before = db.scalar(_NOW)
    db.execute(_SET, {"place": _checked(place)})
    try:
        yield
        db.flush()  # what was added here is written with the eyes that see it
    finally:
        with suppress(SQLAlchemyError):  # after a failure nothing more is seen or written, and its cause is what counts
            db.execute(_SET, {"place": before})


def bypassed_by(db: Session) -> str | None:
    """Return the role of this connection when PostgreSQL asks it for no policy: a superuser, or ``BYPASSRLS``."""
    if db.get_bind().dialect.name != "postgresql":
        return None
    found: str | None = db.scalar(_BYPASSES)
    return found
