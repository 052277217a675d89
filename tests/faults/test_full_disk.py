"""The disk of the server fills up while boxes report: they are told to wait, and go on when there is room again.

The box's own full disk is the matter of ``test_full_box.py``.
"""

import random
import time
from pathlib import Path

from tests.faults import office
from tests.faults.disk import disk, fill
from tests.faults.reporters import Reporters, compare
from tests.faults.told import chance, times, told
from tests.support.server import neighbours, prepared_database

FULL = times(3, 10)
BOXES = 3
LONGEST_SECONDS = 0.3


def test_a_full_disk_of_the_server_loses_nothing_receipted_and_reports_go_on_when_there_is_room(
    tmp_path: Path,
) -> None:
    seed = chance()
    dice = random.Random(seed)
    with disk(tmp_path, 40) as own:
        database = prepared_database(f"sqlite:///{own.mounted / 'kampungnet.db'}")
        filler = own.mounted / "someone-elses.log"
        reporters_of = neighbours(database, BOXES)
        with office.opened(database, own.mounted, log=tmp_path / "server.log") as opened:
            reporters = Reporters(reporters_of, opened.running, seed)
            with reporters.at_work():
                for _ in range(FULL):
                    reporters.wait_for_more()
                    time.sleep(dice.uniform(0.0, LONGEST_SECONDS))
                    before = reporters.refused["503"]
                    while reporters.refused["503"] < before + BOXES:
                        fill(filler)
                        time.sleep(0.02)
                    assert opened.running.send("GET", "/healthz").status == 200, "pages are served all the same"
                    filler.unlink()
                    reporters.wait_for_more()
            assert opened.process.poll() is None
        found = compare(database, reporters.receipted, reporters.sent)
        database.close()
    told_503 = reporters.refused.pop("503")
    more = f"seed {seed}, {len(reporters.receipted)} readings, told to wait {told_503} times"
    line = told("full disks of the server", FULL, found.lost, found.doubled + found.changed, more)
    assert (found.lost, found.doubled, found.changed) == (0, 0, 0), line
    assert not reporters.refused, reporters.refused
