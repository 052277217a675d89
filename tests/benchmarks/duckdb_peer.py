"""DuckDB in an environment of its own: the same slots as a table of its own, asked once for every line it is sent."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.process import Unusable
from tests.support.tools import environment

VERSION = "2.0.0"
_PROGRAM = """
import sys, time, duckdb
db = duckdb.connect()
db.execute("SET enable_progress_bar = false")
db.execute("CREATE TABLE slots AS SELECT * FROM read_csv(?, header=false, columns={"
           "'site': 'INTEGER', 'at': 'BIGINT', 'rx': 'BIGINT', 'tx': 'BIGINT', 'up': 'INTEGER'})", [sys.argv[1]])
print("ready", flush=True)
for line in sys.stdin:
    began = time.perf_counter()
    found = db.execute(line).fetchall()
    print(time.perf_counter() - began, len(found), flush=True)
"""


class DuckDb:
    """A running DuckDB that holds the slots."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def answer(self) -> str:
        """Return its next line."""
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise Unusable(f"DuckDB {VERSION} ended by itself")
        return line

    def seconds(self, question: str) -> float:
        """Ask and return how long it took inside the process."""
        if self._process.stdin is None:
            raise Unusable(f"DuckDB {VERSION} takes no question")
        self._process.stdin.write(question + "\n")
        self._process.stdin.flush()
        return float(self.answer().split()[0])


@contextmanager
def duckdb(slots: Path) -> Iterator[DuckDb]:
    """Load a file of slots and wait for questions. Raises ``Unusable`` where it cannot be had."""
    try:
        python = environment("duckdb", f"duckdb=={VERSION}") / "python"
    except (OSError, subprocess.SubprocessError, AssertionError) as error:
        raise Unusable(f"DuckDB {VERSION} cannot be installed here") from error
    command = [str(python), "-c", _PROGRAM, str(slots)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            found = DuckDb(process)
            found.answer()
            yield found
        finally:
            process.kill()
