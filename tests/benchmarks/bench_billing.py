"""Billing: a month of 401 villages closed with all its papers, and its statement files verified."""

import os
import time
from pathlib import Path
from typing import Final

from tests.benchmarks import billing_books
from tests.benchmarks.billing_books import MONTH, REGENCY
from tests.benchmarks.context import Context
from tests.benchmarks.process import Child, ChildEnded, program, start
from tests.benchmarks.rows import Row, at_most

VILLAGES: Final = 401
MOST_SECONDS: Final = 240
PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def close_month(context: Context) -> list[Row]:
    """Close the month as an office does; then verify what it wrote."""
    folder = context.own_folder("close-month")
    billing_books.fill(folder)
    papers = folder / "papers"
    took, memory = _run("close-month", folder, f"{MONTH:%Y-%m}", "--data", str(folder), "--output", str(papers))
    written = papers / f"{REGENCY}-{MONTH:%Y-%m}"
    files = sorted((written / "laporan").glob("*.json"))
    pdfs, recaps = (len(list((written / name).glob("*.pdf"))) for name in ("laporan", "rekap"))
    if (len(files), pdfs, recaps) != (VILLAGES, VILLAGES, 27):
        raise RuntimeError(f"{len(files)} statement files, {pdfs} papers and {recaps} recaps were written")
    context.say(f"close-month: {took:.1f} s, {memory:.0f} MB")
    checked, _ = _run("verify", folder, *map(str, files))
    what = f"`close-month` of {VILLAGES} villages: statements, {VILLAGES} PDFs, 26 kecamatan and the kabupaten, tables"
    return [
        at_most(what, took, "s", (120, 30)),
        at_most(f"memory of `close-month` of {VILLAGES} villages (its processes together)", memory, "MB", (400, 200)),
        at_most(f"`verify` of {VILLAGES} statement files, with the start of the program", checked, "s", (5, 1)),
    ]


def _run(command: str, folder: Path, *words: str) -> tuple[float, float]:
    """Run one of our commands; return seconds, and the most that it and its children had resident in MB."""
    began, most = time.perf_counter(), 0.0
    child = start(command, [program("kampungnet"), command, *words], folder / f"{command}.log")
    try:
        while child.process.poll() is None:
            most = max(most, _resident(child))
            if time.perf_counter() - began > MOST_SECONDS:
                raise ChildEnded(f"{command} takes longer than {MOST_SECONDS} s: {child.last_words()}")
            time.sleep(0.02)
        took = time.perf_counter() - began
    finally:
        child.stop()
    if child.process.returncode:
        raise ChildEnded(f"{command} failed: {child.last_words()}")
    return took, most


def _resident(child: Child) -> float:
    """Return what a process and its children have resident now; what they share counts for each."""
    try:
        children = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
        pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in (str(child.pid), *children)]
    except (FileNotFoundError, ProcessLookupError):  # it ended between two looks
        return 0.0
    return sum(pages) * PAGE / 1e6
