"""Other people's programs that prove the simulator faithful, installed once into `.cache/`."""

import subprocess
from pathlib import Path

import pytest

from tests.sim.stage import needed
from tests.support.tools import environment

CACHE = Path(__file__).parents[2] / ".cache" / "sim-tools"
MKTXP = "mktxp==2.1.0"
NPM_CLIENT = "node-routeros@1.6.8"


def _once(folder: Path, *commands: list[str]) -> Path:
    """Run the commands that fill a folder unless they succeeded before."""
    mark = folder / ".complete"
    if not mark.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for command in commands:
            subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)
        mark.touch()
    return folder


@pytest.fixture(scope="session")
def mktxp() -> Path:
    """The Prometheus exporter in an environment of its own; returns its command."""
    return environment("mktxp", MKTXP) / "mktxp"


@pytest.fixture(scope="session")
def node_client() -> Path:
    """A folder in which node finds the RouterOS client from npm."""
    npm = needed("npm", "npm")
    install = [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", ".", NPM_CLIENT]
    return _once(CACHE / "npm", install)
