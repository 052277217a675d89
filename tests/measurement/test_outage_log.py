"""Outages are judged from the readings a site has, kept in a table, and judged again when readings come late."""

from datetime import timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import delete, select, update

from kampungnet import upkeep
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.devices.models import Agent
from kampungnet.measurement import outage_log
from kampungnet.measurement.models import ReadingDay
from kampungnet.measurement.outage_models import JudgedSite, LoggedOutage, SightDay
from kampungnet.measurement.outage_words import Cause, Finding, Outage, Span
from kampungnet.shared import wire
from tests.support.server import REGENCY, SITE, Box, ingested, router_body

MINUTE: Final = 60_000
PLACE: Final = (REGENCY, SITE)
NOW: Final = clock.now_ms()
BEGAN: Final = NOW - 300 * MINUTE
"""Old enough that some hours rest and some are young."""
POWER_BACK: Final = 80
"""The box and the router start at this minute, after being dark from minute 60 on."""


def _reading(box: Box, minute: int, *, boot: int = -9_000, internet: bool = True) -> wire.Reading:
    taken_ms = BEGAN + minute * MINUTE
    pings = [wire.Ping("internet", "203.0.113.1", 3, 3 if internet else 0), wire.Ping("gateway", "10.0.0.1", 3, 3)]
    return box.reading(
        router_body(1_000 + minute, pings=pings), taken_at_ms=taken_ms, boot_id=f"boot-{boot}",
        boottime_ms=(minute - boot) * MINUTE, device_uptime_seconds=(minute - boot) * 60,
    )  # fmt: skip


def _power_cut(box: Box) -> list[wire.Reading]:
    before = [_reading(box, minute) for minute in range(60)]
    return before + [_reading(box, minute, boot=POWER_BACK) for minute in range(POWER_BACK, 299)]


def _store(database: Database, box: Box, readings: list[wire.Reading], **health: Any) -> None:
    parts = [readings[place : place + 100] for place in range(0, len(readings), 100)] or [[]]
    answers = ingested(database, *(box.request(box.report(*part), NOW) for part in parts))
    assert sum(len(answer.accepted) for answer in answers) == len(readings)
    if health:
        with database.writes() as db:
            db.execute(update(Agent).where(Agent.id == box.agent).values(**health))


def _judge(database: Database, now_ms: int = NOW) -> None:
    with database.reads() as db:
        judged = outage_log.plan(db, PLACE, now_ms)
    with database.writes() as db:
        outage_log.carry_out(db, judged)


def _known(database: Database) -> list[Outage]:
    with database.reads() as db:
        return outage_log.outages(db, PLACE, Span(0, NOW + clock.DAY_MS))


def _rows(database: Database) -> list[tuple[Any, ...]]:
    with database.reads() as db:
        return [tuple(row) for row in db.execute(select(LoggedOutage.__table__).order_by(LoggedOutage.start_ms))]


def test_a_power_cut_is_kept_with_its_times_its_cause_and_what_speaks_for_it(database: Database, box: Box) -> None:
    _store(database, box, _power_cut(box))
    _judge(database)
    (found,) = _known(database)
    assert found.cause is Cause.LISTRIK
    assert found.end_ms == BEGAN + POWER_BACK * MINUTE
    assert abs(found.start_ms - BEGAN - 60 * MINUTE) <= MINUTE
    assert {Finding.BOX_RESTARTED, Finding.ROUTER_RESTARTED} <= {one.what for one in found.evidence}
    assert not found.provisional


def test_the_same_readings_give_the_same_rows_however_often_and_whether_young_or_packed(
    database: Database, box: Box
) -> None:
    _store(database, box, _power_cut(box))
    _judge(database)
    young = _rows(database)
    _judge(database)
    assert _rows(database) == young
    assert upkeep.pack_all(database) > 0
    _judge(database)
    with database.reads() as db:
        assert db.scalars(select(SightDay)).all(), "what rests is folded"
    assert _rows(database) == young
    _judge(database)
    assert _rows(database) == young


def test_an_outage_that_lasts_has_no_end_and_gets_one(database: Database, box: Box) -> None:
    _store(database, box, [_reading(box, minute, internet=minute < 200) for minute in range(280)])
    _judge(database, BEGAN + 280 * MINUTE)
    (lasting,) = _known(database)
    assert (lasting.cause, lasting.end_ms, lasting.provisional) == (Cause.PENYEDIA, None, True)
    _store(database, box, [_reading(box, minute) for minute in range(280, 299)])
    _judge(database)
    (over,) = _known(database)
    assert (over.start_ms, over.end_ms, over.provisional) == (lasting.start_ms, BEGAN + 280 * MINUTE, False)


def test_late_readings_turn_a_silence_into_what_it_was(database: Database, box: Box) -> None:
    every = [_reading(box, minute) for minute in range(299)]
    around, waiting = every[:100] + every[130:], every[100:130]
    _store(database, box, around, spool_readings=30, spool_oldest_ms=BEGAN + 100 * MINUTE)
    upkeep.pack_all(database)
    _judge(database)
    (silence,) = _known(database)
    assert (silence.cause, silence.provisional, silence.is_proven) == (Cause.UNKNOWN, True, False)
    _store(database, box, waiting, spool_readings=0, spool_oldest_ms=None)
    _judge(database)
    assert _known(database) == []


def test_an_outage_is_final_when_the_spool_has_arrived(database: Database, box: Box) -> None:
    _store(database, box, _power_cut(box), spool_readings=5, spool_oldest_ms=BEGAN + 30 * MINUTE)
    _judge(database)
    assert [one.provisional for one in _known(database)] == [True]
    _store(database, box, [], spool_readings=0, spool_oldest_ms=None)
    _judge(database)
    assert [one.provisional for one in _known(database)] == [False]


def test_a_final_outage_before_the_open_days_stays_as_it_is(database: Database, box: Box) -> None:
    old = {"regency": REGENCY, "site": SITE, "start_ms": NOW - 40 * clock.DAY_MS, "end_ms": NOW - 39 * clock.DAY_MS,
           "cause": "fiber", "confidence": 0.9, "evidence": "[]", "provisional": False}  # fmt: skip
    invented = old | {"start_ms": NOW - 3 * clock.DAY_MS, "end_ms": NOW - 2 * clock.DAY_MS}
    with database.writes() as db:
        db.add_all([LoggedOutage(**old), LoggedOutage(**invented)])
    _store(database, box, _power_cut(box))
    _judge(database)
    assert [one.cause for one in _known(database)] == [Cause.FIBER, Cause.LISTRIK]


def test_what_nobody_saw_is_told_and_so_is_the_time_since_the_last_judgement(database: Database, box: Box) -> None:
    period = Span(BEGAN - 60 * MINUTE, NOW)
    with database.reads() as db:
        assert outage_log.record(db, PLACE, period) is None, "never judged"
    _store(database, box, [_reading(box, minute) for minute in range(290)])
    _judge(database, BEGAN + 290 * MINUTE)
    with database.reads() as db:
        found = outage_log.record(db, PLACE, period)
    assert found is not None
    first, *_, last = found.unseen
    assert first == Span(BEGAN - 60 * MINUTE, BEGAN)
    assert last.end_ms == NOW


def test_the_background_judges_every_site_with_a_box_every_five_minutes(database: Database, box: Box) -> None:
    _store(database, box, _power_cut(box))
    assert upkeep.judge_outages(database) == 1
    assert upkeep.judge_outages(database) == 0
    with database.writes() as db:
        db.execute(update(JudgedSite).values(judged_ms=JudgedSite.judged_ms - outage_log.EVERY_MS - 60_000))
    assert upkeep.judge_outages(database) == 1
    # The background asks the real clock: a suite that runs for minutes has been silent since its readings were made.
    assert [one.cause for one in _known(database) if one.end_ms is not None] == [Cause.LISTRIK]


def _damage(database: Database) -> None:
    with database.writes() as db:
        db.execute(delete(LoggedOutage))
        db.execute(update(SightDay).values(timeline=b"\x90"))


def test_recomputing_brings_the_outages_and_the_folds_of_their_days_back(database: Database, box: Box) -> None:
    _store(database, box, _power_cut(box))
    upkeep.pack_all(database)
    _judge(database)
    with database.reads() as db:
        folds = [one.timeline for one in db.scalars(select(SightDay).order_by(SightDay.day))]
    (first,) = _rows(database)
    _damage(database)
    today = clock.local_day(NOW, clock.WIB)
    upkeep.recompute_days(database, today - timedelta(days=2), today)
    assert _rows(database)[0] == first
    with database.reads() as db:
        assert [one.timeline for one in db.scalars(select(SightDay).order_by(SightDay.day))] == folds


def test_recomputing_judges_final_days_again_while_their_readings_are_kept(database: Database, box: Box) -> None:
    back_ms = 45 * clock.DAY_MS
    long_ago = [msgspec.structs.replace(one, taken_at_ms=one.taken_at_ms - back_ms) for one in _power_cut(box)]
    _store(database, box, long_ago)
    upkeep.pack_all(database)
    _judge(database)
    before = _rows(database)
    assert before[0][4] == Cause.LISTRIK.value
    _damage(database)
    _judge(database, NOW + 1)
    assert before[0] not in _rows(database), "it is final, and nobody looks at its day again"
    day = clock.local_day(NOW - back_ms, clock.WIB)
    upkeep.recompute_days(database, day - timedelta(days=1), day)
    assert _rows(database)[0] == before[0]
    with database.writes() as db:
        db.execute(delete(ReadingDay))
    upkeep.recompute_days(database, day - timedelta(days=1), day)
    assert _rows(database)[0] == before[0], "what cannot be read any more stays"
