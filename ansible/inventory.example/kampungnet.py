#!/usr/bin/env python3
"""Ansible's inventory of boxes, read from KampungNet itself: villages that have a box, or wait for one.

Settings, from the environment:

``KAMPUNGNET_VILLAGES``: the command that prints the villages as JSON. The role ``server`` makes a login that may do
that and nothing else; usual is ``ssh kampungnet-inventory@kampungnet.example.go.id``. On it: ``kn villages --json``.

``KAMPUNGNET_BOX_NAME``: how the box of a village is reached, with ``{village}`` for its code written with hyphens:
``{village}.boxes.example.go.id``. KampungNet knows no addresses, and none that a box reports is ever used.

Only Python's own library is needed. It writes nothing and keeps nothing.
"""

import json
import os
import re
import shlex
import subprocess
import sys

CODE = re.compile(r"[0-9]{2}[.][0-9]{2}[.][0-9]{2}[.][0-9]{4}")
NAME = re.compile(r"[A-Za-z0-9.-]{1,253}")
PLACE = "{village}"
SECONDS = 60


def main() -> int:
    """Print the inventory (``--list``); what a single host has stands in it already (``--host``)."""
    if sys.argv[1:2] == ["--host"]:
        print("{}")
        return 0
    try:
        villages = ask(os.environ.get("KAMPUNGNET_VILLAGES", ""))
        print(json.dumps(inventory(villages, os.environ.get("KAMPUNGNET_BOX_NAME", "")), indent=1))
    except (OSError, ValueError, KeyError, TypeError, subprocess.SubprocessError) as error:
        print(f"The villages could not be read: {error}", file=sys.stderr)
        return 1
    return 0


def ask(command: str) -> list[dict[str, object]]:
    """Run the command and return what it prints. Raises ``ValueError`` when it is not set or prints something else."""
    if not command:
        raise ValueError("KAMPUNGNET_VILLAGES is not set: name the command that prints them.")
    done = subprocess.run(shlex.split(command), capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise ValueError(f"the command ended with {done.returncode}: {said[-1] if said else 'it said nothing'}")
    found = json.loads(done.stdout)
    if not isinstance(found, list):
        raise ValueError("the command printed no list")
    return found


def inventory(villages: list[dict[str, object]], pattern: str) -> dict[str, object]:
    """Return Ansible's form: a host a village with a box, in groups by kabupaten and kecamatan.

    Names of villages are typed by people: they are given as unsafe text, which Ansible never evaluates.
    """
    hosts: dict[str, dict[str, object]] = {}
    groups: dict[str, list[str]] = {"boxes": [], "waiting": []}
    for one in villages:
        if not (one["boxes"] or one["waits"]):
            continue
        code = checked(one["code"])
        host = "desa-" + code.replace(".", "-")
        hosts[host] = {
            "village_code": code,
            "village_name": {"__ansible_unsafe": str(one["name"])},
            **reached(pattern, code),
        }
        for group in ("boxes", f"kabupaten_{code[:5]}", f"kecamatan_{code[:8]}"):
            groups.setdefault(group.replace(".", "_"), []).append(host)
        if not one["boxes"]:
            groups["waiting"].append(host)
    return {"_meta": {"hostvars": hosts}, **{name: {"hosts": members} for name, members in groups.items()}}


def checked(code: object) -> str:
    """Return a village code that is one, for it becomes a name. Raises ``ValueError``."""
    if not isinstance(code, str) or not CODE.fullmatch(code):
        raise ValueError(f"{code!r} is no village code")
    return code


def reached(pattern: str, code: str) -> dict[str, object]:
    """Return how Ansible reaches the box; nothing when no pattern is set, so that the host's own settings say it."""
    if not pattern:
        return {}
    name = pattern.replace(PLACE, code.replace(".", "-"))
    if pattern.count(PLACE) != 1 or not NAME.fullmatch(name):
        raise ValueError(f"KAMPUNGNET_BOX_NAME is no name of boxes: write it like {PLACE}.boxes.example.go.id")
    return {"ansible_host": name}


if __name__ == "__main__":
    sys.exit(main())
