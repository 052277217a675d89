"""A real PostgreSQL for the tests: started in a folder of its own, gone afterwards."""

import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from tests.support.family import family
from tests.support.ports import free_port

START_SECONDS = 60


def binaries() -> Path | None:
    """Return the folder of initdb and postgres: the newest that Debian installed, or the one on the path."""
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(debian, key=lambda initdb: int(initdb.parent.parent.name), default=None)
    found = newest or shutil.which("initdb")
    return Path(found).resolve().parent if found else None


class Cluster:
    """One PostgreSQL in a folder, on a free loopback port; it can be stopped, killed and started again."""

    def __init__(self, programs: Path, folder: Path, port: int | None = None) -> None:
        self._programs, self._folder, self.port = programs, folder, port or free_port()
        self._run_as = _owner(folder)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address without the name of a database, for the ordinary role that owns databases."""
        return f"postgresql+psycopg://kampungnet@127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The first process, the parent of all others."""
        assert self._process
        return self._process.pid

    def make(self, *options: str) -> None:
        """Make the files of an empty one."""
        usual = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", *options]
        command: list[str | Path] = [self._programs / "initdb", "-D", self._folder / "data", *usual]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self._folder, **self._run_as)

    def start(self) -> None:
        """Start it and wait until it answers: after a kill it first brings its log to the end."""
        log = self._folder / "log"
        listen = ["-p", str(self.port), "-h", "127.0.0.1", "-N", "200", "-c", "unix_socket_directories="]
        command: list[str | Path] = [self._programs / "postgres", "-D", self._folder / "data", *listen]
        with log.open("ab") as output:
            # In our own group: whoever ends the tests from outside ends it with them.
            self._process = subprocess.Popen(command, stdout=output, stderr=output, cwd=self._folder, **self._run_as)
        _wait_until_it_answers(self.port, self._process, log)

    def stop(self) -> None:
        """PostgreSQL's "fast shutdown": clients are sent away, nothing is lost."""
        if self._process:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(timeout=120)
            self._process = None

    def kill_one(self, dice: random.Random) -> None:
        """Kill one process but the first: PostgreSQL ends all others, brings its log to the end and goes on.

        When the one that brings the log to the end is hit, PostgreSQL gives up after five seconds ("shutting down due
        to startup process failure"); then it is started again.
        """
        assert self._process
        until = time.monotonic() + START_SECONDS
        while not (others := sorted(set(family(self.pid)) - {self.pid})):  # it may still end those of the last time
            assert time.monotonic() < until, "PostgreSQL has one process only"
        with suppress(ProcessLookupError):
            os.kill(dice.choice(others), signal.SIGKILL)
        try:
            _wait_until_it_answers(self.port, self._process, self._folder / "log")
        except RuntimeError:
            self.start()

    def kill(self) -> None:
        """Kill all of it at once, as an out-of-memory killer or a broken machine does."""
        assert self._process
        killed = list(family(self.pid))
        for one in killed:  # the first one first, so that it starts none anew
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        self._process.wait(timeout=30)
        self._process = None
        deadline = time.monotonic() + START_SECONDS
        while any(family(one).get(one, "Z") != "Z" for one in killed):
            assert time.monotonic() < deadline, "a killed process lives on"
            time.sleep(0.01)


@contextmanager
def server(programs: Path) -> Iterator[str]:
    """Start PostgreSQL on a free loopback port, yield its URL without a database name, stop it."""
    with tempfile.TemporaryDirectory(prefix="kampungnet-postgres-") as name:
        cluster = Cluster(programs, Path(name))
        cluster.make("--no-sync")
        try:
            cluster.start()
            yield cluster.url
        finally:
            cluster.stop()


def made(server_url: str, name: str) -> str:
    """Create an empty database and return its URL.

    Its owner is an ordinary role, as it has to be: PostgreSQL asks a superuser for no policy.
    """
    with psycopg.connect(f"{for_superuser(server_url)}/postgres", autocommit=True) as db:
        if not db.execute("SELECT FROM pg_roles WHERE rolname = 'kampungnet'").rowcount:
            db.execute("CREATE ROLE kampungnet LOGIN")
        db.execute(f'CREATE DATABASE "{name}" OWNER kampungnet'.encode())
    return f"{server_url}/{name}"


@contextmanager
def database(server_url: str, name: str) -> Iterator[str]:
    """Create an empty database, yield its URL, drop it even when somebody is still connected."""
    url = made(server_url, name)
    try:
        yield url
    finally:
        with psycopg.connect(f"{for_superuser(server_url)}/postgres", autocommit=True) as db:
            db.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def for_superuser(url: str) -> str:
    """Return the address for psycopg as the cluster's superuser."""
    return url.replace("+psycopg", "").replace("kampungnet@", "postgres@", 1)


def _owner(folder: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then hand the folder to Debian's user `postgres` and run as that one."""
    if os.geteuid() != 0:
        return {}
    shutil.chown(folder, "postgres", "postgres")
    return {"user": "postgres", "group": "postgres", "extra_groups": []}


def _wait_until_it_answers(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres").close()
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from error
            time.sleep(0.05)
        else:
            return
