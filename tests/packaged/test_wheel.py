"""The wheel holds all it needs, is the same from the same commit, and runs where the repository is not."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, expect_none, project_files
from tests.support.ports import free_port
from tests.support.server import Running, answers, kill_group, wait_until

COMMIT_SECONDS = "1795910400"
"""An instant for all files inside, as whoever releases takes it from the commit."""


@dataclass(frozen=True)
class Built:
    wheel: Path
    sdist: Path


def _copied(folder: Path) -> Path:
    for name in project_files():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    return folder


def _build(source: Path, mask: int = 0o022) -> Built:
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(source / "dist")]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": COMMIT_SECONDS}
    subprocess.run(command, cwd=source, env=environment, check=True, capture_output=True, umask=mask)
    (wheel,), (sdist,) = (source / "dist").glob("*.whl"), (source / "dist").glob("*.tar.gz")
    return Built(wheel, sdist)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return _build(_copied(tmp_path_factory.mktemp("first")))


def test_the_wheel_holds_every_file_of_the_packages_and_the_units(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        names = set(wheel.namelist())
    data = {name.partition(".data/data/")[2] for name in names}
    wanted = {name.removeprefix("agents/") for name in project_files() if name.startswith(_PACKAGES)}
    assert any(name.endswith(".po") for name in wanted)
    expect_none(wanted - names)
    units = {f"share/kampungnet/systemd/{one.name}" for one in (ROOT / "packaging/systemd").iterdir()}
    expect_none(units - data)
    expect_none(name for name in names if name.startswith(("tests", "docs", "dashboards")))


_PACKAGES = ("kampungnet/", "agents/kampungnet_agent/", "agents/kampungnet_sim/")


def test_the_same_commit_gives_the_same_wheel_and_sdist_in_any_folder(
    built: Built, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """In another folder, with other times of files and under another mask of rights; and from the sdist as well."""
    other = _build(_copied(tmp_path / "a" / "longer" / "way"), 0o077)
    assert _digests(other) == _digests(built)
    with tarfile.open(built.sdist) as packed:
        packed.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.glob("kampungnet-*")
    assert _digest(_build(unpacked).wheel) == _digest(built.wheel)


def _digests(built: Built) -> list[str]:
    return [_digest(built.wheel), _digest(built.sdist)]


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel; other people's packages are seen where this one has them, ours are not."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv/bin/python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps", "--no-index"]
    subprocess.run([*command, str(built.wheel)], check=True, capture_output=True)
    (packages,) = (folder / "venv/lib").glob("python3.*/site-packages")
    (packages / "others.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return folder / "venv/bin"


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "KAMPUNGNET_"))}


def _run(installed: Path, folder: Path, program: str, *arguments: str) -> str:
    command = [str(installed / program), *arguments]
    done = subprocess.run(
        command, cwd=folder, env=_environment(), capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_centre_runs_from_the_wheel_alone(installed: Path, tmp_path: Path) -> None:
    where = _run(installed, tmp_path, "python", "-c", "import kampungnet; print(kampungnet.__file__)")
    assert where.startswith(str(installed.parent))
    assert "Database made" in _run(installed, tmp_path, "kampungnet", "migrate")
    assert "217 villages" in _run(installed, tmp_path, "kampungnet", "import-villages", "banyuwangi")
    with _serving(installed, tmp_path) as running:
        assert running.send("GET", "/readyz").body == b'{"status":"ready"}'
        page = running.send("GET", "/masuk")
        assert (page.status, "Masuk" in page.body.decode()) == (200, True)
        (style,) = re.findall(r'href="(/static/style[^"]+)"', page.body.decode())
        assert running.send("GET", style).status == 200


@contextmanager
def _serving(installed: Path, folder: Path) -> Iterator[Running]:
    running = Running(free_port())
    command = [str(installed / "kampungnet"), "serve", "--processes", "1", "--port", str(running.port)]
    process = subprocess.Popen(command, cwd=folder, env=_environment(), start_new_session=True)
    try:
        wait_until(lambda: process.poll() is not None or answers(running))
        assert process.poll() is None, "the server ended before it answered"
        yield running
    finally:
        kill_group(process.pid)
        process.wait(timeout=30)


def test_the_agent_runs_from_the_wheel_alone(installed: Path, tmp_path: Path) -> None:
    assert "Exit codes" in _run(installed, tmp_path, "kampungnet-agent", "--help")
    loaded = "import sys, kampungnet_agent.agent; print(*sys.modules)"
    modules = set(_run(installed, tmp_path, "python", "-c", loaded).split())
    assert not {"fastapi", "sqlalchemy", "kampungnet.core"} & modules
