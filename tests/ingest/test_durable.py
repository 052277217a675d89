"""What was receipted survives `kill -9` of the server, at any moment, and stands there once."""

import http.client
import os
import random
import signal
import threading
import time

from sqlalchemy import func, select

from kampungnet.core.database import Database
from kampungnet.measurement.models import YoungReading
from kampungnet.shared import wire
from tests.support.server import Box, Running, enrolled, kill_group, neighbours, serving_fork, serving_process

ROUNDS = 10


def _report_until_it_dies(server: Running, box: Box, receipted: set[int], sent: dict[int, wire.Reading]) -> None:
    while True:
        reading = box.reading()
        sent[reading.sequence] = reading
        try:
            receipted.update(server.report(box, reading).receipt().accepted)
        except (OSError, http.client.HTTPException, AssertionError, ValueError):
            return


def test_nothing_receipted_is_missing_after_kill_9_and_nothing_is_there_twice(sqlite_database: Database) -> None:
    boxes = neighbours(sqlite_database, 3)
    receipted: list[set[int]] = [set() for _ in boxes]
    sent: list[dict[int, wire.Reading]] = [{} for _ in boxes]
    seed = int(os.environ.get("KILL_SEED", "0")) or random.randrange(1, 10**9)
    moments = random.Random(seed)
    for _ in range(ROUNDS):
        with serving_fork(sqlite_database) as (server, group):
            threads = [
                threading.Thread(target=_report_until_it_dies, args=(server, *each))
                for each in zip(boxes, receipted, sent, strict=True)
            ]
            for thread in threads:
                thread.start()
            threading.Event().wait(moments.uniform(0.05, 0.4))
            kill_group(group)
            for thread in threads:
                thread.join(timeout=30)
        with sqlite_database.reads() as db:
            for box, names in zip(boxes, receipted, strict=True):
                stored = set(db.scalars(select(YoungReading.sequence).where(YoungReading.agent == box.agent)))
                assert names <= stored, f"KILL_SEED={seed} shows it again"
    assert sum(len(names) for names in receipted) > ROUNDS, "the server was killed before it did anything"
    with serving_fork(sqlite_database) as (server, _):
        for box, readings in zip(boxes, sent, strict=True):
            every = list(readings.values())
            for n in range(0, len(every), wire.MAX_READINGS):
                batch = every[n : n + wire.MAX_READINGS]
                assert server.report(box, *batch).receipt().accepted == [one.sequence for one in batch]
    with sqlite_database.reads() as db:
        assert db.scalar(select(func.count()).select_from(YoungReading)) == sum(len(one) for one in sent)


def test_requests_under_way_are_finished_when_the_server_is_told_to_stop(sqlite_database: Database) -> None:
    box = enrolled(sqlite_database)
    receipted: set[int] = set()
    with serving_process(sqlite_database) as (server, process):
        thread = threading.Thread(target=_report_until_it_dies, args=(server, box, receipted, {}))
        thread.start()
        until = time.monotonic() + 60
        while not receipted and time.monotonic() < until:
            threading.Event().wait(0.1)
        process.terminate()
        assert process.wait(timeout=60) in {0, -signal.SIGTERM}
        thread.join(timeout=30)
    with sqlite_database.reads() as db:
        stored = set(db.scalars(select(YoungReading.sequence)))
    assert receipted <= stored
    assert receipted
