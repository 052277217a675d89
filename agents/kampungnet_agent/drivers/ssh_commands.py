"""Which lines to type on which device, and how to read what comes: nothing but data.

Read-only lines, from the facts on ONTs, sections 5.7, 6.5, 9 and 11. ``{0}`` to ``{3}`` are the numbers in the
ONU's position as the settings give it, ``{position}`` the whole of it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from kampungnet.shared.wire import Grade

from . import ssh_parse as parse
from .ssh_parse import Fields


@dataclass(frozen=True, slots=True)
class OntLine:
    """One line to type on an ONT."""

    command: str
    read: Callable[[str], Fields]


@dataclass(frozen=True, slots=True)
class OnuLine:
    """One line to type on an OLT for one ONU. ``read`` gets the answer, the ONU's number and its serial."""

    command: str
    read: Callable[[str, int, str], Fields]
    enter: tuple[str, ...] = ()
    """Lines that lead into the view where the command works."""
    leave: tuple[str, ...] = ()
    needs_position: bool = True


@dataclass(frozen=True, slots=True)
class CommandSet:
    """One kind of command line."""

    name: str
    models: str
    grade: Grade
    recognise: re.Pattern[str]
    """Found in the greeting or the prompt. Never: only by the option ``cli``."""
    setup: tuple[str, ...] = ()
    """No pager, no questions, no alarms in the text; a refusal is no failure."""
    ont: tuple[OntLine, ...] = ()
    onu: tuple[OnuLine, ...] = ()
    goodbye: tuple[str, ...] = ("exit",)

    @property
    def is_olt(self) -> bool:
        """Whether it speaks of many ONUs."""
        return bool(self.onu)


_NEVER: Final = re.compile(r"(?!)")


def _of_text(read: Callable[[str], Fields]) -> Callable[[str, int, str], Fields]:
    return lambda text, _onu, _serial: read(text)


SETS: Final = (
    CommandSet(
        name="huawei-ont",
        models="Huawei HG8310M and its family (WAP>)",
        grade=Grade.RECORDED,
        recognise=re.compile(r"^WAP(?:\([^()\n]*\))?[>#]", re.MULTILINE),
        ont=(
            OntLine("display optic", parse.huawei_optic),
            OntLine("display deviceInfo", parse.huawei_device),
            OntLine("display sn", parse.huawei_serial),
            OntLine("display version", parse.huawei_version),
        ),
        goodbye=("quit", "logout"),
    ),
    CommandSet(
        name="gpon-stick",
        models="Realtek GPON sticks: ODI, HSGQ, V-SOL and alike",
        grade=Grade.NOT_TRIED,
        recognise=re.compile(r"BusyBox|RTK\.0>|RTL9601", re.IGNORECASE),
        ont=(
            OntLine("diag pon get transceiver rx-power", parse.stick_rx),
            OntLine("diag pon get transceiver tx-power", parse.stick_tx),
            OntLine("diag pon get transceiver temperature", partial(parse.stick_amount, "temperature_celsius")),
            OntLine("diag pon get transceiver voltage", partial(parse.stick_amount, "voltage_volts")),
            OntLine("diag pon get transceiver bias-current", partial(parse.stick_amount, "bias_milliamperes")),
            OntLine("diag gpon get onu-state", parse.activation),
            OntLine("cat /proc/uptime", parse.shell_uptime),
        ),
    ),
    CommandSet(
        name="zte-ont",
        models="ZTE F6xx with operator access",
        grade=Grade.NOT_TRIED,
        recognise=_NEVER,  # its shell looks like any other
        ont=(OntLine("gpontest -gstate", parse.activation), OntLine("cat /proc/uptime", parse.shell_uptime)),
    ),
    CommandSet(
        name="zte-olt",
        models="ZTE C300, C320, C600",
        grade=Grade.RECORDED,
        recognise=re.compile(r"ZXAN|ZTE|ZXA10"),
        setup=("terminal length 0",),
        onu=(
            OnuLine("show gpon onu detail-info {position}", _of_text(parse.zte_detail)),
            OnuLine("show pon power attenuation {position}", _of_text(parse.zte_attenuation)),
        ),
    ),
    CommandSet(
        name="huawei-olt",
        models="Huawei SmartAX MA5600T, MA5608T, MA5800",
        grade=Grade.RECORDED,
        recognise=re.compile(r"Huawei Integrated Access|SmartAX|^MA5\d{3}", re.MULTILINE),
        setup=("enable", "undo smart", "scroll", "infoswitch cli OFF"),
        onu=(
            OnuLine("display ont info {0} {1} {2} {3}", _of_text(parse.smartax_info)),
            OnuLine(
                "display ont optical-info {2} all",
                lambda text, onu, _serial: parse.light_table(text, onu),
                enter=("config", "interface gpon {0}/{1}"),
                leave=("quit", "quit"),
            ),
        ),
        goodbye=("quit", "quit", "quit"),
    ),
    CommandSet(
        name="cdata-olt",
        models="C-DATA FD1608S and alike",
        grade=Grade.RECORDED,
        recognise=re.compile(r"C-?DATA|^FD1\d{3}", re.IGNORECASE | re.MULTILINE),
        onu=(OnuLine("show ont optical-info {0} all", lambda text, onu, _serial: parse.light_table(text, onu)),),
    ),
    CommandSet(
        name="hsgq-olt",
        models="HSGQ EPON",
        grade=Grade.RECORDED,
        recognise=re.compile(r"^EPON-OLT|HSGQ", re.MULTILINE),
        onu=(
            OnuLine(
                "show epon onu all info", lambda text, _onu, serial: parse.hsgq_all(text, serial), needs_position=False
            ),
        ),
    ),
)
BY_NAME: Final = {one.name: one for one in SETS}


def recognised(greeting: str) -> CommandSet | None:
    """Return the set whose sign stands in what the device showed up to its first prompt."""
    return next((one for one in SETS if one.recognise.search(greeting)), None)
