"""A disk whose power can be cut: an ext4 file system in a file, of which a copy is what a cut would have left.

What was not fsynced never reached the file: ext4 keeps it in memory for minutes here. All writers are stopped while the
file is copied, so the copy is one moment.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from tests.support.family import family

Seen = TypeVar("Seen")
GUARD_SECONDS = 60
OPTIONS = "loop,commit=300"
"""Without it ext4 writes its journal out every 5 s by itself, perhaps in the middle of our copy."""


@dataclass
class Disk:
    """One mounted image."""

    image: Path
    mounted: Path

    @contextmanager
    def after_a_cut(self, writer: int, look: Callable[[], Seen]) -> Iterator[tuple[Path, Seen]]:
        """Stop a writer with its descendants, take what is in the file, let them go on; yield that, mounted anew.

        ``look`` is asked while all stand still, for what was acknowledged until then; its answer is yielded, too.
        """
        copy = self.image.with_name("after-the-cut.img")
        with _stopped(writer):
            seen = look()
            subprocess.run(["cp", "--sparse=always", self.image, copy], check=True, timeout=GUARD_SECONDS)
        place = self.image.with_name("after-the-cut")
        place.mkdir(exist_ok=True)
        with _mounted(copy, place):
            yield place, seen
        copy.unlink()


@contextmanager
def disk(folder: Path, megabytes: int) -> Iterator[Disk]:
    """Make and mount one; skips where that is not allowed."""
    image, place = folder / "disk.img", folder / "disk"
    place.mkdir()
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("mkfs.ext4 is not installed here (on Debian: apt install e2fsprogs)")
    with image.open("wb") as file:
        file.truncate(megabytes * 1_000_000)
    make: list[str | Path] = ["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", image]
    subprocess.run(make, check=True, timeout=GUARD_SECONDS)
    with _mounted(image, place):
        yield Disk(image, place)


def fill(file: Path) -> None:
    """Take all the room there is where this file lies, down to the last block."""
    with suppress(OSError), file.open("ab", buffering=0) as filler:
        for size in (1_000_000, 4_096):
            with suppress(OSError):
                while filler.write(b"x" * size) == size:
                    pass


@contextmanager
def _mounted(image: Path, place: Path) -> Iterator[None]:
    done = subprocess.run(["mount", "-o", OPTIONS, image, place], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a disk in a file needs the right to mount it: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", place], check=True, timeout=GUARD_SECONDS)


@contextmanager
def _stopped(pid: int) -> Iterator[None]:
    """Stop a process and all its descendants until each stands still."""
    stopped = set[int]()
    try:
        until = time.monotonic() + GUARD_SECONDS
        while running := {one for one, state in family(pid).items() if state not in "TtZ"}:
            assert time.monotonic() < until, "a process would not stop"
            for one in running - stopped:
                with suppress(ProcessLookupError):
                    os.kill(one, signal.SIGSTOP)
            stopped |= running
            time.sleep(0.002)
        yield
    finally:
        for one in stopped:
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGCONT)
