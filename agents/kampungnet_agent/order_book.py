"""Orders this box took, on its disk before anything is done. What was begun once is not begun again.

Orders are rare and few: they are one small file, written whole at every step, with a seal over all of its bytes, so
that nothing a card does to it goes unseen. Every call reads it anew. One that cannot be read is set aside, and what
stood in it is never done: the server goes on to name a mark that nobody has.
"""

import contextlib
import enum
import errno
import hashlib
import logging
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from kampungnet.shared import wire
from kampungnet.shared.orders import OrderState, OrderTold, Why
from kampungnet_agent.safe_file import replace_file
from kampungnet_agent.spool_file import set_aside

log = logging.getLogger(__name__)

MOST_KEPT: Final = 200
"""Orders that ended and were told; a server that names an older one again has another mark for it."""
MAX_BOOK_BYTES: Final = 32_000_000
"""Far more than the few bundles that can wait in it; a file that grew over this is none of ours."""

_OLDER: Final = b"SQLite format 3\0"
"""How a book of before begins: it was a database."""


class BookError(Exception):
    """The book cannot do its work now (read-only disk, no rights, no room); ``str(error)`` is one sentence."""


class Step(enum.StrEnum):
    """How far an order has come on this box."""

    TAKEN = "taken"
    BEGUN = "begun"
    """From here on nothing is sent to the device any more, whatever happens."""
    ENDED = "ended"
    """It has an ending, which the server does not have yet."""
    TOLD = "told"


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One order as it stands on the disk."""

    id: str
    kind: str
    """As :class:`kampungnet.shared.orders.OrderKind`, or what a server asks that knows more than this box."""
    device: str
    mark: str
    boot_id: str
    """Of the box, when it took the order: the time to begin ends with it."""
    step: Step = Step.TAKEN
    begun_ms: int = 0
    """``CLOCK_BOOTTIME`` when the device was about to be asked."""
    uptime_seconds: int = 0
    """Of the device, just before."""
    sent: bool = False
    """The device was asked, and did not say no."""
    ending: OrderTold | None = None

    def told(self) -> OrderTold:
        """Return what is to be said of it."""
        return self.ending or OrderTold(self.id, self.mark, OrderState.TAKEN)

    def ended(self, state: OrderState, why: Why = Why.NOTHING, **more: object) -> "Entry":
        """Return it with an ending."""
        ending = msgspec.structs.replace(OrderTold(self.id, self.mark, state, why), **more)
        return msgspec.structs.replace(self, step=Step.ENDED, ending=ending)


class OrderBook:
    """The file. What a call writes is on the disk when it returns. Every call raises :class:`BookError`."""

    def __init__(self, path: Path) -> None:
        """Name the file; it is made with the first order."""
        self._path = path
        self.lost = 0
        """How many books were damaged, and set aside, since this agent started."""

    def open_entries(self) -> list[Entry]:
        """Return what the server does not know the end of, oldest first."""
        return [one for one in self._read() if one.step is not Step.TOLD]

    def knows(self, order: str) -> bool:
        """Tell whether an order was ever taken here, as far as is kept."""
        return any(one.id == order for one in self._read())

    def write(self, entry: Entry) -> None:
        """Keep an order as it stands now."""
        self._keep(entry)

    def forget(self, entries: list[Entry]) -> None:
        """Note that the server has these endings; of the oldest not even the number is kept for ever."""
        self._keep(*(msgspec.structs.replace(one, step=Step.TOLD, ending=None) for one in entries))

    def _keep(self, *changed: Entry) -> None:
        entries = {one.id: one for one in (*self._read(), *changed)}
        told = [one.id for one in entries.values() if one.step is Step.TOLD]
        for old in told[:-MOST_KEPT]:
            del entries[old]
        with self._errors_become_ours():
            replace_file(self._path, _sealed(list(entries.values())), 0o600)

    def _read(self) -> list[Entry]:
        with self._errors_become_ours():
            try:
                return _opened(self._path)
            except _Damaged as damage:
                aside = set_aside(self._path, secrets.token_hex(4))
                self.lost += 1
                log.error(
                    "orders: %s %s; set aside as %s, what stood in it is not done any more",
                    self._path, damage, aside.name,
                )  # fmt: skip
                return []

    @contextlib.contextmanager
    def _errors_become_ours(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise BookError(f"the order book {self._path} does not work: {error}") from error


class _Damaged(Exception):
    """What lies there is not what was written; trying again is useless.

    ``str(error)`` goes on after the file's name.
    """


def _sealed(entries: list[Entry]) -> bytes:
    content = msgspec.json.encode(entries)
    return _seal(content) + b"\n" + content


def _seal(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).hexdigest().encode()


def _opened(path: Path) -> list[Entry]:
    """Read a book; raises :class:`_Damaged`, and ``OSError`` when the disk itself does not work."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BOOK_BYTES + 1)
    except FileNotFoundError:
        return []
    except OSError as error:
        if error.errno not in {errno.EIO, errno.EISDIR}:
            raise
        raise _Damaged(f"was damaged ({error.strerror})") from error
    if raw.startswith(_OLDER):
        raise _Damaged("is from an older version")
    seal, _, content = raw.partition(b"\n")
    if len(raw) > MAX_BOOK_BYTES or seal != _seal(content):
        raise _Damaged("was damaged (its seal does not fit)")
    try:
        return msgspec.json.decode(content, type=list[Entry])
    except wire.UNREADABLE as error:
        raise _Damaged(f"was written by another version ({error})") from error
