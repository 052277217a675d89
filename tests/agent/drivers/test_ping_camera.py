"""Hosts of which only up, down and latency count: real sockets on loopback."""

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import msgspec
import pytest

from kampungnet.shared import wire
from kampungnet.shared.wire import Purpose
from kampungnet_agent.driver import DeviceUnreachable, Driver
from kampungnet_agent.drivers import host_service, ping_echo
from kampungnet_agent.drivers.camera import CameraDriver
from kampungnet_agent.drivers.ping import PingDriver
from kampungnet_agent.drivers.ping_echo import echo_request, is_reply
from tests.agent.drivers.conftest import Settings
from tests.support.ports import free_port

RTSP = b"RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\nServer: Hipcam RealServer/V1.0\r\n\r\n"
HTTP = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<html></html>"


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_service, "SERVICE_SECONDS", 0.5)
    monkeypatch.setattr(ping_echo, "ECHO_SECONDS", 0.3)


@contextlib.contextmanager
def saying(answer: bytes, *, endless: bool = False, pause: float = 0.0) -> Iterator[tuple[int, list[bytes]]]:
    """A TCP service that says the same to everybody; yields its port and what it was asked."""
    asked: list[bytes] = []
    ended = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                asked.append(self.request.recv(1000))
                ended.wait(pause)
                self.request.sendall(answer)
                while endless and not ended.is_set():
                    self.request.sendall(answer * 100)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield server.server_address[1], asked
        finally:
            ended.set()
            server.shutdown()


async def host_of(driver: Driver) -> wire.HostBody:
    body = (await driver.poll()).body
    assert isinstance(body, wire.HostBody)
    assert msgspec.json.decode(msgspec.json.encode(body), type=wire.HostBody) == body
    return body


def camera(rtsp: int, http: int = 0) -> CameraDriver:
    return CameraDriver(Settings(address=f"127.0.0.1:{rtsp}", options={"http_port": http}))


async def test_a_camera_that_refuses_us_without_a_password_is_up() -> None:
    with saying(RTSP) as (rtsp, asked), saying(HTTP) as (http, _):
        body = await host_of(camera(rtsp, http))
    assert body.purpose is Purpose.CAMERA
    assert body.model == "Hipcam RealServer/V1.0"
    assert [(one.name, one.port, one.answers) for one in body.services] == [("rtsp", rtsp, True), ("http", http, True)]
    assert all(one.milliseconds is not None for one in body.services)
    assert any(one.startswith(b"OPTIONS rtsp://127.0.0.1:") for one in asked)


async def test_a_camera_whose_video_is_dead_is_told_apart_from_a_dead_camera() -> None:
    with saying(HTTP) as (http, _):
        body = await host_of(camera(free_port(), http))
    assert [one.answers for one in body.services] == [False, True]
    assert "rtsp: port closed" in body.missing


async def test_a_camera_that_answers_nothing_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody(*_: object) -> None:
        raise DeviceUnreachable("no ping")

    monkeypatch.setattr("kampungnet_agent.drivers.camera.reach", nobody)
    driver = camera(free_port(), free_port())
    with pytest.raises(DeviceUnreachable, match="rtsp: port closed; http: port closed"):
        await driver.poll()
    (finding,) = await driver.check()
    assert "Periksa listrik, kabel dan address" in finding.sentence


@pytest.mark.parametrize(
    ("answer", "why"), [(b"SSH-2.0-dropbear\r\n", "not rtsp"), (b"", "not rtsp"), (b"\xff" * 99, "not")]
)
async def test_something_else_on_the_port_is_no_camera(answer: bytes, why: str) -> None:
    with saying(answer) as (rtsp, _):
        body = await host_of(camera(rtsp))
    assert [one.answers for one in body.services] == [False]
    assert any(why in entry for entry in body.missing)


@pytest.mark.usefixtures("short_waits")
async def test_endless_and_silent_services_end_in_bounds_and_in_time() -> None:
    begun = time.monotonic()
    with saying(b"x" * 1000, endless=True) as (rtsp, _), saying(HTTP, pause=60) as (http, _):
        body = await host_of(camera(rtsp, http))
    assert time.monotonic() - begun < 30
    assert [one.answers for one in body.services] == [False, False]


async def test_a_host_is_pinged_by_tcp_where_icmp_is_closed_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def not_allowed(*_: object) -> None:
        return None

    monkeypatch.setattr(ping_echo, "_icmp", not_allowed)
    with saying(b"") as (port, _):
        body = await host_of(PingDriver(Settings(address="127.0.0.1", options={"port": port, "purpose": "other"})))
    (ping,) = body.pings
    assert (ping.target, ping.sent, ping.received, ping.rtt_ms is not None) == ("device", 3, 3, True)
    assert body.missing == [f"ping: measured by TCP connect to port {port}, not by ICMP"]
    refusing = await host_of(PingDriver(Settings(address=f"127.0.0.1:{free_port()}")))
    assert refusing.pings[0].received == 3
    driver = PingDriver(Settings(address="127.0.0.1"))
    with pytest.raises(DeviceUnreachable, match="ping_group_range"):
        await driver.poll()
    (finding,) = await driver.check()
    assert "Isi port dengan port TCP" in finding.sentence


def _icmp_is_allowed() -> bool:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP).close()
    except OSError:
        return False
    return True


async def test_a_host_is_pinged_by_icmp_where_that_is_allowed_and_else_by_its_port() -> None:
    with saying(b"") as (port, _):
        body = await host_of(PingDriver(Settings(address=f"127.0.0.1:{port}")))
    assert body.pings[0].received == 3
    assert bool(body.missing) is not _icmp_is_allowed()


def test_an_echo_request_has_the_checksum_of_rfc_1071_and_only_its_own_reply_counts() -> None:
    packet = echo_request(socket.AF_INET, 7)
    words = [int.from_bytes(packet[at : at + 2], "big") for at in range(0, len(packet), 2)]
    assert sum(words) % 0xFFFF == 0
    assert packet[0] == 8
    assert is_reply(socket.AF_INET, b"\x00" + packet[1:], 7)
    assert not is_reply(socket.AF_INET, b"\x00" + packet[1:], 8)
    assert not is_reply(socket.AF_INET, packet, 7)
    assert not is_reply(socket.AF_INET6, b"\x81", 7)


async def test_a_name_nobody_knows_is_unreachable() -> None:
    with pytest.raises(DeviceUnreachable, match="not reachable"):
        await PingDriver(Settings(address="kamera.invalid")).poll()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (PingDriver, {"port": 99_999}),
        (PingDriver, {"port": True}),
        (PingDriver, {"purpose": "toilet"}),
        (CameraDriver, {"http_port": "80"}),
    ],
)
def test_settings_of_no_sense_are_refused(kind: type[PingDriver], options: dict[str, str | int]) -> None:
    with pytest.raises(ValueError, match=r"port|purpose"):
        kind(Settings(address="127.0.0.1", options=options))
