"""The uplink against a real server on loopback: every status code, two lanes, nothing lost, nothing twice."""

import asyncio
import random
import ssl
from typing import Any

import msgspec
import pytest

from kampungnet.shared import wire
from kampungnet_agent.line import Answer, Line, LineError
from kampungnet_agent.pace import BackOff, next_turn, phase, until_phase
from kampungnet_agent.spool import Spool
from kampungnet_agent.uplink import PAUSE_SECONDS, Parts, Uplink
from kampungnet_agent.verdict import Kind, NoReceipt, judge, retry_after
from tests.agent.conftest import NOW_MS, CentralServer, MakeReading, Reply, problem


@pytest.fixture
def uplink(parts: Parts) -> Uplink:
    return Uplink(parts, interval=60.0, dice=random.Random(1))


def fill(spool: Spool, a_reading: MakeReading, count: int) -> None:
    for _ in range(count):
        spool.add(a_reading())


def receipt(**fields: Any) -> Reply:
    return Reply(body=msgspec.json.encode(wire.Receipt(server_time_ms=NOW_MS, **fields)))


async def test_a_report_arrives_signed_whole_and_leaves_the_spool(
    uplink: Uplink, parts: Parts, central: CentralServer, a_reading: MakeReading
) -> None:
    fill(parts.spool, a_reading, 3)
    payloads = {one.sequence: one.payload for one in parts.spool.newest(0)}
    await uplink.turn(100.0)
    assert central.stored == payloads
    assert central.bad_signatures == 0
    assert parts.spool.state().readings == 0
    assert parts.tally.last_receipt_ms == NOW_MS


async def test_the_box_says_how_it_is_in_every_report(
    uplink: Uplink, parts: Parts, central: CentralServer, a_reading: MakeReading
) -> None:
    fill(parts.spool, a_reading, 3)
    await uplink.turn(100.0)
    health = central.healths[0]
    assert (health.board, health.spool_readings, health.spool_oldest_ms) == ("Raspberry Pi 4", 3, NOW_MS)


async def test_the_newest_go_first_while_a_backlog_drains(
    uplink: Uplink, parts: Parts, central: CentralServer, a_reading: MakeReading
) -> None:
    fill(parts.spool, a_reading, 450)
    await uplink.turn(100.0)
    assert central.reports[0] == list(range(351, 451))
    await uplink.turn(101.0)
    assert central.reports[1] == list(range(1, 101))
    fill(parts.spool, a_reading, 2)
    await uplink.turn(102.0)
    assert central.reports[2] == list(range(101, 201)), "new readings wait for their minute"
    await uplink.turn(170.0)
    assert central.reports[3] == [451, 452], "each minute the newest go before the backlog"
    await uplink.turn(171.0)
    assert central.reports[4] == list(range(201, 301))


async def test_with_more_devices_than_fit_into_one_report_the_rest_follows_as_backlog(
    uplink: Uplink, parts: Parts, central: CentralServer, a_reading: MakeReading
) -> None:
    fill(parts.spool, a_reading, 130)
    for second in range(3):
        await uplink.turn(100.0 + second)
    assert sorted(central.stored) == list(range(1, 131))
    assert sum(map(len, central.reports)) == 130


async def test_between_batches_it_pauses_as_the_server_says_or_a_fifth_of_a_second(
    uplink: Uplink, parts: Parts, central: CentralServer, a_reading: MakeReading
) -> None:
    fill(parts.spool, a_reading, 150)
    assert await uplink.turn(100.0) == pytest.approx(0.001)
    central.rule = lambda _envelope: receipt(accepted=[*range(1, 51)])
    assert await uplink.turn(101.0) == PAUSE_SECONDS


async def test_only_what_the_receipt_names_is_forgotten_and_foreign_numbers_are_ignored(
    uplink: Uplink, parts: Parts, central: CentralServer, a_reading: MakeReading
) -> None:
    fill(parts.spool, a_reading, 3)
    await uplink.turn(100.0)
    fill(parts.spool, a_reading, 3)
    batch = parts.spool.newest(above=4)
    central.rule = lambda _envelope: receipt(accepted=[5, 4, 999])
    await uplink.deliver(batch)
    assert [one.sequence for one in parts.spool.oldest(100)] == [4, 6]


async def test_a_refused_reading_is_set_aside_alone_and_the_rest_is_receipted(
    uplink: Uplink, parts: Parts, central: CentralServer, a_reading: MakeReading
) -> None:
    fill(parts.spool, a_reading, 3)
    central.rule = lambda _envelope: receipt(accepted=[1, 3], refused=[wire.Refusal(position=1, reason="conflict")])
    await uplink.turn(100.0)
    state = parts.spool.state()
    assert (state.readings, state.refused) == (0, 1)


async def test_a_receipt_that_names_nothing_is_a_failure_not_an_endless_loop(
    uplink: Uplink, parts: Parts, central: CentralServer, a_reading: MakeReading
) -> None:
    fill(parts.spool, a_reading, 3)
    central.rule = lambda _envelope: receipt(accepted=[])
    result = await uplink.deliver(parts.spool.newest(0))
    assert isinstance(result, NoReceipt)
    assert parts.spool.state().readings == 3


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b"<html>Please log in</html>", "text/html"),
        Reply(200, b'{"ok": true}'),
        Reply(200, b'{"accepted":[1],"server_time_ms":1}', "text/html"),
        Reply(204, b""),
        Reply(302, b"", headers={"Location": "http://127.0.0.1:1/login"}),
        problem(404, "no such page"),
        problem(409, "conflict"),
        problem(500, "sorry"),
        problem(503, "busy"),
        problem(401, "revoked"),
        problem(403, "no"),
    ],
    ids=lambda reply: f"{reply.status}-{reply.content_type}",
)
async def test_without_a_real_receipt_everything_is_kept(
    uplink: Uplink, parts: Parts, central: CentralServer, a_reading: MakeReading, reply: Reply
) -> None:
    fill(parts.spool, a_reading, 3)
    central.rule = lambda _envelope: reply
    wait = await uplink.turn(100.0)
    assert parts.spool.state().readings == 3
    assert parts.spool.state().refused == 0
    assert parts.tally.send_failures == 1
    assert (wait >= 3600) == (reply.status in {401, 403})
    assert parts.tally.credential_refused == (reply.status in {401, 403})


async def test_after_a_failure_the_newest_go_first_again_and_one_line_tells_each_change(
    uplink: Uplink, parts: Parts, central: CentralServer, a_reading: MakeReading, caplog: pytest.LogCaptureFixture
) -> None:
    fill(parts.spool, a_reading, 250)
    await uplink.turn(100.0)
    central.rule = lambda _envelope: problem(500, "sorry")
    await uplink.turn(101.0)
    await uplink.turn(102.0)
    await uplink.turn(103.0)
    central.rule = lambda _envelope: None
    fill(parts.spool, a_reading, 1)
    await uplink.turn(104.0)
    assert central.reports[-1] == [251]
    assert len([line for line in caplog.messages if "kept on the box" in line]) == 1
    assert len([line for line in caplog.messages if "takes reports again" in line]) == 1


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_a_refused_report_is_halved_until_the_culprit_stands_alone(
    uplink: Uplink, parts: Parts, central: CentralServer, a_reading: MakeReading, status: int
) -> None:
    fill(parts.spool, a_reading, 20)

    def refuse_13(envelope: wire.Envelope) -> Reply | None:
        bad = any(msgspec.json.decode(raw, type=wire.Reading).sequence == 13 for raw in envelope.readings)
        return problem(status, "number 13 is bad") if bad else None

    central.rule = refuse_13
    await uplink.turn(100.0)
    assert sorted(central.stored) == [*range(1, 13), *range(14, 21)]
    state = parts.spool.state()
    assert (state.readings, state.refused) == (0, 1)


async def test_when_the_envelope_itself_is_refused_no_reading_is_set_aside(
    uplink: Uplink, parts: Parts, central: CentralServer, a_reading: MakeReading
) -> None:
    fill(parts.spool, a_reading, 20)
    central.rule = lambda _envelope: problem(422, "wire version 1 is too old")
    await uplink.turn(100.0)
    assert parts.spool.state().readings == 20
    assert len(central.reports) == 2


async def test_a_proxys_413_splits_reports_but_sets_nothing_aside(
    uplink: Uplink, parts: Parts, central: CentralServer, a_reading: MakeReading
) -> None:
    fill(parts.spool, a_reading, 5)
    central.rule = lambda envelope: Reply(413, b"<html>", "text/html") if envelope.readings else None
    await uplink.turn(100.0)
    assert parts.spool.state().readings == 5
    central.rule = lambda envelope: Reply(413, b"<html>", "text/html") if len(envelope.readings) > 2 else None
    await uplink.turn(101.0)
    assert sorted(central.stored) == [1, 2, 3, 4, 5]


async def test_retry_after_is_respected_up_to_15_minutes(
    uplink: Uplink, parts: Parts, central: CentralServer, a_reading: MakeReading
) -> None:
    fill(parts.spool, a_reading, 1)
    central.rule = lambda _envelope: problem(503, "busy", {"Retry-After": "120"})
    assert 120 <= await uplink.turn(100.0) < 125
    central.rule = lambda _envelope: problem(429, "slow down", {"Retry-After": "99999"})
    assert await uplink.turn(300.0) == 900


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("Sat, 21 Nov 2026 08:01:00 GMT", 60.0),
        ("Sat, 21 Nov 2020 08:01:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_retry_after_reads_seconds_and_dates_by_the_servers_own_clock(text: str, seconds: float | None) -> None:
    assert retry_after(Answer(503, {"retry-after": text, "date": "Sat, 21 Nov 2026 08:00:00 GMT"}, b"")) == seconds


def test_an_endless_or_hostile_receipt_is_not_a_receipt() -> None:
    for body in (b"", b"[]", b'{"accepted":[0],"server_time_ms":1}', b'{"accepted":["1"],"server_time_ms":1}', b"\xff"):
        verdict = judge(Answer(200, {"content-type": "application/json"}, body))
        assert isinstance(verdict, NoReceipt)
        assert verdict.kind is Kind.FAILED


async def test_a_dead_line_keeps_everything_and_one_keep_alive_connection_serves_all(
    uplink: Uplink, parts: Parts, central: CentralServer, a_reading: MakeReading
) -> None:
    fill(parts.spool, a_reading, 250)
    for second in range(3):
        await uplink.turn(100.0 + second)
    assert central.connections == 1
    central.close()
    parts.line.close()
    fill(parts.spool, a_reading, 1)
    await uplink.turn(200.0)
    assert parts.spool.state().readings == 1
    assert parts.tally.send_failures == 1


def test_an_idle_connection_the_server_closed_is_opened_again_without_a_failure(central: CentralServer) -> None:
    line = Line(central.url)
    assert line.request("GET", "/healthz").status == 200
    line.abort()
    assert line.request("GET", "/healthz").status == 200
    line.close()


def test_a_server_that_is_not_http_or_not_trusted_is_one_sentence(central: CentralServer) -> None:
    with pytest.raises(LineError, match="the line to the server broke"):
        Line(central.url.replace("http:", "https:")).request("GET", "/")
    assert isinstance(ssl.SSLError(), OSError)


async def test_sending_for_ever_through_flaky_minutes_loses_nothing_and_doubles_nothing(
    parts: Parts, central: CentralServer, a_reading: MakeReading
) -> None:
    dice = random.Random(4)
    central.rule = lambda _envelope: dice.choice(
        [None, None, problem(500, "sorry"), Reply(200, b"<html>", "text/html")]
    )
    uplink = Uplink(parts, interval=0.05, dice=random.Random(2))
    uplink._back_off = BackOff(random.Random(3), base=0.01, cap=0.02)
    sending = asyncio.create_task(uplink.send_for_ever())
    for _ in range(300):
        await parts.spool_worker.do(parts.spool.add, a_reading())
        await asyncio.sleep(0.001)
    async with asyncio.timeout(60):
        while (await parts.spool_worker.do(parts.spool.state)).readings:
            await asyncio.sleep(0.02)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    assert sorted(central.stored) == list(range(1, 301))
    assert central.conflicts == []


def test_back_off_is_full_jitter_to_300_seconds_and_resets() -> None:
    back_off = BackOff(random.Random(1))
    waits = [back_off.failed() for _ in range(2000)]
    assert waits[0] <= 2
    assert max(waits) <= 300
    assert min(waits[10:]) < 10
    assert max(waits) > 290
    back_off.worked()
    assert back_off.failed() <= 2


def test_the_phase_stays_the_same_over_restarts_and_turns_never_pile_up() -> None:
    assert phase("agent-7", 60) == phase("agent-7", 60)
    assert (1_000_000 + until_phase("agent-7", 60, 1_000_000)) % 60 == pytest.approx(phase("agent-7", 60))
    assert next_turn(due=100.0, interval=60, now=101.0) == 160.0
    assert next_turn(due=100.0, interval=60, now=400.0) == 460.0
    assert next_turn(due=100.0, interval=60, now=100.0) == 160.0
