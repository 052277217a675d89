"""A bundle for whoever helps: what this box knows about itself and its devices, scrubbed, and small."""

import asyncio
import contextlib
import zlib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from kampungnet.shared.config_body import MAX_TEXT_BYTES
from kampungnet.shared.orders import MAX_BUNDLE_BYTES, MAX_PACKED_BUNDLE_BYTES, MAX_SECTIONS, Bundle, Section
from kampungnet.shared.settings_file import SettingsError
from kampungnet_agent.box import Box
from kampungnet_agent.driver import DeviceError, Driver, Finding
from kampungnet_agent.last_seen import LastSeen
from kampungnet_agent.named_rows import HIDDEN
from kampungnet_agent.plain_log import recent_lines
from kampungnet_agent.scrub import Scrub
from kampungnet_agent.settings import AgentSettings, Device
from kampungnet_agent.spool import SpoolError, SpoolState
from kampungnet_agent.spool_file import ERRORS
from kampungnet_agent.tally import Tally
from kampungnet_agent.version import VERSION
from kampungnet_agent.worker import Worker

CHECK_SECONDS: Final = 20.0
"""For one device."""
CHECKS_SECONDS: Final = 60.0
"""For all of them together: whoever waits gets the rest of the bundle, however many are silent."""
AT_ONCE: Final = 4
SPOOL_SECONDS: Final = 5.0
CLOSE_SECONDS: Final = 2.0
MOST_LINES: Final = 2_000
"""Of one section."""
_SECRET_KEYS: Final = ("password", "secret", "community", "key", "token")


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a bundle comes from."""

    box: Box
    settings: AgentSettings
    tally: Tally
    seen: LastSeen
    spool_state: Callable[[], Awaitable[SpoolState]]
    driver_of: Callable[[Device], Driver]
    """Builds another driver for a device, so that checking does not disturb the one that measures."""
    secrets: Callable[[], Iterable[str]]
    """What must never stand in it: keys, passwords, names and devices of people."""
    office: str = ""
    """Whose lines of the log it has, where several offices share a process; see :mod:`.plain_log`."""


@dataclass(frozen=True, slots=True)
class _Raw:
    """What was collected, before anything is hidden: nothing else changes it any more."""

    secrets: list[str]
    sections: list[tuple[str, list[str]]]
    """Every line of these is foreign, or quotes something foreign."""
    router_settings: dict[str, bytes]


async def collect(sources: Sources) -> bytes:
    """Return a packed bundle. What is broken becomes a line of it; the rest is collected all the same."""
    checks = await _checks(sources)
    sections = [
        ("kotak", [*_about_the_box(sources), *await _spool(sources)]),
        ("bacaan", list(_readings(sources))),
        ("pemeriksaan", checks),
        ("catatan", recent_lines(sources.office)),
    ]
    raw = _Raw([], sections, dict(sources.seen.settings))
    try:
        for secret in sources.secrets():
            raw.secrets.append(secret)
    except (*ERRORS, OSError) as error:
        # Nobody knows all that has to be hidden: only the box's own numbers and settings go.
        why = f"sisanya tidak disertakan: yang harus dirahasiakan tidak terbaca ({type(error).__name__})"
        raw = _Raw(raw.secrets, [("kotak", [*sections[0][1], why])], {})
    # Hiding thousands of codes takes a small box seconds, in which it measures on.
    worker = Worker("bundle")
    try:
        return await worker.do(_finished, raw, sources.settings, sources.office, sources.box.wall_ms())
    finally:
        worker.stop()


def _finished(raw: _Raw, settings: AgentSettings, office: str, made_ms: int) -> bytes:
    scrub = Scrub(raw.secrets, _ours(settings, office))
    about, *others = raw.sections
    sections = [about, ("setelan", list(_settings(settings, scrub))), *others]
    scrubbed = [Section(name, [scrub.line(line) for line in lines[-MOST_LINES:]]) for name, lines in sections]
    room = MAX_SECTIONS - len(scrubbed)
    # These were made to leave the village: their quotes and addresses are the router's own, and say what is wrong.
    scrubbed += [
        Section(f"pengaturan {name}", [scrub.setting(line) for line in _unpacked(small)[:MOST_LINES]])
        for name, small in sorted(raw.router_settings.items())[:room]
    ]
    return packed(Bundle(made_ms, VERSION, scrubbed))


def secrets_of(device: Device) -> Iterator[str]:
    """Yield what the settings of a device keep secret: from its files, and what a driver of others calls so."""
    yield device.secret
    for key, value in device.options.items():
        if _is_secret(key):
            yield from value if isinstance(value, list) else [str(value)]


def _is_secret(key: str) -> bool:
    return any(word in key for word in _SECRET_KEYS)


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
    box, tally = sources.box, sources.tally
    yield f"versi: {VERSION}"
    yield f"papan: {box.board}"
    yield f"menyala: {box.boottime_ms() // 1000} s"
    yield f"jam disetel otomatis: {box.clock_synchronised()}"
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
            yield f"{one.name}: {key} {HIDDEN if _is_secret(key) or 'file' in key else value}"


def _readings(sources: Sources) -> Iterator[str]:
    now_ms = sources.box.boottime_ms()
    for name, one in sorted(sources.seen.readings.items()):
        age = (now_ms - one.boottime_ms) // 1000
        yield f"{name}: hasil: {one.outcome.value}, {age} s lalu, {one.duration_ms} ms, nomor {one.sequence}"
        yield f"{name}: menyala: {one.device_uptime_seconds} s"
        if one.detail:
            yield f"{name}: alasan: {one.detail}"
        yield from (f"{name}: tidak terbaca: {entry}" for entry in sources.seen.missing.get(name, []))


async def _spool(sources: Sources) -> list[str]:
    try:
        async with asyncio.timeout(SPOOL_SECONDS):
            state = await sources.spool_state()
    except (SpoolError, TimeoutError) as error:
        return [f"spool: GAGAL: {str(error) or 'tidak selesai menjawab'}"]
    return [f"spool {name}: {getattr(state, name)}" for name in ("readings", "dropped", "refused", "corrupt")]


async def _checks(sources: Sources) -> list[str]:
    """Return what the checks of all devices found, in the devices' order; some at a time, all within one deadline."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def when_its_turn_comes(device: Device) -> list[Finding]:
        async with turn:
            return await _check(sources.driver_of(device))

    tasks = {one.name: asyncio.create_task(when_its_turn_comes(one)) for one in sources.settings.devices}
    try:
        if tasks:
            await asyncio.wait(tasks.values(), timeout=CHECKS_SECONDS)
        return [f"{name}: {line}" for name, task in tasks.items() for line in _said(task)]
    finally:
        for task in tasks.values():
            task.cancel()
        if tasks:
            await asyncio.wait(tasks.values(), timeout=CLOSE_SECONDS)


async def _check(driver: Driver) -> list[Finding]:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return list(await driver.check())
    finally:
        with contextlib.suppress(TimeoutError):  # what it said counts all the same
            async with asyncio.timeout(CLOSE_SECONDS):
                await driver.close()


def _said(check: "asyncio.Task[list[Finding]]") -> list[str]:
    """Return what one check said; a defect of its driver is just what whoever helps has to read."""
    if not check.done() or check.cancelled():
        return ["tidak sempat diperiksa"]
    error = check.exception()
    if error is None:
        return [f"{'ok' if one.good else 'GAGAL'}: {one.sentence}" for one in check.result()]
    if isinstance(error, DeviceError | SettingsError | TimeoutError):
        return [f"GAGAL: {str(error) or 'tidak selesai menjawab'}"]
    return [f"GAGAL: {type(error).__name__}: {error}"]


def _unpacked(small: bytes) -> list[str]:
    """Return a router's settings, as its driver packed them."""
    return zlib.decompressobj().decompress(small, MAX_TEXT_BYTES).decode("utf-8", "replace").splitlines()


def _ours(settings: AgentSettings, office: str) -> set[str]:
    """Return the names of our devices as they are logged, their addresses, with and without ports, and those pinged."""
    known: set[str] = set()
    for one in settings.devices:
        host = one.address.rpartition(":")[0] if one.address.count(":") == 1 or "]" in one.address else one.address
        known |= {one.address, host, host.strip("[]"), one.ping_address, str(one.options.get("second_ping_address"))}
        known.add(f"{office}{one.name}")
    return known
