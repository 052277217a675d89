"""The month behind the demo: what agents would have read, stored through the same door reports take.

Runs as ``python -m kampungnet.demo.history``, once a core, because a month is a lot of work.
"""

import argparse
import subprocess
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet import tables
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.errors import Unavailable
from kampungnet.demo.children import program
from kampungnet.devices import service as devices
from kampungnet.devices.models import Agent
from kampungnet.ingest import service as ingest
from kampungnet.ingest.envelope import Opened, Taken
from kampungnet.ingest.service import Checked
from kampungnet.measurement import outage_log
from kampungnet.shared import wire
from kampungnet.upkeep import pack_one
from kampungnet.villages import service as villages

DAYS: Final = 30
STEP_SECONDS: Final = 300
_BATCH: Final = 2_000
_NOBODY: Final = b"\0" * 32
"""A public key nobody has the private half of: the boxes of the past can never report again."""
_READING: Final = msgspec.json.Decoder(wire.Reading)


class Line(msgspec.Struct):
    """One line of ``kampungnet-sim history``."""

    village: str
    reading: msgspec.Raw


def filled(db: Session) -> set[str]:
    """Return the sites whose month is there."""
    return set(db.scalars(select(Agent.site).where(Agent.public_key == _NOBODY)))


def main() -> None:
    """Store a month of readings; what is not known here is the simulator's, and names the villages."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--data", required=True, type=Path, help="the demo's folder")
    parser.add_argument("--dark", default="", help="a village whose box has no power")
    parser.add_argument("--dark-since-ms", type=int, default=0, help="since when, in ms since 1970")
    parser.add_argument("--judge", nargs="*", default=[], help="villages whose outages shall be known at once")
    options, chosen = parser.parse_known_args()
    tables.load()
    database = Database(f"sqlite:///{options.data / 'kampungnet.db'}")
    span = ["--days", str(DAYS), "--step", str(STEP_SECONDS), "--workers", "1"]
    command = [program("kampungnet-sim"), "history", *span, *chosen]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603 -- our own command
        if process.stdout is None:
            raise Unavailable("the history could not be read")
        for village, lines in groupby(_lines(process.stdout), key=lambda line: line.village):
            store_village(database, village, lines, options.dark_since_ms if village == options.dark else None)
            if village in options.judge:
                judge(database, village)
    database.close()
    if process.returncode:
        raise Unavailable("the simulator could not tell the past")


def _lines(stream: Iterable[bytes]) -> Iterator[Line]:
    decoder = msgspec.json.Decoder(Line)
    for line in stream:
        yield decoder.decode(line)


def store_village(database: Database, village: str, lines: Iterable[Line], until_ms: int | None) -> None:
    """Store the readings of one village up to ``until_ms`` (since 1970), all of them or none."""
    # All lines first and then one transaction: whoever ends the demo half-way leaves a whole month or none.
    month = [bytes(line.reading) for line in lines]
    with database.writes() as db:
        site = devices.ensure_site(db, villages.village(db, village))
        now_ms = clock.now_ms()
        agent = Agent(
            regency=site.regency, id=devices.random_code(16), site=site.code, public_key=_NOBODY,
            enrolled_ms=now_ms - DAYS * clock.DAY_MS, revoked_ms=now_ms, board="", version="",
        )  # fmt: skip
        db.add(agent)
        db.flush()
        key = (agent.regency, agent.site, agent.id)
        for first in range(0, len(month), _BATCH):
            _store(db, key, month[first : first + _BATCH], until_ms)
    pack_one(database, key[0], key[2], clock.now_ms())


def judge(database: Database, village: str) -> None:
    """Judge the outages of a village's month at once; for all villages it would take as long as the month itself."""
    with database.reads() as db:
        judged = outage_log.plan(db, (village[:5], f"{village}-1"), clock.now_ms())
    with database.writes() as db:
        outage_log.carry_out(db, judged)


def _store(db: Session, key: tuple[str, str, str], lines: list[bytes], until_ms: int | None) -> None:
    taken = [Taken(number, raw, _READING.decode(raw)) for number, raw in enumerate(lines)]
    known = [one for one in taken if until_ms is None or one.reading.taken_at_ms <= until_ms]
    regency, site, agent = key
    now_ms = clock.now_ms()
    envelope = wire.Envelope(
        wire.WIRE_VERSION, agent, sent_at_ms=now_ms, boot_id="history", boottime_ms=0, clock_synchronised=False,
        readings=[],
    )  # fmt: skip
    ingest.store(db, [Checked(regency, site, agent, now_ms, Opened(envelope, known, []))])


if __name__ == "__main__":
    main()
