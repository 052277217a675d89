"""Wanted state: the box holds one request open at the server, and hands what comes to the device it is for.

The line is one of its own, so that a held request never keeps readings waiting. Everything works without the server:
who follows keeps what was wanted on the disk.
"""

import asyncio
import logging
import random
import zlib
from typing import Protocol, runtime_checkable

import msgspec

from kampungnet.shared import wire
from kampungnet.shared.wanted import (
    HOLD_SECONDS,
    MAX_WANTED_BYTES,
    WANTED_PATH,
    WantedAnswer,
    WantedPortal,
    WantedQuestion,
)
from kampungnet_agent.credential import signature_headers
from kampungnet_agent.driver import DeviceError
from kampungnet_agent.key_change import Identity
from kampungnet_agent.line import Answer, Line, LineError
from kampungnet_agent.pace import DENIED_SECONDS, BackOff
from kampungnet_agent.report import Sender
from kampungnet_agent.verdict import retry_after
from kampungnet_agent.worker import Worker

log = logging.getLogger(__name__)

REQUEST_SECONDS = HOLD_SECONDS + 15.0
FOLLOW_SECONDS = 120.0
"""A router with thousands of rows to make; it goes on at the next poll."""
SOON_SECONDS = 1.0
PAUSE_SECONDS = 5.0
_GZIP = 31


@runtime_checkable
class Follows(Protocol):
    """A driver that makes its device follow what is wanted."""

    @property
    def revision(self) -> int:
        """The revision it has on its disk; 0 for none."""
        ...

    @property
    def done(self) -> tuple[int, list[str]]:
        """The revision that its device follows, and what the device refused."""
        ...

    def stand_back(self, *, back: bool) -> None:
        """Change nothing on the device any more, or again: a box that is not accepted was replaced by another one."""
        ...

    async def follow(self, wanted: WantedPortal) -> None:
        """Keep what is wanted and make it so; raises ``DeviceError``."""
        ...


class WantedError(Exception):
    """No answer that can be used; ``str(error)`` is one sentence."""

    def __init__(self, sentence: str, *, denied: bool = False, pause_seconds: float | None = None) -> None:
        super().__init__(sentence)
        self.denied, self.pause_seconds = denied, pause_seconds


class Commands:
    """Asks for ever what is wanted of one device."""

    def __init__(
        self,
        sender: Sender,
        line: Line,
        worker: Worker,
        follower: Follows,
        label: str,
        identity: Identity | None = None,
    ) -> None:
        self._identity = identity
        self._sender, self._line, self._worker = sender, line, worker
        self._follower, self._label = follower, label
        self._back_off = BackOff(random.Random())  # noqa: S311 - spreads load, guards nothing
        self._told = self._defect = ""
        self._done_at_ms: int | None = None

    async def follow_for_ever(self) -> None:
        """Ask and follow until cancelled."""
        try:
            while True:
                await asyncio.sleep(await self.turn())
        finally:
            self._line.abort()

    async def turn(self) -> float:
        """Ask once, follow what came; return the seconds to wait before the next question."""
        asked_at = asyncio.get_running_loop().time()
        try:
            before = self._follower.revision
            async with asyncio.timeout(REQUEST_SECONDS):
                answer = await self._worker.do(self._ask, self._question())
        except (WantedError, TimeoutError) as error:
            self._line.abort()
            return self._wait_after(error)
        except Exception as error:  # noqa: BLE001 - the one place where a defect here must not end the measuring
            return self._defective(error)
        self._back_off.worked()
        self._tell("")
        self._follower.stand_back(back=False)
        if answer.wanted is not None:
            await self._follow(answer.wanted)
        if self._follower.revision == before and asyncio.get_running_loop().time() - asked_at < SOON_SECONDS:
            # Answered at once, and nothing is new here: asking again and again would keep both busy for nothing.
            return max(PAUSE_SECONDS, answer.fetch_again_ms / 1000)
        return answer.fetch_again_ms / 1000

    async def _follow(self, wanted: WantedPortal) -> None:
        try:
            async with asyncio.timeout(FOLLOW_SECONDS):
                await self._follower.follow(wanted)
        except (DeviceError, TimeoutError) as error:
            # It is on the disk: the next poll that reaches the device makes it so, and that poll's log line tells.
            log.info("%s: what is wanted waits: %s", self._label, error)
        except Exception as error:  # noqa: BLE001 - as in turn
            self._defective(error)
        else:
            self._done_at_ms = self._sender.box.wall_ms()
            self._defect = ""

    def _question(self) -> WantedQuestion:
        done, problems = self._follower.done
        return WantedQuestion(
            agent=self._sender.agent,
            sent_at_ms=self._sender.box.wall_ms(),
            revision=self._follower.revision,
            done=done,
            done_at_ms=self._done_at_ms,
            problems=problems,
        )

    def _ask(self, question: WantedQuestion) -> WantedAnswer:
        body = msgspec.json.encode(question)
        headers = {
            "Content-Type": "application/json",
            "Accept-Encoding": "gzip",
            **signature_headers(self._sender.agent, self._sender.sign, WANTED_PATH, body),
        }
        try:
            return _read(self._line.request("POST", WANTED_PATH, body, headers))
        except LineError as error:
            raise WantedError(str(error)) from error

    def _wait_after(self, error: Exception) -> float:
        sentence = str(error) or "the server did not answer in time"
        wait = self._back_off.failed()
        if isinstance(error, WantedError):
            self._tell(sentence)
            if error.denied and not (self._identity and self._identity.read_again()):
                # Two boxes on one router would undo each other's work.
                self._follower.stand_back(back=True)
                return DENIED_SECONDS + wait
            return max(wait, error.pause_seconds or 0.0)
        self._tell(sentence)
        return wait

    def _defective(self, error: Exception) -> float:
        """Log a defect once, with its place, and return the seconds to wait."""
        sentence = f"{type(error).__name__}: {error}"
        if sentence != self._defect:
            log.error("%s: what is wanted cannot be followed: %s", self._label, sentence, exc_info=error)
        self._defect = sentence
        return max(PAUSE_SECONDS, self._back_off.failed())

    def _tell(self, sentence: str) -> None:
        """Write one line when it breaks, one when it works again; the uplink tells of a line that is cut."""
        if sentence and not self._told:
            log.info("%s: nothing new can be wanted now: %s", self._label, sentence)
        elif self._told and not sentence:
            log.info("%s: the server says again what is wanted", self._label)
        self._told = sentence


def _read(answer: Answer) -> WantedAnswer:
    if answer.status in {401, 403}:
        raise WantedError("this box is not accepted", denied=True)
    if answer.status != 200 or not answer.is_json:
        raise WantedError(f"the server answered {answer.status}", pause_seconds=retry_after(answer))
    try:
        return msgspec.json.decode(_unpacked(answer), type=WantedAnswer)
    except (*wire.UNREADABLE, zlib.error) as error:
        raise WantedError(f"what is wanted cannot be read: {error}") from error


def _unpacked(answer: Answer) -> bytes:
    if answer.headers.get("content-encoding", "") != "gzip":
        return answer.body
    reader = zlib.decompressobj(_GZIP)
    plain = reader.decompress(answer.body, MAX_WANTED_BYTES)
    if reader.unconsumed_tail or not reader.eof:
        raise zlib.error("more than the box takes")
    return plain
