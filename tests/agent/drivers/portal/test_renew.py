"""Somebody at the office lets a portal be looked at now: what others changed is put right at once, and counted."""

import pytest

from kampungnet_agent.acts import ActRefused
from kampungnet_agent.drivers.mikrotik_portal import MikrotikPortalDriver
from tests.agent.drivers.portal.portal_stage import CODE, body, profile_of, wanted
from tests.sim.stage import Stage


async def test_what_somebody_else_took_away_is_back_at_once_and_counted(
    driver: MikrotikPortalDriver, stage: Stage
) -> None:
    await driver.follow(wanted())
    await body(driver)
    client = await stage.client("penulis")
    (user,) = await client.rows("/ip/hotspot/user/print", f"?name={CODE}")
    await client.ask("/ip/hotspot/user/remove", f"=.id={user['.id']}")
    folder = (await profile_of(stage))["html-directory"]
    (page,) = await client.rows("/file/print", f"?name={folder}/login.html")
    await client.ask("/file/set", f"=.id={page['.id']}", "=contents=<p>milik orang lain</p>")
    await body(driver)
    assert not await client.rows("/ip/hotspot/user/print", f"?name={CODE}"), "by itself it looks every ten minutes"
    assert await driver.renew() == (2, [])
    assert await client.rows("/ip/hotspot/user/print", f"?name={CODE}")
    folder = (await profile_of(stage))["html-directory"]
    (page,) = await client.rows("/file/print", f"?name={folder}/login.html")
    assert "Selamat datang" in page["contents"]
    assert await driver.renew() == (0, []), "twice is harmless"


async def test_a_portal_that_is_not_kept_from_here_is_left_alone(driver: MikrotikPortalDriver) -> None:
    with pytest.raises(ActRefused):
        await driver.renew()
    await driver.follow(wanted(managed=False))
    with pytest.raises(ActRefused):
        await driver.renew()
