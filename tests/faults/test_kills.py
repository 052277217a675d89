"""kill -9 at random moments: of the server over PostgreSQL, and of PostgreSQL itself under a server that lives on.

The agent alone is killed in ``tests/agent/test_crash.py``, the server on SQLite in ``tests/ingest/test_durable.py``.
"""

import random
import tempfile
import time
from pathlib import Path

import pytest

from kampungnet.core.database import Database
from tests.faults import office
from tests.faults.reporters import Reporters, compare
from tests.faults.told import chance, times, told
from tests.support import postgres
from tests.support.server import Running, kill_group, neighbours, prepared_database, serving_fork

KILLS = times(5, 200)
BOXES = 3
LONGEST_SECONDS = 0.3
ONE_PROCESS = 0.6
"""Share of the kills of PostgreSQL that hit one of its processes, as an out-of-memory killer does; others hit all."""


def test_killed_over_postgresql_the_server_loses_and_doubles_nothing_it_receipted(
    postgresql_database: Database,
) -> None:
    seed = chance()
    dice = random.Random(seed)
    reporters = Reporters(neighbours(postgresql_database, BOXES), Running(0), seed)
    with reporters.at_work():
        for kill in range(KILLS + 1):
            with serving_fork(postgresql_database) as (running, group):
                reporters.target = running
                reporters.wait_for_more()
                time.sleep(dice.uniform(0.0, LONGEST_SECONDS))
                if kill < KILLS:
                    kill_group(group)
                else:  # the last one lives until every box has its receipt
                    reporters.end()
    found = compare(postgresql_database, reporters.receipted, reporters.sent)
    more = f"seed {seed}, {len(reporters.receipted)} readings"
    line = told("kill -9 of the server over PostgreSQL", KILLS, found.lost, found.doubled + found.changed, more)
    assert (found.lost, found.doubled, found.changed) == (0, 0, 0), line


def test_postgresql_killed_under_a_living_server_loses_nothing_and_reports_go_on(tmp_path: Path) -> None:
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed here (on Debian: apt install postgresql)")
    seed = chance()
    dice = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="kampungnet-kill-") as name:
        cluster = postgres.Cluster(programs, Path(name))
        cluster.make("--no-sync")
        cluster.start()
        try:
            url = postgres.made(cluster.url, "killed")
            prepared_database(url).close()
            database = Database(url, tmp_path / "kampungnet.key")
            with office.opened(database, tmp_path) as opened:
                reporters = Reporters(neighbours(database, BOXES), opened.running, seed)
                with reporters.at_work():
                    for _ in range(KILLS):
                        reporters.wait_for_more()
                        time.sleep(dice.uniform(0.0, LONGEST_SECONDS))
                        if dice.random() < ONE_PROCESS:
                            cluster.kill_one(dice)
                        else:
                            cluster.kill()
                            time.sleep(dice.uniform(0.0, LONGEST_SECONDS))
                            cluster.start()
                    reporters.wait_for_more()
                assert opened.process.poll() is None, "the server lived through all of it"
            found = compare(database, reporters.receipted, reporters.sent)
            database.close()
        finally:
            cluster.stop()
    more = f"seed {seed}, {len(reporters.receipted)} readings"
    line = told("kill -9 of PostgreSQL", KILLS, found.lost, found.doubled + found.changed, more)
    assert (found.lost, found.doubled, found.changed) == (0, 0, 0), line
