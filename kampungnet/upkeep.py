"""Work between requests: pack readings of an hour ago, add months up and close them, forget what is old. One thread."""

import logging
import lzma
import os
import threading
import time
from datetime import date
from typing import Final

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from kampungnet.core import clock, jobs
from kampungnet.core.database import Database
from kampungnet.core.errors import Problem
from kampungnet.hands import service as hands
from kampungnet.hotspot import garden_check, portals, sessions
from kampungnet.measurement import (
    closing,
    incident_log,
    onu_sights,
    outage_log,
    recompute,
    rest,
    retention,
    service_months,
)
from kampungnet.measurement.retention import Retention
from kampungnet.metrics import store

log = logging.getLogger(__name__)

INTERVAL_SECONDS: Final = 60
PAUSE_SECONDS: Final = 0.05
"""Between two agents, so that reports never wait long for the database."""
SITES_A_MINUTE: Final = 100
"""Whose outages are judged in one round: 401 sites take five minutes."""
JUDGING_SECONDS: Final = 20
"""No longer in one round: a site whose month is folded for the first time takes two, and packing waits meanwhile."""
UNPACKABLE: Final = (SQLAlchemyError, lzma.LZMAError, msgspec.MsgspecError, ValueError, ArithmeticError)
"""What one agent's damaged pack or absurd numbers may raise: nobody else's readings wait for it."""


class Upkeep:
    """Packs and forgets in the background until closed."""

    def __init__(self, database: Database, keep: Retention | None = None) -> None:
        self._database = database
        self._keep = keep or Retention.of(os.environ)
        self._forgot_on: date | None = None
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
                judge_outages(self._database, self._stopping)
                close_months(self._database)
                fold_portal_use(self._database)
                end_notices(self._database)
                settle_orders(self._database)
                garden_check.look_at_all(self._database)
                self._forget_once_a_day()
            except (SQLAlchemyError, OSError, Problem) as error:  # the last two: a disk that fails, and still does
                log.error("upkeep failed and will be tried again in a minute: %s", error)

    def _forget_once_a_day(self) -> None:
        today = clock.now().date()
        if self._forgot_on != today:
            with self._database.writes() as db:
                jobs.expect(db, clock.now_ms())
                jobs.expect_push(db, clock.now_ms(), is_wanted=bool(store.address(os.environ)))
            forget_old(self._database, self._keep, self._stopping)
            self._forgot_on = today


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


def fold_portal_use(database: Database) -> int:
    """Make the days of free wifi anew that are over and that something was told of; return how many."""
    number = 0
    while True:
        with database.writes() as db:
            folded = sessions.fold_days(db, clock.now_ms())
        number += folded
        if folded < sessions.DAYS_AT_ONCE:
            return number


def settle_orders(database: Database) -> None:
    """Write down which orders to boxes time has ended."""
    with database.reads() as db:
        if not hands.waiting_sites(db):
            return
    with database.writes() as db:
        hands.settle(db, clock.now_ms())


def end_notices(database: Database) -> None:
    """Take notices off the login pages whose days are over."""
    with database.writes() as db:
        portals.end_notices(db, clock.now_ms())


def judge_outages(database: Database, stopping: threading.Event | None = None) -> int:
    """Judge the outages of the sites that wait longest; return how many sites were judged. One transaction for all."""
    now_ms = clock.now_ms()
    with database.reads() as db:
        places = outage_log.due(db, now_ms, SITES_A_MINUTE)
    found: list[outage_log.Judged] = []
    young = onu_sights.Young()
    until = time.monotonic() + JUDGING_SECONDS
    for place in places:
        if (stopping and stopping.wait(PAUSE_SECONDS)) or time.monotonic() > until:
            break
        try:
            with database.reads() as db:
                found.append(outage_log.plan(db, place, now_ms, young))
        except UNPACKABLE as error:
            log.error("judging the outages of site %s failed and will be tried again: %s", place[1], error)
    if found:
        with database.writes() as db:
            for judged in found:
                outage_log.carry_out(db, judged)
        for regency in sorted({judged.place[0] for judged in found}):
            with database.writes() as db:
                incident_log.update(db, regency, now_ms)
    return len(found)


def close_months(database: Database, now_ms: int | None = None) -> int:
    """Add up the months whose days changed, then close those that are over; return how many lines' traffic was closed.

    A site's service is closed with its traffic.

    Any number of processes may do it at once: a month is added up by the one that takes it off the list.
    """
    now_ms = clock.now_ms() if now_ms is None else now_ms
    with database.reads() as db:
        dues = closing.dues(db)
    for due in dues:
        with database.writes() as db:
            closing.add_up(db, due, now_ms)
    with database.writes() as db:
        closed = closing.close(db, now_ms)
    with database.reads() as db:
        ready = service_months.to_close(db, now_ms, closing.CLOSE_MS)
    for place, month in ready:
        with database.writes() as db:
            service_months.close(db, place, month, now_ms)
    return closed


def forget_old(database: Database, keep: Retention, stopping: threading.Event | None = None) -> int:
    """Delete what is older than ``keep`` says and what no open month needs; return how many rows went."""
    with database.reads() as db:
        sites, oldest = retention.sites(db), closing.oldest_open(db)
    number = 0
    for site in sites:
        if stopping and stopping.wait(PAUSE_SECONDS):
            break
        with database.writes() as db:
            number += retention.forget(db, site, clock.now().date(), keep, oldest)
    with database.writes() as db:
        portals.forget_kicks(db, clock.now_ms())
        hands.forget(db, clock.now_ms())
        number += sessions.forget(db, clock.now_ms(), sessions.keep_days())
    return number


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
    """Make the days between two anew from readings, a device at a time; return how many device days were made.

    Outages are judged again from the first of them until now: what began on one day may end on any later one.
    """
    with database.reads() as db:
        spans = recompute.spans(db, first, last, village)
    number = sum(_recompute_one(database, span) for span in spans)
    _judge_again(database, first, village)
    close_months(database)
    return number


def _judge_again(database: Database, first: date, village: str | None) -> None:
    with database.reads() as db:
        places = outage_log.told_of(db, village)
    young = onu_sights.Young()
    for place in places:
        with database.reads() as db:
            judged = outage_log.plan(db, place, clock.now_ms(), young, first)
        with database.writes() as db:
            outage_log.carry_out(db, judged)
    for regency in sorted({regency for regency, _ in places}):
        since_ms = clock.day_start_ms(first, clock.zone_of(regency))
        with database.writes() as db:
            incident_log.update(db, regency, clock.now_ms(), since_ms=since_ms)


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
