"""Several processes on one port: they share the work, the counts and the end."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kampungnet.core.database import Database
from kampungnet.core.errors import Unavailable
from kampungnet.core.tally import COUNTED, Tally
from kampungnet.server import serve
from tests.support.ports import free_port
from tests.support.server import Running, enrolled, serving_process

PATIENCE_SECONDS = 60.0


def _processes(first: "subprocess.Popen[bytes]") -> set[int]:
    return {int(pid) for pid in Path(f"/proc/{first.pid}/task/{first.pid}/children").read_text().split()}


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _accepted(server: Running) -> int:
    lines = server.send("GET", "/metrics").body.decode().splitlines()
    (line,) = (one for one in lines if one.startswith('kampungnet_ingest_reports_total{result="accepted"}'))
    return round(float(line.split()[1]))


def test_every_process_takes_reports_and_all_count_together(sqlite_database: Database) -> None:
    box = enrolled(sqlite_database)
    with serving_process(sqlite_database) as (server, first):
        assert len(_processes(first)) == 2
        for _ in range(
            20
        ):  # each over a connection of its own: the chance that one process got them all is 1 to 524,288
            assert server.report(box, box.reading()).receipt().accepted
        assert _accepted(server) == 20


def test_a_process_that_dies_is_replaced_and_the_others_go_on(sqlite_database: Database) -> None:
    box = enrolled(sqlite_database)
    with serving_process(sqlite_database) as (server, first):
        time.sleep(5.2)  # one that dies sooner after its start would end the server
        before = _processes(first)
        os.kill(min(before), signal.SIGKILL)
        _until(lambda: len(_processes(first)) == 2 and min(before) not in _processes(first))
        assert max(before) in _processes(first)
        for _ in range(10):
            assert server.report(box, box.reading()).receipt().accepted


def test_no_timer_outlives_the_processes() -> None:
    """A signal that came while Python ended killed the first process: the service manager saw a failure."""
    script = (
        "import signal; from kampungnet.server import _Crew; crew = _Crew(lambda: None, [None]);"
        "crew._fork = lambda place: None; crew.run(); print(signal.getitimer(signal.ITIMER_REAL))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "(0.0, 0.0)\n"


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_all_end_when_the_first_is_told_to(sqlite_database: Database, told: signal.Signals) -> None:
    with serving_process(sqlite_database) as (_, first):
        others = _processes(first)
        first.send_signal(told)
        assert first.wait(timeout=60) == 0
        assert not any(_lives(pid) for pid in others)


def test_all_end_when_the_first_is_killed(sqlite_database: Database) -> None:
    with serving_process(sqlite_database) as (server, first):
        others = _processes(first)
        first.kill()
        _until(lambda: not any(_lives(pid) for pid in others))
        socket.create_server(("127.0.0.1", server.port)).close()


def test_a_port_somebody_has_is_refused_and_never_shared(sqlite_database: Database) -> None:
    port = free_port()
    with (
        socket.create_server(("127.0.0.1", port), reuse_port=True),
        pytest.raises(Unavailable, match=f"port {port}"),
    ):
        serve(lambda: sqlite_database, "127.0.0.1", port, 2)


def test_rows_of_a_tally_add_up() -> None:
    tally = Tally(3)
    for row in range(3):
        tally.take_row(row)
        tally.add("readings", "accepted", row + 1)
    assert tally.counts() == {name: 6 if name == ("readings", "accepted") else 0 for name in COUNTED}
