"""Journey: somebody changes a village's router, and the engineer at the centre sees what, and takes the backup."""

import re
import time
from pathlib import Path

import pytest

from kampungnet.core import clock
from kampungnet_agent.settings import Device
from kampungnet_sim.fleet import Fleet, FleetOptions
from kampungnet_sim.register import RegisteredVillage
from tests.journeys.box import VillageBox
from tests.journeys.centre import centre
from tests.sim.stage import calm_seed

KAMPUNGANYAR = RegisteredVillage("35.10.15.2012", "Kampunganyar", "35.10.15")
VILLAGE = KAMPUNGANYAR.code
PAGE = f"/desa/{VILLAGE}/pengaturan-router"


@pytest.mark.timeout(600)
async def test_a_change_on_the_router_is_seen_at_the_centre_line_by_line(tmp_path: Path) -> None:
    seed = calm_seed(time.time(), KAMPUNGANYAR)
    fleet = Fleet(time.time, FleetOptions(seed=seed, model="hap-ax2", version="7.20.6", router_ssh=True))
    await fleet.start([KAMPUNGANYAR])
    router = fleet.sites[VILLAGE].router
    with centre(f"sqlite:///{tmp_path / 'kampungnet.db'}", tmp_path) as one:
        one.sign_in()
        now_ms = clock.now_ms()
        box = VillageBox(one, VILLAGE, [_device(fleet, tmp_path)], tmp_path, now_ms - 86_400_000)
        try:
            (first,) = await box.poll_all(now_ms - 7_200_000)
            router.tables["/ip/firewall/address-list"].add({"list": "kantor", "address": "10.77.7.7"})
            await box.poll_all(now_ms - 3_600_000)
            await box.poll_all(now_ms - 60_000)
            box.box.at_ms = clock.now_ms()
            await box.send_all()
        finally:
            await box.close()
            await fleet.close()
        assert first.outcome == "ok", first.detail
        overview = one.page("/pengaturan-router")
        assert "Pengaturan 1 router disimpan" in overview
        assert "Kampunganyar" in one.page("/pengaturan-router?cari=10.77.7.7")
        page = one.page(PAGE)
        moments = re.findall(r'name="ke" value="(\d+)"', page)
        assert len(moments) == 2, "three visits, two texts"
        difference = one.page(f"{PAGE}?dari={moments[1]}&ke={moments[0]}")
        assert "<ins>+ /ip firewall address-list add address=10.77.7.7 list=kantor</ins>" in difference
        assert "<del>" not in difference
        assert page.count('name="saat"') == 1, "one backup: the change came an hour after it"
        assert "vc-" not in one.page(f"{PAGE}/teks"), "no vouchers"


def _device(fleet: Fleet, folder: Path) -> Device:
    shell = fleet.sites[VILLAGE].shell
    assert shell is not None
    return Device(
        "router-config", "mikrotik-config", str(shell.access["address"]), str(shell.access["username"]),
        str(shell.access["password"]), options={"backup_secret": "cadangan-kabupaten"}, state_folder=str(folder),
    )  # fmt: skip
