"""Days of the past in a database: what the simulator says agents read, stored and packed by the server's own code."""

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import select

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.devices.models import Agent
from kampungnet.ingest import service as ingest
from kampungnet.ingest.envelope import Opened, Taken
from kampungnet.ingest.service import Checked
from kampungnet.shared import wire
from kampungnet.villages import service as villages
from tests.benchmarks.central import Enrolled
from tests.benchmarks.process import Unusable, program

STORED_AT_ONCE = 2_000


@dataclass(frozen=True)
class Past:
    """Which past is wanted, ending at an instant."""

    register: str
    days: int
    step_seconds: int
    until_ms: int


class _Line(msgspec.Struct):
    village: str
    reading: msgspec.Raw


def store(database: Database, boxes: Sequence[Enrolled], past: Past) -> int:
    """Store the past of these boxes; nothing is packed yet. Return how many readings it has."""
    by_village = {one.village: one for one in boxes}
    batch: list[Taken] = []
    number, of = 0, ""
    for line in _lines(list(by_village), past):
        if batch and (line.village != of or len(batch) == STORED_AT_ONCE):
            _accept(database, by_village[of], batch)
            batch = []
        of = line.village
        raw = bytes(line.reading)
        batch.append(Taken(len(batch), raw, msgspec.json.decode(raw, type=wire.Reading)))
        number += 1
    if batch:
        _accept(database, by_village[of], batch)
    return number


def _lines(codes: Sequence[str], past: Past) -> Iterator[_Line]:
    until = clock.local(past.until_ms, "UTC").isoformat()
    command = [
        program("kampungnet-sim"), "history", "--register", str(villages.register_path(past.register)),
        "--only", *codes, "--days", str(past.days), "--step", str(past.step_seconds), "--until", until,
    ]  # fmt: skip
    decode = msgspec.json.Decoder(_Line).decode
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        if process.stdout is None:
            raise Unusable("the simulator's history could not be read")
        for line in process.stdout:
            yield decode(line)
    if process.returncode:
        raise Unusable("the simulator could not tell the past")


def _accept(database: Database, box: Enrolled, batch: list[Taken]) -> None:
    now_ms = clock.now_ms()
    envelope = wire.Envelope(
        wire.WIRE_VERSION, box.agent, sent_at_ms=now_ms, boot_id="history", boottime_ms=0, clock_synchronised=False,
        readings=[],
    )  # fmt: skip
    with database.writes() as db:
        regency, site = db.execute(select(Agent.regency, Agent.site).where(Agent.id == box.agent)).one()
        ingest.store(db, [Checked(regency, site, box.agent, now_ms, Opened(envelope, batch, []))])
