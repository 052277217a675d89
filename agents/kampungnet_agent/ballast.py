"""A file that keeps a little disk free for the moment the disk is full.

Measured: in WAL mode on a full disk even DELETE fails, so a spool cannot make room by
itself. Giving back 256 KiB makes the same DELETE work.
"""

import os
from pathlib import Path

from kampungnet.shared.files import sync_folder

BALLAST_BYTES = 256 * 1024


class Ballast:
    """The ballast file beside one spool."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def take(self) -> bool:
        """Fill the file again if needed; return whether it is there, whole."""
        try:
            if self._path.exists() and self._path.stat().st_size >= BALLAST_BYTES:
                return True
            with self._path.open("wb") as file:
                file.write(bytes(BALLAST_BYTES))
                file.flush()
                os.fsync(file.fileno())
            sync_folder(self._path.parent)
        except OSError:
            # Half a ballast would take the very room that is missing.
            self._path.unlink(missing_ok=True)
            return False
        return True

    def release(self) -> bool:
        """Give the room back; return whether there was any."""
        if not self._path.exists():
            return False
        self._path.unlink()
        sync_folder(self._path.parent)
        return True
