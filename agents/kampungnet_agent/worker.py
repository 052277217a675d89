"""A thread of its own for work that blocks: the spool's fsync, the line to the server.

Not ``ThreadPoolExecutor``: Python waits for those threads at exit, and a name look-up on a
dead line hangs for half a minute, while the agent has to end within five seconds.
"""

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

Result = TypeVar("Result")
Told = TypeVar("Told")
Params = ParamSpec("Params")

QUICK_SECONDS = 0.02
"""So long nobody in the event loop minds to wait."""


class Worker:
    """One daemon thread that does one job after the other."""

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._at_work = threading.Lock()
        self._takes = 0.0
        """Seconds a quick job takes, the last ones weighing most."""
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def submit(self, function: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs) -> Future[Result]:
        """Put ``function`` into the queue; any thread may wait for the future."""
        future: Future[Result] = Future()
        context = copy_context()

        def job() -> None:
            if future.set_running_or_notify_cancel():
                with _ErrorsGoTo(future.set_exception):
                    future.set_result(context.run(function, *args, **kwargs))

        self._jobs.put(job)
        return future

    async def do(self, function: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs) -> Result:
        """Run ``function`` in the thread and return its result or raise its error.

        Being cancelled does not stop a job that has begun. Not ``asyncio.wrap_future``: a lock and two callbacks
        for each reading cost more than all the rest here.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Result] = loop.create_future()
        context = copy_context()  # of several offices in a process, what is logged there is the asking one's

        def tell(how: Callable[[Told], None], what: Told) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_unless_cancelled, answer, how, what)

        def job() -> None:
            if not answer.cancelled():
                with _ErrorsGoTo(lambda error: tell(answer.set_exception, error)):
                    tell(answer.set_result, context.run(function, *args, **kwargs))

        self._jobs.put(job)
        return await answer

    async def do_quickly(
        self, function: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs
    ) -> Result:
        """Do the same for a job of some 0.5 ms, which the way to the thread and back would double: here, if it can be.

        That is when the thread is idle, and as long as such jobs are quick: for an SD card that takes 50 ms for
        an fsync nobody else has to wait.
        """
        job = partial(function, *args, **kwargs)
        if self._takes > QUICK_SECONDS or not self._at_work.acquire(blocking=False):
            return await self.do(self._timed, job)
        try:
            return self._timed(job)
        finally:
            self._at_work.release()

    def _timed(self, job: Callable[[], Result]) -> Result:
        began = time.monotonic()
        try:
            return job()
        finally:
            self._takes += 0.1 * (time.monotonic() - began - self._takes)

    def stop(self) -> None:
        """Let the thread end after the jobs it already has."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            with self._at_work:
                job()


class _ErrorsGoTo:
    """Hands any error to the one who waits, as ``concurrent.futures`` does; nothing is swallowed."""

    __slots__ = ("_tell",)

    def __init__(self, tell: Callable[[BaseException], None]) -> None:
        self._tell = tell

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if error is not None:
            self._tell(error)
        return error is not None


def _unless_cancelled(answer: "asyncio.Future[Result]", how: Callable[[Told], None], what: Told) -> None:
    if not answer.cancelled():
        how(what)
