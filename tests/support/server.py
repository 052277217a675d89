"""The server side as tests need it: a migrated database with a register, enrolled boxes, a real server on loopback."""

import base64
import gzip
import http.client
import itertools
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kampungnet import cli, tables
from kampungnet.app import Server
from kampungnet.core import clock, migrate
from kampungnet.core.database import Database
from kampungnet.core.keys import keys_of
from kampungnet.devices import service as devices
from kampungnet.ingest import service as ingest
from kampungnet.ingest.signatures import SignedRequest
from kampungnet.measurement.service import Key
from kampungnet.server import BACKLOG, Web, web_settings
from kampungnet.shared import wire
from kampungnet.villages import service as villages
from tests.support.ports import free_port

REGENCY = "35.10"
VILLAGE = "35.10.15.2012"
SITE = f"{VILLAGE}-1"
NEIGHBOUR = "35.10.15.2003"
BOOT = "b00700c0-0000-4000-8000-000000000001"
HEADER = ",".join(villages.COLUMNS)
REGISTER = (
    f"{HEADER}\n"
    "35.10.15.2012,Kampunganyar,desa,35.10.15,Glagah,35.10,Kabupaten Banyuwangi,-8.19,114.28,68432\n"
    "35.10.15.2003,Rejosari,desa,35.10.15,Glagah,35.10,Kabupaten Banyuwangi,-8.21,114.33,68454\n"
    "35.10.01.2001,Sarongan,desa,35.10.01,Pesanggaran,35.10,Kabupaten Banyuwangi,-8.49,113.90,68488\n"
)
START_SECONDS = 60


def prepared_database(url: str) -> Database:
    """Migrate a database and take three villages into its register."""
    tables.load()
    database = Database(url)
    migrate.migrate(database)
    with database.writes() as db:
        villages.import_register(db, REGISTER.splitlines(keepends=True))
    return database


def router_body(rx_bytes: int = 1000, **more: Any) -> wire.RouterBody:
    """Return what a small village router says, with one WAN counter."""
    wan = wire.CounterReading("ether1", "ether", running=True, rx_bytes=rx_bytes, tx_bytes=rx_bytes)
    usual: dict[str, Any] = {
        "identity": "router-desa", "board": "hAP ac²", "version": "7.20.4 (stable)", "wan_interface": "ether1",
        "cpu_load_percent": 12, "hotspot_sessions": 7, "interfaces": [wan],
        "pings": [wire.Ping("internet", "203.0.113.1", sent=3, received=3, rtt_ms=21.5)],
    }  # fmt: skip
    return wire.RouterBody(**{**usual, **more})


@dataclass
class Box:
    """An enrolled agent: signs, numbers its readings, and can be told any clock."""

    agent: str
    key: Ed25519PrivateKey
    boot_id: str = BOOT
    _sequences: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def reading(self, body: wire.Body | None = None, **more: Any) -> wire.Reading:
        """Return the next good reading, taken now unless ``taken_at_ms`` says otherwise."""
        taken = more.pop("taken_at_ms", None) or clock.now_ms() - 1000
        outcome = more.pop("outcome", wire.Outcome.OK)
        return wire.Reading(
            boot_id=more.pop("boot_id", self.boot_id),
            sequence=more.pop("sequence", None) or next(self._sequences),
            device=more.pop("device", "router"), taken_at_ms=taken, outcome=outcome,
            boottime_ms=more.pop("boottime_ms", boottime(taken)), duration_ms=40,
            body=(body or router_body()) if outcome is wire.Outcome.OK else None,
            device_uptime_seconds=more.pop("device_uptime_seconds", 86_400), **more,
        )  # fmt: skip

    def report(self, *readings: wire.Reading | bytes, **more: Any) -> bytes:
        """Return an envelope around readings, as JSON."""
        now = clock.now_ms()
        raw = [msgspec.Raw(one if isinstance(one, bytes) else msgspec.json.encode(one)) for one in readings]
        fields: dict[str, Any] = {
            "wire_version": wire.WIRE_VERSION, "agent": self.agent, "sent_at_ms": now, "boot_id": self.boot_id,
            "boottime_ms": boottime(now), "clock_synchronised": True, "readings": raw,
        }  # fmt: skip
        return msgspec.json.encode(wire.Envelope(**{**fields, **more}))

    def headers(self, body: bytes, path: str = wire.REPORTS_PATH) -> dict[str, str]:
        """Return the headers that go with exactly this body."""
        return signed_headers(self.key, self.agent, path, body)

    def request(self, body: bytes, received_ms: int | None = None) -> SignedRequest:
        """Return a plain body as the door hands it to the service."""
        signature = self.headers(body)[wire.SIGNATURE_HEADER]
        return SignedRequest(self.agent, signature, "", body, received_ms or clock.now_ms())

    def keys(self, *readings: wire.Reading) -> set[Key]:
        """Return what makes the readings unique on the server."""
        return {(REGENCY, self.agent, one.boot_id, one.sequence) for one in readings}


def boottime(instant_ms: int) -> int:
    """Return ``CLOCK_BOOTTIME`` of our boxes at an instant: they all started at the same one, long ago."""
    return max(0, instant_ms - 1_600_000_000_000)


def signed_headers(key: Ed25519PrivateKey, agent: str, path: str, body: bytes) -> dict[str, str]:
    """Return who sends and the proof."""
    signature = base64.b64encode(key.sign(wire.signing_bytes("POST", path, agent, body))).decode()
    return {wire.AGENT_HEADER: agent, wire.SIGNATURE_HEADER: signature, "Content-Type": "application/json"}


def enrolment(code: str, key: Ed25519PrivateKey, **more: str) -> tuple[bytes, dict[str, str]]:
    """Return a well-signed request for enrolment: body and headers."""
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    body = msgspec.json.encode(
        {"code": code, "public_key": public, "board": "Raspberry Pi 4", "version": "0.1", **more}
    )
    return body, signed_headers(key, "-", wire.ENROLMENTS_PATH, body)


def issued_code(database: Database, village: str = VILLAGE) -> str:
    """Issue a one-time code for a village."""
    with database.writes() as db:
        return devices.issue_code(db, villages.village(db, village), clock.now_ms())


def enrolled(database: Database, village: str = VILLAGE) -> Box:
    """Enrol a new box in a village the way a real one does it."""
    key = Ed25519PrivateKey.generate()
    body, headers = enrolment(issued_code(database, village), key)
    with database.writes() as db:
        return Box(ingest.enrol(db, body, headers[wire.SIGNATURE_HEADER], clock.now_ms()).agent, key)


def neighbours(database: Database, number: int) -> list[Box]:
    """Enrol a box in each of ``number`` more villages, made up for this: a site has one agent."""
    codes = [f"35.10.25.{2001 + n}" for n in range(number)]
    rows = [f"{code},Desa {code},desa,35.10.25,Blimbingsari,35.10,Kabupaten Banyuwangi,,,\n" for code in codes]
    with database.writes() as db:
        villages.import_register(db, [f"{HEADER}\n", *rows])
    return [enrolled(database, code) for code in codes]


def ingested(database: Database, *requests: SignedRequest) -> list[Any]:
    """Run requests through the service as one group and return their receipts or problems."""
    with database.writes() as db:
        return ingest.accept(db, [ingest.Arrival(request) for request in requests], ingest.Keys())


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def receipt(self) -> wire.Receipt:
        """Return the receipt; fails for any other answer."""
        assert self.status == 200, (self.status, self.body)
        return msgspec.json.decode(self.body, type=wire.Receipt)

    def sentence(self) -> str:
        """Return the one JSON sentence of a refusal; fails when there is anything else."""
        fields = msgspec.json.decode(self.body)
        assert list(fields) == ["detail"], fields
        detail: str = fields["detail"]
        assert detail.strip().endswith("."), detail
        assert "\n" not in detail, detail
        return detail


@dataclass
class Running:
    """A server that listens on loopback."""

    port: int

    def send(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        """Make one request on a connection of its own."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            return ask(line, method, path, body, headers)
        finally:
            line.close()

    def report(self, box: Box, *readings: wire.Reading | bytes, **more: Any) -> Answer:
        """Send readings as the box does: compressed and signed."""
        body = gzip.compress(box.report(*readings, **more), 1)
        return self.send("POST", wire.REPORTS_PATH, body, box.headers(body) | {"Content-Encoding": "gzip"})


def ask(
    line: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    """Make one request on a connection that is kept."""
    line.request(method, path, body, headers or {})
    answer = line.getresponse()
    return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())


@contextmanager
def serving(database: Database, port: int | None = None) -> Iterator[Running]:
    """Run the whole application in a thread, without upkeep, until the block ends."""
    port = port or free_port()
    listening = socket.create_server(("127.0.0.1", port), backlog=BACKLOG)
    server = Web(web_settings(Server(database, upkeep=False)))
    thread = threading.Thread(target=server.run, args=([listening],), name="uvicorn")
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield Running(port)
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        listening.close()


def url_of(database: Database) -> str:
    """Return the address a database was opened with."""
    return database.engine.url.render_as_string(hide_password=False)


def kampungnet(*arguments: str, entered: str = "", **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the command line as its own process, as staff do."""
    command = [sys.executable, "-m", "kampungnet.cli", *arguments]
    return subprocess.run(
        command, input=entered, capture_output=True, text=True, check=False, timeout=180, env=os.environ | environment
    )


def where(database: Database) -> Sequence[str]:
    """Return the options that lead a command to the database of a test."""
    url = url_of(database)
    if url.startswith("sqlite:///"):
        return ["--data", str(Path(url.removeprefix("sqlite:///")).parent)]
    with database.reads() as db:
        key = keys_of(db).file
    return ["--database-url", url, *(["--data", str(key.parent)] if key else [])]


@contextmanager
def serving_process(database: Database, port: int | None = None) -> Iterator[tuple[Running, "subprocess.Popen[bytes]"]]:
    """Run a real `kampungnet serve` of two processes; both are killed at the end when they still run."""
    running = Running(port or free_port())
    command = [sys.executable, "-m", "kampungnet.cli", "serve", "--processes", "2", "--port", str(running.port)]
    process = subprocess.Popen([*command, *where(database)], start_new_session=True)
    try:
        wait_until(lambda: process.poll() is not None or answers(running))
        assert process.poll() is None, "the server ended before it answered"
        yield running, process
    finally:
        cut_power(process)
        process.wait(timeout=30)


@contextmanager
def serving_fork(database: Database) -> Iterator[tuple[Running, int]]:
    """Run the same from a process that has the modules already, as a test needs that begins it often; yield its group.

    Of the eleven starts of one test, loading modules took most of its two minutes.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "kampungnet.cli_serve"])
    running = Running(free_port())
    arguments = ("serve", "--processes", "2", "--port", str(running.port), *where(database))
    process = context.Process(target=_serve_as_a_group, args=(arguments,))
    process.start()
    assert process.pid
    try:
        wait_until(lambda: not process.is_alive() or answers(running))
        assert process.is_alive(), "the server ended before it answered"
        yield running, process.pid
    finally:
        kill_group(process.pid)
        process.join(timeout=30)


def _serve_as_a_group(arguments: Sequence[str]) -> None:
    os.setsid()
    raise SystemExit(cli.main(arguments))


def kill_group(leader: int) -> None:
    """Kill a process with all that belong to it, if they still run."""
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def cut_power(process: "subprocess.Popen[bytes]") -> None:
    """Kill a server with all its processes, if it still runs."""
    kill_group(process.pid)


def answers(running: Running) -> bool:
    try:
        return running.send("GET", "/healthz").status == 200
    except OSError:
        return False


def wait_until(true: Any) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not true():
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)
