"""Commands that answer over time: monitors, ping, listen (facts/routeros.md, 3.6, 3.10, 7.4, 7.5, 7.11)."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

from kampungnet_sim.chance import key_of, unit
from kampungnet_sim.routeros_engine import Engine
from kampungnet_sim.routeros_menus_ip import GATEWAY
from kampungnet_sim.routeros_request import Request
from kampungnet_sim.routeros_router import Moment
from kampungnet_sim.routeros_tables import RouterTrap, Row
from kampungnet_sim.routeros_values import boolean, short_duration
from kampungnet_sim.village import NO_LIGHT_DBM

Sleep = Callable[[float], Awaitable[None]]
RowMaker = Callable[[Moment], list[Row]]

_LOCAL = ("127.", "192.168.", "10.5.")
_RATE_SPAN_SECONDS = 1.0
_UNITS = {"h": 3_600.0, "m": 60.0, "s": 1.0, "": 1.0, "ms": 1e-3, "us": 1e-6}


def _seconds(text: str, otherwise: float) -> float:
    """``1m30s``, ``200ms`` or a bare number of seconds."""
    if not re.fullmatch(r"(?:\d+(?:\.\d+)?(?:ms|us|[hms])?)+", text):
        return otherwise
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|us|[hms])?", text)
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _chosen_ports(engine: Engine, request: Request, moment: Moment, menu: str) -> list[Row]:
    found = engine.menu_of(menu)
    if found is None:
        raise engine.missing(menu)
    rows = found.rows(moment)
    wanted = request.arguments.get("numbers", request.arguments.get(".id", ""))
    chosen = []
    for one in wanted.split(","):
        row = next((r for r in rows if one in (r["name"], r.get(".id"))), None)
        if row is None and one.isdecimal() and int(one) < len(rows):
            # Clients may also use the place in the last print.
            row = rows[int(one)]
        if row is None:
            raise RouterTrap("no such item", 0)
        chosen.append(row)
    return chosen


def _sfp(moment: Moment) -> Row:
    state = moment.state
    dark = state.rx_power_dbm <= NO_LIGHT_DBM
    row = {
        "sfp-module-present": "true",
        "sfp-rx-loss": boolean(dark),
        "sfp-tx-fault": "false",
        "sfp-type": "SFP-or-SFP+",
        "sfp-connector-type": "SC",
        "sfp-vendor-name": "HSGQ",
        "sfp-vendor-part-number": "XPON-STICK",
        "sfp-vendor-serial": moment.profile.ont_serial,
        "sfp-wavelength": "1310",
        "sfp-temperature": f"{state.ont_temperature_celsius:.0f}",
        "sfp-supply-voltage": f"{state.ont_voltage_volts:.3f}",
        "sfp-tx-bias-current": f"{state.ont_bias_milliamperes:.0f}",
        "sfp-rx-power": f"{state.rx_power_dbm:g}",
        "eeprom-checksum": "good",
    }
    if state.tx_power_dbm is not None:
        row["sfp-tx-power"] = f"{state.tx_power_dbm:g}"
    return row


def ethernet_monitor(engine: Engine, request: Request, moment: Moment) -> list[Row]:
    """Link and module of the chosen ports."""
    rows = []
    for port in _chosen_ports(engine, request, moment, "/interface/ethernet"):
        up = port["running"] == "true"
        row = {"name": port["name"], "status": "link-ok" if up else "no-link", "auto-negotiation": "done"}
        if up:
            row |= {"rate": "1Gbps" if moment.profile.router.cpu_count > 1 else "100Mbps",
                    "full-duplex": "true", "tx-flow-control": "false", "rx-flow-control": "false"}  # fmt: skip
        if port["name"].startswith("sfp"):
            row |= _sfp(moment)
        rows.append(row)
    return rows


def poe_monitor(engine: Engine, request: Request, moment: Moment) -> list[Row]:
    """Power over Ethernet of the chosen ports: watts, volts, milliamperes."""
    return [
        {"name": port["name"], "poe-out": port["poe-out"], "poe-out-status": "waiting-for-load"}
        for port in _chosen_ports(engine, request, moment, "/interface/ethernet/poe")
    ]


def radio_monitor(engine: Engine, request: Request, moment: Moment) -> list[Row]:
    """The chosen radios."""
    ports = _chosen_ports(engine, request, moment, request.menu)
    clients = str(moment.state.wireless_clients)
    key = "registered-peers" if request.menu == "/interface/wifi" else "registered-clients"
    return [
        {"status": "running-ap", "channel": "2437/20/gn", "noise-floor": "-101",
         "overall-tx-ccq": "83", key: clients, "authenticated-clients": clients}
        for _ in ports
    ]  # fmt: skip


def traffic(engine: Engine, request: Request, moment: Moment) -> list[Row]:
    """Rates of about the last second, bits and packets per second."""
    earlier = engine.router.village.state_at(moment.state.time - _RATE_SPAN_SECONDS)
    names = request.arguments.get("interface", request.arguments.get("numbers", "")).split(",")
    rows = []
    for name in names:
        ports = [
            (now, then)
            for now, then in zip(moment.state.interfaces, earlier.interfaces, strict=True)
            if name in ("aggregate", now.name)
        ]
        if not ports:
            raise RouterTrap("input does not match any value of interface", 1)
        rx = sum(max(now.rx_bytes - then.rx_bytes, 0) for now, then in ports)
        tx = sum(max(now.tx_bytes - then.tx_bytes, 0) for now, then in ports)
        rows.append(
            {
                "name": name, "rx-packets-per-second": str(rx // 1020), "rx-bits-per-second": str(rx * 8),
                "fp-rx-packets-per-second": "0", "fp-rx-bits-per-second": "0",
                "rx-drops-per-second": "0", "rx-errors-per-second": "0",
                "tx-packets-per-second": str(tx // 260), "tx-bits-per-second": str(tx * 8),
                "fp-tx-packets-per-second": "0", "fp-tx-bits-per-second": "0",
                "tx-drops-per-second": "0", "tx-queue-drops-per-second": "0", "tx-errors-per-second": "0",
            }
        )  # fmt: skip
    return rows


def radius_monitor(_: Engine, __: Request, ___: Moment) -> list[Row]:
    """Counters towards the RADIUS server."""
    names = ("pending", "requests", "accepts", "rejects", "resends", "timeouts", "bad-replies")
    return [{**dict.fromkeys(names, "0"), "last-request-rtt": "0ms"}]


def update_check(_: Engine, __: Request, moment: Moment) -> list[Row]:
    """``check-for-updates`` asks the internet and so depends on it."""
    version = moment.profile.version.split(" ", 1)[0]
    status = "System is already up to date" if moment.state.internet_up else "ERROR: connecting failed"
    return [{"channel": "stable", "installed-version": version, "latest-version": version, "status": status}]


MONITORS: dict[str, Callable[[Engine, Request, Moment], list[Row]]] = {
    "/interface/ethernet/monitor": ethernet_monitor,
    "/interface/ethernet/poe/monitor": poe_monitor,
    "/interface/wireless/monitor": radio_monitor,
    "/interface/wifi/monitor": radio_monitor,
    "/interface/monitor-traffic": traffic,
    "/radius/monitor": radius_monitor,
    "/system/package/update/check-for-updates": update_check,
}


async def monitor(engine: Engine, request: Request, sleep: Sleep) -> AsyncIterator[list[Row]]:
    """Rows each second until the duration is over or the client cancels."""
    make = partial(MONITORS[request.command], engine, request)
    interval = max(_seconds(request.arguments.get("interval", ""), 1.0), 0.05)
    duration = request.arguments.get("duration")
    left = _seconds(duration, 0.0) if duration is not None else float("inf")
    section = 0
    while True:
        for row in make(engine.router.moment()):
            yield [{**row, ".section": str(section)}]
            section += 1
        left -= interval
        if left < 0:
            return
        await sleep(interval)


def _trip_ms(engine: Engine, address: str, when: float, seq: int) -> float | None:
    state = engine.router.village.state_at(when)
    if address.startswith(_LOCAL):
        return 0.2
    if address == GATEWAY:
        return state.gateway_ping_ms
    if unit(key_of(engine.router.profile.code, "ping"), int(when) * 97 + seq) * 100 < state.packet_loss_percent:
        return None
    return state.internet_ping_ms


async def ping(engine: Engine, request: Request, sleep: Sleep, *, instant: bool) -> AsyncIterator[list[Row]]:
    """One row for each probe; a lost one says ``timeout`` after a second."""
    address = request.arguments.get("address", "")
    if not address:
        raise RouterTrap("missing value(s) of argument(s) address", 1)
    wanted = request.arguments.get("count", "")
    if wanted and not wanted.isdecimal():
        raise RouterTrap("invalid value for argument count", 1)
    count = int(wanted or 1 << 62)
    size = request.arguments.get("size", "56")
    interval = _seconds(request.arguments.get("interval", ""), 1.0)
    version = engine.router.version
    times: list[float] = []
    seq = 0
    while seq < count:
        trip = _trip_ms(engine, address, engine.router.clock(), seq)
        waited = interval if trip is None else trip / 1000
        if not instant:
            await sleep(waited)
        row = {"seq": str(seq), "host": address}
        if trip is None:
            row["status"] = "timeout"
        else:
            times.append(trip)
            row |= {"size": size, "ttl": "57", "time": short_duration(trip, version)}
        seq += 1
        row |= {"sent": str(seq), "received": str(len(times)),
                "packet-loss": str(100 * (seq - len(times)) // seq)}  # fmt: skip
        if times:
            row |= {
                "min-rtt": short_duration(min(times), version),
                "avg-rtt": short_duration(sum(times) / len(times), version),
                "max-rtt": short_duration(max(times), version),
            }
        yield [row]
        if seq < count and not instant:
            await sleep(max(interval - waited, 0))


_COUNTERS = frozenset(
    "uptime idle-time bytes-in bytes-out packets-in packets-out session-time-left expires-after"
    " last-seen bytes packets rate rx-byte tx-byte rx-packet tx-packet last-activity fp-rx-byte"
    " fp-rx-packet tx-queue-drop".split()
)


def _snapshot(engine: Engine, request: Request) -> dict[str, Row]:
    menu = engine.menu_of(request.menu)
    if menu is None:
        raise engine.missing(request.menu)
    rows = menu.rows(engine.router.moment())
    return {row.get(".id", ""): {k: v for k, v in row.items() if k not in _COUNTERS} for row in rows}


async def listen(engine: Engine, request: Request, sleep: Sleep) -> AsyncIterator[list[Row]]:
    """Changes of a list; counters are no changes, a removed row says ``.dead``."""
    known = _snapshot(engine, request)
    while True:
        await sleep(0.2)
        seen = _snapshot(engine, request)
        changed: list[Row] = [row for key, row in seen.items() if known.get(key) != row]
        changed += [{".id": key, ".dead": "true"} for key in known if key not in seen]
        known = seen
        if changed:
            yield changed
