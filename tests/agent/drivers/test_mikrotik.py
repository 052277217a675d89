"""The driver against a scripted router on loopback."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from kampungnet.shared import wire
from kampungnet_agent.driver import AnswerUnreadable, DeviceUnreachable, LoginRefused
from kampungnet_agent.drivers.mikrotik import MikrotikDriver
from tests.agent.drivers.conftest import Settings
from tests.agent.drivers.scripted_router import (
    NO_MENU,
    ScriptedRouter,
    number,
    read_sentence,
    row,
    rows,
    sentence,
    serving,
    trap,
)


@contextlib.asynccontextmanager
async def driver_to(router: ScriptedRouter, settings: Settings | None = None) -> AsyncIterator[MikrotikDriver]:
    settings = settings or Settings()
    async with serving(router.speak) as port:
        settings.address = f"127.0.0.1:{port}"
        driver = MikrotikDriver(settings)
        try:
            yield driver
        finally:
            await driver.close()


async def body_from(router: ScriptedRouter, settings: Settings | None = None) -> wire.RouterBody:
    async with driver_to(router, settings) as driver:
        polled = await driver.poll()
    assert isinstance(polled.body, wire.RouterBody)
    encoded = msgspec.json.encode(polled.body)
    assert msgspec.json.decode(encoded, type=wire.RouterBody) == polled.body
    return polled.body


async def failure_of(speak: object, within: float = 60) -> Exception:
    async with serving(speak) as port:  # type: ignore[arg-type]  # a looser callable than declared
        driver = MikrotikDriver(Settings(address=f"127.0.0.1:{port}"))
        with pytest.raises(Exception, match=r".*") as caught:
            async with asyncio.timeout(within):
                await driver.poll()
        await driver.close()
    return caught.value


async def test_one_poll_fills_every_field_of_a_reading() -> None:
    body = await body_from(ScriptedRouter())
    assert (body.identity, body.model, body.serial, body.board) == ("Balai Desa", "RB941-2nD", "ABC123", "hAP lite")
    assert (body.version, body.cpu_load_percent, body.free_memory_bytes) == ("6.49.10 (long-term)", 7, 20971520)
    assert (body.hotspot_sessions, body.hotspot_hosts, body.dhcp_leases, body.wireless_clients) == (12, 30, 25, 9)
    wan, wlan = body.interfaces
    assert (wan.rx_bytes, wan.running, wan.disabled, wan.tx_drops, wan.link_downs) == (70881296060, True, False, 1, 2)
    assert (wlan.rx_bytes, wlan.disabled, wlan.rx_errors) == (None, True, None)
    assert [(ping.target, ping.address, ping.rtt_ms) for ping in body.pings] == [
        ("gateway", "192.168.100.1", 31),
        ("internet", "1.1.1.1", 31),
        ("internet2", "8.8.8.8", 31),
    ]
    assert body.missing == ["device-mode: no such command prefix"]


async def test_a_steady_poll_is_at_least_eleven_commands_and_asks_no_absent_menu_again() -> None:
    router = ScriptedRouter()
    async with driver_to(router) as driver:
        await driver.poll()
        router.asked.clear()
        polled = await driver.poll()
    assert polled.uptime_seconds == 1034769
    polled_commands = [command for command in router.commands() if command != b"/quit"]
    assert len(polled_commands) >= 11
    assert b"/interface/wifi/registration-table/print" not in polled_commands
    assert polled_commands.count(b"/ping") == 3
    assert router.connections == 1


@pytest.mark.parametrize("chunk", [1, 7])
async def test_answers_may_arrive_in_any_pieces(chunk: int) -> None:
    assert (await body_from(ScriptedRouter(chunk=chunk))).hotspot_sessions == 12


async def test_old_routers_put_the_tag_last() -> None:
    assert (await body_from(ScriptedRouter(tag_last=True))).hotspot_sessions == 12


async def test_version_7_health_is_a_row_per_sensor_and_a_state_is_0_when_good() -> None:
    router = ScriptedRouter()
    router.answers[b"/system/health/print"] = rows(
        row(name="cpu-temperature", value=58, type="C"),
        row(name="fan1-speed", value=6090, type="RPM"),
        row(name="psu1-state", value="ok", type=""),
        row(name="psu2-state", value="fail", type=""),
    )
    sensors = (await body_from(router)).sensors
    assert [(one.name, one.value, one.unit) for one in sensors] == [
        ("cpu-temperature", 58, "C"),
        ("fan1-speed", 6090, "RPM"),
        ("psu1-state", 0, ""),
        ("psu2-state", 1, ""),
    ]


async def test_a_missing_right_is_named_and_its_field_is_absent() -> None:
    router = ScriptedRouter()
    router.answers[b"/ping"] = trap("not enough permissions (9)")
    router.answers[b"/ip/hotspot/active/print"] = trap("not enough permissions (9)")
    body = await body_from(router)
    assert body.hotspot_sessions is None
    assert body.pings == []
    assert "ping internet: not enough permissions (right: test)" in body.missing
    assert "hotspot sessions: not enough permissions (right: read)" in body.missing


async def test_a_missing_menu_stays_named_in_later_polls() -> None:
    router = ScriptedRouter()
    router.answers[b"/system/routerboard/print"] = trap("no such command or directory (routerboard)", category=0)
    router.answers[b"/interface/wireless/registration-table/print"] = NO_MENU
    async with driver_to(router) as driver:
        for _ in range(2):
            body = (await driver.poll()).body
            assert "routerboard: no such command or directory (routerboard)" in body.missing
            assert "wireless: no such menu on this router" in body.missing
    assert router.commands().count(b"/system/routerboard/print") == 1


async def test_rows_before_a_trap_are_kept_and_the_break_is_named() -> None:
    router = ScriptedRouter()
    first = router.answers[b"/interface/print"][0]
    router.answers[b"/interface/print"] = [first, *trap("std failure: timeout (13)")]
    body = await body_from(router)
    assert len(body.interfaces) == 1
    assert "interfaces: std failure: timeout" in body.missing


async def test_two_traps_and_an_empty_reply_are_understood() -> None:
    router = ScriptedRouter()
    router.answers[b"/ip/route/print"] = [[b"!trap", b"=message=one"], *trap("two")]
    router.answers[b"/system/health/print"] = [[b"!empty"], [b"!done"]]
    router.answers[b"/system/routerboard/print"] = [[b"!re"], [b"!done"]]
    body = await body_from(router)
    assert "default route: one; two" in body.missing
    assert body.gateway == ""
    assert (body.sensors, body.model) == ([], "")


async def test_the_active_default_route_of_the_main_table_gives_the_gateway() -> None:
    router = ScriptedRouter()
    router.answers[b"/ip/route/print"] = rows(
        row(gateway="10.9.9.9", active="true", distance=1, routing_mark="hotspot"),
        row(gateway="10.0.0.2", active="false", distance=1),
        row(gateway="10.0.0.1%ether1", active="true", distance=2, routing_table="main"),
    )
    body = await body_from(router)
    assert body.gateway == "10.0.0.1%ether1"
    assert body.pings[0].address == "10.0.0.1"


async def test_a_point_to_point_line_has_no_gateway_to_ping_and_says_so() -> None:
    router = ScriptedRouter()
    router.answers[b"/ip/route/print"] = rows(row(gateway="pppoe-out1", active="true", distance=1))
    body = await body_from(router)
    assert [ping.target for ping in body.pings] == ["internet", "internet2"]
    assert body.default_interface == "pppoe-out1"
    assert any(entry.startswith("ping gateway: ") for entry in body.missing)


async def test_a_lost_ping_has_no_time() -> None:
    router = ScriptedRouter()
    router.answers[b"/ping"] = rows(row(seq=0, host="1.1.1.1", status="timeout", sent=1, received=0, packet_loss=100))
    lost = (await body_from(router)).pings[1]
    assert (lost.sent, lost.received, lost.rtt_ms) == (1, 0, None)


async def test_the_billed_interface_survives_the_cap_of_200() -> None:
    router = ScriptedRouter()
    router.answers[b"/interface/print"] = rows(*(row(name=f"pppoe-{one}") for one in range(250)), row(name="ether1"))
    body = await body_from(router)
    assert len(body.interfaces) == 200
    assert body.interfaces[0].interface == "ether1"
    assert "interfaces: 251 on the router, 200 reported" in body.missing


async def test_a_billed_interface_that_does_not_exist_is_named() -> None:
    body = await body_from(ScriptedRouter(), Settings(wan_interface="ether9"))
    assert "wan_interface: the router has no interface 'ether9'" in body.missing


async def test_an_old_router_is_logged_in_to_by_its_challenge() -> None:
    router = ScriptedRouter()
    router.answers[b"/login"] = [[b"!done", b"=ret=259e0bc05acd6f46926dc2f809ed1bba"]]
    ordinary = router.reply_to

    def reply_to(words: list[bytes]) -> bytes:
        if b"=response=00c7fd865183a43a772dde231f6d0bff13" in words:
            return sentence(b"!done")
        return ordinary(words)

    router.reply_to = reply_to  # type: ignore[method-assign]  # the test changes what the router says
    assert (await body_from(router, Settings(secret="test"))).identity == "Balai Desa"


@pytest.mark.parametrize("message", ["cannot log in", "invalid user name or password (6)"])
async def test_a_refused_login_is_told_apart_and_holds_no_secret(message: str) -> None:
    router = ScriptedRouter()
    router.answers[b"/login"] = trap(message)
    error = await failure_of(router.speak)
    assert isinstance(error, LoginRefused)
    assert message in str(error)
    assert "rahasia" not in str(error)


async def test_a_fatal_reply_with_its_bare_reason_ends_the_session() -> None:
    router = ScriptedRouter()
    router.answers[b"/system/identity/print"] = [[b"!fatal", b"too many sessions"]]
    error = await failure_of(router.speak)
    assert isinstance(error, DeviceUnreachable)
    assert "too many sessions" in str(error)


@pytest.mark.parametrize(
    "answer",
    [
        [[b"!re", b"=name"], [b"!done"]],
        [[b"!re", b"bare word"], [b"!done"]],
        [[b"!what", b"=name=x"]],
        [[b"!re", b".tag=999", b"=name=x"]],
    ],
)
async def test_odd_words_are_unreadable_with_an_excerpt(answer: list[list[bytes]]) -> None:
    router = ScriptedRouter()
    router.answers[b"/system/identity/print"] = answer
    assert isinstance(await failure_of(router.speak), AnswerUnreadable)


async def test_another_service_on_the_port_is_unreadable_with_an_excerpt() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"\xffSSH-2.0-ROSSSH\r\n")
        await writer.drain()
        await asyncio.sleep(5)

    error = await failure_of(speak)
    assert isinstance(error, AnswerUnreadable)
    assert "SSH-2.0-ROSSSH" in str(error)


async def test_an_echo_of_our_login_does_not_put_the_password_into_the_error() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1000):
            writer.write(data)

    error = await failure_of(speak)
    assert isinstance(error, AnswerUnreadable)
    assert "rahasia" not in str(error)


async def test_an_answer_that_ends_in_the_middle_is_unreadable() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_sentence(reader)
        writer.write(sentence(b"!done"))
        await read_sentence(reader)
        writer.write(sentence(b"!re", b".tag=1000", b"=name=Balai")[:-3])
        await writer.drain()
        writer.write_eof()
        await reader.read()

    error = await failure_of(speak)
    assert isinstance(error, AnswerUnreadable)
    assert "without !done" in str(error)


async def test_an_endless_answer_is_cut_at_the_byte_budget() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_sentence(reader)
        writer.write(sentence(b"!done"))
        await read_sentence(reader)
        block = sentence(b"!re", b".tag=1004", b"=name=" + b"x" * 500) * 200
        while True:
            writer.write(block)
            await writer.drain()

    error = await failure_of(speak)
    assert isinstance(error, AnswerUnreadable)
    assert "2000000" in str(error)


async def test_a_close_without_a_word_is_unreachable() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_sentence(reader)

    assert isinstance(await failure_of(speak), DeviceUnreachable)


async def test_a_refused_connection_is_unreachable(free_port: int) -> None:
    driver = MikrotikDriver(Settings(address=f"127.0.0.1:{free_port}"))
    with pytest.raises(DeviceUnreachable, match="connection refused"):
        await driver.poll()


async def test_after_a_stalled_session_was_cancelled_the_next_poll_starts_afresh() -> None:
    router = ScriptedRouter()
    async with driver_to(router) as driver:
        await driver.poll()
        stalled = router.answers.pop(b"/ip/hotspot/active/print")
        router.answers[b"/ip/hotspot/active/print"] = []
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await driver.poll()
        router.answers[b"/ip/hotspot/active/print"] = stalled
        assert (await driver.poll()).body
    assert router.connections == 2


async def test_a_router_that_hung_up_between_two_polls_is_connected_anew() -> None:
    router = ScriptedRouter()
    async with driver_to(router) as driver:
        await driver.poll()
        router.answers[b"/quit"] = [[b"!fatal", b"session terminated on request"]]
        driver.drop()
        assert (await driver.poll()).body
    assert router.connections == 2


@hypothesis_settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(st.binary(min_size=1, max_size=200))
async def test_any_bytes_in_place_of_an_answer_end_as_one_of_our_errors(garbage: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_sentence(reader)
        writer.write(sentence(b"!done"))
        await read_sentence(reader)
        writer.write(garbage)
        await writer.drain()
        writer.write_eof()
        await reader.read()

    assert isinstance(await failure_of(speak), AnswerUnreadable | DeviceUnreachable)


@hypothesis_settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(st.sampled_from(sorted(ScriptedRouter().answers)), st.binary(max_size=60), max_size=8))
async def test_any_values_make_a_reading_that_the_wire_accepts(odd: dict[bytes, bytes]) -> None:
    router = ScriptedRouter()
    for command, value in odd.items():
        if command != b"/login":
            router.answers[command] = rows(
                *([b"!re", *(b"=" + one.split(b"=", 2)[1] + b"=" + value for one in said[1:])]
                  for said in router.answers[command] if said[0] == b"!re")
            )  # fmt: skip
    await body_from(router)


async def test_check_names_missing_rights_a_wrong_interface_and_an_absent_hotspot() -> None:
    router = ScriptedRouter()
    router.answers[b"/ping"] = trap("not enough permissions (9)")
    router.answers[b"/ip/hotspot/print"] = rows()
    async with driver_to(router, Settings(wan_interface="ether11")) as driver:
        findings = list(await driver.check())
    bad = " ".join(finding.sentence for finding in findings if not finding.good)
    assert "Hak 'test' tidak ada" in bad
    assert "Pilih salah satu: ether1" in bad
    assert "hotspot" in bad.lower()
    assert any("RouterOS 6.49.10" in finding.sentence for finding in findings if finding.good)


async def test_check_says_when_everything_works() -> None:
    async with driver_to(ScriptedRouter()) as driver:
        findings = list(await driver.check())
    assert all(finding.good for finding in findings)
    assert len(findings) == 8


async def test_check_explains_a_refused_login_and_a_dead_address(free_port: int) -> None:
    router = ScriptedRouter()
    router.answers[b"/login"] = trap("invalid user name or password (6)")
    async with driver_to(router) as driver:
        refused = list(await driver.check())
    assert [finding.good for finding in refused] == [True, False]
    assert "Login ditolak" in refused[1].sentence
    (dead,) = await MikrotikDriver(Settings(address=f"127.0.0.1:{free_port}")).check()
    assert "tidak terjangkau" in dead.sentence


async def test_numbers_of_several_wifi_menus_are_added() -> None:
    router = ScriptedRouter()
    router.answers[b"/interface/wifi/registration-table/print"] = number(3)
    assert (await body_from(router)).wireless_clients == 12
