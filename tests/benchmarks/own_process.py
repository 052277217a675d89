"""What a measuring child process says of itself. Memory in MB of 10^6 bytes."""

import gc
import resource
from pathlib import Path

_FORGET_PEAK = "5"
"""proc_pid_clear_refs(5): sets the peak back to what is resident now."""


def cpu_seconds() -> float:
    """Return user and system seconds so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def resident_megabytes() -> float:
    """Return what is resident now, garbage taken away."""
    gc.collect()
    return _status("VmRSS")


def forget_peak() -> None:
    """Let :func:`peak_megabytes` begin anew."""
    Path("/proc/self/clear_refs").write_text(_FORGET_PEAK)


def peak_megabytes() -> float:
    """Return the most that was resident since the start or :func:`forget_peak`."""
    return _status("VmHWM")


def descriptors() -> int:
    """Return how many descriptors are open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def _status(key: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:")) * 1024 / 1e6
