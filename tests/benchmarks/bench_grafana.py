"""How long Grafana waits for each query of our boards: 401 villages and 30 days, real Prometheus and PostgreSQL."""

import json
import random
import re
import statistics
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from itertools import chain, cycle
from typing import Any, Final

import cramjam
import psycopg

from dashboards.grafana import build
from kampungnet.core import clock
from kampungnet.metrics import catalogue, remote_write
from tests.benchmarks.central import Enrolled, prepare
from tests.benchmarks.context import Context
from tests.benchmarks.metric_stores import installed
from tests.benchmarks.process import Unusable
from tests.benchmarks.rows import Row, at_most
from tests.dashboards.asked import Asked, as_promql, as_sql, following, queries
from tests.support import postgres
from tests.support.stores import Prometheus

VILLAGES: Final = 401
DAYS: Final = 30
EVERY_SECONDS: Final = 600
"""Between two values of a series: 30 days of what boxes poll each minute would take an hour to write ..."""
DENSE_SECONDS: Final = 60
"""... but what is drawn over time is as dense as it is in truth: recorded series, and those of single villages."""
PIECE_SECONDS: Final = 3_600
"""Of what is written at once; Prometheus would put longer pieces of the second series aside as out of order."""
GRAPH_POINTS: Final = 1_440
"""Grafana asks for about as many as a panel has pixels."""
TRIES: Final = 3
REGENCY: Final = "33.10"
MUST_AIM: Final = (1.0, 0.3)
SHAPES: Final = 11
"""Different curves; villages share them, for the store they are series like any other."""
Values = Mapping[str, Sequence[str]]
_LEVELS: Final = {"regency": 5, "district": 8, "village": 13}
"""Of recorded series: how much of a village's code they have."""
_RECORDED: Final = re.compile(r"[a-z]+:kampungnet_\w+:\w+")
_METRIC: Final = re.compile(r"\bkampungnet_\w+")
_BUCKETS: Final = ("0.005", "0.05", "0.5", "+Inf")

_SQL: Final = (
    """INSERT INTO traffic_hours SELECT s.regency, s.code, 'router', 'ether1', d::date, h,
       (random() * 9e9)::bigint, (random() * 1e9)::bigint, 3600, 0
       FROM sites s, generate_series(current_date - 30, current_date, '1 day') d, generate_series(0, 23) h""",
    """INSERT INTO outages (regency, site, start_ms, end_ms, cause, confidence, evidence, provisional)
       SELECT s.regency, s.code, n.at, n.at + 1800000, 'fiber', 0.9, '[]', false FROM sites s,
       LATERAL (SELECT (extract(epoch FROM now()) * 1000)::bigint - k * 210000000::bigint + length(s.code) AS at
       FROM generate_series(1, 12) k) n""",
    """INSERT INTO devices (regency, site, name, kind, outcome, detail, last_reading_ms, last_ok_ms, internet_up,
       hotspot_sessions, rx_power_dbm) SELECT s.regency, s.code, n.kind, n.kind, 'ok', '', c.ms, c.ms, true, 3, -20
       FROM sites s, (SELECT (extract(epoch FROM now()) * 1000)::bigint AS ms) c,
       (VALUES ('router'), ('ont')) n (kind)""",
    """INSERT INTO hotspot_days SELECT regency, code, d::date, 20, 30, 90000, 9000, 5000000, 90000000, 10, 15, 5, false
       FROM sites, generate_series(current_date - 30, current_date, '1 day') d""",
    "ANALYZE",
)


def grafana_queries(context: Context) -> list[Row]:
    """Ask everything that the boards ask, at 30 days, each a few times; the slowest counts."""
    installed("prometheus", "prometheus")
    programs = postgres.binaries()
    if programs is None:
        raise Unusable("PostgreSQL is not installed here (on Debian: apt install postgresql)")
    now = clock.now_ms() // 1000
    with ExitStack() as stack:
        url = stack.enter_context(postgres.database(stack.enter_context(postgres.server(programs)), "grafana"))
        boxes = prepare(url, VILLAGES)
        plain = url.replace("+psycopg", "")
        reader = stack.enter_context(psycopg.connect(_filled(plain), autocommit=True))
        context.say("PostgreSQL is filled")
        store = Prometheus(context.own_folder("grafana-prometheus"))
        store.start()
        stack.callback(store.stop)
        began = time.monotonic()
        values = _values(reader, boxes, now)
        number = _push(store, boxes, values, now)
        context.say(f"{number} samples in Prometheus within {time.monotonic() - began:.0f} s")
        asked = list(queries())
        sql = [_measured(one, partial(_rows, reader, one.text, values, now)) for one in asked if one.is_sql]
        prom = [_measured(one, partial(_series, store, one, values, now)) for one in asked if not one.is_sql]
    nothing = [name for _, name, answers in (*sql, *prom) if not answers]
    context.say(f"nothing came, so nothing was measured, of {len(nothing)}: {'; '.join(nothing)}")
    for seconds, name, answers in sorted((*sql, *prom), reverse=True)[:8]:
        context.say(f"{seconds:.3f} s  {answers:6}  {name}")
    return [
        _row("PostgreSQL", sql, f"{VILLAGES} villages, {DAYS} days, an hour a row"),
        _row("Prometheus", prom, f"{VILLAGES} villages, {DAYS} days, lines of a value a minute, else of ten"),
    ]


def _row(store: str, found: Sequence[tuple[float, str, int]], what: str) -> Row:
    came = [one for one in found if one[2]]
    seconds, name, _ = max(came)
    return at_most(f"slowest of {len(came)} Grafana queries to {store} ({name}): {what}", seconds, "s", MUST_AIM)


def _measured(asked: Asked, ask: Callable[[], int]) -> tuple[float, str, int]:
    """Return the median of some tries, what was asked, and how much came; what is slow is asked once."""
    took: list[float] = []
    while len(took) < TRIES and sum(took) < MUST_AIM[0]:
        began = time.perf_counter()
        answers = ask()
        took.append(time.perf_counter() - began)
    return statistics.median(took), f"{asked.board.removesuffix('.json')}, {asked.panel}", answers


def _filled(plain: str) -> str:
    with psycopg.connect(postgres.for_superuser(plain), autocommit=True) as db:
        for statement in _SQL:
            db.execute(statement.encode())
        db.execute((build.FOLDER.parents[1] / "reader.sql").read_bytes())
    return plain.replace("kampungnet@", "kampungnet_reader@", 1)


def _values(reader: "psycopg.Connection[Any]", boxes: Sequence[Enrolled], now: int) -> dict[str, list[str]]:
    found = {
        "kabupaten": [REGENCY], "kecamatan": sorted({one.village[:8] for one in boxes}), "desa": [boxes[0].village],
        "tahun": [f"{clock.local(now * 1000, clock.WIB):%Y}"],
    }  # fmt: skip
    for name, text in following().items():
        found[name] = [value for _, value in _read(reader, text, found, now)]
    return found


def _rows(reader: "psycopg.Connection[Any]", text: str, values: Values, now: int) -> int:
    return len(_read(reader, text, values, now))


def _read(reader: "psycopg.Connection[Any]", text: str, values: Values, now: int) -> list[Any]:
    first, last = (f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}" for at in (now - DAYS * 86_400, now))
    return reader.execute(as_sql(text, values, first, last).encode()).fetchall()


def _series(store: Prometheus, asked: Asked, values: Values, now: int) -> int:
    step = DAYS * 86_400 // GRAPH_POINTS
    text = asked.text.replace("$__rate_interval", f"{step + 4 * 60}s")
    words: dict[str, object] = {"query": as_promql(text, values)}
    words |= {"start": now - DAYS * 86_400, "end": now, "step": step} if asked.is_series else {"time": now}
    body = urllib.parse.urlencode(words).encode()  # as Grafana does: a list of all kecamatan is long
    address = f"{store.url}/api/v1/query{'_range' if asked.is_series else ''}"
    with urllib.request.urlopen(urllib.request.Request(address, body), timeout=60) as answer:
        return len(json.load(answer)["data"]["result"])


def _push(store: Prometheus, boxes: Sequence[Enrolled], values: Values, now: int) -> int:
    """Write 30 days of every metric that the boards ask for, piece by piece in the order of time."""
    drawn = _drawn(values)
    of_labels: dict[tuple[int, bool], list[bytes]] = {}
    for one in chain(_labels(boxes), _recorded(boxes)):
        name = one["__name__"]
        every = DENSE_SECONDS if "village" not in one or (name, one["village"]) in drawn else EVERY_SECONDS
        of_labels.setdefault((every, "_timestamp_seconds" in name), []).append(remote_write.labels(one))
    dice = random.Random(2026)
    number = 0
    for start in range(now - DAYS * 86_400, now, PIECE_SECONDS):
        for (every, is_time), several in of_labels.items():
            at = range(start + every, start + PIECE_SECONDS + 1, every)  # the last one is of now
            shapes = [_curve(at, None if is_time else dice) for _ in range(SHAPES)]
            found = (remote_write.time_series(one, curve) for one, curve in zip(several, cycle(shapes), strict=False))
            _send(store, bytes(cramjam.snappy.compress_raw(b"".join(found))))
            number += len(several) * len(at)
    return number


def _curve(at: Iterable[int], dice: random.Random | None) -> bytes:
    """Return samples of these instants that say something; without dice, each says when it was taken."""
    values = ((one, 20.0 + one / 1e6 + dice.randrange(100) / 10 if dice else float(one)) for one in at)
    return b"".join(remote_write.sample(value, remote_write.stamp(one * 1000)) for one, value in values)


def _drawn(values: Values) -> set[tuple[str, str]]:
    """Return the metrics that are drawn over time village by village, and of which villages."""
    return {
        (metric, village)
        for one in queries() if one.is_series and not one.is_sql
        for metric in _METRIC.findall(one.text)
        for name in ("desa", *following()) if f'"${name}"' in one.text
        for village in values[name]
    }  # fmt: skip


def _send(store: Prometheus, body: bytes) -> None:
    headers = {
        "Content-Encoding": "snappy", "Content-Type": "application/x-protobuf",
        "X-Prometheus-Remote-Write-Version": "0.1.0",
    }  # fmt: skip
    urllib.request.urlopen(urllib.request.Request(store.write_url, body, headers), timeout=120).close()


def _labels(boxes: Sequence[Enrolled]) -> Iterator[dict[str, str]]:
    """Yield the series of all metrics in the boards: those of villages for each of them."""
    texts = " ".join(_RECORDED.sub("", one.text) for one in queries() if not one.is_sql)
    usual = {"device": "router", "interface": "ether1", "target": "internet", "result": "stored", "name": "Desa"}
    for family in catalogue.FAMILIES.values():
        if family.name not in texts:
            continue
        name = {"__name__": family.name} | {one: usual.get(one, one) for one in (*family.labels, *family.facts)}
        if family.kind is catalogue.Kind.HISTOGRAM:
            yield from (name | {"__name__": f"{family.name}_bucket", "le": bucket} for bucket in _BUCKETS)
        elif "village" not in family.labels:
            yield name
        else:
            yield from (name | _place(one.village) for one in boxes)


def _recorded(boxes: Sequence[Enrolled]) -> Iterator[dict[str, str]]:
    """Yield the recorded series in the boards, each once for every place of its level."""
    for name in sorted({name for one in queries() if not one.is_sql for name in _RECORDED.findall(one.text)}):
        level = name.partition(":")[0]
        for village in {one.village[: _LEVELS[level]]: one.village for one in boxes}.values():
            place = _place(village)
            yield {"__name__": name} | {key: place[key] for key in list(_LEVELS)[: list(_LEVELS).index(level) + 1]}


def _place(village: str) -> dict[str, str]:
    return {"regency": village[:5], "district": village[:8], "village": village}
