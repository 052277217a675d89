"""Commands that answer over time: streams of a monitor, listen (facts/routeros.md, 3.6 and 3.10)."""

from collections.abc import AsyncIterator
from functools import partial

from kampungnet_sim.routeros_engine import Engine
from kampungnet_sim.routeros_monitors import MONITORS
from kampungnet_sim.routeros_request import Request
from kampungnet_sim.routeros_tables import Row
from kampungnet_sim.routeros_values import read_seconds
from kampungnet_sim.wait import Sleep


async def monitor(engine: Engine, request: Request, sleep: Sleep) -> AsyncIterator[list[Row]]:
    """Rows each second until the duration is over or the client cancels."""
    make = partial(MONITORS[request.command], engine, request)
    interval = max(read_seconds(request.arguments.get("interval", ""), 1.0), 0.05)
    duration = request.arguments.get("duration")
    left = read_seconds(duration, 0.0) if duration is not None else float("inf")
    section = 0
    while True:
        for row in make(engine.router.moment()):
            yield [{**row, ".section": str(section)}]
            section += 1
        left -= interval
        if left < 0:
            return
        await sleep(interval)


_COUNTERS = frozenset(
    "uptime idle-time bytes-in bytes-out packets-in packets-out session-time-left expires-after"
    " last-seen bytes packets rate rx-byte tx-byte rx-packet tx-packet last-activity fp-rx-byte"
    " fp-rx-packet tx-queue-drop".split()
)


def _snapshot(engine: Engine, request: Request) -> dict[str, Row]:
    menu = engine.menu_of(request.menu)
    if menu is None:
        raise engine.missing(request.menu)
    rows = menu.rows(engine.router.moment())
    return {row.get(".id", ""): {k: v for k, v in row.items() if k not in _COUNTERS} for row in rows}


async def listen(engine: Engine, request: Request, sleep: Sleep) -> AsyncIterator[list[Row]]:
    """Changes of a list; counters are no changes, a removed row says ``.dead``."""
    known = _snapshot(engine, request)
    while True:
        await sleep(0.2)
        seen = _snapshot(engine, request)
        changed: list[Row] = [row for key, row in seen.items() if known.get(key) != row]
        changed += [{".id": key, ".dead": "true"} for key in known if key not in seen]
        known = seen
        if changed:
            yield changed
