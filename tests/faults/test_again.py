"""What comes twice, and what unpacks to more than it says: over real sockets; what was receipted stands there once."""

import gzip
import hashlib
import os
import random
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, select

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.devices.models import Agent
from kampungnet.shared import wire
from kampungnet.upkeep import pack_all
from tests.faults import office
from tests.faults.reporters import Key, compare
from tests.faults.told import chance, times, told
from tests.support.server import Box, Running, enrolled, enrolment, issued_code, neighbours, signed_headers

REPORTS = times(60, 300)
MOST_AGAIN = 4
AT_ONCE = 8
OLD_MS = 5 * 3_600_000
"""Every second report is of readings that are packed as soon as they are stored."""
ENROLMENTS = times(5, 20)
MOST_GROWTH_BYTES = 20_000_000
"""After the first round of bombs; one that stayed would take more by itself."""
BOMB_BYTES = 60_000_000
ROUNDS = 3


def _reports(box: Box, dice: random.Random, sent: dict[Key, bytes]) -> list[bytes]:
    """Return requests of a box, packed and ready to be signed."""
    found = []
    for number in range(REPORTS):
        taken = clock.now_ms() - 1_000 - (OLD_MS if number % 2 else 0)
        readings = [box.reading(taken_at_ms=taken) for _ in range(dice.randint(1, 6))]
        payloads = [msgspec.json.encode(one) for one in readings]
        sent |= {(box.agent, one.sequence): payload for one, payload in zip(readings, payloads, strict=True)}
        found.append(gzip.compress(box.report(*payloads)))
    return found


def test_requests_that_come_again_in_any_order_and_at_once_change_nothing(
    database: Database, server: Running, box: Box
) -> None:
    seed = chance()
    dice, sent, receipted = random.Random(seed), dict[Key, bytes](), set[Key]()
    bodies = [body for body in _reports(box, dice, sent) for _ in range(dice.randint(2, MOST_AGAIN))]
    dice.shuffle(bodies)

    def post(body: bytes) -> None:
        headers = box.headers(body) | {"Content-Encoding": "gzip"}
        receipt = server.send("POST", wire.REPORTS_PATH, body, headers).receipt()
        assert receipt.refused == []
        receipted.update((box.agent, number) for number in receipt.accepted)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for half in (bodies[: len(bodies) // 2], bodies[len(bodies) // 2 :]):
            list(pool.map(post, half))
            pack_all(database)
    found = compare(database, receipted, sent)
    lost = found.lost + len(sent) - len(receipted)
    line = told("requests that came again", len(bodies), lost, found.doubled + found.changed, f"seed {seed}")
    assert (lost, found.doubled, found.changed) == (0, 0, 0), line


def test_an_enrolment_that_comes_again_makes_no_second_box(database: Database, server: Running) -> None:
    doubled, lost = 0, 0
    for _ in range(ENROLMENTS):
        with database.reads() as db:
            before = db.scalar(select(func.count()).select_from(Agent)) or 0
        body, headers = enrolment(issued_code(database), Ed25519PrivateKey.generate())
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(lambda _: server.send("POST", wire.ENROLMENTS_PATH, body, headers), range(4)))  # noqa: B023 -- done before the next
        names = {msgspec.json.decode(one.body)["agent"] for one in answers if one.status == 201}
        lost += not names
        with database.reads() as db:
            doubled += (db.scalar(select(func.count()).select_from(Agent)) or 0) - before - 1
        assert {one.status for one in answers} <= {201, 403, 404, 409, 410}, answers
        assert len(names) == 1
    line = told("enrolments that came again", 4 * ENROLMENTS, lost, doubled)
    assert (lost, doubled) == (0, 0), line


def _lying(plain: bytes, said: int) -> bytes:
    """Return gzip whose last four bytes name another size than it has."""
    return gzip.compress(plain, 9)[:-4] + said.to_bytes(4, "little")


def _settings_bomb(box: Box) -> bytes:
    """Return a good report whose reading holds settings that unpack to far more than settings are."""
    packed = zlib.compress(b" " * BOMB_BYTES, 9)
    body = wire.ConfigBody(digest=hashlib.sha256(b" ").hexdigest(), packed=packed)
    return gzip.compress(box.report(box.reading(body)))


BOMBS: dict[str, Callable[[Box], bytes]] = {
    "blanks": lambda _: gzip.compress(b" " * BOMB_BYTES, 9),
    "blanks in a report": lambda box: gzip.compress(box.report(box.reading())[:-1] + b" " * BOMB_BYTES + b"}", 9),
    "gzip in gzip": lambda _: gzip.compress(gzip.compress(b" " * BOMB_BYTES, 9), 9),
    "says it is small": lambda _: _lying(b" " * BOMB_BYTES, 10),
    "says it is large": lambda box: _lying(box.report(box.reading()), 2**32 - 1),
    "many members": lambda _: gzip.compress(b"") * 50_000,
    "nested lists": lambda _: gzip.compress(b"[" * (wire.MAX_UNPACKED_BYTES - 1), 9),
    "zstd": lambda _: b"\x28\xb5\x2f\xfd" + os.urandom(2_000),
    "settings in a reading": _settings_bomb,
}


def test_zip_bombs_are_refused_in_flat_memory_while_boxes_are_served(sqlite_database: Database, tmp_path: Path) -> None:
    box, (neighbour,) = enrolled(sqlite_database), neighbours(sqlite_database, 1)
    sent, receipted, wrong = dict[Key, bytes](), set[Key](), dict[str, int]()
    bombs = {name: make(box) for name, make in BOMBS.items()}
    with office.opened(sqlite_database, tmp_path) as opened:

        def report() -> None:
            reading = neighbour.reading()
            sent[neighbour.agent, reading.sequence] = msgspec.json.encode(reading)
            accepted = opened.running.report(neighbour, reading).receipt().accepted
            receipted.update((neighbour.agent, number) for number in accepted)

        report()
        resident = []
        for _ in range(ROUNDS):
            for name, body in bombs.items():
                headers = signed_headers(box.key, box.agent, wire.REPORTS_PATH, body) | {"Content-Encoding": "gzip"}
                answer = opened.running.send("POST", wire.REPORTS_PATH, body, headers)
                if (answer.status == 200 and answer.receipt().accepted) or answer.status >= 500:
                    wrong[name] = answer.status
                report()
            resident.append(opened.resident_bytes())
        assert opened.defects() == []
    found = compare(sqlite_database, receipted, sent)
    grown = resident[-1] - resident[0]
    line = told("zip bombs", ROUNDS * len(bombs), found.lost, found.doubled, f"{grown / 1e6:.0f} MB grown")
    assert (found.lost, found.doubled, found.changed) == (0, 0, 0), line
    assert wrong == {}, line
    assert grown < MOST_GROWTH_BYTES, line
