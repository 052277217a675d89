"""Prometheus and Alertmanager beside the demo, with what we ship for them; where one is missing, a sentence."""

import json
import os
import re
import shutil
import socket
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final

import kampungnet
from kampungnet.demo.children import Children

DASHBOARDS: Final = Path(kampungnet.__file__).parent.parent / "dashboards"
SHIPPED: Final = DASHBOARDS / "prometheus"
RULES: Final = ("recording.yml", "alerts-villages.yml", "alerts-platform.yml")
NAME: Final = "prometheus"
ALERTMANAGER: Final = "alertmanager"
PROGRAMS: Final = ("prometheus-alertmanager", "alertmanager")
"""What Debian calls Alertmanager, and what its makers do."""
REMOTE_WRITE: Final = "KAMPUNGNET_REMOTE_WRITE_URL"
GREEN_SECONDS: Final = 30
_ABSENT: Final = "Prometheus is not installed: the demo goes without it (on Debian: apt install prometheus)."
_NO_RULES: Final = "The folder dashboards/ is not beside the program: the demo goes without Prometheus."
_NO_ALERTMANAGER: Final = (
    "Alertmanager is not installed: alerts stay in Prometheus (on Debian: apt install prometheus-alertmanager)."
)
_NO_HANDING_IN: Final = "Alertmanager did not come up: its log says why, alerts stay in Prometheus."
_NOT_GREEN: Final = "Prometheus did not come up: its log says why, the demo goes on without it."


class Monitoring:
    """One Prometheus and one Alertmanager as children of the demo."""

    def __init__(self, children: Children, folder: Path) -> None:
        self._children, self._folder = children, folder / NAME
        self._alerts = folder / ALERTMANAGER
        self._url = self._alerts_url = ""
        self._why_not = ""

    @property
    def url(self) -> str:
        """Its address; empty where there is none."""
        return self._url

    @property
    def alerts_url(self) -> str:
        """The address of Alertmanager; empty where there is none."""
        return self._alerts_url

    def start(self, server_port: int, token: str) -> None:
        """Start both in the background where that is possible; Alertmanager hands alerts in with ``token``."""
        if shutil.which(NAME) is None:
            self._why_not = _ABSENT
        elif not SHIPPED.is_dir():
            self._why_not = _NO_RULES
        if self._why_not:
            return
        self._start_alertmanager(server_port, token)
        port = _free_port()
        self._url = f"http://127.0.0.1:{port}"
        config = _configuration(self._folder, server_port, port, self._alerts_url)
        self._children.start(
            NAME, NAME, f"--config.file={config}", f"--storage.tsdb.path={self._folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver",
            "--storage.tsdb.retention.time=30d", optional=True,
        )  # fmt: skip

    def _start_alertmanager(self, server_port: int, token: str) -> None:
        program = next(filter(shutil.which, PROGRAMS), None)
        if program is None:
            return
        port = _free_port()
        self._alerts_url = f"http://127.0.0.1:{port}"
        config = _handing_in(self._alerts, server_port, token)
        self._children.start(
            ALERTMANAGER, program, f"--config.file={config}", f"--storage.path={self._alerts / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", optional=True,
        )  # fmt: skip

    def feed(self, data: Path) -> None:
        """Push to it what was measured and is kept in the demo's folder: the last week of it, then what comes."""
        if self._url and not self._children.have_ended([NAME]):
            settings = {REMOTE_WRITE: f"{self._url}/api/v1/write"}
            self._children.start("push", "kampungnet", "push", "--data", str(data), optional=True, more=settings)

    def told(self) -> str:
        """Return the addresses and how Prometheus' targets are, or why there is none; a line for each program."""
        if self._why_not:
            return self._why_not
        targets: list[str] = []

        def are_green() -> bool:
            nonlocal targets
            found = [one for one in _targets(self._url) if self._hands_in or one["labels"]["job"] != ALERTMANAGER]
            targets = [f"{one['labels']['job']} {one['health']}" for one in found]
            return self._children.have_ended([NAME]) or (bool(found) and all(one["health"] == "up" for one in found))

        if not self._children.waited_for(are_green, GREEN_SECONDS) or self._children.have_ended([NAME]):
            return _NOT_GREEN
        said = f"Prometheus: {self._url}/alerts with our rules (targets: {', '.join(sorted(targets))})"
        return f"{said}\n  {self._told_of_alertmanager()}"

    def _told_of_alertmanager(self) -> str:
        if not self._alerts_url:
            return _NO_ALERTMANAGER
        return f"Alertmanager: {self._alerts_url} hands alerts to the server" if self._hands_in else _NO_HANDING_IN

    @property
    def _hands_in(self) -> bool:
        return bool(self._alerts_url) and not self._children.have_ended([ALERTMANAGER])


def _configuration(folder: Path, server_port: int, port: int, alerts_url: str) -> Path:
    """Write the shipped configuration for these ports, with an Alertmanager where there is one; return its file."""
    folder.mkdir(exist_ok=True)
    for name in RULES:
        shutil.copyfile(SHIPPED / name, folder / name)
    text = (SHIPPED / "prometheus.yml").read_text()
    if not alerts_url:
        text = re.sub(r"^alerting:\n(?: .*\n)+", "", text, flags=re.MULTILINE).partition("  - job_name: alertmanager")[
            0
        ]
    text = text.replace("127.0.0.1:9093", alerts_url.removeprefix("http://"))
    text = text.replace("127.0.0.1:8080", f"127.0.0.1:{server_port}").replace("127.0.0.1:9090", f"127.0.0.1:{port}")
    text = re.sub(r"scrape_(interval|timeout): \d+s", r"scrape_\1: 5s", text)
    file = folder / "prometheus.yml"
    file.write_text(text)
    return file


def _handing_in(folder: Path, server_port: int, token: str) -> Path:
    """Write the shipped configuration of Alertmanager for our server, and the token beside it; return its file."""
    folder.mkdir(exist_ok=True)
    opened = os.open(folder / "alerts.token", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(opened, "w") as written:
        written.write(token)
    file = folder / "alertmanager.yml"
    text = (DASHBOARDS / "alertmanager" / file.name).read_text()
    file.write_text(text.replace("127.0.0.1:8080", f"127.0.0.1:{server_port}"))
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
