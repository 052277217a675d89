"""The ports of a router or ONT, and how the village's traffic shows on each of them."""

from dataclasses import dataclass
from typing import NamedTuple

from kampungnet_sim.models import OntModel, RouterModel

COUNTER_MODULUS = 1 << 64
DIALLED = "pppoe-out1"
# Mean size of a frame in bytes; downloads are mostly full frames, uploads mostly small ones.
_DOWN_FRAME = 1_020
_UP_FRAME = 260


class Volume(NamedTuple):
    """Bytes since boot, and the seconds since boot for what trickles all the time."""

    down: float
    up: float
    seconds: float


@dataclass(frozen=True, slots=True)
class InterfacePlan:
    """One port: its share of the village's download and upload, and its constant chatter.

    ``rx_down`` is the share of the download this port *receives*: all of it on the WAN port,
    none on a LAN port, which sends it (facts/routeros.md, section 8).
    """

    name: str
    kind: str
    rx_down: float = 0.0
    rx_up: float = 0.0
    tx_down: float = 0.0
    tx_up: float = 0.0
    chatter_bps: float = 0.0
    slave: bool = False
    up: bool = True


class InterfaceCounters(NamedTuple):
    """Cumulative counters of one port since boot."""

    name: str
    kind: str
    running: bool
    rx_bytes: int
    tx_bytes: int
    rx_packets: int
    tx_packets: int
    link_downs: int


def _router_plan(model: RouterModel, dialled: bool) -> tuple[InterfacePlan, ...]:
    wan = model.wan_interface
    ports = [InterfacePlan(wan, "ether", rx_down=1, tx_up=1, chatter_bps=90)]
    if dialled:
        # What PPPoE adds to a frame is on the port below, not here.
        ports.append(InterfacePlan(DIALLED, "pppoe-out", rx_down=0.995, tx_up=0.97, chatter_bps=15))
    names = [f"ether{n}" for n in range(1, model.ethernet_ports + 1) if f"ether{n}" != wan]
    shares = (0.26, 0.04, 0.0, 0.0, 0.0)
    for name, share in zip(names, shares, strict=False):
        used = share > 0
        ports.append(
            InterfacePlan(
                name, "ether", rx_up=share, tx_down=share,
                chatter_bps=60 if used else 0, slave=True, up=used,
            )
        )  # fmt: skip
    if model.empty_cage:
        ports.append(InterfacePlan(model.empty_cage, "ether", up=False))
    radio = {"wireless": ("wlan1", "wlan"), "wifi": ("wifi1", "wifi"), "none": None}[model.wireless]
    if radio is not None:
        ports.append(InterfacePlan(radio[0], radio[1], rx_up=0.7, tx_down=0.7, chatter_bps=900, slave=True))
    ports += [
        InterfacePlan("bridge-kantor", "bridge", rx_up=0.29, tx_down=0.29, chatter_bps=40),
        InterfacePlan("bridge-hotspot", "bridge", rx_up=0.69, tx_down=0.69, chatter_bps=300),
        InterfacePlan("vlan20-hotspot", "vlan", rx_up=0.69, tx_down=0.69, chatter_bps=30),
        InterfacePlan("vlan30-cctv", "vlan", rx_up=0.02, tx_down=0.01, chatter_bps=50),
        InterfacePlan("l2tp-kominfo", "l2tp-out", rx_down=0.002, tx_up=0.01, chatter_bps=20),
        InterfacePlan("vlan10-kantor", "vlan", rx_up=0.27, tx_down=0.27, chatter_bps=10),
        InterfacePlan("lo", "loopback"),
    ]
    return tuple(ports[:11])


def _ont_plan(model: OntModel) -> tuple[InterfacePlan, ...]:
    if model.kind == "hsgq":
        # The recorded unit calls its module FXE01; index 16777472 and so on.
        return (
            InterfacePlan("FXE01", "pon", rx_down=1.01, tx_up=1.01, chatter_bps=120),
            InterfacePlan("FE1", "ether", rx_up=1, tx_down=1, chatter_bps=90),
            InterfacePlan("FE2", "ether", up=False),
        )
    return (
        InterfacePlan("wan-0", "pon", rx_down=1.01, tx_up=1.01, chatter_bps=120),
        InterfacePlan("eth-0", "ether", rx_up=1, tx_down=1, chatter_bps=90),
        InterfacePlan("eth-1", "ether", up=False),
        InterfacePlan("loop-0", "other"),
    )


def plan_interfaces(model: RouterModel | OntModel, *, dialled: bool = False) -> tuple[InterfacePlan, ...]:
    """The ports of a device; a router has 11 of them. ``dialled``: its line is PPPoE."""
    return _router_plan(model, dialled) if isinstance(model, RouterModel) else _ont_plan(model)


def counters(
    plan: tuple[InterfacePlan, ...], volume: Volume, wan_up: bool, downs: int = 0
) -> tuple[InterfaceCounters, ...]:
    """Counters of all ports for one volume; ``downs`` is how often the line fell since the boot."""
    down, up, seconds = volume
    rows = []
    for port in plan:
        if not port.up:  # nothing ever went through it
            rows.append(InterfaceCounters(port.name, port.kind, port.up, 0, 0, 0, 0, 0))
            continue
        chatter = port.chatter_bps * seconds
        rx_down, rx_up = port.rx_down * down, port.rx_up * up
        tx_down, tx_up = port.tx_down * down, port.tx_up * up
        is_wan = port.rx_down >= 0.9
        rows.append(
            InterfaceCounters(
                port.name,
                port.kind,
                wan_up or not is_wan,
                int(rx_down + rx_up + chatter),
                int(tx_down + tx_up + chatter * 0.7),
                int(rx_down / _DOWN_FRAME + rx_up / _UP_FRAME + chatter / 90),
                int(tx_down / _DOWN_FRAME + tx_up / _UP_FRAME + chatter / 120),
                # Once the link comes up late: the ONT starts with the router.
                1 + downs if is_wan else 0,
            )
        )
    return tuple(rows)
