"""A month of service is known for years, closed with its traffic, and corrected by what is found out later."""

import threading
from datetime import timedelta
from typing import Final

import msgspec
import pytest
from sqlalchemy import delete, select, update

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.measurement import outage_log, planned_work, rulings, service_months, unseen_days
from kampungnet.measurement.availability import Policy, availability
from kampungnet.measurement.models import ReadingDay
from kampungnet.measurement.month_facts import MonthFacts, changes
from kampungnet.measurement.outage_models import JudgedSite, LoggedOutage, ServiceMonth, UnseenDay
from kampungnet.measurement.outage_words import Cause, Evidence, Finding, Judgement, Outage, Span
from kampungnet.measurement.planned_work import Entry
from kampungnet.measurement.retention import Retention
from kampungnet.measurement.workdays import month_of
from kampungnet.staff.service import Role, Scope, SignedIn
from kampungnet.upkeep import close_months, forget_old
from tests.measurement.service_story import (
    AFTER,
    BEGAN,
    DAY,
    FAILED,
    LAST,
    MINUTE,
    MINUTES,
    PLACE,
    THIS,
    closed,
    judge,
    store,
)
from tests.support.contents import contents
from tests.support.server import REGENCY, SITE, VILLAGE, Box

MONTH: Final = month_of(LAST.year, LAST.month, clock.WIB)
SAW: Final = (MINUTES - 1) * MINUTE
ENGINEER: Final = SignedIn("sri", "Sri", Role.ENGINEER, Scope(REGENCY))


def _frozen(database: Database) -> list[MonthFacts]:
    with database.reads() as db:
        return service_months.frozen(db, PLACE, LAST)


def test_what_nobody_saw_is_known_a_year_later_for_any_policy(database: Database, box: Box) -> None:
    store(database, box, range(MINUTES))
    judge(database)
    with database.reads() as db:
        fresh = outage_log.record(db, PLACE, MONTH)
    judge(database, AFTER + 365 * clock.DAY_MS)
    with database.reads() as db:
        old = outage_log.record(db, PLACE, MONTH)
        rows = db.scalars(select(UnseenDay)).all()
    assert old is not None
    assert old == fresh
    found = availability([MONTH], old, Policy())
    assert found.down_by_cause == {Cause.PENYEDIA: len(FAILED) * 60}
    assert abs(found.up - (MINUTES - 1 - len(FAILED)) * 60) <= 60
    assert found.seconds == found.up + found.down + found.unknown
    of_day = next(one for one in rows if one.day == DAY)
    assert of_day.spans.startswith(f"[[0,{BEGAN - clock.day_start_ms(DAY, clock.WIB)}],["), of_day.spans


def test_days_while_the_server_stood_still_are_judged_when_it_is_back(database: Database, box: Box) -> None:
    judge(database, BEGAN - clock.DAY_MS)
    store(database, box, range(MINUTES))
    judge(database, BEGAN + 50 * clock.DAY_MS)
    with database.reads() as db:
        found = outage_log.record(db, PLACE, MONTH)
    assert found is not None
    assert [one.cause for one in found.outages if one.is_proven] == [Cause.PENYEDIA]
    assert availability([MONTH], found).up > 4 * 3600


def test_a_day_that_was_never_judged_is_unknown_and_not_good(database: Database, box: Box) -> None:
    store(database, box, range(MINUTES))
    judge(database)
    before = Span(MONTH.start_ms - 90 * clock.DAY_MS, MONTH.start_ms - 60 * clock.DAY_MS)
    with database.reads() as db:
        found = outage_log.record(db, PLACE, before)
    assert found is not None
    assert availability([before], found).unknown == 30 * 86_400


def test_judging_again_writes_nothing_but_that_it_was_done(database: Database, box: Box) -> None:
    store(database, box, range(MINUTES))
    judge(database)
    before = contents(database)
    judge(database)
    assert contents(database) == before


def test_a_judgement_that_is_older_than_the_one_that_stands_changes_nothing(database: Database, box: Box) -> None:
    store(database, box, range(200))
    with database.reads() as db:
        old = outage_log.plan(db, PLACE, AFTER)
    store(database, box, range(200, MINUTES))
    judge(database, AFTER + MINUTE)
    before = contents(database)
    with database.writes() as db:
        outage_log.carry_out(db, old)
    assert contents(database) == before


def test_a_month_is_closed_with_its_traffic_five_days_after_its_end(database: Database, box: Box) -> None:
    store(database, box, range(MINUTES))
    judge(database, AFTER - 1)
    close_months(database, AFTER - 1)
    assert _frozen(database) == []
    close_months(database, AFTER)
    assert _frozen(database) == [], "what was not judged since the wait was over is not closed"
    judge(database)
    close_months(database, AFTER)
    (found,) = _frozen(database)
    assert (found.noted_ms, found.period, found.judged) == (AFTER, MONTH, True)
    proven, silence = found.outages
    assert (proven.cause, proven.start_ms) == (Cause.PENYEDIA, BEGAN + 60 * MINUTE)
    assert (silence.is_proven, silence.end_ms) == (False, None), "the box is not heard since"
    assert found.traffic is not None
    assert (found.traffic.rx_bytes, found.traffic.lines) == (SAW // MINUTE * 6_000, ("router/ether1",))
    assert found.classes().down == 20 * 60


def test_closing_again_changes_nothing_and_many_processes_close_once(database: Database, box: Box) -> None:
    closed(database, box)
    before = contents(database)
    failed: list[BaseException] = []

    def work() -> None:
        try:
            close_months(database, AFTER + 1)
        except Exception as error:  # noqa: BLE001 -- a thread's failure is told by the test
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert failed == []
    assert contents(database) == before


def test_readings_that_come_after_closing_are_a_correction_and_what_stood_stays(database: Database, box: Box) -> None:
    closed(database, box, range(200))
    (stood,) = _frozen(database)
    store(database, box, range(200, MINUTES))
    judge(database, AFTER + clock.DAY_MS)
    close_months(database, AFTER + clock.DAY_MS)
    first, late = _frozen(database)
    assert first == stood
    told = changes(first, late)
    assert told["rx_bytes"] == (MINUTES - 200) * 6_000
    assert told["up_seconds"] == -told["unknown_seconds"] > 100 * 50
    assert "down_seconds" not in told
    judge(database, AFTER + 2 * clock.DAY_MS)
    close_months(database, AFTER + 2 * clock.DAY_MS)
    assert len(_frozen(database)) == 2, "nothing new: no correction"


def test_a_cause_ruled_after_closing_and_one_taken_back_are_corrections(database: Database, box: Box) -> None:
    closed(database, box)
    later = AFTER + 60 * clock.DAY_MS
    with database.writes() as db:
        outage, _ = outage_log.outages(db, PLACE, MONTH)
        rulings.rule(db, ENGINEER, SITE, outage, ("orang", "Router dicabut"), later)
    close_months(database, later)
    with database.writes() as db:
        rulings.withdraw(db, ENGINEER, SITE, outage, "Salah desa", later + 1)
    close_months(database, later + 1)
    causes = [[one.cause for one in facts.outages if one.is_proven] for facts in _frozen(database)]
    assert causes == [[Cause.PENYEDIA], [Cause.ORANG], [Cause.PENYEDIA]]


def test_a_cause_ruled_while_an_outage_lasts_holds_in_the_next_month_too(database: Database, box: Box) -> None:
    start, end = MONTH.end_ms - 2 * clock.DAY_MS, MONTH.end_ms + 3 * clock.DAY_MS
    dark = msgspec.json.encode([Evidence(start, Finding.NO_LIGHT)]).decode()
    with database.writes() as db:
        db.add(LoggedOutage(regency=REGENCY, site=SITE, start_ms=start, end_ms=None, cause="fiber", confidence=0.9,
                            evidence=dark, provisional=True))  # fmt: skip
    with database.writes() as db:
        (lasting,) = outage_log.outages(db, PLACE, MONTH)
        rulings.rule(db, ENGINEER, SITE, lasting, ("listrik", "PLN said so"), start + 60 * MINUTE)
    with database.writes() as db:
        db.execute(update(LoggedOutage).values(end_ms=end))
    with database.reads() as db:
        for part in (MONTH, Span(MONTH.end_ms, end), Span(end - 1, end)):
            assert [one.cause for one in outage_log.outages(db, PLACE, part)] == [Cause.LISTRIK]
            assert [one.cause for one in outage_log.of_regency(db, REGENCY, part)[SITE]] == [Cause.LISTRIK]


def test_planned_work_entered_after_closing_is_a_correction_by_the_contracts_that_count_it(
    database: Database, box: Box
) -> None:
    closed(database, box)
    start, end = (clock.local(BEGAN + minute * MINUTE, clock.WIB).strftime("%Y-%m-%dT%H:%M") for minute in (60, 80))
    with database.writes() as db:
        planned_work.enter(db, ENGINEER, Entry(start, end, (VILLAGE,), "", "Ganti kabel"), AFTER + 1)
    close_months(database, AFTER + 2)
    before, after = _frozen(database)
    assert changes(before, after) == {"late_seconds": 20 * 60}, "the house does not count it"
    counting = Policy(late_windows_count=True)
    assert after.classes(policy=counting).planned == 20 * 60
    assert before.classes(policy=counting).down == 20 * 60


def test_a_site_without_a_box_is_closed_as_unknown(database: Database, box: Box) -> None:
    store(database, box, range(MINUTES))
    close_months(database, AFTER)
    with database.writes() as db:
        ready = service_months.to_close(db, AFTER, 5 * clock.DAY_MS)
    assert ready == [], "a box that was never judged will be"


def test_a_silence_of_months_does_not_change_the_day_on_which_it_began(database: Database, box: Box) -> None:
    closed(database, box)
    before = contents(database)["outages"], contents(database)["unseen_days"]
    with database.writes() as db:
        db.execute(delete(ReadingDay))
    judge(database, AFTER + MINUTE)
    close_months(database, AFTER + MINUTE)
    assert contents(database)["outages"] == before[0]
    assert contents(database)["unseen_days"][: len(before[1]) - 1] == before[1][:-1], "only today goes on"
    assert len(_frozen(database)) == 1


def test_old_months_go_and_what_went_counts_as_unknown(database: Database, box: Box) -> None:
    closed(database, box)
    assert forget_old(database, Retention()) == 0
    forget_old(database, Retention(2, 2, 2, 2))
    with database.reads() as db:
        assert db.scalars(select(ServiceMonth)).all() == []
        assert [one.end_ms for one in db.scalars(select(LoggedOutage))] == [None], "what lasts is needed"
        since = db.scalar(select(JudgedSite.since))
        found = outage_log.record(db, PLACE, MONTH)
    assert since is not None
    assert since >= THIS - timedelta(days=3) or since > DAY
    assert found is not None
    assert availability([MONTH], found).up == 0


def test_time_is_cut_at_local_midnight_and_joined_again() -> None:
    midnight = clock.day_start_ms(DAY, clock.WIB)
    judged = Span(midnight, midnight + 3 * clock.DAY_MS)
    unseen = [Span(0, midnight + 5), Span(midnight + clock.DAY_MS - 10, midnight + 2 * clock.DAY_MS + 7)]
    found = unseen_days.split(unseen, judged, clock.WIB)
    assert found == {
        DAY: f"[[0,5],[{clock.DAY_MS - 10},{clock.DAY_MS}]]",
        DAY + timedelta(days=1): f"[[0,{clock.DAY_MS}]]",
        DAY + timedelta(days=2): "[[0,7]]",
    }
    assert unseen_days.united([*unseen, Span(midnight + 5, midnight + 6)], judged) == [
        Span(midnight, midnight + 6),
        Span(midnight + clock.DAY_MS - 10, midnight + 2 * clock.DAY_MS + 7),
    ]


@pytest.mark.parametrize(
    ("unseen", "lost", "first"),
    [
        ([], [], 0),
        ([(0, 50)], [], 50),
        ([(0, 50)], [(50, 70)], 70),
        ([(0, 50)], [(40, None)], None),
        ([(0, 100)], [], None),
        ([(10, 50)], [(0, 9)], 9),
    ],
)
def test_service_began_when_it_was_first_seen(
    unseen: list[tuple[int, int]], lost: list[tuple[int, int | None]], first: int | None
) -> None:
    outages = tuple(Outage(start, end, Cause.UNKNOWN, 1.0, (), provisional=False) for start, end in lost)
    judgement = Judgement(outages, tuple(Span(*one) for one in unseen))
    assert outage_log.first_service_ms(judgement, Span(0, 100)) == first
