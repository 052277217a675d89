"""``kampungnet kit``: everything that has to be taken along to a village."""

import argparse
import ipaddress
import re
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from kampungnet.core import clock
from kampungnet.core.address import ADDRESS, public_address
from kampungnet.core.commands import Add, open_database
from kampungnet.core.errors import BadInput
from kampungnet.devices import kit
from kampungnet.devices.kit_router import RouterWish
from kampungnet.staff import audit
from kampungnet.villages import service as villages

_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,60}")
_PORTED: Final = re.compile(r"[A-Za-z0-9.-]{1,100}(:\d{1,5})?")


def add_commands(add: Add) -> None:
    """Add the commands of this slice."""
    one = add("kit", _kit)
    one.add_argument("--village", required=True, help="Kemendagri code, for example 35.10.15.2012")
    one.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="where the three files go")
    one.add_argument("--server", help=f"address of this server as boxes reach it (default: ${ADDRESS})")
    one.add_argument("--ca-file", type=Path, help="PEM: the box believes the server by this authority alone")
    one.add_argument("--box-address", default="192.168.88.5", help="the box's address at the router, which answers the "
                     "box's users from there alone (default: %(default)s)")  # fmt: skip
    one.add_argument(
        "--router", default="", help="host:port of the router's API (default: where the box's way out leads)"
    )
    one.add_argument("--wan-interface", default="ether1", help="the one bandwidth is billed on (default: %(default)s)")
    one.add_argument("--routeros", type=int, choices=[6, 7], default=7, help="major version (default: %(default)s)")
    one.add_argument("--ntp", default="", help="time server the router is to ask (default: it stays as it is)")
    one.add_argument("--hotspot-interface", default="", help="make a hotspot on it, where guests get addresses already "
                     "(default: the router has one)")  # fmt: skip
    one.add_argument("--hotspot-address", default="", help="the router's own address on that interface")
    one.add_argument("--may-restart", action="store_true", help="the box may restart the router, when an engineer asks "
                     "for it (default: it may not)")  # fmt: skip
    one.add_argument("--replace", action="store_true", help="a box works there already: this one takes its place")


def _kit(options: argparse.Namespace) -> None:
    wish = kit.Wish(
        _server(options.server or public_address()), _address(options.box_address, "--box-address"),
        _certificate(options.ca_file), _fitting(options.router, _PORTED, "--router"),
        _fitting(options.wan_interface, _NAME, "--wan-interface"), options.replace,
    )  # fmt: skip
    router = _router(options)
    now_ms = clock.now_ms()
    with closing(open_database(options)) as database, database.writes() as db:
        village = villages.village(db, options.village)
        by = audit.on_the_server(db, village.regency)
        # Within the transaction: where a file cannot be written there is no code either.
        files = kit.write(options.output, kit.make(db, by, village, wish, now_ms), router, now_ms)
        name = village.name
    print(f"The kit of {name} ({options.village}); its code opens the door once, within 14 days:")
    for file in files:
        print(f"  {file}")
    print("The .kit and the .rsc hold secrets that are nowhere else: take them along, then delete them.")


def _router(options: argparse.Namespace) -> RouterWish:
    interface = _fitting(options.hotspot_interface, _NAME, "--hotspot-interface")
    if bool(interface) != bool(options.hotspot_address):
        raise BadInput("A hotspot needs both: --hotspot-interface and --hotspot-address.")
    address = _address(options.hotspot_address, "--hotspot-address") if interface else ""
    return RouterWish(options.routeros, _fitting(options.ntp, _NAME, "--ntp"), interface, address, options.may_restart)


def _server(url: str | None) -> str:
    parts = urlsplit((url or "").rstrip("/"))
    if not url or not parts.hostname or parts.path or parts.query or parts.username:
        raise BadInput(
            f"How do boxes reach this server? Give --server or set {ADDRESS}: scheme, host and port, like "
            "https://kampungnet.example.go.id."
        )
    if parts.scheme != "https" and not _is_here(parts.hostname):
        raise BadInput(f"{url} is not encrypted: a box reports by https only.")
    return url.rstrip("/")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _address(text: str, option: str) -> str:
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise BadInput(f"{option} {text} is no address: write it like 192.168.88.5.") from None


def _fitting(text: str, pattern: re.Pattern[str], option: str) -> str:
    if text and not pattern.fullmatch(text):
        raise BadInput(f"{option} {text} cannot be: letters, digits, dot and dash.")
    return text


def _certificate(path: Path | None) -> str:
    if path is None:
        return ""
    text = path.read_text(encoding="ascii", errors="replace")
    if "-----BEGIN CERTIFICATE-----" not in text or "PRIVATE KEY" in text:
        raise BadInput(f"{path} is no certificate alone (PEM): a key must not travel.")
    return text
