"""Answers of command lines to values: one small pure function for each layout of the facts (5.7, 6.5, 9, 11).

Each returns fields of ``OntBody`` or ``Onu``; what is not there, ``--``, ``-`` or ``N/A`` is left out.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from kampungnet.shared.wire import DownCause, OnuState

from .light_sources import DARK_DBM, HIGHEST_DBM, LOWEST_DBM
from .olt_values import normal_serial, time_of

Fields = dict[str, Any]
_PAIR: Final = re.compile(r"^[ \t]*([A-Za-z][^:=|\n]{0,40}?)[ \t]*[:=][ \t]*(.*?)[ \t]*$", re.MULTILINE)
_NUMBER: Final = re.compile(r"[-+]?\d+(?:\.\d+)?")
_BESIDE_DBM: Final = re.compile(r"([-+]?\d+(?:\.\d+)?)\s*\(?dBm", re.IGNORECASE)
_TIME: Final = r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}"
_CAUSES: Final = (
    ("dying", DownCause.DYING_GASP),
    ("los", DownCause.LOS),
    ("lof", DownCause.SIGNAL),
    ("loa", DownCause.SIGNAL),
    ("lok", DownCause.SIGNAL),
    ("sf", DownCause.SIGNAL),
    ("reset", DownCause.RESET),
    ("reboot", DownCause.RESET),
    ("deact", DownCause.DEACTIVATED),
    ("auth", DownCause.REFUSED),
)
"""Parts of the words OLTs use; long ones are cut at the column's edge."""
_STATES: Final = (
    ("offline", OnuState.OFFLINE),
    ("online", OnuState.ONLINE),
    ("working", OnuState.ONLINE),
    ("dying", OnuState.DYING_GASP),
    ("auth", OnuState.REFUSED),
    ("los", OnuState.LOS),
    ("logging", OnuState.REGISTERING),
    ("sync", OnuState.REGISTERING),
    ("disable", OnuState.DISABLED),
)
_LIMITS: Final = {
    "temperature_celsius": (-60.0, 200.0),
    "voltage_volts": (0.001, 100.0),
    "bias_milliamperes": (0.0, 1000.0),
    "distance_metres": (0, 100_000),
}


def pairs(text: str) -> dict[str, str]:
    """Return ``key : value`` and ``key = value`` lines by their key in small letters; the first of a name counts."""
    found: dict[str, str] = {}
    for match in _PAIR.finditer(text):
        found.setdefault(" ".join(match[1].lower().split()), match[2])
    return found


def decimal(text: str | None) -> float | None:
    """Return the number a text begins with; ``None`` for ``--`` and the like."""
    found = _NUMBER.match(text.strip()) if text else None
    return float(found[0]) if found else None


def level(text: str | None) -> Fields:
    """Return a received level; -40 is darkness and no level."""
    value = decimal(text)
    if value is None or not LOWEST_DBM <= value <= HIGHEST_DBM:
        return {}
    return {"no_light": True} if value <= DARK_DBM else {"rx_power_dbm": value}


def _sent(name: str, text: str | None) -> Fields:
    value = decimal(text)
    return {name: value} if value is not None and DARK_DBM < value <= HIGHEST_DBM else {}


def _amount(name: str, text: str | None, scale: float = 1.0) -> Fields:
    value, (lowest, highest) = decimal(text), _LIMITS[name]
    if value is None or not lowest <= value * scale <= highest:
        return {}
    return {name: int(value) if name == "distance_metres" else round(value * scale, 3)}


def cause_of(text: str | None) -> DownCause | None:
    """Return the class of a last-down cause as OLTs write it."""
    word = (text or "").strip().lower()
    if not word.strip("-"):
        return None
    return next((cause for part, cause in _CAUSES if part in word), DownCause.OTHER)


def state_of(text: str | None) -> OnuState:
    """Return the state an OLT names."""
    word = (text or "").strip().lower()
    return next((state for part, state in _STATES if part in word), OnuState.UNKNOWN)


def huawei_optic(text: str) -> Fields:
    """``display optic`` of a Huawei ONT. Module powered, link down, no level: that is a cut fibre from inside."""
    said = pairs(text)
    fields = level(said.get("rxpower")) | _sent("tx_power_dbm", said.get("txpower"))
    fields |= _amount("voltage_volts", said.get("voltage"), 0.001)
    fields |= _amount("bias_milliamperes", said.get("bias")) | _amount("temperature_celsius", said.get("temperature"))
    link = {"ok": True, "nok": False}.get(said.get("linkstatus", ""))
    if link is not None:
        fields["link_up"] = link
    if link is False and "rx_power_dbm" not in fields and "voltage_volts" in fields:
        fields["no_light"] = True
    return fields


def huawei_device(text: str) -> Fields:
    """``display deviceInfo``: model and uptime."""
    said = pairs(text)
    fields: Fields = {"model": said["modelname"][:200]} if said.get("modelname") else {}
    found = re.match(r"(\d{1,6}) day\(s\) (\d{1,2}):(\d{2}):(\d{2})", said.get("uptime", ""))
    if found:
        days, hours, minutes, seconds = map(int, found.groups())
        fields["uptime_seconds"] = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    return fields


def huawei_serial(text: str) -> Fields:
    """``display sn``: 16 digits, or letters and digits."""
    said = normal_serial(pairs(text).get("sn", "").partition("(")[0])
    return {"serial": said[:40]} if said else {}


def huawei_version(text: str) -> Fields:
    """``display version``."""
    said = pairs(text).get("main software version", "")
    return {"version": said[:200]} if said else {}


def activation(text: str) -> Fields:
    """Return the activation state, ``O1`` to ``O7``: ``[O5]`` or ``Operation State(O5)`` or ``O5``."""
    found = re.search(r"\bO([1-7])\b", text)
    if not found:
        return {}
    return {"registration": f"O{found[1]}", "link_up": found[1] == "5"}


def stick_rx(text: str) -> Fields:
    """``diag pon get transceiver rx-power`` of a Realtek stick."""
    found = _BESIDE_DBM.search(text)
    return level(found[1]) if found else {}


def stick_tx(text: str) -> Fields:
    """``diag pon get transceiver tx-power``."""
    found = _BESIDE_DBM.search(text)
    return _sent("tx_power_dbm", found[1]) if found else {}


def stick_amount(name: str, text: str) -> Fields:
    """Temperature, voltage or bias: the number behind the colon."""
    found = re.search(r":\s*([-+]?\d+(?:\.\d+)?)", text)
    return _amount(name, found[1]) if found else {}


def shell_uptime(text: str) -> Fields:
    """``cat /proc/uptime``."""
    found = re.search(r"^(\d{1,10})\.\d\d \d", text, re.MULTILINE)
    return {"uptime_seconds": int(found[1])} if found else {}


def zte_detail(text: str) -> Fields:
    """``show gpon onu detail-info``: state, serial, distance, and the history of outages that SNMP lacks on C600."""
    said = pairs(text)
    fields: Fields = {"state": state_of(said.get("phase state"))}
    serial = normal_serial(said.get("serial number") or said.get("sn") or "")
    if serial:
        fields["serial"] = serial
    if said.get("admin state") in {"enable", "disable"}:
        fields["admin_enabled"] = said["admin state"] == "enable"
    fields |= _amount("distance_metres", said.get("onu distance") or said.get("distance(m)"))
    fields |= level(said.get("rx power(dbm)")) | _amount("temperature_celsius", said.get("temperature(c)"))
    cause = cause_of(said.get("last down cause"))
    if cause is not None:
        fields["last_down_cause"] = cause
    return fields | _zte_history(text)


def _zte_history(text: str) -> Fields:
    fields: Fields = {}
    for match in re.finditer(rf"^\s*\d+\s+({_TIME})\s+({_TIME})[ \t]*(\S*)", text, re.MULTILINE):
        up, down = time_of(match[1].encode()), time_of(match[2].encode())
        if up:
            fields["last_up"] = up
        if down:
            fields["last_down"] = down
            fields["last_down_cause"] = cause_of(match[3])
    return fields


def zte_attenuation(text: str) -> Fields:
    """``show pon power attenuation``: both directions, both ends."""
    up = re.search(r"^\s*up\s+Rx\s*:\s*(\S+?)\s*\(dbm\)\s*Tx\s*:\s*(\S+?)\s*\(dbm\)", text, re.M | re.I)
    down = re.search(r"^\s*down\s+Tx\s*:\s*\S+?\s*\(dbm\)\s*Rx\s*:\s*(\S+?)\s*\(dbm\)", text, re.M | re.I)
    fields = _sent("olt_rx_power_dbm", up[1]) | _sent("tx_power_dbm", up[2]) if up else {}
    return fields | (level(down[1]) if down else {})


def smartax_info(text: str) -> Fields:
    """``display ont info 0 1 2 3``."""
    said = pairs(text)
    fields: Fields = {"state": state_of(said.get("run state"))}
    serial = normal_serial(said.get("sn", "").partition("(")[0])
    if serial:
        fields["serial"] = serial[:40]
    if said.get("control flag") in {"active", "deactivated"}:
        fields["admin_enabled"] = said["control flag"] == "active"
    fields |= _amount("distance_metres", said.get("ont distance(m)"))
    fields |= _amount("temperature_celsius", said.get("temperature"))
    for name, key in (("last_up", "last up time"), ("last_down", "last down time")):
        moment = time_of(said.get(key, "").encode())
        if moment:
            fields[name] = moment
    cause = cause_of(said.get("last down cause"))
    return fields | ({"last_down_cause": cause} if cause else {})


def _rows(text: str) -> Iterator[list[str]]:
    """Yield the words of every line that begins with a number."""
    for line in text.split("\n"):
        words = line.split()
        if words and words[0].isdigit():
            yield words


def light_table(text: str, onu: int) -> Fields:
    """One row of ``display ont optical-info 0 all`` (Huawei) or ``show ont optical-info 1 all`` (C-DATA).

    Columns: ONT, rx, tx, rx at the OLT, temperature, voltage, current, and on Huawei distance.
    """
    words = next((row for row in _rows(text) if int(row[0]) == onu and len(row) >= 7), None)
    if words is None:
        return {}
    fields = level(words[1]) | _sent("tx_power_dbm", words[2]) | _sent("olt_rx_power_dbm", words[3])
    fields |= _amount("temperature_celsius", words[4]) | _amount("voltage_volts", words[5])
    fields |= _amount("bias_milliamperes", words[6])
    return fields | (_amount("distance_metres", words[7]) if len(words) > 7 else {})


def smartax_summary(text: str) -> dict[int, Fields]:
    """``display ont info summary 0/1/0``: two tables, joined by the ONT's number."""
    found: dict[int, Fields] = {}
    for match in re.finditer(
        rf"^\s*(\d+)\s+(online|offline)\s+({_TIME}|-)\s+({_TIME}|-)[ \t]+(\S[^\n]*)$", text, re.MULTILINE
    ):
        fields: Fields = {"state": state_of(match[2]), "last_down_cause": cause_of(match[5])}
        fields |= {"last_up": time_of(match[3].encode()), "last_down": time_of(match[4].encode())}
        found[int(match[1])] = fields
    for match in re.finditer(
        r"^\s*(\d+)\s+([0-9A-Za-z]{12,16})\s+\S+\s+(\d+|-)\s+(-?[\d.]+|-)/(-?[\d.]+|-)(?:\s|$)", text, re.MULTILINE
    ):
        fields = {"serial": normal_serial(match[2])} | _amount("distance_metres", match[3])
        fields |= level(match[4]) | _sent("tx_power_dbm", match[5])
        found.setdefault(int(match[1]), {}).update(fields)
    return found


def hsgq_all(text: str, serial: str) -> Fields:
    """``show epon onu all info``: the row of one MAC address."""
    for words in _rows(text):
        if len(words) >= 5 and normal_serial(words[2]) == serial:
            return {"state": state_of(words[4]), "serial": serial, "port": f"{words[0]}:{words[1]}"}
    return {}
