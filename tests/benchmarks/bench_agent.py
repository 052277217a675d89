"""The agent against mktxp: what one visit to a router costs in CPU, time and memory."""

import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from tests.benchmarks.boxes import BoxPlan, write_settings
from tests.benchmarks.central import prepare_sqlite, serving, write_credential
from tests.benchmarks.context import Context
from tests.benchmarks.mktxp import Exporter, Scrape, exporting
from tests.benchmarks.process import Unusable, module, program, running
from tests.benchmarks.rows import Row, at_most, less, median, number
from tests.benchmarks.simulator import Simulated, simulated

ROUNDS = 5
CYCLES = 200
SCRAPES = 15
FLEET = 217
FLEET_ROUNDS = 3
FLEET_RTT_MS = 5.0
WALL_RTT_MS = 30.0
MEMORY_SECONDS = 25.0


class Cost(msgspec.Struct):
    """What ``agent_cycles`` prints."""

    cpu_ms: float
    wall_ms: list[float]
    failed: int
    rows: int
    """Guests and users of the fullest reading of each router."""


def poll_cpu(context: Context) -> list[Row]:
    """CPU of one whole cycle against one scrape."""
    folder = context.own_folder("poll-cpu")
    with simulated(folder, 12) as found:
        router = max(found, key=lambda one: one.guests)
        ours: list[float] = []
        like: list[float] = []
        whole: list[float] = []
        why = ""
        try:
            with exporting(folder, [router], like_only=True) as lean, exporting(folder, [router]) as full:
                for _ in range(ROUNDS):
                    ours.append(_cycles(folder, [router], CYCLES).cpu_ms)
                    like.append(_scrape_cpu(lean))
                    whole.append(_scrape_cpu(full))
        except Unusable as missing:
            context.say(str(missing))
            why = str(missing)
        if not ours:
            ours = [_cycles(folder, [router], CYCLES).cpu_ms for _ in range(ROUNDS)]
    context.say(f"ours {_all(ours)} ms; mktxp like {_all(like)} ms, defaults {_all(whole)} ms")
    what = f"CPU of one poll of a {router.router.model} with {router.guests} guests, durable spool write included"
    named = why or "mktxp 2.1"
    return [
        less(f"{what}; {named}, only like collectors", ours, like, "ms", (8, 15)),
        less(f"{what}; {named}, its defaults", ours, whole, "ms", (20, 40)),
    ]


def poll_wall(context: Context) -> list[Row]:
    """Wall of one warm poll over a long line."""
    folder = context.own_folder("poll-wall")
    with simulated(folder, 12, WALL_RTT_MS) as found:
        router = max(found, key=lambda one: one.guests)
        ours = [median(_cycles(folder, [router], 40).wall_ms) for _ in range(ROUNDS)]
        peer = "mktxp cannot be had here"
        with suppress(Unusable), exporting(folder, [router], like_only=True) as exporter:
            peer = f"mktxp, like collectors: {number(median([exporter.scrape().wall_ms for _ in range(5)]))} ms"
    context.say(f"ours {_all(ours)} ms")
    goal = (1.4 * WALL_RTT_MS + 8, 1.15 * WALL_RTT_MS + 4)
    return [at_most("wall of one poll on a warm connection at 30 ms round trip", median(ours), "ms", goal, peer)]


def agent_memory(context: Context) -> list[Row]:
    """Peak memory of the whole running agent."""
    folder = context.own_folder("agent-memory")
    prepared = prepare_sqlite(folder, 3)
    ours: list[float] = []
    theirs: list[float] = []
    with simulated(folder, 3) as found, serving(folder) as central:
        for box, router in zip(prepared, found, strict=True):
            plan = BoxPlan(folder / box.agent, central.url, poll_seconds=2, report_seconds=3)
            config = write_settings(plan, [router])
            write_credential(plan.folder / "credential", box, central.url)
            ours.append(_agent_peak(context, config))
            with suppress(Unusable), exporting(folder, [router]) as exporter:
                theirs += _exporter_peak(exporter)
    context.say(f"ours {_all(ours)} MB; mktxp {_all(theirs)} MB")
    what = "peak memory of the running agent: one router, spool, uplink (peer: mktxp, one router)"
    # The goal is said the other way round: ours may be so much of the peer's.
    row = less(what, ours, theirs, "MB", (1.0, 1 / 0.75))
    return [row]


def poll_fleet(context: Context) -> list[Row]:
    """One process polls a whole kabupaten."""
    folder = context.own_folder("poll-217")
    ours: list[Cost] = []
    theirs: list[Scrape] = []
    why = ""
    with simulated(folder, FLEET, FLEET_RTT_MS) as found:
        try:
            with exporting(folder, found, like_only=True, parallel=True) as exporter:
                for _ in range(FLEET_ROUNDS):
                    ours.append(_cycles(folder, found, 3, warm=1))
                    theirs.append(exporter.scrape())
        except Unusable as missing:
            why = f" ({missing})"
            ours = [_cycles(folder, found, 3, warm=1) for _ in range(FLEET_ROUNDS)]
    walls, cpus = [median(one.wall_ms) for one in ours], [one.cpu_ms for one in ours]
    their_walls, their_cpus = [one.wall_ms for one in theirs], [one.cpu_ms for one in theirs]
    context.say(f"ours {_all(walls)} ms wall, {_all(cpus)} ms CPU; mktxp {_all(their_walls)}, {_all(their_cpus)}")
    what = f"one process polls {FLEET} routers at {FLEET_RTT_MS:.0f} ms (mktxp in parallel, like collectors{why})"
    return [
        less(f"{what}: wall", walls, their_walls, "ms", (10, 60)),
        less(f"{what}: CPU", cpus, their_cpus, "ms", (15, 60)),
    ]


def _cycles(folder: Path, routers: Sequence[Simulated], cycles: int, warm: int = 5) -> Cost:
    config = write_settings(BoxPlan(_fresh(folder)), routers)
    command = [*module("agent_cycles"), "--config", str(config), "--cycles", str(cycles), "--warm", str(warm)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    if done.returncode:
        raise RuntimeError(f"the agent's cycles failed: {done.stderr[-300:]}")
    cost = msgspec.json.decode(done.stdout, type=Cost)
    if cost.failed:
        raise RuntimeError(f"{cost.failed} polls of the agent did not succeed")
    return cost


def _fresh(folder: Path) -> Path:
    return folder / f"box-{sum(1 for _ in folder.glob('box-*'))}"


def _scrape_cpu(exporter: Exporter) -> float:
    # /proc counts in ticks of 10 ms: only the sum over many scrapes says anything.
    before = exporter.child.cpu_seconds()
    for _ in range(SCRAPES):
        exporter.scrape()
    return (exporter.child.cpu_seconds() - before) * 1000 / SCRAPES


def _agent_peak(context: Context, config: Path) -> float:
    name = f"agent-{config.parent.name}"
    with running(name, [program("kampungnet-agent"), "run", "--config", config], context.folder) as child:
        until = time.monotonic() + MEMORY_SECONDS
        child.wait_for("some polls and reports", lambda: time.monotonic() > until, MEMORY_SECONDS * 2)
        return child.peak_megabytes()


def _exporter_peak(exporter: Exporter) -> list[float]:
    for _ in range(5):
        exporter.scrape()
    return [exporter.child.peak_megabytes()]


def _all(values: Sequence[float]) -> str:
    return " / ".join(number(value) for value in values) or "–"
