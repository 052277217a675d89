"""The held request from the box's side: what comes is followed, what breaks ends nothing and is said once."""

import logging
from dataclasses import dataclass, field

import msgspec
import pytest

from kampungnet.shared.wanted import WantedAnswer, WantedPortal
from kampungnet_agent.commands import PAUSE_SECONDS, Commands
from kampungnet_agent.driver import DeviceUnreachable
from kampungnet_agent.line import Answer, Line, LineError
from kampungnet_agent.pace import DENIED_SECONDS
from kampungnet_agent.report import Sender
from kampungnet_agent.signing import signer_for
from kampungnet_agent.worker import Worker
from tests.agent.conftest import SEED, VillageBox


@dataclass
class _Follower:
    """A device that can be told to fail."""

    revision: int = 0
    error: Exception | None = None
    seen: list[int] = field(default_factory=list)
    back: bool = False

    @property
    def done(self) -> tuple[int, list[str]]:
        return self.revision, []

    def stand_back(self, *, back: bool) -> None:
        self.back = back

    async def follow(self, wanted: WantedPortal) -> None:
        self.seen.append(wanted.revision)
        if self.error is not None:
            raise self.error
        self.revision = wanted.revision


class _Server(Line):
    """Says one prepared thing, whatever is asked."""

    def __init__(self, said: Answer | Exception) -> None:
        super().__init__("http://127.0.0.1:1")
        self.said = said

    def request(self, *_: object, **__: object) -> Answer:
        if isinstance(self.said, Exception):
            raise self.said
        return self.said


def _wanted(revision: int) -> Answer:
    body = msgspec.json.encode(WantedAnswer(1, WantedPortal(revision, "Asia/Jakarta")))
    return Answer(200, {"content-type": "application/json"}, body)


def _commands(said: Answer | Exception, follower: _Follower) -> Commands:
    sender = Sender("A", signer_for(SEED), VillageBox())
    return Commands(sender, _Server(said), Worker("wanted"), follower, "portal")


async def test_what_is_wanted_is_followed_and_asked_again_at_once() -> None:
    follower = _Follower()
    assert await _commands(_wanted(7), follower).turn() == 0
    assert follower.revision == 7


async def test_nothing_new_that_comes_at_once_is_not_asked_for_without_a_pause() -> None:
    body = msgspec.json.encode(WantedAnswer(1))
    nothing = Answer(200, {"content-type": "application/json"}, body)
    assert await _commands(nothing, _Follower(3)).turn() == PAUSE_SECONDS
    assert await _commands(_wanted(9), _Follower(3, DeviceUnreachable("off"))).turn() == PAUSE_SECONDS


@pytest.mark.parametrize(
    "said",
    [
        LineError("the line is cut"),
        Answer(503, {"content-type": "application/json"}, b'{"detail":"busy"}'),
        Answer(200, {"content-type": "text/html"}, b"<p>Log in"),
        Answer(200, {"content-type": "application/json"}, b'{"wanted":{"revision":-1}}'),
        Answer(200, {"content-type": "application/json", "content-encoding": "gzip"}, b"no gzip"),
    ],
)
async def test_an_answer_of_no_use_waits_and_changes_nothing(said: Answer | Exception) -> None:
    follower = _Follower(3)
    assert await _commands(said, follower).turn() >= 0
    assert (follower.seen, follower.revision) == ([], 3)


async def test_a_box_that_is_not_accepted_asks_once_an_hour() -> None:
    denied = Answer(401, {"content-type": "application/json"}, b'{"detail":"enrol again"}')
    follower = _Follower()
    assert await _commands(denied, follower).turn() >= DENIED_SECONDS
    assert follower.back, "the box that took its place keeps the router now"
    await _commands(_wanted(7), follower).turn()
    assert not follower.back


async def test_a_defect_while_following_ends_nothing_and_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    follower = _Follower(3, RuntimeError("a defect"))
    commands = _commands(_wanted(4), follower)
    for _ in range(3):
        assert await commands.turn() >= PAUSE_SECONDS
    assert [one.message for one in caplog.records] == [
        "portal: what is wanted cannot be followed: RuntimeError: a defect"
    ]
