"""Signatures, installed packages, worker thread, box: small parts the rest stands on."""

import asyncio
import resource
import threading
import time
from importlib import metadata
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from kampungnet.shared import wire
from kampungnet_agent.box import Box
from kampungnet_agent.driver_loading import GROUP, driver_names, load_driver
from kampungnet_agent.installed import entry_points, version_of
from kampungnet_agent.line import Answer
from kampungnet_agent.reading import clean_detail, encode_checked
from kampungnet_agent.safe_file import replace_file
from kampungnet_agent.signing import openssl_signer, package_signer, signer_for
from kampungnet_agent.verdict import NoReceipt, judge
from kampungnet_agent.worker import QUICK_SECONDS, Worker


@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=3000))
def test_both_ways_to_sign_give_the_signature_the_server_accepts(seed: bytes, message: bytes) -> None:
    signature = openssl_signer(seed)(message)
    assert signature == package_signer(seed)(message) == signer_for(seed)(message)
    Ed25519PrivateKey.from_private_bytes(seed).public_key().verify(signature, message)


def test_entry_points_and_versions_are_the_ones_importlib_metadata_tells() -> None:
    assert entry_points(GROUP) == {point.name: point.value for point in metadata.entry_points(group=GROUP)}
    assert entry_points("console_scripts").keys() == set(metadata.entry_points(group="console_scripts").names)
    assert version_of("kampungnet") == metadata.version("kampungnet")
    assert version_of("nobody-has-this") == ""


def test_the_built_in_drivers_are_found_by_name_and_unknown_ones_are_not() -> None:
    assert {"mikrotik", "ont-snmp"} <= set(driver_names())
    assert callable(load_driver("mikrotik"))
    with pytest.raises(KeyError):
        load_driver("nobody-has-this")


async def test_a_worker_returns_results_raises_errors_and_runs_in_its_own_thread() -> None:
    worker = Worker("test")
    assert await worker.do(threading.get_ident) != threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        await worker.do(lambda: 1 // 0)
    assert await worker.do(int, "7") == 7
    worker.stop()


async def test_quick_jobs_are_done_here_and_slow_ones_in_the_thread_until_they_are_quick_again() -> None:
    worker, here = Worker("test"), threading.get_ident()
    assert await worker.do_quickly(threading.get_ident) == here
    with pytest.raises(ZeroDivisionError):
        await worker.do_quickly(lambda: 1 // 0)
    for _ in range(5):
        await worker.do_quickly(time.sleep, 4 * QUICK_SECONDS)
    assert await worker.do_quickly(threading.get_ident) != here
    async with asyncio.timeout(60):
        while await worker.do_quickly(threading.get_ident) != here:
            pass
    worker.stop()


async def test_a_quick_job_waits_in_the_thread_while_another_is_at_work_there() -> None:
    worker, free = Worker("test"), threading.Event()
    working = asyncio.create_task(worker.do(free.wait))
    await asyncio.sleep(0.05)
    waiting = asyncio.create_task(worker.do_quickly(threading.get_ident))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    free.set()
    assert await working
    assert await waiting != threading.get_ident()
    worker.stop()


def test_the_box_tells_its_boot_and_its_clocks() -> None:
    box = Box()
    assert len(box.boot_id) == 36
    first = box.boottime_ms()
    assert 0 < first <= box.boottime_ms()
    assert box.clock_synchronised() in {True, False}
    assert (box.free_disk_bytes(Path("/")) or 0) > 0
    assert box.free_disk_bytes(Path("/nowhere")) is None


def test_a_box_whose_clock_stands_in_1970_is_never_synchronised() -> None:
    class Old(Box):
        def wall_ms(self) -> int:
            return 5_000

    assert not Old().clock_synchronised()


def test_a_small_file_is_replaced_whole_with_the_wanted_mode(tmp_path: Path) -> None:
    path = tmp_path / "credential"
    path.write_text("old")
    replace_file(path, b"new", mode=0o600)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["credential"]


def test_a_disk_that_fills_up_in_the_middle_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "credential"
    path.write_text("old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            replace_file(path, b"x" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_text() == "old"


@given(text=st.text(max_size=2000), secret=st.text(max_size=20))
def test_any_detail_fits_the_wire_and_hides_the_secret(text: str, secret: str) -> None:
    detail = clean_detail(text + secret, secret)
    assert len(detail) <= 500
    detail.encode()
    if len(secret) > 3 and secret not in "***":
        assert secret not in detail or secret in "*" * 600


@given(identity=st.text(max_size=300), uptime=st.integers(), load=st.integers(), degrees=st.floats())
def test_whatever_a_driver_hands_over_the_payload_always_fits_the_wire(
    identity: str, uptime: int, load: int, degrees: float
) -> None:
    sensors = [wire.Sensor("temperature", degrees)]
    reading = wire.Reading(
        boot_id="b",
        sequence=1,
        device="router",
        taken_at_ms=1,
        boottime_ms=1,
        outcome=wire.Outcome.OK,
        duration_ms=1,
        device_uptime_seconds=uptime,
        body=wire.RouterBody(identity=identity, cpu_load_percent=load, sensors=sensors),
    )
    payload = encode_checked(reading)
    kept = msgspec.json.decode(payload, type=wire.Reading)
    assert kept.outcome in {wire.Outcome.OK, wire.Outcome.UNREADABLE}
    assert (kept.body is None) == (kept.outcome is wire.Outcome.UNREADABLE)


@given(status=st.integers(100, 599), kind=st.sampled_from(["application/json", "text/html", ""]), body=st.binary())
def test_no_answer_of_anyone_crashes_the_agent(status: int, kind: str, body: bytes) -> None:
    verdict = judge(Answer(status, {"content-type": kind}, body))
    assert isinstance(verdict, NoReceipt | wire.Receipt)
    if isinstance(verdict, wire.Receipt):
        assert 200 <= status < 300
        assert kind == "application/json"
