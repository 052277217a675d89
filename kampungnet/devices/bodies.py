"""Pure: what the newest body of a device says about itself, whichever kind it is."""

import re
from typing import Final

import msgspec

from kampungnet.shared import wire

ONU_DEVICE: Final = "ont@olt"
"""Name of a village's ONT as an OLT sees it, a second one is ``ont@olt-2``: no box can call a device so."""
SETTINGS: Final = "config"
"""Kind of what a box calls a device and is only a router's settings, read every few hours."""
_ONU_MARK: Final = "ont@"
_PORT_KIND: Final = "ether"
_SEPARATORS: Final = re.compile(r"[\s:.,\-]")
_HEX_16: Final = re.compile(r"[0-9A-F]{16}")
_SERIAL: Final = re.compile(r"[A-Z0-9]{4}[0-9A-F]{8}")


class OnuSeen(wire.Part, frozen=True, omit_defaults=True, tag_field="kind", tag="onu"):
    """A village's ONT as the newest reading of an OLT has it. Kept by the server; it never travels."""

    onu: wire.Onu
    olt_model: str = ""
    grade: wire.Grade | None = None


Body = wire.Body | OnuSeen
_BODY: Final = msgspec.json.Decoder(Body)


def decoded(body: bytes) -> Body:
    """Return a body as it was stored."""
    found: Body = _BODY.decode(body)
    return found


def spelled(serial: str) -> str:
    """Return a serial number in its one spelling, or nothing when it is none.

    Twelve capitals and digits: maker and eight hexadecimal digits (GPON), or a MAC address (EPON). Some devices
    write the maker in hexadecimal too, or the parts with marks between them.
    """
    plain = _SEPARATORS.sub("", serial).upper()
    if _HEX_16.fullmatch(plain):
        maker = bytes.fromhex(plain[:8]).decode("latin-1")
        plain = maker.upper() + plain[8:] if maker.isascii() and maker.isalnum() else plain
    return plain if _SERIAL.fullmatch(plain) else ""


def is_onu(device: str) -> bool:
    """Tell by a device's name whether an OLT sees it, and not a box in the village."""
    return device.startswith(_ONU_MARK)


def kind_of(body: Body) -> str:
    """Return ``router``, ``portal``, ``config``, ``ont``, ``olt``, ``camera``, ``access_point`` or ``other``."""
    if isinstance(body, wire.HostBody):
        return body.purpose.value
    if isinstance(body, wire.RouterBody):
        return "router"
    if isinstance(body, wire.PortalBody):
        return "portal"
    if isinstance(body, wire.ConfigBody):
        return SETTINGS
    return "olt" if isinstance(body, wire.OltBody) else "ont"


def model_of(body: Body) -> str:
    """Return what a device calls itself: its model, or its board where RouterOS runs on other hardware."""
    if isinstance(body, OnuSeen | wire.PortalBody):
        return ""
    return body.model or (body.board if isinstance(body, wire.RouterBody) else "")


def version_of(body: Body) -> str:
    """Return the version a device runs, as it writes it."""
    return "" if isinstance(body, OnuSeen | wire.PortalBody) else body.version


def grade_of(body: Body | None) -> wire.Grade | None:
    """Return how much stands behind the reading of this model, where its driver says so."""
    return body.grade if isinstance(body, wire.OntBody | wire.OltBody | OnuSeen) else None


def internet_up(body: wire.RouterBody) -> bool | None:
    """Say whether the router's ping to the internet came back; ``None`` when it could not ask."""
    for ping in body.pings:
        if ping.target == "internet" and ping.sent:
            return ping.received > 0
    return None


def onu_up(state: wire.OnuState) -> bool | None:
    """Say whether an ONU is at work; ``None`` when the OLT does not know."""
    return None if state is wire.OnuState.UNKNOWN else state is wire.OnuState.ONLINE


def wan_light(body: wire.RouterBody) -> wire.Light | None:
    """Return the module that carries the village's line, if a module of the router does.

    That is the one in the WAN port; behind a PPPoE client or a VLAN, whose port no reading names, the only one.
    """
    told = [light for light in body.lights if light.rx_power_dbm is not None or light.no_light]
    if not told:
        return None
    wan = body.wan_interface or body.default_interface
    for light in told:
        if light.port in {wan, body.default_interface}:
            return light
    is_port = any(one.interface == wan and one.kind == _PORT_KIND for one in body.interfaces)
    return told[0] if len(told) == 1 and not is_port else None


def light_of(body: Body) -> tuple[float | None, bool]:
    """Return the light the village's line receives at this device in dBm, and whether it measures darkness."""
    light: wire.Light | wire.OntBody | wire.Onu | None = None
    if isinstance(body, wire.RouterBody):
        light = wan_light(body)
    elif isinstance(body, wire.OntBody):
        light = body
    elif isinstance(body, OnuSeen):
        light = body.onu
    return (None, False) if light is None else (light.rx_power_dbm, light.no_light)
