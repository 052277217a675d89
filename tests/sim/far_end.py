"""What the tests of the further devices share: programs of other people that ask them."""

import asyncio
import os
import re
from pathlib import Path
from typing import Any

from tests.sim.stage import SARONGAN, Stage, needed, run

# A numeric name, its type, its value, as net-snmp prints them with -On -Oe.
_LINE = re.compile(r"^\.(?P<name>[0-9.]+) = (?P<kind>[A-Za-z0-9-]+): (?P<value>.*)$", re.DOTALL)


def olt_of(stage: Stage) -> dict[str, Any]:
    """How the village's OLT is reached."""
    found = stage.fleet.inventory()[0]["olt"]
    assert isinstance(found, dict)
    return found


def extra(stage: Stage, name: str) -> dict[str, Any]:
    """How another device of the village is reached."""
    found = stage.fleet.inventory()[0][name]
    assert isinstance(found, dict)
    return found


async def asked(olt: dict[str, Any], tool: str, *oids: str, seconds: str = "30") -> dict[str, str]:
    """Values by name, as one of net-snmp's tools prints them; its complaint under ``error``."""
    program = needed(tool, "snmp")
    # As few characters a line as may be: hexadecimal bytes stay on one line.
    access = ["-v2c", "-c", olt["community"], "-t", seconds, "-r", "0", "-On", "-Oe", "-OU"]
    code, said = await run(program, *access, olt["address"], *oids)
    found = values(said)
    return found if code == 0 else {**found, "error": said.splitlines()[-1] if said else ""}


def values(said: str) -> dict[str, str]:
    """Names and values of what a net-snmp tool printed."""
    lines: list[str] = []
    for line in said.splitlines():
        if line.startswith(".") or not lines:
            lines.append(line)
        else:
            lines[-1] += " " + line
    found = (_LINE.match(line) for line in lines)
    return {one["name"]: one["value"].strip().strip('"') for one in found if one}


async def walked(olt: dict[str, Any], oid: str) -> dict[str, str]:
    """One column by GETBULK, by the rest of the name."""
    found = await asked(olt, "snmpbulkwalk", oid)
    return {name.removeprefix(oid + "."): value for name, value in found.items()}


async def ssh(
    access: dict[str, Any], folder: Path, *options: str, typed: str = "", password: str | None = None
) -> tuple[int, str]:
    """Log in with OpenSSH's client, type, and take all it printed; options and a command may follow."""
    host, port = access["address"].split(":")
    words = [
        "-p", port, *[word for word in options if word.startswith("-")], *_TRUSTING, f"{access['username']}@{host}",
        *[word for word in options if not word.startswith("-")],
    ]  # fmt: skip
    return await _openssh("ssh", words, folder, password or access["password"], typed)


async def sftp(access: dict[str, Any], folder: Path, name: str) -> tuple[int, str]:
    """Fetch one file into ``folder`` with OpenSSH's client."""
    host, port = access["address"].split(":")
    words = ["-P", port, *_TRUSTING, f"{access['username']}@{host}:{name}", str(folder / name)]
    return await _openssh("sftp", words, folder, access["password"])


_TRUSTING = (  # the first to name an option wins
    "-F", "none", "-o", "LogLevel=ERROR", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
    "-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1",
)  # fmt: skip


async def _openssh(name: str, words: list[str], folder: Path, password: str, typed: str = "") -> tuple[int, str]:
    program = needed(name, "openssh-client")
    secret = folder / "askpass"
    secret.write_text(f"#!/bin/sh\necho '{password}'\n")
    secret.chmod(0o700)
    process = await asyncio.create_subprocess_exec(
        program, *words,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "SSH_ASKPASS": str(secret), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"},
    )  # fmt: skip
    try:
        output, _ = await asyncio.wait_for(process.communicate(typed.encode()), 120)
    finally:
        if process.returncode is None:
            process.kill()
            # To the end of its output, or the pipe stays open.
            await process.communicate()
    return process.returncode or 0, output.decode(errors="replace")


CODE = SARONGAN.code
