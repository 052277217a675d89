"""The SSH driver against a real SSH server on loopback, polite and otherwise."""

import asyncio
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec
import paramiko  # type: ignore[import-untyped]
import pytest

from kampungnet.shared import wire
from kampungnet.shared.wire import DownCause, Grade, OnuState
from kampungnet_agent.driver import AnswerUnreadable, DeviceError, DeviceUnreachable, LoginRefused
from kampungnet_agent.drivers.ont_ssh import OntSshDriver, positions_of
from tests.agent.drivers.conftest import Settings
from tests.agent.drivers.scripted_ssh import ScriptedShell, serving_ssh
from tests.support.ports import free_port

Options = Mapping[str, str | int | bool | list[str]]
OPTIC = """LinkStatus  : ok
Voltage      : 3216 (mV)
Bias         : 12 (mA)
Temperature  : 41 (C)
RxPower      : -21.31 (dBm)
TxPower      : 2.05 (dBm)

success!"""
HUAWEI = {
    "display optic": OPTIC,
    "display deviceInfo": "ModelName        = HG8245H\nUpTime           = 3 day(s) 01:44:25\n\nsuccess!",
    "display sn": "sn = 48575443CA49257B\n\nsuccess!",
    "display version": "main software version     = V3R017C00S100\n\nsuccess!",
}
ZTE_DETAIL = """ONU interface:          gpon_onu-1/5/10:30
  Admin state:          enable
  Phase state:          DyingGasp
  Serial number:        ZTEGC1234567
  Description:          balai desa
  ZXAN#
  ONU Distance:         2809m
------------------------------------------
       Authpass Time          OfflineTime             Cause
   1   2026-07-22 07:38:06    2026-07-22 08:28:43     DyingGasp
   2   0000-00-00 00:00:00    0000-00-00 00:00:00
"""


def driver_at(
    address: str, folder: Path | None = None, seconds: float = 60.0, options: Options | None = None
) -> OntSshDriver:
    state = str(folder) if folder else ""
    return OntSshDriver(Settings(address=address, options=options or {}, state_folder=state, timeout_seconds=seconds))


async def ont_of(shell: ScriptedShell, options: Options | None = None) -> wire.OntBody:
    with serving_ssh(shell) as address:
        body = (await driver_at(address, options=options).poll()).body
    assert isinstance(body, wire.OntBody)
    assert msgspec.json.decode(msgspec.json.encode(body), type=wire.OntBody) == body
    return body


async def test_a_huawei_ont_is_recognised_by_its_prompt_read_and_left() -> None:
    shell = ScriptedShell(HUAWEI)
    with serving_ssh(shell) as address:
        polled = await driver_at(address).poll()
    body = polled.body
    assert isinstance(body, wire.OntBody)
    assert (body.model, body.serial, body.version) == ("HG8245H", "HWTCCA49257B", "V3R017C00S100")
    assert (body.rx_power_dbm, body.tx_power_dbm, body.link_up, body.no_light) == (-21.31, 2.05, True, False)
    assert (body.voltage_volts, body.bias_milliamperes, body.temperature_celsius) == (3.216, 12, 41)
    assert (polled.uptime_seconds, body.grade, body.missing) == (265465, Grade.RECORDED, [])
    for _ in range(1200):
        if shell.ended_politely and not shell.open_now:
            break
        await asyncio.sleep(0.05)
    assert (shell.logins, shell.ended_politely, shell.open_now) == (1, 1, 0)


async def test_a_stick_with_only_the_oldest_key_exchange_is_read() -> None:
    answers = {
        "diag pon get transceiver rx-power": "pon get rx-power \nRx Power: -18.239000  dBm\nRTK.0> command:",
        "diag gpon get onu-state": "gpon get onu-state \nONU state: Operation State(O5) \nRTK.0> command:",
        "cat /proc/uptime": "5093.12 4583.80",
    }
    shell = ScriptedShell(answers, prompt="# ", greeting="\r\nBusyBox v1.12.4 built-in shell (ash)\r\n\r\n")
    shell.kex = ("diffie-hellman-group1-sha1",)
    body = await ont_of(shell)
    assert (body.rx_power_dbm, body.registration, body.link_up) == (-18.239, "O5", True)
    assert "diag pon get transceiver tx-power: no value in the answer" in body.missing


async def test_an_olt_tells_of_the_named_onus_and_of_a_stranger_at_their_place() -> None:
    shell = ScriptedShell({"show gpon onu detail-info gpon_onu-1/5/10:30": ZTE_DETAIL}, prompt="ZXAN#")
    position = "gpon_onu-1/5/10:30"
    with serving_ssh(shell) as address:
        body = (await driver_at(address, options={"onus": [f"ZTEGC1234567={position}"]}).poll()).body
        wrong = (await driver_at(address, options={"onus": [f"ZTEG00000001={position}"]}).poll()).body
    assert isinstance(body, wire.OltBody)
    assert isinstance(wrong, wire.OltBody)
    (onu,) = body.onus
    assert (onu.serial, onu.port, onu.state, onu.admin_enabled) == ("ZTEGC1234567", position, OnuState.DYING_GASP, True)
    assert (onu.last_down, onu.last_down_cause, onu.distance_metres) == (
        "2026-07-22 08:28:43",
        DownCause.DYING_GASP,
        2809,
    )
    assert shell.said[0] == "terminal length 0"
    assert (wrong.onus, wrong.missing) == ([], [f"onus: at {position} stands ZTEGC1234567, not ZTEG00000001"])


async def test_escape_codes_pagers_log_lines_and_carriage_returns_do_not_disturb() -> None:
    class Noisy(ScriptedShell):
        def answer(self, channel: paramiko.Channel, line: str) -> bool:
            text = self.answers[line].split("\n")
            channel.sendall(b"\x1b[1D\x1b[7m" + text[0].encode() + b"\x1b[0m\r\n")
            channel.sendall(b"[ 5093.120000] eth0.2: link up\r\n---- More ( Press 'Q' to break ) ----")
            while channel.recv(1) != b" ":
                pass
            channel.sendall(b"\x1b[37D" + b" " * 37 + b"\x1b[37D" + "\r\n".join(text[1:]).encode())
            return True

    body = await ont_of(Noisy(HUAWEI))
    assert (body.rx_power_dbm, body.serial, body.missing) == (-21.31, "HWTCCA49257B", [])


async def test_a_log_line_behind_the_prompt_does_not_hang_the_login() -> None:
    class Chatty(ScriptedShell):
        def answer(self, channel: paramiko.Channel, line: str) -> bool:
            channel.sendall(self.answers[line].replace("\n", "\r\n").encode())
            if line == "display sn":
                channel.sendall(f"\r\n{self.prompt}\r\n%ALARM: link up".encode())
            return True

    assert (await ont_of(Chatty(HUAWEI))).serial == "HWTCCA49257B"


async def test_a_login_that_is_asked_for_again_in_the_shell_is_given_once() -> None:
    assert (await ont_of(ScriptedShell(HUAWEI, asks_again=True))).rx_power_dbm == -21.31


async def test_a_wrong_password_is_refused_and_shows_no_secret() -> None:
    with serving_ssh(ScriptedShell(HUAWEI, password="lain")) as address:
        with pytest.raises(LoginRefused, match="refused") as caught:
            await driver_at(address).poll()
        (finding,) = await driver_at(address).check()
    assert "rahasia" not in str(caught.value)
    assert "Periksa username dan password_file" in finding.sentence


async def test_a_changed_host_key_is_refused_with_the_file_to_correct(tmp_path: Path) -> None:
    port = free_port()
    first, other = ScriptedShell(HUAWEI), ScriptedShell(HUAWEI, key=paramiko.ECDSAKey.generate())
    pins = tmp_path / "ssh-host-keys"
    with serving_ssh(first) as address:
        await driver_at(address, tmp_path).poll()
        await driver_at(address, tmp_path).poll()
        assert pins.read_text().startswith(f"{address} ecdsa-sha2-nistp256 ")
    with serving_ssh(other) as elsewhere:
        pins.write_text(pins.read_text().replace(address, elsewhere))
        with pytest.raises(LoginRefused, match=r"host key of .* changed.*delete its line in .*ssh-host-keys"):
            await driver_at(elsewhere, tmp_path).poll()
        assert other.logins == 0
        pins.unlink()
        assert await driver_at(elsewhere, tmp_path).poll()
    assert port


async def ends_badly(shell: ScriptedShell, seconds: float = 3.0) -> tuple[DeviceError, float]:
    begun = time.monotonic()
    with serving_ssh(shell) as address, pytest.raises(DeviceError) as caught:
        await driver_at(address, None, seconds).poll()
    return caught.value, time.monotonic() - begun


async def test_endless_output_ends_in_bounds_and_in_time() -> None:
    class Endless(ScriptedShell):
        def answer(self, channel: paramiko.Channel, line: str) -> bool:
            while True:
                channel.sendall(line.encode() * 1000)

    error, took = await ends_badly(Endless(HUAWEI), 20.0)
    assert isinstance(error, AnswerUnreadable)
    assert "characters answered" in str(error)
    assert took < 20


async def test_a_login_prompt_that_hangs_is_a_named_failure_in_time() -> None:
    class Mute(ScriptedShell):
        def talk(self, channel: paramiko.Channel) -> None:
            channel.sendall(b"Please wait")
            channel.recv(1)

    error, took = await ends_badly(Mute())
    assert isinstance(error, AnswerUnreadable)
    assert "Please wait" in str(error)
    assert took < 8


async def test_one_byte_a_second_ends_at_the_deadline() -> None:
    class Slow(ScriptedShell):
        def talk(self, channel: paramiko.Channel) -> None:
            for letter in b"Selamat datang di perangkat":
                channel.sendall(bytes([letter]))
                time.sleep(0.3)

    error, took = await ends_badly(Slow())
    assert isinstance(error, AnswerUnreadable)
    assert took < 8


async def test_a_device_that_hangs_up_in_the_middle_is_a_named_failure() -> None:
    class Gone(ScriptedShell):
        def answer(self, channel: paramiko.Channel, line: str) -> bool:
            channel.sendall(line[:7].encode())
            return False

    error, _ = await ends_badly(Gone(), 60.0)
    assert isinstance(error, AnswerUnreadable)
    assert "hung up" in str(error)


async def test_what_is_no_ssh_and_what_is_nobody_have_different_names() -> None:
    async def junk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\xff" * 5000 + b"\n")
        writer.close()

    server = await asyncio.start_server(junk, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    with pytest.raises((AnswerUnreadable, DeviceUnreachable)):
        await driver_at(f"{host}:{port}").poll()
    server.close()
    with pytest.raises(DeviceUnreachable, match="not reachable"):
        await driver_at(f"127.0.0.1:{free_port()}").poll()


async def test_a_server_that_says_nothing_at_all_ends_in_time_and_leaves_no_thread() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    address = "{}:{}".format(*server.sockets[0].getsockname())
    before, begun = threading.active_count(), time.monotonic()
    with pytest.raises(DeviceError):
        await driver_at(address, None, 3.0).poll()
    assert time.monotonic() - begun < 8
    server.close()
    for _ in range(1200):
        if threading.active_count() <= before:
            break
        await asyncio.sleep(0.05)
    assert threading.active_count() <= before


class Hanging(ScriptedShell):
    hangs = True
    seconds = 5

    def answer(self, channel: paramiko.Channel, line: str) -> bool:
        if self.hangs:
            time.sleep(self.seconds)
            return False
        return super().answer(channel, line)


async def test_a_poll_that_is_cancelled_ends_its_login() -> None:
    shell = Hanging(HUAWEI)
    with serving_ssh(shell) as address:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.5):
                await driver_at(address, None, 20.0).poll()
        begun = time.monotonic()
        shell.hangs = False
        assert await driver_at(address).poll()
        assert time.monotonic() - begun < 8


async def test_two_devices_with_one_address_log_in_one_after_the_other() -> None:
    shell = ScriptedShell(HUAWEI)
    with serving_ssh(shell) as address:
        await asyncio.gather(*(driver_at(address).poll() for _ in range(3)))
    assert (shell.logins, shell.most_open) == (3, 1)


async def test_a_slow_device_delays_no_other() -> None:
    slow = Hanging(HUAWEI)
    slow.seconds = 8
    with serving_ssh(slow) as dead, serving_ssh(ScriptedShell(HUAWEI)) as alive:
        hanging = [asyncio.create_task(driver_at(dead, None, 8.0).poll()) for _ in range(2)]
        await driver_at(alive).poll()
        still_hanging = not any(one.done() for one in hanging)
        endings = await asyncio.gather(*hanging, return_exceptions=True)
    assert still_hanging
    assert all(isinstance(ending, DeviceError) for ending in endings)


async def test_a_command_line_nobody_knows_is_unreadable_until_cli_is_set() -> None:
    shell = ScriptedShell(HUAWEI, prompt="Gateway#")
    error, _ = await ends_badly(shell)
    assert "set cli" in str(error)
    assert (await ont_of(shell, {"cli": "huawei-ont"})).rx_power_dbm == -21.31


@pytest.mark.parametrize("entry", ["ZTEGC1234567=1/2/1:5; reboot", "=1/2", "A" * 90, "ZTEG=1\nreboot", "ZTEG=`id`"])
def test_a_position_that_could_be_a_command_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="onus"):
        positions_of([entry])


def test_an_unknown_cli_is_named_with_those_that_exist() -> None:
    with pytest.raises(ValueError, match="is not one of huawei-ont, gpon-stick"):
        OntSshDriver(Settings(address="127.0.0.1", options={"cli": "cisco"}))
