"""One database behind one door: SQLite (WAL) by default, PostgreSQL in production.

Nobody commits but ``Database.writes``: pages, the command line, migrations, and through it ``GroupCommit`` for
reports.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from copy import copy
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

from kampungnet.core import sight
from kampungnet.core.errors import BadInput
from kampungnet.core.keys import Keys
from kampungnet.core.line import Line
from kampungnet.core.sweeper import LONGEST_LOG_PAGES, Sweeper, all_again
from kampungnet.core.turn import Turn, opened_log, to_disk

Item = TypeVar("Item")
Result = TypeVar("Result")

DIAL_SECONDS: Final = 10
"""How long PostgreSQL on another machine may take to answer a call; libpq itself waits for ever."""


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
    """The engine and its two kinds of session: one that only reads, one that commits.

    As it is opened it sees everything, for commands and jobs; :meth:`seen_by` gives the one of a request.
    """

    def __init__(self, url: str, key_file: Path | None = None) -> None:
        """Open a database. Its keys are in ``key_file``; those of an SQLite file lie beside it."""
        self.engine = _engine(url)
        self._show(sight.WHOLE)
        file = self.engine.url.database if self.engine.dialect.name == "sqlite" else None
        self._turn = Turn(Path(file)) if file else None
        self._log = f"{file}-wal" if file else None
        self._info = {"keys": Keys(key_file or (Path(file).with_name("kampungnet.key") if file else None))}

    def _show(self, what: sight.Sight) -> None:
        self._writing = self.engine.execution_options(**{"sqlite_begin": "BEGIN IMMEDIATE", sight.OPTION: what})
        # One page asks several questions: they see one moment, as SQLite does it anyway, not half a packing.
        self._reading = self.engine.execution_options(**{sight.SNAPSHOT: True, sight.OPTION: what})

    def seen_by(self, who: sight.Sight) -> "Database":
        """Return this database as somebody sees it: over the same connections, closed with this one."""
        seen = copy(self)
        seen._show(who)
        return seen

    @contextmanager
    def reads(self) -> Iterator[Session]:
        """Yield a session that sees the database as it is at its first question, and whose changes are thrown away."""
        with Session(self._reading, autoflush=False, info=self._info) as db:
            yield db

    @contextmanager
    def writes(self) -> Iterator[Session]:
        """Yield a session that commits at the end, or rolls back when anything is raised.

        What was committed is on disk when this returns. Nobody waits for our disk before their own turn.
        """
        with Session(self._writing, info=self._info) as db, self._durable(db, db.begin()):
            yield db

    def line(self) -> Line:
        """Return a session over a connection that lasts, for :meth:`writes_on`."""
        return Line(self._writing, self._info)

    def sweeper(self) -> Sweeper | None:
        """Return what keeps the log of an SQLite file short for who writes all day on a :meth:`line`."""
        return Sweeper(self.engine, self._turn) if self._turn else None

    @contextmanager
    def writes_on(self, line: Line) -> Iterator[Session]:
        """Do as :meth:`writes` does, over a connection that lasts."""
        with self._durable(line, line.transaction()):
            yield line

    @contextmanager
    def _durable(self, db: Session, transaction: AbstractContextManager[object]) -> Iterator[None]:
        with ExitStack() as stack:
            with self._turn or nullcontext():
                if self._turn and self._turn.is_doubtful():
                    all_again(self.engine)
                    self._turn.trust()
                with transaction:
                    yield
                    db.flush()  # from here on SQLite has its log open, so that nobody puts another in its place
                    # Opened before the commit: Linux tells of a failed write only those who had the file open then.
                    log = opened_log(self._log, stack) if self._log else None
            if self._turn and log is not None:
                to_disk(log, self._turn)

    def close(self) -> None:
        """Give back all connections."""
        self.engine.dispose()
        if self._turn:
            self._turn.close()


class Blob(LargeBinary):
    """Bytes as they are. SQLAlchemy's own type wraps each value for drivers that need it; ours do not."""

    cache_ok = True

    def bind_processor(self, dialect: Any) -> None:
        """Hand over bytes untouched."""


class NotStored(Exception):
    """A write could not be committed; nothing of it is in the database. Its words say why."""


class GroupCommit(Generic[Item, Result]):
    """Many small writes, one commit: what waits when our turn to write comes shares the transaction.

    Each item comes with a ticket. After the commit, and only then, ``deliver`` gets the tickets of the
    whole group with their results, in one call on this thread: waking an event loop once for each
    report costs more than storing it. When a group fails, its items are tried one by one, so that one
    bad item never takes its neighbours down.
    """

    MAX_GROUP = 256
    MAX_WAITING = 4096

    def __init__(
        self,
        database: Database,
        store: Callable[[Session, list[Item]], list[Result]],
        deliver: Callable[[list[tuple[Any, Result | NotStored]]], None],
    ) -> None:
        self._database, self._store, self._deliver = database, store, deliver
        self._line, self._sweeper = database.line(), database.sweeper()
        self._waiting: queue.SimpleQueue[tuple[Item, Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)
        self._thread.start()

    def submit(self, item: Item, ticket: Any) -> None:
        """Queue one item. Raises ``queue.Full`` when too much waits already."""
        if self._waiting.qsize() >= self.MAX_WAITING:
            raise queue.Full
        self._waiting.put((item, ticket))

    def close(self) -> None:
        """Finish what waits, then stop."""
        self._waiting.put(None)
        self._thread.join(timeout=30)
        if self._sweeper:
            self._sweeper.close()

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            group = [first]
            self._deliver(self._settled(group, self._gather))
            if self._sweeper:
                self._sweeper.look(self._line.driver)
        self._line.hang_up()

    def _gather(self, group: list[tuple[Item, Any]]) -> None:
        """Add what came while this thread waited for its turn to write."""
        while len(group) < self.MAX_GROUP and not self._waiting.empty():
            entry = self._waiting.get()
            if entry is None:
                self._waiting.put(None)  # nothing is submitted after it: the end comes when this group is done
                return
            group.append(entry)

    def _settled(
        self, group: list[tuple[Item, Any]], gather: Callable[[list[tuple[Item, Any]]], None] | None = None
    ) -> list[tuple[Any, Result | NotStored]]:
        is_used = self._line.driver is not None
        try:
            with self._database.writes_on(self._line) as db:
                if gather:
                    gather(group)
                results = self._store(db, [item for item, _ in group])
        except Exception as error:  # noqa: BLE001 -- a worker thread must answer every ticket
            # Not every failure came by way of the line: a disk that takes nothing fails behind it, or before.
            self._line.hang_up()
            if len(group) > 1:
                return [one for entry in group for one in self._settled([entry])]
            if is_used:  # the connection may have broken since the last group: another one decides
                return self._settled(group)
            # Its words alone: its frames hold what the group brought, and would stand in a circle with who keeps it.
            return [(group[0][1], NotStored(str(error)))]
        return [(ticket, result) for (_, ticket), result in zip(group, results, strict=True)]


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Without the URL itself: it may hold a password.
        raise BadInput("The database URL cannot be read: it looks like postgresql+psycopg://name@host/name.") from None
    if parsed.get_backend_name() != "sqlite":
        # The driver must not open transactions by itself: ``sight.begin`` says with the BEGIN what is seen.
        patience = {} if "connect_timeout" in parsed.query else {"connect_timeout": DIAL_SECONDS}
        engine = create_engine(
            parsed, pool_size=10, max_overflow=20, pool_pre_ping=True, isolation_level="AUTOCOMMIT",
            connect_args=patience,
        )  # fmt: skip
        event.listen(engine, "begin", sight.begin)
        return engine
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
    # NORMAL: a commit does not wait for the disk inside the turn, ``Database.writes`` does after it.
    lasting = ("journal_mode=WAL", "synchronous=NORMAL", f"wal_autocheckpoint={LONGEST_LOG_PAGES}", _SMALL_LOG)
    for pragma in (*lasting, "foreign_keys=ON", "cache_size=-32000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    if connection.connection.driver_connection.in_transaction:  # a Line's, which the session joins
        return
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))
