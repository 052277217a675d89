"""What each ``monitor`` command says of one instant (facts/routeros.md, 3.6, 7.4, 7.5, 7.13)."""

from collections.abc import Callable

from kampungnet_sim.routeros_engine import Engine
from kampungnet_sim.routeros_menus_ppp import line_status
from kampungnet_sim.routeros_menus_system import newer_version
from kampungnet_sim.routeros_request import Request
from kampungnet_sim.routeros_router import Moment
from kampungnet_sim.routeros_sfp import cage
from kampungnet_sim.routeros_tables import RouterTrap, Row
from kampungnet_sim.village_events import WINDOW_SECONDS

_RATE_SPAN_SECONDS = 1.0
# One question to the RADIUS server about every two minutes of an open portal.
_RADIUS_SECONDS = 120


def chosen(engine: Engine, request: Request, moment: Moment, menu: str) -> list[Row]:
    """The rows that ``numbers`` or ``.id`` names: by name, id, or place in the last print."""
    found = engine.menu_of(menu)
    if found is None:
        raise engine.missing(menu)
    rows = found.rows(moment)
    wanted = request.arguments.get("numbers", request.arguments.get(".id", ""))
    picked = []
    for one in wanted.split(","):
        row = next((r for r in rows if one in (r.get("name"), r.get(".id"))), None)
        if row is None and one.isdecimal() and int(one) < len(rows):
            row = rows[int(one)]
        if row is None:
            raise RouterTrap("no such item", 0)
        picked.append(row)
    return picked


def ethernet(engine: Engine, request: Request, moment: Moment) -> list[Row]:
    """Link and module of the chosen ports."""
    rows = []
    for port in chosen(engine, request, moment, "/interface/ethernet"):
        up = port["running"] == "true"
        row = {"name": port["name"], "status": "link-ok" if up else "no-link", "auto-negotiation": "done"}
        if up:
            row |= {"rate": "1Gbps" if moment.profile.router.cpu_count > 1 else "100Mbps",
                    "full-duplex": "true", "tx-flow-control": "false", "rx-flow-control": "false"}  # fmt: skip
        rows.append(row | cage(moment, port["name"]))
    return rows


def poe(engine: Engine, request: Request, moment: Moment) -> list[Row]:
    """Power over Ethernet of the chosen ports: watts, volts, milliamperes."""
    return [
        {"name": port["name"], "poe-out": port["poe-out"], "poe-out-status": "waiting-for-load"}
        for port in chosen(engine, request, moment, "/interface/ethernet/poe")
    ]


def radio(engine: Engine, request: Request, moment: Moment) -> list[Row]:
    """The chosen radios."""
    ports = chosen(engine, request, moment, request.menu)
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


def radius(engine: Engine, request: Request, moment: Moment) -> list[Row]:
    """Counters towards each chosen RADIUS server since the boot; in an outage the questions time out."""
    servers = chosen(engine, request, moment, "/radius")
    lost = _lost_seconds(moment) // _RADIUS_SECONDS
    asked = moment.state.uptime_seconds // _RADIUS_SECONDS
    answered = max(asked - lost, 0)
    counts = {
        "pending": 0, "requests": asked, "accepts": answered - answered // 14, "rejects": answered // 14,
        "resends": 2 * lost, "timeouts": lost, "bad-replies": 0,
    }  # fmt: skip
    trip = "0ms" if moment.state.internet_ping_ms is None else f"{moment.state.internet_ping_ms + 20:.0f}ms"
    return [{**{name: str(value) for name, value in counts.items()}, "last-request-rtt": trip} for _ in servers]


def _lost_seconds(moment: Moment) -> int:
    """How long since the boot there was no way to the server."""
    segment, now = moment.router.village.calendar.segment(moment.state.time), moment.state.time
    return int(sum(min(event.end, now) - event.start for event in segment.drops if now - event.start < WINDOW_SECONDS))


def update_check(_: Engine, __: Request, moment: Moment) -> list[Row]:
    """``check-for-updates`` asks the internet and so depends on it."""
    version = moment.profile.version.split(" ", 1)[0]
    row = {"channel": "stable", "installed-version": version}
    if not moment.state.internet_up:
        return [{**row, "status": "ERROR: connecting failed"}]
    newer = "update-known" in moment.profile.features
    status = "New version is available" if newer else "System is already up to date"
    return [{**row, "latest-version": newer_version(moment.profile) if newer else version, "status": status}]


def dialled_line(engine: Engine, request: Request, moment: Moment) -> list[Row]:
    """The chosen PPPoE clients."""
    return [line_status(moment) for _ in chosen(engine, request, moment, "/interface/pppoe-client")]


MONITORS: dict[str, Callable[[Engine, Request, Moment], list[Row]]] = {
    "/interface/ethernet/monitor": ethernet,
    "/interface/ethernet/poe/monitor": poe,
    "/interface/wireless/monitor": radio,
    "/interface/wifi/monitor": radio,
    "/interface/pppoe-client/monitor": dialled_line,
    "/interface/monitor-traffic": traffic,
    "/radius/monitor": radius,
    "/system/package/update/check-for-updates": update_check,
}
