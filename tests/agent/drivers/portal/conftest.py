"""One simulated village with a hotspot, and the driver that keeps it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kampungnet_agent.drivers.mikrotik_portal import MikrotikPortalDriver
from kampungnet_sim.fleet import FleetOptions
from tests.agent.drivers.portal.portal_stage import StageBox, made
from tests.sim.stage import Stage, on_stage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with on_stage(FleetOptions(model="hex")) as one:
        yield one


@pytest.fixture
def box(stage: Stage) -> StageBox:
    return StageBox(stage.clock)


@pytest.fixture
async def driver(stage: Stage, box: StageBox, tmp_path: Path) -> AsyncIterator[MikrotikPortalDriver]:
    one = made(stage, box, tmp_path)
    yield one
    await one.close()
