"""A real centre for journeys: the program `kampungnet serve` in a process of its own, and what it knows."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from kampungnet import tables
from kampungnet.core import clock, migrate
from kampungnet.core.database import Database
from kampungnet.devices import service as devices
from tests.support.ports import free_port

START_SECONDS: Final = 120
"""It takes 4 s; on a busy machine with slow cores it has taken a minute."""


def program(name: str) -> str:
    """Return one of our commands as installed beside this Python."""
    return str(Path(sys.executable).with_name(name))


class Centre:
    """A running server and its database, which the test reads to see what really arrived."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self.database_url, self._folder = database_url, folder
        self._environment = {"KAMPUNGNET_DATABASE_URL": database_url, "KAMPUNGNET_DATA": str(folder)}
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        tables.load()
        self.database = Database(database_url)
        migrate.migrate(self.database)
        self._process: subprocess.Popen[bytes] | None = None
        self._browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

    def import_register(self) -> int:
        """Import the real register of Banyuwangi by the command line; return how many villages it has."""
        self.command("import-villages", "banyuwangi")
        with self.database.reads() as db:
            return len(devices.village_states(db, "35.10", clock.now_ms()))

    def enrolment_code(self, village: str) -> str:
        """Return a fresh one-time code, as staff would get it from the command line."""
        return self.command("enrol", "--village", village).strip()

    def sign_in(self) -> None:
        """Add a Kominfo engineer by the command line and sign in as that person; `page` then shows staff pages."""
        password = "tenun-gandrung-ijen-7"
        who = ["--name", "Ibu Sari", "--role", "engineer", "--regency", "35.10"]
        self.command("add-staff", "sari", *who, typed=password + "\n")
        form = urllib.parse.urlencode({"username": "sari", "password": password}).encode()
        self._browser.open(urllib.request.Request(self.url + "/masuk", form, {"Origin": self.url}), timeout=60).close()

    def command(self, *words: str, typed: str = "") -> str:
        """Run one command of the centre and return what it printed."""
        done = subprocess.run(
            [program("kampungnet"), *words],
            input=typed,
            env=os.environ | self._environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self) -> None:
        """Start the server and wait until it is ready."""
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [program("kampungnet"), "serve", "--port", str(self.port)],
                env=os.environ | self._environment,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, (self._folder / "server.log").read_text()
            assert time.monotonic() < until, "the server did not come up"
            time.sleep(0.05)

    def stop(self) -> None:
        """End the server as its service manager would."""
        if self._process is not None:
            self._process.terminate()
            assert self._process.wait(timeout=60) is not None
            self._process = None

    def page(self, path: str) -> str:
        """Return a page, as staff once signed in."""
        with self._browser.open(self.url + path, timeout=60) as answer:
            text: str = answer.read().decode()
            return text

    def samples(self, village: str) -> dict[str, float]:
        """Return the samples of one village on `/metrics`: name and its other labels, to value."""
        found: dict[str, float] = {}
        for line in self.page("/metrics").splitlines():
            if f'village="{village}"' in line:
                name, value = line.rsplit(" ", 1)
                own = [
                    label for label in _labels(name) if label.split("=")[0] not in {"regency", "district", "village"}
                ]
                found[name.split("{")[0] + ("{" + ",".join(own) + "}" if own else "")] = float(value)
        return found

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def _labels(name: str) -> list[str]:
    inside = name.partition("{")[2].rstrip("}")
    return [label for label in inside.split(",") if label]


@contextmanager
def centre(database_url: str, folder: Path) -> Iterator[Centre]:
    """Run a centre with the real register for one test."""
    one = Centre(database_url, folder)
    assert one.import_register() == 217
    try:
        one.start()
        yield one
    finally:
        one.stop()
        one.database.close()
