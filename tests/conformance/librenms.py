"""What LibreNMS found in a walk, and where our reading of the same walk says something else.

Compared are: who the device is, every port with its state and counters, and every optical module. An empty
identity field of ours contradicts nothing; a port or a light level that we do not have, does.

Rules, not exceptions: LibreNMS stores 0 where a device answered nothing (such a 0 agrees with nothing when the walk
has no such object); it leaves out ports its settings ignore; board name and version may stand inside a longer text.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kampungnet.shared import wire
from tests.conformance.walk import EVENTS, NARROW, WIDE, Walk, unpadded

_PORT_FIELDS: Final = {
    "rx_bytes": "ifInOctets",
    "tx_bytes": "ifOutOctets",
    "rx_packets": "ifInUcastPkts",
    "tx_packets": "ifOutUcastPkts",
    "rx_errors": "ifInErrors",
    "tx_errors": "ifOutErrors",
    "rx_drops": "ifInDiscards",
    "tx_drops": "ifOutDiscards",
}
_LIGHT: Final = {"temperature": "temperature_celsius", "voltage": "voltage_volts", "current": "bias_milliamperes"}
DARK_DBM: Final = -40
"""Where LibreNMS writes the number, we say that there is no light (facts 2.2)."""
MOST_PORTS: Final = 200
"""That a reading has."""
_TRANSMITS: Final = re.compile(r"\btx\b|^tx-|transmit", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One field that we read otherwise."""

    field: str
    ours: Any
    theirs: Any


@dataclass(frozen=True)
class Module:
    """One row of an optical table as LibreNMS reads it."""

    table: str
    """OID up to the column."""
    row: str
    levels: Mapping[str, float]
    """Field of ours to value in our unit."""


class Found:
    """One file of LibreNMS' test data."""

    def __init__(self, path: Path) -> None:
        self._data = json.loads(path.read_text())

    @property
    def identity(self) -> dict[str, str]:
        """Who the device is: model, version, serial and name, where LibreNMS says it."""
        device = self._data["os"]["discovery"]["devices"][0]
        names = {"model": "hardware", "version": "version", "serial": "serial", "name": "sysName"}
        return {ours: device[theirs] for ours, theirs in names.items() if device.get(theirs)}

    @property
    def ports(self) -> list[dict[str, Any]]:
        """Ports as polled."""
        table = self._data.get("ports", {}).get("poller", {})
        return list(table["ports"]) if isinstance(table, dict) and "ports" in table else []

    def modules(self) -> list[Module]:
        """Return the optical modules: rows with a light level, and what else stands in the same row."""
        rows: dict[tuple[str, str], dict[str, float]] = {}
        sensors = self._data.get("sensors", {}).get("discovery", {}).get("sensors", [])
        for one in sensors:
            if one["sensor_class"] == "dbm":
                name = "tx_power_dbm" if _TRANSMITS.search(_words(one)) else "rx_power_dbm"
                rows.setdefault(_place(one), {})[name] = one["sensor_current"]
        for one in sensors:
            name = _LIGHT.get(one["sensor_class"], "")
            if name and _place(one) in rows:
                rows[_place(one)][name] = one["sensor_current"] * (1000 if one["sensor_class"] == "current" else 1)
        return [Module(table, row, levels) for (table, row), levels in rows.items()]


def _words(sensor: Mapping[str, Any]) -> str:
    return f"{sensor['sensor_index']} {sensor['sensor_descr']} {sensor['group'] or ''}"


def _place(sensor: Mapping[str, Any]) -> tuple[str, str]:
    """Return table and row of a sensor; its index ends with the row, in front of which the column stands."""
    dotted = str(sensor["sensor_oid"]).strip(".")
    row = re.split(r"[^0-9.]", str(sensor["sensor_index"]))[-1].strip(".")
    return dotted.removesuffix("." + row).rpartition(".")[0], row


def identity_contradictions(found: Found, walk: Walk, ours: Mapping[str, str]) -> Iterator[Contradiction]:
    """Yield what both say of the device, differently; the device's own sysDescr in place of a model is no lie."""
    description = walk.values.get("1.3.6.1.2.1.1.1.0")
    for field, theirs in found.identity.items():
        said = ours.get(field, "")
        if said and said != description and not _same_words(said, theirs):
            yield Contradiction(field, said, theirs)


def _same_words(ours: str, theirs: str) -> bool:
    plain = {text: re.sub(r"[.\s]*\n.*|\.+$", "", text, flags=re.DOTALL).strip() for text in (ours, theirs)}
    return plain[theirs] in plain[ours] or plain[ours] in plain[theirs]


def port_contradictions(
    found: Found, walk: Walk, readings: Mapping[str, wire.CounterReading]
) -> Iterator[Contradiction]:
    """Yield where a port differs. ``readings`` by interface name."""
    names = {index: told["interface"] for index, told in walk.interfaces()}
    for port in found.ports:
        index = str(port["ifIndex"])
        if index not in names:
            yield Contradiction(f"port {unpadded(port['ifName'] or '')} beyond IF-MIB", None, port["ifInOctets"])
            continue
        name = names[index]
        ours = readings.get(name) or readings.get(f"{name}#{index}")
        if ours is None and len(readings) == MOST_PORTS:
            continue
        if ours is None:
            yield Contradiction(f"port {name}", None, port["ifName"])
            continue
        for field, theirs in _PORT_FIELDS.items():
            yield from _counter(walk, index, f"port {name} {field}", (getattr(ours, field), port[theirs]), field)
        if port["ifOperStatus"] and ours.running != (port["ifOperStatus"] == "up"):
            yield Contradiction(f"port {name} running", ours.running, port["ifOperStatus"])
        if port["ifAdminStatus"] and ours.disabled != (port["ifAdminStatus"] == "down"):
            yield Contradiction(f"port {name} disabled", ours.disabled, port["ifAdminStatus"])


def _counter(
    walk: Walk, index: str, name: str, pair: tuple[int | None, int | None], field: str
) -> Iterator[Contradiction]:
    ours, theirs = pair
    columns = [table[field] for table in (WIDE, NARROW, EVENTS) if field in table]
    nothing_there = all(f"{column}.{index}" not in walk.values for column in columns)
    if ours != theirs and not (ours is None and nothing_there and not theirs):
        yield Contradiction(name, ours, theirs)


def light_contradictions(module: Module, ours: Mapping[str, Any]) -> Iterator[Contradiction]:
    """Yield where one module's levels differ by more than rounding."""
    for field, theirs in module.levels.items():
        said = ours.get(field)
        if theirs is None or (said is None and ours.get("no_light") and theirs <= DARK_DBM):
            continue
        if said is None or abs(said - theirs) > 0.006:
            yield Contradiction(f"light {module.row} {field}", said, theirs)
