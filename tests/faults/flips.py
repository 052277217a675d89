"""Single bits flipped in a spool file, as a dying SD card does it; then the agent's own spool goes on with the file."""

import contextlib
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kampungnet.shared import wire
from kampungnet_agent.box import Box
from kampungnet_agent.spool import Spool, Spooled
from kampungnet_agent.spool_file import PAGE_BYTES

ROWS = 300
SENT_ALREADY = range(150, 190)
_INNER_TABLE_PAGE = 5
MOST_TURNS = 50
"""Batches until a spool of 300 must be empty; a few more than it has, for what is set aside on the way."""


@dataclass
class Flips:
    """What became of the readings over all flips."""

    tried: int = 0
    destroyed: int = 0
    """Readings that could not be sent any more: the bit was theirs, or of the page they lay on."""
    noticed: int = 0
    """Flips after which the box counts damage in its health."""
    silent: list[str] = field(default_factory=list)
    """Readings were missing and the box counted no damage."""
    wrong: list[str] = field(default_factory=list)
    """Something was sent that was never written."""
    stuck: list[str] = field(default_factory=list)
    """Sent again and again, or never let go."""
    doubled: int = 0
    """Sent a second time with another content; the same again is the same to the server."""


def original(folder: Path, dice: random.Random) -> tuple[Path, dict[int, bytes]]:
    """Fill a spool as a cut line leaves it, with a hole of what was sent; return the file and what waits in it."""
    folder.mkdir()
    spool = Spool(folder / "spool.db", 8, Box())
    now_ms = Box().wall_ms()
    for number in range(ROWS):
        missing = ["x" * 200] * dice.choice([0, 2, 6, 60])
        body = wire.RouterBody(identity=f"Balai Desa {number}", missing=missing)
        spool.add(wire.Reading("boot", 0, "router", now_ms + number, number, wire.Outcome.OK, 12, body=body))
    spool.settle(SENT_ALREADY)
    spool.close()
    with contextlib.closing(sqlite3.connect(folder / "spool.db")) as db:
        waiting = dict(db.execute("SELECT sequence, payload FROM readings"))
    return folder / "spool.db", waiting


def flip_bits(tries: int, seed: int, folder: Path, *, signpost: bool = False) -> Flips:
    """Flip one bit of a fresh copy, let the spool be emptied as the uplink does, and compare; ``tries`` times.

    With ``signpost`` only in the page that leads to all others, which has no room to hide in.
    """
    dice, found = random.Random(seed), Flips()
    file, waiting = original(folder / "original", dice)
    raw = file.read_bytes()
    first, last = _signpost(raw) if signpost else (0, len(raw))
    for number in range(tries):
        bit = dice.randrange(first * 8, last * 8)
        _one(found, raw, bit, waiting, folder / str(number))
        shutil.rmtree(folder / str(number))
    return found


def _signpost(raw: bytes) -> tuple[int, int]:
    """Return where the cells of the table's inner page begin and end (file format of SQLite, section 1.6)."""
    start = next(at for at in range(PAGE_BYTES, len(raw), PAGE_BYTES) if raw[at] == _INNER_TABLE_PAGE)
    return start + int.from_bytes(raw[start + 5 : start + 7], "big"), start + PAGE_BYTES


def _one(found: Flips, raw: bytes, bit: int, waiting: dict[int, bytes], folder: Path) -> None:
    folder.mkdir()
    damaged = bytearray(raw)
    damaged[bit // 8] ^= 1 << bit % 8
    (folder / "spool.db").write_bytes(damaged)
    where = f"bit {bit % 8} of byte {bit // 8}"
    spool = Spool(folder / "spool.db", 8, Box())
    sent = Counter[tuple[int, bytes]]()
    fresh = spool.add(wire.Reading("boot", 0, "router", Box().wall_ms(), 1, wire.Outcome.UNREACHABLE, 12))
    for batch in _batches(spool):
        sent.update((one.sequence, one.payload) for one in batch)
    noticed, left = spool.state().corrupt > 0, spool.state().readings
    spool.close()
    found.tried += 1
    found.noticed += noticed
    missing = waiting.keys() - {sequence for sequence, _ in sent}
    found.destroyed += len(missing)
    found.doubled += len(sent) - len({sequence for sequence, _ in sent})
    if missing and not noticed:
        found.silent.append(f"{where}: {len(missing)}")
    if any(waiting.get(sequence, payload if sequence == fresh else b"") != payload for sequence, payload in sent):
        found.wrong.append(where)
    if left or fresh not in {sequence for sequence, _ in sent}:
        found.stuck.append(f"{where}: {left} left")


def _batches(spool: Spool) -> Iterator[list[Spooled]]:
    """Empty a spool: the newest first, then the oldest, and each batch is receipted."""
    batch = spool.newest(0)
    for _ in range(MOST_TURNS):
        if not batch:
            return
        yield batch
        spool.settle([one.sequence for one in batch])
        batch = spool.oldest(2**53)
