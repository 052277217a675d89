"""`kampungnet-agent record` and `kampungnet-sim replay` as a person types them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kampungnet_sim.register import made_up
from tests.sim.stage import calm_seed

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments], capture_output=True, text=True, env=environment(), timeout=60, check=False
    )


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "agents")])}


@pytest.fixture
def village(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """A simulated village in a process of its own."""
    inventory = tmp_path / "inventory.json"
    command = [sys.executable, "-m", "kampungnet_sim.main", "run", "--villages", "1", "--instant-ping"]
    command += ["--seed", str(calm_seed(time.time(), *made_up(1)))]
    command += ["--inventory", str(inventory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        yield json.loads(inventory.read_text())[0]
        process.terminate()


def settings_for(router: dict[str, Any], folder: Path) -> Path:
    (folder / "password").write_text(router["password"])
    (folder / "password").chmod(0o600)
    path = folder / "agent.toml"
    path.write_text(f"""
        [server]
        url = "https://kampungnet.example.go.id"
        credential_file = "{folder}/credential"
        [spool]
        path = "{folder}/spool.db"
        [[devices]]
        name = "router"
        driver = "mikrotik"
        address = "{router["address"]}"
        username = "{router["username"]}"
        password_file = "{folder}/password"
        """)
    return path


def test_a_device_is_recorded_and_replayed_by_two_commands(village: dict[str, Any], tmp_path: Path) -> None:
    config = settings_for(village["router"], tmp_path)
    output = tmp_path / "recordings" / "hap"
    record = ["kampungnet_agent.main", "record", "--config", str(config), "--device", "router", "--output", str(output)]
    done = run(*record)
    assert (done.returncode, done.stderr) == (0, "")
    assert str(output) in done.stdout
    assert sorted(file.name for file in output.iterdir()) == ["README.md", "answers.json", "expected.json"]
    assert all(village["router"]["password"] not in file.read_text() for file in output.iterdir())
    again = run(*record)
    assert (again.returncode, "sudah ada" in again.stderr) == (1, True)

    inventory = tmp_path / "replayed.json"
    command = [sys.executable, "-m", "kampungnet_sim.main", "replay", str(output), "--inventory", str(inventory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        replayed = json.loads(inventory.read_text())[0]["router"]
        polled = run("kampungnet_agent.main", "poll", "--config", str(settings_for(replayed, tmp_path)))
        process.terminate()
    expected = json.loads((output / "expected.json").read_text())["body"]
    body = json.loads(polled.stdout)["body"]
    assert (body["identity"], body["interfaces"]) == (expected["identity"], expected["interfaces"])


def test_a_device_that_is_not_there_is_one_sentence_and_no_folder(tmp_path: Path) -> None:
    config = settings_for({"address": "127.0.0.1:1", "username": "x", "password": "rahasia"}, tmp_path)
    output = tmp_path / "recording"
    known = run(
        "kampungnet_agent.main", "record", "--config", str(config), "--device", "router", "--output", str(output)
    )
    assert (known.returncode, len(known.stderr.splitlines())) == (1, 1)
    assert "connection refused" in known.stderr
    unknown = run("kampungnet_agent.main", "record", "--config", str(config), "--device", "ruter")
    assert unknown.returncode == 2
    assert 'no device is named "ruter"' in unknown.stderr
    assert not output.exists()


def test_a_folder_that_is_no_recording_is_refused_in_one_sentence(tmp_path: Path) -> None:
    done = run("kampungnet_sim.main", "replay", str(tmp_path))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "answers.*" in done.stderr
    (tmp_path / "answers.json").write_text('{"kind": "routeros", "exchanges": [{"ask": 5}]}')
    done = run("kampungnet_sim.main", "replay", str(tmp_path))
    assert (done.returncode, "exchange 1" in done.stderr) == (1, True)
