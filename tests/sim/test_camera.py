"""Cameras and access points, asked with curl, the standard library and net-snmp's tools."""

import asyncio
import re
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator

import pytest

from kampungnet_sim.extras import ExtraWish
from kampungnet_sim.fleet import FleetOptions
from tests.sim.far_end import CODE, asked, extra, walked
from tests.sim.stage import Stage, needed, on_stage, run

OPTIONS = b"OPTIONS rtsp://127.0.0.1/ RTSP/1.0\r\nCSeq: 7\r\n\r\n"
CAMERA, POINT = f"{CODE}/camera", f"{CODE}/access-point"


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with on_stage(FleetOptions(extras=ExtraWish(cameras=True, access_points=True))) as one:
        yield one


async def said(address: str, request: bytes, seconds: float = 60) -> str:
    """The head of an answer, from a client that knows only bytes; OSError when nobody is there."""
    host, port = address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request)
        return (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), seconds)).decode()
    finally:
        writer.close()


async def said_at_last(address: str, request: bytes) -> str:
    """The same, once somebody is there."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await said(address, request)
            except ConnectionRefusedError:
                await asyncio.sleep(0.05)


async def refused(address: str) -> bool:
    """Is the port closed, within a minute?"""
    for _ in range(1200):
        try:
            _, writer = await asyncio.open_connection(*address.split(":"))
        except ConnectionRefusedError:
            return True
        writer.close()
        await asyncio.sleep(0.05)
    return False


async def curl(*words: str) -> tuple[int, str]:
    return await run(needed("curl", "curl"), "-s", "-m", "60", *words)


async def test_a_camera_answers_options_with_the_callers_number(stage: Stage) -> None:
    head = await said(extra(stage, "camera")["address"], OPTIONS)
    assert head.startswith("RTSP/1.0 200 OK\r\n")
    assert "CSeq: 7\r\n" in head
    assert "Public: OPTIONS, DESCRIBE" in head


async def test_what_a_camera_shows_needs_its_password(stage: Stage) -> None:
    camera = extra(stage, "camera")
    url = f"http://{camera['web_address']}/snapshot.jpg"
    assert await curl("-o", "/dev/null", "-w", "%{http_code}", url) == (0, "401")
    right = f"{camera['username']}:{camera['password']}"
    code, seen = await curl("--digest", "-u", right, "-o", "/dev/null", "-w", "%{http_code} %{content_type}", url)
    assert (code, seen) == (0, "200 image/jpeg")
    code, seen = await curl("--digest", "-u", "admin:wrong", "-o", "/dev/null", "-w", "%{http_code}", url)
    assert (code, seen) == (0, "401")
    assert "Unauthorized" in await said(camera["address"], OPTIONS.replace(b"OPTIONS", b"DESCRIBE"))


async def test_pythons_own_digest_login_is_let_in(stage: Stage) -> None:
    camera = extra(stage, "camera")
    url = f"http://{camera['web_address']}/snapshot.jpg"
    known = urllib.request.HTTPPasswordMgr()
    known.add_password("IP Camera", url, camera["username"], camera["password"])
    handler = urllib.request.HTTPDigestAuthHandler(known)

    def fetch() -> bytes:
        data: bytes = urllib.request.build_opener(handler).open(url, timeout=60).read()
        return data

    assert (await asyncio.to_thread(fetch))[:2] == b"\xff\xd8"
    stage.fleet.faults.add("wrong_password", CAMERA)
    with pytest.raises((urllib.error.HTTPError, ValueError)):
        await asyncio.to_thread(fetch)


async def test_rtsp_can_hang_while_the_page_works(stage: Stage) -> None:
    camera = extra(stage, "camera")
    stage.fleet.faults.add("rtsp_hangs", CAMERA)
    with pytest.raises(TimeoutError):
        await said(camera["address"], OPTIONS, 0.7)
    assert (await curl("-o", "/dev/null", "-w", "%{http_code}", f"http://{camera['web_address']}/"))[1] == "200"


async def test_a_dead_camera_refuses_and_comes_back_on_the_same_port(stage: Stage) -> None:
    camera = extra(stage, "camera")
    stage.fleet.faults.add("device_dead", CAMERA)
    assert await refused(camera["address"])
    assert await refused(camera["web_address"])
    # The access point beside it lives.
    page = f"http://{extra(stage, 'access_point')['web_address']}/"
    assert (await curl("-o", "/dev/null", "-w", "%{http_code}", page))[1] == "200"
    stage.fleet.faults.clear()
    assert "200 OK" in await said_at_last(camera["address"], OPTIONS)


async def test_a_power_cut_of_the_village_takes_camera_and_access_point(stage: Stage) -> None:
    stage.fleet.faults.add("power_cut", CODE, 60)
    assert await refused(extra(stage, "camera")["address"])
    point = extra(stage, "access_point")
    assert await refused(point["web_address"])
    assert "Timeout" in (await asked(point, "snmpget", "1.3.6.1.2.1.1.5.0", seconds="1"))["error"]


async def test_a_slow_camera_takes_three_seconds(stage: Stage) -> None:
    stage.fleet.faults.add("slow_answers", CAMERA)
    began = time.monotonic()
    assert "200 OK" in await said(extra(stage, "camera")["address"], OPTIONS)
    assert time.monotonic() - began > 2.9


async def test_a_camera_trickles_or_floods(stage: Stage) -> None:
    camera = extra(stage, "camera")
    page = f"http://{camera['web_address']}/"
    stage.fleet.faults.add("trickle", CAMERA)
    with pytest.raises(TimeoutError):
        await said(camera["address"], OPTIONS, 2)
    for fault in ("huge_word", "endless_table"):
        stage.fleet.faults.clear()
        stage.fleet.faults.add(fault, CAMERA)
        # curl bears header lines of 100 kB.
        code, seen = await curl("-S", page)
        assert code != 0, seen


async def test_garbage_is_refused_and_garbage_is_sent(stage: Stage) -> None:
    camera = extra(stage, "camera")
    assert "400" in await said(camera["address"], b"\x00\x01nonsense\r\n\r\n")
    stage.fleet.faults.add("garbage_bytes", CAMERA)
    code, seen = await curl(f"http://{camera['web_address']}/")
    assert code != 0, seen


async def test_an_access_point_receives_what_the_routers_port_sends(stage: Stage) -> None:
    point = extra(stage, "access_point")
    names = await walked(point, "1.3.6.1.2.1.31.1.1.1.1")
    assert names == {"1": "eth0", "2": "ath0"}
    before = stage.truth()
    found = await asked(point, "snmpget", "1.3.6.1.2.1.31.1.1.1.6.1", "1.3.6.1.2.1.31.1.1.1.10.2")
    after = stage.truth()
    lan = next(n for n, port in enumerate(before.interfaces) if port.kind == "ether" and n > 0 and port.running)
    for value in found.values():
        assert re.fullmatch(r"\d+", value)
        assert before.interfaces[lan].tx_bytes <= int(value) <= after.interfaces[lan].tx_bytes
    assert int(found["1.3.6.1.2.1.31.1.1.1.6.1"]) > 1_000_000
