"""What a provider's OLT saw of an ONU reaches the judge of the village it belongs to, and of no other."""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import select, update

from kampungnet import upkeep
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.devices import onus
from kampungnet.devices.models import Agent
from kampungnet.measurement import onu_sights, outage_log
from kampungnet.measurement.outage_models import LoggedOutage, OnuSightDay
from kampungnet.measurement.outage_words import Cause, Finding, Outage, Span
from kampungnet.shared import wire
from kampungnet.villages import service as villages
from tests.support.server import NEIGHBOUR, REGENCY, SITE, VILLAGE, Box, ingested, router_body

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
NOW: Final = clock.now_ms()
BEGAN: Final = (NOW // HOUR - 5) * HOUR
"""A full hour: some of the hours after it rest, some are young."""
LAST: Final = (NOW - BEGAN) // MINUTE - 1
OURS: Final = "ZTEGC1234567"
NOT_OURS: Final = "HWTC0A1B2C3D"
OF_OLT: Final = (REGENCY, f"{NEIGHBOUR}-1")
"""A village without a box."""
UP, GASP, LOS, OFF = (
    wire.OnuState.ONLINE,
    wire.OnuState.DYING_GASP,
    wire.OnuState.LOS,
    wire.OnuState.OFFLINE,
)


def _assign(database: Database, village: str = NEIGHBOUR, serial: str = OURS, since_ms: int = BEGAN) -> None:
    with database.writes() as db:
        onus.assign(db, villages.village(db, village), serial, "sari", since_ms)


def _look(box: Box, minute: int, state: wire.OnuState, serial: str = OURS) -> wire.Reading:
    body = wire.OltBody(onus=[wire.Onu(serial, state=state), wire.Onu(NOT_OURS, state=LOS)])
    return box.reading(body, device="olt", taken_at_ms=BEGAN + minute * MINUTE)


def _looks(box: Box, minutes: Iterable[int], *down: tuple[range, wire.OnuState]) -> list[wire.Reading]:
    """Return a look a minute; ``down`` names minutes in which the ONU is in another state than online."""
    states = {minute: state for span, state in down for minute in span}
    return [_look(box, minute, states.get(minute, UP)) for minute in minutes]


def _store(database: Database, box: Box, readings: list[wire.Reading], **health: Any) -> None:
    parts = [readings[place : place + 100] for place in range(0, len(readings), 100)] or [[]]
    # Received when the box says it sent them: a suite that runs for minutes is no box with a wrong clock.
    answers = ingested(database, *(box.request(box.report(*part), clock.now_ms()) for part in parts))
    assert sum(len(answer.accepted) for answer in answers) == len(readings)
    if health:
        with database.writes() as db:
            db.execute(update(Agent).where(Agent.id == box.agent).values(**health))


def _judge(database: Database, place: outage_log.Place = OF_OLT, now_ms: int = NOW) -> list[Outage]:
    with database.reads() as db:
        judged = outage_log.plan(db, place, now_ms)
    with database.writes() as db:
        outage_log.carry_out(db, judged)
    with database.reads() as db:
        return outage_log.outages(db, place, Span(0, NOW + clock.DAY_MS))


def _what(outage: Outage) -> set[Finding]:
    return {one.what for one in outage.evidence}


def test_a_village_without_a_box_is_judged_by_upkeep_from_the_olt(database: Database, box: Box) -> None:
    _assign(database)
    power = (range(100, 102), GASP), (range(102, 140), OFF)
    _store(database, box, _looks(box, range(LAST), *power))
    assert upkeep.judge_outages(database) == 2, "the village, and the one whose box asks the OLT"
    with database.reads() as db:
        rows = db.scalars(select(LoggedOutage)).all()
    assert [(row.site, row.cause) for row in rows] == [(OF_OLT[1], "listrik")], "nor of a stranger's ONU"
    (found,) = _judge(database)
    assert (found.start_ms, found.end_ms) == (BEGAN + 100 * MINUTE, BEGAN + 140 * MINUTE)
    assert (_what(found), found.provisional) == ({Finding.OLT_GASP}, False)


def test_the_same_looks_give_the_same_outages_young_and_packed(database: Database, box: Box) -> None:
    _assign(database)
    # Over a full hour, so that two packs hold one outage.
    _store(database, box, _looks(box, range(LAST), (range(50, 75), LOS), (range(LAST - 20, LAST - 8), GASP)))
    young = _judge(database)
    assert [one.cause for one in young] == [Cause.FIBER, Cause.LISTRIK]
    assert upkeep.pack_all(database) > 0
    with database.reads() as db:
        assert {(row.site, row.device) for row in db.scalars(select(OnuSightDay))} == {(OF_OLT[1], "ont@olt")}
    assert _judge(database) == young
    assert _judge(database) == young


def test_a_line_that_is_cut_stays_open_when_the_olt_falls_silent(database: Database, box: Box) -> None:
    _assign(database)
    _store(database, box, _looks(box, range(60), (range(40, 60), LOS)))
    (found,) = _judge(database)
    assert (found.cause, found.end_ms, found.provisional) == (Cause.FIBER, None, True)


def test_a_silent_olt_says_nothing_of_a_village(database: Database, box: Box) -> None:
    _assign(database)
    silent = [
        box.reading(device="olt", outcome=wire.Outcome.UNREACHABLE, taken_at_ms=BEGAN + minute * MINUTE)
        for minute in range(60, LAST)
    ]
    _store(database, box, _looks(box, range(60)) + silent)
    assert _judge(database) == []
    with database.reads() as db:
        known = outage_log.record(db, OF_OLT, Span(BEGAN, NOW))
    assert known is not None
    (unseen,) = known.unseen
    assert unseen.end_ms == NOW
    assert unseen.start_ms <= BEGAN + 80 * MINUTE


def test_a_single_look_proves_no_outage(database: Database, box: Box) -> None:
    _assign(database)
    _store(database, box, [*_looks(box, range(60)), _look(box, 60, LOS), *_looks(box, range(90, LAST))])
    assert _judge(database) == []


def test_the_olt_tells_why_a_villages_own_box_is_silent(database: Database, box: Box) -> None:
    """The village with the box has the ONU as well: here its box asks the OLT over another line."""
    _assign(database, VILLAGE)
    polls = [box.reading(router_body(minute), taken_at_ms=BEGAN + minute * MINUTE) for minute in range(60)]
    _store(database, box, polls)
    (alone,) = _judge(database, (REGENCY, SITE))
    assert (alone.cause, alone.is_proven) == (Cause.UNKNOWN, False)
    _store(database, box, _looks(box, range(LAST), (range(60, LAST), LOS)))
    (told,) = _judge(database, (REGENCY, SITE))
    assert (told.cause, told.is_proven, told.end_ms) == (Cause.FIBER, True, None)
    assert {Finding.OLT_LOS, Finding.SILENCE} <= _what(told)


def test_late_looks_of_an_hour_at_rest_count_once_they_rest_too(database: Database, box: Box) -> None:
    _assign(database)
    every = _looks(box, range(LAST), (range(20, 40), LOS), (range(70, 90), GASP))
    _store(database, box, every[:20] + every[40:])
    upkeep.pack_all(database)
    assert [one.cause for one in _judge(database)] == [Cause.LISTRIK]
    _store(database, box, every[10:40])
    assert upkeep.pack_all(database) == 20, "ten of them were known"
    late, other_hour = _judge(database)
    assert (late.start_ms, late.end_ms) == (BEGAN + 20 * MINUTE, BEGAN + 40 * MINUTE)
    assert other_hour.cause is Cause.LISTRIK, "what rests of other hours stays"


def test_looks_that_go_to_rest_during_a_round_are_not_counted_twice(database: Database, box: Box) -> None:
    _assign(database)
    _store(database, box, _looks(box, range(LAST), (range(50, 75), LOS)))
    opened = onu_sights.Young()
    with database.reads() as db:
        before = outage_log.plan(db, OF_OLT, NOW, opened).judgement
    assert upkeep.pack_all(database) > 0
    with database.reads() as db:
        assert outage_log.plan(db, OF_OLT, NOW, opened).judgement == before


def test_an_outage_is_final_when_the_box_that_asks_the_olt_has_sent_all(database: Database, box: Box) -> None:
    _assign(database)
    looks = _looks(box, range(LAST), (range(50, 75), LOS))
    _store(database, box, looks, spool_readings=3, spool_oldest_ms=BEGAN + 60 * MINUTE)
    assert [one.provisional for one in _judge(database)] == [True]
    _store(database, box, [], spool_readings=0, spool_oldest_ms=None)
    assert [one.provisional for one in _judge(database)] == [False]


def test_what_an_onu_showed_stays_with_the_village_it_was_in(database: Database, box: Box) -> None:
    _assign(database)
    _store(database, box, _looks(box, range(120), (range(30, 60), LOS)))
    upkeep.pack_all(database)
    _assign(database, "35.10.01.2001", since_ms=BEGAN + 120 * MINUTE)
    _store(database, box, _looks(box, range(120, LAST), (range(150, 170), GASP)))
    assert [one.cause for one in _judge(database)] == [Cause.FIBER]
    assert [one.cause for one in _judge(database, (REGENCY, "35.10.01.2001-1"))] == [Cause.LISTRIK]
