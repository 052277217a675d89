"""Devices that turn hostile in the middle: every poll ends within its deadline, and memory stays."""

import msgspec

from tests.benchmarks.boxes import BoxPlan, write_settings
from tests.benchmarks.context import Context
from tests.benchmarks.hostile_polls import HOSTILE_POLLS, Suffered
from tests.benchmarks.process import module, running
from tests.benchmarks.rows import Row, at_most
from tests.benchmarks.simulator import Scene, Simulated, Simulation, simulation

DEADLINE_SECONDS = 5
MOST_LATE_SECONDS = 1.0
MOST_GROWN_MB = 10.0
OF_ROUTERS = (
    "trickle", "huge_word", "endless_table", "huge_tables", "stalled_session", "accept_never_answer", "garbage_bytes"
)  # fmt: skip
OF_ONTS = ("endless_table", "garbage_bytes", "stuck_oid", "late_answers", "accept_never_answer")


def hostile(context: Context) -> list[Row]:
    """Find the worst that a hostile router or ONT does to a poll."""
    folder = context.own_folder("hostile")
    worst: dict[str, Suffered] = {}
    with simulation(folder, Scene(1, full=True)) as simulated:
        (village,) = simulated.villages
        for fault in OF_ROUTERS:
            worst[f"router, {fault}"] = _suffer(simulated, fault, routers=[village])
        for fault in OF_ONTS:
            worst[f"ONT, {fault}"] = _suffer(simulated, fault, onts=[village])
    for name, one in worst.items():
        context.say(f"{name}: {one.late_seconds:+.2f} s, {one.grown_megabytes:.1f} MB; {one.outcomes[0]}")
    late = max(worst, key=lambda name: worst[name].late_seconds)
    grown = max(worst, key=lambda name: worst[name].grown_megabytes)
    what = (
        f"{len(worst)} kinds of hostile router and ONT (one byte a second, a word of 64 MB, tables without end, "
        f"silence, noise), {HOSTILE_POLLS} polls each:"
    )
    time = f"{what} longest poll beyond its deadline of {DEADLINE_SECONDS} s (worst: {late})"
    memory = f"{what} most memory grown (worst: {grown})"
    return [
        at_most(time, worst[late].late_seconds, "s", (MOST_LATE_SECONDS, 0.1)),
        at_most(memory, worst[grown].grown_megabytes, "MB", (MOST_GROWN_MB, None)),
    ]


def _suffer(
    simulated: Simulation, fault: str, routers: list[Simulated] | None = None, onts: list[Simulated] | None = None
) -> Suffered:
    folder = simulated.folder / f"{fault}-{'router' if routers else 'ont'}"
    plan = BoxPlan(folder, timeout_seconds=DEADLINE_SECONDS, full=True)
    config, go = write_settings(plan, routers or [], onts or []), folder / "go"
    told = folder / "suffered.json"
    command = [*module("hostile_polls"), "--config", str(config), "--go", str(go), "--told", str(told)]
    with running("polls", command, folder) as child:
        child.wait_for("a sound poll", go.with_suffix(".warm").exists, 20)
        simulated.begin(fault)
        go.touch()
        try:
            child.wait_for("the end of the polls", told.exists, HOSTILE_POLLS * (DEADLINE_SECONDS + 20))
        finally:
            simulated.end_faults()
    return msgspec.json.decode(told.read_bytes(), type=Suffered)
