"""The portal of a simulated router, asked by a guest over real HTTP."""

from collections.abc import AsyncIterator

import pytest

from kampungnet_sim.fleet import FleetOptions
from kampungnet_sim.hotspot_guest import Way
from tests.sim.stage import Stage, on_stage, row_of

ANDI, BUDI = "D6:00:00:00:00:01", "D6:00:00:00:00:02"


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with on_stage(FleetOptions(model="hex")) as one:
        yield one


async def add(stage: Stage, menu: str, **values: str) -> str:
    client = await stage.client("penulis")
    words = [f"={name.replace('_', '-')}={value}" for name, value in values.items()]
    (answer,) = await client.ask(f"{menu}/add", *words)
    return row_of(answer)["ret"]


async def opened(stage: Stage, *ways: str, **more: str) -> None:
    """Let guests in by these ways."""
    client = await stage.client("penulis")
    words = [f"={name.replace('_', '-')}={value}" for name, value in more.items()]
    found = await client.ask("/ip/hotspot/profile/set", "=.id=hsprof1", f"=login-by={','.join(ways)}", *words)
    assert found == [["!done"]]


async def test_a_stranger_is_led_to_the_login_page_and_the_internet_stays_closed(stage: Stage) -> None:
    guest = await stage.site.hotspot.join(ANDI)
    page = await guest.get("http://example.com/berita?hal=1&x=2")
    assert page.status == 302
    assert page.headers["location"] == "http://wifi.desa/login?dst=http%3A%2F%2Fexample.com%2Fberita%3Fhal%3D1%26x%3D2"
    login = await guest.get(page.headers["location"])
    assert (login.status, 'value="http://example.com/berita?hal=1&x=2"' in login.text) == (200, True)
    assert not await guest.online()


@pytest.mark.parametrize("way", ["pap", "chap"])
async def test_a_voucher_opens_the_internet(stage: Stage, way: Way) -> None:
    await opened(stage, "http-pap", "http-chap")
    await add(stage, "/ip/hotspot/user", name="K7M2", password="rahasia")
    guest = await stage.site.hotspot.join(ANDI)
    page = await guest.log_in("K7M2", "rahasia", way, dst="http://example.com/")
    assert "You are logged in" in page.text
    assert await guest.online()
    (row,) = await (await stage.client()).rows("/ip/hotspot/active/print", f"?mac-address={ANDI}")
    assert (row["user"], row["login-by"], row["address"]) == ("K7M2", f"http-{way}", guest.address)
