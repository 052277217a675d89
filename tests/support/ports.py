"""Loopback ports for the real servers that tests start."""

import itertools
import os
import random
import socket
from typing import Final

FIRST, END = 24_000, 32_768
"""Below those that Linux gives to whoever asks for any port (ip(7)): between our look and the server's own bind nobody
gets one of these by chance."""
WORKERS: Final = 4
_WORKER: Final = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
_PORTS: Final = range(FIRST + _WORKER, END, WORKERS)
"""Of this worker alone: the others, which run beside it, take theirs from other ones."""
_turns: Final = itertools.count(random.randrange(len(_PORTS)))


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return a port nobody listens on, and another one each time; `kind=socket.SOCK_DGRAM` for UDP."""
    for _ in _PORTS:
        port = _PORTS[next(_turns) % len(_PORTS)]
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port of this worker is free")
