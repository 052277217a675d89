"""A test that asks for ``recording`` runs once for each file of the kinds it is marked with."""

from collections.abc import Generator
from pathlib import Path
from typing import Final

import pytest

from tests.conformance import proofs
from tests.conformance.shelf import Kind, Recording, recordings

SHELF: Final = Path(__file__).parents[3] / "shared" / "recordings"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "of(*kinds): run for each recording of these kinds")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    mark = metafunc.definition.get_closest_marker("of")
    if mark is None or "recording" not in metafunc.fixturenames:
        return
    kinds: tuple[Kind, ...] = mark.args
    if not SHELF.is_dir():
        nothing = pytest.param(None, marks=pytest.mark.skip("skipped, no shared data"), id="none")
        metafunc.parametrize("recording", [nothing])
        return
    metafunc.parametrize("recording", [pytest.param(one, id=one.name) for one in recordings(SHELF, *kinds)])


@pytest.fixture(scope="session")
def shelf(shared: Path) -> Path:
    """The folder with all recordings."""
    return shared / "recordings"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: "pytest.CallInfo[None]"
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note which recordings were read right, for the page on devices."""
    report = yield
    recording = getattr(item, "funcargs", {}).get("recording")
    if isinstance(recording, Recording) and report.when == "call":
        proofs.note(recording, good=report.outcome == "passed")
    return report


def pytest_sessionfinish(exitstatus: int) -> None:
    if exitstatus == 0:
        proofs.write_if_asked()
