"""The server was down for seven days, and then all boxes report at once; 401 of them in ``make bench``."""

from pathlib import Path

from tests.benchmarks import bench_reconnect
from tests.benchmarks.context import Context
from tests.faults.told import told


def test_after_seven_days_without_the_server_all_boxes_bring_all_they_kept_once(tmp_path: Path) -> None:
    cut = bench_reconnect.SMALL
    found = bench_reconnect.round_of(Context(tmp_path), cut)
    line = told("readings after seven days without the server", cut.boxes * cut.readings, found.lost, found.doubled)
    assert (found.lost, found.doubled) == (0, 0), line
    assert found.grown < bench_reconnect.MOST_GROWN_MB, "what waits is on the boxes, not in memory"
