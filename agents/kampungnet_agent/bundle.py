"""A bundle for whoever helps: what this box knows about itself and its devices, scrubbed, and small."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from kampungnet.shared.config_body import MAX_TEXT_BYTES
from kampungnet.shared.orders import MAX_BUNDLE_BYTES, MAX_PACKED_BUNDLE_BYTES, Bundle, Section
from kampungnet_agent.box import Box
from kampungnet_agent.driver import DeviceError, Driver
from kampungnet_agent.last_seen import LastSeen
from kampungnet_agent.plain_log import recent_lines
from kampungnet_agent.scrub import HIDDEN, Scrub
from kampungnet_agent.settings import AgentSettings, Device
from kampungnet_agent.spool import SpoolState
from kampungnet_agent.tally import Tally
from kampungnet_agent.version import VERSION

CHECK_SECONDS: Final = 20.0
MOST_LINES: Final = 2_000
"""Of one section."""
_SECRET_KEYS: Final = ("password", "secret", "community", "key", "token", "file")


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a bundle comes from."""

    box: Box
    settings: AgentSettings
    tally: Tally
    seen: LastSeen
    spool_state: Callable[[], SpoolState]
    driver_of: Callable[[Device], Driver]
    """Builds another driver for a device, so that checking does not disturb the one that measures."""
    secrets: Callable[[], Iterable[str]]
    """What must never stand in it: keys, passwords, names and devices of people."""


async def collect(sources: Sources) -> bytes:
    """Return a packed bundle."""
    scrub = Scrub(sources.secrets(), _addresses(sources.settings))
    sections = [
        ("kotak", list(_about_the_box(sources))),
        ("setelan", list(_settings(sources.settings, scrub))),
        *[(f"bacaan {name}", lines) for name, lines in _readings(sources)],
        ("pemeriksaan", [line async for line in _checks(sources)]),
        ("catatan", recent_lines()),
    ]
    scrubbed = [Section(name, [scrub.line(line) for line in lines[-MOST_LINES:]]) for name, lines in sections]
    # These were made to leave the village: their quotes and addresses are the router's own, and say what is wrong.
    scrubbed += [
        Section(f"pengaturan {name}", [scrub.known(line)[:2_000] for line in lines[:MOST_LINES]])
        for name, lines in _router_settings(sources.seen)
    ]
    return packed(Bundle(sources.box.wall_ms(), VERSION, scrubbed))


def packed(bundle: Bundle) -> bytes:
    """Return a bundle small enough to travel: the longest section gives up its older half until it is."""
    while True:
        plain = msgspec.json.encode(bundle)
        small = zlib.compress(plain, 9)
        if len(small) <= MAX_PACKED_BUNDLE_BYTES and len(plain) < MAX_BUNDLE_BYTES:
            return small
        longest = max(bundle.sections, key=lambda one: sum(map(len, one.lines)))
        shorter = Section(longest.name, ["…", *longest.lines[len(longest.lines) // 2 + 1 :]])
        sections = [shorter if one is longest else one for one in bundle.sections]
        bundle = msgspec.structs.replace(bundle, sections=sections)


def _about_the_box(sources: Sources) -> Iterator[str]:
    box, tally, state = sources.box, sources.tally, sources.spool_state()
    yield f"versi: {VERSION}"
    yield f"papan: {box.board}"
    yield f"menyala: {box.boottime_ms() // 1000} s"
    yield f"jam disetel otomatis: {box.clock_synchronised()}"
    yield from (f"spool {name}: {getattr(state, name)}" for name in ("readings", "dropped", "refused", "corrupt"))
    yield f"terkirim: {tally.sent_readings}, gagal mengirim: {tally.send_failures}, hilang: {tally.lost_readings}"
    yield f"ditolak server: {tally.credential_refused}"
    yield from (f"polling {device} {outcome}: {count}" for (device, outcome), count in sorted(tally.polls.items()))


def _settings(settings: AgentSettings, scrub: Scrub) -> Iterator[str]:
    server = settings.server
    yield f"server: {scrub.known(server.url)}, laporan tiap {server.report_interval_seconds} s"
    yield f"kunci diganti tiap {server.key_days} hari"
    yield f"spool: {settings.spool.max_megabytes} MB, {settings.spool.max_days} hari"
    for one in settings.devices:
        yield f"{one.name}: {one.driver} {one.address}"
        yield f"{one.name}: tiap {one.interval_seconds:g} s, batas {one.timeout_seconds:g} s"
        yield f"{one.name}: wan {one.wan_interface}, ping {one.ping_address}"
        for key, value in one.options.items():
            is_secret = any(word in key for word in _SECRET_KEYS)
            yield f"{one.name}: {key} {HIDDEN if is_secret else value}"


def _readings(sources: Sources) -> Iterator[tuple[str, list[str]]]:
    now_ms = sources.box.boottime_ms()
    for name, one in sorted(sources.seen.readings.items()):
        age = (now_ms - one.boottime_ms) // 1000
        lines = [
            f"hasil: {one.outcome.value}, {age} s lalu, {one.duration_ms} ms, nomor {one.sequence}",
            f"menyala: {one.device_uptime_seconds} s",
        ]
        lines += [f"alasan: {one.detail}"] if one.detail else []
        yield name, lines + [f"tidak terbaca: {entry}" for entry in sources.seen.missing.get(name, [])]


async def _checks(sources: Sources) -> AsyncIterator[str]:
    for device in sources.settings.devices:
        driver = sources.driver_of(device)
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                for finding in await driver.check():
                    yield f"{device.name}: {'ok' if finding.good else 'GAGAL'}: {finding.sentence}"
        except (DeviceError, TimeoutError) as error:
            yield f"{device.name}: GAGAL: {error or 'tidak selesai menjawab'}"


def _router_settings(seen: LastSeen) -> Iterator[tuple[str, list[str]]]:
    for name, small in sorted(seen.settings.items()):
        yield name, zlib.decompressobj().decompress(small, MAX_TEXT_BYTES).decode("utf-8", "replace").splitlines()


def _addresses(settings: AgentSettings) -> set[str]:
    """Return the addresses of devices of ours, without their ports."""
    known = {one.address.rpartition(":")[0] or one.address for one in settings.devices}
    return known | {one.address for one in settings.devices} | {one.ping_address for one in settings.devices}
