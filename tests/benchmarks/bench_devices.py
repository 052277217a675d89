"""The drivers against what one would use without them: a whole router, a fibre unit, a line that counts."""

import dataclasses
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tests.benchmarks import snmp_polls
from tests.benchmarks.bench_agent import Cost
from tests.benchmarks.boxes import BoxPlan, write_settings
from tests.benchmarks.context import Context
from tests.benchmarks.mktxp import Exporter, exporting
from tests.benchmarks.process import Unusable, module, program, running
from tests.benchmarks.rows import Goal, Row, less, median, number
from tests.benchmarks.simulator import Ont, Scene, Simulated, simulation

ROUNDS = 5
WARM = 5
FULL_POLLS = 50
ORDINARY_POLLS = 100
"""Ten of them read the rare tables, too."""
SCRAPES = 5
ROWS = 40 + 300
COUNTED_POLLS = 20
LINE_RTT_MS = 30.0
SNMP_POLLS = 240
"""Of ours four look for new names, as one in sixty does."""
WELL_EQUIPPED = "a hEX S with 40 guests, 300 users, 300 leases and every feature"


def poll_full(context: Context) -> list[Row]:
    """CPU of a poll that asks for everything, against mktxp's default scrape of the same router."""
    folder = context.own_folder("poll-full")
    full: list[float] = []
    ordinary: list[float] = []
    scrapes: list[float] = []
    why = ""
    with simulation(folder, Scene(1, full=True)) as simulated:
        try:
            with exporting(folder, simulated.villages) as exporter:
                for _ in range(ROUNDS):
                    full.append(_cycles(folder, simulated.villages, FULL_POLLS, full=True))
                    ordinary.append(_cycles(folder, simulated.villages, ORDINARY_POLLS))
                    scrapes.append(_scrape_cpu(exporter))
        except Unusable as missing:
            why = f" ({missing})"
        if not full:
            full.append(_cycles(folder, simulated.villages, FULL_POLLS, full=True))
            ordinary.append(_cycles(folder, simulated.villages, ORDINARY_POLLS))
    context.say(f"full {_all(full)} ms; ordinary {_all(ordinary)} ms; mktxp {_all(scrapes)} ms")
    peer = f"mktxp 2.1, its defaults{why}"
    whole = f"CPU of one poll with every table, of {WELL_EQUIPPED}, durable spool write included; {peer}"
    mixed = f"the same router as it is polled each minute, every tenth time with its tables; {peer}"
    return [
        less(whole, full, scrapes, "ms", (10, 25)),
        dataclasses.replace(less(mixed, ordinary, scrapes, "ms", (10, 25)), goal=Goal(None, None)),
    ]


def router_line(context: Context) -> list[Row]:
    """Connections and commands in flight, counted on the line to the router."""
    folder = context.own_folder("router-line")
    with simulation(folder, Scene(1, LINE_RTT_MS, full=True, counted=True)) as simulated:
        _cycles(folder, simulated.villages, COUNTED_POLLS, full=True)
        (ours,) = simulated.seen().traffic.values()
    peer = "mktxp cannot be had here"
    with simulation(folder, Scene(1, LINE_RTT_MS, full=True, counted=True)) as simulated:
        try:
            with exporting(folder, simulated.villages) as exporter:
                (before,) = simulated.seen().traffic.values()
                exporter.scrape()
                (theirs,) = simulated.seen().traffic.values()
                peer = f"mktxp 2.1: {theirs.most_in_flight} of {theirs.commands - before.commands} a scrape"
        except Unusable as missing:
            context.say(str(missing))
    polls = COUNTED_POLLS + WARM
    a_poll = number(ours.commands / polls)
    what = f"polls of {WELL_EQUIPPED} at {LINE_RTT_MS:.0f} ms, counted on the line:"
    pipelined = Goal(2.0, None, least=True)
    return [
        Row(
            f"{what} connections open at the same time, in {polls} polls",
            f"{ours.most_connections} ({ours.connections} in all)",
            "–", "–", Goal(1.0, None), float(ours.connections),
        ),
        Row(
            f"{what} most commands in flight",
            f"{ours.most_in_flight} of {a_poll} a poll",
            peer, "–", pipelined, float(ours.most_in_flight),
        ),
    ]  # fmt: skip


def poll_ont(context: Context) -> list[Row]:
    """CPU of a poll over SNMP, against pysnmp used as cheaply as it can be."""
    folder = context.own_folder("poll-ont")
    rows = []
    with _snmp_device(folder) as ont:
        for version, meaning in (("2c", "version 2c"), ("3", "version 3 with SHA and AES")):
            costs: dict[str, list[float]] = {"ours": [], "pysnmp": []}
            for _ in range(ROUNDS):
                for who, found in costs.items():
                    found.append(_snmp_cpu(ont, who, version))
            context.say(f"{meaning}: ours {_all(costs['ours'])} ms; pysnmp {_all(costs['pysnmp'])} ms")
            rows.append(_snmp_row(meaning, costs["ours"], costs["pysnmp"]))
    return rows


def _snmp_row(meaning: str, ours: Sequence[float], peer: Sequence[float]) -> Row:
    what = (
        f"CPU of one ont-snmp poll of 6 columns of {snmp_polls.ROWS} interfaces, {meaning}, identity, names and the "
        "reading included; pysnmp 7.1, one engine, one GETBULK, no MIB, no reading"
    )
    # The goal is said the other way round: ours may be so much of the peer's.
    ratio = median([own / theirs for own, theirs in zip(ours, peer, strict=True)])
    cells = (f"{number(median(ours))} ms", f"{number(median(peer))} ms", f"{number(ratio)} of it")
    return Row(what, *cells, Goal(1.2, 1.0, " of it"), ratio)


def _cycles(folder: Path, routers: Sequence[Simulated], cycles: int, *, full: bool = False) -> float:
    box = folder / f"box-{sum(1 for _ in folder.glob('box-*'))}"
    config = write_settings(BoxPlan(box, full=full), routers)
    command = [*module("agent_cycles"), "--config", str(config), "--cycles", str(cycles), "--warm", str(WARM)]
    cost = msgspec.json.decode(_output(command), type=Cost)
    if cost.failed or cost.rows < len(routers) * ROWS:
        raise RuntimeError(f"{cost.failed} polls of the agent did not succeed; {cost.rows} guests and users were read")
    return cost.cpu_ms


def _scrape_cpu(exporter: Exporter) -> float:
    # /proc counts in ticks of 10 ms: only the sum over several scrapes says anything.
    before = exporter.child.cpu_seconds()
    for _ in range(SCRAPES):
        exporter.scrape()
    return (exporter.child.cpu_seconds() - before) * 1000 / SCRAPES


@contextmanager
def _snmp_device(folder: Path) -> Iterator[Ont]:
    """Replay a device with exactly the table that is measured."""
    walk, inventory = folder / "plain.snmprec", folder / "inventory.json"
    walk.write_text(snmp_polls.recording())
    command = [program("kampungnet-sim"), "replay", "--snmprec", str(walk), "--inventory", str(inventory)]
    with running("replay", command, folder) as child:
        child.wait_for("the replay", inventory.exists, 30)
        (told,) = msgspec.json.decode(inventory.read_bytes())
        yield msgspec.convert(told["ont"], Ont)


def _snmp_cpu(ont: Ont, who: str, version: str) -> float:
    reached = msgspec.json.encode(ont).decode()
    wanted = ["--who", who, "--version", version, "--ont", reached, "--polls", str(SNMP_POLLS)]
    return float(_output([*module("snmp_polls"), *wanted]))


def _output(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[2]} failed: {done.stderr[-300:]}")
    return done.stdout


def _all(values: Sequence[float]) -> str:
    return " / ".join(number(value) for value in values) or "–"
