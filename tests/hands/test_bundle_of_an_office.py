"""Two offices in one process, against a real server: the bundle of one says nothing of the other, and no secret."""

import asyncio
import base64
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.hands import bundles, service
from kampungnet.hands.models import RemoteOrder
from kampungnet.hands.service import State, Wish
from kampungnet.shared.orders import OrderKind
from kampungnet_agent.credential import Credential, write_credential
from tests.hands.scene import ENGINEER, able
from tests.support.ports import free_port
from tests.support.server import NEIGHBOUR, REGENCY, VILLAGE, Box, Running, enrolled, serving

PATIENCE_SECONDS = 120
PASSWORD = "sandi-router-desa"
PLACES = {"kampunganyar": VILLAGE, "rejosari": NEIGHBOUR}


def _settings(server: Running, box: Box, folder: Path) -> Path:
    """Write what an office is set up as: a router that is not there, whose name nobody else has."""
    folder.mkdir()
    url, key = f"http://127.0.0.1:{server.port}", base64.b64encode(box.key.private_bytes_raw()).decode()
    write_credential(folder / "credential", Credential(box.agent, "", url, key, made_ms=clock.now_ms()))
    (folder / "password").write_text(PASSWORD)
    (folder / "password").chmod(0o600)
    path = folder / "agent.toml"
    path.write_text(
        f'[server]\nurl = "{url}"\ncredential_file = "{folder}/credential"\nreport_interval_seconds = 1\n'
        f'[spool]\npath = "{folder}/spool.db"\n'
        f'[[devices]]\nname = "router-{folder.name}"\ndriver = "mikrotik"\naddress = "127.0.0.1:{free_port()}"\n'
        f'username = "kampungnet"\npassword_file = "{folder}/password"\ninterval_seconds = 1\ntimeout_seconds = 5\n'
    )
    return path


@contextmanager
def _agent(configs: list[Path], log: Path) -> Iterator[None]:
    words = [word for config in configs for word in ("--config", str(config))]
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "kampungnet_agent.main", "run", *words], stdout=file, stderr=file
        )
        try:
            yield
        finally:
            process.terminate()
            assert process.wait(30) == 0, log.read_text()


async def _until_seen(log: Path, words: str) -> None:
    for _ in range(PATIENCE_SECONDS * 10):
        if words in log.read_text():
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"never logged: {words}\n{log.read_text()}")


async def _bundle(database: Database, village: str) -> tuple[str, list[str]]:
    """Ask for a village's bundle and wait for it; return all of it, and its lines of the log."""
    with database.writes() as db:
        order = service.ask(db, ENGINEER, (REGENCY, f"{village}-1"), Wish(OrderKind.BUNDLE, "", ""), clock.now_ms()).id
    for _ in range(PATIENCE_SECONDS * 10):
        with database.reads() as db:
            found = bundles.of_order(db, REGENCY, order)
            assert db.get_one(RemoteOrder, (REGENCY, order)).state != State.FAILED
        if found is not None:
            opened = bundles.opened(found.packed)
            log = next(one.lines for one in opened.sections if one.name == "catatan")
            return msgspec.json.encode(opened).decode(), log
        await asyncio.sleep(0.1)
    raise AssertionError("the bundle never came")


async def test_of_two_offices_in_a_process_each_tells_of_itself_only(sqlite_database: Database, tmp_path: Path) -> None:
    boxes = {name: enrolled(sqlite_database, village) for name, village in PLACES.items()}
    for name, village in PLACES.items():
        able(sqlite_database, boxes[name], f"{village}-1")
    log = tmp_path / "log"
    with serving(sqlite_database) as server:
        configs = [_settings(server, boxes[name], tmp_path / name) for name in PLACES]
        with _agent(configs, log):
            for name in PLACES:
                await _until_seen(log, f"/router-{name}: unreachable")
            for name, other in (("kampunganyar", "rejosari"), ("rejosari", "kampunganyar")):
                text, lines = await _bundle(sqlite_database, PLACES[name])
                assert any(f"{boxes[name].agent}/router-{name}: unreachable" in line for line in lines)
                assert any(f"{boxes[name].agent}/order" in line for line in lines)
                assert other not in text
                assert boxes[other].agent not in text
                assert "spool readings" in text
                assert PASSWORD not in text
