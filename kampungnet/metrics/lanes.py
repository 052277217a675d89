"""Several requests on their way to a store at once. A village has its own lane, so each series stays in order."""

import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, Self
from zlib import crc32

from kampungnet.metrics.sending import Away
from kampungnet.metrics.series import Part

LANES: Final = 4
ON_THEIR_WAY: Final = 8
"""Requests, together; who has one more waits, so that memory stays small."""

SWITCH_SECONDS: Final = 0.0005
"""So soon a thread that has an answer gets its turn beside the one that computes. Python lets it wait ten times as
long, at each step of a request: together longer than a store needs for it."""

Deliver = Callable[[list[Part]], None]
"""Sends a request, or raises ``Away``."""


class Lanes:
    """Sends requests beside their making."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._lanes = [ThreadPoolExecutor(1, f"lane-{number}") for number in range(LANES)]
        self._room = threading.BoundedSemaphore(ON_THEIR_WAY)
        self._sent: list[Future[None]] = []
        self._failed: Away | None = None

    def __enter__(self) -> Self:
        self._switch_before = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setswitchinterval(self._switch_before)
        for lane in self._lanes:
            lane.shutdown(cancel_futures=True)

    def put(self, village: str, parts: list[Part]) -> None:
        """Send a request of a village soon. Raises ``Away`` when an earlier one failed: more need not be made."""
        if self._failed:
            raise self._failed
        self._room.acquire()
        self._sent.append(self._lanes[crc32(village.encode()) % LANES].submit(self._send, parts))

    def wait(self) -> None:
        """Wait until everything is sent. Raises ``Away`` when something was not: then nothing is sure."""
        for _ in range(ON_THEIR_WAY):
            self._room.acquire()
        self._room.release(ON_THEIR_WAY)
        sent, self._sent = self._sent, []
        for one in sent:
            one.result()
        failed, self._failed = self._failed, None
        if failed:
            raise failed

    def _send(self, parts: list[Part]) -> None:
        try:
            if self._failed is None:
                self._deliver(parts)
        except Away as away:
            self._failed = away
        finally:
            self._room.release()
