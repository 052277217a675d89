"""Push what was measured to a metrics store, with its own time, from the database: nothing is kept but two positions.

Live readings go first; those at rest that are due follow between them. A store that went away is given the last
15 minutes again when it is back: it may have lost its last seconds. So is one whose pusher begins anew.
"""

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from kampungnet.core import clock, jobs
from kampungnet.core.database import Database
from kampungnet.core.errors import Problem
from kampungnet.metrics import backlog, cursors, sending
from kampungnet.metrics.cursors import Position
from kampungnet.metrics.days import Days
from kampungnet.metrics.lanes import Lanes
from kampungnet.metrics.sending import Away, Sender, When
from kampungnet.metrics.series import Gatherer
from kampungnet.metrics.store import Settings, Store
from kampungnet.villages import service as villages

log = logging.getLogger(__name__)

PAUSE_SECONDS: Final = 0.5
REPEAT_MS: Final = 900_000
KEEP_MS: Final = 10_000
"""How often the position is written down."""
PLACES_MS: Final = 30_000
"""How often villages and ONUs are looked up anew."""
READINGS_AT_ONCE: Final = 500
SAMPLES_AT_ONCE: Final = 10_000
LIVE_WAITS_SECONDS: Final = 0.5
"""So long at most for readings at rest."""
LATE_COMMIT_MS: Final = 10_000
"""On PostgreSQL a transaction may commit after a later one: so far back is looked again."""
FIRST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 60.0


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where both lanes stood at some moment."""

    at_ms: int
    live_ms: int
    rest_ms: int


class RegencyPush:
    """Pushes the readings of one regency to one store."""

    def __init__(self, database: Database, store: Store, settings: Settings, regency: str) -> None:
        self._database, self._settings, self._regency = database, settings, regency
        self._sender = Sender(store.send)
        self._gatherer = Gatherer()
        self._overlap_ms = 0 if database.engine.dialect.name == "sqlite" else LATE_COMMIT_MS
        with database.reads() as db:
            start_ms = cursors.resume_ms(db, settings.store, regency)
        self._live_ms = self._rest_ms = start_ms
        self._done: dict[backlog.YoungKey, int] = {}
        self._done_packs: dict[backlog.PackKey, int] = {}
        self._marks: deque[_Mark] = deque([_Mark(clock.now_ms(), start_ms, start_ms)])
        self._places, self._places_ms = backlog.Places(), 0
        self._pushed_ms: int | None = None

    def step(self) -> bool:
        """Push some live readings and packs for a second; say whether there may be more. Raises ``Away``."""
        now_ms = clock.now_ms()
        with self._database.reads() as db:  # both lanes see the same moment
            self._look_up_places(db, now_ms)
            live = backlog.young(db, self._regency, self._live_ms - self._overlap_ms, self._done, READINGS_AT_ONCE)
            first_day = clock.local_day(now_ms - self._settings.window_ms, clock.zone_of(self._regency))
            packs = backlog.rested(db, self._regency, self._rest_ms, first_day, self._done_packs)
        self._push_live(live, now_ms)
        left = packs[self._push_rested(packs, now_ms) :]
        self._advance(live, left, now_ms)
        return len(live) == READINGS_AT_ONCE or bool(left)

    def rewind(self) -> None:
        """Go back to where all stood 15 minutes ago."""
        mark = self._marks[0]
        self._live_ms, self._rest_ms = mark.live_ms, mark.rest_ms
        self._done.clear()
        self._done_packs.clear()

    def keep(self, db: Session, trouble: str, now_ms: int) -> None:
        """Write down how far the store has everything, and what it would not take."""
        mark = self._marks[0]
        place = Position(self._position(), min(mark.live_ms, mark.rest_ms), self._sender.taken, self._pushed_ms)
        cursors.keep(db, (self._settings.store, self._regency), place, (trouble, now_ms))
        cursors.count_dropped(db, (self._settings.store, self._regency), self._sender.dropped, now_ms)
        self._sender.taken = 0
        for dropped in self._sender.dropped.values():
            dropped.written = dropped.samples

    def _position(self) -> int:
        return min(self._live_ms, self._rest_ms)

    def _push_live(self, live: list[backlog.Young], now_ms: int) -> None:
        # In order of time within each series, whatever order they came in.
        when = When(now_ms, self._settings.window_ms)
        for _, _, site, device, kept in sorted(live, key=lambda one: one[4].taken_ms):
            for taken in sending.in_time(self._sender, backlog.polls(self._places, site, device, [kept]), when):
                self._gatherer.take(taken)
        if deliver(self._gatherer, self._sender, now_ms):
            self._pushed_ms = now_ms
        self._done.update({key: stored_ms for key, stored_ms, *_ in live})

    def _push_rested(self, packs: Sequence[backlog.Rested], now_ms: int) -> int:
        """Push the first packs, until live readings have waited long enough; return how many."""
        if not packs:
            return 0
        until = time.monotonic() + LIVE_WAITS_SECONDS
        sent: list[backlog.Rested] = []
        with Lanes(lambda parts: self._sender.deliver(parts, now_ms)) as lanes:
            days = Days(self._database, self._sender, self._gatherer, lanes)
            for pack in days.send(self._regency, self._places, packs, self._settings.window_ms):
                sent.append(pack)
                if time.monotonic() > until:
                    break
            lanes.wait()
        self._done_packs.update({pack.key: pack.stored_ms for pack in sent})
        self._pushed_ms = now_ms
        return len(sent)

    def _advance(self, live: list[backlog.Young], left: Sequence[backlog.Rested], now_ms: int) -> None:
        if live:
            self._live_ms = max(self._live_ms, live[-1][1])
        if now_ms < self._live_ms - REPEAT_MS:  # the server's clock was ahead, and has been set back
            self._live_ms = self._rest_ms = now_ms - REPEAT_MS
        # What rests may be due later than it was stored: never past what the live lane has.
        self._rest_ms = min(left[0].stored_ms, self._live_ms) if left else self._live_ms
        far_ms = self._live_ms - self._overlap_ms
        self._done = {key: at for key, at in self._done.items() if at >= far_ms}
        self._done_packs = {key: at for key, at in self._done_packs.items() if at >= self._rest_ms}
        if now_ms - self._marks[-1].at_ms >= KEEP_MS:
            self._marks.append(_Mark(now_ms, self._live_ms, self._rest_ms))
        while len(self._marks) > 1 and self._marks[1].at_ms <= now_ms - REPEAT_MS:
            self._marks.popleft()

    def _look_up_places(self, db: Session, now_ms: int) -> None:
        if now_ms - self._places_ms >= PLACES_MS or now_ms < self._places_ms:
            self._places, self._places_ms = backlog.places(db, self._regency), now_ms


class Pusher:
    """Pushes all regencies to one store until told to stop."""

    def __init__(self, database: Database, settings: Settings, stopping: threading.Event) -> None:
        self._database, self._settings, self._stopping = database, settings, stopping
        self._store = Store(settings)
        self._of: dict[str, RegencyPush] = {}
        self._trouble, self._wait, self._kept_ms = "", FIRST_WAIT, 0
        self._lost = False

    def run(self) -> None:
        """Push, wait, push again."""
        while not self._stopping.is_set():
            goes = False
            try:
                pause = 0.0 if self._round() else PAUSE_SECONDS
                self._is_well()
                goes = True
            except Away as away:
                pause = self._is_away(away)
            except (SQLAlchemyError, OSError, Problem) as error:
                log.error("nothing can be pushed from this database now, it will be tried again: %s", error)
                pause = LONGEST_WAIT
            self._keep(clock.now_ms(), goes=goes)
            self._stopping.wait(pause)
        self._keep(clock.now_ms(), at_once=True)
        self._store.close()

    def _round(self) -> bool:
        more = False
        with self._database.reads() as db:
            regencies = [one.code for one in villages.regencies(db)]
        for regency in regencies:
            if regency not in self._of:
                self._of[regency] = RegencyPush(self._database, self._store, self._settings, regency)
            more |= self._of[regency].step()
        return more

    def _is_well(self) -> None:
        if self._lost:
            for one in self._of.values():
                one.rewind()
        if self._trouble:
            log.warning("the metrics store takes samples again%s", "; the last 15 minutes go again" * self._lost)
            self._kept_ms = 0
        self._trouble, self._wait, self._lost = "", FIRST_WAIT, False

    def _is_away(self, away: Away) -> float:
        """Note it, once in the log, and return how many seconds to wait: twice as long each time, or as it asks."""
        if not self._trouble:
            log.warning("the metrics store takes nothing now, readings wait in the database: %s", away)
            self._kept_ms = 0
        self._trouble, self._lost = str(away), self._lost or away.answer.lost
        wait = min(max(self._wait, away.answer.after_seconds), LONGEST_WAIT)
        self._wait = min(self._wait * 2, LONGEST_WAIT)
        return wait * random.uniform(0.75, 1.0) if not away.answer.after_seconds else wait  # noqa: S311 -- no secret

    def _keep(self, now_ms: int, *, goes: bool = False, at_once: bool = False) -> None:
        if not at_once and 0 <= now_ms - self._kept_ms < KEEP_MS:
            return
        try:
            with self._database.writes() as db:
                for one in self._of.values():
                    one.keep(db, self._trouble, now_ms)
                if goes:
                    jobs.pushed(db, now_ms)
            self._kept_ms = now_ms
        except (SQLAlchemyError, OSError, Problem) as error:
            log.error("how far the metrics store has everything could not be written down: %s", error)


def deliver(gatherer: Gatherer, sender: Sender, now_ms: int) -> bool:
    """Send what was gathered; say whether that was anything. Raises ``Away``, then all of it must be gathered anew."""
    found = False
    try:
        for parts in gatherer.given(SAMPLES_AT_ONCE):
            sender.deliver(parts, now_ms)
            found = True
    except Away:
        gatherer.forget_waiting()
        raise
    return found
