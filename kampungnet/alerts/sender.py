"""Sends parcels through apprise: a program of its own, started for each round of sending.

Apprise brings a hundred services and 46 MB: this way they never live in the server, whatever hangs is ended with the
process, and the addresses, which are secrets, come and go by pipes: they stand in no argument, environment or log.
"""

import json
import logging
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from kampungnet.alerts.cutting import cut
from kampungnet.core import reach

SECONDS: Final = 120
"""For a whole round. Apprise itself gives up a connection after 4 s and an answer after 4 s, for mail after 15 s."""
LONGEST: Final = 4096
"""Of Telegram; whoever takes less says so itself."""
LOCAL: Final = frozenset(
    "blink1 dbus gio glib gnome growl kde macosx qt rsyslog syslog windows".split()
)  # fmt: skip
"""Services of apprise that write to this machine or its neighbours, and tell nobody."""
_CONNECTIONS: Final = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_STATUS: Final = re.compile(r"error=(\d{3})\b")


@dataclass(frozen=True, slots=True)
class Parcel:
    """A text and where it goes."""

    address: str
    text: str

    def __repr__(self) -> str:
        """Return nothing of the address: it is a secret."""
        return "Parcel(…)"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of it."""

    sent: bool
    problem: str = ""
    """A key of :data:`kampungnet.alerts.outbox.PROBLEMS`."""


def send(parcels: Sequence[Parcel], seconds: float = SECONDS) -> list[Result]:
    """Send parcels in a process of their own; return what became of each. Raises ``BadInput`` by a setting."""
    reach.networks()
    order = json.dumps([asdict(one) for one in parcels])
    command = [sys.executable, "-m", "kampungnet.alerts.sender"]
    with subprocess.Popen(  # noqa: S603 -- our own module, and no argument comes from outside
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            told, _ = process.communicate(order, seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            told, _ = process.communicate()
    found = [Result(**json.loads(line)) for line in told.splitlines() if line.endswith("}")]
    return [*found, *([Result(sent=False, problem="slow")] * (len(parcels) - len(found)))]


def service_of(address: str) -> str:
    """Return what an address begins with, in small letters: ``tgram``; empty when it is no address."""
    found = re.fullmatch(r"\s*([A-Za-z][A-Za-z0-9+.-]{0,30})://\S+\s*", address)
    return found[1].lower() if found else ""


class _Fence:
    """Hears each connection before it is made, whichever library makes it, and ends those that lead to our own nets."""

    stopped = False

    def __init__(self, besides: Sequence[reach.Network]) -> None:
        self._besides = besides
        sys.addaudithook(self._hear)

    def _hear(self, event: str, details: tuple[Any, ...]) -> None:
        if event not in _CONNECTIONS or details[1] is None:  # None: over a connection that was judged
            return
        address = details[1]
        if not isinstance(address, tuple) or not reach.may_reach(str(address[0]), self._besides):
            self.stopped = True
            raise PermissionError("this server may not connect there")


class _Listener(logging.Handler):
    """Hears what apprise says of a failure, and keeps nothing of it but the status."""

    status = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Look at one line of the log."""
        found = _STATUS.search(record.getMessage())
        if found:
            self.status = found[1]


def _send_one(parcel: Parcel, fence: _Fence) -> Result:
    import apprise  # noqa: PLC0415 -- only this process pays for it

    listener = _Listener()
    logger = logging.getLogger("apprise")
    logger.handlers, logger.propagate = [listener], False
    target = None
    if service_of(parcel.address) not in {"", *LOCAL}:
        target = apprise.Apprise.instantiate(parcel.address.strip(), suppress_exceptions=True)
    if not isinstance(target, apprise.NotifyBase):
        return Result(sent=False, problem="address")
    # The secret is in the address: it goes where it was typed for, even when the address itself says redirect=yes.
    target.redirects = False
    title, _, body = cut(parcel.text, min(LONGEST, target.body_maxlen)).partition("\n")
    if not body:
        title, body = "", title
    hub = apprise.Apprise()
    hub.add(target)
    fence.stopped = False
    sent = hub.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT, interpret_escapes=False)
    if sent:
        return Result(sent=True)
    if fence.stopped:
        return Result(sent=False, problem="inside")
    return Result(sent=False, problem="refused" if listener.status else "unreachable")


def main() -> None:
    """Read parcels, send each, say what became of it at once: who ends us knows what went out."""
    fence = _Fence(reach.networks())
    for one in json.load(sys.stdin):
        sys.stdout.write(json.dumps(asdict(_send_one(Parcel(**one), fence))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
