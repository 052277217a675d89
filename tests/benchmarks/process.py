"""Child processes of the benchmarks: started on loopback, measured through /proc, always ended."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.family import family

ROOT = Path(__file__).parents[2]
TICK = os.sysconf("SC_CLK_TCK")
STOP_SECONDS = 10.0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class Unusable(Exception):
    """A peer or a part cannot be measured here; the text says why."""


class ChildEnded(Unusable):
    """A process ended or did not come up. Of a peer that is a pity, of ours a failure."""


class Child:
    """One running process and its children."""

    def __init__(self, name: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.name, self.process, self.log = name, process, log

    @property
    def pid(self) -> int:
        """Process id of the child itself."""
        return self.process.pid

    def cpu_seconds(self) -> float:
        """Return user and system seconds of it and its children, those of ended ones included."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return sum(_cpu_seconds(pid) for pid in [str(self.pid), *children])

    def peak_megabytes(self) -> float:
        """Return the most memory that ever was resident (VmHWM), in MB of 10^6 bytes."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
        raise Unusable(f"{self.name} has no memory to measure")

    def resident_megabytes(self) -> float:
        """Return the memory of it and its descendants now, in MB of 10^6 bytes, without pages of files."""
        return sum(_anonymous_kb(pid) for pid in family(self.pid)) * 1024 / 1e6

    def wait_for(self, what: str, done: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait until ``done`` says so. Raises ``Unusable`` when the child ends or the time is over."""
        until = time.monotonic() + seconds
        while not done():
            if self.process.poll() is not None:
                raise ChildEnded(f"{self.name} ended by itself: {self.last_words()}")
            if time.monotonic() > until:
                raise ChildEnded(f"{what} did not come within {seconds:.0f} s: {self.last_words()}")
            time.sleep(0.02)

    def last_words(self) -> str:
        """Return the end of its log."""
        text = self.log.read_text(errors="replace").strip() if self.log.exists() else ""
        return text[-300:] or "it said nothing"

    def kill(self) -> None:
        """End it and its children as a power cut would."""
        os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Ask it to end, then make it."""
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()


def start(name: str, command: Sequence[str | Path], log: Path, env: Mapping[str, str] | None = None) -> Child:
    """Start a process of its own group, that dies with us even when we are killed."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=ROOT,
            env={**os.environ, **(env or {})}, start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 -- one system call, that takes no lock
        )  # fmt: skip
    return Child(name, process, log)


@contextmanager
def running(
    name: str, command: Sequence[str | Path], folder: Path, env: Mapping[str, str] | None = None
) -> Iterator[Child]:
    """Run a process for as long as the block lasts; its words go to ``<name>.log`` in the folder."""
    child = start(name, command, folder / f"{name}.log", env)
    try:
        yield child
    finally:
        child.stop()


def program(name: str) -> str:
    """Return the path of one of our commands in this very environment."""
    return str(Path(sys.executable).with_name(name))


def module(name: str) -> list[str]:
    """Return the command that runs one of the benchmark's own modules."""
    return [sys.executable, "-m", f"tests.benchmarks.{name}"]


def _cpu_seconds(pid: str) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:  # a child that ended meanwhile is in its parent's sum
        return 0.0
    return sum(int(ticks) for ticks in fields[11:15]) / TICK


def _anonymous_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
