"""What a fault test says of itself: how often it tried, and what was lost or doubled."""

import os
import sys
import time
from pathlib import Path

import msgspec

SEED = "FAULTS_SEED"
TIMES = "FAULTS_TIMES"
"""Set by the benchmarks (``make bench ONLY=faults``): as many as issue and README promise, times this."""
BOOK = "FAULTS_BOOK"
"""Names the file in which the benchmarks read what was told."""


class Told(msgspec.Struct, frozen=True):
    """One line of it."""

    what: str
    tried: int
    lost: int
    doubled: int


def chance() -> int:
    """Return the seed of a test and say it: a new one each time, or the one of a failure that is looked at again."""
    seed = int(os.environ.get(SEED) or time.time_ns() % 1_000_000)
    # At once: a test that fails half way never comes to its last line.
    sys.stdout.write(f"{SEED}={seed} shows it again\n")
    return seed


def told(what: str, tried: int, lost: int, doubled: int, more: str = "") -> str:
    """Say in one line what came of it; a test fails elsewhere when something was lost or doubled."""
    line = f"{what}: tried {tried:,}, lost {lost}, doubled {doubled}{f' ({more})' if more else ''}"
    sys.stdout.write(f"{line}\n")
    if book := os.environ.get(BOOK):
        with Path(book).open("ab") as file:
            file.write(msgspec.json.encode(Told(what, tried, lost, doubled)) + b"\n")
    return line


def times(on_ci: int, promised: int) -> int:
    """Return how often a fault is tried: a few times on CI, as often as promised or a multiple in the benchmarks."""
    multiple = os.environ.get(TIMES)
    return promised * int(multiple) if multiple else on_ci
