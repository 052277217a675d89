"""A wifi access point behind the router: IF-MIB over SNMP and a small web page.

It hangs on the router's first used LAN port, so it receives what that port sends. The shape is that of
a unit with net-snmp inside; no such unit was recorded.
"""

from collections.abc import Callable
from functools import partial

from kampungnet_sim.camera_doors import Door, http
from kampungnet_sim.chance import generator
from kampungnet_sim.snmp_ber import Oid, counter32, counter64, gauge, integer, object_id, octets, ticks
from kampungnet_sim.snmp_tree import Tree
from kampungnet_sim.village import Village, VillageState

_SYSTEM: Oid = (1, 3, 6, 1, 2, 1, 1)
_IF_NUMBER: Oid = (1, 3, 6, 1, 2, 1, 2, 1, 0)
_IF_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1)
_IFX_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
_NET_SNMP_LINUX: Oid = (1, 3, 6, 1, 4, 1, 8072, 3, 2, 10)
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
Value = Callable[[VillageState], bytes]


def draw_community(seed: int, code: str) -> str:
    """The community of a village's access point."""
    return "".join(generator(seed, code, "access point").choices(_LETTERS, k=14))


def _lan_port(village: Village) -> int:
    return next(n for n, port in enumerate(village.plan) if port.kind == "ether" and port.slave and port.up)


def _bytes(place: int, received: bool, state: VillageState) -> int:
    port = state.interfaces[place]
    # What the router sends the access point receives.
    return port.tx_bytes if received else port.rx_bytes


def access_point_tree(village: Village) -> Tree[VillageState]:
    """All objects of a village's access point: eth0 towards the router, ath0 towards the people."""
    place = _lan_port(village)
    objects: dict[Oid, Value] = {
        (*_SYSTEM, 1, 0): lambda _: octets("Linux AP-DESA 4.4.153 #0 SMP mips"),
        (*_SYSTEM, 2, 0): lambda _: object_id(_NET_SNMP_LINUX),
        (*_SYSTEM, 3, 0): lambda s: ticks(s.time - s.ont_boot_time),
        (*_SYSTEM, 5, 0): lambda _: octets(f"AP {village.profile.name}"),
        _IF_NUMBER: lambda _: integer(2),
    }
    for index, name, kind, inward in ((1, "eth0", 6, True), (2, "ath0", 71, False)):
        receives, sends = partial(_bytes, place, inward), partial(_bytes, place, not inward)
        objects |= _interface(index, name, kind)
        objects[(*_IF_ENTRY, 10, index)] = partial(_encoded, counter32, receives)
        objects[(*_IF_ENTRY, 16, index)] = partial(_encoded, counter32, sends)
        objects[(*_IFX_ENTRY, 6, index)] = partial(_encoded, counter64, receives)
        objects[(*_IFX_ENTRY, 10, index)] = partial(_encoded, counter64, sends)
    return Tree(objects)


def _encoded(encode: Callable[[int], bytes], count: Callable[[VillageState], int], state: VillageState) -> bytes:
    return encode(count(state))


def _interface(index: int, name: str, kind: int) -> dict[Oid, Value]:
    steady = {
        (*_IF_ENTRY, 1): integer(index),
        (*_IF_ENTRY, 2): octets(name),
        (*_IF_ENTRY, 3): integer(kind),
        (*_IF_ENTRY, 5): gauge(100_000_000),
        (*_IF_ENTRY, 7): integer(1),
        (*_IF_ENTRY, 8): integer(1),
        (*_IF_ENTRY, 13): counter32(0),
        (*_IF_ENTRY, 14): counter32(0),
        (*_IF_ENTRY, 19): counter32(0),
        (*_IF_ENTRY, 20): counter32(0),
        (*_IFX_ENTRY, 1): octets(name),
        (*_IFX_ENTRY, 15): gauge(100),
        (*_IFX_ENTRY, 18): octets(""),
        (*_IFX_ENTRY, 19): ticks(0),
    }
    return {(*column, index): partial(_steady, value) for column, value in steady.items()}


def _steady(value: bytes, _: VillageState) -> bytes:
    return value


def web_page(faults: Callable[[], frozenset[str]]) -> Door:
    """Its web page: one that wants a login, as such pages do."""

    async def answer(head: str) -> bytes | None:
        found = head.startswith(("GET / ", "HEAD / "))
        return http("200 OK", b"<html><title>Login</title></html>") if found else http("404 Not Found")

    return Door(answer, faults)
