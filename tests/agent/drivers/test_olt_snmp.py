"""The OLT driver against hand-made rows (no public recording holds ONU rows but UFiber's) and one recording."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kampungnet.shared import wire
from kampungnet.shared.wire import DownCause, OnuState
from kampungnet_agent.driver import AnswerUnreadable, DeviceUnreachable
from kampungnet_agent.drivers import olt_search
from kampungnet_agent.drivers.light_sources import oid
from kampungnet_agent.drivers.olt_budget import Budget
from kampungnet_agent.drivers.olt_snmp import OltSnmpDriver
from tests.agent.drivers.conftest import Settings
from tests.agent.drivers.olt_rows import HUAWEI, ZTE_NEW, ZTE_OLD, Rows
from tests.agent.drivers.scripted_snmp import Plain, ScriptedAgent, answering, impatience
from tests.support.snmpsim import snmpsim

MINE = "ZTEGC1234567"
OTHER = "ZTEGC7654321"


def driver_at(address: str, *onus: str, **options: str | int) -> OltSnmpDriver:
    return OltSnmpDriver(Settings(address=address, options={"onus": list(onus) or [MINE], **options}))


async def body_of(driver: OltSnmpDriver) -> wire.OltBody:
    body = (await driver.poll()).body
    assert isinstance(body, wire.OltBody)
    assert msgspec.json.decode(msgspec.json.encode(body), type=wire.OltBody) == body
    return body


async def only_onu(agent: ScriptedAgent, *onus: str) -> wire.Onu:
    async with answering(agent) as address:
        driver = driver_at(address, *onus)
        (onu,) = (await body_of(driver)).onus
        await driver.close()
    return onu


@pytest.mark.parametrize(
    ("make", "port"), [(ZTE_OLD, "gpon-onu_1/2/1:5"), (ZTE_NEW, "gpon_onu-1/2/1:5"), (HUAWEI, "0/1/2:5")]
)
async def test_one_onu_is_read_whole_from_each_tree(make: Rows, port: str) -> None:
    onu = await only_onu(make.olt(make.onu(MINE, state="online", rx=-18.73, olt_rx=-22.68)))
    assert (onu.serial, onu.port, onu.state, onu.admin_enabled) == (MINE, port, OnuState.ONLINE, True)
    assert (onu.rx_power_dbm, onu.olt_rx_power_dbm, onu.no_light) == (-18.73, -22.68, False)
    assert (onu.distance_metres, onu.light_age_seconds) == (1235, 0)
    assert (onu.last_up, onu.last_down) == ("2026-07-22 07:38:06", "2026-07-22 07:34:11")
    assert onu.last_down_cause is DownCause.DYING_GASP


@pytest.mark.parametrize(
    ("number", "old", "new"),
    [
        (1, OnuState.LOS, OnuState.REGISTERING),
        (2, OnuState.REGISTERING, OnuState.LOS),
        (3, OnuState.ONLINE, OnuState.REGISTERING),
        (4, OnuState.DYING_GASP, OnuState.ONLINE),
        (5, OnuState.REFUSED, OnuState.DYING_GASP),
        (6, OnuState.OFFLINE, OnuState.REFUSED),
        (7, OnuState.UNKNOWN, OnuState.OFFLINE),
    ],
)
async def test_the_same_number_means_what_its_own_tree_says(number: int, old: OnuState, new: OnuState) -> None:
    for make, expected in ((ZTE_OLD, old), (ZTE_NEW, new)):
        assert (await only_onu(make.olt(make.onu(MINE, state=number)))).state is expected


@pytest.mark.parametrize("make", [ZTE_OLD, ZTE_NEW, HUAWEI], ids=lambda make: make.name)
@pytest.mark.parametrize("marker", [2147483647, 65535, -65535, -1])
async def test_markers_of_no_value_are_missing_and_no_darkness(make: Rows, marker: int) -> None:
    onu = await only_onu(make.olt(make.onu(MINE, state="online", raw_rx=marker, raw_olt_rx=marker)))
    assert (onu.rx_power_dbm, onu.olt_rx_power_dbm, onu.no_light) == (None, None, False)


@pytest.mark.parametrize("make", [ZTE_OLD, ZTE_NEW], ids=lambda make: make.name)
async def test_an_olt_that_hears_nothing_says_dark_and_raw_0_is_no_reading(make: Rows) -> None:
    onu = await only_onu(make.olt(make.onu(MINE, state="los", raw_rx=0, raw_olt_rx=-80000)))
    assert (onu.rx_power_dbm, onu.olt_rx_power_dbm, onu.no_light) == (None, None, True)


async def test_a_cause_older_than_the_last_start_says_nothing_about_this_outage() -> None:
    late = await only_onu(HUAWEI.olt(HUAWEI.onu(MINE, state="down", down_minute=50)))
    assert (late.state, late.last_down_cause) == (OnuState.OFFLINE, DownCause.DYING_GASP)
    old = await only_onu(HUAWEI.olt(HUAWEI.onu(MINE, state="down", down_minute=34)))
    assert (old.last_down_cause, old.last_down) == (None, "")


@pytest.mark.parametrize("written", ["ztegc1234567", "5A544547C1234567", "ZTEG-C1234567", "1,ZTEGC1234567"])
async def test_a_serial_number_is_found_however_people_write_it(written: str) -> None:
    assert (await only_onu(ZTE_OLD.olt(ZTE_OLD.onu(MINE)), written)).serial == MINE


async def test_only_the_serial_column_is_ever_walked_and_nobody_elses_row_is_read() -> None:
    neighbours = [ZTE_OLD.onu(f"HWTC000000{number:02}", onu=number) for number in range(10, 60)]
    agent = ZTE_OLD.olt(ZTE_OLD.onu(MINE), *neighbours)
    async with answering(agent) as address:
        driver = driver_at(address)
        await body_of(driver)
        first, agent.asked = agent.asked, []
        await body_of(driver)
    private = [oid(f"1.3.6.1.4.1.3902.1012.3.28.1.1.{column}") for column in (1, 2, 3)]
    assert not [
        one for one in first if one[:13] in private or one[:13] == oid("1.3.6.1.4.1.3902.1082.500.20.2.14")[:13]
    ]
    rows = {one[-2:] for one in agent.asked if one[:10] == oid("1.3.6.1.4.1.3902.1012.3.28")}
    assert rows == {(0x10000000 + (2 << 16) + (1 << 8), 5)}
    assert len(agent.asked) < 15


async def test_state_is_asked_each_time_and_light_rarely_and_once_more_after_a_change() -> None:
    agent = ZTE_OLD.olt(ZTE_OLD.onu(MINE, state="online", rx=-18.73))
    light = oid("1.3.6.1.4.1.3902.1012.3.50.12.1.1.10")
    async with answering(agent) as address:
        driver = driver_at(address)
        asked = []
        for _ in range(4):
            await body_of(driver)
            asked.append(any(one[: len(light)] == light for one in agent.asked))
            agent.asked.clear()
        agent.values |= ZTE_OLD.onu(MINE, state="los", raw_rx=65535, raw_olt_rx=-80000)
        (onu,) = (await body_of(driver)).onus
        again = [one for one in agent.asked if one[: len(light)] == light]
        agent.asked.clear()
        await body_of(driver)
    assert asked == [True, False, False, False]
    assert (onu.state, onu.rx_power_dbm, onu.no_light, len(again)) == (OnuState.LOS, None, True, 1)
    assert not [one for one in agent.asked if one[: len(light)] == light]


async def test_a_cause_that_the_olt_writes_after_the_state_is_still_seen() -> None:
    agent = HUAWEI.olt(HUAWEI.onu(MINE, state="online"))
    async with answering(agent) as address:
        driver = driver_at(address)
        await body_of(driver)
        agent.values |= HUAWEI.onu(MINE, state="down")
        (before,) = (await body_of(driver)).onus
        agent.values |= HUAWEI.onu(MINE, state="down", down_minute=50)
        (after,) = (await body_of(driver)).onus
    assert (before.state, before.last_down_cause) == (OnuState.OFFLINE, None)
    assert (after.last_down_cause, after.last_down) == (DownCause.DYING_GASP, "2026-07-22 07:50:11")


async def test_an_onu_that_moved_to_another_port_is_found_again_and_never_reported_wrong() -> None:
    agent = ZTE_OLD.olt(ZTE_OLD.onu(MINE))
    async with answering(agent) as address:
        driver = driver_at(address)
        await body_of(driver)
        agent.values |= {**ZTE_OLD.onu(OTHER), **ZTE_OLD.onu(MINE, onu=9)}
        gone = await body_of(driver)
        (found,) = (await body_of(driver)).onus
    assert gone.onus == []
    assert gone.missing == [f"onus: 1 still searched for, 0 rows seen: {MINE}"]
    assert found.port == "gpon-onu_1/2/1:9"


async def test_a_serial_number_the_olt_does_not_know_is_named_and_not_offline() -> None:
    async with answering(ZTE_OLD.olt(ZTE_OLD.onu(MINE))) as address:
        body = await body_of(driver_at(address, MINE, OTHER))
    assert [onu.serial for onu in body.onus] == [MINE]
    assert body.missing == [f"onus: 1 not on this OLT: {OTHER}"]


async def test_a_search_that_breaks_off_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(olt_search, "ROWS_PER_POLL", 25)
    neighbours = [ZTE_OLD.onu(f"HWTC{number:08}", onu=number) for number in range(10, 80)]
    agent = ZTE_OLD.olt(ZTE_OLD.onu(MINE, onu=5), *neighbours, ZTE_OLD.onu(OTHER, onu=128))
    async with answering(agent) as address:
        driver = driver_at(address, MINE, OTHER)
        first = await body_of(driver)
        agent.silent_after = agent.packets + 1  # answers for the uptime, then not for the search
        with impatience(), pytest.raises(DeviceUnreachable):
            await driver.poll()
        agent.silent_after = 1_000_000
        for _ in range(3):
            last = await body_of(driver)
    assert [onu.serial for onu in first.onus] == [MINE]
    assert [onu.serial for onu in last.onus] == [MINE, OTHER]


async def test_when_only_the_light_does_not_answer_the_states_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    agent = ZTE_OLD.olt(ZTE_OLD.onu(MINE, state="online"))
    async with answering(agent) as address:
        driver = driver_at(address)
        await body_of(driver)
        monkeypatch.setattr(driver, "_light_interval", -1)
        agent.silent_after = agent.packets + 3
        body = await body_of(driver)
    assert body.onus[0].state is OnuState.ONLINE
    assert [entry.partition(":")[0] for entry in body.missing] == ["light"]


async def test_an_endless_serial_column_stays_within_the_rows_of_one_poll() -> None:
    column = "1.3.6.1.4.1.3902.1012.3.28.1.1.5"
    endless: dict[str, Plain] = {f"{column}.268501248.{number}": b"HWTC0000" for number in range(1, 2000)}
    agent = ZTE_OLD.olt(endless)
    async with answering(agent) as address:
        driver = driver_at(address)
        await body_of(driver)
        assert agent.packets <= 14


async def test_two_devices_with_one_olt_never_read_light_at_once() -> None:
    at_once, most = 0, 0
    rows = [ZTE_OLD.onu(f"ZTEG{number:08}", onu=number, state="online") for number in range(1, 11)]
    agent = ZTE_OLD.olt(*rows)
    agent.pace_seconds = 0.01
    async with answering(agent) as address:
        names = [f"ZTEG{number:08}" for number in range(1, 11)]
        one, two = driver_at(address, *names[:5]), driver_at(address, *names[5:])
        assert one._budget is two._budget
        read_one = OltSnmpDriver._read_one

        async def watched(self: OltSnmpDriver, known: Any, serial: str) -> None:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            await read_one(self, known, serial)
            at_once -= 1

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(OltSnmpDriver, "_read_one", watched)
            await asyncio.gather(one.poll(), two.poll())
            await asyncio.gather(one.poll(), two.poll())
    assert most == 1


def test_light_of_many_onus_is_spread_over_time() -> None:
    now = [0.0]
    lights = Budget(400, clock=lambda: now[0]).lights
    assert lights.take(256) == 30
    assert lights.take(256) == 0
    read = 30
    for _ in range(8):
        now[0] += 60
        read += lights.take(256)
    assert read == 270
    now[0] += 36_000
    assert lights.take(256) == 30


async def test_256_onus_are_polled_in_few_packets_and_within_the_budget() -> None:
    names = [f"ZTEG{number:08X}" for number in range(256)]
    rows = [ZTE_OLD.onu(name, onu=number % 128 + 1, port=number // 128 + 1) for number, name in enumerate(names)]
    agent = ZTE_OLD.olt(*rows)
    light = oid("1.3.6.1.4.1.3902.1012.3.50.12.1")
    async with answering(agent) as address:
        driver = driver_at(address, *names)
        driver._budget = Budget(400, clock=lambda: 0.0)  # however long the test takes, nothing is added to it
        await driver.poll()
        agent.packets = 0
        body = await body_of(driver)
    assert len(body.onus) == olt_search.ROWS_PER_POLL
    assert agent.packets < 40
    assert 0 < len({one[len(light) + 2 :] for one in agent.asked if one[: len(light)] == light}) <= 30


async def test_a_device_without_a_table_we_know_is_unreadable_by_name() -> None:
    agent = ScriptedAgent({"1.3.6.1.2.1.1.2.0": "1.3.6.1.4.1.9.1.1", "1.3.6.1.2.1.1.1.0": b"Cisco"})
    async with answering(agent) as address:
        with pytest.raises(AnswerUnreadable, match=r"sysObjectID 1\.3\.6\.1\.4\.1\.9\.1\.1, Cisco"):
            await driver_at(address).poll()
        (finding,) = await driver_at(address).check()
    assert "tabel ONU-nya tidak dikenal" in finding.sentence


@pytest.mark.parametrize(
    "options",
    [{}, {"onus": []}, {"onus": "ZTEG"}, {"onus": [" "]}, {"onus": [MINE], "light_interval_seconds": 60}],
)
def test_settings_that_would_hurt_the_olt_are_refused(options: dict[str, str | int | list[str]]) -> None:
    with pytest.raises(ValueError, match=r"onus|light_interval_seconds"):
        OltSnmpDriver(Settings(address="127.0.0.1", options=options))


async def test_check_speaks_of_found_and_lost_onus_and_of_the_one_agent() -> None:
    async with answering(ZTE_OLD.olt(ZTE_OLD.onu(MINE))) as address:
        findings = list(await driver_at(address, MINE, OTHER).check())
    assert any(finding.good and f"1 ONU ditemukan: {MINE}" in finding.sentence for finding in findings)
    assert any(not finding.good and OTHER in finding.sentence for finding in findings)
    assert "satu agen" in findings[-1].sentence


async def test_a_recorded_ufiber_olt_gives_all_29_onus_16_of_them_up(shared: Path, tmp_path: Path) -> None:
    recording = "ont/librenms/snmpsim/edgeosolt"
    serials = [
        line.rpartition("|")[2].strip()
        for line in (shared / "recordings" / f"{recording}.snmprec").read_text(errors="replace").splitlines()
        if line.startswith("1.3.6.1.4.1.41112.1.5.6.2.1.1.")
    ]
    with snmpsim(shared / "recordings", tmp_path) as address:
        driver = OltSnmpDriver(Settings(address=address, secret=recording, options={"onus": serials}))
        for _ in range(20):
            try:
                body = await body_of(driver)
                break
            except DeviceUnreachable:
                await asyncio.sleep(0.2)
    assert (body.model, body.grade) == ("UFiber OLT", wire.Grade.RECORDED)
    assert body.version == "UF-OLT.ER-e600.v4.4.2.4598.220304.1412"
    assert len(body.onus) == 29
    up = [onu for onu in body.onus if onu.state is OnuState.ONLINE]
    assert len(up) == 16
    levels = sorted(onu.rx_power_dbm for onu in up if onu.rx_power_dbm is not None)
    assert (levels[0], levels[-1], len(levels)) == (-26.98, -17.25, 16)
    assert all(onu.rx_power_dbm is None for onu in body.onus if onu.state is not OnuState.ONLINE)
