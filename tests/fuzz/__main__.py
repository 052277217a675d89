"""Lets atheris look for bytes that break a decoder: ``make fuzz`` (``ONLY=name``, ``SECONDS=`` for all together).

Each decoder starts from its kept inputs in ``tests/fuzz/corpus`` and gets its share of the time. What breaks one is
written beside them, where ``test_corpus.py`` shows it again on every machine. ``--keep`` adds what reached new code.
"""

import argparse
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.faults.told import chance, told
from tests.fuzz.decoders import DECODERS

CORPUS = Path(__file__).parent / "corpus"
ROOT = Path(__file__).parents[2]
LONGEST_BYTES = 2_000
MOST_KEPT = 25
"""New inputs of one decoder in one run."""
START_SECONDS = 120
"""A decoder's process loads and instruments the modules first, on a machine that may be busy."""
TRIED = re.compile(r"stat::number_of_executed_units:\s*(\d+)")


def main() -> int:
    """Run all or one; 1 when something broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--only", choices=[*DECODERS, ""], default="")
    parser.add_argument("--seconds", type=int, default=60, help="for all decoders together")
    parser.add_argument("--keep", action="store_true", help="add inputs that reached new code to the corpus")
    options = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        where = f"{sys.platform} {platform.machine()}, Python {platform.python_version()}"
        sys.stdout.write(f"Nothing fuzzed: atheris is not built for {where}. The kept inputs run as tests/fuzz.\n")
        return 0
    names, seed = [options.only] if options.only else list(DECODERS), chance()
    share = max(1, options.seconds // len(names))
    broken = [name for name in names if not _fuzz(name, share, seed, keep=options.keep)]
    if broken:
        sys.stdout.write(
            f"Broken: {', '.join(broken)}. The input lies in tests/fuzz/corpus; pytest tests/fuzz shows it.\n"
        )
    return 1 if broken else 0


def _fuzz(name: str, seconds: int, seed: int, *, keep: bool) -> bool:
    kept = CORPUS / name
    with tempfile.TemporaryDirectory(prefix="kampungnet-fuzz-") as folder:
        new = Path(folder) / "new"
        new.mkdir()
        words = [
            f"-max_total_time={seconds}", f"-max_len={LONGEST_BYTES}", f"-seed={seed}", "-timeout=20",
            "-rss_limit_mb=1024", f"-artifact_prefix={kept}/broken-", "-print_final_stats=1", "-verbosity=0",
        ]  # fmt: skip
        done = _run(name, seconds, folder, *words, str(new), str(kept))
        found = TRIED.search(done.stderr)
        told(f"bytes for {name}", int(found[1]) if found else 0, 0, 0, f"{seconds} s, {len(list(kept.iterdir()))} kept")
        if done.returncode or not found:
            sys.stdout.write(done.stderr[-3_000:])
            return False
        if keep:
            _keep(new, kept)
    return True


def _keep(new: Path, kept: Path) -> None:
    """Keep what came last: each stands on those before, and reached code that none of them did."""
    for file in sorted(new.iterdir(), key=lambda one: one.stat().st_mtime_ns)[-MOST_KEPT:]:
        shutil.copyfile(file, kept / file.name)


def _run(name: str, seconds: int, folder: str, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.fuzz.one", name, *words]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False,
        timeout=seconds + START_SECONDS, env=os.environ | {"TMPDIR": folder},
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
