"""Child processes of the demo: started, watched, and always ended."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from kampungnet.core.errors import Unavailable

STOP_SECONDS: Final = 8


def program(name: str) -> str:
    """Return the path of one of our commands in this very environment, or of another program of this machine."""
    own = Path(sys.executable).with_name(name)
    return str(own) if own.exists() else shutil.which(name) or str(own)


def _environment() -> dict[str, str]:
    """Return our environment without what names a real server's data: the demo must never touch that."""
    return {name: value for name, value in os.environ.items() if not name.startswith("KAMPUNGNET_")}


ENDS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What ends the demo."""


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let what ends the demo wait for a moment: a child that is born and has no name yet would be left behind."""
    came: list[int] = []
    before = {one: signal.signal(one, lambda number, _frame: came.append(number)) for one in ENDS}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        for number in came[:1]:
            signal.raise_signal(number)


class Children:
    """The processes of one demo, by name. What they say goes to ``<name>.log`` in the data folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._may_end: set[str] = set()
        self._optional: set[str] = set()

    def start(
        self,
        name: str,
        *command: str,
        ends: bool = False,
        optional: bool = False,
        more: Mapping[str, str] | None = None,
    ) -> None:
        """Start one of our commands, ``python`` or another program in the background, with ``more`` in its environment.

        ``ends``: it has a task and then ends well. ``optional``: the demo goes on without it.
        """
        if ends:
            self._may_end.add(name)
        if optional:
            self._optional.add(name)
        with self.log_of(name).open("wb") as log, _uninterrupted():
            # Its own session: a Ctrl-C at the terminal reaches only us, and we end the children in order.
            self._running[name] = subprocess.Popen(  # noqa: S603 -- our own commands with our own words
                [program(command[0]), *command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=_environment() | dict(more or {}),
            )

    def wait_for(self, what: str, done: Callable[[], bool], seconds: float) -> None:
        """Wait until ``done`` says so. Raises ``Unavailable`` when a child ends or the time is over."""
        if not self.waited_for(done, seconds):
            raise Unavailable(f"{what} did not come up within {seconds:.0f} s: see the logs in {self._folder}.")

    def waited_for(self, done: Callable[[], bool], seconds: float) -> bool:
        """Wait until ``done`` says so, or the time is over; say which. Raises ``Unavailable`` when a child ends."""
        until = time.monotonic() + seconds
        while not done():
            self.check()
            if time.monotonic() > until:
                return False
            time.sleep(0.1)
        return True

    def have_ended(self, names: Iterable[str]) -> bool:
        """Say whether those children have ended, well or not."""
        return all(self._running[name].poll() is not None for name in names)

    def check(self) -> None:
        """Raise ``Unavailable`` when a child ended that should not have, with the last line it said."""
        for name, process in self._running.items():
            code = process.poll()
            if name not in self._optional and code is not None and (code or name not in self._may_end):
                lines = self.log_of(name).read_text(errors="replace").strip().splitlines()
                said = lines[-1] if lines else "nothing"
                raise Unavailable(f"the {name} ended by itself; it said: {said} (all of it: {self.log_of(name)})")

    def stop(self) -> None:
        """End all of them, the last started first."""
        for process in reversed(self._running.values()):
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()

    def log_of(self, name: str) -> Path:
        """Return the log file of a child."""
        return self._folder / f"{name}.log"
