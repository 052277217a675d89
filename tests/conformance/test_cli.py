"""Recorded answers of command lines through a real SSH server to the real driver."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko  # type: ignore[import-untyped]
import pytest

from kampungnet.shared import wire
from kampungnet_agent.drivers.ont_ssh import OntSshDriver
from kampungnet_agent.drivers.ssh_commands import BY_NAME
from kampungnet_agent.drivers.ssh_keys import HostKeys
from kampungnet_agent.drivers.ssh_shell import Account, Visit
from tests.agent.drivers.conftest import Settings
from tests.agent.drivers.scripted_ssh import ScriptedShell, serving_ssh
from tests.conformance.cli_texts import ONT, Screen, onus_of, screen_of
from tests.conformance.shelf import Kind, Recording

MOST_ONUS = 32


@dataclass
class RecordedShell(ScriptedShell):
    """A login on a device of which one answer was recorded."""

    screen: Screen | None = None

    def answer(self, channel: paramiko.Channel, line: str) -> bool:
        """Show the recorded answer to its own command, and to no other."""
        known = self.screen is not None and self.screen.answers(line)
        text = self.screen.text if known and self.screen else "% Unknown command"
        channel.sendall(text.replace("\n", "\r\n").encode())
        return True


def recorded(screen: Screen) -> RecordedShell:
    """Return the device; on SmartAX ``quit`` also leaves a view, so that only hanging up ends the login."""
    goodbyes = () if screen.cli == "huawei-olt" else ("exit", "quit", "logout")
    return RecordedShell(prompt=screen.prompt, screen=screen, goodbyes=goodbyes)


async def read(screen: Screen, onus: list[str] | None = None) -> Any:
    """Read a device that answers one command."""
    shell = recorded(screen)
    options: dict[str, str | int | bool | list[str]] = {"cli": screen.cli}
    if onus:
        options["onus"] = onus
    with serving_ssh(shell) as address:
        return (await OntSshDriver(Settings(address=address, options=options)).poll()).body


@pytest.mark.of(Kind.CLI)
async def test_a_recorded_answer_arrives_whole_over_ssh(recording: Recording, tmp_path: Path) -> None:
    screen = screen_of(recording)
    shell = recorded(screen)

    def ask(address: str) -> str:
        host, _, port = address.rpartition(":")
        visit = Visit(Account(host, int(port), "root", shell.password), HostKeys(str(tmp_path)), 10.0)
        with visit.open() as there:
            return there.run(screen.command)

    with serving_ssh(shell) as address:
        arrived = await asyncio.to_thread(ask, address)
    assert _lines(arrived, screen.prompt) == _lines(screen.text, screen.prompt)


@pytest.mark.of(Kind.CLI)
async def test_a_recorded_screen_is_read_as_it_says_or_is_one_the_driver_never_asks_for(recording: Recording) -> None:
    screen = screen_of(recording)
    reader = ONT.get(screen.command) if screen.cli == "huawei-ont" else None
    told = dict(list(onus_of(screen).items())[:MOST_ONUS])
    if reader is not None:
        body = await read(screen)
        assert isinstance(body, wire.OntBody)
        expected = reader(screen.rows[0])
        assert {name: getattr(body, name) for name in expected} == expected
    elif told:
        body = await read(screen, [f"{serial}={position}" for serial, position in told])
        assert isinstance(body, wire.OltBody)
        assert len(body.onus) == len(told), body.missing
        for onu, expected in zip(body.onus, told.values(), strict=True):
            assert {name: getattr(onu, name) for name in expected} == expected, onu.serial
    else:
        assert not any(screen.answers(line) for line in typed_by_the_driver(screen.cli))


def typed_by_the_driver(cli: str) -> Iterator[str]:
    """Yield what the driver types on such a device."""
    chosen = BY_NAME[cli]
    yield from (line.command for line in chosen.ont)
    yield from (line.command.format(0, 1, 2, 3, position="gpon-onu_1/2/1:3") for line in chosen.onu)


def _lines(text: str, prompt: str) -> list[str]:
    """Return what a person reads: words of each line, without empty lines and prompts at the end."""
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    while lines and lines[-1] == prompt:
        lines.pop()
    return lines
