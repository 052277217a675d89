"""The cast: a village box with its own clock, a real central server on loopback, hand-made devices."""

import base64
import gzip
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kampungnet.shared import wire
from kampungnet.shared.one_time_code import NO_CODE
from kampungnet_agent.box import Box
from kampungnet_agent.line import Line
from kampungnet_agent.report import Sender
from kampungnet_agent.signing import signer_for
from kampungnet_agent.spool import Spool
from kampungnet_agent.tally import Tally
from kampungnet_agent.uplink import Parts
from kampungnet_agent.worker import Worker

SEED = bytes(range(32))
PUBLIC_KEY = Ed25519PrivateKey.from_private_bytes(SEED).public_key()
NOW_MS = 1_795_000_000_000


class VillageBox(Box):
    """A box whose clocks the test sets."""

    def __init__(self) -> None:
        super().__init__()
        self.boot_id = "0b1fd0a3-2a53-4f62-8b44-5c0f4c1f9a11"
        self.board = "Raspberry Pi 4"
        self.now_ms = NOW_MS
        self.synchronised = True
        self.boot_ms = 0

    def boottime_ms(self) -> int:
        return self.boot_ms or super().boottime_ms()

    def wall_ms(self) -> int:
        return self.now_ms

    def clock_synchronised(self) -> bool:
        return self.synchronised


@dataclass
class Reply:
    """What the central server answers to one report."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


MakeReading = Callable[..., wire.Reading]
Rule = Callable[[wire.Envelope], Reply | None]


class CentralServer:
    """A small real HTTP server that keeps what it receipted; ``rule`` may answer instead of it."""

    def __init__(self) -> None:
        self.stored: dict[int, bytes] = {}
        self.reports: list[list[int]] = []
        self.conflicts: list[int] = []
        self.bad_signatures = 0
        self.agents: set[str] = set()
        self.healths: list[wire.AgentHealth] = []
        self.enrolments: list[wire.EnrolmentRequest] = []
        self.connections = 0
        self.rule: Rule = lambda _envelope: None
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.central = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, path: str, body: bytes, signature: str, agent: str) -> Reply:
        """Answer one POST."""
        if path == wire.ENROLMENTS_PATH:
            return self.enrol(body, signature, agent)
        return self.receive(body, signature, agent)

    def receive(self, body: bytes, signature: str, agent: str) -> Reply:
        if not _signed(PUBLIC_KEY, wire.signing_bytes("POST", wire.REPORTS_PATH, agent, body), signature):
            self.bad_signatures += 1
            return problem(401, "unknown agent or wrong signature")
        envelope = msgspec.json.decode(gzip.decompress(body), type=wire.Envelope)
        with self._lock:
            sequences = [msgspec.json.decode(raw, type=wire.Reading).sequence for raw in envelope.readings]
            self.reports.append(sequences)
            self.agents.add(agent)
            self.healths.append(envelope.health)
            return self.rule(envelope) or self.accept(envelope)

    def accept(self, envelope: wire.Envelope) -> Reply:
        accepted = []
        for raw in envelope.readings:
            sequence = msgspec.json.decode(raw, type=wire.Reading).sequence
            if self.stored.setdefault(sequence, bytes(raw)) != bytes(raw):
                self.conflicts.append(sequence)
            accepted.append(sequence)
        return Reply(body=msgspec.json.encode(wire.Receipt(accepted=accepted, server_time_ms=NOW_MS, pause_ms=1)))

    def enrol(self, body: bytes, signature: str, agent: str) -> Reply:
        request = msgspec.json.decode(body, type=wire.EnrolmentRequest)
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(request.public_key))
        if not _signed(key, wire.signing_bytes("POST", wire.ENROLMENTS_PATH, agent, body), signature):
            return problem(401, "the signature is not of the key in the request")
        if request.code != "KAMPUNG-1234":
            return problem(404, NO_CODE)
        self.enrolments.append(request)
        answer = wire.EnrolmentAnswer(agent="agent-7", village="35.10.15.2012", village_name="Sukojati")
        return Reply(201, msgspec.json.encode(answer))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    central: CentralServer

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a killed agent breaks its connection; that is the test


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.central.connections += 1

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        signature, agent = self.headers[wire.SIGNATURE_HEADER], self.headers[wire.AGENT_HEADER]
        self.answer(self.server.central.answer(self.path, body, signature, agent))

    def do_GET(self) -> None:
        self.answer(Reply(200 if self.path == "/healthz" else 404, b"{}"))

    def answer(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in {**reply.headers, "Content-Type": reply.content_type}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *_: object) -> None:
        pass


def _signed(key: Ed25519PublicKey, message: bytes, signature: str) -> bool:
    try:
        key.verify(base64.b64decode(signature), message)
    except Exception:  # noqa: BLE001 - any reason is a wrong signature here
        return False
    return True


def problem(status: int, sentence: str, headers: dict[str, str] | None = None) -> Reply:
    return Reply(status, msgspec.json.encode(wire.Problem(sentence)), headers=headers or {})


@pytest.fixture
def central() -> Iterator[CentralServer]:
    server = CentralServer()
    yield server
    server.close()


@pytest.fixture
def box() -> VillageBox:
    return VillageBox()


@pytest.fixture
def spool(tmp_path: Path, box: VillageBox) -> Iterator[Spool]:
    opened = Spool(tmp_path / "spool.db", 64, box)
    yield opened
    opened.close()


@pytest.fixture
def parts(spool: Spool, box: VillageBox, central: CentralServer) -> Iterator[Parts]:
    spool_worker, line_worker = Worker("spool"), Worker("line")
    line = Line(central.url)
    yield Parts(spool, spool_worker, line, line_worker, Sender("agent-7", signer_for(SEED), box), Tally())
    line.close()
    spool_worker.stop()
    line_worker.stop()


@pytest.fixture
def a_reading(box: VillageBox) -> MakeReading:
    def make(device: str = "router", filler: int = 0) -> wire.Reading:
        return wire.Reading(
            boot_id=box.boot_id,
            sequence=0,
            device=device,
            taken_at_ms=box.now_ms,
            boottime_ms=1_000,
            outcome=wire.Outcome.OK,
            duration_ms=12,
            body=wire.RouterBody(identity="Balai Desa", missing=["x" * 200] * (filler // 200)),
        )

    return make
