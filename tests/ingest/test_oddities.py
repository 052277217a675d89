"""Whatever cannot be right is counted once or not at all, and stands on the list of who looks after the boxes."""

import re
from datetime import timedelta
from typing import Any, Final

import msgspec
import pytest
from sqlalchemy import select

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.errors import BadInput
from kampungnet.ingest import service as ingest
from kampungnet.measurement import oddities
from kampungnet.measurement.models import TrafficDay
from kampungnet.measurement.oddities import Odd
from kampungnet.shared import wire
from kampungnet.upkeep import pack_all
from tests.support.server import NEIGHBOUR, REGENCY, SITE, VILLAGE, Box, enrolled, ingested, router_body

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
THEN: Final = clock.now_ms() - 30 * HOUR


def _listed(database: Database) -> dict[tuple[str, str], int]:
    today = clock.local_day(clock.now_ms(), clock.WIB)
    with database.reads() as db:
        found = oddities.devices(db, REGENCY, today - timedelta(days=3), today + timedelta(days=1))
    assert {(one.village, one.site) for one in found} <= {(VILLAGE, SITE)}
    return {(one.device, one.what.value): one.count for one in found}


def _sent(database: Database, box: Box, *readings: wire.Reading | bytes) -> list[wire.Receipt]:
    parts = [readings[n : n + 100] for n in range(0, len(readings), 100)]
    return ingested(database, *(box.request(box.report(*part)) for part in parts))


def _counted(database: Database) -> int:
    with database.reads() as db:
        return sum(db.scalars(select(TrafficDay.rx_bytes)))


@pytest.mark.parametrize(
    "taken_ms",
    [pytest.param(1_000, id="1970"), pytest.param(clock.now_ms() + 400 * clock.DAY_MS, id="the future")],
)
def test_readings_from_1970_and_from_the_future_are_listed(database: Database, box: Box, taken_ms: int) -> None:
    odd = [box.reading(router_body(n), taken_at_ms=taken_ms + n, boot_id="other", boottime_ms=n) for n in range(1, 4)]
    report = box.report(*odd)
    ingested(database, box.request(report, THEN))
    pack_all(database)
    assert _listed(database) == {("router", "time"): 3}


def test_a_counter_of_2_to_the_64_less_one_is_listed_and_not_counted(database: Database, box: Box) -> None:
    values = (1_000, 2**64 - 1, 1_000, 2_000)
    readings = [
        box.reading(router_body(value), taken_at_ms=THEN + n * 5 * MINUTE, device_uptime_seconds=9_000 + n * 300)
        for n, value in enumerate(values)
    ]
    _sent(database, box, *readings)
    pack_all(database)
    assert set(_listed(database)) <= {("router", "impossible"), ("", "refused")}
    assert _listed(database)
    assert _counted(database) <= 3_000


def test_a_negative_uptime_is_refused_alone_and_listed(database: Database, box: Box) -> None:
    good = box.reading(taken_at_ms=THEN)
    bad = re.sub(rb'"device_uptime_seconds":\d+', b'"device_uptime_seconds":-5',
                 msgspec.json.encode(box.reading(taken_at_ms=THEN + MINUTE)))  # fmt: skip
    (receipt,) = _sent(database, box, good, bad)
    assert (receipt.accepted, len(receipt.refused)) == ([good.sequence], 1)
    assert _listed(database) == {("", "refused"): 1}
    _sent(database, box, bad)
    assert _listed(database) == {("", "refused"): 2}


def test_a_box_that_claims_to_be_another_villages_is_refused_and_listed(database: Database, box: Box) -> None:
    other = enrolled(database, NEIGHBOUR)
    claim: dict[str, Any] = {"agent": other.agent}
    request = box.request(box.report(box.reading(), **claim))
    with database.writes() as db:
        (answer,) = ingest.accept(db, [ingest.Arrival(request)], ingest.Keys())
    assert isinstance(answer, BadInput)
    assert _listed(database) == {("", "claimed"): 1}


def test_two_contents_of_one_instant_are_listed(database: Database, box: Box) -> None:
    times = [THEN + n * MINUTE for n in range(4)]
    readings = [box.reading(router_body(n * 100), taken_at_ms=at) for n, at in enumerate(times)]
    _sent(database, box, *readings, box.reading(router_body(77_777), taken_at_ms=times[1]))
    pack_all(database)
    assert ("router", "conflict") in _listed(database)


def test_a_month_of_duplicates_is_counted_once_and_listed(database: Database, box: Box) -> None:
    readings = [box.reading(router_body(n * 1_000), taken_at_ms=THEN + n * MINUTE,
                            device_uptime_seconds=9_000 + n * 60) for n in range(120)]  # fmt: skip
    _sent(database, box, *readings)
    pack_all(database)
    counted = _counted(database)
    assert _listed(database) == {}
    receipts = _sent(database, box, *readings)
    assert sum(len(one.accepted) for one in receipts) == 120
    pack_all(database)
    assert _counted(database) == counted
    assert _listed(database) == {("", "repeated"): 100}, "twenty in one report are a lost receipt"


def test_the_same_card_in_two_boxes_shows_in_the_counters_of_the_box(database: Database, box: Box) -> None:
    first = box.reading(router_body(1), taken_at_ms=THEN, sequence=7)
    _sent(database, box, first)
    _sent(database, box, box.reading(router_body(2), taken_at_ms=THEN, sequence=7))
    with database.reads() as db:
        (found,) = oddities.boxes(db, REGENCY)
        assert oddities.boxes(db, "33.10") == []
    assert (found.village, found.counts) == (VILLAGE, {"conflicts": 1})


def test_every_kind_has_words() -> None:
    assert set(oddities.WORDS) == set(Odd)
