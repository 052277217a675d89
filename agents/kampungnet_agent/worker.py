"""A thread of its own for work that blocks: the spool's fsync, the line to the server.

Not ``ThreadPoolExecutor``: Python waits for those threads at exit, and a name look-up on a
dead line hangs for half a minute, while the agent has to end within five seconds.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

Result = TypeVar("Result")
Told = TypeVar("Told")
Params = ParamSpec("Params")


class Worker:
    """One daemon thread that does one job after the other."""

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def submit(self, function: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs) -> Future[Result]:
        """Put ``function`` into the queue; any thread may wait for the future."""
        future: Future[Result] = Future()

        def job() -> None:
            if future.set_running_or_notify_cancel():
                with _ErrorsGoTo(future.set_exception):
                    future.set_result(function(*args, **kwargs))

        self._jobs.put(job)
        return future

    async def do(self, function: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs) -> Result:
        """Run ``function`` in the thread and return its result or raise its error.

        Being cancelled does not stop a job that has begun. Not ``asyncio.wrap_future``: a lock and two callbacks
        for each reading cost more than all the rest here.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Result] = loop.create_future()

        def tell(how: Callable[[Told], None], what: Told) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_unless_cancelled, answer, how, what)

        def job() -> None:
            if not answer.cancelled():
                with _ErrorsGoTo(lambda error: tell(answer.set_exception, error)):
                    tell(answer.set_result, function(*args, **kwargs))

        self._jobs.put(job)
        return await answer

    def stop(self) -> None:
        """Let the thread end after the jobs it already has."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
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
