"""Real metrics stores that take remote write: they can be killed like at a power cut, begun again, and read out raw."""

import json
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from abc import ABC, abstractmethod
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from tests.support.ports import free_port

START_SECONDS: Final = 60
OURS: Final = '{__name__=~"kampungnet_.+"}'

Sample = tuple[str, int, float]
"""Name and labels of a series, instant in ms, value."""


class RealStore(ABC):
    """A store on loopback with its data in a folder of the test."""

    program: str
    ready: str

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.write_url = f"{self.url}/api/v1/write"
        found = shutil.which(self.program)
        if found is None:
            pytest.skip(f"{self.program} is not installed (on Debian: apt install {self.program})")
        self._command = [found, *self.options()]
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def options(self) -> list[str]:
        """Return its options."""

    @abstractmethod
    def samples(self, village: str) -> Counter[Sample]:
        """Return all that it has of a village, each as often as it has it."""

    def start(self) -> None:
        """Start it and wait until it answers."""
        log = self.folder / "log"
        with log.open("ab") as opened:
            self._process = subprocess.Popen(self._command, stdout=opened, stderr=opened)
        until = time.monotonic() + START_SECONDS
        while not self._is_ready():
            assert self._process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        """Kill it without a word, as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it."""
        self._end(signal.SIGTERM)

    def pause(self, *, on: bool) -> None:
        """Let it hang, or go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP if on else signal.SIGCONT)

    def times(self, village: str, name: str = "kampungnet_device_up") -> list[int]:
        """Return when samples of one metric were taken, doubles included."""
        found = self.samples(village)
        return sorted(
            at for (series, at, _), often in found.items() if series.startswith(name + "{") for _ in range(often)
        )

    def shows(self, query: str) -> list[object]:
        """Return what it answers to a query of this moment."""
        found: list[object] = json.loads(self._asked("/api/v1/query", query=query))["data"]["result"]
        return found

    def _end(self, how: int) -> None:
        if self._process:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(self.url + self.ready, timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def _asked(self, path: str, **parameters: str) -> bytes:
        url = f"{self.url}{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=60) as answer:
            found: bytes = answer.read()
        return found


class Prometheus(RealStore):
    """Prometheus 2.42 with seven days of window, as we tell people to set it up."""

    program, ready = "prometheus", "/-/ready"

    def options(self) -> list[str]:
        """Return its options."""
        file = self.folder / "prometheus.yml"
        file.write_text("storage:\n  tsdb:\n    out_of_order_time_window: 7d\n")
        return [
            f"--config.file={file}", f"--storage.tsdb.path={self.folder / 'data'}", "--log.level=warn",
            "--web.enable-remote-write-receiver", f"--web.listen-address=127.0.0.1:{self.port}",
        ]  # fmt: skip

    def samples(self, village: str) -> Counter[Sample]:
        """Return all that it has of a village."""
        query = OURS.replace("}", f',village="{village}"}}[8d]')
        answer = json.loads(self._asked("/api/v1/query", query=query, time=str(time.time() + 7200)))
        return Counter(
            (_name(series["metric"]), round(float(at) * 1000), float(value))
            for series in answer["data"]["result"]
            for at, value in series["values"]
        )


class VictoriaMetrics(RealStore):
    """VictoriaMetrics 1.79 that keeps of samples with the same instant one, as we tell people to set it up."""

    program, ready = "victoria-metrics", "/health"

    def options(self) -> list[str]:
        """Return its options."""
        return [
            f"-storageDataPath={self.folder / 'data'}", f"-httpListenAddr=127.0.0.1:{self.port}",
            "-dedup.minScrapeInterval=1ms", "-retentionPeriod=12", "-loggerLevel=WARN",
        ]  # fmt: skip

    def samples(self, village: str) -> Counter[Sample]:
        """Return all that it has of a village."""
        self._asked("/internal/force_flush")
        match = {"match[]": OURS.replace("}", f',village="{village}"}}'), "reduce_mem_usage": "0"}
        lines = [json.loads(line) for line in self._asked("/api/v1/export", **match).splitlines()]
        return Counter(
            (_name(series["metric"]), at, float(value))
            for series in lines
            for at, value in zip(series["timestamps"], series["values"], strict=True)
            if value is not None
        )


def _name(labels: dict[str, str]) -> str:
    rest = ",".join(f"{name}={value}" for name, value in sorted(labels.items()) if name != "__name__")
    return f"{labels['__name__']}{{{rest}}}"
