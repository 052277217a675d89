"""Real Prometheus and Alertmanager on loopback, as Debian packages them: started, awaited, always ended."""

import json
import re
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from kampungnet.core.database import Database
from kampungnet.metrics.pushing import Pusher
from kampungnet.metrics.store import Settings
from tests.conftest import ROOT
from tests.support.ports import free_port

RULES: Final = ROOT / "dashboards" / "prometheus"
ALERTMANAGER: Final = ROOT / "dashboards" / "alertmanager" / "alertmanager.yml"
START_SECONDS: Final = 60


def quick(text: str, *, waits: bool = False) -> str:
    """Let what we ship look every second; unless it ``waits``, alerts come after one and outlast a scrape that failed.

    What holds at once (``for: 0s``) still comes before what has to last.
    """
    text = re.sub(r"(scrape_interval|scrape_timeout): \d+[smh]", r"\1: 3s", text)
    text = re.sub(r"(evaluation_| )interval: \d+[smh]", r"\1interval: 1s", text)
    if waits:
        return text
    return re.sub(r" for: [1-9]\d*[smh]", " for: 1s", re.sub(r"keep_firing_for: \d+[smh]", "keep_firing_for: 4s", text))


def tool(name: str, package: str = "prometheus") -> str:
    """Return the path of a program, or skip the test where it is not installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (on Debian: apt install {package})")
    return found


@contextmanager
def prometheus(folder: Path, config: str, *options: str) -> Iterator[str]:
    """Run Prometheus with a configuration, its data in ``folder``; yield its address."""
    file = folder / "prometheus.yml"
    file.write_text(config)
    port = free_port()
    command = [
        tool("prometheus"), f"--config.file={file}", f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}", *options,
    ]  # fmt: skip
    with _running(command, folder / "prometheus.log", f"http://127.0.0.1:{port}") as url:
        yield url


@contextmanager
def alertmanager(folder: Path, config: str) -> Iterator[str]:
    """Run Alertmanager alone, without a cluster; yield its address."""
    file = folder / "alertmanager.yml"
    file.write_text(config)
    port = free_port()
    command = [
        tool("prometheus-alertmanager", "prometheus-alertmanager"), f"--config.file={file}",
        f"--storage.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
    ]  # fmt: skip
    with _running(command, folder / "alertmanager.log", f"http://127.0.0.1:{port}") as url:
        yield url


def text_at(url: str) -> str:
    """Return the text at an address."""
    with urllib.request.urlopen(url, timeout=60) as answer:
        found: bytes = answer.read()
    return found.decode()


def get(url: str) -> Any:
    """Return the JSON at an address."""
    return json.loads(text_at(url))


def post(url: str, what: Any) -> None:
    """Send JSON to an address."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(what).encode(), headers)
    urllib.request.urlopen(request, timeout=60).close()


@contextmanager
def _running(command: list[str], log: Path, url: str) -> Iterator[str]:
    with log.open("wb") as opened:
        process = subprocess.Popen(command, stdout=opened, stderr=opened)
    try:
        until = time.monotonic() + START_SECONDS
        while not _is_ready(url):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(60)


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def pushing(database: Database, write_url: str) -> Iterator[None]:
    """Run a pusher; its end is orderly."""
    stopping = threading.Event()
    thread = threading.Thread(target=Pusher(database, Settings(write_url), stopping).run)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(60)
