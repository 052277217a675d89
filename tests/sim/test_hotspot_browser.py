"""A real browser logs in on the router's own pages, as a phone on the wifi would."""

from kampungnet_sim.fleet import FleetOptions
from tests.sim.stage import Stage, on_stage
from tests.support.browser import Browser, browser

PHONE = "D6:00:00:00:00:01"


async def voucher(stage: Stage, ways: str) -> None:
    """One user, and the ways in."""
    client = await stage.client("penulis")
    assert (await client.ask("/ip/hotspot/user/add", "=name=K7M2", "=password=raha'sia"))[0][0] == "!done"
    await client.ask("/ip/hotspot/profile/set", "=.id=hsprof1", f"=login-by={ways}")


async def log_in(phone: Browser) -> None:
    await phone.go("http://example.com/berita")
    assert await phone.value("location.href") == "http://wifi.desa/login?dst=http%3A%2F%2Fexample.com%2Fberita"
    await phone.fill("form[name=login] [name=username]", "K7M2")
    await phone.fill("form[name=login] [name=password]", "raha'sia")
    await phone.click("[type=submit]")
    await phone.until("document.title == 'Internet'")
    assert (await phone.value("location.href"), "example.com" in await phone.text()) == (
        "http://example.com/berita", True,
    )  # fmt: skip


async def test_chromium_logs_in_by_pap_sees_its_status_and_logs_out(chromium: str) -> None:
    async with on_stage(FleetOptions(model="hex")) as stage:
        await voucher(stage, "http-pap")
        guest = await stage.site.hotspot.join(PHONE)
        async with browser(chromium, proxy=guest.door) as phone:
            await log_in(phone)
            await phone.go("http://wifi.desa/status")
            assert "Welcome K7M2!" in await phone.text()
            await phone.click("[type=submit]")
            await phone.until("document.title == 'Internet hotspot - Logout'")
        (session,) = guest.truth()
        assert (session.login_by, session.reason, session.bytes_out > 0) == ("http-pap", "user request", True)


async def test_chromium_answers_the_challenge_with_the_routers_own_script(chromium: str) -> None:
    async with on_stage(FleetOptions(model="hap-ax2")) as stage:
        await voucher(stage, "http-chap,cookie")
        guest = await stage.site.hotspot.join(PHONE)
        async with browser(chromium, proxy=guest.door) as phone:
            await log_in(phone)
        assert [one.login_by for one in guest.truth()] == ["http-chap"]


async def test_a_browser_on_the_printed_address_logs_in_without_a_proxy(chromium: str) -> None:
    async with on_stage(FleetOptions(model="rb951")) as stage:
        await voucher(stage, "http-pap")
        async with browser(chromium) as phone:
            await phone.go(f"http://127.0.0.1:{stage.site.ports['hotspot']}/")
            await phone.fill("form[name=login] [name=username]", "K7M2")
            await phone.fill("form[name=login] [name=password]", "raha'sia")
            await phone.click("[type=submit]")
            await phone.until("document.title == 'Internet hotspot - Status'")
            assert "IP address:\t10.5.53.1" in await phone.text()
