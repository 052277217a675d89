"""Linux shells of small units: a Realtek GPON stick and a ZTE ONT (facts/ont-snmp.md, 11.3 and 11.5).

The stick's ``diag`` repeats the command and leaves its own prompt behind, as owners' logs of it show.
"""

from collections.abc import Callable

from kampungnet_sim.ssh_command_line import Pager, Reply, words
from kampungnet_sim.village import NO_LIGHT_DBM, Village, VillageState

_LEFTOVER = "RTK.0> command:"


class _Shell:
    """BusyBox: commands with ``;`` between them, nothing else of a shell."""

    greeting = "\r\nBusyBox v1.12.4 (2022-09-23 14:13:20 CST) built-in shell (ash)\r\n\r\n"
    commands: dict[str, Callable[[VillageState], list[str]]]

    def __init__(self, village: Village, clock: Callable[[], float]) -> None:
        self._village, self._clock = village, clock

    def prompt(self) -> str:
        """Of root."""
        return "# "

    def pager(self) -> Pager | None:
        """None has it."""
        return None

    def log_line(self) -> str:
        """A message of the kernel."""
        return "[ 5093.120000] eth0.2: link up"

    def execute(self, line: str) -> Reply:
        """Carry out one line."""
        state = self._village.state_at(self._clock())
        out: list[str] = []
        for part in line.split(";"):
            command = " ".join(words(part))
            if command in ("exit", "logout"):
                return Reply(out, end=True)
            if command:
                out += self._one(command, state)
        return Reply(out)

    def _one(self, command: str, state: VillageState) -> list[str]:
        if command == "cat /proc/uptime":
            return [f"{state.ont_uptime_seconds}.12 {state.ont_uptime_seconds * 0.9:.2f}"]
        answer = self.commands.get(command)
        if answer is None:
            return [f"-sh: {command.split(maxsplit=1)[0]}: not found"]
        return answer(state)


def _activation(state: VillageState) -> str:
    if state.rx_power_dbm <= NO_LIGHT_DBM:
        return "Initial State(O1)"
    return "Operation State(O5)"


def _diag(command: str, make: Callable[[VillageState], str]) -> Callable[[VillageState], list[str]]:
    return lambda state: [f"{command.removeprefix('diag ')} ", make(state), _LEFTOVER]


class GponStick(_Shell):
    """An ODI, HSGQ or V-SOL stick with Realtek's ``diag``."""

    commands = {  # noqa: RUF012 -- a table that never changes
        name: _diag(name, make)
        for name, make in (
            ("diag pon get transceiver rx-power", lambda s: f"Rx Power: {s.rx_power_dbm:.6f}  dBm"),
            (
                "diag pon get transceiver tx-power",
                lambda s: f"Tx Power: {NO_LIGHT_DBM if s.tx_power_dbm is None else s.tx_power_dbm:.6f}  dBm",
            ),
            ("diag pon get transceiver temperature", lambda s: f"Temperature: {s.ont_temperature_celsius:.6f} C"),
            ("diag pon get transceiver voltage", lambda s: f"Voltage: {s.ont_voltage_volts:.6f} V"),
            ("diag pon get transceiver bias-current", lambda s: f"Bias Current: {s.ont_bias_milliamperes:.6f} mA"),
            ("diag gpon get onu-state", lambda s: f"ONU state: {_activation(s)} "),
        )
    }


class ZteOnt(_Shell):
    """A ZTE ONT whose operator left the shell open: it tells its activation state and no light."""

    commands = {  # noqa: RUF012 -- a table that never changes
        "gpontest -gstate": lambda s: ["[O1]" if s.rx_power_dbm <= NO_LIGHT_DBM else "[O5]"],
    }
