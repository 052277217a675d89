"""kill -9 at random moments."""

import sys
import time
from pathlib import Path

from tests.agent.crash_loop import run_rounds


def test_killed_at_30_random_moments_the_agent_loses_nothing_it_kept_and_doubles_nothing(tmp_path: Path) -> None:
    seed = int(time.time())
    sys.stdout.write(f"seed {seed}\n")
    result = run_rounds(30, seed, tmp_path)
    assert result.missing == set()
    assert result.doubled == []
    assert result.foreign == set()
    assert result.kept > 30
