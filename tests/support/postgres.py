"""A real PostgreSQL for the tests: started in a folder of its own, gone afterwards."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.support.ports import free_port

START_SECONDS = 60


def binaries() -> Path | None:
    """Return the folder of initdb and postgres: the newest that Debian installed, or the one on the path."""
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(debian, key=lambda initdb: int(initdb.parent.parent.name), default=None)
    found = newest or shutil.which("initdb")
    return Path(found).resolve().parent if found else None


@contextmanager
def server(programs: Path) -> Iterator[str]:
    """Start PostgreSQL on a free loopback port, yield its URL without a database name, stop it."""
    with tempfile.TemporaryDirectory(prefix="kampungnet-postgres-") as name:
        folder = Path(name)
        run_as = _owner(folder)
        data = folder / "data"
        make = ["-U", "kampungnet", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        initdb: list[str | Path] = [programs / "initdb", "-D", data, *make]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=folder, **run_as)
        port = free_port()
        log = folder / "log"
        listen = ["-p", str(port), "-h", "127.0.0.1", "-N", "200", "-c", "unix_socket_directories="]
        command: list[str | Path] = [programs / "postgres", "-D", data, *listen]
        with log.open("w") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output, cwd=folder, **run_as)
        try:
            _wait_until_it_answers(port, process, log)
            yield f"postgresql+psycopg://kampungnet@127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGINT)  # PostgreSQL's "fast shutdown": clients are sent away, nothing is lost
            process.wait(timeout=30)


@contextmanager
def database(server_url: str, name: str) -> Iterator[str]:
    """Create an empty database, yield its URL, drop it even when somebody is still connected."""
    plain = server_url.replace("+psycopg", "")
    with psycopg.connect(f"{plain}/postgres", autocommit=True) as db:
        db.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            yield f"{server_url}/{name}"
        finally:
            db.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def _owner(folder: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then hand the folder to Debian's user `postgres` and run as that one."""
    if os.geteuid() != 0:
        return {}
    shutil.chown(folder, "postgres", "postgres")
    return {"user": "postgres", "group": "postgres", "extra_groups": []}


def _wait_until_it_answers(port: int, process: "subprocess.Popen[str]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(host="127.0.0.1", port=port, user="kampungnet", dbname="postgres").close()
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from error
            time.sleep(0.05)
        else:
            return
