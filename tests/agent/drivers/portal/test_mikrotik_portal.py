"""The portal's driver against a simulated router: made so, kept so, and nothing of others touched."""

from pathlib import Path

import msgspec
import pytest

from kampungnet.shared.portal_body import Way
from kampungnet.shared.wanted import (
    BindingKind,
    OpenHours,
    WantedBinding,
    WantedKick,
    WantedPage,
    WantedPortal,
    WantedUser,
)
from kampungnet_agent.driver import LoginRefused
from kampungnet_agent.drivers.mikrotik_portal import DRIFT_SECONDS, MikrotikPortalDriver
from tests.agent.drivers.conftest import Settings
from tests.agent.drivers.portal.portal_stage import (
    ANDI,
    CODE,
    DAILY,
    GUEST,
    MB,
    OFFICE,
    PRINTER,
    StageBox,
    body,
    code_of,
    made,
    profile_of,
    session,
    wanted,
)
from tests.sim.stage import Stage


async def test_an_empty_router_becomes_what_is_wanted_and_says_so(driver: MikrotikPortalDriver, stage: Stage) -> None:
    await driver.follow(wanted(7))
    assert driver.done == (7, [])
    client = await stage.client("penulis")
    profiles = {row["name"]: row for row in await client.rows("/ip/hotspot/user/profile/print")}
    assert profiles["kampungnet-harian"]["rate-limit"] in {"2000k/5000k", "2M/5M"}
    assert profiles["kampungnet-kantor"]["shared-users"] == "3"
    users = {row["name"]: row for row in await client.rows("/ip/hotspot/user/print")}
    assert (users[CODE]["profile"], users[CODE]["limit-uptime"]) == ("kampungnet-harian", "1h")
    assert users["kades"]["comment"] == "kampungnet:A1"
    (binding,) = [row for row in await client.rows("/ip/hotspot/ip-binding/print") if row.get("mac-address") == PRINTER]
    assert binding["type"] == "bypassed"
    hosts = {row.get("dst-host") for row in await client.rows("/ip/hotspot/walled-garden/print")}
    assert {"smartkampung.example.go.id", "*.example.id"} <= hosts
    (profile,) = [row for row in await client.rows("/ip/hotspot/profile/print") if row["name"] == "hsprof1"]
    assert profile["html-directory"].endswith("kampungnet-a")
    assert "trial" in profile["login-by"]
    assert profile["trial-user-profile"] == "kampungnet-tamu"


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
    assert [(row["mac-address"], row["type"]) for row in rows if row.get("comment") == "kampungnet:B2"] == [
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
    assert told.drift == ["user kampungnet:V1: limit-uptime"]
    (row,) = await client.rows("/ip/hotspot/user/print", f"?name={CODE}")
    assert row["limit-uptime"] == "1h"
    stage.clock.forward(700)
    assert (await body(driver)).drift == []


async def test_a_box_that_was_replaced_changes_nothing_on_the_router_any_more(
    driver: MikrotikPortalDriver, stage: Stage
) -> None:
    await driver.follow(wanted())
    client = await stage.client("penulis")
    (row,) = await client.rows("/ip/hotspot/user/print", f"?name={CODE}")
    await client.ask("/ip/hotspot/user/set", f"=.id={row['.id']}", "=limit-uptime=99h")
    driver.stand_back(back=True)
    stage.clock.forward(700)
    assert (await body(driver)).drift == []
    (row,) = await client.rows("/ip/hotspot/user/print", f"?name={CODE}")
    assert row["limit-uptime"] == "4d3h", "as the other box set it"
    driver.stand_back(back=False)
    await driver.poll()
    (row,) = await client.rows("/ip/hotspot/user/print", f"?name={CODE}")
    assert row["limit-uptime"] == "1h"


async def test_a_router_of_another_village_is_left_alone_and_the_desk_is_told_whose_it_is(
    driver: MikrotikPortalDriver, stage: Stage, box: StageBox, tmp_path: Path
) -> None:
    await driver.follow(wanted(1, place="35.10.15.2012-1"))
    assert driver.done == (1, [])
    second = made(stage, box, tmp_path / "second")
    theirs = wanted(1, place="35.10.15.2003-1", users=[], garden=[])
    await second.follow(theirs)
    revision, (problem,) = second.done
    assert (revision, "35.10.15.2012-1" in problem) == (0, True)
    assert (await body(second)).problems == [problem]
    await second.follow(WantedPortal(2, "Asia/Jakarta", managed=False, place="35.10.15.2003-1"))
    assert second.done == (2, []), "what is not its own it does not clear away either"
    stage.clock.forward(DRIFT_SECONDS + 1)
    assert (await body(driver)).drift == []
    await driver.close()
    new_card = made(stage, box, tmp_path / "new")
    await new_card.follow(wanted(2, place="35.10.15.2012-1"))
    assert new_card.done == (2, []), "a box in the place of another is the same village's"
    await new_card.follow(WantedPortal(3, "Asia/Jakarta", managed=False, place="35.10.15.2012-1"))
    await second.follow(msgspec.structs.replace(theirs, revision=3))
    assert second.done == (3, []), "nobody's router any more"
    await new_card.close()
    await second.close()


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
    (queue,) = [row for row in rows if row["name"].startswith("kampungnet-")]
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
    assert (gone.id, gone.reference, gone.plan, gone.end) == (one.id, "V1", "harian", "revoked")


async def test_a_row_of_ours_that_somebody_switched_off_is_switched_on_again(
    driver: MikrotikPortalDriver, stage: Stage
) -> None:
    await driver.follow(wanted())
    client = await stage.client("penulis")
    rows = await client.rows("/ip/hotspot/walled-garden/print", "?dst-host=smartkampung.example.go.id")
    for row in rows:
        await client.ask("/ip/hotspot/walled-garden/set", f"=.id={row['.id']}", "=disabled=yes")
    stage.clock.forward(DRIFT_SECONDS + 1)
    assert (await body(driver)).drift == ["walled-garden kampungnet:G1: disabled"]
    rows = await client.rows("/ip/hotspot/walled-garden/print", "?dst-host=smartkampung.example.go.id")
    assert [row["disabled"] for row in rows] == ["false"]


async def test_rows_that_a_person_named_like_ours_are_not_ours(driver: MikrotikPortalDriver, stage: Stage) -> None:
    client = await stage.client("penulis")
    await client.ask("/ip/hotspot/user/profile/add", "=name=kn-1jam")
    await client.ask("/ip/hotspot/user/add", "=name=lurah", "=password=x", "=comment=kampungnet Pak Lurah")
    await driver.follow(wanted())
    assert len(await client.rows("/ip/hotspot/user/print", "?name=lurah")) == 1
    assert len(await client.rows("/ip/hotspot/user/profile/print", "?name=kn-1jam")) == 1


async def test_a_router_that_lost_all_our_rows_is_told_in_a_reading_that_fits(
    driver: MikrotikPortalDriver, stage: Stage
) -> None:
    users = [WantedUser(f"V{number}", f"kode{number:04}", "harian") for number in range(80)]
    await driver.follow(wanted(users=users))
    client = await stage.client("penulis")
    for row in await client.rows("/ip/hotspot/user/print", "?profile=kampungnet-harian"):
        await client.ask("/ip/hotspot/user/remove", f"=.id={row['.id']}")
    stage.clock.forward(DRIFT_SECONDS + 1)
    found = await body(driver)
    assert len(found.drift) == 40
    assert len(await client.rows("/ip/hotspot/user/print", "?profile=kampungnet-harian")) == 80


async def test_a_box_with_a_new_card_gives_the_router_its_first_pages_back(
    driver: MikrotikPortalDriver, stage: Stage, box: StageBox, tmp_path: Path
) -> None:
    await driver.follow(wanted())
    await driver.close()
    fresh = made(stage, box, tmp_path / "new")
    await fresh.follow(wanted())
    await fresh.follow(WantedPortal(2, "Asia/Jakarta", managed=False))
    profile = await profile_of(stage)
    assert profile["html-directory"].rpartition("/")[2] == "hotspot"
    assert profile["trial-user-profile"] == "default"
    guest = await stage.site.hotspot.join(ANDI)
    assert (await guest.get("http://wifi.desa/login")).status == 200
    await fresh.close()


async def test_another_model_in_the_routers_place_becomes_what_is_wanted(
    driver: MikrotikPortalDriver, stage: Stage
) -> None:
    await driver.follow(wanted(7))
    stage.fleet.replace_router(next(iter(stage.fleet.sites)), "hap-ac-lite", 5)
    stage.clock.forward(6)
    client = await stage.client("penulis")
    assert await client.rows("/ip/hotspot/user/print", f"?name={CODE}") == []
    await body(driver)
    stage.clock.forward(DRIFT_SECONDS + 1)
    found = await body(driver)
    assert found.revision == 7
    (user,) = await client.rows("/ip/hotspot/user/print", f"?name={CODE}")
    assert user["profile"] == "kampungnet-harian"
    profile = await profile_of(stage)
    assert profile["html-directory"].endswith("kampungnet-a")


async def test_a_zone_that_nobody_knows_is_not_kept(driver: MikrotikPortalDriver) -> None:
    await driver.follow(wanted(1))
    with pytest.raises(ValueError, match="Mars"):
        await driver.follow(wanted(2, time_zone="Mars/Olympus"))
    assert driver.revision == 1
    assert (await body(driver)).revision == 1


async def test_a_block_of_who_left_holds_as_soon_as_that_device_is_back(
    driver: MikrotikPortalDriver, stage: Stage
) -> None:
    await driver.follow(wanted())
    name = driver.pseudonym_of(ANDI)
    await driver.follow(wanted(2, bindings=[WantedBinding("B2", BindingKind.BLOCKED, guest=name)]))
    guest = await stage.site.hotspot.join(ANDI)
    await body(driver)
    with pytest.raises(ConnectionError, match="without a word"):
        await guest.log_in(CODE, "")
