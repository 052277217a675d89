"""Command lines of C-DATA and HSGQ EPON OLTs, as far as they are recorded (facts/ont-snmp.md, 9.1 and 9.3)."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable

from kampungnet_sim.olt_onus import Onu, OnuNow
from kampungnet_sim.olt_plant import Moment, Olt
from kampungnet_sim.ssh_command_line import PLAIN_PAGER, Pager, Reply, words

_WRONG = ["% Unknown command."]


class _SmallOlt(ABC):
    name: str
    greeting = "\r\n"

    def __init__(self, olt: Olt, moment: Callable[[], Moment]) -> None:
        self._olt, self._moment = olt, moment

    def prompt(self) -> str:
        """Always the same."""
        return f"{self.name}#"

    def pager(self) -> Pager | None:
        """Cannot be switched off."""
        return PLAIN_PAGER

    def log_line(self) -> str:
        """An alarm."""
        return "%%ONU-ALARM: onu 1 deregistered"

    def execute(self, line: str) -> Reply:
        """Carry out one line."""
        command = " ".join(words(line))
        if command in ("exit", "quit", "logout"):
            return Reply(end=True)
        return self._answer(command) if command else Reply()

    @abstractmethod
    def _answer(self, command: str) -> Reply:
        """To a command that is not empty and does not leave."""

    def _port(self, number: str) -> list[Onu]:
        return [onu for onu in self._olt.onus if onu.place.port == int(number)]

    def _lit(self, onu: Onu) -> OnuNow:
        moment = self._moment()
        self._olt.light_read(onu, moment.when)
        return self._olt.now(onu, moment)


class CData(_SmallOlt):
    """C-DATA FD1608S: light of a whole port, dashes for who is off."""

    name = "OLT"

    def _answer(self, command: str) -> Reply:
        found = re.fullmatch(r"show ont optical-info (?:0/0 )?(\d+) all", command)
        if not found:
            return Reply(_WRONG)
        rule = "-" * 85
        return Reply(
            [
                rule,
                "ONT    Rx power     Tx power     OLT Rx ONT    Temperature    Voltage     Current",
                "ID     (dBm)        (dBm)         power(dBm)   (C)            (V)         (mA)",
                rule,
                *(_cdata_row(onu, self._lit(onu)) for onu in self._port(found[1])),
            ]
        )


def _cdata_row(onu: Onu, now: OnuNow) -> str:
    values = ["--"] * 6
    levels = (now.rx_dbm, now.tx_dbm, now.olt_rx_dbm, now.temperature_celsius, now.voltage_volts, now.bias_milliamperes)
    if now.rx_dbm is not None:
        values = ["--" if value is None else f"{value:.2f}" for value in levels]
    rx, tx, olt, celsius, volts, bias = values
    return f"{onu.place.number:<7}{rx:<13}{tx:<13}{olt:<14}{celsius:<15}{volts:<12}{bias}"


class HsgqEpon(_SmallOlt):
    """HSGQ EPON: its SNMP says no more than counts, so the state comes from here."""

    name = "EPON-OLT"

    def _answer(self, command: str) -> Reply:
        if command == "show epon onu all info":
            return Reply(self._all())
        if re.fullmatch(r"show epon port \d+ onu all optical-info", command):
            return Reply(hangs=True)
        return Reply(_WRONG)

    def _all(self) -> list[str]:
        moment = self._moment()
        rule = "-" * 77
        rows, online = [], 0
        for onu in self._olt.onus:
            up = self._olt.now(onu, moment).online
            online += up
            states = "Online   Success  Match   " if up else "Offline  Initial  Initial "
            rows.append(f"\t{onu.place.port:<7}{onu.place.number:<5}\t{onu.mac}\tActive   {states}")
        return [
            rule,
            "\tPON   ONU\tMAC\t\t\tControl\t Run  \t  Config   Match",
            "\t      ID\t   \t\t\tflag     state\t  state    state",
            rule,
            *rows,
            rule,
            f"  Total: {len(rows)}, online {online}",
        ]
