"""An office with something of everything in it, its people signed in, and a real server process in front."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import delete
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.demo import books, run, wifi
from kampungnet.devices.models import Agent, Device, Site
from kampungnet.staff import signing_in
from kampungnet.staff.models import StaffMember
from kampungnet.staff.signing_in import Visitor
from kampungnet.villages import service as villages
from tests.pages import sample
from tests.support.ports import free_port
from tests.support.server import Running, answers, where

PEOPLE = ("sari", "nur", "budi", "eko")
"""Engineer, budget staff of the kabupaten, operator and secretary of one village: together they reach every page."""
CODES = [sample.KAMPUNGANYAR, sample.REJOSARI, *sorted(sample.FATES)[:4]]
START_SECONDS = 60


def fill(database: Database) -> None:
    """Fill an empty database: measured villages, books with statements in every state, a managed wifi, vouchers."""
    now_ms = clock.now_ms()
    sample.fill(database, now_ms)
    sample.hire(database)
    people = run.signed_in(sample.KAMPUNGANYAR)
    with database.writes() as db:
        _without_boxes(db, min(code for code in villages.names(db, sample.REGENCY) if code[9] == "1"))
        books.keep(db, [people[one] for one in run.BOOKS], CODES, now_ms - 31 * clock.DAY_MS)
        wifi.keep(db, people["sari"], (sample.REGENCY, f"{sample.KAMPUNGANYAR}-1"), now_ms)


def _without_boxes(db: Session, village: str) -> None:
    """The books have a kelurahan in them that nobody measures: the first one."""
    site = f"{village}-1"
    for rows in (Device.site == site, Agent.site == site, Site.code == site):
        db.execute(delete(rows.left.table).where(rows))


def session_of(database: Database, username: str) -> str:
    """Open a session as the sign-in does after the password; return its token."""
    with database.writes() as db:
        member = db.get_one(StaffMember, username)
        return signing_in.open_again(db, member, Visitor("127.0.0.1", "", ""), clock.now_ms()).token


@dataclass
class Office:
    """A server process on loopback, and its log."""

    database: Database
    running: Running
    process: "subprocess.Popen[bytes]"
    log: Path
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.running.port}"

    def cookie(self, person: str) -> str:
        """Return the cookie of somebody who is signed in."""
        token = self.tokens.get(person) or self.tokens.setdefault(person, session_of(self.database, person))
        return f"kampungnet={token}"

    def ask(
        self, person: str, method: str, path: str, form: dict[str, str] | None = None, seconds: float = 60
    ) -> tuple[int, dict[str, str], bytes]:
        """Ask as a browser in which somebody is signed in does; whoever was signed out signs in again."""
        headers = {"Cookie": self.cookie(person), "Sec-Fetch-Site": "same-origin"}
        body = None
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(form or {}, errors="surrogatepass").encode()
        line = http.client.HTTPConnection("127.0.0.1", self.running.port, timeout=seconds)
        try:
            line.request(method, path, body, headers)
            answer = line.getresponse()
            head = {name.lower(): value for name, value in answer.getheaders()}
            content = answer.read()
        finally:
            line.close()
        if head.get("location", "").startswith("/masuk"):
            self.tokens.pop(person, None)
        return answer.status, head, content

    def defects(self) -> list[str]:
        """Return the lines of the log in which the server speaks of a defect."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if "defect at" in line or "Traceback" in line]

    def resident_bytes(self) -> int:
        """Return how much memory the server has."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def opened(database: Database, folder: Path, log: Path | None = None) -> Iterator[Office]:
    """Run ``kampungnet serve`` as one process over a database until the block ends; its words go to ``log``."""
    running, log = Running(free_port()), log or folder / "server.log"
    command = [sys.executable, "-m", "kampungnet.cli", "serve", "--processes", "1", "--port", str(running.port)]
    command += [*where(database), "--data", str(folder)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
    try:
        until = time.monotonic() + START_SECONDS
        while not answers(running):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        yield Office(database, running, process, log)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        finally:
            process.kill()
            process.wait(60)
