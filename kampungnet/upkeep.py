"""Work between requests: readings that are an hour old are packed, those of 90 days ago forgotten. One thread."""

import logging
import lzma
import threading
from datetime import date, timedelta
from typing import Final

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.measurement import recompute, rest

log = logging.getLogger(__name__)

INTERVAL_SECONDS: Final = 60
PAUSE_SECONDS: Final = 0.05
"""Between two agents, so that reports never wait long for the database."""
UNPACKABLE: Final = (SQLAlchemyError, lzma.LZMAError, msgspec.MsgspecError, ValueError, ArithmeticError)
"""What one agent's damaged pack or absurd numbers may raise: nobody else's readings wait for it."""


RAW_DAYS: Final = 90
"""How long readings are kept as received; what was folded from them stays."""


class Upkeep:
    """Packs and forgets in the background until closed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Finish the pack at hand, then stop."""
        self._stopping.set()
        self._thread.join(timeout=30)

    def _run(self) -> None:
        while not self._stopping.wait(INTERVAL_SECONDS):
            try:
                pack_all(self._database, self._stopping)
                forget_old(self._database)
            except SQLAlchemyError as error:
                log.error("upkeep failed and will be tried again in a minute: %s", error)


def pack_all(database: Database, stopping: threading.Event | None = None) -> int:
    """Pack every agent's older readings, each in a transaction of its own; return how many readings moved."""
    now_ms = clock.now_ms()
    with database.reads() as db:
        agents = rest.agents_to_pack(db, now_ms)
    moved = 0
    for regency, agent in agents:
        if stopping and stopping.wait(PAUSE_SECONDS):
            break
        try:
            moved += pack_one(database, regency, agent, now_ms)
        except UNPACKABLE as error:
            log.error("packing agent %s failed and will be tried again in a minute: %s", agent, error)
    return moved


def forget_old(database: Database, days: int = RAW_DAYS) -> int:
    """Delete readings as received that are older than ``days`` days; return how many packs went."""
    before = clock.now().date() - timedelta(days=days)
    with database.writes() as db:
        return rest.forget(db, before)


def pack_one(database: Database, regency: str, agent: str, now_ms: int) -> int:
    """Pack one agent's older readings; return how many moved: none when others came meanwhile, then the next round."""
    with database.reads() as db:
        planned = rest.plan(db, regency, agent, now_ms)
    try:
        with database.writes() as db:
            rest.carry_out(db, planned)
    except rest.PlanIsOld:
        return 0
    return len(planned.moving)


def recompute_days(database: Database, first: date, last: date, village: str | None = None) -> int:
    """Make the days between two anew from readings, a device at a time; return how many device days were made."""
    with database.reads() as db:
        spans = recompute.spans(db, first, last, village)
    return sum(_recompute_one(database, span) for span in spans)


def _recompute_one(database: Database, span: recompute.Span) -> int:
    while True:
        with database.reads() as db:
            made = recompute.remake(db, span)
        try:
            with database.writes() as db:
                recompute.write(db, made)
        except recompute.ReadingsCame:
            continue
        return len(made.days)
