"""What a driver must make of RouterOS rows: a small reader of its own, column by column, that knows no driver.

Each function takes the rows of one command, as text, and returns what the body must say. Names of the result are
fields of `RouterBody`; a field with a list is told as {name of the item: {field: value}}. What a row does not have
must be absent in the body, which is not 0.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

Row = Mapping[str, str]
Told = dict[str, Any]

_UNITS: Final = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1, "ms": 0.001, "us": 0.000001}
_V6_SENSORS: Final = {"voltage": "V", "temperature": "C", "cpu-temperature": "C", "fan1-speed": "RPM"}


def whole(row: Row, name: str) -> int | None:
    """Return a number, ``None`` when the row has none."""
    value = row.get(name, "")
    return int(value) if value.isdecimal() else None


def seconds(text: str) -> float:
    """Return ``1w4d23h26m9s`` or ``9ms445us`` in seconds."""
    parts = re.findall(r"(\d+)(ms|us|[wdhms])", text)
    return float(sum(int(number) * _UNITS[unit] for number, unit in parts))


def _flag(row: Row, name: str) -> bool | None:
    return {"true": True, "yes": True, "false": False, "no": False}.get(row.get(name, ""))


def _identity(rows: list[Row]) -> Told:
    return {"identity": rows[0].get("name", "")}


def _resource(rows: list[Row]) -> Told:
    row = rows[0]
    return {
        "board": row.get("board-name", ""),
        "version": row.get("version", ""),
        "cpu_load_percent": whole(row, "cpu-load"),
        "free_memory_bytes": whole(row, "free-memory"),
        "total_memory_bytes": whole(row, "total-memory"),
        "free_storage_bytes": whole(row, "free-hdd-space"),
        "total_storage_bytes": whole(row, "total-hdd-space"),
    }


def _routerboard(rows: list[Row]) -> Told:
    row = rows[0]
    return {
        "model": row.get("model", ""),
        "serial": row.get("serial-number", ""),
        "firmware": row.get("current-firmware", ""),
        "firmware_available": row.get("upgrade-firmware", ""),
    }


def _health(rows: list[Row]) -> Told:
    sensors: Told = {}
    for row in rows:
        if "name" in row and "value" in row:
            number = re.fullmatch(r"(-?\d+(?:\.\d+)?)[A-Za-z%]*", row["value"])
            value = float(number[1]) if number else float(row["value"] != "ok")
            sensors[row["name"]] = {"value": value, "unit": row.get("type", "")}
        else:
            sensors |= {one: {"value": float(row[one]), "unit": _V6_SENSORS[one]} for one in _V6_SENSORS if one in row}
    return {"sensors": sensors}


def _interfaces(rows: list[Row]) -> Told:
    return {
        "interfaces": {
            row["name"]: {
                "kind": row.get("type", ""),
                "running": _flag(row, "running"),
                "disabled": _flag(row, "disabled") or False,
                "rx_bytes": whole(row, "rx-byte"),
                "tx_bytes": whole(row, "tx-byte"),
                "rx_packets": whole(row, "rx-packet"),
                "tx_packets": whole(row, "tx-packet"),
                "rx_errors": whole(row, "rx-error"),
                "tx_errors": whole(row, "tx-error"),
                "rx_drops": whole(row, "rx-drop"),
                "tx_drops": whole(row, "tx-drop"),
                "link_downs": whole(row, "link-downs"),
                "last_link_down": row.get("last-link-down-time", ""),
                "counter_bits": 64,
            }
            for row in rows
            if row.get("name")
        }
    }


def _ping(rows: list[Row]) -> Told:
    last = rows[-1]
    received = whole(last, "received") or 0
    mean = last.get("avg-rtt", last.get("time", ""))
    told = {
        "sent": whole(last, "sent") or len(rows),
        "received": received,
        "rtt_ms": seconds(mean) * 1000 if received else None,
    }
    return {"pings": {"internet": told}}


def _leases(rows: list[Row]) -> Told:
    return {"dhcp_leases": sum(row.get("status") == "bound" for row in rows), "dhcp_leases_known": len(rows)}


def _wireless(rows: list[Row]) -> Told:
    clients = Counter(row["interface"] for row in rows if row.get("interface"))
    return {"wireless_clients": len(rows), "radios": {name: {"clients": count} for name, count in clients.items()}}


def _hotspots(rows: list[Row]) -> Told:
    return {
        "hotspots": {
            row["name"]: {
                "interface": row.get("interface", ""),
                "profile": row.get("profile", ""),
                "disabled": _flag(row, "disabled") or False,
                "invalid": _flag(row, "invalid") or False,
            }
            for row in rows
        }
    }


def _users(rows: list[Row]) -> Told:
    """Counters grow at logout; ``limit-bytes-total`` is the limit of both directions together."""
    real = [row for row in rows if _flag(row, "default") is not True]
    return {
        "users": {
            row["name"]: {
                "profile": row.get("profile", ""),
                "server": row.get("server", ""),
                "disabled": _flag(row, "disabled") or False,
                "comment": row.get("comment", ""),
                "up_bytes": whole(row, "bytes-in"),
                "down_bytes": whole(row, "bytes-out"),
                "limit_bytes": whole(row, "limit-bytes-total"),
            }
            for row in real
        }
    }


def _queues(rows: list[Row]) -> Told:
    """Pairs are upload/download as the target sees it; a limit of 0 is none."""

    def half(row: Row, name: str, side: int) -> int | None:
        parts = row.get(name, "").split("/")
        return int(parts[side]) if len(parts) == 2 and parts[side].isdecimal() else None

    return {
        "queues": {
            row["name"]: {
                "target": row.get("target", ""),
                "disabled": _flag(row, "disabled") or False,
                "up_limit_bps": half(row, "max-limit", 0) or None,
                "down_limit_bps": half(row, "max-limit", 1) or None,
                "up_bytes": half(row, "bytes", 0),
                "down_bytes": half(row, "bytes", 1),
            }
            for row in rows
        }
    }


def _netwatch(rows: list[Row]) -> Told:
    up = {"up": True, "down": False}
    return {
        "netwatch": {
            row["host"]: {"up": up.get(row.get("status", "")), "since": row.get("since", "")}
            for row in rows
            if _flag(row, "disabled") is not True
        }
    }


def _routes(rows: list[Row]) -> Told:
    """The active default route of the main table."""
    default: list[Row] = [
        row
        for row in rows
        if row.get("dst-address") == "0.0.0.0/0" and _flag(row, "active") and row.get("routing-mark", "main") == "main"
    ]
    nearest = min(default, key=lambda row: whole(row, "distance") or 0, default={})
    return {"gateway": nearest.get("gateway", "")}


def _update(rows: list[Row]) -> Told:
    row = rows[0]
    return {
        "installed_version": row.get("installed-version", ""),
        "latest_version": row.get("latest-version", ""),
        "update_channel": row.get("channel", ""),
    }


READERS: Final[dict[str, Callable[[list[Row]], Told]]] = {
    "/system/identity/print": _identity,
    "/system/resource/print": _resource,
    "/system/routerboard/print": _routerboard,
    "/system/health/print": _health,
    "/system/package/update/print": _update,
    "/interface/print": _interfaces,
    "/ping": _ping,
    "/ip/dhcp-server/lease/print": _leases,
    "/interface/wireless/registration-table/print": _wireless,
    "/interface/wifi/registration-table/print": _wireless,
    "/ip/hotspot/print": _hotspots,
    "/ip/hotspot/user/print": _users,
    "/queue/simple/print": _queues,
    "/tool/netwatch/print": _netwatch,
    "/ip/route/print": _routes,
}
"""By command. Whatever else was recorded must arrive unchanged, but says nothing about a village."""
