"""What a recorded answer of a command line says: by ntc-templates' own fields, or by a small reader of each layout.

Nothing of the drivers is used. Names of the result are fields of `OntBody` or `Onu`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.conformance.shelf import Recording

Told = dict[str, Any]
Row = Mapping[str, str]

_SETS: Final = (
    (re.compile(r"ont/ntc-templates/huawei_ont/"), "huawei-ont", "WAP>"),
    (re.compile(r"ont/ntc-templates/huawei_smartax/"), "huawei-olt", "MA5608T#"),
    (re.compile(r"ont/cli-[^/]+/zte-"), "zte-olt", "ZXAN#"),
    (re.compile(r"ont/cli-[^/]+/cdata-"), "cdata-olt", "FD1608S#"),
    (re.compile(r"ont/cli-[^/]+/hsgq-"), "hsgq-olt", "EPON-OLT#"),
)
_STATES: Final = {
    "working": "online",
    "DyingGasp": "dying_gasp",
    "LOS": "los",
    "OffLine": "offline",
    "online": "online",
}
_CAUSES: Final = {"dying-gasp": "dying_gasp", "DyingGasp": "dying_gasp", "LOS": "los", "LOSi/LOBi": "los"}


@dataclass(frozen=True, slots=True)
class Screen:
    """One recorded answer."""

    cli: str
    prompt: str
    command: str
    """As far as the recording's name tells it."""
    text: str
    rows: list[dict[str, str]]
    """ntc-templates' fields; empty where nobody wrote them."""

    def answers(self, typed: str) -> bool:
        """Tell whether this is the answer to a typed line; which port was asked for does not matter."""
        if self.rows:
            return _numberless(typed) == _numberless(self.command)
        words = re.split(r"\s(?=\S*\d)", typed, maxsplit=1)[0]
        return f"{self.command} ".startswith(words.replace("-", " ").strip() + " ")


def screen_of(recording: Recording) -> Screen:
    """Read one recording; fails when it is of a device whose command line nobody taught us."""
    known = next(((cli, prompt) for pattern, cli, prompt in _SETS if pattern.match(recording.name)), None)
    assert known, f"{recording.name}: say in tests/conformance/cli_texts.py whose command line this is"
    expected = recording.path.with_suffix(".yml")
    rows = read_yml(expected) if recording.path.suffix == ".raw" and expected.exists() else []
    stem = recording.path.parent.name if recording.path.suffix == ".raw" else recording.path.stem.split("-", 2)[2]
    command = stem.replace("_", " ") if recording.path.suffix == ".raw" else stem.replace("-", " ")
    return Screen(*known, command, recording.path.read_text(), rows)


def read_yml(path: Path) -> list[dict[str, str]]:
    """Return the rows of an expectation: flat text fields, which is all that ntc-templates has beside lists."""
    rows: list[dict[str, str]] = []
    for line in path.read_text().splitlines():
        found = re.fullmatch(r"(  - |    )([a-z0-9_]+): *\"(.*)\"", line)
        if found:
            if found[1].strip():
                rows.append({})
            rows[-1][found[2]] = found[3].replace('\\"', '"')
    return rows


def _numberless(command: str) -> str:
    return re.sub(r"\d+", "#", command)


def _number(text: str | None, scale: float = 1.0) -> float | None:
    found = re.match(r"\s*(-?\d+(?:\.\d+)?)", text or "")
    return round(float(found[1]) * scale, 3) if found else None


# -- an ONT, by the command that was recorded ------------------------------------------------


def _optic(row: Row) -> Told:
    return {
        "link_up": row["link_status"] == "ok",
        "rx_power_dbm": _number(row["rx_power_dbm"]),
        "tx_power_dbm": _number(row["tx_power_dbm"]),
        "voltage_volts": _number(row["voltage_mv"], 0.001),
        "bias_milliamperes": _number(row["current_bias_ma"]),
        "temperature_celsius": _number(row["temperature"]),
    }


def _serial(row: Row) -> Told:
    digits = row["serial_number"].partition(" ")[0]
    return {"serial": bytes.fromhex(digits[:8]).decode() + digits[8:].upper()}


ONT: Final[dict[str, Callable[[Row], Told]]] = {
    "display optic": _optic,
    "display deviceInfo": lambda row: {"model": row["model_name"]},
    "display sn": _serial,
    "display version": lambda row: {"version": row["main_software_version"]},
}


# -- ONUs behind an OLT: (serial, position) to what must be told -------------------------------

Onus = dict[tuple[str, str], Told]


def _made_up(number: int) -> str:
    return f"TEST{number:08X}"


def _smartax_light(screen: Screen) -> Onus:
    return {
        (_made_up(int(row["ont_id"])), f"0/1/0:{row['ont_id']}"): {
            "rx_power_dbm": _number(row["rx_power"]),
            "tx_power_dbm": _number(row["tx_power"]),
            "olt_rx_power_dbm": _number(row["olt_rx_ont"]),
            "temperature_celsius": _number(row["temperature"]),
            "voltage_volts": _number(row["voltage"]),
            "bias_milliamperes": _number(row["current"]),
            "distance_metres": _number(row["distance"]),
        }
        for row in screen.rows
        if any(_number(row[name]) is not None for name in ("rx_power", "tx_power", "olt_rx_ont", "distance"))
    }


def _smartax_info(screen: Screen) -> Onus:
    [row] = screen.rows
    told: Told = {
        "state": _STATES.get(row["run_state"], "offline"),
        "distance_metres": _number(row["distance_m"]),
        "last_down_cause": _CAUSES.get(row["last_down_cause"]),
        "last_up": row["last_up_time"][:19],
        "last_down": row["last_down_time"][:19],
        "temperature_celsius": _number(row["temperature"]),
    }
    return {(row["serial_number"].partition(" ")[0], "/".join(re.findall(r"\d+", screen.command))): told}


def _cdata_light(screen: Screen) -> Onus:
    told: Onus = {}
    for line in screen.text.splitlines():
        words = line.split()
        if len(words) == 7 and words[0].isdigit() and words[1] != "--":
            names = ("rx_power_dbm", "tx_power_dbm", "olt_rx_power_dbm", "temperature_celsius", "voltage_volts")
            levels = dict(zip((*names, "bias_milliamperes"), map(_number, words[1:]), strict=True))
            told[_made_up(int(words[0])), f"1:{words[0]}"] = levels
    return told


def _hsgq_states(screen: Screen) -> Onus:
    rows = re.findall(r"^\s*(\d+)\s+(\d+)\s+((?:[0-9A-F]{2}:){5}[0-9A-F]{2})\s+\w+\s+(\w+)", screen.text, re.MULTILINE)
    return {(mac, ""): {"state": state.lower(), "port": f"{pon}:{onu}"} for pon, onu, mac, state in rows}


def _zte_detail(screen: Screen) -> Onus:
    said = {key.strip(): value.strip() for key, value in re.findall(r"^([^:\n]+?):(.*)$", screen.text, re.MULTILINE)}
    position = re.search(r"gpon[_-]onu[-_][\d/]+:\d+", screen.text)
    history = re.findall(r"^\s+\d+\s+(20[\d-]+ [\d:]+)\s+(20[\d-]+ [\d:]+)\s+(\w+)", screen.text, re.MULTILINE)
    told: Told = {
        "state": _STATES[said["Phase state"]],
        "admin_enabled": said["Admin state"] == "enable",
        "distance_metres": _number(said.get("ONU Distance") or said.get("Distance(m)")),
        "rx_power_dbm": _number(said.get("RX power(dbm)")),
        "last_down_cause": _CAUSES[history[-1][2] if history else said["Last down cause"]],
    }
    if history:
        told |= {"last_up": history[-1][0], "last_down": history[-1][1]}
    return {(said.get("Serial number") or said["SN"], position[0] if position else ""): told}


OLT: Final[tuple[tuple[str, str, Callable[[Screen], Onus]], ...]] = (
    ("huawei-olt", "display ont optical-info # all", _smartax_light),
    ("huawei-olt", "display ont info # # # #", _smartax_info),
    ("cdata-olt", "show ont optical info", _cdata_light),
    ("hsgq-olt", "show epon onu all info", _hsgq_states),
    ("zte-olt", "show gpon onu detail info", _zte_detail),
)


def onus_of(screen: Screen) -> Onus:
    """Return what must be told of each ONU of a screen; empty when no driver types this command."""
    for cli, command, reader in OLT:
        if screen.cli == cli and _numberless(screen.command).startswith(command):
            return reader(screen)
    return {}
