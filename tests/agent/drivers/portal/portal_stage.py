"""A portal on a simulated router, with a box whose clocks are those of the stage."""

from pathlib import Path
from typing import Any

from kampungnet.shared.portal_body import PortalBody, PortalSession, Way
from kampungnet.shared.wanted import (
    BindingKind,
    UserKind,
    WantedBinding,
    WantedClick,
    WantedGarden,
    WantedPage,
    WantedPlan,
    WantedPortal,
    WantedUser,
)
from kampungnet_agent.box import Box
from kampungnet_agent.drivers.mikrotik_portal import MikrotikPortalDriver
from tests.agent.drivers.conftest import Settings
from tests.sim.stage import Clock, Stage

ANDI, BUDI, PRINTER = "D6:00:00:00:00:01", "D6:00:00:00:00:02", "00:11:22:33:44:55"
CODE = "k7mp3xqwf"
MB = 1_000_000
DAILY = WantedPlan("harian", 5_000, 2_000, 1_000, 512, day_bytes=100 * MB)
OFFICE = WantedPlan("kantor", devices=3, priority=1)
GUEST = WantedPlan("tamu", 2_000, 1_000)


class StageBox(Box):
    """A box whose clocks are those of the stage."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock, self.behind_ms = clock, 0

    def wall_ms(self) -> int:
        return int(self.clock() * 1000) - self.behind_ms

    def boottime_ms(self) -> int:
        return int(self.clock() * 1000) - 1_600_000_000_000


def wanted(revision: int = 1, **more: Any) -> WantedPortal:
    usual: dict[str, Any] = {
        "revision": revision, "time_zone": "Asia/Jakarta", "plans": [DAILY, GUEST, OFFICE],
        "users": [
            WantedUser("V1", CODE, "harian", limit_seconds=3600),
            WantedUser("A1", "kades", "kantor", UserKind.ACCOUNT, "rahasia desa"),
        ],
        "bindings": [WantedBinding("B1", BindingKind.BYPASSED, PRINTER, label="printer")],
        "garden": [WantedGarden("G1", "smartkampung.example.go.id"), WantedGarden("G2", "*.example.id")],
        "click": WantedClick("tamu", 7200), "pages": [WantedPage("login.html", "<p>Selamat datang di $(identity)</p>")],
    }  # fmt: skip
    return WantedPortal(**{**usual, **more})


def made(stage: Stage, box: StageBox, folder: Path, user: str = "penulis") -> MikrotikPortalDriver:
    """A driver as after a start of the box."""
    secret = stage.site.router.users[user].password
    return MikrotikPortalDriver(
        Settings("portal", f"127.0.0.1:{stage.port}", user, secret, state_folder=str(folder)), box
    )


async def body(driver: MikrotikPortalDriver) -> PortalBody:
    found = (await driver.poll()).body
    assert isinstance(found, PortalBody)
    return found


async def session(driver: MikrotikPortalDriver, way: Way) -> PortalSession:
    (one,) = [one for one in (await body(driver)).sessions if one.way is way]
    return one


def code_of(stage: Stage) -> str:
    return stage.site.village.profile.code


async def profile_of(stage: Stage) -> dict[str, str]:
    (row,) = await (await stage.client()).rows("/ip/hotspot/profile/print", "?name=hsprof1")
    return row
