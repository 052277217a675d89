"""Pure: a day of readings as one compressed blob and back, each byte of each reading kept.

The readings of a device are nearly the same text with other numbers in it. So each is split into its
text (stored once for all that share it) and its runs of digits, which become columns of differences;
the bytes of those are laid side by side by weight, because the high ones are nearly all zero. LZMA
makes of that about a fifth of what it makes of the readings as they are.
"""

import lzma
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, repeat
from typing import Final

import msgspec

from kampungnet.measurement import planes
from kampungnet.measurement.slots import Timed
from kampungnet.shared import wire


class Kept(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One reading as it rests in a pack."""

    taken_ms: int
    time_quality: int
    payload: bytes
    """The reading's JSON exactly as the agent sent it."""

    def reading(self) -> wire.Reading:
        """Return the typed reading."""
        return _READING.decode(self.payload)

    def timed(self) -> Timed:
        """Return the reading with its repaired instant."""
        return Timed(self.taken_ms, self.reading())


class _Pack(msgspec.Struct, frozen=True, array_like=True):
    texts: list[list[bytes]]
    """The text between the digits, once for all readings that share it."""
    text_of: list[int]
    """For each reading, in order of time, which text it has."""
    planes: bytes
    """Bytes of all differences, the lowest byte of each first."""


_READING: Final = msgspec.json.Decoder(wire.Reading)
_PACK: Final = msgspec.msgpack.Decoder(_Pack)
_DIGITS: Final = re.compile(rb"(\d{1,18})")
"""18 digits and the 1 put before them stay below 2**61, so that a difference fits 64 bits."""
_FILTERS: Final = [{"id": lzma.FILTER_LZMA2, "preset": 4, "dict_size": 1 << 22}]


def pack(kept: Iterable[Kept]) -> bytes:
    """Pack readings, ordered by time, into one blob."""
    numbers: dict[tuple[bytes, ...], list[list[int]]] = {}
    place: dict[tuple[bytes, ...], int] = {}
    text_of: list[int] = []
    for one in sorted(kept, key=lambda one: one.taken_ms):
        parts = _DIGITS.split(one.payload)
        text = tuple(parts[::2])
        text_of.append(place.setdefault(text, len(place)))
        # The 1 in front keeps leading zeros: 05 becomes 105.
        numbers.setdefault(text, []).append(
            [one.taken_ms, one.time_quality, *(int(b"1" + digits) for digits in parts[1::2])]
        )
    columns = chain.from_iterable(zip(*rows, strict=True) for rows in numbers.values())
    steps = array("Q", chain.from_iterable(map(_steps, columns)))
    packed = msgspec.msgpack.encode(_Pack(list(map(list, place)), text_of, planes.split(steps.tobytes())))
    return lzma.compress(packed, lzma.FORMAT_XZ, check=lzma.CHECK_CRC32, filters=_FILTERS)


def unpack(blob: bytes) -> list[Kept]:
    """Return the readings of a pack. Raises ``lzma.LZMAError`` when its checksum does not fit."""
    found = _PACK.decode(lzma.decompress(blob))
    steps = array("Q")
    steps.frombytes(planes.join(found.planes))
    of_text = list(_of_texts(found, steps))
    return [next(of_text[text]) for text in found.text_of]


def _steps(column: Sequence[int]) -> Iterator[int]:
    last = 0
    for value in column:
        step, last = value - last, value
        yield step << 1 if step >= 0 else (-step << 1) - 1  # small numbers of both signs become small ones


def _of_texts(found: _Pack, steps: "array[int]") -> Iterator[Iterator[Kept]]:
    """Yield, for each text, the readings that share it."""
    start = 0
    lengths = Counter(found.text_of)
    for text, parts in enumerate(found.texts):
        length = lengths[text]
        end = start + length * (len(parts) + 1)
        columns = [steps[first : first + length] for first in range(start, end, length)]
        start = end
        taken, quality = (_numbers(column) for column in columns[:2])
        yield map(Kept, taken, quality, _payloads(parts, columns[2:], length))


def _payloads(parts: Sequence[bytes], columns: Sequence["array[int]"], length: int) -> Iterable[bytes]:
    """Put the digits between the parts of a text. Most of them never change and become part of the text."""
    pieces: list[Iterable[bytes]] = []
    still = parts[0]
    for part, column in zip(parts[1:], columns, strict=True):
        if any(column[1:]):
            pieces += (repeat(still, length), _digits(_numbers(column)))
            still = part
        else:
            still += _digits(_numbers(column[:1]))[0] + part
    pieces.append(repeat(still, length))
    return map(b"".join, zip(*pieces, strict=True))


def _numbers(steps: Iterable[int]) -> list[int]:
    return list(accumulate([step >> 1 ^ -(step & 1) for step in steps]))


def _digits(numbers: list[int]) -> list[bytes]:
    """Return the digits of each number without the 1 in front, which splits their list: ten times as fast as each."""
    return repr(numbers).encode()[2:-1].split(b", 1")
