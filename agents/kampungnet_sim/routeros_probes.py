"""``/ping`` and ``/resolve``: what the router itself can reach (facts/routeros.md, 7.11)."""

from collections.abc import AsyncIterator

from kampungnet_sim.chance import key_of, unit
from kampungnet_sim.routeros_engine import Engine
from kampungnet_sim.routeros_menus_ip import GATEWAY
from kampungnet_sim.routeros_request import Request
from kampungnet_sim.routeros_tables import RouterTrap, Row
from kampungnet_sim.routeros_values import read_seconds, short_duration
from kampungnet_sim.wait import Sleep

_LOCAL = ("127.", "192.168.", "10.5.")
# The fault ``lossy_line`` takes so many of a hundred probes to the internet.
LOSSY_PERCENT = 30
# How long the resolver waits for its servers; then it says so (the text is (unconfirmed)).
_RESOLVER_SECONDS = 3.0
_JITTER_MS = 0.4


def _trip_ms(engine: Engine, address: str, probe: int) -> float | None:
    """Milliseconds there and back, None for a probe that is lost."""
    router = engine.router
    state = router.village.state_at(router.clock())
    if address.startswith(_LOCAL):
        return 0.2
    chance = key_of(router.profile.code, "ping")
    jitter = _JITTER_MS * unit(chance ^ 1, probe)
    if address == GATEWAY:
        return None if state.gateway_ping_ms is None else state.gateway_ping_ms + jitter
    lossy = LOSSY_PERCENT if "lossy_line" in router.faults() else 0
    if unit(chance, probe) * 100 < max(state.packet_loss_percent, lossy):
        return None
    return None if state.internet_ping_ms is None else state.internet_ping_ms + jitter


def _count_of(request: Request) -> int:
    wanted = request.arguments.get("count", "")
    if wanted and not wanted.isdecimal():
        raise RouterTrap("invalid value for argument count", 1)
    return int(wanted or 1 << 62)


async def ping(engine: Engine, request: Request, sleep: Sleep, *, instant: bool) -> AsyncIterator[list[Row]]:
    """One row for each probe; a lost one says ``timeout`` when the next is due."""
    address = request.arguments.get("address", "")
    if not address:
        raise RouterTrap("missing value(s) of argument(s) address", 1)
    count, size = _count_of(request), request.arguments.get("size", "56")
    interval = min(max(read_seconds(request.arguments.get("interval", ""), 1.0), 0.01), 5.0)
    version = engine.router.version
    times: list[float] = []
    seq = 0
    while seq < count:
        # Probes of one second share nothing: several commands at once are several probes.
        engine.router.probes += 1
        trip = _trip_ms(engine, address, engine.router.probes)
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


async def resolve(engine: Engine, request: Request, sleep: Sleep, *, instant: bool) -> str:
    """The address of a name, by the router's own resolver. Raises RouterTrap when there is none."""
    name = request.arguments.get("domain-name", "")
    if not name:
        raise RouterTrap("missing value(s) of argument(s) domain-name", 1)
    state = engine.router.village.state_at(engine.router.clock())
    if not state.internet_up or "dns_outage" in engine.router.faults():
        if not instant:
            await sleep(_RESOLVER_SECONDS)
        raise RouterTrap("failure: dns server failure")
    if not instant:
        await sleep((state.internet_ping_ms or 20.0) / 1000)
    # RFC 6761: names below "invalid" never exist.
    if name == "invalid" or name.endswith(".invalid"):
        raise RouterTrap("failure: dns name does not exist")
    number = key_of("address of", name)
    return f"198.51.100.{number % 254 + 1}"
