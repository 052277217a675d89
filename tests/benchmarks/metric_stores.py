"""Peers of the server: Prometheus and VictoriaMetrics from Debian, each on a loopback port in a folder of its own."""

import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.http_load import Address, answers_ok
from tests.benchmarks.process import Unusable, running
from tests.support.ports import free_port

INSTALL_SECONDS = 300


@dataclass(frozen=True)
class Store:
    """A running metrics store that takes remote write."""

    name: str
    address: Address
    write_path: str
    counter: str
    """Its own metric that counts the samples it took."""

    def samples(self) -> int:
        """Return how many samples it says it took."""
        url = f"http://{self.address.host}:{self.address.port}/metrics"
        with urllib.request.urlopen(url, timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        return int(sum(float(line.split()[-1]) for line in lines if line.startswith(self.counter)))


@contextmanager
def prometheus(folder: Path) -> Iterator[Store]:
    """Run Prometheus 2.42 with its remote write receiver."""
    command = installed("prometheus", "prometheus")
    (folder / "prometheus.yml").write_text("global: {}\n")
    address = Address("127.0.0.1", free_port())
    options = [
        f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{address.port}", "--web.enable-remote-write-receiver", "--log.level=error",
    ]  # fmt: skip
    with running("prometheus", [command, *options], folder) as child:
        child.wait_for("Prometheus", lambda: answers_ok(address, "/-/ready"))
        yield Store("Prometheus", address, "/api/v1/write", "prometheus_tsdb_head_samples_appended_total")


@contextmanager
def victoria_metrics(folder: Path) -> Iterator[Store]:
    """Run VictoriaMetrics 1.79."""
    command = installed("victoria-metrics", "victoria-metrics")
    address = Address("127.0.0.1", free_port())
    options = [
        f"-storageDataPath={folder / 'victoria-metrics'}", f"-httpListenAddr=127.0.0.1:{address.port}",
        "-retentionPeriod=12", "-loggerLevel=ERROR",
    ]  # fmt: skip
    with running("victoria-metrics", [command, *options], folder) as child:
        child.wait_for("VictoriaMetrics", lambda: answers_ok(address, "/health"))
        yield Store("VictoriaMetrics", address, "/api/v1/write", 'vm_rows_inserted_total{type="promremotewrite"}')


def installed(program: str, package: str) -> str:
    """Return where a program of Debian lies, installed when we are root. Raises ``Unusable``."""
    search = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
    found = shutil.which(program, path=search)
    if found:
        return found
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Unusable(f"{package} is not installed here (on Debian: apt install {package})")
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
    try:
        subprocess.run(
            command, check=True, capture_output=True, timeout=INSTALL_SECONDS,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise Unusable(f"{package} cannot be installed here") from error
    found = shutil.which(program, path=search)
    if found is None:
        raise Unusable(f"{package} brought no {program}")
    return found
