"""Ansible's inventory read from KampungNet: who has a box or waits for one, and nothing a name can do."""

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kampungnet.cli import main
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.devices import service as devices
from kampungnet.devices.places import places
from kampungnet.villages import service as villages
from kampungnet.villages.models import Village
from tests.ansible.machines import PLAYBOOKS, ansible
from tests.support.server import NEIGHBOUR, VILLAGE, enrolled, kampungnet, prepared_database, where

SCRIPT = PLAYBOOKS / "inventory.example" / "kampungnet.py"
HOUR_MS = 3_600_000
ONE = """echo '[{"code": "35.10.15.2012", "name": "x", "boxes": 1, "waits": false}]'"""
NASTY = "{{ 7 * 7 }} Kampung \u201cBaru\u201d"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    found = prepared_database(database_url)
    with found.writes() as db:
        devices.issue_code(db, villages.village(db, VILLAGE), clock.now_ms())
    yield found
    found.close()


def _asked(command: str, pattern: str = "{village}.boxes.example.go.id") -> "subprocess.CompletedProcess[str]":
    environment = {"KAMPUNGNET_VILLAGES": command, "KAMPUNGNET_BOX_NAME": pattern, "PATH": "/usr/bin:/bin"}
    line = [sys.executable, str(SCRIPT), "--list"]
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60, check=False)


def _command(database: Database) -> str:
    return shlex.join([sys.executable, "-m", "kampungnet.cli", "villages", "--json", *where(database)])


def test_a_village_with_a_box_and_one_that_waits_are_hosts_and_others_are_not(database: Database) -> None:
    enrolled(database, NEIGHBOUR)
    done = _asked(_command(database))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    has, waits = "desa-35-10-15-2003", "desa-35-10-15-2012"
    assert found["boxes"]["hosts"] == [has, waits] == found["kecamatan_35_10_15"]["hosts"]
    assert found["waiting"]["hosts"] == [waits]
    assert set(found["_meta"]["hostvars"]) == {has, waits}
    assert found["_meta"]["hostvars"][has]["ansible_host"] == "35-10-15-2003.boxes.example.go.id"
    assert found["_meta"]["hostvars"][has]["village_name"] == {"__ansible_unsafe": "Rejosari"}


def test_a_box_that_was_revoked_is_no_host(database: Database) -> None:
    enrolled(database, NEIGHBOUR)
    with database.writes() as db:
        devices.revoke(db, villages.village(db, NEIGHBOUR), clock.now_ms())
    assert json.loads(_asked(_command(database)).stdout)["boxes"]["hosts"] == ["desa-35-10-15-2012"]


def test_where_nobody_has_a_box_people_are_told_how_to_begin(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(prepared_database(database_url)) as database:
        assert main(["villages", "--boxes", *where(database)]) == 0
    assert capsys.readouterr() == ("", "No village has a box yet: kampungnet enrol --help says how to begin.\n")


def test_a_code_that_is_too_old_is_waited_for_no_longer(database: Database) -> None:
    now = clock.now_ms()
    with database.reads() as db:
        assert [one.code for one in places(db, now + 23 * HOUR_MS) if one.waits] == [VILLAGE]
        assert [one.code for one in places(db, now + 25 * HOUR_MS) if one.waits] == []


def test_a_name_that_looks_like_a_template_is_only_a_name(database: Database, tmp_path: Path) -> None:
    with database.writes() as db:
        found = db.get_one(Village, ("35.10", VILLAGE))
        found.name = NASTY
    book = tmp_path / "say.yml"
    book.write_text(json.dumps([{
        "hosts": "boxes", "gather_facts": False,
        "tasks": [{"ansible.builtin.copy": {"content": "{{ village_name }}", "dest": str(tmp_path / "name"),
                                             "mode": "0600"},
                   "delegate_to": "localhost", "vars": {"ansible_connection": "local"}}],
    }]))  # fmt: skip
    environment = {
        "KAMPUNGNET_VILLAGES": _command(database), "PATH": "/usr/bin:/bin", "ANSIBLE_HOME": str(tmp_path / "home"),
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable, "LC_ALL": "C.UTF-8",
    }  # fmt: skip
    line = [ansible("ansible-playbook"), "-i", str(SCRIPT), str(book)]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "name").read_text() == NASTY


@pytest.mark.parametrize(
    ("command", "pattern", "said"),
    [
        ("", "", "KAMPUNGNET_VILLAGES is not set"),
        ("false", "", "the command ended with 1"),
        ("echo {}", "", "the command printed no list"),
        ("echo nothing", "", "Expecting value"),
        ("""echo '[{"code": "../../x", "name": "x", "boxes": 1, "waits": false}]'""", "", "is no village code"),
        (ONE, "box.example", "no name of"),
        (ONE, "{village} -oX", "no name of"),
    ],
)  # fmt: skip
def test_what_is_no_list_of_villages_ends_in_one_sentence(command: str, pattern: str, said: str) -> None:
    done = _asked(command, pattern)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert said in line


def test_people_read_the_villages_too(database: Database) -> None:
    found = kampungnet("villages", "--boxes", *where(database))
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout == "35.10.15.2012  Kampunganyar (Glagah): waits for its box\n"
    every: list[dict[str, Any]] = json.loads(kampungnet("villages", "--json", *where(database)).stdout)
    assert [one["code"] for one in every] == ["35.10.01.2001", NEIGHBOUR, VILLAGE]
    assert set(every[0]) == {"code", "name", "district", "district_name", "regency", "boxes", "waits"}
