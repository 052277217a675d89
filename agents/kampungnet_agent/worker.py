"""A thread of its own for work that blocks: the spool's fsync, the line to the server.

Not ``ThreadPoolExecutor``: Python waits for those threads at exit, and a name look-up on a
dead line hangs for half a minute, while the agent has to end within five seconds.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

Result = TypeVar("Result")
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
                with _errors_go_to(future):
                    future.set_result(function(*args, **kwargs))

        self._jobs.put(job)
        return future

    async def do(self, function: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs) -> Result:
        """Run ``function`` in the thread and return its result or raise its error.

        Being cancelled does not stop a job that has begun.
        """
        return await asyncio.wrap_future(self.submit(function, *args, **kwargs))

    def stop(self) -> None:
        """Let the thread end after the jobs it already has."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


@contextlib.contextmanager
def _errors_go_to(future: "Future[Result]") -> Iterator[None]:
    """Hand any error to the one who waits, as ``concurrent.futures`` does; nothing is swallowed."""
    with contextlib.ExitStack() as stack:

        def hand_over(_kind: object, error: BaseException | None, _trace: object) -> bool:
            if error is not None:
                future.set_exception(error)
            return error is not None

        stack.push(hand_over)
        yield
