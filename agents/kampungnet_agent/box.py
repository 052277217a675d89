"""What the agent knows about the box it runs on: clocks, boot, board, disk.

One small object is handed to whoever asks, so a test hands in another one; nothing else in
the agent reads a clock for a reading.
"""

import contextlib
import ctypes
import os
import time
from functools import cache
from pathlib import Path

EARLIEST_TRUE_MS = 1_735_689_600_000
"""2025-01-01: a wall clock before this was never set, whatever the kernel says."""

_M_ARENA_MAX = -8
_STA_UNSYNC = 0x0040
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_BOARD_FILES = (
    Path("/proc/device-tree/model"),
    Path("/sys/class/dmi/id/product_name"),
)


class _Timex(ctypes.Structure):
    """Head of ``struct timex``; the kernel writes 208 bytes at most, the rest is room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("room", ctypes.c_byte * 512),
    )


class Box:
    """The real box. ``boot_id`` and ``board`` are read once, clocks each time."""

    def __init__(self) -> None:
        self.boot_id = _first_line(_BOOT_ID) or "unknown-boot"
        self.board = next((name for file in _BOARD_FILES if (name := _first_line(file))), "")[:200]

    def wall_ms(self) -> int:
        """Milliseconds since 1970 by the wall clock, which may be wrong; never negative."""
        return max(0, time.time_ns() // 1_000_000)

    def boottime_ms(self) -> int:
        """Milliseconds since this boot, sleep included; no clock change can move it."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000

    def clock_synchronised(self) -> bool:
        """Tell whether the kernel says that something keeps the wall clock true (no daemon is asked)."""
        return self.wall_ms() >= EARLIEST_TRUE_MS and _kernel_clock_is_synchronised()

    def free_disk_bytes(self, path: Path) -> int | None:
        """Bytes free for us on the disk that holds ``path``; ``None`` when it cannot be told."""
        try:
            disk = os.statvfs(path)
        except OSError:
            return None
        return disk.f_bavail * disk.f_frsize


def save_memory() -> None:
    """Let all threads share one heap: three quiet threads need no heap each (0.6 MB, glibc only)."""
    with contextlib.suppress(AttributeError, OSError):
        _libc().mallopt(_M_ARENA_MAX, 1)


@cache  # looked up at every reading, and ctypes opens and searches anew each time
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)


def _kernel_clock_is_synchronised() -> bool:
    timex = _Timex()  # modes 0 only reads, so no right is needed
    try:
        answered = _libc().adjtimex(ctypes.byref(timex)) >= 0
    except (OSError, AttributeError):
        return False
    return answered and not timex.status & _STA_UNSYNC


def _first_line(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return text.strip("\x00\r\n ").partition("\n")[0].strip()
