"""Clients that send slowly, never end, never read or vanish: the server drops them, and others are served meanwhile."""

import http.client
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from kampungnet.core import patience
from kampungnet.shared import wire
from tests.faults.told import told
from tests.support.server import Box, Running

GUARD_SECONDS = 60
OF_EACH = 25
HEAD = b"POST /masuk HTTP/1.1\r\nHost: 127.0.0.1\r\nSec-Fetch-Site: same-origin\r\n"
FORM = HEAD + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 90000\r\n\r\n"
REPORT = f"POST {wire.REPORTS_PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n".encode()
BEGINNINGS = {"nothing at all": b"", "half a head": HEAD, "half a form": FORM, "half a report": REPORT}
TCP_REPAIR = 19
"""With it on, Linux closes a connection without telling the other side: as when a line is cut (tcp(7), CRIU)."""


@pytest.fixture(autouse=True)
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "REQUEST_BEATS", 2)
    monkeypatch.setattr(patience, "TAKE_BEATS", 2)


def connections(port: int) -> int:
    """Count what the server still holds: established, or half closed."""
    local = f":{port:04X}"
    rows = [line.split() for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(local) and row[3] in {"01", "08"} for row in rows)


def wait_for(true: Callable[[], bool]) -> None:
    until = time.monotonic() + GUARD_SECONDS
    while not true():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.05)


def begun(port: int, beginning: bytes) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", port), timeout=GUARD_SECONDS)
    line.sendall(beginning)
    return line


def is_dropped(line: socket.socket) -> bool:
    """Send one more byte, as slow-loris does to seem alive, and see whether anybody still listens."""
    line.settimeout(0)
    with suppress(BlockingIOError):
        try:
            line.send(b"x")
            while line.recv(65_536):
                pass
        except ConnectionError:
            return True
        return True
    return False


@pytest.fixture
def reporting(server: Running, box: Box) -> Iterator["Counter[int]"]:
    """A box that reports all the time; its answers."""
    answers, stop = Counter[int](), threading.Event()

    def report() -> None:
        while not stop.wait(0.02):
            answers[server.report(box, box.reading()).status] += 1

    thread = threading.Thread(target=report)
    thread.start()
    yield answers
    stop.set()
    thread.join(GUARD_SECONDS)


def test_whoever_keeps_the_server_waiting_is_dropped_while_boxes_are_served(
    server: Running, reporting: "Counter[int]"
) -> None:
    lines = [begun(server.port, beginning) for beginning in BEGINNINGS.values() for _ in range(OF_EACH)]
    left = list(lines)

    def all_dropped() -> bool:
        left[:] = [line for line in left if not is_dropped(line)]
        time.sleep(0.2)
        return not left

    wait_for(all_dropped)
    before = reporting[200]
    wait_for(lambda: reporting[200] > before + 5)
    assert set(reporting) == {200}, "every report of the box was taken meanwhile"
    for line in lines:
        line.close()
    told("slow-loris connections", len(lines), 0, 0, f"{reporting[200]} reports taken beside them")


def test_a_line_that_is_cut_without_a_word_holds_nothing_for_ever(
    server: Running, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "REQUEST_BEATS", GUARD_SECONDS)  # until all are cut
    lines = [begun(server.port, beginning) for beginning in BEGINNINGS.values() for _ in range(OF_EACH)]
    wait_for(lambda: connections(server.port) == len(lines))
    for line in lines:
        try:
            line.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        except PermissionError:
            pytest.skip("closing a connection without a word needs root")
        line.close()
    assert connections(server.port) == len(lines), "the server was told nothing"
    monkeypatch.setattr(patience, "REQUEST_BEATS", 2)
    wait_for(lambda: connections(server.port) == 0)
    assert server.report(box, box.reading()).status == 200
    told("half-open connections", len(lines), 0, 0)


@pytest.mark.parametrize("line", [b"GET /" + b"a" * 1_000, b"GET / HTTP/1.1\r\nX: " + b"a" * 1_000])
def test_a_head_without_an_end_is_refused_before_it_takes_memory(server: Running, line: bytes) -> None:
    with begun(server.port, line) as client:
        sent = 0
        with suppress(ConnectionError):
            while sent < 50_000_000:
                sent += client.send(b"b" * 10_000)
        assert sent < 20_000_000, "what the kernel holds for both sides is not ours"


def test_who_never_reads_the_answers_is_dropped(server: Running, box: Box, caplog: pytest.LogCaptureFixture) -> None:
    lines = []
    for _ in range(5):
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        line.connect(("127.0.0.1", server.port))
        line.settimeout(0)
        with suppress(BlockingIOError):
            for _ in range(200):
                line.send(b"GET /api/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
        lines.append(line)
    wait_for(lambda: connections(server.port) == 0)
    assert server.report(box, box.reading()).status == 200
    for line in lines:
        line.close()
    assert [one for one in caplog.messages if "defect" in one or "Exception" in one] == [], "and no defect of ours"
    told("clients that never read", len(lines), 0, 0)


def test_a_form_that_is_given_up_half_way_is_no_defect_of_ours(
    server: Running, caplog: pytest.LogCaptureFixture
) -> None:
    for beginning in (FORM, FORM.replace(b"/masuk", b"/akun"), REPORT, FORM.replace(b"/masuk", b"/kontrak/unggah")):
        with begun(server.port, beginning + b"username=a"):
            pass
    wait_for(lambda: connections(server.port) == 0)
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=GUARD_SECONDS)
    line.request("GET", "/healthz")
    assert line.getresponse().status == 200
    line.close()
    assert [one for one in caplog.messages if "defect" in one or "Exception" in one] == []
