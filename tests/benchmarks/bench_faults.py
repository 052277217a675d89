"""The fault tests of ``tests/faults``, ten times as often as on CI; a hundred times with ``LONG=1``."""

import os
import re
import subprocess
import sys

from tests.benchmarks.context import Context
from tests.benchmarks.process import ROOT
from tests.benchmarks.rows import Goal, Row
from tests.faults.told import TIMES

OFTEN = 10
LONG = 10
TOLD = re.compile(r"^\.*(?P<what>[^:\n]+): tried (?P<tried>[\d,]+), lost (?P<lost>\d+), doubled (?P<doubled>\d+)", re.M)


def faults(context: Context) -> list[Row]:
    """Run them and repeat what each says; one that fails is a broken benchmark."""
    times = OFTEN * (LONG if os.environ.get("LONG") else 1)
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-o", "timeout=0", "-p", "no:cacheprovider", "tests/faults"]
    own = os.environ | {
        TIMES: str(times),
        "CI": "true",
    }  # a fault that cannot be tried here is not one that cost nothing
    done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, check=False)
    context.say(done.stdout.strip().splitlines()[-1])
    if done.returncode:
        raise RuntimeError(done.stdout[-3000:])
    return [_row(found) for found in TOLD.finditer(done.stdout)]


def _row(found: re.Match[str]) -> Row:
    wrong = int(found["lost"]) + int(found["doubled"])
    return Row(f"{found['what']}: lost or doubled", f"{wrong} of {found['tried']} tries", "–", "–", Goal(0, 0), wrong)
