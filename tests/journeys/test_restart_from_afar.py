"""An engineer presses on a village's page; the router there starts anew, once; then the page says so."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from kampungnet.core.database import Database
from kampungnet.hands import service
from kampungnet.staff import audit
from kampungnet_agent.agent import Office, Watched, open_spool, run_offices
from kampungnet_agent.box import Box as RealBox
from kampungnet_agent.drivers.mikrotik import MikrotikDriver
from kampungnet_agent.line import Line
from kampungnet_agent.report import Sender
from kampungnet_agent.settings import AgentSettings, Device, ServerTable, SpoolTable
from kampungnet_agent.tally import Tally
from kampungnet_agent.uplink import Parts
from kampungnet_agent.worker import Worker
from kampungnet_sim.fleet import FleetOptions
from kampungnet_sim.routeros_user import RouterUser
from tests.pages.cast import OWN_PAGE
from tests.pages.sample import PASSWORD, hire
from tests.sim.stage import Stage, on_stage
from tests.support.server import REGENCY, VILLAGE, Box, Running, enrolled, serving

PAGE = f"/desa/{VILLAGE}"
ACT = f"{PAGE}/jauh/nyalakan-ulang?perangkat=router"
AWAY_SECONDS = 45
"""What the simulator's router needs to come back, and a little."""
PATIENCE_SECONDS = 90


@asynccontextmanager
async def _agent(stage: Stage, server: Running, box: Box, folder: Path) -> AsyncIterator[None]:
    """Run the whole agent of the village."""
    device = Device(
        "router", "mikrotik", f"127.0.0.1:{stage.port}", "kampungnet", stage.password, "ether1",
        interval_seconds=1, timeout_seconds=5,
    )  # fmt: skip
    url = f"http://127.0.0.1:{server.port}"
    settings = AgentSettings(
        ServerTable(url, "", report_interval_seconds=1), SpoolTable(str(folder / "spool.db"), 16), [device]
    )
    real, workers = RealBox(), (Worker("spool"), Worker("line"))
    sender = Sender(box.agent, box.key.sign, real)
    parts = Parts(open_spool(settings, real), workers[0], Line(url), workers[1], sender, Tally())
    running = asyncio.create_task(run_offices([Office(parts, [Watched(device, MikrotikDriver(device))], settings)]))
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])
        await workers[0].do(parts.spool.close)
        await workers[1].do(parts.line.close)
        for worker in workers:
            worker.stop()


async def _sari(server: Running) -> httpx.AsyncClient:
    visitor = httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", headers=OWN_PAGE, timeout=30)
    answer = await visitor.post("/masuk", data={"username": "sari", "password": PASSWORD})
    assert answer.status_code == 303, answer.text
    return visitor


async def _until(visitor: httpx.AsyncClient, words: str) -> str:
    """Look at the village's page until it says something."""
    for _ in range(PATIENCE_SECONDS * 4):
        text = (await visitor.get(PAGE)).text
        if words in text:
            return text
        await asyncio.sleep(0.25)
    raise AssertionError(f"the page never said: {words}\n{re.sub('<[^>]+>', ' ', text)[-3000:]}")


def _boots(stage: Stage) -> int:
    return sum(one.get("fault") == "reboot" for one in stage.fleet.faults.listed())


@pytest.mark.parametrize("version", ["6.49.10 (long-term)", "7.20.6 (stable)"], ids=["RouterOS 6", "RouterOS 7"])
async def test_a_press_on_the_page_restarts_the_router_once_and_is_called_done_when_it_is_back(
    sqlite_database: Database, tmp_path: Path, version: str
) -> None:
    hire(sqlite_database)
    box = enrolled(sqlite_database)
    async with on_stage(FleetOptions(model="hex-s", version=version, instant_ping=True)) as stage:
        with serving(sqlite_database) as server:
            async with _agent(stage, server, box, tmp_path):
                sari = await _sari(server)
                await _until(sari, "Nyalakan ulang router")
                asked = await sari.get(ACT)
                assert "tanpa internet dan wifi" in asked.text
                assert (await sari.post(ACT, data={"reason": ""})).status_code == 422
                assert (await sari.post(ACT, data={"reason": "Wifi macet"})).status_code == 303
                page = await _until(sari, "Ditolak: hak “reboot” belum ada")
                assert "/user group set" in page
                assert _boots(stage) == 0
                _allow(stage)
                assert (await sari.post(ACT, data={"reason": "Wifi macet"})).status_code == 303
                assert (await sari.post(ACT, data={"reason": "Dua kali"})).status_code == 303
                while not _boots(stage):
                    await asyncio.sleep(0.05)
                assert "Diambil kotak" in (await sari.get(PAGE)).text, "not called done before it was seen again"
                stage.clock.forward(AWAY_SECONDS)
                await _until(sari, "perangkat terlihat lagi dan sudah menyala ulang")
                await asyncio.sleep(2)
                assert _boots(stage) == 1
                await _facts_for_help(sari, stage)
                await sari.aclose()
    with sqlite_database.reads() as db:
        acts = [one.what for one in audit.entries(db, REGENCY)]
        told = ["hands.ended", "hands.bundle", "hands.ended", "hands.restart", "hands.ended", "hands.restart"]
        assert acts == ["hands.read", *told]
        assert service.waiting_sites(db) == set()


async def _facts_for_help(sari: httpx.AsyncClient, stage: Stage) -> None:
    """Ask for a bundle, read it, and take it as a file."""
    assert (await sari.post(f"{PAGE}/jauh/keterangan")).status_code == 303
    link = re.search(rf"{PAGE}/keterangan/(\w+)", await _until(sari, "Baca keterangannya"))
    assert link
    page = (await sari.get(link[0])).text
    file = await sari.post(f"{link[0]}/berkas")
    assert file.headers["content-disposition"] == f'attachment; filename="kampungnet-{VILLAGE}-1.json"'
    assert file.headers["x-content-type-options"] == "nosniff"
    for said in (page, file.text):
        assert "pemeriksaan" in said
        assert f"127.0.0.1:{stage.port}" in said
        assert stage.password not in said


def _allow(stage: Stage) -> None:
    """Give the box's account the right, as the page says."""
    user = stage.site.router.users["kampungnet"]
    stage.site.router.users["kampungnet"] = RouterUser(
        user.name, user.password, user.policies | {"reboot"}, user.group
    )  # fmt: skip
