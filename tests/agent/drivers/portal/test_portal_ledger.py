"""The ledger of a portal: every session accounted for, over power cuts, restarts, months and second processes."""

import random
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from kampungnet.shared import wire
from kampungnet.shared.portal_body import SLOT_MS, PortalSession, PortalSlot, Way
from kampungnet.shared.wanted import (
    WantedKick,
    WantedUser,
)
from kampungnet_agent.driver import DeviceError, DeviceUnreachable
from kampungnet_agent.drivers import portal_ledger, portal_rows
from kampungnet_agent.drivers import portal_memory as notes
from kampungnet_agent.drivers.fields import seconds
from kampungnet_agent.drivers.mikrotik_portal import DRIFT_SECONDS, MikrotikPortalDriver
from kampungnet_agent.drivers.portal_sessions import Session
from kampungnet_agent.reading import encode_checked
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
    stage.clock.stand_still()
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


async def test_what_the_spool_could_not_take_is_told_again(driver: MikrotikPortalDriver, stage: Stage) -> None:
    await driver.follow(wanted())
    guest = await stage.site.hotspot.join(ANDI)
    await guest.log_in(CODE, "")
    stage.clock.forward(60)
    lost = await session(driver, Way.VOUCHER)
    await driver.close()  # as the poller does when the spool refused the reading
    again = await session(driver, Way.VOUCHER)
    assert (again.id, again.slots) == (lost.id, lost.slots)
    assert (await session(driver, Way.VOUCHER)).slots == [], "told once when it was kept"


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


async def test_a_reading_always_fits_the_wire_however_much_there_is_to_tell(
    driver: MikrotikPortalDriver, stage: Stage
) -> None:
    now_ms = int(stage.clock() * 1000)
    slots = {now_ms // SLOT_MS - number: [1800, 10**9, 10**10] for number in range(150)}
    await driver.poll()
    for number in range(500):
        mac = f"D6:00:00:00:{number // 256:02X}:{number % 256:02X}"
        gone = Session(f"{number:016x}", "u", mac, f"g-{number:016}", 0, now_ms, slots=dict(slots), end="gone")
        gone.untold = set(slots)
        driver.ledger.sessions.append(gone)
    told: dict[str, set[int]] = {}
    for _ in range(200):
        found = await body(driver)
        reading = wire.Reading("b", 1, "portal", now_ms, 1, wire.Outcome.OK, 1, body=found)
        payload = encode_checked(reading)
        assert msgspec.json.decode(payload, type=wire.Reading).outcome is wire.Outcome.OK
        for one in found.sessions:
            told.setdefault(one.id, set()).update(slot.number for slot in one.slots)
        if not [one for one in driver.ledger.sessions if one.end]:
            break
    assert all(told[f"{number:016x}"] == set(slots) for number in range(500))


async def test_a_router_that_claims_an_uptime_of_centuries_costs_nothing(driver: MikrotikPortalDriver) -> None:
    row = {b"user": b"u", b"mac-address": b"D6:00:00:00:00:09", b"uptime": b"999999w"}
    (one,) = portal_rows.seen([row], b"key")
    assert one.uptime_seconds == portal_rows.LONGEST_SECONDS


async def test_a_refused_table_is_an_error_and_not_an_empty_portal(driver: MikrotikPortalDriver, stage: Stage) -> None:
    before = len([one for one in (await body(driver)).sessions if not one.end])
    stage.site.router.users["penulis"] = replace(stage.site.router.users["penulis"], policies=frozenset({"api"}))
    await driver.close()
    with pytest.raises(DeviceError):
        await driver.poll()
    rights = frozenset({"read", "write", "api", "ftp", "test"})
    stage.site.router.users["penulis"] = replace(stage.site.router.users["penulis"], policies=rights)
    assert len([one for one in (await body(driver)).sessions if not one.end]) == before


async def test_a_box_without_a_clock_tells_by_its_own_now_and_is_put_right_when_it_has_one(
    stage: Stage, tmp_path: Path
) -> None:
    stage.clock.stand_still()
    box = StageBox(stage.clock)
    driver = made(stage, box, tmp_path)
    await driver.poll()
    await driver.close()
    guest = await stage.site.hotspot.join(ANDI)
    await driver.follow(wanted())
    await guest.log_in(CODE, "")
    box.behind_ms = 1_700_000_000_000  # it says 1973, as after a power cut
    driver = made(stage, box, tmp_path / "new")
    await driver.follow(wanted())
    stage.clock.forward(120)
    guest.traffic(MB, MB)
    first = await body(driver)
    assert first.now_ms is not None
    shift = round((int(stage.clock() * 1000) - first.now_ms) / SLOT_MS)
    (one,) = [one for one in first.sessions if one.way is Way.VOUCHER]
    known = {slot.number + shift: slot.seconds for slot in one.slots}
    box.behind_ms = 0
    stage.clock.forward(60)
    second = await body(driver)
    assert second.now_ms is not None
    assert abs(second.now_ms - int(stage.clock() * 1000)) < 1000
    (same,) = [one for one in second.sessions if one.way is Way.VOUCHER]
    assert same.id == one.id
    assert abs(same.started_ms - (one.started_ms + int(stage.clock() * 1000) - first.now_ms - 60_000)) < 5_000
    known |= {slot.number: slot.seconds for slot in same.slots}
    assert abs(sum(known.values()) - 180) <= 3, "as the server puts it together, nothing is there twice"
    await driver.close()


async def test_a_ledger_with_a_row_that_cannot_be_read_is_set_aside(
    driver: MikrotikPortalDriver, stage: Stage, box: StageBox, tmp_path: Path
) -> None:
    await driver.follow(wanted())
    memory = driver.ledger.memory
    with memory.look():
        memory.write_note(notes.WANTED, b"{")
        memory._db.execute("INSERT INTO sessions VALUES ('x', x'00ff')")
    await driver.close()
    again = made(stage, box, tmp_path)
    assert again.revision == 0
    await again.follow(wanted(3))
    assert again.done == (3, [])
    assert (tmp_path / "portal.portal.db.broken").exists()
    await again.close()


async def test_what_the_server_knows_of_a_vouchers_use_holds_on_a_new_card(
    driver: MikrotikPortalDriver, stage: Stage
) -> None:
    now_ms = int(stage.clock() * 1000)
    used = WantedUser("V1", CODE, "harian", limit_seconds=3600, first_used_ms=now_ms - 7_200_000, used_seconds=3000)
    await driver.follow(wanted(users=[used]))
    (row,) = await (await stage.client()).rows("/ip/hotspot/user/print", f"?name={CODE}")
    assert row["limit-uptime"] == "10m"


async def test_on_a_new_card_running_sessions_are_counted_from_its_first_look_and_no_voucher_loses_time(
    driver: MikrotikPortalDriver, stage: Stage, box: StageBox, tmp_path: Path
) -> None:
    await driver.follow(wanted())
    guest = await stage.site.hotspot.join(ANDI)
    await guest.log_in(CODE, "")
    used: dict[tuple[str, int], PortalSlot] = {}
    known = 0
    for minute in range(40):
        stage.clock.forward(60)
        guest.traffic(MB, 1000)
        if minute == 20:  # told until here, then the card dies; the next box comes ten minutes later
            known = sum(slot.seconds for slot in used.values())
            await driver.close()
            driver = made(stage, box, tmp_path / "new")
        if not 20 <= minute < 30:
            if minute == 30:
                now_ms = int(stage.clock() * 1000)
                same = WantedUser(
                    "V1", CODE, "harian", limit_seconds=3600, first_used_ms=now_ms - 1_800_000, used_seconds=known
                )
                await driver.follow(wanted(users=[same]))
            for one in (await body(driver)).sessions:
                used |= {(one.id, slot.number): slot for slot in one.slots if one.reference}
    assert await guest.online()
    (truth,) = guest.truth()
    gap = truth.bytes_out - sum(slot.down_bytes for slot in used.values())
    assert 0 <= gap - 11 * MB < 1000, "what nobody saw, and nothing twice (and the answer to whether it is online)"
    assert abs(40 * 60 - sum(slot.seconds for slot in used.values()) - 660) <= 60
    (row,) = await (await stage.client()).rows("/ip/hotspot/user/print", f"?name={CODE}")
    assert row["limit-uptime"] == "1h", "the router counts this session at its end itself"
    await driver.close()
