"""Whether all processes of a server are alive: each says so in memory they share, the first one tells systemd."""

import mmap
import time
from typing import Final

from kampungnet.shared import service_manager

EVERY_SECONDS: Final = 1.0
"""How often to beat and to look: a manager that waits three seconds or more is told in time."""


class Pulse:
    """Beats of several processes. A process that hangs ends the good news, and the service manager begins us anew."""

    def __init__(self, processes: int = 1) -> None:
        self._beats = memoryview(mmap.mmap(-1, 8 * processes)).cast("d")
        self._waits = service_manager.beat_seconds()
        self._is_ready = False

    def beat(self, place: int) -> None:
        """Say that the process at ``place`` works."""
        self._beats[place] = time.monotonic()

    def tell(self) -> None:
        """Tell the service manager: ready when all have begun, then alive for as long as none is late."""
        if not self._is_ready:
            self._is_ready = all(self._beats)
            if self._is_ready:
                service_manager.tell(service_manager.READY)
        elif self._waits and time.monotonic() - min(self._beats) < self._waits * 1.5:
            service_manager.tell(service_manager.ALIVE)
