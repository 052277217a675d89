"""Boxes without a clock battery: readings get their true time as soon as it can be known, and never a wrong one."""

from typing import Final

import pytest
from sqlalchemy import select

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.devices.models import Agent, Device
from kampungnet.measurement.boots import EARLIEST_MS, SERVER_AGREES_MS, TimeQuality
from kampungnet.measurement.models import YoungReading
from kampungnet.measurement.service import Place, measured
from kampungnet.shared import wire
from kampungnet.upkeep import pack_all
from tests.support.server import REGENCY, SITE, Box, ingested

NOW: Final = 1_785_462_000_000
UP_SINCE: Final = NOW - 600_000
"""True time of the boot in these tests: the box has been up for ten minutes at ``NOW``."""
MINUTE: Final = 60_000


def _times(database: Database) -> dict[int, tuple[int, int]]:
    with database.reads() as db:
        rows = db.execute(select(YoungReading.sequence, YoungReading.taken_ms, YoungReading.time_quality))
        return {row.sequence: (row.taken_ms, row.time_quality) for row in rows}


def _report(
    database: Database, box: Box, *readings: wire.Reading, sent: int, received: int = NOW, synchronised: bool = False
) -> wire.Receipt:
    """Send at true time ``received``: only the box's own clock says ``sent``."""
    body = box.report(*readings, sent_at_ms=sent, boottime_ms=received - UP_SINCE, clock_synchronised=synchronised)
    (receipt,) = ingested(database, box.request(body, received))
    assert isinstance(receipt, wire.Receipt), receipt
    return receipt


def test_readings_from_before_the_clock_was_right_get_their_true_time(database: Database, box: Box) -> None:
    # The box woke up in 1970. One, two and three minutes later it polls, still in 1970; then NTP answers.
    early = [box.reading(taken_at_ms=n * MINUTE, boottime_ms=n * MINUTE) for n in (1, 2, 3)]
    _report(database, box, *early[:2], sent=200_000, received=UP_SINCE + 200_000)
    assert _times(database) == {
        1: (UP_SINCE + MINUTE, TimeQuality.ESTIMATED),
        2: (UP_SINCE + 2 * MINUTE, TimeQuality.ESTIMATED),
    }
    _report(database, box, early[2], sent=NOW - 150, received=NOW, synchronised=True)
    assert _times(database) == {n: (UP_SINCE + n * MINUTE - 150, TimeQuality.SYNCHRONISED) for n in (1, 2, 3)}
    with database.reads() as db:
        payload = db.scalars(select(YoungReading.payload).where(YoungReading.sequence == 1)).one()
    assert b'"taken_at_ms":60000' in payload, "the raw time is kept too"


def test_a_synchronised_offset_is_not_replaced_by_an_estimate(database: Database, box: Box) -> None:
    _report(database, box, sent=NOW, received=NOW, synchronised=True)
    _report(database, box, sent=7, received=NOW + MINUTE)
    late = box.reading(taken_at_ms=5, boottime_ms=30_000)
    _report(database, box, late, sent=8, received=NOW + 2 * MINUTE)
    assert _times(database) == {1: (UP_SINCE + 30_000, TimeQuality.SYNCHRONISED)}


def test_of_two_estimates_the_faster_transport_wins(database: Database, box: Box) -> None:
    reading = box.reading(taken_at_ms=5, boottime_ms=30_000)
    body = box.report(reading, sent_at_ms=9, boottime_ms=600_000, clock_synchronised=False)
    ingested(database, box.request(body, NOW + 45_000))
    assert _times(database)[1][0] == UP_SINCE + 30_000 + 45_000, "the line was slow: 45 s late"
    _report(database, box, sent=10, received=NOW + MINUTE)
    assert _times(database)[1] == (UP_SINCE + 30_000, TimeQuality.ESTIMATED)


@pytest.mark.parametrize("wrong_by", [-10 * 365 * clock.DAY_MS, -SERVER_AGREES_MS - 1, SERVER_AGREES_MS + 1, 10**12])
def test_a_synchronised_clock_far_from_the_servers_is_not_believed(database: Database, box: Box, wrong_by: int) -> None:
    reading = box.reading(taken_at_ms=NOW + wrong_by, boottime_ms=600_000)
    _report(database, box, reading, sent=NOW + wrong_by, synchronised=True)
    assert _times(database) == {1: (NOW, TimeQuality.ESTIMATED)}
    with database.reads() as db:
        assert db.scalars(select(Agent.clock_offset_ms)).one() == wrong_by


def test_a_clock_in_the_future_of_a_boot_never_heard_of_is_arrival_time_and_never_computed_from(
    database: Database, box: Box
) -> None:
    future = box.reading(boot_id="an-earlier-boot", taken_at_ms=NOW + clock.DAY_MS, boottime_ms=5)
    assert _report(database, box, future, sent=NOW, synchronised=True).accepted == [1]
    assert _times(database) == {1: (NOW, TimeQuality.UNKNOWN)}
    with database.reads() as db:
        assert db.scalars(select(Device)).all() == [], "it is no state either"
        whole = measured(db, Place(REGENCY, SITE, "router"), NOW - clock.DAY_MS, NOW + clock.DAY_MS)
    assert whole.series == {}
    pack_all(database)
    with database.reads() as db:
        whole = measured(db, Place(REGENCY, SITE, "router"), NOW - clock.DAY_MS, NOW + clock.DAY_MS)
    assert whole.series == {}, "packed or not"


def test_an_earlier_boot_that_showed_a_plausible_time_keeps_it(database: Database, box: Box) -> None:
    earlier = box.reading(boot_id="an-earlier-boot", taken_at_ms=UP_SINCE - MINUTE, boottime_ms=5)
    _report(database, box, earlier, sent=NOW, synchronised=True)
    assert _times(database) == {1: (UP_SINCE - MINUTE, TimeQuality.RAW)}


def test_an_earlier_boot_that_showed_1970_is_not_believed(database: Database, box: Box) -> None:
    earlier = box.reading(boot_id="an-earlier-boot", taken_at_ms=MINUTE, boottime_ms=MINUTE)
    _report(database, box, earlier, sent=NOW, synchronised=True)
    assert _times(database) == {1: (NOW, TimeQuality.UNKNOWN)}


def test_a_repair_never_reaches_into_another_boot_or_another_box(database: Database, box: Box) -> None:
    earlier = box.reading(boot_id="an-earlier-boot", taken_at_ms=UP_SINCE - MINUTE, boottime_ms=5)
    _report(database, box, earlier, sent=3)
    _report(database, box, sent=NOW + 1, synchronised=True)
    assert _times(database) == {1: (UP_SINCE - MINUTE, TimeQuality.RAW)}


@pytest.mark.parametrize("boottime_ms", [0, 2**63 - 1, 10**15])
def test_absurd_boot_times_give_no_absurd_instants(database: Database, box: Box, boottime_ms: int) -> None:
    readings = [box.reading(taken_at_ms=NOW, boottime_ms=at) for at in (0, 1, 600_000, 2**63 - 1)]
    body = box.report(*readings, sent_at_ms=NOW, boottime_ms=boottime_ms, clock_synchronised=False)
    ingested(database, box.request(body, NOW))
    ingested(database, box.request(box.report(sent_at_ms=NOW, boottime_ms=600_000), NOW))
    for taken_ms, quality in _times(database).values():
        assert EARLIEST_MS <= taken_ms <= NOW + SERVER_AGREES_MS
        assert quality > TimeQuality.UNKNOWN or taken_ms == NOW
    assert pack_all(database) == 4


def test_the_state_of_a_device_does_not_go_back_when_the_backlog_arrives(database: Database, box: Box) -> None:
    backlog = box.reading(outcome=wire.Outcome.UNREACHABLE, taken_at_ms=NOW - 5 * MINUTE, boottime_ms=300_000)
    live = box.reading(taken_at_ms=NOW, boottime_ms=600_000)
    _report(database, box, live, sent=NOW, synchronised=True)
    _report(database, box, backlog, sent=NOW, synchronised=True)
    with database.reads() as db:
        device = db.scalars(select(Device)).one()
    assert (device.outcome, device.last_reading_ms, device.last_ok_ms) == ("ok", NOW, NOW)


def test_a_failure_keeps_when_the_device_was_last_good(database: Database, box: Box) -> None:
    good = box.reading(taken_at_ms=NOW - MINUTE, boottime_ms=540_000)
    silent = box.reading(outcome=wire.Outcome.UNREACHABLE, taken_at_ms=NOW, boottime_ms=600_000, detail="no answer")
    _report(database, box, silent, good, sent=NOW, synchronised=True)
    with database.reads() as db:
        device = db.scalars(select(Device)).one()
    assert (device.outcome, device.detail, device.kind) == ("unreachable", "no answer", "router")
    assert (device.last_reading_ms, device.last_ok_ms) == (NOW, NOW - MINUTE)
