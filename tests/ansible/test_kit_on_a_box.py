"""The zero-touch kit on a booted Debian: what docs/installing.md tells a technician, then power on, and nothing else.

Real systemd, a real centre, a simulated router where the box's way out leads. The story is one machine's life.
"""

import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select, update

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.devices import service as devices
from kampungnet.devices.models import Agent, EnrolmentCode
from kampungnet.devices.status import Status
from tests.ansible import machines
from tests.ansible.machines import BOX_PACKAGES, ROOT, Machine
from tests.journeys.centre import program
from tests.sim.stage import SARONGAN
from tests.support.router_alone import API_PORT
from tests.support.server import REGENCY, prepared_database, where

pytestmark = pytest.mark.timeout(900)
INSTALLING = ROOT / "docs" / "installing.md"
GATEWAY, BOX = "192.168.88.1", "192.168.88.5"
KIT = "boot/firmware/kampungnet.kit"
PROXY = "/lib/systemd/systemd-socket-proxyd"
PATIENCE_SECONDS = 180
SETUP, AGENT = "kampungnet-setup", "kampungnet-agent"


@dataclass
class Village:
    """A box that is off, the router its cable leads to, and the centre."""

    box: Machine
    database: Database
    kits: Path
    router_reads: Path
    """A script that is put here is read in by the router."""

    def kit(self, name: str) -> Path:
        """Make a kit as staff do; return its folder."""
        words = (
            "kit", "--village", SARONGAN.code, "--output", str(self.kits / name), "--server", "http://127.0.0.1:8080",
            "--box-address", "127.0.0.1", "--hotspot-interface", "bridge-hotspot", "--hotspot-address", "10.5.50.1",
            *where(self.database),
        )  # fmt: skip
        machines.run(program("kampungnet"), *words)
        return self.kits / name

    def put(self, content: bytes) -> None:
        """Copy the file of a kit onto the card."""
        (self.box.root / KIT).write_bytes(content)

    def agents(self) -> list[str]:
        """Return every box that was ever enrolled."""
        with self.database.reads() as db:
            return list(db.scalars(select(Agent.id)))

    def is_green(self, since_ms: int) -> bool:
        """Tell whether the map shows the village green by what was measured since then."""
        with self.database.reads() as db:
            (state,) = devices.village_states(db, REGENCY, clock.now_ms(), only=SARONGAN.code)
        return state.status is Status.UP and (state.last_reading_ms or 0) > since_ms


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Village]:
    base, folder = machines.base(*BOX_PACKAGES), tmp_path / "n"
    folder.mkdir()
    database = prepared_database(f"sqlite:///{folder / 'kampungnet.db'}")
    reads = folder / "router.rsc"
    with (
        closing(database),
        machines.network(folder) as net,
        net.runs(sys.executable, "-m", "kampungnet.cli", "serve", "--processes", "1", *where(database)),
        net.runs(sys.executable, "-m", "tests.support.router_alone", reads),
        machines.machine(net, "desa", base) as box,
    ):
        net.has_a_way_out(GATEWAY, BOX)
        with net.runs("systemd-socket-activate", "-l", f"{GATEWAY}:{API_PORT}", PROXY, f"127.0.0.1:{API_PORT}"):
            _prepare(box, folder)
            yield Village(box, database, folder, reads)


def _prepare(box: Machine, folder: Path) -> None:
    """Do what docs/installing.md says of a new card, word for word; what it fetches lies on the card already."""
    (words,) = re.findall(r"^2\. Kotak: .*?^```sh\n(.*?)^```", INSTALLING.read_text(), re.MULTILINE | re.DOTALL)
    wheel = machines.wheel(folder)
    shutil.copy(wheel, box.root / "srv")
    shutil.copy(ROOT / "constraints.txt", box.root / "srv")
    shutil.unpack_archive(machines.wheels(wheel, "agent"), box.root / "srv/wheels")
    (box.root / "etc/apt/apt.conf.d/90test").write_text('APT::Get::Assume-Yes "1"; APT::Install-Recommends "0";\n')
    box.say(f"set -e; export PIP_NO_INDEX=1 PIP_FIND_LINKS=/srv/wheels; cd /srv\n{words}")
    (box.root / KIT).parent.mkdir()
    box.shut_down()


def _state(box: Machine, unit: str) -> list[str]:
    """Return active state, result and number of restarts."""
    return [box.say(f"systemctl show {unit} -p {what} --value") for what in ("ActiveState", "Result", "NRestarts")]


def _said(box: Machine) -> str:
    """Return what the set-up has said in the journal since the machine was switched on."""
    return box.say(f"journalctl -b -o cat _SYSTEMD_UNIT={SETUP}.service")


def _hurry(settings: Path) -> None:
    """Let it measure and report every five seconds, so that nobody waits for the first minute to pass."""
    text = settings.read_text().replace("[server]", "[server]\nreport_interval_seconds = 5")
    settings.write_text(text.replace("[[devices]]", "[[devices]]\ninterval_seconds = 5"))


def _until(true: Callable[[], object], box: Machine) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, box.say("journalctl -b --no-pager | tail -60")
        time.sleep(0.2)


def test_a_new_box_becomes_its_villages_by_the_kit_on_its_card_whatever_happens_meanwhile(village: Village) -> None:
    _hopeless_kits_are_named_and_tried_once(village)
    box, kit = village.box, village.kit("kit")
    right = (kit / f"kotak-{SARONGAN.code}.kit").read_bytes()

    village.put(right)
    box.ask(f"systemctl start {SETUP}")  # as the next of its tries would be: the agent had nothing to do at the start
    assert "[GAGAL] router: Login ditolak" in _said(box)  # its router was not prepared yet
    _until(lambda: _state(box, AGENT)[0] == "active", box)  # the centre hears already what is wrong
    assert _state(box, SETUP)[0] == "activating", "it is tried again"
    (agent,) = village.agents()
    box.lose_power()

    (kit / f"router-{SARONGAN.code}.rsc").rename(village.router_reads)
    box.boot()
    _until(lambda: not (box.root / KIT).exists(), box)
    assert "sudah terdaftar" in _said(box)
    assert "Warga bisa online" in _said(box)
    box.shut_down()
    _hurry(box.root / "etc/kampungnet/agent.toml")

    since_ms = clock.now_ms()
    box.boot()
    assert box.say(f"systemctl show {SETUP} -p ConditionResult --value") == "no"
    assert _said(box) == ""
    assert _state(box, AGENT) == ["active", "success", "0"]
    _until(lambda: village.is_green(since_ms), box)
    assert village.agents() == [agent]
    assert "credential.begun" not in box.say("ls -A /var/lib/kampungnet")
    assert box.say("systemctl --failed --no-legend") == ""
    assert "CREDENTIALS" not in box.say("journalctl -o cat"), "a command of the unit was not started"
    _a_kit_that_was_used_makes_no_second_box(village, right)


def _hopeless_kits_are_named_and_tried_once(village: Village) -> None:
    box, old = village.box, (village.kit("old") / f"kotak-{SARONGAN.code}.kit").read_bytes()
    with village.database.writes() as db:
        db.execute(update(EnrolmentCode).values(expires_ms=clock.now_ms() - 1))
    village.put(old[: len(old) // 2])
    box.boot(well=False)
    half = "The kit (kampungnet.kit) is no kit of a village, or only half of it: copy it here once more."
    assert _said(box).splitlines() == [f"kampungnet-agent: {half}"]
    _was_given_up(box)
    village.put(old)
    box.ask(f"systemctl start {SETUP}")
    _is_refused(box)


def _a_kit_that_was_used_makes_no_second_box(village: Village, used: bytes) -> None:
    box, before = village.box, village.agents()
    box.say(f"systemctl stop {AGENT}; rm -r /etc/kampungnet /var/lib/kampungnet/*")
    village.put(used)
    box.ask(f"systemctl start {SETUP}")
    _is_refused(box)
    assert village.agents() == before


def _is_refused(box: Machine) -> None:
    assert [line[:58] for line in _said(box).splitlines()[-1:]] == [
        "[GAGAL] server: Kode paket ini ditolak: minta paket baru ("
    ]
    _was_given_up(box, kept=["credential.begun"])  # its key: the refusal may be a mistake; another code gets another


def _was_given_up(box: Machine, kept: Sequence[str] = ()) -> None:
    """Until the next start, and nothing else was begun."""
    assert _state(box, SETUP) == ["failed", "exit-code", "0"]
    assert _state(box, AGENT)[0] == "inactive"
    assert box.say("ls -A /var/lib/kampungnet").split() == [*kept]
    assert (box.root / KIT).exists()
