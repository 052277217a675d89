"""What was measured reaches real metrics stores with its own time: nothing missing, nothing twice, whatever fails."""

import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Final
from zlib import crc32

import pytest
from sqlalchemy import select, update

from kampungnet import upkeep
from kampungnet.core import clock, jobs
from kampungnet.core.database import Database
from kampungnet.measurement import packing
from kampungnet.measurement.models import ReadingDay, YoungReading
from kampungnet.metrics import cursors
from kampungnet.metrics.pushing import Pusher
from kampungnet.metrics.resending import Stretch, resend
from kampungnet.metrics.store import Settings
from kampungnet.shared import wire
from kampungnet.villages import service as villages
from tests.support.monitoring import pushing
from tests.support.server import HEADER, REGENCY, Box, enrolled, ingested, router_body
from tests.support.stores import Prometheus, RealStore, VictoriaMetrics

MINUTE_MS: Final = 60_000
HOSTILE: Final = 'a"b\\c{e="f"}<script>alert(1)</script>\U0001f525'


@pytest.fixture(scope="module", params=[Prometheus, VictoriaMetrics])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealStore]:
    """A real store; tests tell their data apart by the village."""
    found: RealStore = request.param(tmp_path_factory.mktemp(request.param.__name__))
    found.start()
    yield found
    found.stop()


def _eventually(what: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.1)


def _minutes(database: Database, box: Box, minutes: range, now_ms: int = 0) -> None:
    """Let a box hand over a reading for each of these minutes before now, as after an outage."""
    now_ms = now_ms or clock.now_ms()
    readings = [box.reading(router_body(rx_bytes=10**9 - ago), taken_at_ms=now_ms - ago * MINUTE_MS) for ago in minutes]
    for start in range(0, len(readings), 100):
        (receipt,) = ingested(database, box.request(box.report(*readings[start : start + 100])))
        assert receipt.refused == []


def _in_database(database: Database) -> list[tuple[int, int]]:
    """Return instant and counter of every reading the database has, young or at rest."""
    with database.reads() as db:
        young = [packing.Kept(row.taken_ms, 2, row.payload) for row in db.scalars(select(YoungReading))]
        rested = [kept for blob in db.scalars(select(ReadingDay.packed)) for kept in packing.unpack(blob)]
    bodies = [(kept.taken_ms, kept.reading().body) for kept in young + rested]
    return sorted((at, body.interfaces[0].rx_bytes or 0) for at, body in bodies if isinstance(body, wire.RouterBody))


def _counters(store: RealStore, village: str) -> list[tuple[int, int]]:
    """Return the same as the store has it."""
    found: Counter[tuple[int, int]] = Counter()
    for (series, at, value), often in store.samples(village).items():
        if series.startswith("kampungnet_interface_receive_bytes_total"):
            found[at, round(value)] += often
    return sorted(found.elements())


def _has_all(database: Database, store: RealStore, village: str) -> bool:
    return _counters(store, village) == _in_database(database)


def _village(database: Database, request: pytest.FixtureRequest) -> tuple[str, Box]:
    """Return a village that no other test of this module has, on no other database, and its box."""
    code = f"35.10.25.{2001 + crc32(request.node.name.encode()) % 990}"
    with database.writes() as db:
        row = f"{code},Desa {code},desa,35.10.25,Blimbingsari,35.10,Kabupaten Banyuwangi,,,\n"
        villages.import_register(db, [f"{HEADER}\n", row])
    return code, enrolled(database, code)


@pytest.fixture
def village(sqlite_database: Database, request: pytest.FixtureRequest) -> tuple[str, Box]:
    """A village of the embedded database."""
    return _village(sqlite_database, request)


def test_two_hours_without_a_line_are_filled_in_with_their_own_times(
    sqlite_database: Database, store: RealStore, village: tuple[str, Box]
) -> None:
    """The box kept measuring; what it hands over afterwards stands in the store as if there had been no cut."""
    code, box = village
    now_ms = clock.now_ms()
    with pushing(sqlite_database, store.write_url):
        _minutes(sqlite_database, box, range(125, 121, -1), now_ms)
        _eventually(lambda: len(store.times(code)) == 4)
        _minutes(sqlite_database, box, range(1), now_ms)
        _eventually(lambda: len(store.times(code)) == 5)
        _minutes(sqlite_database, box, range(121, 0, -1), now_ms)
        _eventually(lambda: _has_all(sqlite_database, store, code))
    steps = [later - earlier for earlier, later in zip(store.times(code), store.times(code)[1:], strict=False)]
    assert max(steps) < 1.5 * MINUTE_MS


def test_a_store_killed_in_the_middle_has_everything_once_when_it_is_back(
    sqlite_database: Database, store: RealStore, village: tuple[str, Box]
) -> None:
    """Its last seconds are lost at a kill -9, though it had said it took them: they are sent again."""
    code, box = village
    with pushing(sqlite_database, store.write_url):
        _minutes(sqlite_database, box, range(300, 200, -1))
        _eventually(lambda: _has_all(sqlite_database, store, code))
        _minutes(sqlite_database, box, range(200, 150, -1))
        time.sleep(0.3)
        store.kill()
        _minutes(sqlite_database, box, range(150, 100, -1))
        time.sleep(1.0)
        store.start()
        _minutes(sqlite_database, box, range(100, 0, -1))
        _eventually(lambda: _has_all(sqlite_database, store, code))


def test_what_went_to_rest_while_nobody_pushed_is_pushed_all_the_same(
    database: Database, store: RealStore, request: pytest.FixtureRequest
) -> None:
    """A pusher that was off for hours finds readings in packs; the next one finds nothing new, and doubles nothing."""
    code, box = _village(database, request)
    with pushing(database, store.write_url):
        _minutes(database, box, range(600, 590, -1))
        _eventually(lambda: _has_all(database, store, code))
    _minutes(database, box, range(590, 30, -5))
    assert upkeep.pack_all(database) > 50
    with pushing(database, store.write_url):
        _eventually(lambda: _has_all(database, store, code))
    with database.reads() as db:
        (cursor,) = cursors.all_of(db)
        newest = max(db.scalars(select(YoungReading.stored_ms)))
    assert cursor.stored_ms == newest
    assert not cursor.trouble


def test_an_empty_store_is_filled_again_by_resend(
    sqlite_database: Database, store: RealStore, village: tuple[str, Box]
) -> None:
    """What the database has of the days asked for is sent again, at rest and young, and the cursor does not matter."""
    code, box = village
    _minutes(sqlite_database, box, range(400, 0, -4))
    upkeep.pack_all(sqlite_database)
    today = clock.local_day(clock.now_ms(), clock.zone_of(REGENCY))
    yesterday = clock.local_day(clock.now_ms() - clock.DAY_MS, clock.zone_of(REGENCY))
    for _ in range(2):
        sent = resend(sqlite_database, Settings(store.write_url), Stretch(yesterday, today, code))
        assert sent.taken >= 100
        assert sent.dropped == {}
        assert _has_all(sqlite_database, store, code)


def test_hostile_names_arrive_as_they_are(
    sqlite_database: Database, store: RealStore, village: tuple[str, Box]
) -> None:
    """Quotes, braces, HTML and emoji are letters like others."""
    code, box = village
    body = router_body(interfaces=[wire.CounterReading(HOSTILE, "ether", running=True, rx_bytes=7, tx_bytes=8)])
    with pushing(sqlite_database, store.write_url):
        (receipt,) = ingested(sqlite_database, box.request(box.report(box.reading(body))))
        assert receipt.refused == []
        _eventually(lambda: len(store.times(code, "kampungnet_interface_receive_bytes_total")) == 1)
    names = {series for series, _, _ in store.samples(code)}
    assert any(f"interface={HOSTILE}" in name for name in names)


def test_a_store_that_hangs_holds_up_nobody_and_gets_everything_later(
    sqlite_database: Database, store: RealStore, village: tuple[str, Box]
) -> None:
    """Reports are receipted while it hangs; when it goes on, it has what came meanwhile."""
    code, box = village
    with pushing(sqlite_database, store.write_url):
        _minutes(sqlite_database, box, range(20, 19, -1))
        _eventually(lambda: _has_all(sqlite_database, store, code))
        store.pause(on=True)
        try:
            began = time.monotonic()
            _minutes(sqlite_database, box, range(19, 0, -1))
            assert time.monotonic() - began < 10
            time.sleep(1)
        finally:
            store.pause(on=False)
        _eventually(lambda: _has_all(sqlite_database, store, code))


def test_a_device_that_stops_answering_ends_its_other_series(
    sqlite_database: Database, store: RealStore, village: tuple[str, Box]
) -> None:
    """Of a router that cannot be reached only that is said: its last processor load is not shown any longer."""
    code, box = village
    now_ms = clock.now_ms()
    readings = [
        box.reading(taken_at_ms=now_ms - 2 * MINUTE_MS),
        box.reading(taken_at_ms=now_ms - MINUTE_MS, outcome=wire.Outcome.UNREACHABLE),
    ]
    with pushing(sqlite_database, store.write_url):
        ingested(sqlite_database, box.request(box.report(*readings)))
        _eventually(lambda: len(store.times(code)) == 2)

    assert store.shows(f'kampungnet_device_up{{village="{code}"}}')
    assert not store.shows(f'kampungnet_router_cpu_load_ratio{{village="{code}"}}')


def test_sixty_series_a_village_are_enough_for_a_box_that_lies(
    sqlite_database: Database, store: RealStore, village: tuple[str, Box]
) -> None:
    """A box that makes up devices and ports gets sixty series in its village, the line that is paid for among them."""
    code, box = village
    ports = [wire.CounterReading(f"ether{n}", "ether", running=True, rx_bytes=n, tx_bytes=n) for n in range(40)]
    lies = [box.reading(router_body(interfaces=ports, wan_interface="ether39"), device=f"r{n}") for n in range(9)]
    with pushing(sqlite_database, store.write_url):
        ingested(sqlite_database, box.request(box.report(*lies)))
        _eventually(lambda: any("interface=ether39" in name for name, _, _ in store.samples(code)))
    names = {series for series, _, _ in store.samples(code)}
    assert len(names) <= 60


def test_a_pusher_killed_in_the_middle_loses_and_doubles_nothing(
    sqlite_database: Database, store: RealStore, village: tuple[str, Box]
) -> None:
    """Killed as soon as the store has something new, before it could write down how far it is."""
    code, box = village
    folder = str(Path(str(sqlite_database.engine.url.database)).parent)
    command = [sys.executable, "-m", "kampungnet.cli", "push", "--data", folder]
    environment = os.environ | {"KAMPUNGNET_REMOTE_WRITE_URL": store.write_url}
    _minutes(sqlite_database, box, range(200, 100, -1))
    pusher = subprocess.Popen(command, env=environment)
    try:
        _eventually(lambda: bool(store.times(code)))
    finally:
        pusher.kill()
        pusher.wait(30)
    upkeep.pack_all(sqlite_database)
    with pushing(sqlite_database, store.write_url):
        _minutes(sqlite_database, box, range(100, 0, -1))
        _eventually(lambda: _has_all(sqlite_database, store, code))


class _Door(BaseHTTPRequestHandler):
    """Stands before a real store and says no as often as it was told to."""

    answers: ClassVar[list[int]]
    asked: ClassVar[list[float]]
    url: ClassVar[str]

    def do_POST(self) -> None:
        self.asked.append(time.monotonic())
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.answers.pop(0) if self.answers else 0
        if not status:
            headers = {name: text for name, text in self.headers.items() if name != "Host"}
            with urllib.request.urlopen(urllib.request.Request(self.url, body, headers), timeout=30) as answer:
                status = answer.status
        self.send_response(status)
        if status in {429, 503}:
            self.send_header("Retry-After", "2")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_store_that_asks_to_wait_is_waited_for_and_reports_are_not(
    sqlite_database: Database, store: RealStore, village: tuple[str, Box]
) -> None:
    """After 429 and 503 as long as it wants, after 500 a second; boxes get their receipts meanwhile."""
    code, box = village
    told: dict[str, Any] = {"answers": [429, 503, 500], "asked": [], "url": store.write_url}
    door = ThreadingHTTPServer(("127.0.0.1", 0), type("_ThisDoor", (_Door,), told))
    threading.Thread(target=door.serve_forever, daemon=True).start()
    stopping = threading.Event()
    pusher = Pusher(sqlite_database, Settings(f"http://127.0.0.1:{door.server_port}/"), stopping)
    _minutes(sqlite_database, box, range(20, 10, -1))
    thread = threading.Thread(target=pusher.run)
    thread.start()
    try:
        _eventually(lambda: bool(told["asked"]))
        _minutes(sqlite_database, box, range(10, 0, -1))
        _eventually(lambda: _has_all(sqlite_database, store, code))
    finally:
        stopping.set()
        thread.join(30)
        door.shutdown()
        door.server_close()
    first, second, third = pairwise(told["asked"][:4])
    assert first[1] - first[0] >= 2
    assert second[1] - second[0] >= 2
    assert third[1] - third[0] >= 0.7


def test_a_push_says_that_it_goes_only_while_its_store_takes_what_comes(
    database: Database, free_port: int, request: pytest.FixtureRequest
) -> None:
    def went() -> bool:
        with database.reads() as db:
            return jobs.known(db)[0].succeeded_ms is not None

    def is_in_trouble() -> bool:
        with database.reads() as db:
            return any(one.trouble for one in cursors.all_of(db))

    _, box = _village(database, request)
    _minutes(database, box, range(1))
    with database.writes() as db:
        jobs.expect_push(db, clock.now_ms(), is_wanted=True)
    with pushing(database, f"http://127.0.0.1:{free_port}/"):
        _eventually(is_in_trouble)
    assert not went()
    told: dict[str, Any] = {"answers": [200] * 100, "asked": [], "url": ""}
    with ThreadingHTTPServer(("127.0.0.1", 0), type("_ThisDoor", (_Door,), told)) as door:
        threading.Thread(target=door.serve_forever, daemon=True).start()
        with pushing(database, f"http://127.0.0.1:{door.server_port}/"):
            _eventually(went)
        door.shutdown()


def test_a_clock_far_ahead_never_poisons_the_store(
    sqlite_database: Database, store: RealStore, village: tuple[str, Box]
) -> None:
    """One sample from the future would make Prometheus refuse everybody's: it never leaves, and others arrive."""
    code, box = village
    far_ms = clock.now_ms() + 3_650 * clock.DAY_MS
    ingested(sqlite_database, box.request(box.report(box.reading(router_body(rx_bytes=7), taken_at_ms=far_ms))))
    with sqlite_database.writes() as db:
        db.execute(update(YoungReading).values(taken_ms=far_ms, time_quality=2))
    with pushing(sqlite_database, store.write_url):
        _minutes(sqlite_database, box, range(5, 0, -1))
        _eventually(lambda: len(store.times(code)) >= 5)
    assert max(store.times(code)) < clock.now_ms()
    with sqlite_database.reads() as db:
        assert [lost.reason for lost in cursors.dropped(db)] == ["future"]
