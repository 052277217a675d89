"""Free wifi on the server: the login page at a market's pace, and 401 boxes that each hold a request open."""

import asyncio
import base64
import time
from pathlib import Path
from urllib.parse import urlencode

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.hotspot import desk, portals
from kampungnet.hotspot.policy import Policy
from kampungnet.shared import wire
from kampungnet.shared.wanted import WANTED_PATH, WantedAnswer, WantedQuestion
from kampungnet.staff.service import Role, Scope, SignedIn
from tests.benchmarks.central import Central, Enrolled, prepare_sqlite, serving, sqlite_url
from tests.benchmarks.context import Context
from tests.benchmarks.rows import Row, at_most, number

RATE, SECONDS, CONNECTIONS = 200, 15, 40
BOXES, HELD_SECONDS = 401, 25
LOGIN = "http://wifi.desa/login"


def portal_page(context: Context) -> list[Row]:
    """200 requests a second, sent when they are due whether or not the ones before were answered."""
    folder = context.own_folder("portal-page")
    box = prepare_sqlite(folder, 1)[0]
    _offer(folder, box)
    handed = {"link-login-only": LOGIN, "mac": "D6:00:00:00:00:01", "trial": "yes"}
    request = f"GET /portal/{box.village}?{urlencode(handed)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    with serving(folder) as central:
        asyncio.run(_at_rate(central, request, 2))  # templates are compiled, connections of the database stand
        cpu = central.child.cpu_seconds()
        took = sorted(asyncio.run(_at_rate(central, request, SECONDS)))
        cpu = central.child.cpu_seconds() - cpu
    p99 = took[len(took) * 99 // 100]
    context.say(
        f"median {number(took[len(took) // 2])} ms, p99 {number(p99)} ms, {number(cpu / len(took) * 1000)} ms CPU"
    )
    return [at_most(f"login page on the server, p99 at {RATE} requests a second", p99, "ms", (50, 20))]


def _offer(folder: Path, box: Enrolled) -> None:
    database, now_ms = Database(sqlite_url(folder)), clock.now_ms()
    by, place = SignedIn("bench", "Bench", Role.ENGINEER, Scope(box.village[:5])), (box.village[:5], f"{box.village}-1")
    with database.writes() as db:
        portals.set_policy(db, by, place, Policy(logins=(LOGIN,), greeting="Sugeng rawuh"), now_ms)
        desk.say(db, by, place, "Besok listrik padam dari jam 9 sampai 12.", 7, now_ms)
    database.close()


async def _at_rate(central: Central, request: bytes, seconds: int) -> list[float]:
    began, total = time.perf_counter() + 0.2, RATE * seconds
    lines = [asyncio.open_connection(central.address.host, central.address.port) for _ in range(CONNECTIONS)]
    streams = await asyncio.gather(*lines)
    took: list[float] = []

    async def visitor(place: int) -> None:
        reader, writer = streams[place]
        for turn in range(place, total, CONNECTIONS):
            due = began + turn / RATE
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            writer.write(request)
            await _answer(reader)
            took.append((time.perf_counter() - due) * 1000)
        writer.close()

    await asyncio.gather(*(visitor(place) for place in range(CONNECTIONS)))
    return took


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head[:100])
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return await reader.readexactly(int(length.split(b":")[1]))


def held_requests(context: Context) -> list[Row]:
    """Memory and CPU of the server while 401 boxes wait for a change, against the same server with nobody waiting."""
    folder = context.own_folder("portal-held")
    boxes = prepare_sqlite(folder, BOXES)
    with serving(folder) as central:
        before = _resident(central)
        asked, share = asyncio.run(_all_held(central, boxes))
        more = asked - before
    context.say(f"{number(before)} MB with nobody, {number(asked)} MB with {BOXES}")
    return [
        at_most(f"{BOXES} held requests: more memory of the server", more, "MB", (100, 50)),
        at_most(f"{BOXES} held requests: CPU, over {HELD_SECONDS} s", share, "% of a core", (5, 2.5)),
    ]


async def _all_held(central: Central, boxes: list[Enrolled]) -> tuple[float, float]:
    """Return the server's memory in MB and its share of a core in percent while everybody waits."""
    slots, waiting = asyncio.Semaphore(20), []

    async def ask(box: Enrolled) -> None:
        reader, writer = await asyncio.open_connection(central.address.host, central.address.port)
        async with slots:
            writer.write(_question(box, 0))
            wanted = msgspec.json.decode(await _answer(reader), type=WantedAnswer).wanted
        if wanted is None:
            raise RuntimeError("a new box was told nothing")
        writer.write(_question(box, wanted.revision))
        waiting.append((asyncio.create_task(_answer(reader)), writer))

    await asyncio.gather(*(ask(box) for box in boxes))
    await asyncio.sleep(5)  # all of them are read and noted
    cpu, began = central.child.cpu_seconds(), time.perf_counter()
    await asyncio.sleep(HELD_SECONDS)
    share = 100 * (central.child.cpu_seconds() - cpu) / (time.perf_counter() - began)
    resident = _resident(central)
    if any(task.done() for task, _ in waiting):
        raise RuntimeError("somebody was not held")
    for task, writer in waiting:
        task.cancel()
        writer.close()
    return resident, share


def _question(box: Enrolled, revision: int) -> bytes:
    body = msgspec.json.encode(WantedQuestion(box.agent, clock.now_ms(), revision, revision))
    key = Ed25519PrivateKey.from_private_bytes(box.seed)
    signature = base64.b64encode(key.sign(wire.signing_bytes("POST", WANTED_PATH, box.agent, body))).decode()
    lines = [
        f"POST {WANTED_PATH} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}",
        f"{wire.AGENT_HEADER}: {box.agent}", f"{wire.SIGNATURE_HEADER}: {signature}",
    ]  # fmt: skip
    return "\r\n".join([*lines, "", ""]).encode() + body


def _resident(central: Central) -> float:
    """Return the memory of all server processes in MB; what they share counts once."""
    first = central.child.pid
    others = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    rollups = [Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() for pid in (str(first), *others)]
    return sum(int(line.split()[1]) for lines in rollups for line in lines if line.startswith("Pss:")) * 1024 / 1e6
