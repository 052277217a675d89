"""Many polls: memory stays flat, each router sees one connection, and no descriptor is left open."""

import subprocess
from dataclasses import dataclass

import msgspec

from tests.benchmarks.boxes import BoxPlan, write_settings
from tests.benchmarks.context import Context
from tests.benchmarks.process import module
from tests.benchmarks.rows import Goal, Row, number
from tests.benchmarks.simulator import Scene, Sessions, simulation
from tests.benchmarks.soak_polls import Soaked

FEWEST = 30
"""Polls after the warm-up that say something."""
MOST_GROWN_MB = 3.0
MOST_GROWN_SHARE = 0.05
"""Whichever is more; an allocator's own holes come and go by as much."""


@dataclass(frozen=True)
class Soak:
    """How many routers, how often; ``seconds`` bound it all."""

    routers: int
    warm: int
    cycles: int
    seconds: int


ONE = Soak(1, 500, 10_000, 200)
MANY = Soak(401, 60, 200, 300)


def soak_one(context: Context) -> list[Row]:
    """Poll one router for a week."""
    return [_soak(context, ONE)]


def soak_many(context: Context) -> list[Row]:
    """Poll a whole kabupaten for hours."""
    return [_soak(context, MANY)]


def _soak(context: Context, plan: Soak) -> Row:
    folder = context.own_folder("soak")
    with simulation(folder, Scene(plan.routers)) as simulated:
        config = write_settings(BoxPlan(folder / "box"), simulated.villages)
        bounds = ["--warm", str(plan.warm), "--cycles", str(plan.cycles), "--seconds", str(plan.seconds)]
        done = subprocess.run(
            [*module("soak_polls"), "--config", str(config), *bounds],
            capture_output=True, text=True, timeout=plan.seconds + 60, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"the soak failed: {done.stderr[-300:]}")
        sessions = list(simulated.seen().sessions.values())
    found = msgspec.json.decode(done.stdout, type=Soaked)
    if found.cycles < FEWEST:
        raise RuntimeError(f"this machine managed {found.cycles} polls in {plan.seconds} s")
    return _row(plan, found, sessions)


def _row(plan: Soak, found: Soaked, sessions: list[Sessions]) -> Row:
    before, after = found.memory
    grown, opened = after - before, found.descriptors[1] - found.descriptors[0]
    most, logins = max(one.most for one in sessions), sum(one.logins for one in sessions)
    ours = (
        f"{number(grown)} MB grown (from {before:.1f} MB), {logins} logins and at most {most} connection a router, "
        f"{opened:+d} descriptors, {found.failed} failed polls"
    )
    sound = most <= 1 and logins == plan.routers and opened <= 0 and found.failed == 0
    routers = "one router" if plan.routers == 1 else f"{plan.routers} routers side by side"
    what = (
        f"soak: {found.cycles:,} polls of {routers}, as fast as it goes, after {plan.warm} to warm up, spool included"
    )
    goal = Goal(max(MOST_GROWN_MB, MOST_GROWN_SHARE * before), None, " MB")
    # A second connection or a lost descriptor is no better than lost memory.
    return Row(what, ours, "–", "–", goal, grown if sound else float("inf"))
