"""Samples pushed to metrics stores: a day back-filled against the stores' own import; how late a live sample is."""

import json
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from typing import Final

from sqlalchemy import insert, select

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.tally import Tally
from kampungnet.devices.models import Agent
from kampungnet.measurement.models import ReadingDay
from kampungnet.metrics.live import page_text
from kampungnet.upkeep import pack_all
from kampungnet_agent.spool import Spooled
from tests.benchmarks import past
from tests.benchmarks.central import REGISTER, Enrolled, Readings, SteadyBox, prepare_sqlite, request_of, serving
from tests.benchmarks.central import sqlite_url as url_of
from tests.benchmarks.context import Context
from tests.benchmarks.http_load import Address
from tests.benchmarks.metric_stores import installed
from tests.benchmarks.process import program, running
from tests.benchmarks.rows import Row, at_most, more, percentile
from tests.support.stores import OURS, Prometheus, RealStore, VictoriaMetrics

SHAPES: Final = 12
"""Villages whose day the simulator tells; all others have the day of one of them."""
SOME: Final = 24
"""Prometheus gets some: promtool's import of all would take longer than a benchmark may."""
ALL: Final = 401
HEAD_MS: Final = 3 * 3_600_000
"""So long Prometheus holds a series in memory after its last sample."""
LIVE_REPORTS: Final = 40
LONGEST_SECONDS: Final = 30
REGENCY: Final = "33.10"
MATCH: Final = "match%5B%5D=" + urllib.parse.quote(OURS)
MUST_AIM: Final = (0.3, 0.8)


def remote_write(context: Context) -> list[Row]:
    """Back-fill a day into both stores by ``kampungnet resend``, and by the stores' own import of the same data."""
    installed("prometheus", "prometheus")
    installed("victoria-metrics", "victoria-metrics")
    folder = context.own_folder("push")
    boxes = prepare_sqlite(folder, ALL)
    day = clock.local_day(clock.now_ms(), clock.zone_of(REGENCY)) - timedelta(days=1)
    _fill(context, folder, boxes[:SHAPES], clock.day_start_ms(day + timedelta(days=1), clock.zone_of(REGENCY)))
    _copy_days(folder, [box.agent for box in boxes[:SHAPES]], [box.agent for box in boxes[SHAPES:SOME]])
    with _store(VictoriaMetrics, folder / "vm") as victoria, _store(Prometheus, folder / "prom") as prometheus:
        _resent(context, folder, victoria, str(day))
        ours_prom, some = _resent(context, folder, prometheus, str(day))
        text, series = _as_text(victoria, folder)
    peer_prom = _blocks(folder, text)
    _copy_days(folder, [box.agent for box in boxes[:SHAPES]], [box.agent for box in boxes[SOME:]])
    with _store(VictoriaMetrics, folder / "vm-all") as victoria:
        ours_vm, all_of_them = _resent(context, folder, victoria, str(day))
        native = _as_native(victoria, folder)
    with _store(VictoriaMetrics, folder / "vm-peer") as other:
        peer_vm = _imported(other, native)
    context.say(f"ours {ours_prom:.1f} and {ours_vm:.1f} s, peers {peer_prom:.1f} and {peer_vm:.1f} s")
    what = "remote write: a day from the database, the start of the program included, of"
    return [
        more(f"{what} {SOME} of 401 villages ({some:,} values) into Prometheus, against promtool's blocks",
             [some / ours_prom], [some / peer_prom], "values/s", MUST_AIM),
        more(f"{what} 401 villages ({all_of_them:,} values) into VictoriaMetrics, against its native import",
             [all_of_them / ours_vm], [all_of_them / peer_vm], "values/s", MUST_AIM),
        at_most("active series of a village, router and ONT, in three hours (Prometheus' head), pushed and scraped",
                series + _scraped(folder), "", (60, 40)),
    ]  # fmt: skip


def live_lag(context: Context) -> list[Row]:
    """Measure from the receipt of a report until Prometheus answers with its sample."""
    installed("prometheus", "prometheus")
    folder = context.own_folder("push-live")
    (box,) = prepare_sqlite(folder, 1)
    readings = Readings(clock.now_ms() - 60_000)
    with _store(Prometheus, folder / "prom") as store, serving(folder) as central, _pushing(folder, store):
        lags = [_lag(central.address, store, box, readings.next(1000)) for _ in range(LIVE_REPORTS)]
    context.say(f"median {percentile(lags, 50):.2f} s, longest {max(lags):.2f} s")
    return [at_most("lag of a live sample in Prometheus behind the receipt, p95", percentile(lags, 95), "s", (5, 1))]


def _fill(context: Context, folder: Path, boxes: Sequence[Enrolled], until_ms: int) -> None:
    database = Database(url_of(folder))
    number = past.store(database, boxes, past.Past(REGISTER, 1, 60, until_ms))
    pack_all(database)
    database.close()
    context.say(f"{number} readings stored and packed")


@contextmanager
def _store(kind: type[RealStore], folder: Path) -> Iterator[RealStore]:
    folder.mkdir()
    store = kind(folder)
    store.start()
    try:
        yield store
    finally:
        store.stop()


@contextmanager
def _pushing(folder: Path, store: RealStore) -> Iterator[None]:
    command = [program("kampungnet"), "push", "--data", str(folder)]
    with running("push", command, folder, {"KAMPUNGNET_REMOTE_WRITE_URL": store.write_url}):
        yield


def _resent(context: Context, folder: Path, store: RealStore, day: str) -> tuple[float, int]:
    """Return the seconds it took, the start of our program included, and how many values the store took."""
    command = [program("kampungnet"), "resend", "--from", day, "--to", day, "--data", str(folder)]
    began = time.monotonic()
    with running("resend", command, folder, {"KAMPUNGNET_REMOTE_WRITE_URL": store.write_url}) as child:
        code = child.process.wait(300)
        took = time.monotonic() - began
        said = child.log.read_text()
    if code:
        raise RuntimeError(said[-300:])
    context.say(said.splitlines()[-1])
    return took, int(said.rpartition(" samples were taken")[0].split()[-1])


def _copy_days(folder: Path, told: Sequence[str], others: Sequence[str]) -> None:
    """Give other agents the packs of those whose day was told."""
    database = Database(url_of(folder))
    with database.writes() as db:
        sites = {agent.id: agent.site for agent in db.scalars(select(Agent))}
        packs: dict[str, list[dict[str, object]]] = {agent: [] for agent in told}
        for row in db.execute(select(ReadingDay.__table__).where(ReadingDay.agent.in_(told))):
            packs[row.agent].append(dict(row._mapping))
        for agent, shape in zip(others, cycle(told), strict=False):
            rows = [row | {"agent": agent, "site": sites[agent]} for row in packs[shape]]
            db.execute(insert(ReadingDay), rows)
    database.close()


def _as_text(store: RealStore, folder: Path) -> tuple[Path, int]:
    """Return what a store has as OpenMetrics, and the most series that a village had at one moment."""
    store.times("none")  # everything it has is on disk then
    text = folder / "openmetrics"
    villages: dict[tuple[str, int], int] = {}
    with urllib.request.urlopen(f"{store.url}/api/v1/export?{MATCH}", timeout=120) as answer, text.open("w") as out:
        for line in answer:
            series = json.loads(line)
            labels = series["metric"]
            for head in {at // HEAD_MS for at in series["timestamps"]}:
                villages[labels["village"], head] = villages.get((labels["village"], head), 0) + 1
            rest = ",".join(f"{key}={json.dumps(value)}" for key, value in labels.items() if key != "__name__")
            name = f"{labels['__name__']}{{{rest}}}"
            points = zip(series["values"], series["timestamps"], strict=True)
            out.writelines(f"{name} {value} {at / 1000}\n" for value, at in points if value is not None)
        out.write("# EOF\n")
    return text, max(villages.values())


def _as_native(store: RealStore, folder: Path) -> Path:
    """Return what a store has in VictoriaMetrics' native form."""
    store.times("none")
    native = folder / "native"
    url = f"{store.url}/api/v1/export/native?{MATCH}"
    with urllib.request.urlopen(url, timeout=120) as answer, native.open("wb") as out:
        shutil.copyfileobj(answer, out)
    return native


def _scraped(folder: Path) -> int:
    """Return the most series of a village on the page that is scraped."""
    database = Database(url_of(folder))
    page = page_text(database, Tally(), only_state=True).decode()
    database.close()
    return max(Counter(re.findall(r'village="([\d.]+)"', page)).values())


def _imported(store: RealStore, native: Path) -> float:
    began = time.monotonic()
    with native.open("rb") as data:
        size = {"Content-Length": str(native.stat().st_size)}
        request = urllib.request.Request(f"{store.url}/api/v1/import/native", data, size, method="POST")
        urllib.request.urlopen(request, timeout=120).close()
    return time.monotonic() - began


def _blocks(folder: Path, text: Path) -> float:
    began = time.monotonic()
    command = [
        installed("promtool", "prometheus"),
        "tsdb",
        "create-blocks-from",
        "openmetrics",
        str(text),
        str(folder / "blocks"),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return time.monotonic() - began


def _lag(address: Address, store: RealStore, box: Enrolled, reading: Spooled) -> float:
    before = len(_instants(store))
    request = request_of(box.sender(SteadyBox()), [reading])
    head, _, body = request.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    urllib.request.urlopen(
        urllib.request.Request(f"http://{address.host}:{address.port}/api/v1/reports", body, headers), timeout=30
    ).close()
    receipt = time.monotonic()
    while time.monotonic() - receipt < LONGEST_SECONDS:
        if len(_instants(store)) > before:
            return time.monotonic() - receipt
        time.sleep(0.02)
    raise RuntimeError(f"a live sample did not come within {LONGEST_SECONDS} s")


def _instants(store: RealStore) -> list[object]:
    """Return the points of the last minutes that Prometheus answers with at this moment."""
    found = store.shows("kampungnet_device_up[30m]")
    return [point for series in found if isinstance(series, dict) for point in series["values"]]
