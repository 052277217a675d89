"""What the role of the centre tells Caddy, read by Caddy: with and without a name for boxes that show certificates."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kampungnet.shared import orders, rotation, wanted, wire
from tests.ansible.machines import PLAYBOOKS, ansible, needed
from tests.support.front import Authority

ROLE = PLAYBOOKS / "roles" / "server"
NAME, BOXES = "kampungnet.example.go.id", "boxes.kampungnet.example.go.id"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Render the template once for each way, by Ansible."""
    folder = tmp_path_factory.mktemp("caddy")
    (folder / "play.json").write_text(
        json.dumps(
            [
                {
                    "hosts": "localhost", "gather_facts": False, "connection": "local",
                    "vars_files": [str(ROLE / "defaults" / "main.yml"), str(ROLE / "vars" / "main.yml")],
                    "tasks": [
                        {
                            "ansible.builtin.template": {
                                "src": str(ROLE / "templates" / "Caddyfile.j2"),
                                "dest": f"{folder}/{{{{ item[0] }}}}-{{{{ item[1].way }}}}",
                                "mode": "0644",
                            },
                            "vars": {
                                "server_name": NAME, "server_tls": "{{ item[0] }}",
                                "server_boxes_name": "{{ item[1].name }}", "server_boxes_only": "{{ item[1].only }}",
                            },
                            "loop": "{{ ['acme', 'internal', 'files'] | product(ways) }}",
                        }
                    ],
                    "vars": {
                        "ansible_python_interpreter": sys.executable,
                        "ways": [
                            {"way": "usual", "name": "", "only": False},
                            {"way": "both", "name": BOXES, "only": False},
                            {"way": "only", "name": BOXES, "only": True},
                        ]
                    },
                }
            ]
        )
    )  # fmt: skip
    _said(ansible("ansible-playbook"), "-i", "localhost,", str(folder / "play.json"))
    return folder


def _said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _adapted(path: Path, certificates: Path) -> dict[str, Any]:
    """Let Caddy read it, with files that are there in place of those under /etc/caddy."""
    authority = Authority(certificates, "authority")
    own = authority.issue("kampungnet", server=True)
    text = path.read_text()
    for name, file in (("boxes-ca.pem", authority.certificate), ("kampungnet.pem", own.certificate),
                       ("kampungnet.key", own.key)):  # fmt: skip
        text = text.replace(f"/etc/caddy/{name}", str(file))
    path = certificates / "Caddyfile"
    path.write_text(text)
    caddy = needed("caddy", "caddy")
    _said(caddy, "validate", "--adapter", "caddyfile", "--config", str(path))
    (server,) = json.loads(_said(caddy, "adapt", "--config", str(path)))["apps"]["http"]["servers"].values()
    found: dict[str, Any] = server
    return found


@pytest.mark.parametrize("tls", ["acme", "internal", "files"])
def test_boxes_have_to_show_a_certificate_by_their_own_name_and_people_nowhere(
    folder: Path, tmp_path: Path, tls: str
) -> None:
    server = _adapted(folder / f"{tls}-both", tmp_path)
    asking = [one for one in server["tls_connection_policies"] if "client_authentication" in one]
    assert [one["match"]["sni"] for one in asking] == [[BOXES]]
    assert asking[0]["client_authentication"]["mode"] == "require_and_verify"
    assert asking[0]["client_authentication"]["trusted_ca_certs"]
    names = sorted(name for route in server["routes"] for name in route["match"][0]["host"])
    assert names == [BOXES, NAME]


@pytest.mark.parametrize("tls", ["acme", "internal", "files"])
def test_without_a_name_for_boxes_nothing_is_asked_and_nothing_refused(folder: Path, tmp_path: Path, tls: str) -> None:
    server = _adapted(folder / f"{tls}-usual", tmp_path)
    said = json.dumps(server)
    assert "client_authentication" not in said
    assert "static_response" not in said
    assert BOXES not in said


def test_said_so_the_name_of_people_refuses_all_that_boxes_ask_for_and_nothing_else(
    folder: Path, tmp_path: Path
) -> None:
    server = _adapted(folder / "acme-only", tmp_path)
    (people,) = (route for route in server["routes"] if route["match"][0]["host"] == [NAME])
    refused = [
        path
        for route in people["handle"][0]["routes"]
        if route["handle"][0]["handler"] == "static_response"
        for path in route["match"][0]["path"]
    ]
    assert sorted(refused) == sorted(
        [wire.REPORTS_PATH, wire.ENROLMENTS_PATH, rotation.KEYS_PATH, wanted.WANTED_PATH, orders.ORDERS_PATH]
    )
