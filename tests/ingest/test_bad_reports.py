"""Malformed reports over real HTTP: each a 4xx with one sentence, and nothing changes."""

import base64
import gzip
import http.client
import socket
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from kampungnet.core.database import Database
from kampungnet.core.errors import Problem
from kampungnet.ingest.envelope import opened, unpacked
from kampungnet.shared import wire
from tests.support.contents import contents
from tests.support.server import Answer, Box, Running, enrolled, serving_process

Make = Callable[[Box], tuple[bytes, str, int]]


def _edited(**fields: Any) -> Make:
    def make(box: Box) -> tuple[bytes, str, int]:
        plain: dict[str, Any] = msgspec.json.decode(box.report(box.reading()))
        plain.update(fields)
        return msgspec.json.encode({name: value for name, value in plain.items() if value is not ...}), "", 400

    return make


def _of(make: Callable[[bytes], bytes], encoding: str = "", status: int = 400) -> Make:
    return lambda box: (make(box.report(box.reading())), encoding, status)


def _raw(body: bytes, encoding: str = "", status: int = 400) -> Make:
    return lambda _box: (body, encoding, status)


MALFORMED: dict[str, Make] = {
    "empty": _raw(b""),
    "empty, said to be gzip": _raw(b"", "gzip"),
    "not JSON": _raw(b"<html>login</html>"),
    "a number": _raw(b"7"),
    "null": _raw(b"null"),
    "a list": _raw(b"[]"),
    "an empty object": _raw(b"{}"),
    "broken UTF-8": _of(lambda whole: whole.replace(b"router", b"\xff\xfe", 1).replace(b"agent", b"\xff", 1)),
    "UTF-16": _of(lambda whole: whole.decode().encode("utf-16")),
    "a byte order mark": _of(lambda whole: b"\xef\xbb\xbf" + whole),
    "truncated": _of(lambda whole: whole[:-20]),
    "two in one": _of(lambda whole: whole + whole),
    "deep nesting": _raw(b"[" * 500_000),
    "deep nesting in an unknown field": _raw(b'{"news":' + b"[" * 500_000),
    "no agent": _edited(agent=...),
    "another agent": _edited(agent="7XK2M9QDV4T8ZB31"),
    "an agent that is a path": _edited(agent="../../etc"),
    "no version": _edited(wire_version=...),
    "version minus one": _edited(wire_version=-1),
    "version as text": _edited(wire_version="1"),
    "version 2^40": _edited(wire_version=2**40),
    "a time of 10^400": _of(lambda whole: whole.replace(b'"sent_at_ms":', b'"sent_at_ms":1' + b"0" * 400 + b',"x":')),
    "a time of 1e400": _of(lambda whole: whole.replace(b'"sent_at_ms":', b'"sent_at_ms":1e400,"x":')),
    "a negative time": _edited(sent_at_ms=-1),
    "a time after the year 9999": _edited(sent_at_ms=2**60),
    "boot time as NaN": _of(lambda whole: whole.replace(b'"boottime_ms":', b'"boottime_ms":NaN,"x":')),
    "readings that are an object": _edited(readings={}),
    "readings that are null": _edited(readings=None),
    "no readings": _edited(readings=...),
    "the clock as a word": _edited(clock_synchronised="yes"),
    "health that is a list": _edited(health=[]),
    "health with a negative count": _edited(health={"spool_readings": -1}),
    "gzip cut short": _of(lambda whole: gzip.compress(whole)[:-9], "gzip"),
    "gzip with a wrong checksum": _of(lambda whole: gzip.compress(whole)[:-8] + b"\0" * 8, "gzip"),
    "plain, said to be gzip": _of(lambda whole: whole, "gzip"),
    "zlib, said to be gzip": _of(zlib.compress, "gzip"),
    "gzip, said to be plain": _of(gzip.compress),
    "gzip twice": _of(lambda whole: gzip.compress(gzip.compress(whole)), "gzip"),
    "deflate": _of(zlib.compress, "deflate"),
    "an unknown compression": _of(lambda whole: whole, "br"),
    "a list of compressions": _of(gzip.compress, "gzip, gzip"),
    "a zip bomb": _raw(gzip.compress(b" " * 100_000_000, 9), "gzip", 413),
    "unpacked one byte too large": _raw(gzip.compress(b" " * (wire.MAX_UNPACKED_BYTES + 1), 9), "gzip", 413),
    "one byte too large": _raw(b" " * (wire.MAX_BODY_BYTES + 1), "", 413),
    "10 MB": _raw(b" " * 10_000_000, "", 413),
    "101 readings": lambda box: (box.report(*[b"{}"] * (wire.MAX_READINGS + 1)), "", 422),
    "a future wire version": lambda box: (box.report(box.reading(), wire_version=wire.WIRE_VERSION + 1), "", 426),
    "wire version 0": lambda box: (box.report(box.reading(), wire_version=wire.OLDEST_WIRE_VERSION - 1), "", 426),
}  # fmt: skip


def test_every_malformed_report_gets_a_4xx_and_one_sentence_and_changes_nothing(
    database: Database, server: Running, box: Box
) -> None:
    before = contents(database)
    wrong = {}
    for name, make in MALFORMED.items():
        body, encoding, status = make(box)
        answer = _posted(server, body, box.headers(body) | ({"Content-Encoding": encoding} if encoding else {}))
        if answer.status != status or not answer.sentence():
            wrong[name] = answer
    assert wrong == {}
    # The list for staff is there to grow: a box that speaks for another stands on it.
    assert contents(database) | {"oddities": []} == before
    assert server.report(box, box.reading()).receipt().refused == []


def test_what_a_stranger_sends_is_not_even_looked_at(server: Running, box: Box) -> None:
    thief = Box("7XK2M9QDV4T8ZB31", Ed25519PrivateKey.generate())
    answers = set()
    for make in MALFORMED.values():
        body, encoding, _ = make(box)
        if len(body) <= wire.MAX_BODY_BYTES:
            answer = _posted(server, body, thief.headers(body) | {"Content-Encoding": encoding})
            answers.add((answer.status, answer.body))
    assert {status for status, _ in answers} == {401}
    assert len(answers) == 1


NOT_HTTP = (
    "Content-Length: 999999999999999999999999",
    "Content-Length: -5",
    "Content-Length: five",
    "Content-Length: 5\r\nContent-Length: 6",
    "Content-Length: 5\r\nTransfer-Encoding: chunked",
    "KampungNet-Agent: a\x00b",
)


def test_only_post_is_taken_and_only_http(server: Running) -> None:
    for path in (wire.REPORTS_PATH, wire.ENROLMENTS_PATH):
        for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"):
            assert server.send(method, path).status == 405, method
    for head in NOT_HTTP:
        request = f"POST {wire.REPORTS_PATH} HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n{{}}   ".encode()
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as line:
            line.sendall(request)
            assert line.recv(1000).split(b" ")[1].startswith(b"4"), head


def test_a_body_shorter_than_announced_stores_nothing(database: Database, server: Running, box: Box) -> None:
    body = box.report(box.reading())
    before = contents(database)
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as line:
        line.sendall(_head(box, body, f"Content-Length: {len(body) + 10}") + body)
        line.shutdown(socket.SHUT_WR)
        assert b" 200 " not in line.recv(1000)
    assert contents(database) == before


def test_a_body_longer_than_announced_is_another_body(database: Database, server: Running, box: Box) -> None:
    body = box.report(box.reading())
    before = contents(database)
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as line:
        line.sendall(_head(box, body, f"Content-Length: {len(body) - 10}") + body)
        # The rest of the body looks like a next request, and that one is no HTTP.
        assert line.recv(1000).split(b" ")[1] in {b"401", b"400"}
    assert contents(database) == before


def test_a_report_in_chunks_is_a_report(server: Running, box: Box) -> None:
    body = box.report(box.reading())
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:100], body[100:])) + b"0\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as line:
        line.sendall(_head(box, body, "Transfer-Encoding: chunked") + chunks)
        assert b" 200 " in line.recv(1000)


def test_an_endless_body_and_a_zip_bomb_end_early_and_cost_little_memory(sqlite_database: Database) -> None:
    box = enrolled(sqlite_database)
    bomb = gzip.compress(b" " * 200_000_000, 1)
    assert len(bomb) < wire.MAX_BODY_BYTES
    with serving_process(sqlite_database) as (server, process):
        assert server.report(box, box.reading()).receipt().accepted == [1]
        before = _peak_megabytes(process.pid)
        for _ in range(3):
            answer = _posted(server, bomb, box.headers(bomb) | {"Content-Encoding": "gzip"})
            assert (answer.status, answer.sentence()[:10]) == (413, "The report")
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as line:
            line.sendall(_head(box, b"", "Transfer-Encoding: chunked"))
            for _ in range(wire.MAX_BODY_BYTES // 0x10000 + 1):
                line.sendall(chunk)
            assert b" 413 " in line.recv(1000), "answered while the body still comes"
            for _ in range(200):
                line.sendall(chunk)
        assert _peak_megabytes(process.pid) - before < 40
        assert server.report(box, box.reading()).receipt().accepted == [2]


@settings(max_examples=150)
@given(data=st.data())
def test_no_bytes_at_all_get_past_the_envelope_without_a_problem_or_a_report(data: st.DataObject) -> None:
    box = Box("A", Ed25519PrivateKey.from_private_bytes(b"k" * 32))
    whole = bytearray(box.report(box.reading(), b'{"sequence":3}'))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(whole)))
        whole[start : start + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    body, encoding = bytes(whole), data.draw(st.sampled_from(["", "gzip"]))
    try:
        report = opened(unpacked(body, encoding), "A")
    except Problem as found:
        problem = found
    else:
        places = {one.position for one in report.taken} | {one.position for one in report.refused}
        assert places == set(range(len(report.envelope.readings)))
        return
    assert 400 <= problem.status < 500
    assert "\n" not in problem.sentence


def _posted(server: Running, body: bytes, headers: dict[str, str]) -> Answer:
    try:
        return server.send("POST", wire.REPORTS_PATH, body, headers)
    except (BrokenPipeError, ConnectionResetError, http.client.HTTPException) as error:
        pytest.fail(f"no answer: {error!r}")


def _head(box: Box, body: bytes, length: str) -> bytes:
    headers = "".join(f"{name}: {value}\r\n" for name, value in box.headers(body).items())
    return f"POST {wire.REPORTS_PATH} HTTP/1.1\r\nHost: x\r\n{headers}{length}\r\n\r\n".encode()


def _peak_megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def test_base64_of_the_wrong_kind_is_no_signature(server: Running, box: Box) -> None:
    body = box.report(box.reading())
    good = box.headers(body)[wire.SIGNATURE_HEADER]
    raw = base64.b64decode(good)
    for bad in ("", "=", "====", good[:-2], good + "A", good + "\xe9", raw.hex(), "A" * 20_000, " " + good[1:]):
        headers = box.headers(body) | {wire.SIGNATURE_HEADER: bad}
        assert _posted(server, body, headers).status == 401, bad
