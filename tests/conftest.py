"""What many tests share: databases, ports, recorded data, a browser. Real things, on loopback."""

import itertools
import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support import postgres
from tests.support.accessible import axe
from tests.support.fixtures import (
    box,
    database,
    postgresql_database,
    prepared_file,
    prepared_postgresql,
    server,
    sqlite_database,
)
from tests.support.ports import free_port as find_free_port

__all__ = [
    "axe", "box", "database", "postgresql_database", "prepared_file", "prepared_postgresql", "server",
    "sqlite_database",
]  # fmt: skip

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"

# Properties are about what is right; how fast this machine is at the moment says nothing about that.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

# On CI a skipped test is a failure, unless its full name stands here with the reason beside it.
MAY_BE_SKIPPED_ON_CI: frozenset[str] = frozenset()

_database_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A real PostgreSQL; the address has no database name yet: `database_url` gives each test its own."""
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed here (on Debian: apt install postgresql)")
    with postgres.server(programs) as url:
        yield url


@pytest.fixture
def postgresql_database_url(postgresql_url: str) -> Iterator[str]:
    """An empty PostgreSQL database of this test's own."""
    with postgres.database(postgresql_url, f"test_{next(_database_numbers)}") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of this test's own; the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'kampungnet.db'}"
    url: str = request.getfixturevalue("postgresql_database_url")
    return url


@pytest.fixture
def free_port() -> int:
    """A loopback port nobody listens on; `tests.support.ports.free_port` when a test needs several."""
    return find_free_port()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recordings and registers that may lie beside the project."""
    if not SHARED.is_dir():
        pytest.skip("skipped, no shared data")
    return SHARED


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser that takes the pictures."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("Chromium is not installed here (on Debian: apt install chromium)")
    return found


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Where everything is installed a skip hides a missing test: count it as failed and say which one."""
    skipped_itself = report.outcome == "skipped" and not hasattr(report, "wasxfail")
    if os.environ.get("CI") == "true" and skipped_itself and report.nodeid not in MAY_BE_SKIPPED_ON_CI:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} was skipped, and on CI nothing may be: {reason}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """See `_refuse_skip`."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """See `_refuse_skip`."""
    report = yield
    _refuse_skip(report)
    return report
