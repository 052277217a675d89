"""The line comes back for a whole kabupaten: 401 boxes at once, each with an hour of readings in its spool.

401 agent processes do not fit two cores. One child process runs the uplinks instead: the agent's own ``Uplink``,
``Spool``, ``Line`` and signing, 401 times, all beginning in the same second (the agent itself would spread its first
try over a random time; here the server gets the worst).
"""

import argparse
import asyncio
import shutil
import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from kampungnet.core import clock
from kampungnet.shared import wire
from kampungnet_agent.box import Box
from kampungnet_agent.credential import Credential, read_credential, signer_of
from kampungnet_agent.line import Line
from kampungnet_agent.report import Sender
from kampungnet_agent.spool import Spool
from kampungnet_agent.tally import Tally
from kampungnet_agent.uplink import Parts, Uplink
from kampungnet_agent.worker import Worker
from tests.benchmarks.central import (
    Central,
    Enrolled,
    Readings,
    SteadyBox,
    ont_reading,
    prepare_sqlite,
    serving,
    write_credential,
)
from tests.benchmarks.context import Context
from tests.benchmarks.process import module, running
from tests.benchmarks.rows import Row, at_most, median, number

ROUNDS = 3
BOXES = 401
CUT_MINUTES = 60
READINGS = 2 * CUT_MINUTES
FRESH_MS = 180_000
LIMIT_SECONDS = 100.0


def reconnect(context: Context) -> list[Row]:
    """Measure how soon fresh data of all is there, and how soon the backlog is gone."""
    found = [_round(context) for _ in range(ROUNDS)]
    for fresh, whole in found:
        context.say(f"fresh data of all after {number(fresh)} s, backlog gone after {number(whole)} s")
    what = (
        f"{BOXES} agents reconnect at once after a cut of one hour, {READINGS} readings each (the agent's own uplink, "
        f"{BOXES} times in one process)"
    )
    return [
        at_most(f"{what}: fresh data of all", median([fresh for fresh, _ in found]), "s", (120, 30)),
        at_most(f"{what}: backlog gone", median([whole for _, whole in found]), "s", (300, 60)),
    ]


def _round(context: Context) -> tuple[float, float]:
    folder = context.own_folder("reconnect")
    boxes = prepare_sqlite(folder, BOXES)
    with serving(folder) as central:
        _fill_spools(folder, boxes, central.url)
        watch = _Watch(folder / "kampungnet.db")
        go = folder / "go"
        command = [*module("bench_reconnect"), "--folder", str(folder), "--url", central.url]
        with running("uplinks", command, folder) as child:
            child.wait_for("the uplinks", (folder / "uplinks-ready").exists, 60)
            began = time.monotonic()
            go.touch()
            try:
                child.wait_for("fresh data of all", watch.seen_fresh, LIMIT_SECONDS)
                child.wait_for("empty spools", (folder / "uplinks-done").exists, LIMIT_SECONDS)
                gone_at = time.monotonic()
            finally:
                watch.close()
        _see_that_all_is_stored(central)
    shutil.rmtree(folder)
    return watch.fresh_at - began, gone_at - began


class _Watch:
    """Looks into the server's database from outside."""

    def __init__(self, file: Path) -> None:
        self._db = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
        self.fresh_at = 0.0

    def seen_fresh(self) -> bool:
        """Say whether the newest reading of every village is there, and note when."""
        fresh = "SELECT count(DISTINCT site) FROM devices WHERE name = 'router' AND last_reading_ms > ?"
        row: tuple[int] = self._db.execute(fresh, (clock.now_ms() - FRESH_MS,)).fetchone()
        self.fresh_at = time.monotonic()
        return row[0] == BOXES

    def close(self) -> None:
        """Let go of the database."""
        self._db.close()


def _fill_spools(folder: Path, boxes: Sequence[Enrolled], url: str) -> None:
    """Fill one spool by the agent's own code, as an hour without a line leaves it, and give a copy to each box."""
    now_ms, box = clock.now_ms(), SteadyBox()
    first = folder / "spools/first"
    first.mkdir(parents=True)
    spool = Spool(first / "spool.db", 16, box)
    routers = Readings(now_ms - CUT_MINUTES * 60_000)
    for minute in range(CUT_MINUTES):
        at = now_ms - (CUT_MINUTES - 1 - minute) * 60_000 - 5_000
        spool.add(msgspec.json.decode(routers.next(60_000).payload, type=wire.Reading))
        spool.add(msgspec.json.decode(ont_reading(minute + 1, at).payload, type=wire.Reading))
    spool.close()
    for one in boxes:
        own = folder / "spools" / one.agent
        shutil.copytree(first, own)
        write_credential(own / "credential", one, url)


def _see_that_all_is_stored(central: Central) -> None:
    stored = central.stored_readings()
    if stored != BOXES * READINGS:
        raise RuntimeError(f"{stored} readings are stored, {BOXES * READINGS} were spooled")


class _Box:
    """One box's sending half."""

    def __init__(self, folder: Path, url: str, box: Box) -> None:
        credential: Credential = read_credential(folder / "credential")
        sender = Sender(credential.agent, signer_of(credential), box)
        self._spool, self._worker = Spool(folder / "spool.db", 16, box), Worker("spool")
        self._uplink = Uplink(Parts(self._spool, self._worker, Line(url), Worker("line"), sender, Tally()))

    async def drain(self) -> None:
        """Do what ``Uplink.send_for_ever`` does, without its random first wait, until the spool is empty."""
        loop = asyncio.get_running_loop()
        while (await self._worker.do(self._spool.state)).readings:
            await asyncio.sleep(await self._uplink.turn(loop.time()))


async def _drain(folders: Sequence[Path], url: str, go: Path) -> None:
    box = SteadyBox()
    boxes = [_Box(folder, url, box) for folder in folders]
    go.with_name("uplinks-ready").touch()
    while not go.exists():
        await asyncio.sleep(0.01)
    await asyncio.gather(*(one.drain() for one in boxes))
    go.with_name("uplinks-done").touch()
    await asyncio.sleep(3600)


if __name__ == "__main__":
    threading.stack_size(256 * 1024)
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--url", required=True)
    options = parser.parse_args()
    spools = [path.parent for path in sorted(options.folder.glob("spools/*/credential"))]
    asyncio.run(_drain(spools, options.url, options.folder / "go"))
