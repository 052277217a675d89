"""The ledger for programs: who sees what, what is said, and that nobody is told about another village."""

from datetime import timedelta
from typing import Any, Final

import pytest
from httpx import AsyncClient

from kampungnet.app import Server
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.measurement import closing
from kampungnet.upkeep import close_months, pack_all
from tests.pages.cast import browser, signed_in
from tests.pages.sample import REJOSARI, hire
from tests.support.server import VILLAGE, Box, enrolled, ingested, router_body

MINUTE: Final = 60_000
TODAY: Final = clock.local_day(clock.now_ms() - 6 * 3_600_000, clock.WIB)
DAY: Final = TODAY.replace(day=1) - timedelta(days=14)
START: Final = clock.day_start_ms(DAY, clock.WIB)
CLOSED: Final = clock.day_start_ms(TODAY.replace(day=1), clock.WIB) + closing.CLOSE_MS
OF_VILLAGE: Final = f"/data/v1/villages/{VILLAGE}"


@pytest.fixture
async def budi(sqlite_database: Database) -> AsyncClient:
    """Pak Budi, the operator of the village whose box reported."""
    hire(sqlite_database)
    return await signed_in(Server(sqlite_database, upkeep=False), "budi")


@pytest.fixture
def measured(sqlite_database: Database, sqlite_box: Box) -> Database:
    _store(sqlite_database, sqlite_box, *((n * 5, n * 3_000) for n in range(3)), (60, 90_000), (65, 2**63 - 1))
    return sqlite_database


@pytest.fixture
def sqlite_box(sqlite_database: Database) -> Box:
    return enrolled(sqlite_database)


def _store(database: Database, box: Box, *points: tuple[int, int]) -> None:
    readings = [
        box.reading(router_body(rx), taken_at_ms=START + minute * MINUTE, device_uptime_seconds=9_000_000 + minute * 60)
        for minute, rx in points
    ]
    ingested(database, box.request(box.report(*readings)))
    pack_all(database)


async def _get(visitor: AsyncClient, path: str, **asked: Any) -> Any:
    answer = await visitor.get(OF_VILLAGE + path, params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_slots_of_a_day_with_what_must_be_said_beside_them(measured: Database, budi: AsyncClient) -> None:
    found = await _get(budi, "/traffic/slots", day=DAY)
    first = found["slots"][0]
    assert first == {
        "device": "router", "interface": "ether1", "at": f"{DAY}T00:00:00+07:00", "rx_bytes": 3_000,
        "tx_bytes": 3_000, "covered_seconds": 300.0, "flags": [],
    }  # fmt: skip
    (gap,) = found["gaps"]
    assert (gap["first"][11:16], gap["last"][11:16], gap["rx_bytes"]) == ("00:10", "01:00", 84_000)
    assert found["slots"][-1]["flags"] == ["partly", "impossible"]


async def test_days_and_oddities_between_two(measured: Database, budi: AsyncClient) -> None:
    (day,) = await _get(budi, "/traffic/days", first=DAY, last=TODAY)
    assert (day["day"], day["rx_bytes"], day["samples"], day["expected"]) == (str(DAY), 6_000, 2, 288)
    assert {"gap", "impossible"} <= set(day["flags"])
    odd = await _get(budi, "/oddities", first=DAY, last=DAY)
    assert odd == [{"device": "router", "day": str(DAY), "what": "impossible", "count": 1}]


async def test_a_month_with_its_corrections(measured: Database, sqlite_box: Box, budi: AsyncClient) -> None:
    close_months(measured, CLOSED)
    _store(measured, sqlite_box, (15, 8_000))
    close_months(measured, CLOSED + 1)
    (month,) = await _get(budi, "/traffic/month", day=DAY)
    assert (month["rx_bytes"], month["lower_bound"], month["samples"]) == (90_000, True, 2)
    assert month["closed"]
    assert month["higher_p95_bps"] == 80
    assert [(one["number"], one["rx_bytes"], one["samples"]) for one in month["corrections"]] == [(1, 0, 1)]


async def test_a_month_that_late_readings_made_whole_is_a_lower_bound_no_more(
    sqlite_database: Database, sqlite_box: Box, budi: AsyncClient
) -> None:
    first = DAY.replace(day=1)
    begins, ends = ((one_ms - START) // MINUTE for one_ms in closing.period_ms(first, clock.WIB))
    _store(sqlite_database, sqlite_box, (begins, 1_000), (ends - 60, 5_000))
    close_months(sqlite_database, CLOSED)
    _store(sqlite_database, sqlite_box, (ends, 6_000))
    close_months(sqlite_database, CLOSED + 1)
    (month,) = await _get(budi, "/traffic/month", day=DAY)
    assert len(month["corrections"]) == 1
    assert (month["lower_bound"], month["corrected_lower_bound"]) == (True, False)


async def test_a_stranger_gets_a_sentence_and_a_neighbour_sees_nothing(measured: Database, budi: AsyncClient) -> None:
    stranger = browser(Server(measured, upkeep=False))
    answer = await stranger.get(f"{OF_VILLAGE}/traffic/days", params={"first": str(DAY), "last": str(DAY)})
    assert (answer.status_code, list(answer.json())) == (401, ["detail"])
    citra = await signed_in(Server(measured, upkeep=False), "citra")
    asked = {"first": str(DAY), "last": str(DAY)}
    assert (await citra.get(f"{OF_VILLAGE}/traffic/days", params=asked)).status_code == 404
    assert (await citra.get(f"/data/v1/villages/{REJOSARI}/traffic/days", params=asked)).json() == []


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/traffic/days", {"first": "2026-07-31", "last": "2026-07-01"}),
        ("/traffic/days", {"first": "2024-07-31", "last": "2026-07-31"}),
        ("/traffic/slots", {"day": "0001-01-01"}), ("/traffic/slots", {"day": "9999-12-31"}), ("/traffic/slots", {}),
        ("/traffic/month", {"day": "Juli"}), ("/oddities", {"first": "2026-07-02", "last": "2026-07-01"}),
    ],
)  # fmt: skip
async def test_days_that_cannot_be_asked_for_are_one_sentence(
    budi: AsyncClient, path: str, asked: dict[str, str]
) -> None:
    answer = await budi.get(OF_VILLAGE + path, params=asked)
    assert (answer.status_code, list(answer.json())) == (422, ["detail"])
