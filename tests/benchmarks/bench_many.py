"""One agent for a whole kabupaten: 401 routers and 401 ONTs, polled, kept and reported by one process."""

import time
from pathlib import Path

from tests.benchmarks.boxes import BoxPlan, write_settings
from tests.benchmarks.central import Central, Enrolled, prepare_sqlite, serving, write_credential
from tests.benchmarks.context import Context
from tests.benchmarks.process import Child, program, running
from tests.benchmarks.rows import Row, at_most, median, number
from tests.benchmarks.simulator import Scene, Simulated, simulation

VILLAGES = 401
DEVICES = 2 * VILLAGES
SPED_UP_SECONDS = 6
"""From poll to poll while it is measured: ten polls of each device, with their rare tables, fit in a minute."""
TURNS = 10
WINDOWS = 3
SETTLED_SECONDS = 4 * SPED_UP_SECONDS
"""After every device was read once: logins, first looks and first reports are over."""
START_SECONDS = 90.0
FEWEST = 0.9
"""Of the readings of a window that must reach the server, or it was not that load."""
TROUBLE = ("unreachable", "unreadable", "refused", "defect", "lost")


def agent_802(context: Context) -> list[Row]:
    """Measure what share of one core a kabupaten takes."""
    folder = context.own_folder("agent-802")
    prepared = prepare_sqlite(folder, VILLAGES)
    with simulation(folder, Scene(VILLAGES)) as simulated, serving(folder) as central:
        configs = [
            _settings(folder, box, village, central.url)
            for box, village in zip(prepared, simulated.villages, strict=True)
        ]
        options = [word for config in configs for word in ("--config", str(config))]
        with running("agent", [program("kampungnet-agent"), "run", *options], folder) as child:
            child.wait_for("a reading of each device", lambda: central.stored_readings() >= DEVICES, START_SECONDS)
            time.sleep(SETTLED_SECONDS)
            costs = [_window(context, child, central) for _ in range(WINDOWS)]
            peak, said = child.peak_megabytes(), child.log.read_text()
    troubles = [line for line in said.splitlines() if any(word in line for word in TROUBLE)]
    if troubles:
        raise RuntimeError(f"{len(troubles)} troubles while polling: {troubles[0]}")
    busy = median(costs) * DEVICES / 60 * 100
    what = (
        f"one running agent polls {VILLAGES} routers and {VILLAGES} ONTs each minute, spools and reports them: share "
        f"of one core (measured at one poll each {SPED_UP_SECONDS} s; peak {number(peak)} MB)"
    )
    return [at_most(what, busy, "%", (25, 10))]


def _settings(folder: Path, box: Enrolled, village: Simulated, url: str) -> Path:
    plan = BoxPlan(folder / box.agent, url, poll_seconds=SPED_UP_SECONDS, report_seconds=SPED_UP_SECONDS)
    config = write_settings(plan, [village], [village])
    write_credential(plan.folder / "credential", box, url)
    return config


def _window(context: Context, child: Child, central: Central) -> float:
    """Return the CPU seconds of one reading, polled, kept and reported."""
    spent, stored = child.cpu_seconds(), central.stored_readings()
    time.sleep(TURNS * SPED_UP_SECONDS)
    spent, stored = child.cpu_seconds() - spent, central.stored_readings() - stored
    context.say(f"{stored} readings, {spent / stored * 1000:.2f} ms CPU each")
    if stored < FEWEST * TURNS * DEVICES:
        raise RuntimeError(f"only {stored} of {TURNS * DEVICES} readings came")
    return spent / stored
