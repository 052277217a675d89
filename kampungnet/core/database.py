"""One database behind one door: SQLite (WAL, FULL) by default, PostgreSQL in production.

Nobody commits but ``Database.writes`` (pages, the command line, and through it ``GroupCommit`` for
reports) and the migrations.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import (
    BigInteger,
    Engine,
    LargeBinary,
    MetaData,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import DeclarativeBase, Session

from kampungnet.core.errors import BadInput

Item = TypeVar("Item")
Result = TypeVar("Result")


class Base(DeclarativeBase):
    """All tables. Names of constraints are fixed, so that migrations can find them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {int: BigInteger}  # noqa: RUF012 -- SQLAlchemy reads it from the class


class Database:
    """The engine and its two kinds of session: one that only reads, one that commits."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self._writing = self.engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")

    @contextmanager
    def reads(self) -> Iterator[Session]:
        """Yield a session whose changes are thrown away."""
        with Session(self.engine, autoflush=False) as db:
            yield db

    @contextmanager
    def writes(self) -> Iterator[Session]:
        """Yield a session that commits at the end, or rolls back when anything is raised."""
        with Session(self._writing) as db, db.begin():
            yield db

    def close(self) -> None:
        """Give back all connections."""
        self.engine.dispose()


class Blob(LargeBinary):
    """Bytes as they are. SQLAlchemy's own type wraps each value for drivers that need it; ours do not."""

    cache_ok = True

    def bind_processor(self, dialect: Any) -> None:
        """Hand over bytes untouched."""


class NotStored(Exception):
    """A write could not be committed; nothing of it is in the database. The cause says why."""


class GroupCommit(Generic[Item, Result]):
    """Many small writes, one commit: what waits while one transaction runs shares the next.

    ``prepare`` runs outside the transaction and may use a reading session; ``store`` runs
    inside. A future resolves only after the commit. When a group fails, its items are tried
    one by one, so that one bad item never takes its neighbours down.
    """

    MAX_GROUP = 256
    MAX_WAITING = 4096

    def __init__(
        self,
        database: Database,
        prepare: Callable[[Session, list[Item]], list[Any]],
        store: Callable[[Session, list[Any]], list[Result]],
    ) -> None:
        self._database, self._prepare, self._store = database, prepare, store
        self._waiting: queue.Queue[tuple[Item, Future[Result]] | None] = queue.Queue(self.MAX_WAITING)
        self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)
        self._thread.start()

    def submit(self, item: Item) -> Future[Result]:
        """Queue one item. Raises ``queue.Full`` when too much waits already."""
        future: Future[Result] = Future()
        self._waiting.put_nowait((item, future))
        return future

    def close(self) -> None:
        """Finish what waits, then stop."""
        self._waiting.put(None)
        self._thread.join(timeout=30)

    def _run(self) -> None:
        stopping = False
        while not stopping:
            group = [self._waiting.get()]
            while len(group) < self.MAX_GROUP and not self._waiting.empty():
                group.append(self._waiting.get())
            stopping = None in group
            # Who gave up waiting is left out, and from here on nobody can: a cancelled future takes no result.
            work = [entry for entry in group if entry is not None and entry[1].set_running_or_notify_cancel()]
            if work:
                self._settle(work)

    def _settle(self, work: list[tuple[Item, Future[Result]]]) -> None:
        try:
            results = self._commit([item for item, _ in work])
        except Exception as error:  # noqa: BLE001 -- a worker thread must answer every future
            if len(work) == 1:
                failure = NotStored("the transaction failed")
                failure.__cause__ = error
                work[0][1].set_exception(failure)
            else:
                for entry in work:
                    self._settle([entry])
            return
        for (_, future), result in zip(work, results, strict=True):
            future.set_result(result)

    def _commit(self, items: list[Item]) -> list[Result]:
        with self._database.reads() as db:
            prepared = self._prepare(db, items)
        with self._database.writes() as db:
            return self._store(db, prepared)


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Without the URL itself: it may hold a password.
        raise BadInput("The database URL cannot be read: it looks like postgresql+psycopg://name@host/name.") from None
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_size=10, max_overflow=20, pool_pre_ping=True)
    if parsed.database:
        file = Path(parsed.database)
        file.parent.mkdir(parents=True, exist_ok=True)
        # Password hashes and readings are nobody else's business; SQLite gives its side files the same rights.
        file.touch(mode=0o600)
    engine = create_engine(parsed, connect_args={"timeout": 30, "check_same_thread": False})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


_SMALL_LOG: Final = "journal_size_limit=67108864"
# Without it the write-ahead log keeps for ever the size of the busiest hour it ever saw.


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not open transactions by itself: a writer begins IMMEDIATE, so that two
    # writers queue up instead of one failing half-way (SQLITE_BUSY_SNAPSHOT).
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-32000", _SMALL_LOG):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))
