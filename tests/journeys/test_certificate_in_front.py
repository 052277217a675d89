"""A web server in front lets only boxes with a certificate through (mTLS): real nginx, real centre, real agent."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from kampungnet.core.database import Database
from kampungnet.measurement.models import YoungReading
from kampungnet_agent.credential import read_credential
from tests.support.front import Authority, Front, Pair, nginx
from tests.support.ports import free_port
from tests.support.server import NEIGHBOUR, VILLAGE, issued_code, prepared_database, serving_process

pytestmark = pytest.mark.timeout(300)
PATIENCE_SECONDS = 120.0
THIRD = "35.10.01.2001"
_VILLAGES = {"none": VILLAGE, "foreign": NEIGHBOUR, "expired": THIRD}


@dataclass
class Office:
    """A centre with nginx in front, and who signs certificates."""

    database: Database
    front: Front
    ours: Authority
    foreign: Authority
    trusted: Path

    def kept(self, agent: str) -> set[int]:
        """Return the sequences of an agent's readings that the server has."""
        with self.database.reads() as db:
            return set(db.scalars(select(YoungReading.sequence).where(YoungReading.agent == agent)))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("front")
    web, ours, foreign = (Authority(folder, name) for name in ("web", "boxes", "strangers"))
    database = prepared_database(f"sqlite:///{folder / 'kampungnet.db'}")
    with serving_process(database) as (running, _):
        own = web.issue("front", server=True)
        with nginx(folder / "nginx", running.port, own, ours.certificate) as front:
            yield Office(database, front, ours, foreign, web.certificate)
    database.close()


class Box:
    """The program of a village's box in a folder of its own; its router is away, which is a reading too."""

    def __init__(self, office: Office, folder: Path) -> None:
        self.folder, self._office = folder, office
        self.config, self.log = folder / "agent.toml", folder / "agent.log"
        self.shown = Pair(folder / "client.pem", folder / "client.key")

    def settings(self, *, certificate: bool) -> None:
        """Write agent.toml."""
        own = f'client_certificate_file = "{self.shown.certificate}"\nclient_key_file = "{self.shown.key}"\n'
        (self.folder / "router.password").write_text("rahasia\n")
        (self.folder / "router.password").chmod(0o600)
        self.config.write_text(
            f'[server]\nurl = "{self._office.front.url}"\ncredential_file = "{self.folder}/credential"\n'
            f'ca_file = "{self._office.trusted}"\nreport_interval_seconds = 1\n{own if certificate else ""}'
            f'[spool]\npath = "{self.folder}/spool.db"\nmax_megabytes = 8\n'
            f'[[devices]]\nname = "router"\ndriver = "mikrotik"\naddress = "127.0.0.1:{free_port()}"\n'
            f'username = "x"\npassword_file = "{self.folder}/router.password"\ninterval_seconds = 1\n'
            "timeout_seconds = 5\n"
        )

    def says(self, *words: str) -> tuple[int, str]:
        """Run one command of the agent; return its exit code and what it said."""
        done = subprocess.run(
            [sys.executable, "-m", "kampungnet_agent.main", *words, "--config", str(self.config)],
            capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def enrols(self, village: str) -> tuple[int, str]:
        """Enrol through the front."""
        code = issued_code(self._office.database, village)
        return self.says("enrol", "--server", self._office.front.url, "--code", code)

    @property
    def agent(self) -> str:
        """Its name."""
        return read_credential(self.folder / "credential").agent

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the agent until the block ends."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "kampungnet_agent.main", "run", "--config", str(self.config)],
                stdout=log, stderr=log,
            )  # fmt: skip
        try:
            yield
            assert process.poll() is None, self.log.read_text()
        finally:
            process.terminate()
            process.wait(timeout=30)


def _until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@pytest.mark.parametrize("wrong", ["none", "foreign", "expired"])
def test_the_front_lets_only_a_right_certificate_through_and_what_was_measured_before_arrives_then(
    office: Office, tmp_path: Path, wrong: str
) -> None:
    box, right = Box(office, tmp_path), office.ours.issue(f"right-{wrong}")
    right.copy_to(box.shown)
    box.settings(certificate=True)
    code, said = box.enrols(_VILLAGES[wrong])
    assert code == 0, said
    if wrong == "none":
        box.settings(certificate=False)
    else:
        _wrong(office, wrong).copy_to(box.shown)
    before = len(office.front.answered())
    with box.running():
        _until(lambda: "the web server in front of KampungNet" in _log(box), "the log says nothing of the front")
        code, said = box.says("check")
        assert code == 1
        _says_it_once(said, wrong)
        assert "has expired" in _log(box) if wrong == "expired" else "has expired" not in _log(box)
        assert office.kept(box.agent) == set()
        refused = office.front.answered()[before:]
        assert refused
        assert {line.split()[0] + line.split()[2] for line in refused} == {"400[-]"}, "the server was asked"
        if wrong != "none":  # renewed under the running agent
            right.copy_to(box.shown)
            _until(lambda: {1, 2, 3} <= office.kept(box.agent), "what was measured before did not arrive")
    if wrong == "none":
        box.settings(certificate=True)
        with box.running():
            _until(lambda: {1, 2, 3} <= office.kept(box.agent), "what was measured before did not arrive")
    said = box.says("check")[1]
    assert "berlaku sampai" in said
    assert f"Server menerima kotak ini sebagai {box.agent}" in said
    assert box.says("rotate")[0] == 0


def test_without_a_certificate_no_box_is_enrolled_and_the_centre_hears_nothing(office: Office, tmp_path: Path) -> None:
    box = Box(office, tmp_path)
    box.settings(certificate=False)
    before = len(office.front.answered())
    code, said = box.enrols(VILLAGE)
    assert code == 1
    assert "wants a certificate of this box" in said
    assert [line.split()[0] + line.split()[2] for line in office.front.answered()[before:]] == ["400[-]"]


def _wrong(office: Office, wrong: str) -> Pair:
    return office.foreign.issue("foreign") if wrong == "foreign" else office.ours.issue("expired", days=-1)


def _log(box: Box) -> str:
    return box.log.read_text()


def _says_it_once(said: str, wrong: str) -> None:
    asks = "[GAGAL] server: Server web di depan KampungNet meminta sertifikat kotak ini"
    refuses = "[GAGAL] server: Server web di depan KampungNet menolak sertifikat kotak ini"
    assert (said.count(asks), said.count(refuses)) == ((1, 0) if wrong == "none" else (0, 1)), said
    own = "[GAGAL] server: Sertifikat kotak ini tidak bisa dipakai"
    assert (own in said) == (wrong == "expired"), said
