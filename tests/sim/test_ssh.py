"""The SSH responder, logged in to with OpenSSH's own client."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from kampungnet_sim.extras import ExtraWish
from kampungnet_sim.fleet import FleetOptions
from kampungnet_sim.olt_service import OltWish
from tests.sim.far_end import CODE, extra, olt_of, ssh
from tests.sim.stage import SARONGAN, Stage, on_stage

OLD = (
    "-oKexAlgorithms=diffie-hellman-group14-sha1", "-oHostKeyAlgorithms=ssh-rsa", "-oCiphers=aes128-cbc",
    "-oMACs=hmac-sha1",
)  # fmt: skip
ANCIENT = (
    "-oKexAlgorithms=diffie-hellman-group1-sha1", "-oHostKeyAlgorithms=ssh-rsa", "-oCiphers=3des-cbc",
    "-oMACs=hmac-sha1",
)  # fmt: skip
OPTIC = "display optic"


@asynccontextmanager
async def an_ont(kind: str = "huawei", age: str = "") -> AsyncIterator[Stage]:
    async with on_stage(FleetOptions(model="hap-ax2", extras=ExtraWish(ont_ssh=kind, ssh_age=age))) as stage:
        yield stage


@pytest.fixture
async def ont() -> AsyncIterator[Stage]:
    async with an_ont() as stage:
        yield stage


def counts(stage: Stage, name: str = f"{SARONGAN.code}/ont") -> dict[str, Any]:
    return stage.fleet.extras.listed()[name]


async def settled(stage: Stage, logins: int) -> dict[str, Any]:
    """The counts once so many logins have ended."""
    for _ in range(1200):
        found = counts(stage)
        if found["logouts"] + found["left_open"] == logins:
            return found
        await asyncio.sleep(0.05)
    return counts(stage)


async def typed(stage: Stage, *commands: str) -> None:
    """Return when the device was given these commands."""
    async with asyncio.timeout(60):
        while counts(stage)["commands"] != list(commands):
            await asyncio.sleep(0.05)


async def test_a_shell_greets_echoes_answers_and_is_left(ont: Stage, tmp_path: Path) -> None:
    code, said = await ssh(extra(ont, "ont_ssh"), tmp_path, "-tt", *OLD, typed=f"{OPTIC}\rquit\r")
    assert code in (0, 255)
    assert "\x1b[1;32m" in said
    assert f"WAP>{OPTIC}\r\nLinkStatus  : ok  \r\n" in said
    rx = re.search(r"RxPower      : (-\d+\.\d\d) \(dBm\)\r\n", said)
    assert rx is not None
    assert abs(float(rx[1]) - ont.truth().rx_power_dbm) < 0.1
    assert said.rstrip().endswith("WAP>quit")
    found = await settled(ont, 1)
    assert (found["logins"], found["logouts"], found["left_open"]) == (1, 1, 0)
    assert found["commands"] == [OPTIC, "quit"]


async def test_a_single_command_gets_its_answer_and_no_prompt(ont: Stage, tmp_path: Path) -> None:
    code, said = await ssh(extra(ont, "ont_ssh"), tmp_path, *OLD, "display sn")
    serial = ont.site.village.profile.ont_serial
    assert code == 0
    assert said == f"sn = {serial[:4].encode().hex().upper()}{serial[4:]}\r\n\r\nsuccess!\r\n"


async def test_a_cut_fibre_looks_from_inside_as_it_was_recorded(ont: Stage, tmp_path: Path, shared: Path) -> None:
    ont.fleet.faults.add("cut_fibre", CODE, 60)
    _, said = await ssh(extra(ont, "ont_ssh"), tmp_path, *OLD, OPTIC)
    recorded = shared / "recordings/ont/ntc-templates/huawei_ont/display_optic/huawei_ont_display_optic.raw"
    for mine, theirs in zip(said.splitlines(), recorded.read_text().splitlines(), strict=True):
        # Voltage and warmth of this unit are its own.
        assert re.sub(r": \d+ \(", ": 0 (", mine) == re.sub(r": \d+ \(", ": 0 (", theirs)


@pytest.mark.parametrize(
    ("folder", "command"),
    [
        ("display_deviceInfo", "display deviceInfo"),
        ("display_memory_info", "display memory info"),
        ("display_port_statistics_portid_0", "display port statistics portid 0"),
        ("display_sn", "display sn"),
        ("display_sysinfo", "display sysinfo"),
        ("display_version", "display version"),
    ],
)
async def test_a_huawei_ont_lays_its_answers_out_as_recorded(
    ont: Stage, tmp_path: Path, shared: Path, folder: str, command: str
) -> None:
    [file] = (shared / "recordings/ont/ntc-templates/huawei_ont" / folder).glob("*.raw")
    _, said = await ssh(extra(ont, "ont_ssh"), tmp_path, *OLD, command)
    assert [key_of(line) for line in said.splitlines()] == [key_of(line) for line in file.read_text().splitlines()]


def key_of(line: str) -> str:
    """A line without its value: up to ``:`` or ``=``, numbers made alike."""
    return re.sub(r"\d+", "0", re.split(r"(?<=[:=]) ", line, maxsplit=1)[0]).rstrip()


async def test_an_old_device_speaks_sha_1_only_and_a_stick_group_1_and_triple_des(tmp_path: Path) -> None:
    for kind, options in (("huawei", OLD), ("stick", ANCIENT)):
        async with an_ont(kind) as stage:
            access = extra(stage, "ont_ssh")
            code, said = await ssh(access, tmp_path, "-oLogLevel=INFO", "help")
            assert code == 255
            assert "no matching key exchange method" in said
            code, said = await ssh(access, tmp_path, *options, "help")
            assert code == 0, said


async def test_a_new_device_needs_no_old_words(tmp_path: Path) -> None:
    async with an_ont(age="new") as stage:
        code, said = await ssh(extra(stage, "ont_ssh"), tmp_path, "display access mode")
        assert (code, said.splitlines()[0]) == (0, "access mode is gpon")


async def test_a_stick_tells_light_and_state_with_what_its_tool_leaves_behind(tmp_path: Path) -> None:
    async with an_ont("stick") as stage:
        typed = "diag pon get transceiver rx-power; diag gpon get onu-state"
        _, said = await ssh(extra(stage, "ont_ssh"), tmp_path, *ANCIENT, typed)
        lines = said.splitlines()
        assert lines[0] == "pon get transceiver rx-power "
        level = re.fullmatch(r"Rx Power: (-\d+\.\d{6})  dBm", lines[1])
        assert level is not None
        assert abs(float(level[1]) - stage.truth().rx_power_dbm) < 0.1
        assert lines[2:] == [
            "RTK.0> command:",
            "gpon get onu-state ",
            "ONU state: Operation State(O5) ",
            "RTK.0> command:",
        ]
        stage.fleet.faults.add("cut_fibre", CODE, 60)
        _, said = await ssh(extra(stage, "ont_ssh"), tmp_path, *ANCIENT, typed)
        assert "Rx Power: -40.000000  dBm" in said
        assert "Initial State(O1)" in said


async def test_a_wrong_password_is_refused_and_so_is_everybody_while_it_is_changed(ont: Stage, tmp_path: Path) -> None:
    access = extra(ont, "ont_ssh")
    code, said = await ssh(access, tmp_path, *OLD, OPTIC, password="wrong")
    assert (code, "Permission denied" in said) == (255, True)
    ont.fleet.faults.add("wrong_password", f"{CODE}/ont")
    code, said = await ssh(access, tmp_path, *OLD, OPTIC)
    assert (code, "Permission denied" in said) == (255, True)
    assert counts(ont)["refused"] == 2
    # The fault is the ONT's alone.
    assert "wrong_password" not in ont.fleet.faults.active(CODE)


async def test_only_one_login_at_a_time_the_second_is_reset(ont: Stage, tmp_path: Path) -> None:
    access = extra(ont, "ont_ssh")
    host, port = access["address"].split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    await asyncio.sleep(0.2)
    code, _ = await ssh(access, tmp_path, *OLD, OPTIC)
    assert code == 255
    assert counts(ont)["turned_away"] == 1
    writer.close()
    await writer.wait_closed()
    async with asyncio.timeout(60):
        while (await ssh(access, tmp_path, *OLD, OPTIC))[0] != 0:
            await asyncio.sleep(0.05)


async def test_who_leaves_without_a_logout_is_counted(ont: Stage, tmp_path: Path) -> None:
    await ssh(extra(ont, "ont_ssh"), tmp_path, "-tt", *OLD, typed=f"{OPTIC}\r~.")
    found = await settled(ont, 1)
    assert (found["logouts"], found["left_open"]) == (0, 1)


async def test_after_the_login_a_hanging_device_says_nothing(ont: Stage, tmp_path: Path) -> None:
    ont.fleet.faults.add("hang_after_login", f"{CODE}/ont")
    seen = asyncio.create_task(ssh(extra(ont, "ont_ssh"), tmp_path, "-tt", *OLD, typed=f"{OPTIC}\r"))
    async with asyncio.timeout(60):
        while counts(ont)["logins"] == 0:
            await asyncio.sleep(0.05)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(seen, 2)
    assert counts(ont)["logins"] == 1


async def test_a_slow_device_answers_three_seconds_late(ont: Stage, tmp_path: Path) -> None:
    ont.fleet.faults.add("slow_answers", f"{CODE}/ont")
    began = time.monotonic()
    _, said = await ssh(extra(ont, "ont_ssh"), tmp_path, "-tt", *OLD, typed=f"{OPTIC}\rquit\r")
    assert time.monotonic() - began > 5.9
    assert "LinkStatus" in said


async def test_a_trickling_device_sends_one_byte_a_second(ont: Stage, tmp_path: Path) -> None:
    ont.fleet.faults.add("trickle", f"{CODE}/ont")
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ssh(extra(ont, "ont_ssh"), tmp_path, *OLD, "display sn"), 2.5)
    assert counts(ont)["logouts"] == 0
    assert time.monotonic() - began > 2


@pytest.mark.parametrize("fault", ["huge_word", "endless_table"])
async def test_an_answer_can_be_far_too_long(ont: Stage, tmp_path: Path, fault: str) -> None:
    ont.fleet.faults.add(fault, f"{CODE}/ont")
    script = f"{OPTIC}\r"
    seen = asyncio.create_task(ssh(extra(ont, "ont_ssh"), tmp_path, "-tt", *OLD, typed=script))
    await typed(ont, OPTIC)
    if fault == "endless_table":
        await asyncio.sleep(1)
        assert not seen.done()
        seen.cancel()
        with suppress(asyncio.CancelledError):
            await seen
        return
    _, said = await seen
    assert len(said) > 1 << 26


async def test_a_swapped_device_has_another_host_key(ont: Stage, tmp_path: Path) -> None:
    first = await fingerprint(ont, tmp_path)
    assert await fingerprint(ont, tmp_path) == first
    ont.fleet.faults.add("new_host_key", f"{CODE}/ont")
    assert await fingerprint(ont, tmp_path) != first


async def fingerprint(stage: Stage, folder: Path) -> str:
    _, said = await ssh(extra(stage, "ont_ssh"), folder, "-v", *OLD, "-oLogLevel=DEBUG1", OPTIC)
    found = re.search(r"Server host key: ssh-rsa (SHA256:\S+)", said)
    assert found is not None, said
    return found[1]


async def test_garbage_and_silence_before_the_login(ont: Stage, tmp_path: Path) -> None:
    access = extra(ont, "ont_ssh")
    ont.fleet.faults.add("garbage_bytes", f"{CODE}/ont")
    code, _ = await ssh(access, tmp_path, *OLD, OPTIC)
    assert code == 255
    ont.fleet.faults.clear()
    ont.fleet.faults.add("accept_never_answer", f"{CODE}/ont")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ssh(access, tmp_path, *OLD, OPTIC), 1.5)


async def test_a_dark_village_resets_whoever_knocks(ont: Stage, tmp_path: Path) -> None:
    ont.fleet.faults.add("power_cut", CODE, 60)
    code, _ = await ssh(extra(ont, "ont_ssh"), tmp_path, *OLD, OPTIC)
    assert code == 255
    assert counts(ont)["logins"] == 0


async def test_a_power_cut_ends_a_login_that_goes_on(ont: Stage, tmp_path: Path) -> None:
    access = extra(ont, "ont_ssh")
    ont.fleet.faults.add("slow_answers", f"{CODE}/ont")
    seen = asyncio.create_task(ssh(access, tmp_path, "-tt", *OLD, typed=f"{OPTIC}\r" * 3))
    await typed(ont, OPTIC)
    ont.fleet.faults.add("power_cut", CODE, 60)
    await seen
    found = await settled(ont, 1)
    assert (found["logins"], found["logouts"], found["left_open"]) == (1, 0, 1)
    assert len(found["commands"]) < 3


async def test_noise_stands_in_the_middle_of_an_answer(tmp_path: Path) -> None:
    async with on_stage(FleetOptions(extras=ExtraWish(olts=(OltWish("zte-c320"),), olt_ssh=True))) as stage:
        stage.fleet.faults.add("noisy_terminal", "olt-1")
        typed = "terminal length 0\rshow gpon onu state gpon-olt_1/1/1\rexit\r"
        _, said = await ssh(olt_of(stage)["ssh"], tmp_path, "-tt", *OLD, typed=typed)
        assert "%Error 20200" in said
        assert "OMCI-4-ALARM" in said
        assert "\x1b[1D" in said
