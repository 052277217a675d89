"""Samples pushed to metrics stores: a day back-filled against the stores' own import; how late a live sample is."""

import json
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from kampungnet.core import clock
from kampungnet.core.database import Database
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

VILLAGES: Final = 12
"""Of 401: their day has the same shape, and the peers' import of all would take longer than a benchmark may."""
LIVE_REPORTS: Final = 40
LONGEST_SECONDS: Final = 30
REGENCY: Final = "33.10"
MUST_AIM: Final = (0.3, 0.8)


def remote_write(context: Context) -> list[Row]:
    """Back-fill a day into both stores by ``kampungnet resend``, and by the stores' own import of the same data."""
    installed("prometheus", "prometheus")
    installed("victoria-metrics", "victoria-metrics")
    folder = context.own_folder("push")
    boxes = prepare_sqlite(folder, VILLAGES)
    day = clock.local_day(clock.now_ms(), clock.zone_of(REGENCY)) - timedelta(days=1)
    _fill(context, folder, boxes, clock.day_start_ms(day + timedelta(days=1), clock.zone_of(REGENCY)))
    with _store(VictoriaMetrics, folder / "vm") as victoria, _store(Prometheus, folder / "prom") as prometheus:
        ours_vm, values = _resent(context, folder, victoria, str(day))
        ours_prom, _ = _resent(context, folder, prometheus, str(day))
        native, text, series = _exported(victoria, folder)
    with _store(VictoriaMetrics, folder / "vm-peer") as other:
        peer_vm = _imported(other, native)
    peer_prom = _blocks(folder, text)
    context.say(f"{values} values: ours {ours_prom:.1f} and {ours_vm:.1f} s, peers {peer_prom:.1f} and {peer_vm:.1f} s")
    what = f"remote write: a day of {VILLAGES} of 401 villages ({values} values) from the database into"
    return [
        more(f"{what} Prometheus, against promtool's blocks from OpenMetrics", [values / ours_prom],
             [values / peer_prom], "values/s", MUST_AIM),
        more(f"{what} VictoriaMetrics, against its native import", [values / ours_vm],
             [values / peer_vm], "values/s", MUST_AIM),
        at_most("active series of a village with router and ONT", series, "", (60, 40)),
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


def _exported(store: RealStore, folder: Path) -> tuple[Path, Path, int]:
    """Return the same data in VictoriaMetrics' native form and as OpenMetrics, and the most series of a village."""
    store.times("none")  # everything it has is on disk then
    match = "match%5B%5D=" + urllib.parse.quote(OURS)
    native, text = folder / "native", folder / "openmetrics"
    with urllib.request.urlopen(f"{store.url}/api/v1/export/native?{match}", timeout=120) as answer:
        native.write_bytes(answer.read())
    villages: dict[str, int] = {}
    with urllib.request.urlopen(f"{store.url}/api/v1/export?{match}", timeout=120) as answer, text.open("w") as out:
        for line in answer:
            series = json.loads(line)
            labels = series["metric"]
            villages[labels["village"]] = villages.get(labels["village"], 0) + 1
            rest = ",".join(f"{key}={json.dumps(value)}" for key, value in labels.items() if key != "__name__")
            name = f"{labels['__name__']}{{{rest}}}"
            points = zip(series["values"], series["timestamps"], strict=True)
            out.writelines(f"{name} {value} {at / 1000}\n" for value, at in points if value is not None)
        out.write("# EOF\n")
    return native, text, max(villages.values())


def _imported(store: RealStore, native: Path) -> float:
    began = time.monotonic()
    request = urllib.request.Request(f"{store.url}/api/v1/import/native", native.read_bytes(), method="POST")
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
