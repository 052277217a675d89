"""A service manager as systemd is one towards a service: a datagram socket that hears how it is."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE_SECONDS = 60.0


class Manager:
    """Hears what services tell."""

    def __init__(self, line: socket.socket, place: str) -> None:
        self._line, self._place = line, place

    def environment(self, watchdog_seconds: float = 0) -> dict[str, str]:
        """Return what a service is started with."""
        waits = {"WATCHDOG_USEC": str(round(watchdog_seconds * 1_000_000))} if watchdog_seconds else {}
        return {**os.environ, "NOTIFY_SOCKET": self._place, **waits}

    def hears(self, wanted: str) -> list[str]:
        """Wait for one message, and return those that came before it."""
        before: list[str] = []
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            self._line.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                said = self._line.recv(4096).decode()
            except TimeoutError:
                raise AssertionError(f"{wanted} was not told, but {before}") from None
            if said == wanted:
                return before
            before.append(said)

    def is_left_in_silence(self, seconds: float) -> bool:
        """Wait until nothing was told for so long; ``False`` when somebody goes on and on."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        self._line.settimeout(seconds)
        while time.monotonic() < deadline:
            try:
                self._line.recv(4096)
            except TimeoutError:
                return True
        return False


@contextmanager
def service_manager(folder: Path, *, abstract: bool = False) -> Iterator[Manager]:
    """Listen until the block ends, by a name in a folder or by one that the kernel alone knows."""
    place = f"@kampungnet-{os.getpid()}-{folder.name}" if abstract else str(folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(f"\0{place[1:]}" if abstract else place)
        yield Manager(line, place)
