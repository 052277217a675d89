"""The machine the figures were measured on."""

import os
import platform
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path


def describe(folder: Path) -> str:
    """Return date, cores, memory, processor, Python, and what a durable write costs where the data lay."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    day = datetime.now(UTC).date().isoformat()
    cores = len(os.sched_getaffinity(0))
    return (
        f"Measured on {day}: {cores} cores ({_processor()}), {memory:.0f} GiB, {platform.system()} "
        f"{platform.machine()}, Python {platform.python_version()}; a durable 4 KiB write takes "
        f"{sync_milliseconds(folder):.2g} ms."
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return " ".join(line.partition(":")[2].split())
    return platform.processor() or "unknown processor"


def sync_milliseconds(folder: Path) -> float:
    """Return the median cost of writing 4 KiB and waiting until it is on disk."""
    path = folder / "sync-probe"
    costs = []
    with path.open("wb") as file:
        for _ in range(50):
            file.write(b"\0" * 4096)
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            costs.append((time.perf_counter() - began) * 1000)
    path.unlink()
    return statistics.median(costs)
