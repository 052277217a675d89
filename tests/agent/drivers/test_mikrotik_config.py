"""The driver that reads a router's settings, over real SSH and SFTP against the simulator."""

import asyncio
import hashlib
import time
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kampungnet.shared.wire import ConfigBody
from kampungnet_agent.driver import AnswerUnreadable, DeviceUnreachable, LoginRefused
from kampungnet_agent.drivers.mikrotik_config import DAY_SECONDS, MikrotikConfigDriver, Noted, backup_is_due
from kampungnet_sim.fleet import Fleet, FleetOptions, Site
from kampungnet_sim.register import RegisteredVillage
from kampungnet_sim.routeros_user import RouterUser
from kampungnet_sim.village_features import Wish
from tests.agent.drivers.conftest import Settings
from tests.sim.stage import calm_seed

KAMPUNGANYAR = RegisteredVillage("35.10.15.2012", "Kampunganyar", "35.10.15")
VILLAGE = KAMPUNGANYAR.code
PASSWORD = "cadangan-untuk-desa"
NOON = 1_795_000_000.0


class Yard:
    """One router, and drivers that visit it."""

    def __init__(self, fleet: Fleet, folder: Path) -> None:
        self.fleet, self.folder, self.now = fleet, folder, time.time()

    @property
    def site(self) -> Site:
        return self.fleet.sites[VILLAGE]

    def driver(self, *, backup: bool = True, secret: str = "") -> MikrotikConfigDriver:
        assert self.site.shell is not None
        access = self.site.shell.access
        options = {"backup_secret": PASSWORD} if backup else {}
        settings = Settings(
            address=str(access["address"]), username=str(access["username"]), secret=secret or str(access["password"]),
            options=options, state_folder=str(self.folder), timeout_seconds=30.0,
        )  # fmt: skip
        return MikrotikConfigDriver(settings, lambda: self.now)

    def change(self) -> None:
        self.site.router.tables["/ip/firewall/address-list"].add(
            {"list": "kantor", "address": f"10.9.{int(self.now) % 250}.1"}
        )


@pytest.fixture(
    scope="module", params=[("hap-lite", "6.49.10"), ("hap-ax2", "7.20.6")], ids=["RouterOS 6", "RouterOS 7"]
)
def model(request: pytest.FixtureRequest) -> tuple[str, str]:
    found: tuple[str, str] = request.param
    return found


@pytest.fixture
async def yard(model: tuple[str, str], tmp_path: Path) -> AsyncIterator[Yard]:
    wish = Wish(frozenset({"hotspot"}))
    seed = calm_seed(time.time(), KAMPUNGANYAR)
    fleet = Fleet(time.time, FleetOptions(seed=seed, model=model[0], version=model[1], router_ssh=True, wish=wish))
    await fleet.start([KAMPUNGANYAR])
    yield Yard(fleet, tmp_path)
    await fleet.close()


async def body_of(driver: MikrotikConfigDriver) -> ConfigBody:
    body = (await driver.poll()).body
    assert isinstance(body, ConfigBody)
    return body


async def test_the_settings_are_told_once_and_again_when_they_change(yard: Yard) -> None:
    driver = yard.driver(backup=False)
    first, second = await body_of(driver), await body_of(driver)
    text = zlib.decompress(first.packed).decode()
    assert "/ip firewall filter add action=drop" in text
    assert hashlib.sha256(text.encode()).hexdigest() == first.digest == second.digest
    assert (second.packed, first.backup) == (b"", b"")
    assert not text.startswith("#")
    yard.change()
    third = await body_of(driver)
    added = set(zlib.decompress(third.packed).decode().splitlines()) - set(text.splitlines())
    assert len(added) == 1
    assert added.pop().startswith("/ip firewall address-list add address=10.9.")


async def test_neither_secrets_nor_vouchers_leave_the_village(yard: Yard) -> None:
    yard.site.router.tables["/radius"].add({"service": "hotspot", "address": "10.0.0.1", "secret": "sangat-rahasia"})
    users = [row["name"] for row in yard.site.router.tables["/ip/hotspot/user"].rows() if row["name"].startswith("v")]
    assert len(users) > 5
    body = await body_of(yard.driver(backup=False))
    text = zlib.decompress(body.packed).decode()
    assert "/radius add address=10.0.0.1" in text
    assert "sangat-rahasia" not in text
    assert not [name for name in users if name in text]
    assert any(entry.startswith("/ip hotspot user: ") for entry in body.left_out)


async def test_a_backup_is_fetched_and_taken_off_the_router_again(yard: Yard) -> None:
    body = await body_of(yard.driver())
    assert len(body.backup) == 40_000
    assert body.missing == []
    assert "kampungnet.backup" not in yard.site.router.flash.files
    yard.change()
    assert (await body_of(yard.driver())).backup == b"", "one a day is enough, also for a box that started anew"
    yard.now += DAY_SECONDS
    other = await body_of(yard.driver())
    assert other.backup not in {b"", body.backup}


async def test_a_router_without_room_is_read_all_the_same(yard: Yard) -> None:
    yard.fleet.faults.add("flash_full", VILLAGE)
    body = await body_of(yard.driver())
    assert body.packed
    assert body.missing == ["backup: failure: not enough space on disk"]
    assert (await body_of(yard.driver())).missing, "it is tried again at the next visit"


async def test_a_user_without_the_right_to_write_gives_the_text_alone(yard: Yard) -> None:
    user = yard.site.router.users["pencadang"]
    yard.site.router.users["pencadang"] = RouterUser(user.name, user.password, frozenset({"read", "ssh"}), user.group)
    body = await body_of(yard.driver())
    assert body.packed
    assert body.missing == ["backup: not enough permissions (9)"]


async def test_an_export_with_a_hole_is_refused(yard: Yard) -> None:
    yard.fleet.faults.add("export_incomplete", VILLAGE)
    with pytest.raises(AnswerUnreadable, match="not whole: /ip/hotspot did not answer"):
        await yard.driver().poll()


async def test_another_host_key_is_an_alarm_and_nothing_is_read(yard: Yard) -> None:
    await yard.driver(backup=False).poll()
    yard.fleet.faults.add("new_host_key", VILLAGE)
    with pytest.raises(LoginRefused, match=r"host key of 127\.0\.0\.1:\d+ changed"):
        await yard.driver(backup=False).poll()


async def test_a_wrong_password_and_a_dark_router_are_told_apart(yard: Yard) -> None:
    with pytest.raises(LoginRefused, match="password refused"):
        await yard.driver(secret="salah").poll()
    yard.fleet.faults.add("power_cut", VILLAGE)
    await asyncio.sleep(0.3)
    with pytest.raises((DeviceUnreachable, AnswerUnreadable)):
        await yard.driver().poll()


@pytest.mark.parametrize(
    ("last", "digest", "due"),
    [
        (Noted(), "a", True),
        (Noted(NOON - 3_600, "a"), "b", False),
        (Noted(NOON - DAY_SECONDS, "a"), "b", True),
        (Noted(NOON - DAY_SECONDS, "a"), "a", False),
        (Noted(NOON - 8 * DAY_SECONDS, "a"), "a", True),
        (Noted(NOON + 3_600, "a"), "b", False),
        (Noted(NOON + 400 * DAY_SECONDS, "a"), "a", True),
    ],
)
def test_flash_is_spared(last: Noted, digest: str, due: bool) -> None:
    assert backup_is_due(last, digest, NOON) is due
    assert not backup_is_due(last, digest, 3_600.0), "a clock of 1970 was never set"
