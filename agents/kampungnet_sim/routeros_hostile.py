"""Answers no honest router gives: lists of a hundred thousand rows or without end, a word of 64 MB.

They are made as they are sent, so that the simulator stays small however much the client takes.
"""

import asyncio
from collections.abc import AsyncIterator
from itertools import count, islice

from kampungnet_sim.routeros_engine import Engine
from kampungnet_sim.routeros_menu import Menu
from kampungnet_sim.routeros_request import Frame, Request, attribute
from kampungnet_sim.routeros_router import Moment
from kampungnet_sim.routeros_tables import Row
from kampungnet_sim.routeros_wire import encode_length, encode_word

HUGE_ROWS = 100_000
HUGE_WORD_BYTES = 64 * 1024 * 1024
SLOW_MENU_SECONDS = 20.0
_CHUNK_ROWS = 400
_CHUNK_BYTES = 64 * 1024
# What must differ from row to row; the rest of a row is encoded once.
_OWN = (".id", "mac-address", "name", "user", "active-mac-address", "host", "interface")
# Lists that grow with the number of people; the honest ``huge_tables`` grows these alone.
_OF_PEOPLE = frozenset(
    {
        "/ip/hotspot/host", "/ip/hotspot/active", "/ip/hotspot/user", "/ip/hotspot/cookie", "/ip/dhcp-server/lease",
        "/ip/arp", "/log", "/queue/simple", "/interface/wireless/registration-table",
        "/interface/wifi/registration-table", "/interface/wifiwave2/registration-table",
        "/caps-man/registration-table",
    }
)  # fmt: skip
_SLOW = ("/ip/firewall/", "/ip/hotspot/user", "/log")


class _Template:
    """One row, its constant part encoded once."""

    def __init__(self, row: Row, proplist: tuple[str, ...]) -> None:
        shown = {name: row[name] for name in proplist if name in row} if proplist else row
        self._fixed = b"".join([attribute(name, value) for name, value in shown.items() if name not in _OWN])
        self._own = [(name, value) for name, value in shown.items() if name in _OWN]

    def body(self, number: int) -> bytes:
        """The words of copy ``number``."""
        own = [encode_word(f"={name}={_other(name, value, number)}") for name, value in self._own]
        return b"".join(own) + self._fixed


def _other(name: str, value: str, number: int) -> str:
    if name == ".id":
        return f"*{number + 0x10000:X}"
    if name.endswith("mac-address"):
        return f"D6:{number >> 24 & 255:02X}:{number >> 16 & 255:02X}:{number >> 8 & 255:02X}:{number & 255:02X}:00"
    return f"{value}-{number}"


def is_huge(faults: frozenset[str], menu: str) -> bool:
    """Does this list have far too many rows now?"""
    return "endless_table" in faults or ("huge_tables" in faults and menu in _OF_PEOPLE)


def is_slow(faults: frozenset[str], menu: str) -> bool:
    """Is this one of the menus that take long, as after some upgrades (facts, 13.1)?"""
    return "slow_menus" in faults and menu.startswith(_SLOW)


async def huge_table(
    engine: Engine, menu: Menu, request: Request, frame: Frame, moment: Moment
) -> AsyncIterator[bytes]:
    """The rows of a list, over and over under other names; without end when the fault says so."""
    endless = "endless_table" in engine.router.faults()
    rows = engine.rows(menu, request, moment)
    if not rows or ".id" not in rows[0]:
        # One-row menus stay what they are, and what is not there is no longer by being repeated.
        yield engine.answer(request, frame, rows)
        return
    templates = [_Template(row, request.proplist) for row in rows[:16]]
    numbers = count() if endless else iter(range(HUGE_ROWS))
    while chunk := list(islice(numbers, _CHUNK_ROWS)):
        yield frame.rows([templates[number % len(templates)].body(number) for number in chunk])
        await asyncio.sleep(0)
    yield frame.done()


async def huge_word(frame: Frame) -> AsyncIterator[bytes]:
    """One row with one word of 64 MB in it."""
    head = b"=comment="
    yield b"\x03!re" + encode_length(HUGE_WORD_BYTES) + head
    left = HUGE_WORD_BYTES - len(head)
    while left > 0:
        size = min(left, _CHUNK_BYTES)
        yield b"x" * size
        left -= size
        await asyncio.sleep(0)
    yield b"\x00" + frame.done()
