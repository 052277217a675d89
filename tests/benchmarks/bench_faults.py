"""The fault tests of ``tests/faults`` as often as promised: 200 kills of each kind, 20 power cuts of each store, ...

Each test names its own figure; ``LONG=1`` is ten times as many.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec

from tests.benchmarks.context import Context
from tests.benchmarks.process import ROOT
from tests.benchmarks.rows import Goal, Row
from tests.faults.told import BOOK, TIMES, Told

LONG = 10
ONE_TEST_SECONDS = 900
END_SECONDS = 90
AT_ONCE = 2
"""Most of these tests wait for starts and fsyncs."""


def faults(context: Context) -> list[Row]:
    """Run them and repeat what each says; one that fails is a broken benchmark, and says first what was lost."""
    times = LONG if os.environ.get("LONG") else 1
    book = context.own_folder("faults") / "told"
    book.touch()
    code, words = _run(times, book)
    found = msgspec.json.decode(b"[" + b",".join(book.read_bytes().splitlines()) + b"]", type=list[Told])
    rows = [_row(one) for one in sorted(found, key=lambda one: one.what)]
    context.say(words.strip().splitlines()[-1])
    if code:
        for row in rows:
            context.say(f"{row.what}: {row.ours}")
        raise RuntimeError(words[-6_000:])
    return rows


def _run(times: int, book: Path) -> tuple[int, str]:
    """Run the tests; return pytest's exit code and what it said."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", str(AT_ONCE), "--dist", "worksteal"]
    command += ["-o", f"timeout={ONE_TEST_SECONDS * times}", "-p", "no:cacheprovider", "--durations=8", "tests/faults"]
    # A fault that cannot be tried here is not one that cost nothing: where CI is said, a skip is a failure.
    own = os.environ | {TIMES: str(times), BOOK: str(book), "CI": "true"}
    process = subprocess.Popen(
        command, cwd=ROOT, env=own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        preexec_fn=_listen_to_interrupts,  # noqa: PLW1509 -- one system call, that takes no lock
    )  # fmt: skip
    try:
        words, _ = process.communicate()
    finally:
        if process.poll() is None:  # our own time is over: the tests still end what they started
            process.send_signal(signal.SIGINT)
            try:
                process.communicate(timeout=END_SECONDS)
            finally:
                process.kill()
    return process.returncode, words


def _listen_to_interrupts() -> None:
    """A shell starts what it puts into the background deaf to SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _row(told: Told) -> Row:
    said = f"tried {told.tried:,}, lost {told.lost}, doubled {told.doubled}"
    return Row(f"faults: {told.what}", said, "–", "–", Goal(0, 0), told.lost + told.doubled)
