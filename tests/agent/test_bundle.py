"""What leaves the box for whoever helps has no secret in it, wherever it stood, and fits."""

import base64
import json
import logging
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kampungnet.shared import wire
from kampungnet.shared.orders import MAX_PACKED_BUNDLE_BYTES, Bundle, Section
from kampungnet_agent.box import Box
from kampungnet_agent.bundle import Sources, collect, packed
from kampungnet_agent.driver import DeviceUnreachable, Finding, Polled
from kampungnet_agent.last_seen import LastSeen
from kampungnet_agent.plain_log import Recent
from kampungnet_agent.scrub import Scrub
from kampungnet_agent.settings import AgentSettings, Device, ServerTable, SpoolTable
from kampungnet_agent.spool import SpoolState
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


def _sources(seen: LastSeen, tmp_path: Path) -> Sources:
    options: dict[str, str | int | bool | list[str]] = {"tls": True, "backup_secret": SECRET, "lookup_name": SECRET}
    device = Device("router", "mikrotik", "192.168.88.1:8728", "kampungnet", SECRET, "ether1", options=options)
    return Sources(
        box=Box(),
        settings=AgentSettings(ServerTable("https://pusat.example", ""), SpoolTable(str(tmp_path / "s.db")), [device]),
        tally=Tally(), seen=seen, spool_state=lambda: SpoolState(3, None, 0, 0, 0),
        driver_of=lambda _device: Shouting(), secrets=lambda: [SECRET, PERSON],
    )  # fmt: skip


async def _collected(seen: LastSeen, tmp_path: Path) -> tuple[Bundle, str]:
    plain = zlib.decompress(await collect(_sources(seen, tmp_path)))
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
    assert names == {"kotak", "setelan", "bacaan router", "pemeriksaan", "catatan", "pengaturan config"}
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
