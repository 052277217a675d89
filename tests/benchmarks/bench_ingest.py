"""The server taking reports, against Prometheus, Zabbix and VictoriaMetrics taking the same values."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

from kampungnet.core import clock
from tests.benchmarks import remote_write
from tests.benchmarks import zabbix as zabbix_peer
from tests.benchmarks.central import (
    Central,
    Enrolled,
    Readings,
    SteadyBox,
    prepare,
    request_of,
    serving,
    sqlite_url,
)
from tests.benchmarks.context import Context
from tests.benchmarks.http_load import Load, run, spread
from tests.benchmarks.metric_stores import Store, prometheus, victoria_metrics
from tests.benchmarks.process import Unusable
from tests.benchmarks.rows import Row, at_most, median, more, number, percentile
from tests.support import postgres

Peer = TypeVar("Peer")

ROUNDS = 5
VILLAGES = 401
CONNECTIONS = 64
FEW_CONNECTIONS = 8
PER_VILLAGE = 25
ZABBIX_PER_VILLAGE = 12
BATCH = 100
BATCHES = 2
VALUES = Readings.VALUES
BACK_MS = 3_000_000
"""The readings are of the last fifty minutes, so that none is packed while we measure."""


class Boxes:
    """401 agents with their keys, who make reports ready for the socket."""

    def __init__(self, enrolled: Sequence[Enrolled]) -> None:
        box, start = SteadyBox(), clock.now_ms() - BACK_MS
        self._senders = [one.sender(box) for one in enrolled]
        self._readings = [Readings(start) for _ in enrolled]
        self.sent = 0

    def reports(self, each: int, readings: int = 1) -> list[list[bytes]]:
        """Return so many reports of each village, each with so many new readings."""
        self.sent += each * readings * len(self._senders)
        return [
            [request_of(sender, [own.next() for _ in range(readings)]) for _ in range(each)]
            for sender, own in zip(self._senders, self._readings, strict=True)
        ]


class Series:
    """The same villages as series of a metrics store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._snappy = remote_write.compressor()
        self._series = [remote_write.series_of(village) for village in villages()]
        self._start, self._number = clock.now_ms() - BACK_MS, 0

    def load(self, each: int, readings: int = 1, *, labels_once: bool = False) -> Load:
        """Send so many requests of each village over 64 connections, and see that every value was taken."""
        cut = remote_write.one_series_each if labels_once else remote_write.one_sample_each
        requests = [[self._request(cut, own, turn, readings) for turn in range(each)] for own in self._series]
        self._number += each * readings
        before = self.store.samples()
        load = run(self.store.address, spread(requests, CONNECTIONS))
        load.expect_only(b"204")
        _wait_until(lambda: self.store.samples() - before >= VALUES * readings * len(load.latencies_ms))
        return load

    def _request(
        self, cut: Callable[[Sequence[bytes], Sequence[int], Sequence[int]], bytes], own: Sequence[bytes], turn: int,
        readings: int,
    ) -> bytes:  # fmt: skip
        numbers = range(self._number + turn * readings + 1, self._number + (turn + 1) * readings + 1)
        plain = cut(own, numbers, [self._start + one * 50 for one in numbers])
        return remote_write.request_of(self.store.write_path, plain, self._snappy)


def ingest_single(context: Context) -> list[Row]:
    """One report a request: rates against Prometheus and Zabbix, and how long a report waits."""
    folder = context.own_folder("ingest-single")
    with _central(folder, sqlite_url(folder)) as (central, boxes):
        rows = _compare_single(context, (central, boxes), "SQLite", ((1.2, 2), (2, 4)))
        for connections, goal in ((FEW_CONNECTIONS, (40.0, 10.0)), (CONNECTIONS, (120.0, 40.0))):
            rows.append(_latency(context, central, boxes, connections, goal))
        _see_that_all_is_stored(central, boxes)
    return rows


def ingest_batch(context: Context) -> list[Row]:
    """A backlog: 100 readings a report, against VictoriaMetrics."""
    folder = context.own_folder("ingest-batch")
    with _central(folder, sqlite_url(folder)) as (central, boxes):
        rows = _compare_batch(context, (central, boxes), "SQLite", (0.6, 1.2))
        _see_that_all_is_stored(central, boxes)
    return rows


def ingest_postgresql(context: Context) -> list[Row]:
    """Both of the above with PostgreSQL under our server: half of what SQLite must."""
    programs = postgres.binaries()
    if programs is None:
        raise Unusable("PostgreSQL is not installed here (on Debian: apt install postgresql)")
    folder = context.own_folder("ingest-postgresql")
    with ExitStack() as stack:
        server_url = stack.enter_context(postgres.server(programs))
        url = stack.enter_context(postgres.database(server_url, "bench"))
        central, boxes = stack.enter_context(_central(folder, url))
        rows = _compare_single(context, (central, boxes), "PostgreSQL", ((0.6, 1.2), (1, 2)))
        rows += _compare_batch(context, (central, boxes), "PostgreSQL", (0.3, 0.6))
        _see_that_all_is_stored(central, boxes)
    return rows


@contextmanager
def _central(folder: Path, url: str) -> Iterator[tuple[Central, Boxes]]:
    boxes = Boxes(prepare(url, VILLAGES))
    with serving(folder, None if url.startswith("sqlite") else url) as central:
        _load(central, boxes.reports(1), FEW_CONNECTIONS)  # every village is known, every page of code is warm
        yield central, boxes


def _compare_single(
    context: Context, ours: tuple[Central, Boxes], name: str, goals: tuple[tuple[float, float], tuple[float, float]]
) -> list[Row]:
    central, boxes = ours
    rates: dict[str, list[float]] = {"ours": [], "Prometheus": [], "Zabbix": []}
    why: dict[str, str] = {}
    with ExitStack() as stack:
        folder = context.own_folder("peers")
        store = _peer(context, why, "Prometheus", lambda: _series(stack.enter_context(prometheus(folder))))
        trapper = _peer(context, why, "Zabbix", lambda: stack.enter_context(zabbix_peer.zabbix(folder, villages())))
        for turn in range(ROUNDS):
            os.sync()  # nobody is measured while the disk still writes what came from the one before
            rates["ours"].append(_load(central, boxes.reports(PER_VILLAGE), CONNECTIONS, context).rate)
            if store:
                os.sync()
                rates["Prometheus"].append(store.load(PER_VILLAGE).rate)
            if trapper:
                os.sync()
                rates["Zabbix"].append(_zabbix_rate(trapper, turn))
    context.say("; ".join(f"{peer} {' / '.join(number(rate) for rate in found)}" for peer, found in rates.items()))
    what = f"{name}: one report of {VALUES} values a request, {CONNECTIONS} connections, durable, signature checked"
    return [
        more(f"{what}; {text}", rates["ours"], rates[peer], "reports/s", goal)
        for peer, text, goal in (
            ("Prometheus", why.get("Prometheus", "Prometheus 2.42 remote write"), goals[0]),
            ("Zabbix", why.get("Zabbix", "Zabbix 6.0 trapper, until in its database"), goals[1]),
        )
    ]


def _compare_batch(context: Context, ours: tuple[Central, Boxes], name: str, goal: tuple[float, float]) -> list[Row]:
    central, boxes = ours
    own: list[float] = []
    theirs: list[float] = []
    once: list[float] = []
    why: dict[str, str] = {}
    with ExitStack() as stack:
        folder = context.own_folder("peers")
        store = _peer(context, why, "VictoriaMetrics", lambda: _series(stack.enter_context(victoria_metrics(folder))))
        for _ in range(ROUNDS):
            load = _load(central, boxes.reports(BATCHES, BATCH), CONNECTIONS, context)
            own.append(load.rate * BATCH * VALUES)
            if store:
                theirs.append(store.load(BATCHES, BATCH).rate * BATCH * VALUES)
                once.append(store.load(BATCHES, BATCH, labels_once=True).rate * BATCH * VALUES)
    context.say(f"ours {[number(rate) for rate in own]}; peer {[number(rate) for rate in theirs]}")
    peer = why.get("VictoriaMetrics", "VictoriaMetrics 1.79, labels with each sample as Prometheus sends them")
    if once:
        peer += f" (labels once: {number(median(once))})"
    what = f"{name}: batches of {BATCH} reports; {peer}"
    return [more(what, own, theirs, "values/s", goal)]


def _latency(context: Context, central: Central, boxes: Boxes, connections: int, goal: tuple[float, float]) -> Row:
    each = PER_VILLAGE if connections == CONNECTIONS else PER_VILLAGE // 2
    loads = [_load(central, boxes.reports(each), connections, context) for _ in range(ROUNDS)]
    p99 = median([percentile(load.latencies_ms, 99) for load in loads])
    p50 = median([percentile(load.latencies_ms, 50) for load in loads])
    what = f"p99 of a report at {connections} connections that never pause (p50 {number(p50)} ms)"
    return at_most(what, p99, "ms", goal)


def _load(central: Central, reports: list[list[bytes]], connections: int, context: Context | None = None) -> Load:
    spent = central.child.cpu_seconds()
    load = run(central.address, spread(reports, connections))
    load.expect_only(b"200")
    if context:
        spent = (central.child.cpu_seconds() - spent) / len(load.latencies_ms) * 1000
        share = load.client_cpu_seconds / load.seconds
        context.say(
            f"{connections} connections: {number(load.rate)} requests/s, server {number(spent)} ms CPU each, "
            f"p99 {number(percentile(load.latencies_ms, 99))} ms; the client used {share:.0%} of a core"
        )
    return load


def _zabbix_rate(trapper: zabbix_peer.Zabbix, turn: int) -> float:
    first, at = turn * ZABBIX_PER_VILLAGE + 2, int(time.time()) - 3000
    requests = [
        [zabbix_peer.request_of(village, first + n, at + first + n) for n in range(ZABBIX_PER_VILLAGE)]
        for village in villages()
    ]
    load, seconds = trapper.load(spread(requests, CONNECTIONS))
    return len(load.latencies_ms) / seconds


def _series(store: Store) -> Series:
    series = Series(store)
    series.load(1)  # the first sample of a series costs more than all others
    return series


def _peer(context: Context, why: dict[str, str], name: str, begin: Callable[[], Peer]) -> Peer | None:
    """Start a peer; when it cannot be had, note why and go on without it."""
    try:
        return begin()
    except Unusable as missing:
        context.say(str(missing))
        why[name] = str(missing)
        return None


def villages() -> list[str]:
    """Return 401 village codes; a peer does not care which."""
    return [f"33.10.{place // 20 + 1:02d}.{2001 + place}" for place in range(VILLAGES)]


def _wait_until(done: Callable[[], bool], seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            raise Unusable("the peer did not take all values")
        time.sleep(0.1)


def _see_that_all_is_stored(central: Central, boxes: Boxes) -> None:
    stored = central.stored_readings()
    if stored != boxes.sent:
        raise RuntimeError(f"{stored} readings are stored, {boxes.sent} were receipted")
