"""The way from a total of traffic down to the counters of the router, as a reader of the pages walks it."""

import re
from datetime import timedelta
from typing import Final

import pytest
from httpx import AsyncClient

from kampungnet.app import Server
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.shared import wire
from kampungnet.upkeep import pack_all
from tests.pages.cast import signed_in
from tests.pages.sample import hire
from tests.support.server import VILLAGE, enrolled, ingested, router_body

MINUTE: Final = 60_000
DAY: Final = clock.local_day(clock.now_ms() - 6 * 3_600_000, clock.WIB).replace(day=1) - timedelta(days=14)
START: Final = clock.day_start_ms(DAY, clock.WIB)
POINTS: Final = ((480, 1_000_000), (485, 4_000_000), (490, 4_000_000), (495, 34_000_000), (570, 94_000_000))
"""Minute of the day and the counter: five minutes of 3 MB, of nothing and of 30 MB, then a gap of 60 MB."""


@pytest.fixture
async def budi(sqlite_database: Database) -> AsyncClient:
    """Pak Budi, the operator of the village whose box reported."""
    box = enrolled(sqlite_database)
    readings = [
        box.reading(router_body(rx), taken_at_ms=START + minute * MINUTE, device_uptime_seconds=9_000_000 + minute * 60)
        for minute, rx in POINTS
    ]
    readings.append(box.reading(None, taken_at_ms=START + 500 * MINUTE, outcome=wire.Outcome.UNREACHABLE))
    ingested(sqlite_database, box.request(box.report(*readings)))
    pack_all(sqlite_database)
    hire(sqlite_database)
    return await signed_in(Server(sqlite_database, upkeep=False), "budi")


async def _page(visitor: AsyncClient, path: str) -> str:
    answer = await visitor.get(path)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", answer.text)


def _cells(page: str, name: str) -> list[str]:
    """Return the cells of the row that begins with a name."""
    row = next(row for row in re.findall(r"<tr>(.*?)</tr>", page) if re.search(rf"^<td>(<a [^>]*>)?{name}", row))
    return [re.sub(r"<[^>]+>", " ", cell).strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)]


async def test_a_percentile_leads_to_the_hour_and_the_counters_that_made_it(budi: AsyncClient) -> None:
    page = await _page(budi, f"/desa/{VILLAGE}/hitungan?dari={DAY}&sampai={DAY}")
    assert "0,80 Mbps" in page  # 30 MB in 300 s; of three samples the third is the nearest rank
    link = re.search(r"Persentil ke-95 diterima</dt><dd>0,80 Mbps <a href=\"([^\"]+)\"", page)
    assert link
    hour = await _page(budi, link[1].replace("&amp;", "&"))
    assert _cells(hour, "08.10–08.15")[1:5] == ["30.000.000", "30.000.000", "300 dari 300", "0,80 Mbps"]
    reading = _cells(hour, "08.15.00")
    assert reading[1:4] == ["menjawab", "34.000.000", "+30.000.000"]


async def test_a_day_shows_its_hours_and_what_is_known_in_sum_only(budi: AsyncClient) -> None:
    page = await _page(budi, f"/desa/{VILLAGE}/hitungan/{DAY}")
    assert _cells(page, "08.00–09.00")[1:5] == ["33,0 MB", "33,0 MB", "3 dari 12", "0,80 Mbps"]
    assert "08.15.00 sampai 09.30.00: 60,0 MB diterima, 60,0 MB dikirim; hanya diketahui jumlahnya" in page


async def test_an_unanswered_visit_stands_among_the_readings(budi: AsyncClient) -> None:
    page = await _page(budi, f"/desa/{VILLAGE}/hitungan/{DAY}/8")
    assert _cells(page, "08.20.00")[1:] == ["tidak menjawab", "", "", "", ""]


async def test_the_reading_before_an_hour_is_shown_because_its_bytes_begin_there(budi: AsyncClient) -> None:
    page = await _page(budi, f"/desa/{VILLAGE}/hitungan/{DAY}/9")
    times = re.findall(r"<tr><td>(\d\d\.\d\d\.\d\d)", page)
    assert times == ["09.30.00"]  # the reading of 08.20 is more than ten minutes before nine o'clock
    assert _cells(page, "09.30.00")[3] == ""


async def test_days_without_a_measurement_say_so_and_lead_nowhere(budi: AsyncClient) -> None:
    before = DAY - timedelta(days=1)
    page = await _page(budi, f"/desa/{VILLAGE}/hitungan?dari={before}&sampai={DAY}")
    assert "tidak diukur" in page
    assert f"hitungan/{before}" not in page
    assert f"hitungan/{DAY}?" in page


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("?dari=2026-07-10&sampai=2026-07-01", 422), ("?dari=2025-01-01&sampai=2026-01-01", 422), ("?dari=x", 422),
        ("?tempat=elsewhere", 404), ("/2026-02-30", 422), ("/2026-07-01/24", 422), ("/0001-01-01/0", 422),
        ("?dari=9999-12-31", 422), ("/2026-07-01/3", 200), ("/2099-12-30/23", 200),
    ],
)  # fmt: skip
async def test_odd_questions_get_a_sentence(budi: AsyncClient, path: str, status: int) -> None:
    answer = await budi.get(f"/desa/{VILLAGE}/hitungan{path}")
    assert answer.status_code == status, answer.text
