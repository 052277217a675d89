"""The line comes back for a whole kabupaten: 401 boxes at once, each with an hour or a week of readings in its spool.

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
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
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
    stored_payloads,
    write_credential,
)
from tests.benchmarks.context import Context
from tests.benchmarks.process import ChildEnded, module, running
from tests.benchmarks.rows import Goal, Row, at_most, median, number

ROUNDS = 3
BOXES = 401
FRESH_MS = 180_000
MOST_GROWN_MB = 150.0
"""Of the whole server, from the moment when fresh data of all is there: what waits is on the boxes, not in memory."""


@dataclass(frozen=True)
class Cut:
    """For how long nothing was sent, by how many boxes, what each read every ``step_minutes``."""

    what: str
    boxes: int
    minutes: int
    step_minutes: int
    onts: bool
    limit_seconds: float = 100.0

    @property
    def readings(self) -> int:
        """Readings in one spool."""
        return self.minutes // self.step_minutes * (2 if self.onts else 1)


@dataclass(frozen=True)
class Found:
    """Seconds until fresh data of all was there and until the backlog was gone; memory in MB; readings gone wrong."""

    fresh: float
    gone: float
    memory: float
    grown: float
    lost: int
    doubled: int


HOUR = Cut("a cut of one hour", BOXES, 60, 1, onts=True)
WEEK = Cut(
    "seven days without the server, a reading each ten minutes", BOXES, 7 * 24 * 60, 10, onts=False, limit_seconds=420.0
)


SMALL = Cut("seven days without the server, a reading each half hour", 12, 7 * 24 * 60, 30, onts=False)
"""For CI (``tests/faults/test_week.py``)."""


def reconnect(context: Context) -> list[Row]:
    """Measure how soon fresh data of all is there, and how soon the backlog is gone."""
    found = [round_of(context, HOUR) for _ in range(ROUNDS)]
    return [
        at_most(f"{_words(HOUR)}: fresh data of all", median([one.fresh for one in found]), "s", (120, 30)),
        at_most(f"{_words(HOUR)}: backlog gone", median([one.gone for one in found]), "s", (300, 60)),
    ]


def week(context: Context) -> list[Row]:
    """The same once, after a week: whether the server swallows it, with flat memory."""
    found = round_of(context, WEEK)
    each_second = WEEK.boxes * WEEK.readings / found.gone
    wrong = found.lost + found.doubled
    tried = f"tried {WEEK.boxes * WEEK.readings:,}, lost {found.lost}, doubled {found.doubled}"
    memory = f"{number(found.grown)} MB grown (to {number(found.memory)} MB)"
    return [
        at_most(f"{_words(WEEK)}: fresh data of all", found.fresh, "s", (120, 30)),
        at_most(
            f"{_words(WEEK)}: backlog gone, {each_second:,.0f} readings/s", found.gone, "s", (WEEK.limit_seconds, 180)
        ),
        Row("the same: readings", tried, "–", "–", Goal(0, 0), wrong),
        Row("the same: memory of the server", memory, "–", "–", Goal(MOST_GROWN_MB, None, " MB"), found.grown),
    ]


def _words(cut: Cut) -> str:
    return (
        f"{cut.boxes} agents reconnect at once after {cut.what}, {cut.readings:,} readings each "
        f"(the agent's own uplink, {cut.boxes} times in one process)"
    )


def round_of(context: Context, cut: Cut) -> Found:
    """Let the boxes come back once. Raises ``ChildEnded`` when it takes longer than the cut's limit."""
    folder = context.own_folder("reconnect")
    boxes = prepare_sqlite(folder, cut.boxes)
    with serving(folder) as central:
        spooled = _fill_spools(folder, boxes, central.url, cut)
        watch = _Watch(folder / "kampungnet.db", cut.boxes)
        go = folder / "go"
        command = [*module("bench_reconnect"), "--folder", str(folder), "--url", central.url]
        with running("uplinks", command, folder) as child:
            child.wait_for("the uplinks", (folder / "uplinks-ready").exists, 60)
            began = time.monotonic()
            go.touch()
            try:
                child.wait_for("fresh data of all", watch.seen_fresh, cut.limit_seconds)
                memory = [central.child.resident_megabytes()]

                def empty() -> bool:
                    memory.append(central.child.resident_megabytes())
                    return (folder / "uplinks-done").exists()

                child.wait_for("empty spools", empty, cut.limit_seconds)
                gone_at = time.monotonic()
            except ChildEnded as error:
                said = central.child.last_words()
                raise ChildEnded(f"{error}; {watch.fresh} of {cut.boxes} were fresh; the server: {said}") from error
            finally:
                watch.close()
        lost, doubled = _compared(central, boxes, spooled)
    shutil.rmtree(folder)
    found = Found(watch.fresh_at - began, gone_at - began, max(memory), max(memory) - memory[0], lost, doubled)
    context.say(f"fresh data of all after {number(found.fresh)} s, backlog gone after {number(found.gone)} s")
    return found


class _Watch:
    """Looks into the server's database from outside."""

    def __init__(self, file: Path, boxes: int) -> None:
        self._db, self._boxes = sqlite3.connect(f"file:{file}?mode=ro", uri=True), boxes
        self.fresh_at, self.fresh = 0.0, 0

    def seen_fresh(self) -> bool:
        """Say whether the newest reading of every village is there, and note when."""
        fresh = "SELECT count(DISTINCT site) FROM devices WHERE name = 'router' AND last_reading_ms > ?"
        (self.fresh,) = self._db.execute(fresh, (clock.now_ms() - FRESH_MS,)).fetchone()
        self.fresh_at = time.monotonic()
        return self.fresh == self._boxes

    def close(self) -> None:
        """Let go of the database."""
        self._db.close()


def _fill_spools(folder: Path, boxes: Sequence[Enrolled], url: str, cut: Cut) -> dict[int, bytes]:
    """Fill one spool by the agent's own code, as so long without a line leaves it, and give a copy to each box.

    Return what waits in it, by its number.
    """
    now_ms, box = clock.now_ms(), SteadyBox()
    step_ms, steps = cut.step_minutes * 60_000, cut.minutes // cut.step_minutes
    first = folder / "spools/first"
    first.mkdir(parents=True)
    spool = Spool(first / "spool.db", 16, box)
    routers = Readings(now_ms - steps * step_ms)
    for step in range(steps):
        at = now_ms - (steps - 1 - step) * step_ms - 5_000
        spool.add(msgspec.json.decode(routers.next(step_ms).payload, type=wire.Reading))
        if cut.onts:
            spool.add(msgspec.json.decode(ont_reading(step + 1, at).payload, type=wire.Reading))
    spool.close()
    for one in boxes:
        own = folder / "spools" / one.agent
        shutil.copytree(first, own)
        write_credential(own / "credential", one, url)
    with closing(sqlite3.connect(first / "spool.db")) as db:
        return dict(db.execute("SELECT sequence, payload FROM readings"))


def _compared(central: Central, boxes: Sequence[Enrolled], spooled: dict[int, bytes]) -> tuple[int, int]:
    """Return how many of the spooled readings are not stored, and how many are more than once, or otherwise."""
    found, changed = Counter[tuple[str, int]](), 0
    for agent, payload in stored_payloads(central.database_url):
        number_given = _NUMBER.decode(payload).sequence
        found[agent, number_given] += 1
        changed += spooled.get(number_given) != payload
    lost = len(boxes) * len(spooled) - len(found)
    return lost, found.total() - len(found) + changed


class _Numbered(msgspec.Struct):
    sequence: int


_NUMBER = msgspec.json.Decoder(_Numbered)


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
