"""Pure: what a technician lets the village's router read in once (``/import``), so that the box finds its users there.

Only ``remove [find …]``, ``add`` and ``set``: to read it in twice gives the same. All that it makes is called
``kampungnet…``, and users carry the comment ``kampungnet:kit``. Rights: facts on RouterOS 11; hotspot: 7.6.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kampungnet.shared.kit import KEEPER, POLLER, BoxKit

RIGHTS: Final = {POLLER: "api,read,test", KEEPER: "api,ftp,read,write,test"}
"""Least rights of each user's group (facts on RouterOS 11.1 to 11.3): pages are files, and files need ``ftp`` too."""
RESTARTING: Final = "api,read,reboot,test"
"""Of the user that reads, where it may start the router anew."""
HOTSPOT: Final = "kampungnet"
_PLAIN: Final = re.compile(r"[\w.:/,-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class RouterWish:
    """What else the router gets. Empty: it stays as it is."""

    version: int = 7
    """Major: what sets the clock is named otherwise in 6."""
    ntp: str = ""
    """Name or address of a time server."""
    hotspot_interface: str = ""
    hotspot_address: str = ""
    """The router's own on that interface, where guests get their addresses from already."""
    may_restart: bool = False
    """The box may start the router anew, when an engineer asks for it from afar."""


def script(kit: BoxKit, wish: RouterWish) -> str:
    """Return the file."""
    lines = [
        f"# KampungNet: router desa {_comment(kit.village_name)} ({kit.village}).",
        "# Berisi kata sandi: hapus berkas ini dari router dan komputer sesudah dijalankan.",
        *_users(kit, may_restart=wish.may_restart),
        _line("/ip service", "set", "api", address=f"{kit.box_address}/32", disabled="no"),
        *_clock(wish),
        *_hotspot(wish),
    ]
    return "\n".join([*lines, ""])


def _users(kit: BoxKit, *, may_restart: bool) -> Iterator[str]:
    rights = RIGHTS | ({POLLER: RESTARTING} if may_restart else {})
    passwords = {POLLER: kit.poller_password, KEEPER: kit.keeper_password}
    for name in passwords:
        yield _remove("/user", name)
        yield _remove("/user group", name)
    for name, password in passwords.items():
        yield _line("/user group", "add", name=name, policy=rights[name])
        yield _line(
            "/user", "add", name=name, group=name, address=f"{kit.box_address}/32", password=password,
            comment=f"kampungnet:kit {kit.village}",
        )  # fmt: skip


def _clock(wish: RouterWish) -> Iterator[str]:
    if wish.ntp:
        named = {"servers": wish.ntp} if wish.version >= 7 else {"server-dns-names": wish.ntp}
        yield _line("/system ntp client", "set", enabled="yes", **named)


def _hotspot(wish: RouterWish) -> Iterator[str]:
    if not wish.hotspot_interface:
        return
    yield _remove("/ip hotspot", HOTSPOT)
    yield _remove("/ip hotspot profile", HOTSPOT)
    own = {"hotspot-address": wish.hotspot_address, "dns-name": "wifi.desa", "login-by": "cookie,http-chap,http-pap"}
    yield _line("/ip hotspot profile", "add", name=HOTSPOT, **own)
    server = {"interface": wish.hotspot_interface, "address-pool": "none", "profile": HOTSPOT, "disabled": "no"}
    yield _line("/ip hotspot", "add", name=HOTSPOT, **server)


def _line(menu: str, verb: str, *which: str, **values: str) -> str:
    return " ".join([menu, verb, *which, *(f"{name}={_value(value)}" for name, value in values.items())])


def _remove(menu: str, name: str) -> str:
    return f'{menu} remove [find name="{name}"]'


def _value(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    return '"' + re.sub(r'([\\"$])', r"\\\1", _comment(text)) + '"'


def _comment(text: str) -> str:
    """Return text that stays on its line."""
    return "".join(sign if sign.isprintable() else " " for sign in text)
