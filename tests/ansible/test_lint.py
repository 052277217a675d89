"""The playbooks pass what Ansible's own linter asks of production, and can be read by Ansible."""

import os
import subprocess
from pathlib import Path

from tests.ansible.machines import BIN, PLAYBOOKS, ansible


def _said(*command: str, home: Path) -> str:
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "ANSIBLE_HOME": str(home), "NO_COLOR": "1"}
    done = subprocess.run(
        command, cwd=PLAYBOOKS, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_playbooks_pass_the_production_profile_of_the_linter(tmp_path: Path) -> None:
    said = _said(ansible("ansible-lint"), "--offline", "--profile", "production", "--nocolor", home=tmp_path)
    assert "Passed: 0 failure(s), 0 warning(s)" in said, said
    assert "Profile 'production' was required, and it passed" in said


def test_the_example_inventory_names_every_group_that_the_playbook_asks_for(tmp_path: Path) -> None:
    listed = _said(ansible("ansible-playbook"), "-i", "inventory.example/hosts.yml", "site.yml", "--list-hosts",
                   home=tmp_path)  # fmt: skip
    assert "Could not match supplied host pattern" not in listed
    assert "hosts (0)" not in listed
