"""Driver ``ont-ssh``: an ONT, a GPON stick or an OLT that is read by typing on its command line.

One login for each poll, in a thread of its own, one at a time for each device; so the usual interval is ten
minutes. paramiko (extra ``agent-ssh``) is imported at the first poll. The host key is pinned at first sight.

Options of ``[[devices]]``: ``cli`` (which command set; default: recognised by greeting and prompt), and for OLTs
``onus``, a list of ``SERIAL=POSITION`` as the OLT writes positions, such as ``"ZTEGC1234567=gpon-onu_1/2/1:5"``
or ``"48575443CA49257B=0/1/2:3"``.
"""

import asyncio
import re
from collections.abc import Iterable
from typing import Any, Final

from kampungnet.shared.wire import OltBody, OntBody, Onu, OnuState
from kampungnet_agent.driver import AnswerUnreadable, DeviceError, DeviceSettings, Finding, Polled
from kampungnet_agent.worker import Worker

from .address import split_address
from .olt_values import normal_serial
from .ssh_check import explain, findings_of
from .ssh_commands import BY_NAME, CommandSet, OnuLine, recognised
from .ssh_keys import HostKeys
from .ssh_shell import Account, Shell, Visit

PORT: Final = 22
MOST_ONUS: Final = 32
"""A login that types for more takes too long."""
SPARE_SECONDS: Final = 1.5
"""The login ends by itself before the poller's deadline."""
_LONGEST_ENTRY: Final = 80


class OntSshDriver:
    """One command line. See :class:`kampungnet_agent.driver.Driver` for the contract."""

    OPTIONS: Final = frozenset({"cli", "onus"})
    INTERVAL_SECONDS: Final = 600

    def __init__(self, settings: DeviceSettings) -> None:
        host, port = split_address(settings.address, PORT)
        self._account = Account(host, port, settings.username, settings.secret)
        self._keys = HostKeys(settings.state_folder)
        self._seconds = max(1.0, settings.timeout_seconds - SPARE_SECONDS)
        cli = str(settings.options.get("cli", ""))
        if cli and cli not in BY_NAME:
            raise ValueError(f"cli {cli!r} is not one of {', '.join(BY_NAME)}")
        self._chosen = BY_NAME.get(cli)
        self._onus = positions_of(settings.options.get("onus", []))

    async def poll(self) -> Polled:
        """Log in, ask everything once, log out; raises ``DeviceError``."""
        visit = Visit(self._account, self._keys, self._seconds)
        worker = Worker(f"ssh-{self._account.host}")
        try:
            return await worker.do(self._visit, visit)
        except asyncio.CancelledError:
            visit.abort()
            raise
        finally:
            worker.stop()

    async def check(self) -> Iterable[Finding]:
        """Say in Indonesian what works on this device and what to do about the rest."""
        try:
            polled = await self.poll()
        except DeviceError as error:
            return [explain(error, self._account.place)]
        return findings_of(polled.body, self._account.place)

    async def close(self) -> None:
        """Hold nothing between polls."""

    def _visit(self, visit: Visit) -> Polled:
        with visit.open() as shell:
            chosen = self._chosen or recognised(shell.greeting)
            if chosen is None:
                raise AnswerUnreadable(f"command line not recognised by its prompt {shell.prompt!r}; set cli"[:200])
            shell.goodbye = chosen.goodbye
            for line in chosen.setup:
                shell.run(line)
            return self._read_olt(shell, chosen) if chosen.is_olt else _read_ont(shell, chosen)

    def _read_olt(self, shell: Shell, chosen: CommandSet) -> Polled:
        answers: dict[tuple[str, ...], str] = {}
        onus, missing = [], []
        for serial, position in self._onus.items():
            fields: dict[str, Any] = {"port": position}
            for line in chosen.onu:
                text = _answer(shell, line, position, answers)
                if text is not None:
                    fields |= line.read(text, _numbers(position)[-1] if _numbers(position) else 0, serial)
            shown = fields.pop("serial", serial)
            if shown != serial:
                missing.append(f"onus: at {position} stands {shown}, not {serial}"[:200])
            elif fields.keys() == {"port"}:
                missing.append(f"onus: {serial} is not told at {position or 'any port'}"[:200])
            else:
                onus.append(_onu(serial, fields))
        if not self._onus:
            missing.append("onus: an OLT tells only about the ONUs named in the option onus")
        return Polled(OltBody(model=chosen.models, grade=chosen.grade, onus=onus, missing=missing))


def _read_ont(shell: Shell, chosen: CommandSet) -> Polled:
    fields: dict[str, Any] = {}
    missing = []
    for line in chosen.ont:
        found = line.read(shell.run(line.command))
        if not found:
            missing.append(f"{line.command}: no value in the answer"[:200])
        fields |= {name: value for name, value in found.items() if name not in fields}
    uptime = fields.pop("uptime_seconds", None)
    if not fields:
        raise AnswerUnreadable(f"no line of {chosen.name} gave a value; is cli the right one?")
    return Polled(OntBody(**fields, grade=chosen.grade, missing=missing), uptime)


def _answer(shell: Shell, line: OnuLine, position: str, answers: dict[tuple[str, ...], str]) -> str | None:
    """Return one answer; a table of a whole port is asked once for all its ONUs."""
    numbers = _numbers(position)
    if line.needs_position and not numbers:
        return None
    try:
        steps = [step.format(*numbers, position=position) for step in (*line.enter, line.command)]
    except IndexError:  # the position has fewer numbers than this maker's
        return None
    if tuple(steps) not in answers:
        *enter, command = steps
        for step in enter:
            shell.run(step)
        answers[tuple(steps)] = shell.run(command)
        for step in line.leave:
            shell.run(step)
    return answers[tuple(steps)]


def _onu(serial: str, fields: dict[str, Any]) -> Onu:
    fields.setdefault("state", OnuState.ONLINE if "rx_power_dbm" in fields else OnuState.UNKNOWN)
    light = any(name in fields for name in ("rx_power_dbm", "olt_rx_power_dbm", "no_light"))
    if fields.get("last_up", "") > fields.get("last_down", "") > "" and fields["state"] is not OnuState.ONLINE:
        fields |= {"last_down_cause": None, "last_down": ""}  # of an older outage than this one
    return Onu(serial=serial, light_age_seconds=0 if light else None, **fields)


def _numbers(position: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d{1,5}", position)]


def positions_of(option: object) -> dict[str, str]:
    """Return serial number to position; raises ``ValueError`` on anything that could be typed as a command."""
    if not isinstance(option, list) or len(option) > MOST_ONUS:
        raise ValueError(f'onus must be a list of at most {MOST_ONUS} texts like "ZTEGC1234567=gpon-onu_1/2/1:5"')
    found: dict[str, str] = {}
    for entry in map(str, option):
        serial, _, position = entry.partition("=")
        if len(entry) > _LONGEST_ENTRY or not re.fullmatch(r"[\w\-/:. ]*", position) or not normal_serial(serial):
            raise ValueError(f'onus: {entry[:40]!r} is not like "ZTEGC1234567=gpon-onu_1/2/1:5"')
        found[normal_serial(serial)] = position.strip()
    return found
