"""The units of systemd: it reads them without a complaint, they are hardened, and they run commands that exist."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from kampungnet.cli import main
from kampungnet_agent.main import main as agent_main
from tests.architecture.sources import ROOT

UNITS = sorted((ROOT / "packaging/systemd").iterdir())
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
TIMERS = [unit for unit in UNITS if unit.suffix == ".timer"]
MOST_EXPOSED = 20
"""In tenths, as `systemd-analyze security` counts: below 2.0 of 10."""
PROGRAMS = "/opt/kampungnet/bin/"


@pytest.fixture(scope="module")
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd-analyze is not installed here (on Debian: apt install systemd)")
    return found


def test_systemd_reads_every_unit_without_a_complaint(analyze: str, tmp_path: Path) -> None:
    """With programs that exist here in the place of those that will."""
    for unit in UNITS:
        (tmp_path / unit.name).write_text(re.sub(PROGRAMS + "[a-z-]+", "/bin/true", unit.read_text()))
    units = [str(tmp_path / unit.name) for unit in UNITS]
    done = subprocess.run([analyze, "verify", "--man=no", *units], capture_output=True, text=True, check=False)
    about_ours = [line for line in done.stderr.splitlines() if "kampungnet" in line]
    assert (done.returncode, about_ours) == (0, [])


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_every_service_is_hardened(analyze: str, unit: Path) -> None:
    command = [analyze, "security", "--offline=true", "--no-pager", f"--threshold={MOST_EXPOSED}", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("unit", TIMERS, ids=lambda unit: unit.name)
def test_every_timer_has_its_service_and_a_time_that_comes(analyze: str, unit: Path) -> None:
    assert unit.with_suffix(".service") in SERVICES
    when = re.findall(r"^OnCalendar=(.+)$", unit.read_text(), re.MULTILINE)
    subprocess.run([analyze, "calendar", *when], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_every_command_of_a_unit_is_understood(unit: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With `--help` behind it the parser accepts all that stands before it, or says what it does not know."""
    commands = re.findall(rf"^Exec\w+={PROGRAMS}(\S+) (.+)$", unit.read_text(), re.MULTILINE)
    assert commands
    for program, arguments in commands:
        run = {"kampungnet": main, "kampungnet-agent": agent_main}[program]
        with pytest.raises(SystemExit) as ended:
            run([*arguments.split(), "--help"])
        assert ended.value.code == 0
        usage = " ".join(capsys.readouterr().out.split())
        for word in arguments.split():
            assert not word.startswith("--") or word in usage


@pytest.mark.parametrize("name", ["kampungnet.service", "kampungnet-agent.service"])
def test_server_and_agent_are_watched_and_always_begin_again(name: str) -> None:
    text = (ROOT / "packaging/systemd" / name).read_text()
    for setting in ("Type=notify", "WatchdogSec=60", "Restart=always"):
        assert f"\n{setting}\n" in text


def test_a_box_whose_settings_have_another_name_is_started_too() -> None:
    text = (ROOT / "packaging/systemd/kampungnet-agent.service").read_text()
    assert re.findall("^Condition.*$", text, re.MULTILINE) == ["ConditionPathExistsGlob=/etc/kampungnet/*.toml"]


def test_the_box_may_ask_the_kernel_whether_its_clock_is_true() -> None:
    """`ProtectClock` would forbid even the question, and every reading would count as one of an unknown time."""
    text = (ROOT / "packaging/systemd/kampungnet-agent.service").read_text()
    assert "ProtectClock" not in re.sub("^#.*$", "", text, flags=re.MULTILINE)
    assert re.search("^SystemCallFilter=.*adjtimex", text, re.MULTILINE)
