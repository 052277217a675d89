"""The month behind the demo: what agents would have read, as it would rest by now.

The last hour goes through the same door that reports take. What is older is laid to rest by the same rules, without
having been young first: that took as long as packing it.

Runs as ``python -m kampungnet.demo.history``, once a core, because a month is a lot of work.
"""

import argparse
import gc
import subprocess
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kampungnet import tables
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.errors import Unavailable
from kampungnet.demo.children import program
from kampungnet.devices import service as devices
from kampungnet.devices.models import Agent
from kampungnet.devices.service import NewState
from kampungnet.ingest import service as ingest
from kampungnet.ingest.envelope import Opened, Taken
from kampungnet.ingest.service import Checked
from kampungnet.measurement import outage_log, rest
from kampungnet.measurement.boots import TimeQuality
from kampungnet.measurement.models import YoungReading
from kampungnet.shared import wire
from kampungnet.villages import service as villages

DAYS: Final = 30
STEP_SECONDS: Final = 300
_AHEAD_MS: Final = 3_600_000
"""How far past the start of telling it is told: each village's month is cut where its box begins, or now."""
_NOBODY: Final = b"\0" * 32
"""A public key nobody has the private half of: the boxes of the past can never report again."""
_READING: Final = msgspec.json.Decoder(wire.Reading)


class _Head(msgspec.Struct, gc=False):
    """What has to be known of a reading to lay it to rest."""

    boot_id: str
    sequence: int
    device: str
    taken_at_ms: int
    outcome: wire.Outcome


_HEAD: Final = msgspec.json.Decoder(_Head)
_One = tuple[_Head, bytes]


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
    # A month is many objects and no cycles: looking for those took a sixth of the time.
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
    database = Database(f"sqlite:///{options.data / 'kampungnet.db'}")
    until_ms = clock.now_ms() + _AHEAD_MS
    span = ["--days", str(DAYS + _AHEAD_MS / clock.DAY_MS), "--step", str(STEP_SECONDS), "--workers", "1"]
    span += ["--until", clock.local(until_ms, clock.WIB).isoformat()]
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
    """Store the readings of one village up to ``until_ms`` (since 1970), all of them or none.

    Without it up to now, or to where its box that runs by now has begun: a gap between the two would be an outage.
    """
    month = [(_HEAD.decode(line.reading), bytes(line.reading)) for line in lines]
    now_ms = clock.now_ms()
    with database.writes() as db:
        site = devices.ensure_site(db, villages.village(db, village)).code
        until_ms = until_ms or _runs_since(db, village[:5], site) or now_ms
    month = [one for one in month if one[0].taken_at_ms <= until_ms]
    agent = Agent(
        regency=village[:5], id=devices.random_code(16), site=site, public_key=_NOBODY,
        enrolled_ms=now_ms - DAYS * clock.DAY_MS, revoked_ms=now_ms, ended="replaced", board="", version="",
    )  # fmt: skip
    key = (agent.regency, agent.site, agent.id)
    old, young = _parted(month, rest.border_ms(now_ms))
    received = (_received(site, one, now_ms) for one in old)
    with database.reads() as db:
        planned = rest.plan_of(db, agent.regency, agent.id, received)
    # One transaction for all of it: whoever ends the demo half-way leaves a whole month or none.
    with database.writes() as db:
        db.add(agent)
        db.flush()
        rest.carry_out(db, planned)
        devices.record_state(db, (_state(key, one) for one in _newest(old)))
        _store(db, key, [raw for _, raw in young], now_ms)


def _runs_since(db: Session, regency: str, site: str) -> int | None:
    """Return when the box of a site was heard of first."""
    return db.scalar(
        select(func.min(YoungReading.taken_ms)).where(YoungReading.regency == regency, YoungReading.site == site)
    )


def _parted(month: Iterable[_One], border_ms: int) -> tuple[list[_One], list[_One]]:
    """Return the readings that would rest by now, and those that would still be young."""
    old: list[_One] = []
    young: list[_One] = []
    for one in month:
        (old if one[0].taken_at_ms < border_ms else young).append(one)
    return old, young


def _received(site: str, one: _One, stored_ms: int) -> rest.Received:
    head, raw = one
    # Of its boot nothing was ever reported, so the box's own clock is all that is known of the time.
    return rest.Received(
        site, head.device, raw, stored_ms, head.boot_id, head.sequence, head.taken_at_ms, TimeQuality.RAW
    )


def _newest(month: Iterable[_One]) -> Iterable[_One]:
    """Return the last reading of each device, and its last good one: all that its state is made of."""
    return {(head.device, head.outcome is wire.Outcome.OK): (head, raw) for head, raw in month}.values()


def _state(key: tuple[str, str, str], one: _One) -> NewState:
    return NewState(key[0], key[1], one[0].taken_at_ms, _READING.decode(one[1]))


def judge(database: Database, village: str) -> None:
    """Judge the outages of a village's month at once; for all villages it would take as long as the month itself."""
    with database.reads() as db:
        judged = outage_log.plan(db, (village[:5], f"{village}-1"), clock.now_ms())
    with database.writes() as db:
        outage_log.carry_out(db, judged)


def _store(db: Session, key: tuple[str, str, str], lines: list[bytes], now_ms: int) -> None:
    taken = [Taken(number, raw, _READING.decode(raw)) for number, raw in enumerate(lines)]
    regency, site, agent = key
    envelope = wire.Envelope(
        wire.WIRE_VERSION, agent, sent_at_ms=now_ms, boot_id="history", boottime_ms=0, clock_synchronised=False,
        readings=[],
    )  # fmt: skip
    ingest.store(db, [Checked(regency, site, agent, now_ms, Opened(envelope, taken, []))])


if __name__ == "__main__":
    main()
