"""The month behind the demo: what agents would have read, stored through the same door reports take."""

import subprocess
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Final

import msgspec

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.errors import Unavailable
from kampungnet.demo.children import program
from kampungnet.devices import service as devices
from kampungnet.devices.models import Agent
from kampungnet.ingest import service as ingest
from kampungnet.ingest.envelope import Opened, Taken
from kampungnet.ingest.service import Checked
from kampungnet.shared import wire
from kampungnet.upkeep import pack_all
from kampungnet.villages import service as villages

DAYS: Final = 30
STEP_SECONDS: Final = 300
_BATCH: Final = 2_000
_NOBODY: Final = b"\0" * 32
"""A public key nobody has the private half of: the boxes of the past can never report again."""


class Line(msgspec.Struct):
    """One line of ``kampungnet-sim history``."""

    village: str
    reading: msgspec.Raw


def load(database: Database, chosen: list[str], expected: int, say: Callable[[str], None]) -> None:
    """Store a month of readings of ``expected`` villages, unless a month is there already."""
    command = [program("kampungnet-sim"), "history", *chosen, "--days", str(DAYS), "--step", str(STEP_SECONDS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603 -- our own command
        if process.stdout is None:
            raise Unavailable("the history could not be read")
        by_village = groupby(_lines(process.stdout), key=lambda line: line.village)
        for done, (village, lines) in enumerate(by_village, start=1):
            _store_village(database, village, lines)
            say(f"a month of history: {done} of {expected} villages")
    if process.returncode:
        raise Unavailable("the simulator could not tell the past: see its message above")


def _lines(stream: Iterable[bytes]) -> Iterator[Line]:
    decoder = msgspec.json.Decoder(Line)
    for line in stream:
        yield decoder.decode(line)


def _store_village(database: Database, village: str, lines: Iterable[Line]) -> None:
    with database.writes() as db:
        site = devices.ensure_site(db, villages.village(db, village))
        now_ms = clock.now_ms()
        agent = Agent(
            regency=site.regency, id=devices.random_code(16), site=site.code, public_key=_NOBODY,
            enrolled_ms=now_ms - DAYS * clock.DAY_MS, revoked_ms=now_ms, board="", version="",
        )  # fmt: skip
        db.add(agent)
        key = (agent.regency, agent.site, agent.id)
    batch: list[Taken] = []
    reading = msgspec.json.Decoder(wire.Reading)
    for line in lines:
        raw = bytes(line.reading)
        batch.append(Taken(len(batch), raw, reading.decode(raw)))
        if len(batch) == _BATCH:
            _store(database, key, batch)
            batch = []
    _store(database, key, batch)
    pack_all(database)


def _store(database: Database, key: tuple[str, str, str], batch: list[Taken]) -> None:
    if not batch:
        return
    regency, site, agent = key
    now_ms = clock.now_ms()
    envelope = wire.Envelope(
        wire.WIRE_VERSION, agent, sent_at_ms=now_ms, boot_id="history", boottime_ms=0, clock_synchronised=False,
        readings=[],
    )  # fmt: skip
    with database.writes() as db:
        ingest.accept(db, [Checked(regency, site, agent, now_ms, Opened(envelope, batch, []))])
