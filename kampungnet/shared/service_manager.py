"""Tell the service manager how we are (sd_notify of systemd). Where there is none, nothing happens.

The protocol: one datagram with ``NAME=value`` to the Unix socket in ``NOTIFY_SOCKET``; a first ``@`` stands for the
zero byte of a name without a file. Manual pages sd_notify(3) and sd_watchdog_enabled(3).
"""

import os
import socket
from contextlib import suppress
from typing import Final

READY: Final = "READY=1"
ALIVE: Final = "WATCHDOG=1"
STOPPING: Final = "STOPPING=1"


def tell(state: str) -> None:
    """Send one state. A manager that does not listen is no reason to stop working."""
    place = os.environ.get("NOTIFY_SOCKET", "")
    if not place:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.settimeout(0)
        line.sendto(state.encode(), f"\0{place[1:]}" if place.startswith("@") else place)


def beat_seconds() -> float | None:
    """Return how often to say that we are alive: thrice in the time the manager waits. ``None`` when it does not."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    meant = os.environ.get("WATCHDOG_PID") or str(os.getpid())
    if not microseconds.isdecimal() or not int(microseconds) or meant != str(os.getpid()):
        return None
    return int(microseconds) / 3_000_000
