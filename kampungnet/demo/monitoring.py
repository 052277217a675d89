"""Prometheus beside the demo, with the rules and configuration that we ship; where it is missing, a sentence."""

import json
import re
import shutil
import socket
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final

import kampungnet
from kampungnet.demo.children import Children

SHIPPED: Final = Path(kampungnet.__file__).parent.parent / "dashboards" / "prometheus"
RULES: Final = ("recording.yml", "alerts-villages.yml", "alerts-platform.yml")
NAME: Final = "prometheus"
REMOTE_WRITE: Final = "KAMPUNGNET_REMOTE_WRITE_URL"
GREEN_SECONDS: Final = 30
_ABSENT: Final = "Prometheus is not installed: the demo goes without it (on Debian: apt install prometheus)."
_NO_RULES: Final = "The folder dashboards/ is not beside the program: the demo goes without Prometheus."
_NOT_GREEN: Final = "Prometheus did not come up: its log says why, the demo goes on without it."


class Monitoring:
    """One Prometheus as a child of the demo."""

    def __init__(self, children: Children, folder: Path) -> None:
        self._children, self._folder = children, folder / NAME
        self._url = ""
        self._why_not = ""

    @property
    def url(self) -> str:
        """Its address; empty where there is none."""
        return self._url

    def start(self, server_port: int) -> None:
        """Start it in the background where that is possible."""
        if shutil.which(NAME) is None:
            self._why_not = _ABSENT
        elif not SHIPPED.is_dir():
            self._why_not = _NO_RULES
        if self._why_not:
            return
        port = _free_port()
        self._url = f"http://127.0.0.1:{port}"
        config = _configuration(self._folder, server_port, port)
        self._children.start(
            NAME, NAME, f"--config.file={config}", f"--storage.tsdb.path={self._folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver",
            "--storage.tsdb.retention.time=30d", optional=True,
        )  # fmt: skip

    def feed(self, data: Path) -> None:
        """Push to it what was measured and is kept in the demo's folder: the last week of it, then what comes."""
        if self._url and not self._children.have_ended([NAME]):
            settings = {REMOTE_WRITE: f"{self._url}/api/v1/write"}
            self._children.start("push", "kampungnet", "push", "--data", str(data), optional=True, more=settings)

    def told(self) -> str:
        """Return the address and how its targets are, or why there is none."""
        if self._why_not:
            return self._why_not
        targets: list[str] = []

        def are_green() -> bool:
            nonlocal targets
            found = _targets(self._url)
            targets = [f"{one['labels']['job']} {one['health']}" for one in found]
            return self._children.have_ended([NAME]) or (bool(found) and all(one["health"] == "up" for one in found))

        if not self._children.waited_for(are_green, GREEN_SECONDS) or self._children.have_ended([NAME]):
            return _NOT_GREEN
        return f"Prometheus: {self._url}/alerts with our rules (targets: {', '.join(sorted(targets))})"


def _configuration(folder: Path, server_port: int, port: int) -> Path:
    """Write the shipped configuration for these ports, without an Alertmanager; return its file."""
    folder.mkdir(exist_ok=True)
    for name in RULES:
        shutil.copyfile(SHIPPED / name, folder / name)
    text = (SHIPPED / "prometheus.yml").read_text()
    text = re.sub(r"^alerting:\n(?: .*\n)+", "", text, flags=re.MULTILINE).partition("  - job_name: alertmanager")[0]
    text = text.replace("127.0.0.1:8080", f"127.0.0.1:{server_port}").replace("127.0.0.1:9090", f"127.0.0.1:{port}")
    text = re.sub(r"scrape_(interval|timeout): \d+s", r"scrape_\1: 5s", text)
    file = folder / "prometheus.yml"
    file.write_text(text)
    return file


def _targets(url: str) -> list[dict[str, Any]]:
    try:
        with urllib.request.urlopen(f"{url}/api/v1/targets", timeout=2) as answer:  # noqa: S310 -- our own loopback address
            found: list[dict[str, Any]] = json.load(answer)["data"]["activeTargets"]
            return found
    except (urllib.error.URLError, OSError, ValueError):
        return []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
