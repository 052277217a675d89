"""The part of BER that SNMP uses (RFC 3417 section 8; tags of RFC 2578)."""

from collections.abc import Iterable
from functools import lru_cache

Oid = tuple[int, ...]

INTEGER = 0x02
OCTETS = 0x04
NULL = 0x05
OBJECT_ID = 0x06
SEQUENCE = 0x30
IP_ADDRESS = 0x40
COUNTER32 = 0x41
GAUGE32 = 0x42
TIME_TICKS = 0x43
COUNTER64 = 0x46
NO_SUCH_OBJECT = b"\x80\x00"
NO_SUCH_INSTANCE = b"\x81\x00"
END_OF_MIB_VIEW = b"\x82\x00"


class BerError(ValueError):
    """These bytes are not what SNMP sends."""


def wrap(tag: int, content: bytes) -> bytes:
    """Tag, length, content."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def integer(value: int, tag: int = INTEGER) -> bytes:
    """A signed number; counters are unsigned but are written the same way."""
    size = value.bit_length() // 8 + 1
    return wrap(tag, value.to_bytes(size, "big", signed=True))


def counter32(value: int) -> bytes:
    """A 32-bit counter that wraps."""
    return integer(value & 0xFFFFFFFF, COUNTER32)


def counter64(value: int) -> bytes:
    """A 64-bit counter."""
    return integer(value & 0xFFFFFFFFFFFFFFFF, COUNTER64)


def gauge(value: int) -> bytes:
    """A 32-bit gauge that sticks at its greatest value."""
    return integer(min(max(value, 0), 0xFFFFFFFF), GAUGE32)


def ticks(seconds: float) -> bytes:
    """Hundredths of a second; wraps after 497 days."""
    return integer(int(seconds * 100) & 0xFFFFFFFF, TIME_TICKS)


def octets(value: bytes | str) -> bytes:
    """Text or bytes."""
    return wrap(OCTETS, value.encode() if isinstance(value, str) else value)


def parse_oid(text: str) -> Oid:
    """``1.3.6.1`` or ``.1.3.6.1``."""
    return tuple(int(part) for part in text.strip(".").split("."))


def _base128(number: int) -> bytes:
    out = [number & 0x7F]
    number >>= 7
    while number:
        out.append(0x80 | number & 0x7F)
        number >>= 7
    return bytes(reversed(out))


@lru_cache(maxsize=1 << 15)
def object_id(oid: Oid) -> bytes:
    """An object identifier."""
    if len(oid) < 2:
        return wrap(OBJECT_ID, b"\x00")
    return wrap(OBJECT_ID, b"".join(map(_base128, (oid[0] * 40 + oid[1], *oid[2:]))))


def sequence(parts: Iterable[bytes], tag: int = SEQUENCE) -> bytes:
    """A list of encoded parts."""
    return wrap(tag, b"".join(parts))


@lru_cache(maxsize=1 << 14)
def read_oid(content: bytes) -> Oid:
    """The content bytes of an object identifier."""
    numbers: list[int] = []
    value = 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(value)
            value = 0
    if not numbers:
        return ()
    first = min(numbers[0] // 40, 2)
    return (first, numbers[0] - 40 * first, *numbers[1:])


class Reader:
    """Reads one element after the other; raises BerError at the first thing that is wrong."""

    def __init__(self, data: bytes, start: int = 0, end: int | None = None) -> None:
        self._data = data
        self.at = start
        self._end = len(data) if end is None else end

    def more(self) -> bool:
        """Is anything left?"""
        return self.at < self._end

    def next(self, wanted: int | None = None) -> tuple[int, int, int]:
        """Step over one element: its tag and where its content starts and ends."""
        data, at = self._data, self.at
        if at + 2 > self._end:
            raise BerError("cut off")
        tag, size = data[at], data[at + 1]
        at += 2
        if size & 0x80:
            count = size & 0x7F
            if not 1 <= count <= 4 or at + count > self._end:
                raise BerError("bad length")
            size = int.from_bytes(data[at : at + count], "big")
            at += count
        if at + size > self._end or (wanted is not None and tag != wanted):
            raise BerError("cut off or not what was expected")
        self.at = at + size
        return tag, at, at + size

    def enter(self, wanted: int | None = None) -> tuple[int, "Reader"]:
        """Step into one element."""
        tag, start, end = self.next(wanted)
        return tag, Reader(self._data, start, end)

    def integer(self) -> int:
        """A number."""
        _, start, end = self.next(INTEGER)
        return int.from_bytes(self._data[start:end], "big", signed=True)

    def octets(self) -> bytes:
        """A string."""
        _, start, end = self.next(OCTETS)
        return self._data[start:end]

    def oid(self) -> Oid:
        """An object identifier."""
        _, start, end = self.next(OBJECT_ID)
        return read_oid(self._data[start:end])
