"""Runs the benchmarks and prints the table that README shows.

``python -m tests.benchmarks`` runs all of them, ``python -m tests.benchmarks poll-cpu`` one; ``--write`` puts the
table of all into README.md, and what single ones tell at length into their pages in docs/. A benchmark has its own
time limit; a peer that cannot be had is said in its row.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import FrameType

from tests.benchmarks import machine, marked
from tests.benchmarks.context import Context, Measure
from tests.benchmarks.process import ROOT, ChildEnded, Unusable
from tests.benchmarks.rows import Row, broken, markdown, missing

README = ROOT / "README.md"


@dataclass(frozen=True)
class Benchmark:
    """Where a benchmark is, and how long it may take."""

    place: str
    limit_seconds: int


BENCHMARKS = {
    "poll-cpu": Benchmark("bench_agent:poll_cpu", 150),
    "poll-wall": Benchmark("bench_agent:poll_wall", 120),
    "agent-memory": Benchmark("bench_agent:agent_memory", 180),
    "poll-217": Benchmark("bench_agent:poll_fleet", 180),
    "poll-full": Benchmark("bench_devices:poll_full", 150),
    "router-line": Benchmark("bench_devices:router_line", 90),
    "poll-ont": Benchmark("bench_devices:poll_ont", 150),
    "agent-802": Benchmark("bench_many:agent_802", 360),
    "hostile": Benchmark("bench_hostile:hostile", 300),
    "soak-1": Benchmark("bench_soak:soak_one", 300),
    "soak-401": Benchmark("bench_soak:soak_many", 400),
    "ingest-single": Benchmark("bench_ingest:ingest_single", 240),
    "ingest-batch": Benchmark("bench_ingest:ingest_batch", 150),
    "ingest-postgresql": Benchmark("bench_ingest:ingest_postgresql", 300),
    "reconnect-401": Benchmark("bench_reconnect:reconnect", 420),
    "reconnect-week": Benchmark("bench_reconnect:week", 480),
    "pages": Benchmark("bench_pages:pages", 300),
    "every-page": Benchmark("bench_every_page:every_page", 300),
    "first-paint": Benchmark("bench_every_page:first_paint", 300),
    "billing-pages": Benchmark("bench_billing_pages:billing_pages", 300),
    "backup": Benchmark("bench_backup:backup", 300),
    "disk": Benchmark("bench_disk:disk", 180),
    "ledger": Benchmark("bench_ledger:ledger_month", 300),
    "ledger-recompute": Benchmark("bench_ledger:ledger_recompute", 240),
    "close-month": Benchmark("bench_billing:close_month", 420),
    "classify": Benchmark("bench_classify:classify", 360),
    "remote-write": Benchmark("bench_push:remote_write", 360),
    "remote-write-lag": Benchmark("bench_push:live_lag", 120),
    "grafana-queries": Benchmark("bench_grafana:grafana_queries", 420),
    "portal-apply": Benchmark("bench_portal:portal_apply", 60),
    "vouchers": Benchmark("bench_portal:voucher_batch", 60),
    "portal-page": Benchmark("bench_portal_server:portal_page", 60),
    "portal-held": Benchmark("bench_portal_server:held_requests", 90),
    "voucher-paper": Benchmark("bench_portal:voucher_paper", 120),
    "desk-click": Benchmark("bench_portal:desk_click", 180),
    "portal-sessions": Benchmark("bench_portal:session_sums", 240),
    "ansible": Benchmark("bench_ansible:site", 1500),
    "kill-agent": Benchmark("bench_kill:kill_agent", 300),
    "kill-server": Benchmark("bench_kill:kill_server", 600),
    "faults": Benchmark("bench_faults:faults", 1_200),
}


class TooLong(Exception):
    """A benchmark reached its limit."""


def main() -> int:
    """Run what was asked for; 1 when a benchmark could not be brought to its end."""
    options = _options()
    signal.signal(signal.SIGTERM, _end)
    names = [options.name] if options.name else list(BENCHMARKS)
    rows: list[Row] = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kampungnet-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as another user and its folder may lie below
        where = machine.describe(folder)
        _say(where)
        context = Context(folder, writes=options.write)
        failed = [one for one in names if not _measure(one, context, rows)]
    table = f"{where} {_minutes(time.monotonic() - began)} for all of it.\n\n{markdown(rows)}"
    _say(f"\n{table}")
    if options.write and not options.name:
        marked.write(README, table)
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", choices=[*BENCHMARKS, ""], help="one of them; without a name all")
    parser.add_argument("--write", action="store_true", help="put the tables into README.md (of all) and docs/")
    return parser.parse_args()


def _measure(name: str, context: Context, rows: list[Row]) -> bool:
    benchmark = BENCHMARKS[name]
    _say(f"\n{name} (at most {benchmark.limit_seconds} s)")
    began = time.monotonic()
    module_name, _, function = benchmark.place.partition(":")
    try:
        with _limited(benchmark.limit_seconds * (10 if os.environ.get("LONG") else 1)):
            measure: Measure = getattr(import_module(f"tests.benchmarks.{module_name}"), function)
            found = measure(context)
    except Exception as error:  # noqa: BLE001 -- whatever happens to one, the others are measured and the table printed
        if isinstance(error, Unusable) and not isinstance(error, ChildEnded):
            rows.append(missing(name, "–", str(error)))
            return True
        traceback.print_exc()
        rows.append(broken(name, error))
        return False
    rows += found
    for row in found:
        _say(f"    {row.what}: {row.ours}; {row.peer}; {row.ratio}")
    _say(f"    {time.monotonic() - began:.0f} s")
    return True


@contextmanager
def _limited(seconds: int) -> Iterator[None]:
    def ring(_number: int, _frame: FrameType | None) -> None:
        raise TooLong(f"it took longer than its {seconds} s")

    signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def _end(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} s"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
