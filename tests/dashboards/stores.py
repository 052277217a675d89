"""A regency as the demo makes it in a real PostgreSQL, and a real Prometheus that it is pushed to."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import urlencode

import msgspec
from sqlalchemy import select

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.demo import books, cast, history, run
from kampungnet.demo.children import program
from kampungnet.measurement import incident_log, packing
from kampungnet.measurement.models import ReadingDay, YoungReading
from kampungnet.shared import wire
from kampungnet.villages import service as villages
from tests.support import monitoring
from tests.support.server import Box, Running, enrolled, router_body

RECORDING: Final = monitoring.RULES / "recording.yml"
RECORDED_LAST: Final = "regency:kampungnet_agent_conflicts:rate5m"
"""A recorded series that needs two scrapes."""
VILLAGES = 6
"""As few as have all parts: a dark box, a cut fibre, an ageing connector."""
ROUNDS = 3
WAIT_SECONDS = 60


def fill(database: Database) -> cast.Cast:
    """Fill a migrated database as the demo does: register, books, and of two villages a day of readings, judged."""
    with database.writes() as db, villages.register_path(run.REGISTER).open(encoding="utf-8") as lines:
        villages.import_register(db, lines)
    until_ms = _after_the_cut(clock.now_ms())
    since_ms = until_ms - cast.CUT_AFTER_DAYS * clock.DAY_MS
    with database.reads() as db:
        chosen = cast.choose(villages.names(db, run.REGENCY), VILLAGES)
    people = run.signed_in(chosen.codes[0])
    with database.writes() as db:
        books.keep(db, [people[one] for one in run.BOOKS], chosen.codes, since_ms)
    chosen.lay_cables(database)
    with_past = (chosen.trunk[0], chosen.dark)
    register = ["--register", str(villages.register_path(run.REGISTER)), "--seed", run.SEED]
    span = ["--days", "1", "--until", clock.local(until_ms, clock.WIB).isoformat(), "--only", *with_past]
    command = [program("kampungnet-sim"), "history", *register, *chosen.past(since_ms), *span]
    past = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout.splitlines()
    lines_of = [msgspec.json.decode(line, type=history.Line) for line in past]
    for code in with_past:
        history.store_village(database, code, (line for line in lines_of if line.village == code), None)
        history.judge(database, code)
    with database.writes() as db:
        incident_log.update(db, run.REGENCY, clock.now_ms())
    return chosen


def _after_the_cut(now_ms: int) -> int:
    """Return the newest 14.00 o'clock: the day before it holds the whole cut of the trunk cable."""
    at_two = clock.day_start_ms(clock.local_day(now_ms, clock.WIB), clock.WIB) + 14 * 3_600_000
    return at_two if at_two < now_ms else at_two - clock.DAY_MS


def enrol_living(database: Database, chosen: cast.Cast) -> list[Box]:
    """Enrol a new box in every village that is not dark."""
    return [enrolled(database, code) for code in chosen.codes if code != chosen.dark]


def report(server: Running, boxes: list[Box], number: int) -> None:
    """Let all boxes report what devices say now; the last one's router does not answer."""
    for place, box in enumerate(boxes):
        rx = (place + 1) * 1_000_000 * number
        readings = [
            box.reading(_router(rx)), box.reading(_ont(-20.0 - place), device="ont"),
            box.reading(wire.PortalBody(running=True, check=[wire.CheckStep("dns", good=place > 0)]), device="portal"),
        ]  # fmt: skip
        if place == len(boxes) - 1:
            readings[0] = box.reading(outcome=wire.Outcome.UNREACHABLE)
        health = wire.AgentHealth(version="0.1.0", board="Pi", spool_readings=3, spool_oldest_ms=clock.now_ms() - 5_000)
        assert server.report(box, *readings, health=health).status == 200


def _router(rx: int) -> wire.RouterBody:
    pings = [wire.Ping("gateway", "10.0.0.1", 3, 3, 1.5), wire.Ping("internet", "203.0.113.1", 3, 3, 21.5)]
    return router_body(
        rx, pings=pings, sensors=[wire.Sensor("cpu", 51.0, "C")], free_memory_bytes=60_000_000,
        total_memory_bytes=128_000_000, free_storage_bytes=2_000_000, total_storage_bytes=16_000_000, hotspot_hosts=9,
        dhcp_leases=11, wireless_clients=8,
    )  # fmt: skip


def _ont(light: float) -> wire.OntBody:
    return wire.OntBody(model="F660", serial="ZTEGC0FFEE01", version="V6", link_up=True, rx_power_dbm=light,
                        tx_power_dbm=2.5, temperature_celsius=50.0)  # fmt: skip


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus."""

    url: str

    def ask(self, query: str, start: float | None = None) -> list[dict[str, Any]]:
        """Return the series of a query: newest values, or lines from an instant on."""
        now = time.time()
        words: dict[str, str | float] = {"query": query, "time": now}
        if start is not None:
            words = {"query": query, "start": start, "end": now, "step": 15}
        address = f"{self.url}/api/v1/query{'' if start is None else '_range'}"
        try:
            found: list[dict[str, Any]] = monitoring.get(f"{address}?{urlencode(words)}")["data"]["result"]
        except HTTPError as error:
            raise AssertionError(f"{json.load(error)['error']}: {query}") from error
        return found

    def has(self, query: str, number: int) -> bool:
        """Say whether a query has so many series by now."""
        return len(self.ask(query)) >= number


@contextmanager
def prometheus(folder: Path, target: Running, database: Database) -> Iterator[Prometheus]:
    """Run Prometheus in a folder of its own: every second it scrapes what the server judges, all else is pushed to it.

    With the window that we tell people to set, and the recording rules that we ship, only quicker.
    """
    job = {"job_name": "kampungnet", "params": {"only": ["state"]}, "scrape_interval": "1s",
           "static_configs": [{"targets": [f"127.0.0.1:{target.port}"]}]}  # fmt: skip
    (folder / RECORDING.name).write_text(monitoring.quick(RECORDING.read_text()))
    window = {"tsdb": {"out_of_order_time_window": "7d"}}
    config = json.dumps({"scrape_configs": [job], "rule_files": [RECORDING.name], "storage": window})
    options = ("--log.level=error", "--web.enable-remote-write-receiver")
    with monitoring.prometheus(folder, config, *options) as url, monitoring.pushing(database, f"{url}/api/v1/write"):
        yield Prometheus(url)


def measured(database: Database, village: str) -> list[tuple[str, int]]:
    """Return device and instant (ms) of every reading of a village's first site that the database has."""
    with database.reads() as db:
        of_site = {"site": f"{village}-1"}
        young = db.execute(select(YoungReading.device, YoungReading.taken_ms).filter_by(**of_site))
        packs = db.execute(select(ReadingDay.device, ReadingDay.packed).filter_by(**of_site))
        rested = [(device, kept.taken_ms) for device, blob in packs for kept in packing.unpack(blob)]
        return sorted([*((device, at) for device, at in young), *rested])


def wait_until(done: Callable[[], bool]) -> None:
    """Wait until something is so."""
    until = time.monotonic() + WAIT_SECONDS
    while not done():
        assert time.monotonic() < until, "it did not come in time"
        time.sleep(0.05)
