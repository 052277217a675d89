"""The command line of a Huawei ONT, prompt ``WAP>`` (facts/ont-snmp.md, 11.1).

Layouts as recorded on an HG8310M V300R017; the number in place of ``--`` when there is light is a
guess the facts share.
"""

from collections.abc import Callable

from kampungnet_sim.olt_onus import serial_bytes
from kampungnet_sim.ssh_command_line import Pager, Reply, words
from kampungnet_sim.village import Village, VillageState

_STARS = "*" * 15
_NO_LIGHT_DBM = -39.0


class HuaweiOnt:
    """One login on the ONT of a village."""

    greeting = "\r\n\x1b[1;32mWelcome Visiting Huawei Home Gateway\x1b[0m\r\nCopyright by Huawei\r\n\r\n"

    def __init__(self, village: Village, clock: Callable[[], float]) -> None:
        self._village, self._clock = village, clock
        self._answers: dict[str, Callable[[VillageState], list[str]]] = {
            "display optic": self._optic,
            "display sn": lambda _: [f"sn = {serial_bytes(village.profile.ont_serial).hex().upper()}"],
            "display deviceInfo": self._device_info,
            "display sysinfo": self._sysinfo,
            "display version": lambda _: _version(),
            "display access mode": lambda _: ["access mode is gpon"],
            "display memory info": lambda _: _memory(),
        }

    def prompt(self) -> str:
        """The recorded one."""
        return "WAP>"

    def pager(self) -> Pager | None:
        """Answers are short."""
        return None

    def log_line(self) -> str:
        """The unit's own messages go to the terminal."""
        return "<WAP>[WARN] omci: alarm reported"

    def execute(self, line: str) -> Reply:
        """Carry out one line."""
        command = " ".join(words(line))
        if command in ("quit", "exit", "logout"):
            return Reply(end=True)
        if not command:
            return Reply()
        if command.startswith("display port statistics portid "):
            return Reply(self._port(command.rsplit(" ", 1)[1]))
        answer = self._answers.get(command)
        if answer is None:
            return Reply(["ERROR::Command is not existed"])
        return Reply([*answer(self._now()), "", "success!"])

    def _now(self) -> VillageState:
        return self._village.state_at(self._clock())

    def _optic(self, state: VillageState) -> list[str]:
        lit = state.rx_power_dbm > _NO_LIGHT_DBM
        rx = f"{state.rx_power_dbm:.2f}" if lit else "--"
        tx = "--" if state.tx_power_dbm is None else f"{state.tx_power_dbm:.2f}"
        return [
            f"LinkStatus  : {'ok' if lit else 'nok'}  ",
            f"Voltage      : {round(state.ont_voltage_volts * 1_000)} (mV)",
            f"Bias         : {round(state.ont_bias_milliamperes)} (mA)",
            f"Temperature  : {round(state.ont_temperature_celsius)} (C)",
            f"RxPower      : {rx} (dBm)",
            f"TxPower      : {tx} (dBm)",
            "RfRxPower    : -- (dBm)",
            "RfOutputPower: -- (dBmV)",
            "VendorName   : HUAWEI          ",
            "VendorSN     : 1551N3512735J   ",
            "VendorRev    : ",
            "VendorPN     : HW-BOB-0002     ",
            "DateCode     : 160724",
        ]

    def _device_info(self, state: VillageState) -> list[str]:
        hours, rest = divmod(state.ont_uptime_seconds, 3_600)
        days, hours = divmod(hours, 24)
        return [
            f"{_STARS} device information {_STARS}",
            "Manufacturer     = Huawei Technologies Co., Ltd",
            "ManufacturerOUI  = 00259E",
            "ModelName        = HG8310M",
            "Description      = EchoLife HG8310M GPON/EPON Terminal (CLASS C+/PX20+)",
            "ManufactureInfo  = 2102311BVH6RG7310915.C822",
            "ProductClass     = HG8310M",
            "SpecVersion      = 1.0",
            "ProvisioningCode = ",
            f"UpTime           = {days} day(s) {hours:02}:{rest // 60:02}:{rest % 60:02}",
            "ReleaseTime      = 2016-07-20_12:07:35 ",
            "UpPort mode      = 4",
            "*" * 49,
        ]

    def _sysinfo(self, state: VillageState) -> list[str]:
        return [
            f"{_STARS} system infomation {_STARS}",
            f"CpuUsed  = {state.cpu_load_percent} Percent(s)",
            "MemUsed  = 54 Percent(s)",
            # No clock battery: it counts from its start.
            f"CurTime  = 1970-01-{1 + state.ont_uptime_seconds // 86_400 % 28:02} 00:00:00",
            "*" * 49,
        ]

    def _port(self, number: str) -> list[str]:
        ports = [p for p in self._now().ont_interfaces if p.kind == "ether"]
        if not number.isdecimal() or int(number) >= len(ports):
            return ["ERROR::input para error, portid out of range", "", "fail!"]
        port = ports[int(number)]
        return [
            f"Ethernet portid = {int(number) + 1} ",
            f"Rx unicast packets     : {port.rx_packets} ",
            f"Tx unicast packets     : {port.tx_packets} ",
            "Rx broadcast packets   : 70780 ",
            "Tx broadcast packets   : 1 ",
            "Rx multicast packets   : 4011 ",
            "Tx multicast packets   : 0 ",
            "Dropped packets        : 0 ",
            "",
            "success!",
        ]


def _version() -> list[str]:
    return [
        "hardware version          = 6A5.A",
        "main software version     = V3R017C00S100",
        "standby software version  = V3R017C00S100",
        "uboot version             = 2010.03",
    ]


def _memory() -> list[str]:
    return [
        "             total         used         free       shared      buffers",
        "Mem:         29816        15892        13924            0         1348",
        "-/+ buffers:              14544        15272",
        "Swap:            0            0            0",
    ]
