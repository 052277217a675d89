"""The portal's driver against a simulated router: made so, kept so, and every session accounted for."""

import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kampungnet.shared.portal_body import PortalBody, PortalSession, PortalSlot, Way
from kampungnet.shared.wanted import (
    BindingKind,
    OpenHours,
    UserKind,
    WantedBinding,
    WantedClick,
    WantedGarden,
    WantedKick,
    WantedPage,
    WantedPlan,
    WantedPortal,
    WantedUser,
)
from kampungnet_agent.box import Box
from kampungnet_agent.driver import DeviceUnreachable, LoginRefused
from kampungnet_agent.drivers import mikrotik_portal
from kampungnet_agent.drivers import portal_memory as notes
from kampungnet_agent.drivers.fields import seconds
from kampungnet_agent.drivers.mikrotik_portal import DRIFT_SECONDS, MikrotikPortalDriver
from kampungnet_sim.fleet import FleetOptions
from kampungnet_sim.hotspot_guest import Way as LoginWay
from tests.agent.drivers.conftest import Settings
from tests.sim.stage import Clock, Stage, on_stage

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
        self.clock, self.wrong_ms = clock, 0

    def wall_ms(self) -> int:
        return int(self.clock() * 1000) + self.wrong_ms

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


async def test_an_empty_router_becomes_what_is_wanted_and_says_so(driver: MikrotikPortalDriver, stage: Stage) -> None:
    await driver.follow(wanted(7))
    assert driver.done == (7, [])
    client = await stage.client("penulis")
    profiles = {row["name"]: row for row in await client.rows("/ip/hotspot/user/profile/print")}
    assert profiles["kn-harian"]["rate-limit"] in {"2000k/5000k", "2M/5M"}
    assert profiles["kn-kantor"]["shared-users"] == "3"
    users = {row["name"]: row for row in await client.rows("/ip/hotspot/user/print")}
    assert (users[CODE]["profile"], users[CODE]["limit-uptime"]) == ("kn-harian", "1h")
    assert users["kades"]["comment"] == "kampungnet A1"
    (binding,) = [row for row in await client.rows("/ip/hotspot/ip-binding/print") if row.get("mac-address") == PRINTER]
    assert binding["type"] == "bypassed"
    hosts = {row.get("dst-host") for row in await client.rows("/ip/hotspot/walled-garden/print")}
    assert {"smartkampung.example.go.id", "*.example.id"} <= hosts
    (profile,) = [row for row in await client.rows("/ip/hotspot/profile/print") if row["name"] == "hsprof1"]
    assert profile["html-directory"].endswith("kampungnet-a")
    assert "trial" in profile["login-by"]
    assert profile["trial-user-profile"] == "kn-tamu"


async def test_doing_it_again_changes_nothing(driver: MikrotikPortalDriver, stage: Stage) -> None:
    await driver.follow(wanted(1))
    client = await stage.client("penulis")
    before = [await client.rows(f"{menu}/print") for menu in ("/ip/hotspot/user", "/ip/hotspot/user/profile", "/file")]
    await driver.follow(wanted(2))
    after = [await client.rows(f"{menu}/print") for menu in ("/ip/hotspot/user", "/ip/hotspot/user/profile", "/file")]
    assert before == after
    assert driver.done == (2, [])


async def test_rows_of_others_survive_and_an_end_of_management_leaves_only_them(
    driver: MikrotikPortalDriver, stage: Stage
) -> None:
    client = await stage.client("penulis")
    await client.ask("/ip/hotspot/user/profile/add", "=name=mikhmon-1jam", '=on-login=:put (",rem,5000")')
    await client.ask("/ip/hotspot/user/add", "=name=vc-77", "=password=x", "=comment=vc-123", "=profile=mikhmon-1jam")
    menus = ("/ip/hotspot/user", "/ip/hotspot/user/profile", "/ip/hotspot/ip-binding", "/ip/hotspot/walled-garden",
             "/ip/hotspot/walled-garden/ip", "/file")  # fmt: skip
    portal = await profile_of(stage)
    before = [await client.rows(f"{menu}/print") for menu in menus]
    await driver.follow(wanted(1))
    await driver.follow(WantedPortal(2, "Asia/Jakarta", managed=False))
    after = [await client.rows(f"{menu}/print") for menu in menus]
    assert before == after
    assert {name: value for name, value in (await profile_of(stage)).items() if name in portal} == portal
    assert driver.done == (2, [])


async def test_three_ways_in_each_told_with_way_and_plan(driver: MikrotikPortalDriver, stage: Stage) -> None:
    await driver.follow(wanted())
    logins: tuple[tuple[str, str, str, LoginWay, tuple[Way, str, str]], ...] = (
        (ANDI, CODE, "", "pap", (Way.VOUCHER, "V1", "harian")),
        (BUDI, "kades", "rahasia desa", "pap", (Way.ACCOUNT, "A1", "kantor")),
        ("D6:00:00:00:00:03", "", "", "trial", (Way.CLICK, "", "tamu")),
    )
    for mac, user, password, way, expected in logins:
        guest = await stage.site.hotspot.join(mac)
        await guest.log_in(user, password, way)
        assert await guest.online(), way
        one = await session(driver, expected[0])
        assert (one.way, one.reference, one.plan, one.end, one.random_mac) == (*expected, "", True)
        assert mac not in str(one)


@pytest.mark.parametrize("fault", ["power_cut", "reboot"])
async def test_a_voucher_loses_and_wins_no_time_by_a_power_cut(
    driver: MikrotikPortalDriver, stage: Stage, fault: str
) -> None:
    await driver.follow(wanted())
    guest = await stage.site.hotspot.join(ANDI)
    await guest.log_in(CODE, "")
    for _ in range(20):
        stage.clock.forward(60)
        guest.traffic(MB, 1000)
        await body(driver)
    stage.fleet.faults.add(fault, code_of(stage), 60)
    with pytest.raises(DeviceUnreachable):
        await driver.poll()
    stage.clock.forward(90)
    gone = await session(driver, Way.VOUCHER)
    assert gone.end == "reboot"
    (row,) = await (await stage.client()).rows("/ip/hotspot/user/print", f"?name={CODE}")
    left = (seconds(row["limit-uptime"].encode()) or 0) - (seconds(row["uptime"].encode()) or 0)
    assert abs(left - (3600 - 1200)) <= 60, "an hour, less the twenty minutes that were used, to one poll"
    await guest.log_in(CODE, "")
    assert await guest.online()
    for _ in range(left // 300):
        stage.clock.forward(300)
        guest.traffic(1000, 1000)
        await body(driver)
    stage.clock.forward(left % 300 + 70)
    assert not await guest.online()
    await body(driver)
    stage.clock.forward(DRIFT_SECONDS)
    await body(driver)
    (row,) = await (await stage.client()).rows("/ip/hotspot/user/print", f"?name={CODE}")
    assert row["disabled"] == "true"


async def test_a_day_with_two_power_cuts_and_restarts_of_the_box_is_told_as_it_was(
    driver: MikrotikPortalDriver, stage: Stage, box: StageBox, tmp_path: Path
) -> None:
    await driver.follow(wanted(users=[WantedUser("V1", CODE, "harian")]))
    guests = [await stage.site.hotspot.join(mac) for mac in (ANDI, BUDI)]
    ledger: dict[str, PortalSession] = {}
    used: dict[tuple[str, int], PortalSlot] = {}
    dice = random.Random(6)
    logins: tuple[tuple[str, str, LoginWay], ...] = ((CODE, "", "pap"), ("", "", "trial"))
    for minute in range(90):
        for guest, login in zip(guests, logins, strict=True):
            if not await guest.online() and dice.random() < 0.3:
                await guest.log_in(*login)
            guest.traffic(dice.randrange(5 * MB), dice.randrange(MB))
        stage.clock.forward(60)
        if minute in {30, 60}:
            await driver.close()
            driver = made(stage, box, tmp_path)
            stage.fleet.faults.add("power_cut", code_of(stage), 30)
            stage.clock.forward(45)
        for one in (await body(driver)).sessions:
            if one.reference == "V1" or one.way is Way.CLICK:
                ledger[one.id] = one
                used |= {(one.id, slot.number): slot for slot in one.slots}
    await driver.close()
    truth = [one for guest in guests for one in guest.truth()]
    mine = {guest.mac for guest in guests}
    told = [one for one in ledger.values() if one.guest in {driver.pseudonym_of(mac) for mac in mine}]
    assert len(told) == len(truth)
    down = sum(used[key].down_bytes for key in used if key[0] in {one.id for one in told})
    true_down = sum(one.bytes_out for one in truth)
    lost = true_down - down
    assert 0 <= lost <= 2 * 2 * 5 * MB, "at most what passed between the last look and each of the two cuts"


async def test_what_a_look_between_two_polls_saw_is_told_by_the_next_one(
    driver: MikrotikPortalDriver, stage: Stage
) -> None:
    await driver.follow(wanted())
    guest = await stage.site.hotspot.join(ANDI)
    await guest.log_in(CODE, "")
    stage.clock.forward(600)
    guest.traffic(MB, MB)
    await driver.follow(wanted(2))
    one = await session(driver, Way.VOUCHER)
    assert abs(sum(slot.seconds for slot in one.slots) - 600) <= 2
    assert (await session(driver, Way.VOUCHER)).slots == [], "told once, it is not told again"
    stage.clock.forward(60)
    await driver.follow(wanted(3))
    (slot,) = (await session(driver, Way.VOUCHER)).slots[-1:]
    assert slot.seconds >= 60


async def test_a_kicked_device_is_gone_and_the_reason_is_told(driver: MikrotikPortalDriver, stage: Stage) -> None:
    await driver.follow(wanted())
    guest = await stage.site.hotspot.join(ANDI)
    await guest.log_in(CODE, "")
    one = await session(driver, Way.VOUCHER)
    await driver.follow(wanted(2, kicks=[WantedKick(one.id)]))
    assert not await guest.online()
    gone = await session(driver, Way.VOUCHER)
    assert (gone.id, gone.end) == (one.id, "kicked")
    again = [one.id for one in (await body(driver)).sessions]
    assert gone.id not in again, "what was told to the end is not told again"


async def test_a_device_blocked_by_its_pseudonym_stays_out_over_a_restart_of_the_box(
    driver: MikrotikPortalDriver, stage: Stage, box: StageBox, tmp_path: Path
) -> None:
    await driver.follow(wanted())
    guest = await stage.site.hotspot.join(ANDI)
    await guest.log_in(CODE, "")
    one = await session(driver, Way.VOUCHER)
    block = WantedBinding("B2", BindingKind.BLOCKED, guest=one.guest)
    await driver.follow(wanted(2, bindings=[block]))
    assert not await guest.online()
    await driver.close()
    again = made(stage, box, tmp_path)
    await again.follow(wanted(3, bindings=[block]))
    rows = await (await stage.client()).rows("/ip/hotspot/ip-binding/print")
    assert [(row["mac-address"], row["type"]) for row in rows if row.get("comment") == "kampungnet B2"] == [
        (ANDI, "blocked")
    ]
    await again.follow(wanted(4, bindings=[]))
    await again.close()
    assert await guest.log_in(CODE, "")
    assert await guest.online()


async def test_somebody_elses_change_is_put_right_and_told_as_drift(driver: MikrotikPortalDriver, stage: Stage) -> None:
    await driver.follow(wanted())
    client = await stage.client("penulis")
    (row,) = await client.rows("/ip/hotspot/user/print", f"?name={CODE}")
    await client.ask("/ip/hotspot/user/set", f"=.id={row['.id']}", "=limit-uptime=99h")
    stage.clock.forward(700)
    told = await body(driver)
    assert told.drift == ["user kampungnet V1: limit-uptime"]
    (row,) = await client.rows("/ip/hotspot/user/print", f"?name={CODE}")
    assert row["limit-uptime"] == "1h"
    stage.clock.forward(700)
    assert (await body(driver)).drift == []


async def test_a_plan_closes_at_its_hour_without_the_server(driver: MikrotikPortalDriver, stage: Stage) -> None:
    minute = int((stage.clock() + 7 * 3600) % 86_400 // 60)
    hours = [OpenHours(list(range(7)), 0, minute + 10)]
    await driver.follow(wanted(plans=[msgspec.structs.replace(DAILY, hours=hours), GUEST, OFFICE]))
    guest = await stage.site.hotspot.join(ANDI)
    await guest.log_in(CODE, "")
    assert await guest.online()
    stage.clock.forward(660)
    await body(driver)
    assert not await guest.online()
    await guest.log_in(CODE, "")
    assert not await guest.online()


async def test_a_quota_that_is_reached_makes_slower_and_cuts_nobody_off(
    driver: MikrotikPortalDriver, stage: Stage
) -> None:
    await driver.follow(wanted())
    guest = await stage.site.hotspot.join(ANDI)
    await guest.log_in(CODE, "")
    await body(driver)
    stage.clock.forward(60)
    guest.traffic(120 * MB, MB)
    await body(driver)
    rows = await (await stage.client()).rows("/queue/simple/print")
    (queue,) = [row for row in rows if row["name"].startswith("kn-")]
    assert (queue["target"], queue["max-limit"]) in {
        (f"{guest.address}/32", "512k/1000k"),
        (f"{guest.address}/32", "512k/1M"),
    }
    assert await guest.online()


async def test_an_account_without_write_is_told_what_it_lacks_and_the_router_is_untouched(
    stage: Stage, box: StageBox, tmp_path: Path
) -> None:
    reader = made(stage, box, tmp_path, "kampungnet")
    await reader.follow(wanted())
    revision, problems = reader.done
    assert revision == 0
    assert any("not enough permissions" in problem for problem in problems)
    assert (await body(reader)).problems == problems
    await reader.close()


async def test_a_wrong_password_is_a_refused_login(stage: Stage, box: StageBox, tmp_path: Path) -> None:
    settings = Settings("portal", f"127.0.0.1:{stage.port}", "penulis", "salah", state_folder=str(tmp_path))
    driver = MikrotikPortalDriver(settings, box)
    with pytest.raises(LoginRefused):
        await driver.poll()
    await driver.close()


async def test_pages_that_do_not_fit_leave_the_old_ones_in_use(driver: MikrotikPortalDriver, stage: Stage) -> None:
    await driver.follow(wanted(1))
    stage.fleet.faults.add("flash_full", code_of(stage), 600)
    await driver.follow(wanted(2, pages=[WantedPage("login.html", "<p>Halaman baru</p>" * 50)]))
    revision, problems = driver.done
    assert revision == 1
    assert any("not enough space" in one for one in problems)
    assert problems[-1] == "Halaman portal yang lama tetap dipakai."
    guest = await stage.site.hotspot.join(ANDI)
    assert "Selamat datang" in (await guest.get("http://wifi.desa/login")).text
    stage.clock.forward(700)
    await body(driver)
    assert driver.done == (2, [])
    assert "Halaman baru" in (await guest.get("http://wifi.desa/login")).text


async def test_a_revoked_voucher_is_put_off_and_its_time_stays_its_own(
    driver: MikrotikPortalDriver, stage: Stage
) -> None:
    await driver.follow(wanted())
    guest = await stage.site.hotspot.join(ANDI)
    await guest.log_in(CODE, "")
    stage.clock.forward(60)
    one = await session(driver, Way.VOUCHER)
    await driver.follow(wanted(2, users=[]))
    assert not await guest.online()
    gone = await session(driver, Way.VOUCHER)
    assert (gone.id, gone.reference, gone.plan, gone.end) == (one.id, "V1", "harian", "kicked")


async def test_the_months_new_key_ends_no_session_and_counts_nothing_twice(
    driver: MikrotikPortalDriver, stage: Stage
) -> None:
    await driver.follow(wanted())
    guest = await stage.site.hotspot.join(ANDI)
    await guest.log_in(way="trial")
    stage.clock.forward(60)
    before = driver.pseudonym_of(ANDI)
    first = [one for one in (await body(driver)).sessions if one.guest == before]
    with driver._memory.look():
        driver._memory.write_note(notes.MONTH, b"2020-01")
    stage.clock.forward(60)
    after = [one for one in (await body(driver)).sessions if one.way is Way.CLICK]
    assert driver.pseudonym_of(ANDI) != before
    assert [(one.id, one.guest, one.end) for one in after] == [(first[0].id, before, "")]
    await driver.follow(wanted(2, kicks=[WantedKick(after[0].id)]))
    assert not await guest.online(), "it is still known which device that was"
    await guest.log_in(way="trial")
    guests = {one.guest for one in (await body(driver)).sessions if one.way is Way.CLICK and not one.end}
    assert guests == {driver.pseudonym_of(ANDI)}, "who comes anew has the new name"


async def test_more_sessions_than_one_reading_holds_are_told_in_turn(
    driver: MikrotikPortalDriver, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mikrotik_portal, "MOST_TOLD", 3)
    told: set[str] = set()
    online = 0
    for _ in range(8):
        stage.clock.forward(1)
        found = await body(driver)
        assert len(found.sessions) <= 3
        online = max(online, found.online)
        told |= {one.id for one in found.sessions}
    assert 3 < online <= len(told)


async def test_while_another_process_has_the_ledger_nothing_is_kept_and_nothing_is_changed(
    driver: MikrotikPortalDriver, stage: Stage, box: StageBox, tmp_path: Path
) -> None:
    await driver.follow(wanted())
    other = made(stage, box, tmp_path)
    assert (other.revision, (await body(other)).online) == (0, (await body(driver)).online)
    await other.follow(wanted(9, users=[]))
    assert other.revision == 0
    client = await stage.client("penulis")
    assert len(await client.rows("/ip/hotspot/user/print", f"?name={CODE}")) == 1
    await driver.close()
    assert (await body(other)).revision == 1, "as soon as the file is free it is taken"
    assert other.revision == 1
    await other.close()


async def test_check_reads_only_and_leaves_no_file(stage: Stage, box: StageBox, tmp_path: Path) -> None:
    one = made(stage, box, tmp_path / "state")
    (finding,) = await one.check()
    assert finding.good
    assert "orang online" in finding.sentence
    assert not (tmp_path / "state").exists()


async def test_a_row_of_ours_that_somebody_switched_off_is_switched_on_again(
    driver: MikrotikPortalDriver, stage: Stage
) -> None:
    await driver.follow(wanted())
    client = await stage.client("penulis")
    rows = await client.rows("/ip/hotspot/walled-garden/print", "?dst-host=smartkampung.example.go.id")
    for row in rows:
        await client.ask("/ip/hotspot/walled-garden/set", f"=.id={row['.id']}", "=disabled=yes")
    stage.clock.forward(DRIFT_SECONDS + 1)
    assert (await body(driver)).drift == ["walled-garden kampungnet G1: disabled"]
    rows = await client.rows("/ip/hotspot/walled-garden/print", "?dst-host=smartkampung.example.go.id")
    assert [row["disabled"] for row in rows] == ["false"]
