"""Looks whether free places still are there: the name resolves, and somebody answers at one of its ports.

What fails is believed only when something else answered meanwhile, another place or one that never goes away: else it
is this server's own line that is down. A round ends in time, whatever a resolver or a firewall swallows.
"""

import errno
import queue
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Final

from kampungnet.core import clock, reach
from kampungnet.core.database import Database
from kampungnet.hotspot import garden

AT_ONCE: Final = 10
ANSWER_SECONDS: Final = 3.0
ROUND_SECONDS: Final = 10.0
NO_NAME, NO_ANSWER, NOT_KNOWN = "no-name", "no-answer", garden.NOT_KNOWN
"""What is stored of a look that found something; people read other words."""
MOST_ADDRESSES: Final = 2
CONTROLS: Final = (("example.com", (443, 80)), ("a.root-servers.net", (53,)))
"""Names that IANA and a root server's operator keep up (RFC 2606, RFC 7766)."""

Resolve = Callable[[str], Sequence[str]]
Place = tuple[str, Sequence[int]]


def look_at_all(database: Database, resolve: Resolve | None = None, controls: Sequence[Place] = CONTROLS) -> int:
    """Look at some entries that are due, all at the same time; return how many. Raises ``BadInput`` by a setting."""
    resolve = resolve or partial(_addresses, reach.networks())
    now_ms = clock.now_ms()
    with database.reads() as db:
        due = garden.due(db, now_ms, AT_ONCE)
    if not due:
        return 0
    found = look_at([(host, ports or (80, 443)) for _, _, host, ports in due], resolve)
    line_works = "" in found or "" in look_at(controls, resolve)
    with database.writes() as db:
        for (regency, key, _, _), problem in zip(due, found, strict=True):
            garden.note(db, regency, key, problem if line_works else NOT_KNOWN, now_ms)
    return len(due)


def look_at(places: Sequence[Place], resolve: Resolve) -> list[str]:
    """Return what is wrong with each of some places; one that is not done when the round ends is not known.

    Each has a thread that nobody waits for: what asks a resolver cannot be stopped.
    """
    answers: queue.SimpleQueue[tuple[int, str]] = queue.SimpleQueue()

    def one(number: int, place: Place) -> None:
        answers.put((number, look(*place, resolve)))

    for number, place in enumerate(places):
        threading.Thread(target=one, args=(number, place), name=f"garden-{number}", daemon=True).start()
    found, until = [NOT_KNOWN] * len(places), time.monotonic() + ROUND_SECONDS
    for _ in places:
        try:
            number, problem = answers.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            break
        found[number] = problem
    return found


def look(host: str, ports: Sequence[int], resolve: Resolve) -> str:
    """Return what is wrong with a place, or nothing.

    A name with ``*`` stands for all below it: the name itself and ``www`` below it are tried, and when neither is
    there nobody can say what else is.
    """
    if "*" not in host:
        return _look(host, ports, resolve)
    bare = host.removeprefix("*.")
    works = any(not _look(name, ports, resolve) for name in (f"www.{bare}", bare))
    return "" if works else NOT_KNOWN


def _look(host: str, ports: Sequence[int], resolve: Resolve) -> str:
    try:
        addresses = resolve(host)
    except PermissionError:
        return NOT_KNOWN
    except (OSError, UnicodeError):
        return NO_NAME
    return "" if _answers((address, port) for address in addresses[:MOST_ADDRESSES] for port in ports) else NO_ANSWER


def _addresses(besides: Sequence[reach.Network], host: str) -> list[str]:
    """Return the addresses of a name; hotspots know IPv4 alone (facts on RouterOS 7.6).

    Raises ``PermissionError`` where none is a place for this server to knock at.
    """
    found = {str(one[4][0]) for one in socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)}
    public = sorted(one for one in found if reach.may_reach(one, besides))
    if not public:
        raise PermissionError(f"{host} leads into our own networks")
    return public


def _answers(doors: Iterable[tuple[str, int]]) -> bool:
    """Tell whether somebody answers at one of some addresses and ports; all are tried at the same time."""
    until = time.monotonic() + ANSWER_SECONDS
    with ExitStack() as all_lines, selectors.DefaultSelector() as waiting:
        lines: dict[int, socket.socket] = {}
        for door in doors:
            line = all_lines.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            line.settimeout(0)
            if line.connect_ex(door) not in {0, errno.EINPROGRESS}:  # no way there: its socket would look ready
                continue
            lines[line.fileno()] = line
            waiting.register(line, selectors.EVENT_WRITE)
        while lines and (left := until - time.monotonic()) > 0:
            for key, _ in waiting.select(left):
                if lines.pop(key.fd).getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                    return True
                waiting.unregister(key.fd)
    return False
