"""What systemd hears from server and agent: ready, alive for as long as nothing hangs, stopping. Over a real socket."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from kampungnet.core.database import Database
from kampungnet.shared import service_manager as told
from kampungnet_agent.credential import Credential
from tests.benchmarks.boxes import write_secret
from tests.support.manager import Manager, service_manager
from tests.support.ports import free_port
from tests.support.server import Running, kill_group, where

WAITS_SECONDS = 6.0
SILENCE_SECONDS = 5.0
"""Longer than the three seconds that a process may be late."""


@contextmanager
def _started(manager: Manager, *command: str, watchdog: float = WAITS_SECONDS) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        [sys.executable, "-m", *command], env=manager.environment(watchdog), start_new_session=True
    )
    try:
        yield process
    finally:
        kill_group(process.pid)
        process.wait(timeout=30)


@pytest.mark.parametrize("processes", [1, 2])
def test_the_server_says_when_it_answers_that_it_lives_and_that_it_ends(
    sqlite_database: Database, tmp_path: Path, processes: int
) -> None:
    port = free_port()
    command = ["kampungnet.cli", "serve", "--processes", str(processes), "--port", str(port), *where(sqlite_database)]
    with service_manager(tmp_path) as manager, _started(manager, *command) as process:
        assert manager.hears(told.READY) == []
        assert Running(port).send("GET", "/healthz").status == 200
        assert manager.hears(told.ALIVE) == []
        assert manager.hears(told.ALIVE) == []
        process.terminate()
        assert set(manager.hears(told.STOPPING)) <= {told.ALIVE}
        assert process.wait(timeout=30) in {0, -signal.SIGTERM}  # a manager takes both for a clean end


def test_one_process_that_hangs_ends_the_good_news_until_it_goes_on(sqlite_database: Database, tmp_path: Path) -> None:
    command = ["kampungnet.cli", "serve", "--processes", "2", "--port", str(free_port()), *where(sqlite_database)]
    with service_manager(tmp_path, abstract=True) as manager, _started(manager, *command) as process:
        manager.hears(told.ALIVE)
        first, _ = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(first), signal.SIGSTOP)
        assert manager.is_left_in_silence(SILENCE_SECONDS)
        os.kill(int(first), signal.SIGCONT)
        manager.hears(told.ALIVE)


def test_the_agent_says_the_same(tmp_path: Path) -> None:
    config = _office(tmp_path)
    with service_manager(tmp_path) as manager:
        command = ("kampungnet_agent.main", "run", "--config", str(config))
        with _started(manager, *command, watchdog=0.6) as process:
            assert manager.hears(told.READY) == []
            assert manager.hears(told.ALIVE) == []
            assert manager.hears(told.ALIVE) == []
            process.terminate()
            assert set(manager.hears(told.STOPPING)) <= {told.ALIVE}
            assert process.wait(timeout=30) == 0


def _office(folder: Path) -> Path:
    seed = "A" * 43 + "="
    credential = Credential("agent-7", "35.10.15.2012", "http://127.0.0.1:9", seed)
    write_secret(folder / "credential", msgspec.json.encode(credential).decode())
    write_secret(folder / "password", "x")
    config = folder / "agent.toml"
    config.write_text(f"""
        [server]
        url = "http://127.0.0.1:9"
        credential_file = "{folder}/credential"
        [spool]
        path = "{folder}/spool/spool.db"
        [[devices]]
        name = "router"
        driver = "ping"
        address = "127.0.0.1"
        """)
    return config


@pytest.mark.parametrize(
    ("usec", "pid", "seconds"),
    [("6000000", "", 2.0), ("0", "", None), ("", "", None), ("soon", "", None), ("6000000", "1", None)],
)
def test_how_often_to_say_it_is_a_third_of_what_the_manager_waits(
    monkeypatch: pytest.MonkeyPatch, usec: str, pid: str, seconds: float | None
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    monkeypatch.setenv("WATCHDOG_PID", pid)
    assert told.beat_seconds() == seconds


def test_a_manager_that_is_not_there_or_does_not_listen_disturbs_nobody(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    told.tell(told.READY)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    told.tell(told.READY)
    with service_manager(tmp_path) as manager:
        monkeypatch.setenv("NOTIFY_SOCKET", manager.environment()["NOTIFY_SOCKET"])
        for _ in range(2000):  # more than the queue of a socket holds: who waits for a reader waits for ever
            told.tell(told.ALIVE)
