"""What the portal knows of people stays in the village, whatever whoever helps is told."""

from pathlib import Path

from kampungnet_agent.acts import Hides
from kampungnet_agent.drivers.mikrotik_portal import MikrotikPortalDriver
from tests.agent.drivers.portal.portal_stage import CODE, PRINTER, StageBox, body, made, wanted
from tests.sim.stage import Stage


async def test_everybody_the_box_has_noted_is_hidden_also_after_a_restart_with_the_router_away(
    driver: MikrotikPortalDriver, stage: Stage, box: StageBox, tmp_path: Path
) -> None:
    await driver.follow(wanted())
    await body(driver)
    online = {(one.user, one.mac) for one in driver.ledger.sessions}
    assert online
    await driver.close()
    again = made(stage, box, tmp_path)
    assert isinstance(again, Hides)
    hidden = set(again.hidden())
    await again.close()
    assert {CODE, "kades", "rahasia desa", PRINTER, "printer"} <= hidden
    assert {user for user, _ in online} | {mac for _, mac in online} <= hidden
