"""The running agent changes its key by itself when it is old, and its reports go on."""

import base64
from pathlib import Path

import msgspec
import pytest

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.devices.models import Agent
from kampungnet_agent import key_change
from kampungnet_agent.credential import Credential, read_credential, write_credential
from kampungnet_agent.key_change import DAY_MS, Identity, KeyKeeper
from kampungnet_agent.line import Line
from kampungnet_agent.report import Sender
from kampungnet_agent.spool import Spool
from kampungnet_agent.tally import Tally
from kampungnet_agent.uplink import Parts, Uplink
from kampungnet_agent.worker import Worker
from tests.agent.conftest import VillageBox
from tests.support.server import REGENCY, VILLAGE, Box, Running

DAYS = 180


@pytest.fixture
def place(box: Box, server: Running, tmp_path: Path) -> Path:
    """The credential file of the enrolled box, 181 days old."""
    path = tmp_path / "credential"
    seed = base64.b64encode(box.key.private_bytes_raw()).decode()
    made_ms = clock.now_ms() - (DAYS + 1) * DAY_MS
    write_credential(
        path, Credential(box.agent, VILLAGE, f"http://127.0.0.1:{server.port}", seed, made_ms=made_ms)
    )  # fmt: skip
    return path


@pytest.fixture
def here() -> VillageBox:
    box = VillageBox()
    box.now_ms = clock.now_ms()
    return box


def test_a_key_is_changed_when_it_is_old_and_the_clock_can_be_believed(
    place: Path, here: VillageBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_change, "SPREAD_SECONDS", 0.0)
    assert KeyKeeper(Identity(place), DAYS).is_due(here)
    assert not KeyKeeper(Identity(place), DAYS + 2).is_due(here)
    assert not KeyKeeper(Identity(place), 0).is_due(here), "0 days: never by itself"
    here.synchronised = False
    assert not KeyKeeper(Identity(place), DAYS).is_due(here)


def test_boxes_that_start_together_do_not_change_together(place: Path, here: VillageBox) -> None:
    assert not KeyKeeper(Identity(place), DAYS).is_due(here)
    kept = read_credential(place)
    write_credential(place, msgspec.structs.replace(kept, next_key=kept.private_key))
    assert KeyKeeper(Identity(place), 0).is_due(here), "but what was begun is finished at once"


async def test_a_running_agent_changes_its_key_between_two_reports(
    place: Path, here: VillageBox, box: Box, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_change, "SPREAD_SECONDS", 0.0)
    identity = Identity(place)
    spool, line, tally = Spool(tmp_path / "spool.db", 16, here), Line(identity.credential.server), Tally()
    workers = Worker("spool"), Worker("line")
    sender = Sender(box.agent, identity.sign, here)
    parts = Parts(spool, workers[0], line, workers[1], sender, tally, keeper=KeyKeeper(identity, DAYS))
    uplink = Uplink(parts)
    try:
        for _ in range(3):
            await workers[0].do(spool.add, box.reading(taken_at_ms=here.now_ms))
            uplink._live_due = 0.0
            await uplink._turn_or_wait(1.0)
    finally:
        line.close()
        await workers[0].do(spool.close)
        for worker in workers:
            worker.stop()
    assert (tally.sent_readings, tally.send_failures) == (3, 0)
    kept = read_credential(place)
    assert (kept.next_key, kept.made_ms) == ("", here.now_ms)
    with database.reads() as db:
        found = db.get_one(Agent, (REGENCY, box.agent))
        assert found.previous_key == box.key.public_key().public_bytes_raw()
        assert found.last_report_ms
