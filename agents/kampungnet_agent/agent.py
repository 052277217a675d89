"""The running agent: one place that wires spool, pollers, uplink and metrics, and ends them in order."""

import asyncio
import logging
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from kampungnet.shared import service_manager, wire
from kampungnet.shared.settings_file import SettingsError
from kampungnet_agent.acts import Hides
from kampungnet_agent.box import Box
from kampungnet_agent.bundle import Sources, collect, secrets_of
from kampungnet_agent.commands import REQUEST_SECONDS, Commands, Follows
from kampungnet_agent.credential import Credential, seed_of
from kampungnet_agent.driver import Driver
from kampungnet_agent.driver_loading import load_driver
from kampungnet_agent.hands import Hands, Means
from kampungnet_agent.key_change import Identity, KeyKeeper
from kampungnet_agent.last_seen import LastSeen
from kampungnet_agent.line import line_to
from kampungnet_agent.order_book import OrderBook
from kampungnet_agent.plain_log import lines_of
from kampungnet_agent.poller import Poller
from kampungnet_agent.report import Sender
from kampungnet_agent.settings import AgentSettings, Device
from kampungnet_agent.spool import Spool, SpoolState
from kampungnet_agent.tally import Tally
from kampungnet_agent.uplink import Parts, Uplink
from kampungnet_agent.worker import Worker

log = logging.getLogger(__name__)

END_SECONDS = 4.0
"""Time for all loops to end after a signal; the service manager is promised five."""
MOST_LINE_WORKERS = 8
"""Threads for requests when many agents share a process, as in the demo; a box has one."""


class Watched(NamedTuple):
    """A device and the driver that polls it."""

    device: Device
    driver: Driver


class Office(NamedTuple):
    """Everything one agent works with."""

    parts: Parts
    watched: Sequence[Watched]
    settings: AgentSettings


def build_drivers(devices: Sequence[Device]) -> list[Watched]:
    """Load and build the driver of every device; raises ``SettingsError``."""
    return [Watched(device, build_driver(device)) for device in devices]


def build_driver(device: Device) -> Driver:
    """Load and build one driver; what it says about its settings becomes a ``SettingsError``."""
    try:
        return load_driver(device.driver)(device)
    except ImportError as error:
        raise SettingsError(
            f"device {device.name}: driver {device.driver} needs a package: {error}; install it."
        ) from error
    except (ValueError, OSError) as error:
        raise SettingsError(f"device {device.name}: {error}; correct it in agent.toml.") from error


async def run_agents(many: Sequence[AgentSettings], box: Box) -> None:
    """Run one agent for each settings, usually one, until SIGTERM or SIGINT.

    Raises ``SettingsError`` or ``SpoolError`` when one of them cannot start.
    """
    spool_worker = Worker("spool")
    line_workers = [Worker(f"line-{number}") for number in range(min(len(many), MOST_LINE_WORKERS))]
    offices: list[Office] = []
    try:
        for number, settings in enumerate(many):
            workers = (spool_worker, line_workers[number % len(line_workers)])
            offices.append(await _open_office(settings, box, workers, named=len(many) > 1))
        await run_offices(offices)
    finally:
        for office in offices:
            await _close_spool(office.parts)
        for worker in (spool_worker, *line_workers):
            worker.stop()


async def run_offices(offices: Sequence[Office]) -> None:
    """Run all loops until a signal comes or one of them breaks, then end them."""
    stop = asyncio.Event()
    _on_signals(stop.set)
    loops: list[asyncio.Task[None]] = []
    for office in offices:
        with lines_of(office.parts.label):
            loops += _start(office)
    ends = [_serve_metrics(office) for office in offices]
    stopping = asyncio.create_task(stop.wait(), name="signal")
    service_manager.tell(service_manager.READY)
    done: set[asyncio.Task[None] | asyncio.Task[bool]] = set()
    try:
        while not done:
            done, _ = await asyncio.wait(
                [stopping, *loops], timeout=service_manager.beat_seconds(), return_when=asyncio.FIRST_COMPLETED
            )
            service_manager.tell(service_manager.STOPPING if done else service_manager.ALIVE)
    finally:
        for end in ends:
            end()
        await _end([stopping, *loops])
    for task in done - {stopping}:
        task.result()  # a loop that ended by itself is a defect: its error goes up


def open_spool(settings: AgentSettings, box: Box) -> Spool:
    """Open the spool that the settings name."""
    return Spool(Path(settings.spool.path), settings.spool.max_megabytes, box, settings.spool.max_days)


async def _open_office(settings: AgentSettings, box: Box, workers: tuple[Worker, Worker], *, named: bool) -> Office:
    identity = Identity(Path(settings.server.credential_file))
    agent = identity.credential.agent
    label = f"{agent}/" if named else ""
    with lines_of(label):
        watched = build_drivers(settings.devices)
        spool = await workers[0].do(open_spool, settings, box)
    parts = Parts(
        spool=spool,
        spool_worker=workers[0],
        line=line_to(settings.server),
        line_worker=workers[1],
        sender=Sender(agent, identity.sign, box),
        tally=Tally(),
        label=label,
        keeper=KeyKeeper(identity, settings.server.key_days),
    )
    return Office(parts, watched, settings)


def _start(office: Office) -> list[asyncio.Task[None]]:
    parts, watched, settings = office

    hands = _hands(office)
    parts = replace(parts, orders_wait=hands.orders_wait)

    async def keep(reading: wire.Reading) -> int:
        hands.saw(reading)
        return await parts.spool_worker.do_quickly(parts.spool.add, reading)

    uplink = Uplink(parts, float(settings.server.report_interval_seconds))
    tasks = [
        asyncio.create_task(uplink.send_for_ever(), name=f"{parts.label}uplink"),
        asyncio.create_task(hands.work_for_ever(), name=f"{parts.label}hands"),
    ]
    for device, driver in watched:
        label = parts.label + device.name
        poller = Poller(device, driver, parts.sender.box, parts.tally, label)
        tasks.append(asyncio.create_task(poller.poll_for_ever(keep), name=label))
        if isinstance(driver, Follows):
            tasks.append(asyncio.create_task(_follow(office, driver, label), name=f"{label}: wanted"))
    log.info("agent %s polls %d devices", parts.sender.agent, len(watched))
    return tasks


def _hands(office: Office) -> Hands:
    """Return who carries out orders of the office; it uses the thread of the reports, on a connection of its own."""
    parts, watched, settings = office
    server, spool = settings.server, Path(settings.spool.path)
    means = Means(
        sender=parts.sender,
        line=lambda: line_to(server),
        line_worker=parts.line_worker,
        disk_worker=parts.spool_worker,
        book=OrderBook(spool.with_name(f"{spool.name}.orders")),
        drivers={device.name: driver for device, driver in watched},
        intervals={device.name: device.interval_seconds for device, _ in watched},
        collect=lambda seen: collect(sources_of(office, seen)),
        label=parts.label,
    )
    return Hands(means)


def sources_of(office: Office, seen: LastSeen) -> Sources:
    """Return where a bundle for whoever helps comes from."""
    parts, watched, settings = office

    def secrets() -> Iterator[str]:
        if parts.keeper:
            yield from _spellings(parts.keeper.identity.credential)
        for device, _ in watched:
            yield from secrets_of(device)
        for _, driver in watched:  # last: from a disk, which may fail
            if isinstance(driver, Hides):
                yield from driver.hidden()

    return Sources(
        box=parts.sender.box,
        settings=settings,
        tally=parts.tally,
        seen=seen,
        spool_state=lambda: parts.spool_worker.do(parts.spool.state),
        driver_of=build_driver,
        secrets=secrets,
        office=parts.label,
    )


def _spellings(credential: Credential) -> Iterator[str]:
    """Yield the box's keys as the file has them, without their padding, and their bytes as they may be shown."""
    for key in filter(None, (credential.private_key, credential.next_key)):
        yield from (key, key.rstrip("="), seed_of(key).hex(), repr(seed_of(key))[2:-1])


async def _follow(office: Office, driver: Follows, label: str) -> None:
    """Hold a request open for a device that can follow what is wanted, on a line and a thread of its own."""
    line = line_to(office.settings.server, REQUEST_SECONDS)
    worker = Worker(f"{label}: wanted")
    try:
        keeper = office.parts.keeper
        commands = Commands(office.parts.sender, line, worker, driver, label, keeper.identity if keeper else None)
        await commands.follow_for_ever()
    finally:
        worker.stop()


async def _end(tasks: Sequence["asyncio.Task[None] | asyncio.Task[bool]"]) -> None:
    for task in tasks:
        task.cancel()
    _, late = await asyncio.wait(tasks, timeout=END_SECONDS)
    for task in late:
        log.warning("%s did not end in time", task.get_name())


async def _close_spool(parts: Parts) -> None:
    try:
        with lines_of(parts.label):
            async with asyncio.timeout(1.0):
                await parts.spool_worker.do(parts.spool.close)
    except TimeoutError:
        log.warning("%sspool did not close in time; what is in it stays whole", parts.label)


def _serve_metrics(office: Office) -> Callable[[], None]:
    parts, _, settings = office
    if settings.metrics is None:
        return lambda: None
    from kampungnet_agent.metrics import AgentCollector, serve_metrics

    def spool_state() -> SpoolState:
        with lines_of(parts.label):  # asked by a thread of the library
            return parts.spool_worker.submit(parts.spool.state).result(timeout=5.0)

    try:
        return serve_metrics(settings.metrics.address, AgentCollector(parts.tally, spool_state))
    except OSError as error:  # measuring goes on without
        log.error("no metrics at %s: %s", settings.metrics.address, error)
        return lambda: None


def _on_signals(end: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
