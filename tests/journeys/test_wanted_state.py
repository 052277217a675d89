"""From a click in the desk to a simulated router and back: server, agent's held request, driver, reading, ledger."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.hotspot import portals, sessions
from kampungnet.hotspot.models import HotspotPortal
from kampungnet.hotspot.policy import Policy
from kampungnet.staff.service import Role, Scope, SignedIn
from kampungnet_agent.box import Box as RealBox
from kampungnet_agent.commands import REQUEST_SECONDS, Commands
from kampungnet_agent.drivers.mikrotik_portal import MikrotikPortalDriver
from kampungnet_agent.line import Line
from kampungnet_agent.report import Sender
from kampungnet_agent.worker import Worker
from kampungnet_sim.fleet import FleetOptions
from tests.agent.drivers.conftest import Settings
from tests.sim.stage import Stage, calm_seed, on_stage
from tests.support.server import REGENCY, VILLAGE, Box, ingested, serving

PLACE = (REGENCY, f"{VILLAGE}-1")
ENGINEER = SignedIn("sari", "Ibu Sari", Role.ENGINEER, Scope(REGENCY))
ANDI = "D6:00:00:00:00:01"


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    now = clock.now_ms() / 1000  # that of the server's clock
    async with on_stage(FleetOptions(model="hex", seed=calm_seed(now)), start=now) as one:
        yield one


def _driver(stage: Stage, folder: Path) -> MikrotikPortalDriver:
    secret = stage.site.router.users["penulis"].password
    address = f"127.0.0.1:{stage.port}"
    return MikrotikPortalDriver(Settings("portal", address, "penulis", secret, state_folder=str(folder)))


def _wants(database: Database, policy: Policy) -> None:
    with database.writes() as db:
        portals.set_policy(db, ENGINEER, PLACE, policy, clock.now_ms())


async def _until_done(database: Database, revision: int) -> HotspotPortal:
    for _ in range(600):
        with database.reads() as db:
            found = db.get(HotspotPortal, PLACE)
        if found is not None and found.done_revision == revision:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"revision {revision} was not done within 60 s")


async def test_a_click_reaches_the_router_and_its_effect_comes_back_and_all_goes_on_with_the_server_gone(
    stage: Stage, database: Database, box: Box, tmp_path: Path
) -> None:
    driver, worker = _driver(stage, tmp_path), Worker("wanted")
    guest = await stage.site.hotspot.join(ANDI)
    with serving(database) as server:
        line = Line(f"http://127.0.0.1:{server.port}", None, REQUEST_SECONDS)
        commands = Commands(Sender(box.agent, box.key.sign, RealBox()), line, worker, driver, "portal")
        following = asyncio.create_task(commands.follow_for_ever())
        await asyncio.sleep(0.5)
        _wants(database, Policy(managed=True, click_seconds=3600))
        begun = asyncio.get_running_loop().time()
        done = await _until_done(database, 2)
        assert asyncio.get_running_loop().time() - begun < 10
        assert done.problems == "[]"
        await guest.log_in(way="trial")
        assert await guest.online()
        stage.clock.forward(60)
        reading = box.reading((await driver.poll()).body, device="portal")
        await asyncio.to_thread(ingested, database, box.request(box.report(reading)))
        with database.reads() as db:
            ways = [one.way for one in sessions.online_now(db, PLACE, 0)]
        assert "click" in ways
        following.cancel()
        await asyncio.wait([following])
        worker.stop()
    await driver.close()
    again = _driver(stage, tmp_path)
    assert again.revision == 2, "what was wanted lies on the box's disk"
    assert (await again.poll()).body is not None
    other = await stage.site.hotspot.join("D6:00:00:00:00:02")
    await other.log_in(way="trial")
    assert await other.online()
    await again.close()
