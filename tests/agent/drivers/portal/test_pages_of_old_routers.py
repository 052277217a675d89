"""RouterOS 6 takes no files over its API: it gets the portal's pages from the box, and is checked by what it shows."""

import asyncio
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import closing

import pytest

from kampungnet.shared.wanted import WantedPage
from kampungnet_agent.drivers.mikrotik_portal import DRIFT_SECONDS, MikrotikPortalDriver
from kampungnet_agent.drivers.portal_offer import REQUEST_BYTES, offered
from kampungnet_sim.fleet import FleetOptions
from tests.agent.drivers.portal.portal_stage import ANDI, body, code_of, wanted
from tests.sim.stage import Stage, on_stage

LONG = "<p>Selamat datang</p>" * 300


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with on_stage(FleetOptions(model="rb951")) as one:
        assert one.site.router.version.major == 6
        yield one


def _pages(login: str) -> list[WantedPage]:
    return [WantedPage("login.html", login), WantedPage("md5.js", "// none")]


async def _shown(stage: Stage) -> str:
    guest = await stage.site.hotspot.join(ANDI)
    return (await guest.get("/login")).text


async def test_an_old_router_gets_pages_of_any_size_from_the_box(driver: MikrotikPortalDriver, stage: Stage) -> None:
    await driver.follow(wanted(1, pages=_pages(LONG)))
    assert driver.done == (1, [])
    assert await _shown(stage) == LONG


async def test_pages_that_are_there_are_not_fetched_again(driver: MikrotikPortalDriver, stage: Stage) -> None:
    await driver.follow(wanted(1, pages=_pages(LONG)))
    before = stage.site.router.flash.revision
    stage.clock.forward(DRIFT_SECONDS + 1)
    await body(driver)
    assert stage.site.router.flash.revision == before


async def test_a_new_page_of_the_same_size_is_fetched(driver: MikrotikPortalDriver, stage: Stage) -> None:
    await driver.follow(wanted(1, pages=_pages(LONG)))
    await driver.follow(wanted(2, pages=_pages(LONG.replace("Selamat", "Silakan"))))
    assert driver.done == (2, [])
    assert "Silakan datang" in await _shown(stage)


async def test_a_small_page_that_somebody_changed_is_put_right(driver: MikrotikPortalDriver, stage: Stage) -> None:
    await driver.follow(wanted(1, pages=_pages("<p>Desa</p>")))
    assert await _shown(stage) == "<p>Desa</p>"
    client = await stage.client("penulis")
    (row,) = [row for row in await client.rows("/file/print") if row["name"].endswith("kampungnet-a/login.html")]
    await client.ask("/file/set", f"=.id={row['.id']}", "=contents=<p>Bayar</p>")
    assert await _shown(stage) == "<p>Bayar</p>"
    stage.clock.forward(DRIFT_SECONDS + 1)
    await body(driver)
    assert await _shown(stage) == "<p>Desa</p>"


async def test_a_full_flash_leaves_the_pages_of_before_and_says_why(driver: MikrotikPortalDriver, stage: Stage) -> None:
    await driver.follow(wanted(1, pages=_pages(LONG)))
    stage.fleet.faults.add("flash_full", code_of(stage), 600)
    await driver.follow(wanted(2, pages=_pages(LONG + "<p>Lagi</p>")))
    revision, problems = driver.done
    assert revision == 1
    assert any("not enough space" in one for one in problems)
    assert problems[-1] == "Halaman portal yang lama tetap dipakai."
    assert await _shown(stage) == LONG


async def test_an_account_that_may_not_fetch_is_told_which_right_it_needs(
    driver: MikrotikPortalDriver, stage: Stage
) -> None:
    stage.fleet.faults.add("test_revoked", code_of(stage), 600)
    await driver.follow(wanted(1, pages=_pages(LONG)))
    revision, problems = driver.done
    assert revision == 0
    assert any("perlu hak test" in one and "not enough permissions" in one for one in problems)


def _got(url: str) -> str:
    with closing(urllib.request.urlopen(url, timeout=60)) as answer:
        text: str = answer.read().decode()
        return text


async def test_only_who_knows_the_path_gets_a_page_and_only_for_a_moment() -> None:
    async with offered({"login.html": "halo"}, "127.0.0.1") as url:
        assert await asyncio.to_thread(_got, f"{url}/login.html") == "halo"
        base = url.rpartition("/")[0]
        for wrong in (f"{base}/login.html", f"{url}/", f"{url}/../etc/passwd", f"{base}//login.html"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                await asyncio.to_thread(_got, wrong)
        host, port = base.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"G" * (2 * REQUEST_BYTES))
        with pytest.raises((ConnectionError, AssertionError)):
            assert await reader.read()  # nothing, or a connection that was reset
        writer.close()
    with pytest.raises(urllib.error.URLError):
        await asyncio.to_thread(_got, f"{url}/login.html")
