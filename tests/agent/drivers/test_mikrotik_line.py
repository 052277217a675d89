"""The way out of the village: route, pings, names, netwatch."""

import time

import pytest

from kampungnet.shared import wire
from kampungnet_agent.drivers.mikrotik import wishes_of
from kampungnet_agent.drivers.mikrotik_line import address_in, default_interface
from tests.agent.drivers.conftest import Settings
from tests.agent.drivers.scripted_router import ScriptedRouter, row, rows, sentence, trap
from tests.agent.drivers.test_mikrotik import body_from, driver_to

SERVER = "kampungnet.example.go.id"
ANSWERED = rows(row(sent=1, received=1, avg_rtt="1ms"))
LOST = rows(row(seq=0, status="timeout", sent=1, received=0, packet_loss=100))


async def test_the_server_is_pinged_at_the_address_the_router_itself_resolves() -> None:
    router = ScriptedRouter()
    router.answers[b"/resolve"] = [[b"!done", b"=ret=203.0.113.9"]]
    body = await body_from(router, Settings(server_host=SERVER))
    assert [(ping.target, ping.address) for ping in body.pings] == [
        ("gateway", "192.168.100.1"),
        ("server", "203.0.113.9"),
        ("internet", "1.1.1.1"),
        ("internet2", "8.8.8.8"),
    ]
    assert [(one.name, one.resolved, one.detail) for one in body.lookups] == [(SERVER, True, "203.0.113.9")]


async def test_a_name_that_does_not_resolve_is_an_answer_and_the_server_is_named_as_not_pinged() -> None:
    router = ScriptedRouter()
    router.answers[b"/resolve"] = trap("failure: dns name does not exist")
    body = await body_from(router, Settings(server_host=SERVER))
    assert [(one.resolved, one.detail) for one in body.lookups] == [(False, "failure: dns name does not exist")]
    assert f"ping server: the router does not resolve {SERVER}" in body.missing
    assert not any(entry.startswith("lookup") for entry in body.missing)


async def test_when_names_stop_resolving_the_server_is_still_pinged_where_it_was() -> None:
    router = ScriptedRouter()
    async with driver_to(router, Settings(server_host=SERVER)) as driver:
        await driver.poll()
        router.answers[b"/resolve"] = trap("failure: dns server failure")
        body = (await driver.poll()).body
    assert isinstance(body, wire.RouterBody)
    assert ("server", "142.250.4.99") in [(ping.target, ping.address) for ping in body.pings]
    assert body.lookups[0].resolved is False


async def test_a_missing_right_to_resolve_is_a_missing_right_and_not_a_broken_resolver() -> None:
    router = ScriptedRouter()
    router.answers[b"/resolve"] = trap("not enough permissions (9)")
    body = await body_from(router)
    assert body.lookups == []
    assert "lookup www.google.com: not enough permissions (right: test)" in body.missing


async def test_a_version_that_does_not_understand_the_question_has_no_broken_resolver() -> None:
    router = ScriptedRouter()
    router.answers[b"/resolve"] = trap("unknown parameter domain-name")
    body = await body_from(router)
    assert body.lookups == []
    assert "lookup www.google.com: unknown parameter domain-name" in body.missing


async def test_a_question_that_hangs_is_cancelled_and_costs_only_itself() -> None:
    router = ScriptedRouter()
    router.answers[b"/resolve"] = []
    hanging: list[bytes] = []
    ordinary = router.reply_to

    def reply_to(words: list[bytes]) -> bytes:
        if words[0] == b"/resolve":
            hanging.extend(word.removeprefix(b".tag=") for word in words if word.startswith(b".tag="))
        if words[0] == b"/cancel":
            assert words[1] == b"=tag=" + hanging[0]
            router.answers[b"/cancel"] = [[b"!done"]]
            interrupted = trap("interrupted", category=2)
            late = b"".join(_tagged(one, hanging[0]) for one in interrupted)
            return late + ordinary(words)
        return ordinary(words)

    router.reply_to = reply_to  # type: ignore[method-assign]  # the test changes what the router says
    began = time.monotonic()
    body = await body_from(router, Settings(timeout_seconds=4))
    assert 1.2 < time.monotonic() - began < 3.8
    assert [(one.resolved, one.detail) for one in body.lookups] == [(False, "no answer in time")]
    assert body.identity == "Balai Desa"
    assert router.connections == 1


def _tagged(words: list[bytes], tag: bytes) -> bytes:
    return sentence(words[0], b".tag=" + tag, *words[1:])


async def test_where_pings_used_to_come_back_a_lost_one_is_followed_by_three_and_all_are_counted() -> None:
    router = ScriptedRouter()
    internet_says = [ANSWERED, LOST, *(rows(row(sent=1, received=1, avg_rtt=f"{ms}ms")) for ms in (10, 20, 30))]
    ordinary = router.reply_to

    def reply_to(words: list[bytes]) -> bytes:
        if words[0] == b"/ping":
            router.answers[b"/ping"] = internet_says.pop(0) if b"=address=1.1.1.1" in words else ANSWERED
        return ordinary(words)

    router.reply_to = reply_to  # type: ignore[method-assign]  # the test changes what the router says
    async with driver_to(router) as driver:
        await driver.poll()
        body = (await driver.poll()).body
    assert isinstance(body, wire.RouterBody)
    _, internet, second = body.pings
    assert (internet.target, internet.sent, internet.received, internet.rtt_ms) == ("internet", 4, 3, 20)
    assert second.sent == 1


async def test_what_never_answered_is_probed_once_a_poll() -> None:
    router = ScriptedRouter()
    router.answers[b"/ping"] = LOST
    async with driver_to(router) as driver:
        await driver.poll()
        router.asked.clear()
        body = (await driver.poll()).body
    assert router.commands().count(b"/ping") == 3
    assert [(ping.sent, ping.received) for ping in getattr(body, "pings", [])] == [(1, 0)] * 3


async def test_the_far_end_of_a_dialled_line_is_the_gateway_to_ping() -> None:
    router = ScriptedRouter()
    router.answers[b"/ip/route/print"] = rows(row(gateway="pppoe-out1", active="true", distance=1))
    router.answers[b"/interface/pppoe-client/print"] = rows(row(**{".id": "*A"}, name="pppoe-out1", running="true"))
    router.answers[b"/interface/pppoe-client/monitor"] = rows(row(status="connected", remote_address="10.64.0.1"))
    async with driver_to(router) as driver:
        await driver.poll()
        body = (await driver.poll()).body
    assert isinstance(body, wire.RouterBody)
    assert (body.pings[0].target, body.pings[0].address) == ("gateway", "10.64.0.1")
    assert not any(entry.startswith("ping gateway") for entry in body.missing)


def test_the_server_on_this_machine_is_not_pinged_by_a_router() -> None:
    for host in ("127.0.0.1", "localhost", "::1", ""):
        assert wishes_of(Settings(server_host=host)).server == ""
    assert wishes_of(Settings(server_host="10.1.2.3")).server == "10.1.2.3"
    assert wishes_of(Settings(server_host="10.1.2.3")).names == ("www.google.com",)


def test_the_second_address_and_the_name_are_settings() -> None:
    wishes = wishes_of(Settings(options={"second_ping_address": "", "lookup_name": "desa.id"}, server_host=SERVER))
    assert (wishes.internet, wishes.names) == (("1.1.1.1",), ("desa.id", SERVER))


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ({b"gateway": b"10.0.0.1", b"immediate-gw": b"10.0.0.1%ether1"}, "ether1"),
        ({b"gateway": b"10.0.0.1", b"gateway-status": b"10.0.0.1 reachable via  ether1 - ISP"}, "ether1 - ISP"),
        ({b"gateway": b"pppoe-out1", b"gateway-status": b"pppoe-out1 reachable"}, "pppoe-out1"),
        ({b"gateway": b"10.0.0.1%lte1"}, "lte1"),
        ({b"gateway": b"10.0.0.1"}, ""),
        ({}, ""),
    ],
)
def test_version_6_and_7_say_in_their_own_way_where_the_default_route_leaves(
    route: dict[bytes, bytes], expected: str
) -> None:
    assert default_interface(route) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [("10.0.0.1,10.0.0.2", "10.0.0.1"), ("fe80::1%ether1", "fe80::1"), ("pppoe-out1", ""), ("", "")],
)
def test_an_address_is_found_in_what_stands_for_a_gateway(words: str, expected: str) -> None:
    assert address_in(words) == expected


async def test_netwatch_tells_state_and_since_in_the_words_of_the_router() -> None:
    router = ScriptedRouter()
    router.answers[b"/tool/netwatch/print"] = rows(
        row(host="8.8.8.8", status="down", since="2026-10-15 20:00:01", name="internet"),
        row(host="10.0.0.9", status="unknown", comment="CCTV"),
    )
    assert (await body_from(router)).netwatch == [
        wire.Watched("8.8.8.8", up=False, since="2026-10-15 20:00:01", name="internet"),
        wire.Watched("10.0.0.9", name="CCTV"),
    ]
