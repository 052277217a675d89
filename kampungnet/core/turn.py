"""One SQLite file, many writers: each in turn, and none says that something is stored before the disk has it."""

import errno
import fcntl
import os
import threading
import weakref
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final


class Turn:
    """The writers of one SQLite file queue up here, threads and processes alike.

    SQLite itself lets a writer that finds the file busy sleep and look again, for up to 0.1 s each time.
    The kernel wakes the next one at once, and frees the place of a process that dies. Who waits for the
    turn holds the one place at the door, so that who just had it cannot take it again before them.
    """

    def __init__(self, database: Path) -> None:
        self._threads = threading.Lock()
        self._door, self._turn = (_opened(database.with_name(f"{database.name}-{what}")) for what in ("door", "turn"))
        self._doubtful = False
        self.close = weakref.finalize(self, _close, self._door, self._turn)
        """Gives the files back; a second time does nothing."""

    def __enter__(self) -> None:
        self._threads.acquire()
        try:
            fcntl.flock(self._door, fcntl.LOCK_EX)
            try:
                fcntl.flock(self._turn, fcntl.LOCK_EX)
            finally:
                fcntl.flock(self._door, fcntl.LOCK_UN)
        except BaseException:
            self._threads.release()
            raise

    def __exit__(self, *_: object) -> None:
        fcntl.flock(self._turn, fcntl.LOCK_UN)
        self._threads.release()

    def is_doubtful(self) -> bool:
        """Tell whether the disk failed somebody, and the log may not be on it, until it was brought into the file."""
        return self._doubtful or os.pread(self._turn, 1, 0) == _DOUBT

    def doubt(self) -> None:
        """Let nobody write before the log is in the file, in other processes neither: those see it in our file."""
        self._doubtful = True
        with suppress(OSError):  # the disk fails, perhaps for this byte as well: then at least we know
            os.pwrite(self._turn, _DOUBT, 0)

    def trust(self) -> None:
        """Let everybody write again."""
        os.pwrite(self._turn, _TRUST, 0)
        self._doubtful = False


_DOUBT: Final = b"?"
_TRUST: Final = b" "


def to_disk(log: int, turn: Turn) -> None:
    """Wait until all that SQLite has in its log is on disk."""
    try:
        os.fdatasync(log)
        if turn.is_doubtful():  # it failed another, perhaps between our look and the opening of the log
            raise OSError(errno.EIO, "the disk failed another writer")
    except OSError:
        # What was committed can be read already, and a repeat of it would be receipted: nothing more is
        # written before the whole log has reached the file.
        turn.doubt()
        raise


def opened_log(path: str, stack: ExitStack) -> int | None:
    """Open the write-ahead log until the stack ends; ``None`` while there is none."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    stack.callback(os.close, file)
    return file


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _close(*files: int) -> None:
    for file in files:
        os.close(file)
