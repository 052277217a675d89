"""The running agent: one place that wires spool, pollers, uplink and metrics, and ends them in order."""

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from kampungnet.shared import wire
from kampungnet.shared.settings_file import SettingsError
from kampungnet_agent.box import Box
from kampungnet_agent.credential import read_credential, signer_of
from kampungnet_agent.driver import Driver
from kampungnet_agent.driver_loading import load_driver
from kampungnet_agent.line import Line
from kampungnet_agent.poller import Keep, Poller
from kampungnet_agent.report import Sender
from kampungnet_agent.settings import AgentSettings, Device
from kampungnet_agent.spool import Spool, SpoolState
from kampungnet_agent.tally import Tally
from kampungnet_agent.uplink import Parts, Uplink
from kampungnet_agent.worker import Worker

log = logging.getLogger(__name__)

END_SECONDS = 4.0
"""Time for all loops to end after a signal; the service manager is promised five."""


class Watched(NamedTuple):
    """A device and the driver that polls it."""

    device: Device
    driver: Driver


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


async def run_agent(settings: AgentSettings, box: Box) -> None:
    """Poll, keep and send until SIGTERM or SIGINT; raises ``SettingsError`` or ``SpoolError`` when it cannot start."""
    credential = read_credential(Path(settings.server.credential_file))
    watched = build_drivers(settings.devices)
    sender = Sender(credential.agent, signer_of(credential), box)
    line = Line(settings.server.url, Path(settings.server.ca_file) if settings.server.ca_file else None)
    spool_worker = Worker("spool")
    spool = await spool_worker.do(open_spool, settings, box)
    parts = Parts(spool, spool_worker, line, sender, Tally())
    await run_parts(parts, watched, settings)


def open_spool(settings: AgentSettings, box: Box) -> Spool:
    """Open the spool that the settings name."""
    return Spool(Path(settings.spool.path), settings.spool.max_megabytes, box, settings.spool.max_days)


async def run_parts(parts: Parts, watched: Sequence[Watched], settings: AgentSettings) -> None:
    """Run all loops until a signal comes or one of them breaks, then end them and close the spool."""

    async def keep(reading: wire.Reading) -> int:
        return await parts.spool_worker.do(parts.spool.add, reading)

    stop = asyncio.Event()
    _on_signals(stop.set)
    uplink = Uplink(parts, float(settings.server.report_interval_seconds))
    loops = [asyncio.create_task(uplink.send_for_ever(), name="uplink"), *_poll_tasks(parts, watched, keep)]
    close_metrics = _serve_metrics(parts, settings)
    log.info("agent %s polls %d devices", parts.sender.agent, len(watched))
    stopping = asyncio.create_task(stop.wait(), name="signal")
    try:
        done, _ = await asyncio.wait([stopping, *loops], return_when=asyncio.FIRST_COMPLETED)
    finally:
        close_metrics()
        await _end([stopping, *loops], parts)
    for task in done - {stopping}:
        task.result()  # a loop that ended by itself is a defect: its error goes up


def _poll_tasks(parts: Parts, watched: Sequence[Watched], keep: Keep) -> list[asyncio.Task[None]]:
    pollers = [(Poller(device, driver, parts.sender.box, parts.tally), device) for device, driver in watched]
    return [asyncio.create_task(poller.poll_for_ever(keep), name=device.name) for poller, device in pollers]


async def _end(tasks: Sequence["asyncio.Task[None] | asyncio.Task[bool]"], parts: Parts) -> None:
    for task in tasks:
        task.cancel()
    _, late = await asyncio.wait(tasks, timeout=END_SECONDS)
    for task in late:
        log.warning("%s did not end in time", task.get_name())
    try:
        async with asyncio.timeout(1.0):
            await parts.spool_worker.do(parts.spool.close)
    except TimeoutError:
        log.warning("the spool did not close in time; what is in it stays whole")
    parts.spool_worker.stop()


def _serve_metrics(parts: Parts, settings: AgentSettings) -> Callable[[], None]:
    if settings.metrics is None:
        return lambda: None
    from kampungnet_agent.metrics import AgentCollector, serve_metrics

    def spool_state() -> SpoolState:
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
