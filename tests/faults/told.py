"""What a fault test says of itself: how often it tried, and what was lost or doubled."""

import os
import sys
import time

SEED = "FAULTS_SEED"
TIMES = "FAULTS_TIMES"
"""How many times as often as on CI; the benchmarks set it (``make bench ONLY=faults``)."""


def chance() -> int:
    """Return the seed of a test: a new one each time, or the one of a failure that is looked at again."""
    return int(os.environ.get(SEED) or time.time_ns() % 1_000_000)


def told(what: str, tried: int, lost: int, doubled: int, more: str = "") -> str:
    """Say in one line what came of it; a test fails elsewhere when something was lost or doubled."""
    line = f"{what}: tried {tried:,}, lost {lost}, doubled {doubled}{f' ({more})' if more else ''}"
    sys.stdout.write(f"{line}\n")
    return line


def times(on_ci: int) -> int:
    """Return how often a fault is tried."""
    return on_ci * int(os.environ.get(TIMES) or 1)
