"""An open page shows what is new without being reloaded; who may not see a village hears nothing of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest

from kampungnet.core.database import Database
from kampungnet.measurement import routes_fresh
from kampungnet.shared import wire
from tests.pages.cast import OWN_PAGE
from tests.pages.sample import PASSWORD, hire
from tests.support.browser import browser
from tests.support.server import VILLAGE, Box, Running, enrolled, router_body, serving

CUT = router_body(2, pings=[wire.Ping("internet", "203.0.113.1", sent=3, received=0)])
OTHER = "35.10.01.2001"


@pytest.fixture
def running(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    for name in ("LOOK_SECONDS", "VILLAGE_SECONDS", "REGENCY_SECONDS"):
        monkeypatch.setattr(routes_fresh, name, 0.1)
    hire(sqlite_database)
    with serving(sqlite_database) as server:
        yield server


@pytest.fixture
def sqlite_box(sqlite_database: Database) -> Box:
    return enrolled(sqlite_database)


@asynccontextmanager
async def _visitor(running: Running, username: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}", timeout=20) as visitor:
        answer = await visitor.post("/masuk", data={"username": username, "password": PASSWORD}, headers=OWN_PAGE)
        assert answer.status_code == 303, answer.text
        yield visitor


async def _first_event(lines: AsyncIterator[str]) -> str:
    async with asyncio.timeout(15):
        async for line in lines:
            if line.startswith("event:"):
                return line
    raise AssertionError("the stream ended")


@pytest.mark.parametrize("path", ["/segar", f"/segar?desa={VILLAGE}"])
async def test_a_report_is_told_to_an_open_page(running: Running, sqlite_box: Box, path: str) -> None:
    async with _visitor(running, "sari") as sari, sari.stream("GET", path) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.aiter_lines()
        assert await anext(lines) == "retry: 5000"
        await asyncio.sleep(0.3)
        await asyncio.to_thread(running.report, sqlite_box, sqlite_box.reading(router_body(1)))
        assert await _first_event(lines) == "event: segar"


async def test_nobody_hears_of_another_village(running: Running, sqlite_database: Database, sqlite_box: Box) -> None:
    other = enrolled(sqlite_database, OTHER)
    async with _visitor(running, "budi") as budi, budi.stream("GET", "/segar") as stream:  # Pak Budi is of VILLAGE
        assert (await budi.get(f"/segar?desa={OTHER}")).status_code == 404
        lines = stream.aiter_lines()
        await anext(lines)
        await asyncio.sleep(0.3)
        await asyncio.to_thread(running.report, other, other.reading(router_body(1)))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2.5):
                await _first_event(lines)


async def test_too_many_open_pages_are_told_to_reload(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes_fresh, "MOST_OPEN", 0)
    async with _visitor(running, "sari") as sari:
        assert (await sari.get("/segar")).status_code == 503


async def test_an_open_stream_does_not_hold_up_the_end(sqlite_database: Database) -> None:
    hire(sqlite_database)
    async with AsyncExitStack() as stack:
        with serving(sqlite_database) as server:
            sari = await stack.enter_async_context(_visitor(server, "sari"))
            stream = await stack.enter_async_context(sari.stream("GET", "/segar"))
            await anext(stream.aiter_lines())
            began = time.monotonic()
        assert time.monotonic() - began < 8


async def test_a_page_in_a_browser_changes_by_itself(running: Running, sqlite_box: Box, chromium: str) -> None:
    await asyncio.to_thread(running.report, sqlite_box, sqlite_box.reading(router_body(1)))
    async with browser(chromium) as page:
        await page.go(f"http://127.0.0.1:{running.port}/masuk")
        await page.fill("input[name=username]", "sari")
        await page.fill("input[name=password]", PASSWORD)
        await page.click("main button[type=submit]")
        await page.reads("Perlu perhatian")
        await page.go(f"http://127.0.0.1:{running.port}/desa/{VILLAGE}")
        await page.value("window.isTheSamePage = true")
        await asyncio.sleep(1)
        await asyncio.to_thread(running.report, sqlite_box, sqlite_box.reading(CUT))
        await page.reads("Gangguan: internet putus.")
        assert await page.value("window.isTheSamePage === true")
