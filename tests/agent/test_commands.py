"""The commands as a person or the service manager runs them: real processes, a real server."""

import base64
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from kampungnet.shared import wire
from kampungnet_agent.credential import Credential, read_credential, write_credential
from kampungnet_agent.plain_log import printable
from tests.agent.conftest import SEED, CentralServer, problem
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
CLOSED_PORT = "127.0.0.1:1"


@pytest.fixture
def office(tmp_path: Path, central: CentralServer) -> Path:
    """A folder with agent.toml, secrets and credential of a box whose router is switched off."""
    (tmp_path / "password").write_text("rahasia\n")
    (tmp_path / "password").chmod(0o640)
    key = base64.b64encode(SEED).decode()
    write_credential(tmp_path / "credential", Credential("agent-7", "35.10.15.2012", central.url, key))
    (tmp_path / "agent.toml").write_text(f"""
        [server]
        url = "{central.url}"
        credential_file = "{tmp_path}/credential"
        report_interval_seconds = 1
        [spool]
        path = "{tmp_path}/spool/spool.db"
        [[devices]]
        name = "router"
        driver = "mikrotik"
        address = "{CLOSED_PORT}"
        username = "kampungnet"
        password_file = "{tmp_path}/password"
        interval_seconds = 1
        wan_interface = "ether1"
        """)
    return tmp_path


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "kampungnet_agent.main", *arguments]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, env=environment(), timeout=60, check=False
    )


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "agents")])}


def wait_until(ready: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def page_at(port: int) -> str:
    """The metrics that the box shows on loopback."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        page: str = answer.read().decode()
    return page


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_polls_reports_and_ends_within_five_seconds_of_a_signal(
    office: Path, central: CentralServer, number: signal.Signals
) -> None:
    with subprocess.Popen(
        command("run", "--config", f"{office}/agent.toml"), env=environment(), stderr=subprocess.PIPE, text=True
    ) as agent:
        wait_until(lambda: central.stored)
        agent.send_signal(number)
        begun = time.monotonic()
        _, log = agent.communicate(timeout=60)
    assert agent.returncode == 0
    assert time.monotonic() - begun < 5
    reading = json.loads(central.stored[1])
    assert (reading["device"], reading["outcome"]) == ("router", "unreachable")
    assert len(log.splitlines()) == 1, "one line when the router broke, quiet otherwise"
    assert not list((office / "spool").glob("*-wal")), "the spool was closed"


def test_run_serves_its_own_metrics_when_asked(office: Path, central: CentralServer) -> None:
    port = free_port()
    with (office / "agent.toml").open("a") as file:
        file.write(f'\n[metrics]\naddress = "127.0.0.1:{port}"\n')
    with subprocess.Popen(
        command("run", "--config", f"{office}/agent.toml"), env=environment(), stderr=subprocess.PIPE
    ) as agent:
        wait_until(lambda: central.stored)
        # The centre stores a report a moment before the box has its receipt.
        wait_until(lambda: "kampungnet_agent_last_receipt_timestamp_seconds" in page_at(port))
        page = page_at(port)
        agent.terminate()
        agent.communicate(timeout=60)
    assert 'kampungnet_agent_polls_total{device="router",outcome="unreachable"}' in page
    for name in ("spool_readings", "dropped_readings_total", "last_receipt_timestamp_seconds", "send_failures_total"):
        assert f"kampungnet_agent_{name}" in page
    assert "_created" not in page


def test_poll_prints_one_reading_per_device_and_says_by_its_exit_code_whether_all_answered(office: Path) -> None:
    done = run("poll", "--config", f"{office}/agent.toml")
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["outcome"] == "unreachable"
    assert done.returncode == 1
    assert not (office / "spool").exists()


def test_check_says_what_works_and_what_does_not_in_indonesian_or_english(office: Path) -> None:
    done = run("check", "--config", f"{office}/agent.toml")
    assert done.returncode == 1
    assert "Server menerima kotak ini sebagai agent-7, desa 35.10.15.2012." in done.stdout
    assert "[GAGAL] router: Router tidak terjangkau" in done.stdout
    english = run("check", "--english", "--config", f"{office}/agent.toml").stdout
    assert "The server accepts this box as agent-7 of village 35.10.15.2012." in english
    assert "The spool can be written" in english


def test_check_says_when_the_credential_is_revoked_or_missing(office: Path, central: CentralServer) -> None:
    central.rule = lambda _envelope: problem(401, "unknown agent or wrong signature")
    assert "Server menolak kotak ini" in run("check", "--config", f"{office}/agent.toml").stdout
    (office / "credential").unlink()
    said = run("check", "--config", f"{office}/agent.toml").stdout
    assert "Kotak ini belum terdaftar" in said
    assert "chmod" not in said, "there is no file yet whose rights could be mended"
    refused = run("run", "--config", f"{office}/agent.toml")
    assert (refused.returncode, "not enrolled yet" in refused.stderr) == (2, True)


def test_check_says_when_the_server_is_not_there(office: Path, central: CentralServer) -> None:
    central.close()
    assert "tidak terjangkau" in run("check", "--config", f"{office}/agent.toml").stdout


@pytest.mark.parametrize("name", ["run", "poll", "check"])
def test_wrong_settings_are_one_sentence_and_exit_code_2(office: Path, name: str) -> None:
    text = (office / "agent.toml").read_text()
    (office / "agent.toml").write_text(text.replace("credential_file", "credentials_file"))
    done = run(name, "--config", f"{office}/agent.toml")
    assert done.returncode == 2
    assert 'did you mean "credential_file"?' in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_enrol_makes_the_key_on_the_box_and_keeps_the_credential_to_its_owner(
    tmp_path: Path, central: CentralServer
) -> None:
    place = tmp_path / "var" / "credential"
    done = run("enrol", "--server", central.url, "--code", "KAMPUNG-1234", "--credential", str(place))
    assert done.returncode == 0, done.stderr
    credential = read_credential(place)
    assert (credential.agent, credential.village) == ("agent-7", "35.10.15.2012")
    assert place.stat().st_mode & 0o777 == 0o600
    assert len(central.enrolments) == 1
    assert credential.private_key not in done.stdout + done.stderr
    assert "Kotak ini terdaftar untuk desa" in done.stdout

    again = run("enrol", "--server", central.url, "--code", "KAMPUNG-1234", "--credential", str(place))
    assert again.returncode == 2
    assert "--replace" in again.stderr
    assert len(central.enrolments) == 1, "the one-time code was not spent"
    done = run("enrol", "--server", central.url, "--code", "KAMPUNG-1234", "--credential", str(place), "--replace")
    assert done.returncode == 0
    assert read_credential(place).private_key != credential.private_key


def test_enrol_with_a_wrong_code_or_an_open_line_says_so(tmp_path: Path, central: CentralServer) -> None:
    place = ["--credential", str(tmp_path / "credential")]
    done = run("enrol", "--server", central.url, "--code", "WRONG-CODE", *place)
    assert done.returncode == 1
    assert "was used already or is too old" in done.stderr
    assert not (tmp_path / "credential").exists()
    assert run("enrol", "--server", "http://kampungnet.example.go.id", "--code", "KAMPUNG-1234", *place).returncode == 2
    short = run("enrol", "--server", central.url, "--code", "KAMPUN", *place)
    assert short.returncode == 2
    assert "cut short" in short.stderr


def test_help_of_every_command_names_its_exit_codes_or_options() -> None:
    assert "Exit codes" in run("--help").stdout
    for name in ("run", "poll", "check", "enrol"):
        assert "--config" in run(name, "--help").stdout


def test_control_characters_of_a_device_cannot_forge_a_log_line() -> None:
    assert printable("x\n2026 ERROR all is lost\x1b[2J\u202e") == "x\\n2026 ERROR all is lost\\x1b[2J\\u202e"


def test_the_agent_never_loads_the_servers_libraries_nor_device_libraries_it_does_not_need() -> None:
    code = (
        "import sys, kampungnet_agent.main, kampungnet_agent.agent; "
        "print(sorted({n.split('.')[0] for n in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True)
    unwanted = {"fastapi", "sqlalchemy", "jinja2", "alembic", "pysnmp", "paramiko", "librouteros", "prometheus_client"}
    assert not unwanted & set(eval(done.stdout))
    assert wire.WIRE_VERSION == 1


def test_several_agents_share_a_process_and_their_lines_in_the_log_are_told_apart(office: Path, tmp_path: Path) -> None:
    with contextlib.closing(CentralServer()) as central:
        text = (office / "agent.toml").read_text()
        key = base64.b64encode(SEED).decode()
        options = []
        for name in ("agent-7", "agent-8"):
            folder = tmp_path / name
            folder.mkdir()
            write_credential(folder / "credential", Credential(name, "35.10.15.2012", central.url, key))
            own = text.replace(f"{office}/spool/spool.db", f"{folder}/spool.db")
            (folder / "agent.toml").write_text(own.replace(f"{office}/credential", f"{folder}/credential"))
            (folder / "agent.toml").write_text(
                re.sub(r'url = ".*"', f'url = "{central.url}"', (folder / "agent.toml").read_text())
            )
            options += ["--config", f"{folder}/agent.toml"]
        with subprocess.Popen(command("run", *options), env=environment(), stderr=subprocess.PIPE, text=True) as agent:
            wait_until(lambda: central.agents >= {"agent-7", "agent-8"})
            agent.terminate()
            _, log = agent.communicate(timeout=60)
    assert agent.returncode == 0
    assert {"agent-7/router:", "agent-8/router:"} <= set(log.split())


def test_a_metrics_port_that_is_taken_does_not_stop_measuring(office: Path, central: CentralServer) -> None:
    taken = central.url.removeprefix("http://")
    with (office / "agent.toml").open("a") as file:
        file.write(f'\n[metrics]\naddress = "{taken}"\n')
    with subprocess.Popen(
        command("run", "--config", f"{office}/agent.toml"), env=environment(), stderr=subprocess.PIPE, text=True
    ) as agent:
        wait_until(lambda: central.stored)
        agent.terminate()
        _, log = agent.communicate(timeout=60)
    assert f"no metrics at {taken}" in log


def test_a_server_that_takes_the_report_and_never_answers_does_not_hold_up_the_end(office: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        text = (office / "agent.toml").read_text()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        (office / "agent.toml").write_text(re.sub(r'url = ".*"', f'url = "{url}"', text))
        with subprocess.Popen(
            command("run", "--config", f"{office}/agent.toml"), env=environment(), stderr=subprocess.PIPE
        ) as agent:
            connection, _ = silent.accept()
            assert connection.recv(10)
            agent.terminate()
            begun = time.monotonic()
            agent.communicate(timeout=60)
        connection.close()
    assert agent.returncode == 0
    assert time.monotonic() - begun < 5
