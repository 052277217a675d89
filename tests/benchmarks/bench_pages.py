"""What people and Prometheus wait for: metrics of 401 villages, the overview of 217 with a month behind them."""

import http.client
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.shared import wire
from kampungnet.staff import service as staff
from kampungnet.upkeep import pack_all
from kampungnet_agent.spool import Spooled
from tests.benchmarks.central import (
    Central,
    Enrolled,
    Readings,
    SteadyBox,
    ont_reading,
    prepare_sqlite,
    request_of,
    serving,
    sqlite_url,
)
from tests.benchmarks.context import Context
from tests.benchmarks.http_load import Address, run, spread
from tests.benchmarks.past import Past, store
from tests.benchmarks.rows import Goal, Row, at_most, median, number

ASKED = 30
PASSWORD = "seven-long-words-nobody-guesses"
HISTORIES = 4
DAYS = 30
STEP_SECONDS = 300
REGENCY = "35.10"
OVERVIEW_VILLAGES = 217
METRICS_VILLAGES = 401


def pages(context: Context) -> list[Row]:
    """Ask each page again and again over one connection."""
    return [_metrics(context), *_overview(context)]


def _metrics(context: Context) -> Row:
    folder = context.own_folder("pages-metrics")
    boxes = prepare_sqlite(folder, METRICS_VILLAGES)
    with serving(folder) as central:
        report_once(central, boxes)
        took, size = ask(central.address, "/metrics", {}, b"kampungnet_device_up")
    context.say(f"/metrics: {number(took)} ms, {number(size / 1e6)} MB")
    return at_most(f"`/metrics` for {METRICS_VILLAGES} villages ({number(size / 1e6)} MB)", took, "ms", (300, 100))


def _overview(context: Context) -> list[Row]:
    folder = context.own_folder("pages-overview")
    boxes = prepare_month(folder)
    with serving(folder) as central:
        report_once(central, boxes)
        cookie = {"Cookie": sign_in(central.address, "sari")}
        took, size = ask(central.address, "/", cookie, boxes[-1].village.encode())
        village, _ = ask(central.address, f"/desa/{boxes[0].village}", cookie, b"svg")
    context.say(f"overview: {number(took)} ms, {number(size / 1e3)} kB; one village's page: {number(village)} ms")
    what = f"overview page, {OVERVIEW_VILLAGES} villages with {DAYS} days behind them, signed in"
    page_of_one = Row(
        f"page of one village with {DAYS} days behind it", f"{number(village)} ms", "–", "–", Goal(None, None), None
    )
    return [at_most(what, took, "ms", (150, 60)), page_of_one]


def prepare_month(folder: Path) -> list[Enrolled]:
    """Fill a database with the villages of the overview and a month behind each; Ibu Sari may sign in."""
    boxes = prepare_sqlite(folder, OVERVIEW_VILLAGES, "banyuwangi")
    database = Database(sqlite_url(folder))
    with database.writes() as db:
        scope = staff.Scope(REGENCY, None)
        staff.add_staff(db, staff.NewStaff("sari", "Ibu Sari", staff.Role.ENGINEER, scope), PASSWORD)
    until_ms = clock.now_ms() - 2 * 3_600_000
    store(database, boxes[:HISTORIES], Past("banyuwangi", DAYS, STEP_SECONDS, until_ms))
    pack_all(database)
    database.close()
    _repeat_history(folder / "kampungnet.db", boxes)
    return boxes


def report_once(central: Central, boxes: Sequence[Enrolled]) -> None:
    """Let every box report its router and its ONT as they are now."""
    now_ms, box = clock.now_ms(), SteadyBox()
    requests = []
    for one in boxes:
        readings: list[Spooled] = [Readings(now_ms - 1000, first=900_001).next(0), ont_reading(900_002, now_ms)]
        requests.append(
            [request_of(one.sender(box), readings, wire.AgentHealth(version="bench", board="Raspberry Pi"))]
        )
    run(central.address, spread(requests, 8)).expect_only(b"200")


def ask(address: Address, path: str, headers: Mapping[str, str], must_hold: bytes) -> tuple[float, int]:
    """Return the median of the milliseconds a page takes, and its size."""
    took, size = ask_again(address, path, headers, must_hold)
    return median(took[3:]), size


def ask_again(address: Address, path: str, headers: Mapping[str, str], must_hold: bytes) -> tuple[list[float], int]:
    """Return the milliseconds a page takes each time, and its size."""
    connection = http.client.HTTPConnection(address.host, address.port, timeout=60)
    took, size = [], 0
    try:
        for _ in range(ASKED):
            began = time.perf_counter()
            connection.request("GET", path, headers=dict(headers))
            answer = connection.getresponse()
            body = answer.read()
            took.append((time.perf_counter() - began) * 1000)
            if answer.status != 200 or must_hold not in body:
                raise RuntimeError(f"{path} answered {answer.status} without {must_hold.decode()}")
            size = len(body)
    finally:
        connection.close()
    return took, size


def sign_in(address: Address, username: str) -> str:
    """Return the cookie of a new session."""
    connection = http.client.HTTPConnection(address.host, address.port, timeout=60)
    try:
        form = urlencode({"username": username, "password": PASSWORD, "ke": "/"})
        origin = f"http://{address.host}:{address.port}"
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": origin}
        connection.request("POST", "/masuk", form, headers)
        answer = connection.getresponse()
        answer.read()
        cookie = answer.getheader("Set-Cookie", "")
    finally:
        connection.close()
    if answer.status != 303 or not cookie:
        raise RuntimeError(f"signing in answered {answer.status}")
    return cookie.partition(";")[0]


def _repeat_history(file: Path, boxes: Sequence[Enrolled]) -> None:
    """Give the months of the first villages to the others too: making each would take half an hour."""
    with closing(sqlite3.connect(file)) as db:
        places = dict(db.execute("SELECT id, site FROM agents"))
        for number_of, box in enumerate(boxes[HISTORIES:]):
            source = boxes[number_of % HISTORIES]
            for table in ("reading_days", "slot_days"):
                names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
                own = {"agent": "?2", "site": "?4"}
                wanted = ", ".join(own.get(name, name) for name in names)
                where = "agent = ?1" if "agent" in names else "site = ?3"
                values = (source.agent, box.agent, places[source.agent], places[box.agent])
                # Every number has to stand somewhere in the statement.
                db.execute(
                    f"INSERT INTO {table} ({', '.join(names)}) SELECT {wanted} FROM {table} "
                    f"WHERE {where} AND ?1 || ?2 || ?3 || ?4 IS NOT NULL",
                    values,
                )
        db.commit()
