"""The peer of the agent: mktxp, the usual Prometheus exporter for RouterOS, in an environment of its own."""

import http.client
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.process import Child, Unusable, running
from tests.benchmarks.simulator import Simulated
from tests.support.ports import free_port
from tests.support.tools import environment

VERSION = "2.1.0"
SCRAPE_SECONDS = 120

# RouterOS-api under it sends word by word and waits 40 ms for the delayed acknowledgement of each command. We
# switch that wait off for it (TCP_NODELAY), so that we compare with its work and not with its bad luck.
_LAUNCH = """
import socket, sys
def connect(address, timeout=None, *rest, _plain=socket.create_connection, **more):
    made = _plain(address, timeout, *rest, **more)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made
socket.create_connection = connect
from mktxp.cli.dispatch import main
sys.exit(main())
"""
_SYSTEM = """[MKTXP]
    listen = '127.0.0.1:{port}'
    minimal_collect_interval = 0
    fetch_routers_in_parallel = {parallel}
    max_worker_threads = 5
    max_scrape_duration = 60
    total_max_scrape_duration = 110
    compact_default_conf_values = True
"""
LIKE = {
    "health", "routerboard", "interface", "route", "dhcp_lease", "wireless", "wireless_clients", "netwatch", "queue",
    "capsman", "capsman_clients",
}  # fmt: skip
"""Collectors that ask what our driver asks; identity and resource it always asks."""
_SWITCHABLE = (
    "health", "installed_packages", "dhcp", "dhcp_lease", "connections", "interface", "routerboard", "route", "pool",
    "firewall", "neighbor", "poe", "monitor", "netwatch", "public_ip", "wireless", "wireless_clients", "capsman",
    "capsman_clients", "user", "queue",
)  # fmt: skip


@dataclass(frozen=True)
class Scrape:
    """What one scrape cost."""

    cpu_ms: float
    wall_ms: float
    series: int


@dataclass(frozen=True)
class Exporter:
    """A running mktxp."""

    child: Child
    port: int

    def scrape(self) -> Scrape:
        """Fetch ``/metrics`` once."""
        spent, began = self.child.cpu_seconds(), time.perf_counter()
        page = self._page()
        wall = (time.perf_counter() - began) * 1000
        cpu = (self.child.cpu_seconds() - spent) * 1000
        return Scrape(cpu, wall, sum(line.startswith(b"mktxp_") for line in page.splitlines()))

    def routers(self) -> int:
        """Return of how many routers the page tells the uptime."""
        return sum(line.startswith(b"mktxp_system_uptime{") for line in self._page().splitlines())

    def _page(self) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SCRAPE_SECONDS)
        try:
            connection.request("GET", "/metrics")
            return connection.getresponse().read()
        finally:
            connection.close()


@contextmanager
def exporting(
    folder: Path, routers: Sequence[Simulated], *, like_only: bool = False, parallel: bool = False
) -> Iterator[Exporter]:
    """Run mktxp for these routers. Raises ``Unusable`` when it cannot be had."""
    python = _installed()
    port = free_port()
    own = folder / f"mktxp-{port}"
    own.mkdir()
    (own / "_mktxp.conf").write_text(_SYSTEM.format(port=port, parallel=parallel))
    (own / "mktxp.conf").write_text(_entries(routers, like_only=like_only))
    command: list[str | Path] = [python, "-c", _LAUNCH, "--cfg-dir", own, "export"]
    with running("mktxp", command, own, {"PYTHONUNBUFFERED": "1"}) as child:
        exporter = Exporter(child, port)
        child.wait_for("mktxp", lambda: _answers(port), 60)
        seen = exporter.routers()
        if seen != len(routers):
            raise Unusable(f"mktxp reads {seen} of {len(routers)} routers: {child.last_words()}")
        yield exporter


def _entries(routers: Sequence[Simulated], *, like_only: bool) -> str:
    blocks = []
    for place, one in enumerate(routers):
        host, _, port = one.router.address.rpartition(":")
        blocks.append(
            f"[router-{place}]\n    hostname = {host}\n    port = {port}\n    username = {one.router.username}\n"
            f"    password = {one.router.password}\n"
        )
    chosen = [f"    {name} = {name in LIKE}" for name in _SWITCHABLE] if like_only else []
    return "\n".join([*blocks, "[default]", "    enabled = True", "    plaintext_login = True", *chosen, ""])


def _installed() -> Path:
    try:
        return environment("mktxp", f"mktxp=={VERSION}") / "python"
    except (OSError, subprocess.SubprocessError, AssertionError) as error:
        raise Unusable(f"mktxp {VERSION} cannot be installed here") from error


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SCRAPE_SECONDS)
    try:
        connection.connect()
    except OSError:
        return False
    finally:
        connection.close()
    return True
