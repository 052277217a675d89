"""Small files that must survive a power cut: write beside, fsync, rename, fsync the folder.

Measured: without the last step the rename itself is lost at every cut.
"""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from kampungnet.shared.files import sync_folder
from kampungnet.shared.settings_file import SettingsError


class DiskError(Exception):
    """The disk does not work now, or is full: the same again may help. ``str(error)`` is one sentence."""


@contextlib.contextmanager
def said_of(path: Path, what: str = "written", advice: str = "free some room, or look at the disk") -> Iterator[None]:
    """Let ``OSError`` in here become one sentence that says that ``path`` cannot be ``what``, with an ``advice``.

    Raises ``SettingsError`` for the wrong user, whom the same again will not help, and :class:`DiskError` for the rest.
    """
    try:
        yield
    except OSError as error:
        sentence = f"{path} cannot be {what} ({error.strerror})"
        if error.errno in {errno.EACCES, errno.EPERM}:
            raise SettingsError(f"{sentence}; run this as the agent's user.") from error
        raise DiskError(f"{sentence}; {advice}.") from error


def replace_file(path: Path, content: bytes, mode: int = 0o640) -> None:
    """Put ``content`` at ``path`` so that at any moment either the old or the new file is there, whole."""
    beside = path.with_name(path.name + ".new")
    # Through a file of Python's: a disk that fills up takes a part of one write without a word, and refuses the next.
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)
    sync_folder(path.parent)
