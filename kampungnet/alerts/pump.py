"""Decides and sends between requests, on a thread of its own: a service that hangs keeps neither upkeep nor pages."""

import logging
import threading
from datetime import date
from typing import Final

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from kampungnet.alerts import outbox, sender
from kampungnet.alerts.models import AlertRecipient
from kampungnet.alerts.sender import Result
from kampungnet.alerts.words import Speaker
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.errors import Problem

log = logging.getLogger(__name__)

INTERVAL_SECONDS: Final = 20


class Pump:
    """Runs until closed; only one process of a server has one."""

    def __init__(self, database: Database, speaker: Speaker) -> None:
        self._database, self._speaker = database, speaker
        self._forgot_on: date | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop; what is being sent is left to end by itself, and its messages to the next round."""
        self._stopping.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopping.wait(INTERVAL_SECONDS):
            try:
                decide(self._database, self._speaker, clock.now_ms())
                deliver(self._database)
                self._forget_once_a_day()
            except (SQLAlchemyError, OSError, Problem, ValueError, msgspec.MsgspecError) as error:
                log.error("messages could not be written or sent and will be tried again: %s", error)

    def _forget_once_a_day(self) -> None:
        today = clock.now().date()
        if self._forgot_on != today:
            with self._database.writes() as db:
                outbox.forget(db, clock.now_ms())
            self._forgot_on = today


def decide(database: Database, speaker: Speaker, now_ms: int) -> int:
    """Write what is to be told, for every regency with recipients; return how many messages were written."""
    with database.reads() as db:
        asked = select(AlertRecipient.regency).where(AlertRecipient.ended_ms.is_(None)).distinct()
        regencies = sorted(db.scalars(asked))
    number = 0
    for regency in regencies:
        with database.reads() as db:
            found, digests = outbox.look(db, regency, speaker, now_ms)
        with database.writes() as db:
            number += outbox.write(db, found, digests, speaker, now_ms)
    return number


def deliver(database: Database, seconds: float = sender.SECONDS) -> int:
    """Send what is due and note what became of it; return how many messages went out."""
    now_ms = clock.now_ms()
    with database.reads() as db:
        if not outbox.is_anything_due(db, now_ms):
            return 0
    with database.writes() as db:
        tickets = outbox.claim(db, now_ms)
    parcels = [one.parcel for one in tickets if one.parcel]
    results = iter(sender.send(parcels, seconds) if parcels else ())
    told = [(one, next(results) if one.parcel else Result(sent=False, problem="key")) for one in tickets]
    with database.writes() as db:
        for ticket, result in told:
            outbox.settle(db, ticket, result, clock.now_ms())
    return sum(result.sent for _, result in told)
