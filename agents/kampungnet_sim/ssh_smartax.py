"""The command line of Huawei SmartAX OLTs (facts/ont-snmp.md, 6.5).

Layouts as recorded from MA5600T and MA5608T; the view of a single ONT's light is not recorded and
follows the maker's manual.
"""

import re
from collections.abc import Callable

from kampungnet_sim.olt_onus import Cause, Onu, OnuNow, serial_bytes
from kampungnet_sim.olt_plant import Moment, Olt
from kampungnet_sim.olt_tables import clock_text
from kampungnet_sim.ssh_command_line import HUAWEI_PAGER, Pager, Reply, words

_LINE = "  " + "-" * 77
_LONG = "  " + "-" * 78
_UNKNOWN = ["                                ^", "  % Unknown command, the error locates at '^'"]
_NO_ONT = ["  Failure: The ONT does not exist"]
_LEAVE = "Are you sure to log out? (y/n)[n]:"
_CAUSES = {Cause.NONE: "-", Cause.LOS: "LOSi/LOBi", Cause.DYING_GASP: "dying-gasp", Cause.DEACTIVATED: "deactivate"}
# Names of the views, outermost first: prompt ending and how one gets in.
_USER, _ENABLED, _CONFIG = ">", "#", "(config)#"


class SmartAx:
    """One login on a SmartAX."""

    greeting = (
        "\r\n  Huawei Integrated Access Software (MA5608T).\r\n"
        "  Copyright(C) Huawei Technologies Co., Ltd. 2002-2018. All rights reserved.\r\n\x1b[1D\r\n"
        "  ----------------------------------------------------------------------------\r\n"
        "  User last login information:\r\n"
        "  ----------------------------------------------------------------------------\r\n\r\n"
    )

    def __init__(self, olt: Olt, moment: Callable[[], Moment]) -> None:
        self._olt, self._moment = olt, moment
        self._view = _USER
        self._slot = 0
        self._paged = self._smart = self._alarms = True
        self._leaving = False
        self._asked = ""

    def prompt(self) -> str:
        """Name and view."""
        return f"MA5608T{self._view}"

    def pager(self) -> Pager | None:
        """Until ``scroll`` or ``mmi-mode enable``."""
        return HUAWEI_PAGER if self._paged else None

    def log_line(self) -> str:
        """An alarm, until ``infoswitch cli OFF``."""
        if not self._alarms:
            return ""
        return f"  ! EVENT MAJOR {clock_text(self._moment().when)} ALARM NAME :The ONT goes online"

    def execute(self, line: str) -> Reply:
        """Carry out one line, or take the answer to a question."""
        command = " ".join(words(line))
        if self._leaving:
            self._leaving = False
            return Reply(end=command.lower() == "y")
        if self._asked:
            command, self._asked = self._asked, ""
        elif self._smart and command.startswith("display ont ") and self._view != _USER:
            self._asked = command
            return Reply(question="{ <cr>||<K> }:")
        if self._switch(command) or self._walk(command):
            return Reply()
        if command == "quit" and self._view in (_USER, _ENABLED):
            self._leaving = True
            return Reply(question=f"  {_LEAVE}")
        if command == "quit":
            self._view = _ENABLED if self._view == _CONFIG else _CONFIG
            return Reply()
        return Reply(self._display(command) if command else ())

    def _switch(self, command: str) -> bool:
        """The commands that make it talk to programs."""
        if command in ("scroll", "mmi-mode enable"):
            self._paged = False
        elif command == "undo smart":
            self._smart = False
        elif command.lower() == "infoswitch cli off":
            self._alarms = False
        else:
            return False
        return True

    def _walk(self, command: str) -> bool:
        """From view to view."""
        inside = re.fullmatch(r"interface gpon 0/(\d+)", command)
        if command == "enable" and self._view == _USER:
            self._view = _ENABLED
        elif command == "config" and self._view == _ENABLED:
            self._view = _CONFIG
        elif inside and self._view.startswith("(config"):
            self._slot = int(inside[1])
            self._view = f"(config-if-gpon-0/{self._slot})#"
        else:
            return False
        return True

    # -- display -----------------------------------------------------------------------------------

    def _display(self, command: str) -> list[str]:
        if self._view == _USER:
            return _UNKNOWN
        table: tuple[tuple[str, Callable[[re.Match[str]], list[str]]], ...] = (
            (r"display ont info 0 (\d+) (\d+) all", self._list),
            (r"display ont info 0 (\d+) (\d+) (\d+)", self._info),
            (r"display ont info by-sn (\w+)", self._by_sn),
            (r"display ont info summary 0/(\d+)/(\d+)", self._summary),
            (r"display ont optical-info (\d+) all", self._optical),
            (r"display ont autofind all", self._autofind),
            (r"display sysuptime", self._uptime),
            (r"display version", self._version),
        )
        for pattern, answer in table:
            found = re.fullmatch(pattern, command)
            if found and ("optical-info" not in pattern or "gpon" in self._view):
                return answer(found)
        return _UNKNOWN

    def _now(self, onu: Onu) -> OnuNow:
        return self._olt.now(onu, self._moment())

    def _lit(self, onu: Onu) -> OnuNow:
        moment = self._moment()
        self._olt.light_read(onu, moment.when)
        return self._olt.now(onu, moment)

    def _list(self, found: re.Match[str]) -> list[str]:
        slot, port = int(found[1]), int(found[2])
        onus = self._olt.on_port(slot, port)
        fsp = f"0/{slot:>2}/{port}"
        online = sum(self._now(onu).online for onu in onus)
        return [
            _LINE,
            "  F/S/P   ONT         SN         Control     Run      Config   Match    Protect",
            "          ID                     flag        state    state    state    side ",
            _LINE,
            *(self._list_row(fsp, onu) for onu in onus),
            _LINE,
            "  F/S/P       ONT  Description  ",
            "              ID  ",
            _LINE,
            *(f"  {fsp}{onu.place.number:>8}   {onu.name}" for onu in onus),
            _LINE,
            f"  In port {fsp} , the total of ONTs are: {len(onus)}, online: {online}",
            _LINE,
        ]

    def _list_row(self, fsp: str, onu: Onu) -> str:
        states = "online   normal   match  " if self._now(onu).online else "offline  initial  initial"
        return f"  {fsp}{onu.place.number:>5}  {_hex(onu)}  active      {states}  no "

    def _by_sn(self, found: re.Match[str]) -> list[str]:
        wanted = found[1].upper()
        onu = next((o for o in self._olt.onus if wanted in (o.serial, _hex(o))), None)
        return _NO_ONT if onu is None else self._one(onu)

    def _info(self, found: re.Match[str]) -> list[str]:
        slot, port, number = (int(found[n]) for n in (1, 2, 3))
        onu = next((o for o in self._olt.on_port(slot, port) if o.place.number == number), None)
        return _NO_ONT if onu is None else self._one(onu)

    def _one(self, onu: Onu) -> list[str]:
        now = self._now(onu)
        pairs = (
            ("F/S/P", f"0/{onu.place.slot:>2}/{onu.place.port}"),
            ("ONT-ID", str(onu.place.number)),
            ("Control flag", "active"),
            ("Run state", "online" if now.online else "offline"),
            ("Config state", "normal" if now.online else "initial"),
            ("Match state", "match" if now.online else "initial"),
            ("ONT LLID", "-"),
            ("ONT distance(m)", str(onu.distance_metres) if now.online else "-"),
            ("ONT last distance(m)", str(onu.distance_metres)),
            ("Memory occupation", "44" if now.online else "-"),
            ("CPU occupation", "3" if now.online else "-"),
            ("Temperature", str(round(now.temperature_celsius)) if now.online else "-"),
            ("Authentic type", "SN-auth"),
            ("SN", _hex(onu)),
            ("Management mode", "OMCI"),
            ("Description", onu.name),
            ("Last down cause", _CAUSES[now.cause]),
            ("Last up time", _zoned(now.last_up)),
            ("Last down time", _zoned(now.last_down)),
            ("Last dying gasp time", _zoned(now.last_gasp)),
            ("ONT online duration", _duration(now.online_seconds) if now.online else "-"),
        )
        return [_LINE, *(f"  {key:<24}: {value}" for key, value in pairs), _LINE]

    def _summary(self, found: re.Match[str]) -> list[str]:
        slot, port = int(found[1]), int(found[2])
        pairs = [(onu, self._lit(onu)) for onu in self._olt.on_port(slot, port)]
        online = sum(now.online for _, now in pairs)
        return [
            "  Command is being executed. Please wait",
            _LONG,
            f"  In port 0/{slot}/{port}, the total of ONTs are: {len(pairs)}, online: {online}",
            _LONG,
            "  ONT  Run     Last                Last                Last",
            "  ID   State   UpTime              DownTime            DownCause",
            _LONG,
            *(_summary_state(onu, now) for onu, now in pairs),
            _LONG,
            "  ONT        SN        Type          Distance Rx/Tx power  Description",
            "  ID                                    (m)      (dBm)",
            _LONG,
            *(_summary_light(onu, now) for onu, now in pairs),
            _LONG,
        ]

    def _optical(self, found: re.Match[str]) -> list[str]:
        rule = f"  {'-' * 77} "
        rows = [_optical_row(onu, self._lit(onu)) for onu in self._olt.on_port(self._slot, int(found[1]))]
        return [
            rule,
            "  ONT  Rx power  Tx power  OLT Rx ONT  Temperature  Voltage  Current  Distance  ",
            "  ID   (dBm)     (dBm)     power(dBm)  (C)          (V)      (mA)     (m)       ",
            rule,
            *rows,
            _LINE,
        ]

    def _autofind(self, found: re.Match[str]) -> list[str]:
        del found
        rule = "   " + "-" * 76
        lines = [rule]
        for count, one in enumerate(self._olt.waiting, 1):
            sn = f"{serial_bytes(one.serial).hex().upper()} ({one.serial[:4]}-{one.serial[4:]})"
            pairs = (
                ("Number", str(count)), ("F/S/P", f"0/{one.place.slot}/{one.place.port}"), ("Ont SN", sn),
                ("Password", "0x00000000000000000000"), ("VendorID", one.serial[:4]), ("Ont EquipmentID", one.model),
            )  # fmt: skip
            lines += [*(f"   {key:<20}: {value}" for key, value in pairs), rule]
        return lines

    def _uptime(self, found: re.Match[str]) -> list[str]:
        del found
        moment = self._moment()
        days, hours, minutes, seconds = _parts(int(moment.when - moment.boot))
        return [f"  System up time: {days} day {hours} hour {minutes} minute {seconds} second"]

    def _version(self, found: re.Match[str]) -> list[str]:
        del found
        moment = self._moment()
        return [
            "", "  VERSION : MA5600V800R018C10", "  PATCH   : SPH115", "  PRODUCT : MA5608T", " ",
            f"  Uptime is {_duration(int(moment.when - moment.boot))}",
        ]  # fmt: skip


def _hex(onu: Onu) -> str:
    return serial_bytes(onu.serial).hex().upper()


def _parts(seconds: int) -> tuple[int, int, int, int]:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return *divmod(hours, 24), minutes, rest


def _duration(seconds: int) -> str:
    days, hours, minutes, rest = _parts(seconds)
    return f"{days} day(s), {hours} hour(s), {minutes} minute(s), {rest} second(s)"


def _zoned(when: float) -> str:
    return f"{clock_text(when)}+07:00" if when else "-"


def _summary_state(onu: Onu, now: OnuNow) -> str:
    up, down = (clock_text(t) if t else "-" for t in (now.last_up, now.last_down))
    state = "online " if now.online else "offline"
    # The column is 25 wide: longer causes are cut.
    return f"  {onu.place.number:<4} {state} {up:<19} {down:<19} {_CAUSES[now.cause]:.25}"


def _summary_light(onu: Onu, now: OnuNow) -> str:
    power = "-/-" if now.rx_dbm is None else f"{now.rx_dbm:.2f}/{now.tx_dbm:.2f}"
    distance = str(onu.distance_metres) if now.online else "-"
    return f"  {onu.place.number:<3} {_hex(onu)} {onu.model:<16.16} {distance:<5} {power:<12} {onu.name}"


def _optical_row(onu: Onu, now: OnuNow) -> str:
    number = f"  {onu.place.number:>3}  "
    if now.rx_dbm is None or now.tx_dbm is None or now.olt_rx_dbm is None:
        return number + f"{'-':<10}{'-':<10}{'-':<12}{'-':<13}{'-':<9}{'-':<9}{'-':<10}"
    return (
        number
        + f"{now.rx_dbm:<10.2f}{now.tx_dbm:<10.2f}{now.olt_rx_dbm:<12.2f}{round(now.temperature_celsius):<13}"
        + f"{now.voltage_volts:<9.3f}{round(now.bias_milliamperes):<9}{onu.distance_metres:<10}"
    )
