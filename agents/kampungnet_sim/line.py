"""A line with a fixed delay in one direction, keeping the order of what was sent."""

import asyncio
from collections import deque
from collections.abc import Callable


class DelayLine:
    """Gives bytes on after ``seconds``, as a real line does: once per direction, not per command."""

    def __init__(self, deliver: Callable[[bytes], None], seconds: float) -> None:
        self._deliver = deliver
        self._seconds = seconds
        self._waiting: deque[tuple[float, bytes | Callable[[], None]]] = deque()

    def send(self, data: bytes) -> None:
        """Put bytes on the line."""
        if self._seconds <= 0:
            self._deliver(data)
        else:
            self._queue(data)

    def after(self, action: Callable[[], None]) -> None:
        """Do something once everything sent so far has arrived."""
        if self._seconds <= 0:
            action()
        else:
            self._queue(action)

    def _queue(self, item: bytes | Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + self._seconds
        self._waiting.append((due, item))
        if len(self._waiting) == 1:
            loop.call_at(due, self._arrive)

    def _arrive(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting and self._waiting[0][0] <= loop.time() + 0.0002:
            _, item = self._waiting.popleft()
            if isinstance(item, bytes):
                self._deliver(item)
            else:
                item()
        if self._waiting:
            loop.call_at(self._waiting[0][0], self._arrive)
