"""What leaves the box for whoever helps has no secret in it, wherever it stood, and fits."""

import asyncio
import base64
import json
import logging
import random
import sqlite3
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kampungnet.shared import wire
from kampungnet.shared.orders import MAX_PACKED_BUNDLE_BYTES, Bundle, Section
from kampungnet.shared.settings_file import SettingsError
from kampungnet.shared.wanted import MAX_USERS
from kampungnet_agent import bundle as bundles
from kampungnet_agent.box import Box
from kampungnet_agent.bundle import Sources, collect, packed
from kampungnet_agent.driver import DeviceUnreachable, Driver, Finding, Polled
from kampungnet_agent.last_seen import LastSeen
from kampungnet_agent.plain_log import Recent
from kampungnet_agent.scrub import Scrub
from kampungnet_agent.settings import AgentSettings, Device, ServerTable, SpoolTable
from kampungnet_agent.spool import SpoolError, SpoolState
from kampungnet_agent.tally import Tally

SECRET = "p4ss wörd=\"x'\\"
PERSON, MAC, GUEST = "k7mp3xqwf", "D6:00:00:00:00:01", "10.5.50.77"
SECRETS = st.text(min_size=4, max_size=40).filter(lambda one: len(one.strip("* \t\n\r")) > 3)


class Shouting:
    """A device that writes a secret into everything it says."""

    async def poll(self) -> Polled:
        raise DeviceUnreachable("no")

    async def check(self) -> list[Finding]:
        yes = Finding(good=True, sentence=f"Terbaca dengan sandi {SECRET}, tamu {PERSON} ({GUEST}), {MAC}.")
        return [yes, Finding(good=False, sentence=f"Hak test kurang: {SECRET!r} {json.dumps(SECRET)} {quote(SECRET)}")]

    async def close(self) -> None:
        pass


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    """The log as the running agent keeps it."""
    handler, root = Recent(), logging.getLogger()
    root.addHandler(handler)
    yield logging.getLogger("kampungnet_agent.test")
    root.removeHandler(handler)


async def _spool_state() -> SpoolState:
    return SpoolState(3, None, 0, 0, 0)


def _sources(seen: LastSeen, tmp_path: Path) -> Sources:
    options: dict[str, str | int | bool | list[str]] = {"tls": True, "backup_secret": SECRET, "lookup_name": SECRET}
    device = Device("router", "mikrotik", "192.168.88.1:8728", "kampungnet", SECRET, "ether1", options=options)
    return Sources(
        box=Box(),
        settings=AgentSettings(ServerTable("https://pusat.example", ""), SpoolTable(str(tmp_path / "s.db")), [device]),
        tally=Tally(), seen=seen, spool_state=_spool_state,
        driver_of=lambda _device: Shouting(), secrets=lambda: [SECRET, PERSON],
    )  # fmt: skip


async def _collected(seen: LastSeen, tmp_path: Path) -> tuple[Bundle, str]:
    return await _from(_sources(seen, tmp_path))


async def _from(sources: Sources) -> tuple[Bundle, str]:
    plain = zlib.decompress(await collect(sources))
    return msgspec.json.decode(plain, type=Bundle), plain.decode()


def _reading(**more: object) -> wire.Reading:
    usual = {"boot_id": "b", "sequence": 7, "device": "router", "taken_at_ms": 1, "boottime_ms": 1, "duration_ms": 5}
    return msgspec.convert({"outcome": "ok", **usual, **more}, wire.Reading)


async def test_no_secret_and_nobody_leaves_in_any_part_of_it(log: logging.Logger, tmp_path: Path) -> None:
    seen = LastSeen()
    seen.note(_reading(outcome="unreadable", detail=f"excerpt: {SECRET!r} user={PERSON} {MAC.lower()} {GUEST}"))
    lines = f"/ip address add address=192.168.88.1/24\n/user add name=x password={SECRET}\n"
    seen.settings["config"] = zlib.compress(lines.encode())
    log.error("login refused: %s", SECRET)
    try:
        raise ValueError(f"cannot use {base64.b64encode(SECRET.encode()).decode()} of {PERSON}")
    except ValueError:
        log.exception("router: defect with password=%s", "something else altogether")
    bundle, text = await _collected(seen, tmp_path)
    names = {section.name for section in bundle.sections}
    assert names == {"kotak", "setelan", "bacaan", "pemeriksaan", "catatan", "pengaturan config"}
    said = "\n".join(line for section in bundle.sections for line in section.lines)
    for hidden in (
        SECRET,
        PERSON,
        MAC,
        MAC.lower(),
        GUEST,
        "something else",
        base64.b64encode(SECRET.encode()).decode(),
    ):
        assert hidden not in said
        assert json.dumps(hidden)[1:-1] not in text
    assert "192.168.88.1:8728" in said, "where our own devices are stays"
    assert "router: GAGAL: Hak test kurang" in said
    assert "/ip address add address=192.168.88.1/24" in said
    assert "spool readings: 3" in said
    assert "router: hasil: unreadable" in said


@settings(max_examples=300)
@given(secret=SECRETS, before=st.text(max_size=20), after=st.text(max_size=20))
@example(secret="a.b*c", before="(", after=")")
@example(secret="abab", before="ab", after="ab")
def test_a_secret_is_found_wherever_it_stands_and_however_it_is_written(secret: str, before: str, after: str) -> None:
    scrub = Scrub([secret])
    raw = secret.encode("utf-8", "replace")
    for form in (secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], raw.hex(), base64.b64encode(raw).decode()):
        clean = scrub.line(f"{before}{form}{after}")
        assert form not in clean, (form, clean)
        assert form not in scrub.known(f"{before}{form}{after}")


def test_what_becomes_a_secret_because_something_beside_it_was_hidden_is_hidden_too() -> None:
    assert Scrub(["rahasia", "b***c"]).known("a brahasiac d") == "a *** d"


@given(mac=st.binary(min_size=6, max_size=6), sep=st.sampled_from([":", "-", "", "."]))
def test_the_address_of_a_device_is_hidden_however_it_is_written(mac: bytes, sep: str) -> None:
    written = mac.hex(sep) if sep else mac.hex()
    for form in (written, written.upper()):
        assert form not in Scrub([]).line(f"tamu {form} masuk")


@pytest.mark.parametrize(
    "line",
    ["2026-11-29 23:10:05,123 WARNING router: works again", "router: unreachable: no answer in time",
     "spool readings: 3", "polling router ok: 1440"],
)  # fmt: skip
def test_our_own_sentences_stay(line: str) -> None:
    assert Scrub(["rahasia"]).line(line) == line


def test_a_bundle_that_is_too_large_gives_up_the_older_half_of_its_longest_part() -> None:
    noise = [Box().boot_id * 5 + str(number * 7919 % 10_007) * 40 for number in range(4_000)]
    large = Bundle(1, "0.1", [Section("kotak", ["penting"]), Section("catatan", noise)])
    small = packed(large)
    assert len(small) <= MAX_PACKED_BUNDLE_BYTES
    found = msgspec.json.decode(zlib.decompress(small), type=Bundle)
    assert found.sections[0].lines == ["penting"]
    assert found.sections[1].lines[-1] == noise[-1]


class Silent(Shouting):
    """A device whose check never ends, or breaks."""

    def __init__(self, error: Exception | None = None) -> None:
        self.closed, self._error = 0, error

    async def check(self) -> list[Finding]:
        if self._error:
            raise self._error
        await asyncio.Event().wait()
        return []

    async def close(self) -> None:
        self.closed += 1


def _many(sources: Sources, number: int) -> Sources:
    devices = [msgspec.structs.replace(sources.settings.devices[0], name=f"p{at}") for at in range(number)]
    return replace(sources, settings=msgspec.structs.replace(sources.settings, devices=devices))


def _lines(bundle: Bundle, name: str) -> list[str]:
    return next(one.lines for one in bundle.sections if one.name == name)


async def test_however_many_devices_are_silent_the_checks_end_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "CHECKS_SECONDS", 0.3)
    built: list[Silent] = []

    def another(_device: Device) -> Driver:
        built.append(Silent())
        return built[-1]

    bundle, _ = await _from(replace(_many(_sources(LastSeen(), tmp_path), 40), driver_of=another))
    assert _lines(bundle, "pemeriksaan") == [f"p{at}: tidak sempat diperiksa" for at in range(40)]
    assert "spool readings: 3" in _lines(bundle, "kotak")
    assert built
    assert [one.closed for one in built] == [1] * len(built)


async def test_silent_devices_do_not_keep_the_others_from_being_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "CHECK_SECONDS", 0.05)
    sources = _many(_sources(LastSeen(), tmp_path), 10)
    sources = replace(sources, driver_of=lambda one: Shouting() if one.name == "p9" else Silent())
    bundle, _ = await _from(sources)
    found = _lines(bundle, "pemeriksaan")
    assert found[:9] == [f"p{at}: GAGAL: tidak selesai menjawab" for at in range(9)]
    assert found[9].startswith("p9: ok: Terbaca")


async def test_some_devices_are_checked_at_once_and_not_all(tmp_path: Path) -> None:
    running: list[int] = []
    enough = asyncio.Event()

    class Waiting(Shouting):
        async def check(self) -> list[Finding]:
            running.append(running[-1] + 1 if running else 1)
            if running[-1] == bundles.AT_ONCE:
                enough.set()
            await enough.wait()
            await asyncio.sleep(0)
            running.append(running[-1] - 1)
            return []

    await _from(replace(_many(_sources(LastSeen(), tmp_path), 12), driver_of=lambda _device: Waiting()))
    assert max(running) == bundles.AT_ONCE
    assert bundles.AT_ONCE > 1


@pytest.mark.parametrize(
    "error", [DeviceUnreachable("no"), SettingsError("file missing"), ZeroDivisionError("defect")], ids=repr
)
async def test_a_check_that_breaks_is_one_line_and_its_driver_is_closed(error: Exception, tmp_path: Path) -> None:
    broken = Silent(error)
    sources = _many(_sources(LastSeen(), tmp_path), 2)
    bundle, _ = await _from(replace(sources, driver_of=lambda one: broken if one.name == "p0" else Shouting()))
    first, second, *_ = _lines(bundle, "pemeriksaan")
    assert first.startswith("p0: GAGAL: ")
    assert str(error) in first
    assert second.startswith("p1: ok: ")
    assert broken.closed == 1


async def test_what_a_check_said_counts_though_its_driver_does_not_close(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "CLOSE_SECONDS", 0.05)

    class Clinging(Shouting):
        async def close(self) -> None:
            await asyncio.Event().wait()

    bundle, _ = await _from(replace(_sources(LastSeen(), tmp_path), driver_of=lambda _device: Clinging()))
    assert _lines(bundle, "pemeriksaan")[0].startswith("router: ok: Terbaca")


async def test_a_driver_that_cannot_be_built_is_one_line(tmp_path: Path) -> None:
    def missing(_device: Device) -> Driver:
        raise SettingsError("agent.toml has no such file")

    bundle, _ = await _from(replace(_sources(LastSeen(), tmp_path), driver_of=missing))
    assert _lines(bundle, "pemeriksaan") == ["router: GAGAL: agent.toml has no such file"]


async def test_a_spool_that_does_not_answer_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "SPOOL_SECONDS", 0.05)

    async def full() -> SpoolState:
        raise SpoolError("disk full")

    async def stuck() -> SpoolState:
        await asyncio.Event().wait()
        raise AssertionError

    for state, line in ((full, "spool: GAGAL: disk full"), (stuck, "spool: GAGAL: tidak selesai menjawab")):
        bundle, _ = await _from(replace(_sources(LastSeen(), tmp_path), spool_state=state))
        assert _lines(bundle, "kotak")[-1] == line


@pytest.mark.parametrize(
    "error",
    [sqlite3.OperationalError("disk I/O error"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no text"), OSError("I/O")],
    ids=lambda error: type(error).__name__,
)
async def test_when_nobody_knows_what_to_hide_only_the_boxs_own_numbers_leave(tmp_path: Path, error: Exception) -> None:
    def broken() -> Iterator[str]:
        yield SECRET
        raise error

    seen = LastSeen()
    seen.note(_reading(detail="guest budi"))
    bundle, text = await _from(replace(_sources(seen, tmp_path), secrets=broken))
    assert [one.name for one in bundle.sections] == ["kotak", "setelan"]
    assert f"tidak terbaca ({type(error).__name__})" in _lines(bundle, "kotak")[-1]
    assert "router: lookup_name ***" in _lines(bundle, "setelan"), "what is known to be secret by then is hidden"
    assert "budi" not in text


async def test_a_village_of_many_devices_fits_into_a_bundle(tmp_path: Path) -> None:
    seen = LastSeen()
    for at in range(60):
        seen.note(_reading(device=f"p{at}"))
        seen.settings[f"config{at:02}"] = zlib.compress(b"/ip address")
    bundle, _ = await _from(_sources(seen, tmp_path))  # decoding refuses more sections than the server takes
    assert {f"p{at}: menyala: None s" for at in range(60)} <= set(_lines(bundle, "bacaan"))
    assert _lines(bundle, "pengaturan config00") == ["/ip address"]


async def test_settings_of_a_router_are_looked_through_and_what_our_settings_name_stays(
    log: logging.Logger, tmp_path: Path
) -> None:
    seen, sources = LastSeen(), _sources(LastSeen(), tmp_path)
    seen.settings["config"] = zlib.compress(b"/ip arp add address=10.5.50.7 mac-address=D6:00:00:00:00:09")
    device = msgspec.structs.replace(
        sources.settings.devices[0], address="[2001:db8::7]:8728", options={"second_ping_address": "203.0.113.9"}
    )
    ours = msgspec.structs.replace(sources.settings, devices=[device])
    log.warning("2001:db8::7 and 203.0.113.9 are ours, 2001:db8::8 and 203.0.113.8 are not")
    bundle, _ = await _from(replace(sources, seen=seen, settings=ours))
    assert _lines(bundle, "pengaturan config") == ["/ip arp add address=10.5.50.7 mac-address=**:**"]
    assert _lines(bundle, "catatan")[-1].endswith("2001:db8::7 and 203.0.113.9 are ours, [alamat] and [alamat] are not")


async def test_hiding_and_packing_is_not_done_where_the_devices_are_polled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []

    def watched(job: Callable[..., object]) -> Callable[..., object]:
        def noting(*args: object) -> object:
            threads.append(threading.current_thread())
            return job(*args)

        return noting

    for name in ("Scrub", "packed"):
        monkeypatch.setattr(bundles, name, watched(getattr(bundles, name)))
    await _from(_sources(LastSeen(), tmp_path))
    assert len(threads) == 2
    assert threading.main_thread() not in threads


def _codes(number: int) -> list[str]:
    dice = random.Random(1)
    return ["".join(dice.choices("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=8)) for _ in range(2 * number)]


def test_hiding_costs_the_same_for_all_the_users_a_village_may_have_as_for_a_few() -> None:
    few, all_of_them = _codes(MAX_USERS // 100), _codes(MAX_USERS)
    line = "/ip firewall filter add action=accept chain=input comment=defconf connection-state=established " * 4

    def seconds(scrub: Scrub) -> float:
        began = time.process_time()
        for _ in range(20):
            scrub.known(line)
        return time.process_time() - began

    small, large = Scrub(few), Scrub(all_of_them)
    assert large.known(f"guest {all_of_them[-1]} came") == "guest *** came"
    assert min(seconds(large) for _ in range(5)) < 20 * min(seconds(small) for _ in range(5))


def test_knowing_all_the_users_a_village_may_have_leaves_the_box_its_memory() -> None:
    codes = _codes(MAX_USERS)
    tracemalloc.start()
    try:
        scrub = Scrub(codes)
        assert scrub.known(codes[0]) == "***"
        assert tracemalloc.get_traced_memory()[1] < 32_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("before", ["", "İ", "İİİ ", "ẞ", "ﬃ"])
@pytest.mark.parametrize("secret", ["Σίγμας", "İzmir", "STRAẞE", "k7mp3xqwf"])
def test_letters_whose_small_form_is_longer_or_depends_on_its_place_hide_nothing_else(before: str, secret: str) -> None:
    scrub = Scrub([secret])
    for form in (secret, secret.swapcase() if secret.isascii() else secret):
        assert scrub.known(f"{before}{form}Σ after") == f"{before}***Σ after"
