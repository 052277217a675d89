"""The short way for reports that come whole: the same answers as the ordinary way, one after the other, to the end."""

import gc
import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest

from kampungnet.core.database import Database
from kampungnet.ingest.lane import _Report
from kampungnet.ingest.routes import ReportDoor
from kampungnet.shared import wire
from tests.support.server import Box, Running, enrolled, serving_process


@contextmanager
def _line(server: Running) -> Iterator["Line"]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        yield Line(connection)


class Line:
    """One connection on which bytes are sent as a test says."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection = connection
        self._answers = connection.makefile("rb")

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Return the next answer."""
        status = int(self._answers.readline().split()[1])
        headers = {}
        while line := self._answers.readline().strip().decode():
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        return status, headers, self._answers.read(int(headers["content-length"]))

    def accepted(self) -> list[int]:
        """Return what the receipt that comes next names."""
        status, _, body = self.answer()
        assert status == 200, body
        return msgspec.json.decode(body, type=wire.Receipt).accepted


def _request(box: Box, *more: str, path: str = wire.REPORTS_PATH, method: str = "POST") -> bytes:
    """Return a whole request with the box's next reading."""
    body = gzip.compress(box.report(box.reading()), 1)
    headers = {**box.headers(body), "Host": "x", "Content-Encoding": "gzip", "Content-Length": str(len(body))}
    head = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), *more, "", ""]
    return "\r\n".join(head).encode() + body


def _break_the_ordinary_way(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("this report went the ordinary way")

    monkeypatch.setattr(ReportDoor, "__call__", fail)


def test_a_report_that_comes_whole_goes_past_the_application(
    server: Running, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _line(server) as line:
        line.connection.sendall(_request(box))
        assert line.accepted() == [1], "the first report of a process is judged inside the transaction"
        _break_the_ordinary_way(monkeypatch)
        for number in (2, 3):
            line.connection.sendall(_request(box))
            assert line.accepted() == [number]
        line.connection.sendall(_request(box, "Connection: close"))
        assert line.answer()[0] == 500, "the test can tell both ways apart"


def test_an_answered_report_is_let_go_without_the_collector(server: Running, box: Box) -> None:
    gc.collect()
    gc.disable()
    try:
        with _line(server) as line:
            for number in range(1, 7):
                line.connection.sendall(_request(box))
                assert line.accepted() == [number]
            kept = sum(type(one) is _Report for one in gc.get_objects())
    finally:
        gc.enable()
    assert kept <= 2, "the collector looks rarely, and each report holds its body and headers"


def test_both_ways_say_the_same(server: Running, box: Box) -> None:
    wrong = _request(box).replace(b"KampungNet-Signature: ", b"KampungNet-Signature: A")
    for request in (_request(box), wrong):
        with _line(server) as line:
            line.connection.sendall(request)
            short = line.answer()
            line.connection.sendall(request[:-9])
            threading.Event().wait(0.1)
            line.connection.sendall(request[-9:])
            ordinary = line.answer()
        assert short[0] == ordinary[0]
        assert short[1].keys() == ordinary[1].keys() >= {"date", "content-type", "content-length"}
        assert msgspec.json.decode(short[2]).keys() == msgspec.json.decode(ordinary[2]).keys()


@pytest.mark.parametrize("size", [1, 37, 400])
def test_a_report_in_small_pieces_is_a_report(server: Running, box: Box, size: int) -> None:
    with _line(server) as line:
        for number in (1, 2):
            request = _request(box)
            for place in range(0, len(request), size):
                line.connection.sendall(request[place : place + size])
            assert line.accepted() == [number]


def test_many_requests_in_one_breath_are_answered_in_their_order(server: Running, box: Box) -> None:
    page = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    with _line(server) as line:
        line.connection.sendall(_request(box) + page + _request(box) + _request(box) + page + _request(box))
        assert line.accepted() == [1]
        assert line.answer()[2] == b'{"status":"ok"}'
        assert line.accepted() + line.accepted() == [2, 3]
        assert line.answer()[2] == b'{"status":"ok"}'
        assert line.accepted() == [4]
        line.connection.sendall(_request(box))
        assert line.accepted() == [5]


def test_what_is_unusual_goes_the_ordinary_way(server: Running, box: Box) -> None:
    with _line(server) as line:
        line.connection.sendall(_request(box, "Expect: 100-continue"))
        assert line.connection.recv(25, socket.MSG_WAITALL) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert line.accepted() == [1]
    for request, status in (
        (_request(box, method="PUT"), 405),
        (_request(box, path=wire.REPORTS_PATH + "/"), 404),
        (_request(box, path=wire.REPORTS_PATH + "?a=b"), 200),
        (_request(box, "Connection: close"), 200),
        (_request(box).replace(b"HTTP/1.1", b"HTTP/1.0"), 200),
    ):
        with _line(server) as line:
            line.connection.sendall(request)
            assert line.answer()[0] == status, request[:60]


def test_an_error_of_ours_is_never_called_bad_http(server: Running, box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(ReportDoor, "take", fail)
    with _line(server) as line:
        line.connection.sendall(_request(box))
        assert line.connection.recv(1000) == b"", "a box sets readings aside that a 4xx refuses"


def test_who_hangs_up_early_is_stored_and_nobody_else_is_hurt(database: Database, server: Running, box: Box) -> None:
    with database.writes(), _line(server) as line:
        line.connection.sendall(_request(box))
        threading.Event().wait(0.2)
    with _line(server) as line:
        line.connection.sendall(_request(box))
        assert line.accepted() == [2]
    assert server.report(box, box.reading()).receipt().accepted == [3]


def test_who_sends_rubbish_behind_a_report_keeps_no_neighbour_waiting(
    database: Database, server: Running, box: Box
) -> None:
    rubbish = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + b"\0rubbish\r\n\r\n"
    with _line(server) as first, _line(server) as broken, _line(server) as neighbour:
        with database.writes():
            # The first one makes the group's thread wait here for its turn, so that all three share a transaction.
            for line, behind in ((first, b""), (broken, rubbish), (neighbour, b"")):
                line.connection.sendall(_request(box) + behind)
                threading.Event().wait(0.2)
        assert first.accepted() == [1]
        assert neighbour.accepted() == [3]


def test_a_report_under_way_is_finished_when_the_server_stops(sqlite_database: Database) -> None:
    box = enrolled(sqlite_database)
    with serving_process(sqlite_database) as (server, process), _line(server) as line:
        line.connection.sendall(_request(box))
        assert line.accepted() == [1]
        with sqlite_database.writes():
            line.connection.sendall(_request(box))
            threading.Event().wait(2)  # until the server has read it
            process.terminate()
            threading.Event().wait(0.3)
        status, headers, _ = line.answer()
        assert (status, headers["connection"]) == (200, "close")
        assert line.connection.recv(1) == b""
        assert process.wait(timeout=60) == 0
