"""The ledger of a portal: every session accounted for, over power cuts, restarts, months and second processes."""

import random
from pathlib import Path

import pytest

from kampungnet.shared.portal_body import PortalSession, PortalSlot, Way
from kampungnet.shared.wanted import (
    WantedKick,
    WantedUser,
)
from kampungnet_agent.driver import DeviceUnreachable
from kampungnet_agent.drivers import portal_ledger
from kampungnet_agent.drivers import portal_memory as notes
from kampungnet_agent.drivers.fields import seconds
from kampungnet_agent.drivers.mikrotik_portal import DRIFT_SECONDS, MikrotikPortalDriver
from kampungnet_sim.hotspot_guest import Way as LoginWay
from tests.agent.drivers.portal.portal_stage import (
    ANDI,
    BUDI,
    CODE,
    MB,
    StageBox,
    body,
    code_of,
    made,
    session,
    wanted,
)
from tests.sim.stage import Stage


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


async def test_the_months_new_key_ends_no_session_and_counts_nothing_twice(
    driver: MikrotikPortalDriver, stage: Stage
) -> None:
    await driver.follow(wanted())
    guest = await stage.site.hotspot.join(ANDI)
    await guest.log_in(way="trial")
    stage.clock.forward(60)
    before = driver.pseudonym_of(ANDI)
    first = [one for one in (await body(driver)).sessions if one.guest == before]
    with driver.ledger.memory.look():
        driver.ledger.memory.write_note(notes.MONTH, b"2020-01")
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
    monkeypatch.setattr(portal_ledger, "MOST_TOLD", 3)
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
