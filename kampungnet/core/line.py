"""A session over one connection that lasts, for a thread that writes all day.

Asking the pool, beginning and ending by SQLAlchemy's ways costs more than storing five reports. Here a transaction is
the driver's own; SQLAlchemy joins it only when something is asked through the session, as rare things are.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from sqlalchemy import Connection, Dialect, Engine
from sqlalchemy.orm import Session

from kampungnet.core import sight


class Driver(NamedTuple):
    """The driver's own connection, in the transaction of a session."""

    connection: Any
    dialect: Dialect


def driver_of(db: Session) -> Driver:
    """Return what a session's statements go to in the end, for those who know them as text."""
    if isinstance(db, Line) and db.driver is not None:
        return db.driver
    connection = db.connection()
    return Driver(connection.connection.driver_connection, connection.dialect)


class Line(Session):
    """Use it in one thread, and only inside of :meth:`transaction`."""

    def __init__(self, engine: Engine, info: dict[str, Any]) -> None:
        self._engine = engine
        self._lasting: Connection | None = None
        self.driver: Driver | None = None
        super().__init__(engine, info=info)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Begin, and commit at the end; when anything is raised, roll back and take another connection next time."""
        try:
            connection, dialect = self.driver or self._dialled()
            connection.execute("BEGIN IMMEDIATE" if dialect.name == "sqlite" else "BEGIN")
            yield
            if self.in_transaction():
                self.commit()
            connection.commit()  # the session may have begun something and never asked; nothing open is nothing to do
        except BaseException:
            self.hang_up()
            raise

    def _dialled(self) -> Driver:
        self._lasting = self.bind = self._engine.connect()
        self.driver = Driver(self._lasting.connection.driver_connection, self._lasting.dialect)
        # Many boxes' reports share a transaction: it sees every village. Said once, as the connection is nobody else's
        # before or after; what ties a reading to its own site is the signature.
        sight.see_everything_for_good(self._lasting)
        return self.driver

    def hang_up(self) -> None:
        """Roll back what is open, and give the connection up."""
        lasting, self._lasting, self.driver = self._lasting, None, None
        with suppress(Exception):  # the connection may be what failed
            self.close()
        if lasting is not None:
            lasting.invalidate()
            lasting.close()
