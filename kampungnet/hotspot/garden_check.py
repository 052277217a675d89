"""Looks whether free places still are there: the name resolves, and somebody answers at one of its ports."""

import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.hotspot import garden

AT_ONCE: Final = 10
ANSWER_SECONDS: Final = 3.0
NO_NAME, NO_ANSWER = "no-name", "no-answer"
"""What is stored of a look that found something; people read other words."""

Resolve = Callable[[str], Sequence[str]]


def look_at_all(database: Database, resolve: Resolve | None = None) -> int:
    """Look at some entries that are due, all at the same time; return how many."""
    now_ms = clock.now_ms()
    with database.reads() as db:
        due = garden.due(db, now_ms, AT_ONCE)
    if not due:
        return 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(lambda one: look(one[2], one[3] or [80, 443], resolve), due))
    with database.writes() as db:
        for (regency, key, _, _), problem in zip(due, found, strict=True):
            garden.note(db, regency, key, problem, now_ms)
    return len(due)


def look(host: str, ports: Sequence[int], resolve: Resolve | None = None) -> str:
    """Return what is wrong with a place, or nothing; a name with ``*`` stands for many and is not looked at."""
    if "*" in host:
        return ""
    try:
        addresses = (resolve or _addresses)(host)
    except (OSError, UnicodeError):
        return NO_NAME
    return "" if any(_answers(address, port) for address in addresses[:2] for port in ports) else NO_ANSWER


def _addresses(host: str) -> list[str]:
    """Return the addresses of a name; hotspots know IPv4 alone (facts on RouterOS 7.6)."""
    found = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
    return sorted({str(one[4][0]) for one in found})


def _answers(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=ANSWER_SECONDS):
            return True
    except OSError:
        return False
