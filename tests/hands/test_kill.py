"""The same with real processes: killed (SIGKILL) at every second step, the agent goes on with what is on the disk."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import update

from kampungnet import tables
from kampungnet.core.database import Database
from kampungnet.hands import service
from kampungnet.hands.models import RemoteOrder
from kampungnet.hands.service import State
from kampungnet_agent.acts import About
from tests.hands.scene import Fate, HandsOfBox, Killed, Router, able, asked, order_of, settled
from tests.support.server import Box, enrolled, url_of

LONG_BEFORE, MOST_STEPS = 90_000, 40
_CONTEXT = multiprocessing.get_context("forkserver")


class Sudden(Fate):
    """Ends this process at the chosen step, without a word to anybody."""

    def step(self, error: Callable[[], BaseException] = Killed) -> None:  # noqa: ARG002 - as its parent's
        """Count a step."""
        self.steps += 1
        if self.steps == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


class RouterOnDisk(Router):
    """Whose starts are lines of a file, which outlives the agent."""

    def __init__(self, path: Path, fate: Fate) -> None:
        super().__init__(fate)
        self._path = path
        self.uptime_seconds = 5 if path.exists() else LONG_BEFORE

    async def restart(self, about_to: About) -> None:
        """Start anew."""
        self.fate.step()
        await about_to(self.uptime_seconds)
        self.fate.step()
        with self._path.open("a") as file:
            file.write("started\n")
        self.uptime_seconds = 0
        self.fate.step()


def _agent(url: str, agent: str, key: bytes, folder: Path, at: int) -> None:
    """Be the agent's process; end by SIGKILL at a step, or when all is told."""
    tables.load()
    database = Database(url)
    fate = Sudden(at)
    box = HandsOfBox(database, Box(agent, Ed25519PrivateKey.from_private_bytes(key)), folder, fate)
    box.router = RouterOnDisk(folder / "starts", fate)
    box.begun()
    asyncio.run(settled(box, 7))
    box.close()
    database.close()


def _run(database: Database, box: Box, folder: Path, at: int) -> bool:
    """Run the agent until it ends; return whether it was killed."""
    arguments = (url_of(database), box.agent, box.key.private_bytes_raw(), folder, at)
    process = _CONTEXT.Process(target=_agent, args=arguments)
    process.start()
    process.join(60)
    assert process.exitcode in {0, -signal.SIGKILL}, process.exitcode
    return process.exitcode != 0


def test_killed_at_many_steps_it_restarts_the_router_once_or_not_at_all_and_says_the_truth(
    sqlite_database: Database, tmp_path: Path
) -> None:
    _CONTEXT.set_forkserver_preload([__name__])
    box = enrolled(sqlite_database)
    able(sqlite_database, box)
    killed = 0
    for at in range(1, MOST_STEPS, 2):
        folder = tmp_path / f"{at}"
        folder.mkdir()
        with sqlite_database.writes() as db:
            db.execute(update(RemoteOrder).values(asked_ms=RemoteOrder.asked_ms - service.HOUR_MS))
        order = asked(sqlite_database)
        was_killed = _run(sqlite_database, box, folder, at)
        if was_killed:
            assert not _run(sqlite_database, box, folder, 0)
        starts = (folder / "starts").read_text().count("started") if (folder / "starts").exists() else 0
        found = order_of(sqlite_database, order)
        assert starts <= 1, at
        assert (found.state == State.DONE) == (starts == 1), (at, found.state, found.why)
        killed += was_killed
        if not was_killed:
            break
    assert killed > 5
    assert not was_killed, "the last one went through without a kill"
