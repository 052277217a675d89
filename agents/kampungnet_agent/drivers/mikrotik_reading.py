"""What a router is asked at every poll, and how its answers become a ``RouterBody``.

Pure: replies in, values out. Menus and properties: facts on RouterOS, section 7; properties
that a version does not know are simply absent from its answer, so one list serves 6 and 7.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from kampungnet.shared.wire import CounterReading, Ping, RouterBody, Sensor

from .fields import boolean, count, milliseconds, number_and_unit, percent, text
from .routeros_wire import Reply, Row, encode_command

MOST_INTERFACES: Final = 200
MOST_SENSORS: Final = 60
MOST_MISSING: Final = 40
LONGEST_NAME: Final = 100


@dataclass(frozen=True, slots=True)
class Question:
    """One command of a poll."""

    name: str
    """How ``missing`` calls it."""
    command: bytes
    right: str = "read"
    """The policy of the API user's group that it needs (MikroTik's page on users)."""


def _menu(name: str, path: str, *words: str) -> Question:
    return Question(name, encode_command(f"/{path}/print", *words))


def _proplist(names: str) -> str:
    return "=.proplist=" + names


_HEALTH_V6: Final = {
    b"voltage": "V",
    b"temperature": "C",
    b"cpu-temperature": "C",
    b"board-temperature": "C",
    b"board-temperature1": "C",
    b"board-temperature2": "C",
    b"fan1-speed": "RPM",
    b"fan2-speed": "RPM",
    b"fan3-speed": "RPM",
    b"fan4-speed": "RPM",
    b"psu1-voltage": "V",
    b"psu2-voltage": "V",
    b"psu1-current": "A",
    b"psu2-current": "A",
    b"power-consumption": "W",
    b"current": "",
}
"""Sensors that version 6 prints as properties of one row, with the unit version 7 gives them."""

STANDING: Final = (
    _menu("identity", "system/identity", _proplist("name")),
    _menu(
        "resource",
        "system/resource",
        _proplist("uptime,version,cpu-load,free-memory,total-memory,free-hdd-space,total-hdd-space,board-name"),
    ),
    _menu("routerboard", "system/routerboard", _proplist("model,serial-number")),
    _menu("health", "system/health", _proplist("name,value,type," + ",".join(name.decode() for name in _HEALTH_V6))),
    _menu(
        "interfaces",
        "interface",
        _proplist(
            "name,type,running,disabled,rx-byte,tx-byte,rx-packet,tx-packet,"
            "rx-error,tx-error,rx-drop,tx-drop,link-downs"
        ),
    ),
    _menu("hotspot sessions", "ip/hotspot/active", "=count-only="),
    _menu("hotspot hosts", "ip/hotspot/host", "=count-only="),
    _menu("dhcp leases", "ip/dhcp-server/lease", "=count-only=", "?status=bound"),
    _menu(
        "default route",
        "ip/route",
        _proplist("gateway,active,disabled,distance,routing-mark,routing-table"),
        "?dst-address=0.0.0.0/0",
    ),
)

WIRELESS: Final = tuple(
    _menu(path, f"{path}/registration-table", "=count-only=")
    for path in ("interface/wifi", "interface/wifiwave2", "interface/wireless", "caps-man")
)
"""Wi-Fi moved twice (7.10). All are tried once a connection, those that exist are added up."""


@lru_cache(maxsize=64)
def ping_question(target: str, address: str) -> Question:
    """Return one probe sent by the router itself. It waits a second at most: satellite links need 0.7.

    ``.proplist`` is promised for ``print`` alone (facts 3.2), so a ping goes without.
    """
    return Question(
        f"ping {target}", encode_command("/ping", f"=address={address}", "=count=1", "=interval=1s"), "test"
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """Answers of one poll by question name, with what the settings say about this router."""

    replies: Mapping[str, Reply]
    wan_interface: str
    ping_addresses: Mapping[str, str]
    """``gateway`` and ``internet`` to the address that was pinged."""
    missing: Sequence[str] = ()
    """What was known to be missing before this poll."""

    def rows(self, name: str) -> list[Row]:
        """Return the rows of a list, empty when it could not be had."""
        reply = self.replies.get(name)
        return reply.rows if reply else []

    def row(self, name: str) -> Row:
        """Return the only row of a one-row menu."""
        rows = self.rows(name)
        return rows[0] if rows else {}

    def number(self, name: str) -> int | None:
        """Return the answer to a ``count-only`` question."""
        reply = self.replies.get(name)
        return count(reply.ret) if reply else None


def body_of(asked: Asked) -> RouterBody:
    """Return all that one poll of a router learned."""
    missing = [*asked.missing, *_refusals(asked.replies)]
    resource = asked.row("resource")
    routerboard = asked.row("routerboard")
    interfaces = _interfaces(asked, missing)
    return RouterBody(
        identity=text(asked.row("identity").get(b"name")),
        board=text(resource.get(b"board-name")),
        model=text(routerboard.get(b"model")),
        serial=text(routerboard.get(b"serial-number")),
        version=text(resource.get(b"version")),
        cpu_load_percent=percent(resource.get(b"cpu-load")),
        free_memory_bytes=count(resource.get(b"free-memory")),
        total_memory_bytes=count(resource.get(b"total-memory")),
        free_storage_bytes=count(resource.get(b"free-hdd-space")),
        total_storage_bytes=count(resource.get(b"total-hdd-space")),
        sensors=sensors_of(asked.rows("health")),
        interfaces=interfaces,
        wan_interface=asked.wan_interface[:200],
        gateway=text(default_route(asked.rows("default route")).get(b"gateway")),
        pings=_pings(asked, missing),
        hotspot_sessions=asked.number("hotspot sessions"),
        hotspot_hosts=asked.number("hotspot hosts"),
        dhcp_leases=asked.number("dhcp leases"),
        wireless_clients=_wireless(asked),
        missing=[entry[:200] for entry in missing[:MOST_MISSING]],
    )


def refusal(name: str, reply: Reply, right: str) -> str:
    """Return the ``missing`` entry of a refused command, with the right it lacks."""
    reason = "; ".join(re.sub(r" \(\d+\)$", "", str(trap)) for trap in reply.traps)
    return f"{name}: {reason} (right: {right})" if "permission" in reason else f"{name}: {reason}"


def is_missing_menu(reply: Reply) -> bool:
    """Tell whether this router has no such menu: a version, a package or a board without it."""
    return any(str(trap).startswith("no such command") for trap in reply.traps)


def _refusals(replies: Mapping[str, Reply]) -> list[str]:
    """Name every command that was refused, or broke off after some rows."""
    return [
        refusal(name, reply, "test" if name.startswith("ping ") else "read")
        for name, reply in replies.items()
        if reply.traps
    ]


def _interfaces(asked: Asked, missing: list[str]) -> list[CounterReading]:
    rows = [row for row in asked.rows("interfaces") if row.get(b"name")]
    if len(rows) > MOST_INTERFACES:
        missing.append(f"interfaces: {len(rows)} on the router, {MOST_INTERFACES} reported")
        # the billed one must not be among those left out
        rows.sort(key=lambda row: text(row[b"name"]) != asked.wan_interface)
    readings = [counters_of(row) for row in rows[:MOST_INTERFACES]]
    wanted = asked.wan_interface
    if wanted and readings and all(reading.interface != wanted for reading in readings):
        missing.append(f"wan_interface: the router has no interface {wanted!r}")
    return readings


def counters_of(row: Row) -> CounterReading:
    """Return one row of ``/interface/print``: cumulative 64-bit counters, missing is not 0."""
    get = row.get
    return CounterReading(
        interface=text(get(b"name"), LONGEST_NAME) or "?",
        kind=text(get(b"type")),
        running=boolean(get(b"running")),
        disabled=get(b"disabled") in {b"true", b"yes"},
        rx_bytes=count(get(b"rx-byte")),
        tx_bytes=count(get(b"tx-byte")),
        rx_packets=count(get(b"rx-packet")),
        tx_packets=count(get(b"tx-packet")),
        rx_errors=count(get(b"rx-error")),
        tx_errors=count(get(b"tx-error")),
        rx_drops=count(get(b"rx-drop")),
        tx_drops=count(get(b"tx-drop")),
        link_downs=count(get(b"link-downs")),
    )


def sensors_of(rows: Iterable[Row]) -> list[Sensor]:
    """Return the health sensors: one row of version 6, or a row per sensor of version 7.

    State sensors carry a word. As in MikroTik's own SNMP table a good state is 0, any other 1.
    """
    sensors: list[Sensor | None] = []
    for row in rows:
        if b"name" in row and b"value" in row:
            sensors.append(_sensor(row[b"name"], row[b"value"], text(row.get(b"type"), 10)))
        else:
            sensors.extend(_sensor(name, row[name], unit) for name, unit in _HEALTH_V6.items() if name in row)
    return [sensor for sensor in sensors if sensor is not None][:MOST_SENSORS]


def _sensor(name: bytes, value: bytes, unit: str) -> Sensor | None:
    shown = text(name, LONGEST_NAME)
    found = number_and_unit(value)
    if not shown:
        return None
    if found:
        return Sensor(shown, found[0], unit or found[1])
    if name.endswith(b"-state") and value:
        return Sensor(shown, 0.0 if value == b"ok" else 1.0)
    return None


def default_route(rows: Iterable[Row]) -> Row:
    """Return the active default route of the main table with the smallest distance, or an empty row."""
    active = [row for row in rows if row.get(b"active") == b"true" and row.get(b"disabled") != b"true"]
    return min(active, key=_route_order, default={})


def _route_order(row: Row) -> tuple[bool, int]:
    table = row.get(b"routing-mark") or row.get(b"routing-table") or b"main"
    return table != b"main", count(row.get(b"distance")) or 0


def gateway_address(gateway: str) -> str:
    """Return the address to ping of ``192.168.1.1``, ``10.0.0.1%ether1`` or ``10.0.0.1,10.0.0.2``; else empty.

    A point-to-point line (PPPoE) has an interface name in its place, which cannot be pinged.
    """
    first = re.split("[,%@]", gateway, maxsplit=1)[0].strip()
    try:
        return str(ip_address(first))
    except ValueError:
        return ""


def _pings(asked: Asked, missing: list[str]) -> list[Ping]:
    pings: list[Ping] = []
    for target, address in asked.ping_addresses.items():
        rows = asked.rows(f"ping {target}")
        if rows:
            pings.append(ping_of(target, address, rows))
        elif (reply := asked.replies.get(f"ping {target}")) and not reply.traps:
            missing.append(f"ping {target}: no answer row")
    return pings


def ping_of(target: str, address: str, rows: Sequence[Row]) -> Ping:
    """Return a ping from its last row, which holds the totals; times are ``0ms`` or ``9ms445us``."""
    last = rows[-1]
    received = count(last.get(b"received"))
    sent = count(last.get(b"sent"))
    rtt = milliseconds(last.get(b"avg-rtt") or last.get(b"time"))
    return Ping(
        target=target,
        address=address[:200],
        sent=len(rows) if sent is None else sent,
        received=received or 0,
        rtt_ms=rtt if received and rtt is not None and rtt <= 600_000 else None,
    )


def _wireless(asked: Asked) -> int | None:
    numbers = [asked.number(question.name) for question in WIRELESS]
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None
