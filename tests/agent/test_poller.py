"""The poller with hand-made devices: every ending becomes a reading, and the log stays quiet."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from kampungnet.shared import wire
from kampungnet_agent.driver import AnswerUnreadable, DeviceUnreachable, Finding, LoginRefused, Polled
from kampungnet_agent.poller import Poller
from kampungnet_agent.settings import Device
from kampungnet_agent.spool import SpoolError
from kampungnet_agent.tally import Tally
from tests.agent.conftest import VillageBox

Step = Polled | Exception | Callable[[], Awaitable[Polled]]
BODY = wire.RouterBody(identity="Balai Desa")


class HandMadeDevice:
    """Answers what the script says, the last entry for ever."""

    def __init__(self, *script: Step) -> None:
        self.script = list(script)
        self.polls = 0
        self.closed = 0

    async def poll(self) -> Polled:
        self.polls += 1
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        if isinstance(step, Polled):
            return step
        return await step()

    async def close(self) -> None:
        self.closed += 1

    async def check(self) -> list[Finding]:
        return []


async def for_ever() -> Polled:
    await asyncio.sleep(3600)
    raise AssertionError


PollerOf = Callable[..., tuple[Poller, HandMadeDevice]]


@pytest.fixture
def poller_of(box: VillageBox) -> PollerOf:
    def make(*script: Step, **fields: Any) -> tuple[Poller, HandMadeDevice]:
        device = HandMadeDevice(*script)
        settings = {"name": "router", "driver": "hand-made", "address": "127.0.0.1:1", "secret": "rahasia", **fields}
        return Poller(Device(**settings), device, box, Tally()), device

    return make


async def test_a_good_poll_becomes_a_reading_with_body_times_and_uptime(poller_of: PollerOf, box: VillageBox) -> None:
    poller, _ = poller_of(Polled(BODY, uptime_seconds=77))
    reading = await poller.poll_once()
    assert (reading.outcome, reading.body, reading.device_uptime_seconds) == (wire.Outcome.OK, BODY, 77)
    assert (reading.boot_id, reading.taken_at_ms) == (box.boot_id, box.now_ms)
    assert reading.detail == ""


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (DeviceUnreachable("connection refused"), wire.Outcome.UNREACHABLE),
        (LoginRefused("invalid user name or password"), wire.Outcome.LOGIN_REFUSED),
        (AnswerUnreadable("garbage: b'\\xff\\xfe'"), wire.Outcome.UNREADABLE),
        (TimeoutError("inner"), wire.Outcome.UNREACHABLE),
        (ZeroDivisionError("division by zero"), wire.Outcome.UNREADABLE),
    ],
)
async def test_every_failure_becomes_a_reading_with_its_reason(
    poller_of: PollerOf, error: Exception, outcome: wire.Outcome
) -> None:
    poller, _ = poller_of(error)
    reading = await poller.poll_once()
    assert (reading.outcome, reading.body) == (outcome, None)
    assert str(error) in reading.detail


async def test_a_device_that_never_answers_ends_at_the_deadline(poller_of: PollerOf) -> None:
    poller, _ = poller_of(for_ever, timeout_seconds=0.02)
    reading = await poller.poll_once()
    assert reading.outcome is wire.Outcome.UNREACHABLE
    assert reading.detail == "no complete answer within 0.02 s"
    assert reading.duration_ms >= 19


async def test_a_secret_never_reaches_reading_or_log(poller_of: PollerOf, caplog: pytest.LogCaptureFixture) -> None:
    for error in (LoginRefused("cannot log in with rahasia"), ValueError("rahasia")):
        poller, _ = poller_of(error)
        assert "rahasia" not in (await poller.poll_once()).detail
    assert "rahasia" not in "".join(caplog.messages)


async def test_one_line_when_it_breaks_one_when_it_recovers(
    poller_of: PollerOf, caplog: pytest.LogCaptureFixture
) -> None:
    cut = DeviceUnreachable("cable cut")
    poller, _ = poller_of(Polled(BODY), cut, cut, cut, Polled(BODY), Polled(BODY))
    for _ in range(6):
        await poller.poll_once()
    assert caplog.messages == ["router: unreachable: cable cut", "router: works again"]


async def test_a_defect_in_a_driver_is_logged_once_with_its_traceback_and_the_driver_is_closed(
    poller_of: PollerOf, caplog: pytest.LogCaptureFixture
) -> None:
    poller, device = poller_of(KeyError("rx-byte"))
    for _ in range(3):
        assert (await poller.poll_once()).outcome is wire.Outcome.UNREADABLE
    assert len(caplog.records) == 1
    assert caplog.records[0].exc_info
    assert device.closed == 3


async def until(true: Callable[[], bool]) -> None:
    """Wait for something; the minute is against a hang."""
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.005)


async def test_polls_keep_their_rhythm_without_piling_up_behind_a_slow_device(poller_of: PollerOf) -> None:
    async def slow() -> Polled:
        await asyncio.sleep(0.13)
        return Polled(BODY)

    kept: list[wire.Reading] = []

    async def keep(reading: wire.Reading) -> int:
        kept.append(reading)
        return len(kept)

    poller, device = poller_of(slow, interval_seconds=0.05)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    polling = asyncio.create_task(poller.poll_for_ever(keep))
    await until(lambda: len(kept) >= 4)
    polling.cancel()
    await asyncio.gather(polling, return_exceptions=True)
    # Each takes 0.13 s, so the next begins at the third turn behind it at the soonest.
    assert len(kept) <= (loop.time() - begun) / 0.15 + 1
    assert device.closed == 1


async def test_an_unreachable_device_keeps_its_interval_and_a_refused_login_becomes_rare(poller_of: PollerOf) -> None:
    poller, _ = poller_of(DeviceUnreachable("x"), LoginRefused("no"), interval_seconds=60.0)
    await poller.poll_once()
    assert poller._interval() == 60.0
    for _ in range(8):
        await poller.poll_once()
    assert 450 <= poller._interval() <= 900


async def test_a_spool_that_fails_is_said_once_and_counted_and_polling_goes_on(
    poller_of: PollerOf, caplog: pytest.LogCaptureFixture
) -> None:
    async def keep(_reading: wire.Reading) -> int:
        raise SpoolError("read-only disk")

    poller, device = poller_of(Polled(BODY), interval_seconds=0.01)
    polling = asyncio.create_task(poller.poll_for_ever(keep))
    await until(lambda: device.polls > 2)
    polling.cancel()
    await asyncio.gather(polling, return_exceptions=True)
    assert len(caplog.messages) == 1
    assert poller._tally.lost_readings == device.polls
    assert device.closed >= device.polls - 1, "a driver that tells a thing once begins anew"


async def cancels_itself() -> Polled:
    raise asyncio.CancelledError


async def returns_nothing() -> Polled:
    return cast(Polled, None)


@pytest.mark.parametrize("step", [cancels_itself, returns_nothing])
async def test_a_driver_that_breaks_its_promise_harms_only_itself(poller_of: PollerOf, step: Step) -> None:
    poller, _ = poller_of(step)
    reading = await poller.poll_once()
    assert reading.outcome is wire.Outcome.UNREADABLE
    assert "defect in driver hand-made" in reading.detail
