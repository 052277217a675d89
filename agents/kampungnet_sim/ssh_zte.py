"""The command line of ZTE OLTs: C300, C320 and C600 (facts/ont-snmp.md, 5.7).

Layouts: the recorded C600 and C320 samples, and outputs of C320 owners on the web for the tables of
states and levels. Prompt and spelling of ports differ between the families.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kampungnet_sim.olt_onus import Onu, OnuNow
from kampungnet_sim.olt_plant import Moment, Olt
from kampungnet_sim.olt_tables import clock_text
from kampungnet_sim.ssh_command_line import PLAIN_PAGER, Pager, Reply, words

_DASHES = "-" * 76
_INVALID = ["%Error 20200: Invalid input detected at '^' marker."]
_OLT_TX_DBM = 4.23
_SLOTS = r"(\d+)/(\d+)/(\d+)"


@dataclass(frozen=True, slots=True)
class ZteSpelling:
    """How one family writes ports, ONUs and darkness; ``o7`` has the state table of old software."""

    port: str = "gpon-olt_1/{0}/{1}"
    onu: str = "gpon-onu_1/{0}/{1}:{2}"
    dark: str = "N/A"
    o7: bool = False
    new: bool = False


C300 = ZteSpelling(o7=True)
C320 = ZteSpelling()
C600 = ZteSpelling("gpon_olt-1/{0}/{1}", "gpon_onu-1/{0}/{1}:{2}", "no signal", new=True)


class ZteCommandLine:
    """One login on a ZTE OLT."""

    greeting = (
        "\r\n" + "*" * 60 + "\r\n\x1b[7mWelcome to ZXAN product of ZTE Corporation\x1b[0m\r\n" + "*" * 60 + "\r\n\r\n"
    )

    def __init__(
        self, olt: Olt, moment: Callable[[], Moment], noisy: Callable[[], bool], spelling: ZteSpelling
    ) -> None:
        self._olt, self._moment, self._noisy, self._spelling = olt, moment, noisy, spelling
        self._paged = True
        self._commands: list[tuple[re.Pattern[str], Callable[[re.Match[str]], list[str]]]] = [
            (re.compile(pattern.replace("PORT", r"gpon[-_]olt[-_]").replace("ONU", r"gpon[-_]onu[-_]")), answer)
            for pattern, answer in (
                (rf"show gpon onu state(?: PORT{_SLOTS})?(?: (\d+))?$", self._state),
                (rf"show gpon onu detail-info ONU{_SLOTS}:(\d+)$", self._detail),
                (r"show gpon onu uncfg$", self._uncfg),
                (r"show gpon onu by sn (\w+)$", self._by_sn),
                (rf"show pon power onu-rx PORT{_SLOTS}$", lambda m: self._levels(m, "Rx", lambda n: n.rx_dbm)),
                (rf"show pon power onu-tx PORT{_SLOTS}$", lambda m: self._levels(m, "Tx", lambda n: n.tx_dbm)),
                (rf"show pon power olt-rx PORT{_SLOTS}$", lambda m: self._levels(m, "Rx", lambda n: n.olt_rx_dbm)),
                (rf"show pon power attenuation ONU{_SLOTS}:(\d+)$", self._attenuation),
                (rf"show optical-module-info PORT{_SLOTS}$", self._module),
            )
        ]

    def prompt(self) -> str:
        """ZXAN everywhere, unless somebody changed it."""
        return "ZXAN#"

    def pager(self) -> Pager | None:
        """Until ``terminal length 0``."""
        return PLAIN_PAGER if self._paged else None

    def log_line(self) -> str:
        """An alarm, as the terminal gets it."""
        at = clock_text(self._moment().when)
        return f"{at} %OMCI-4-ALARM: {self._onu_name(self._olt.onus[0])} reported"

    def execute(self, line: str) -> Reply:
        """Carry out one line."""
        command = " ".join(words(line))
        if command in ("exit", "quit", "logout"):
            return Reply(end=True)
        if command == "terminal length 0" and not self._noisy():
            self._paged = False
            return Reply()
        for pattern, answer in self._commands:
            found = pattern.match(command)
            if found:
                return Reply(answer(found))
        return Reply(_INVALID if command else ())

    # -- names ----------------------------------------------------------------------------------

    def _onu_name(self, onu: Onu) -> str:
        return self._spelling.onu.format(*onu.place)

    def _short(self, onu: Onu) -> str:
        return "1/{}/{}:{}".format(*onu.place)

    def _port(self, found: re.Match[str]) -> list[Onu]:
        return self._olt.on_port(int(found[2]), int(found[3]))

    def _one(self, found: re.Match[str]) -> Onu | None:
        return next((o for o in self._port(found) if o.place.number == int(found[4])), None)

    def _now(self, onu: Onu) -> OnuNow:
        return self._olt.now(onu, self._moment())

    def _lit(self, onu: Onu) -> OnuNow:
        moment = self._moment()
        self._olt.light_read(onu, moment.when)
        return self._olt.now(onu, moment)

    # -- answers ----------------------------------------------------------------------------------

    def _state(self, found: re.Match[str]) -> list[str]:
        onus = self._port(found) if found[2] else self._olt.onus
        onus = [o for o in onus if not found[4] or o.place.number == int(found[4])]
        if not onus:
            return ["%Code 62310-GPONSRV : No related information to show."]
        if self._spelling.o7:
            return [*_O7_HEAD, *(self._o7_row(onu) for onu in onus)]
        working = sum(self._now(onu).online for onu in onus)
        head = "OnuIndex   Admin State  OMCC State  Phase State  Channel"
        rows = [self._state_row(onu) for onu in onus]
        return [head, "-" * 62, *rows, f"ONU Number: {working}/{len(onus)}"]

    def _state_row(self, onu: Onu) -> str:
        now = self._now(onu)
        omcc = "enable" if now.online else "disable"
        return f"{self._short(onu):<11}enable       {omcc:<12}{now.phase.value:<13}1(GPON)"

    def _o7_row(self, onu: Onu) -> str:
        now = self._now(onu)
        omcc, o7 = ("enable", "operation") if now.online else ("disable", "unknown")
        return f"{self._onu_name(onu):<23}enable       {omcc:<13}{o7:<13}{now.phase.value}"

    def _levels(self, found: re.Match[str], which: str, level: Callable[[OnuNow], float | None]) -> list[str]:
        rows = [f"{self._onu_name(o):<20}{self._dbm(level(self._lit(o)))}" for o in self._port(found)]
        return [f"Onu                 {which} power", "-" * 36, *rows]

    def _dbm(self, level: float | None) -> str:
        return self._spelling.dark if level is None else f"{level:.3f}(dbm)"

    def _attenuation(self, found: re.Match[str]) -> list[str]:
        onu = self._one(found)
        if onu is None:
            return _INVALID
        now = self._lit(onu)
        rows = (
            ("up", "Rx :", now.olt_rx_dbm, "Tx:", now.tx_dbm),
            ("down", "Tx :", _OLT_TX_DBM, "Rx:", now.rx_dbm),
        )
        return [
            "           OLT                  ONU              Attenuation",
            "-" * 74,
            *_spaced(self._leg(*row) for row in rows),
        ]

    def _leg(self, name: str, near: str, near_dbm: float | None, far: str, far_dbm: float | None) -> str:
        loss = self._spelling.dark
        if near_dbm is not None and far_dbm is not None:
            loss = f"{abs(near_dbm - far_dbm):.3f}(dB)"
        return f" {name:<8}{near + self._dbm(near_dbm):<22}{far + self._dbm(far_dbm):<22}{loss}"

    def _detail(self, found: re.Match[str]) -> list[str]:
        onu = self._one(found)
        if onu is None:
            return _INVALID
        moment = self._moment()
        now = self._olt.now(onu, moment)
        history = onu.sessions(moment.when)
        rows = [f"{clock_text(s.up)}    {clock_text(s.down)}     {s.cause}".rstrip() for s in history]
        rows += ["0000-00-00 00:00:00    0000-00-00 00:00:00"] * (10 - len(rows))
        return [
            *self._facts(onu, now),
            "-" * 42,
            "       Authpass Time          OfflineTime             Cause",
            *(f"{count:>4}   {row}" for count, row in enumerate(rows, 1)),
        ]

    def _facts(self, onu: Onu, now: OnuNow) -> list[str]:
        minutes, seconds = divmod(now.online_seconds, 60)
        hours, minutes = divmod(minutes, 60)
        pairs: list[tuple[str, str]] = [
            ("Name:", onu.name),
            ("Type:", onu.model),
            ("Configured speed mode:", "auto") if self._spelling.new else ("State:", "ready"),
            ("Admin state:", "enable"),
            ("Phase state:", now.phase.value),
            ("Config state:", "success" if now.online else "fail"),
            ("Authentication mode:", "sn"),
            ("SN Bind:", "enable with SN check"),
            ("Serial number:", onu.serial),
            ("Password:", ""),
            ("Description:", f"ONU-{onu.place.port}:{onu.place.number}"),
            ("DBA Mode:", "Hybrid"),
            ("ONU Status:", "enable"),
            ("Line Profile:", "N/A"),
            ("Service Profile:", "N/A"),
            ("ONU Distance:", f"{onu.distance_metres}m"),
            ("Online Duration:", f"{hours}h {minutes}m {seconds}s"),
            ("FEC:", "disable"),
        ]
        # A long key leaves no blank before its value.
        return [f"ONU interface:          {self._onu_name(onu)}", *(f"  {k:<22}{v}".rstrip() for k, v in pairs)]

    def _uncfg(self, found: re.Match[str]) -> list[str]:
        del found
        rows = [f"{self._spelling.onu.format(*one.place):<25}{one.serial:<20}unknown" for one in self._olt.waiting]
        return ["", "OnuIndex                 Sn                  State", "-" * 69, *rows]

    def _by_sn(self, found: re.Match[str]) -> list[str]:
        onu = next((o for o in self._olt.onus if o.serial == found[1].upper()), None)
        if onu is None:
            return ["%Code 62310-GPONSRV : No related information to show."]
        return ["SearchResult", "-" * 14, self._onu_name(onu)]

    def _module(self, found: re.Match[str]) -> list[str]:
        port = self._spelling.port.format(found[2], found[3])
        return [
            f"Optical Module Position    : {port}",
            "Optical Module State       : online",
            "Vendor-Name    : OEM                      Product-Name   : GPON-OLT-C+++",
            "Optical Module Information:",
            "Module-Type    : SFP/SFP+            Supply-Vol     : 3.214(v)",
            "Connector      : SC                  Temperature    : 36.613(c)",
            "Wavelength     : 1490 (nm)           TxBias-Current : 29.438(mA)",
            f"Laser-Rate     : 25   (100Mb/s)      TxPower        : {_OLT_TX_DBM:.3f}(dbm)",
        ]


_O7_HEAD = ["OnuIndex               Admin State  OMCC State   O7 State     Phase State", _DASHES]


def _spaced(lines: Iterable[str]) -> list[str]:
    """With an empty line between each two."""
    first, *rest = lines
    return [first, *(text for line in rest for text in ("", line))]
