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
from functools import cached_property
from itertools import accumulate, chain, repeat
from operator import attrgetter, sub
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
_MOST_DIGITS: Final = 18
_NO_DIGITS: Final = b"0123456789"
_ONLY_DIGITS: Final = bytes(code if code in _NO_DIGITS else ord(" ") for code in range(256))
_NUMBERS: Final = msgspec.json.Decoder(list[int])
_FILTERS: Final = [{
    "id": lzma.FILTER_LZMA2, "preset": 4, "dict_size": 1 << 18, "mf": lzma.MF_HC4, "nice_len": 16,
    "lc": 0, "lp": 0, "pb": 0,
}]  # fmt: skip
"""Half the time of the preset alone, and a hundredth smaller: a plane's byte follows from none before it, and no place
in it is like the one four further on, so models for either (lc, pb) only learn slower."""


def pack(kept: Iterable[Kept]) -> bytes:
    """Pack readings, ordered by time, into one blob."""
    return packed(kept)[0]


def packed(kept: Iterable[Kept]) -> tuple[bytes, list["Shared"]]:
    """Return the same blob, and what :func:`texts` would make of it."""
    texts: dict[tuple[bytes, ...], _Alike] = {}
    shapes: dict[bytes, _Alike] = {}
    text_of: list[int] = []
    for one in sorted(kept, key=attrgetter("taken_ms")):
        bare = one.payload.translate(None, _NO_DIGITS)
        alike = shapes.get(bare)
        digits = alike.digits_of(one.payload) if alike else None
        if alike is None or digits is None:
            words = _DIGITS.split(one.payload)
            digits, text = words[1::2], tuple(words[::2])
            alike = shapes[bare] = texts.setdefault(text, _Alike(words, len(texts)))
        text_of.append(alike.place)
        alike.kept.append(one)
        alike.digits.append(digits)
    steps = array("Q")
    for alike in texts.values():
        steps.extend(_steps([one.taken_ms for one in alike.kept]))
        steps.extend(_steps([one.time_quality for one in alike.kept]))
        for column in zip(*alike.digits, strict=True):
            steps.extend(_digit_steps(column))
    found = _Pack(list(map(list, texts)), text_of, planes.split(steps.tobytes()))
    plain = msgspec.msgpack.encode(found)
    return lzma.compress(plain, lzma.FORMAT_XZ, check=lzma.CHECK_CRC32, filters=_FILTERS), _texts(found)


def unpack(blob: bytes) -> list[Kept]:
    """Return the readings of a pack. Raises ``lzma.LZMAError`` when its checksum does not fit."""
    found = _opened(blob)
    of_text = list(map(Shared.kept, _texts(found)))
    return [next(of_text[text]) for text in found.text_of]


def texts(blob: bytes) -> list["Shared"]:
    """Return the same by the text that readings share, their numbers still packed."""
    return _texts(_opened(blob))


class Shared:
    """Readings of one text, in order of time: what stands between their digits, and columns of those."""

    def __init__(self, parts: Sequence[bytes], data: bytes, first: int, length: int) -> None:
        self.parts, self.length = parts, length
        self._data, self._first = data, first
        self._count = len(data) // planes.WIDTH

    @cached_property
    def taken_ms(self) -> list[int]:
        """Instants, repaired."""
        return self._numbers(0)

    @property
    def quality(self) -> list[int]:
        """How sure each instant is."""
        return self._numbers(1)

    def kept(self) -> Iterator[Kept]:
        """Yield the readings."""
        return map(Kept, self.taken_ms, self.quality, self._payloads())

    def first_digits(self) -> list[bytes]:
        """Return the runs of digits of the first reading."""
        start = self._first + 2 * self.length
        steps = planes.numbers(self._data, start, start + (len(self.parts) - 1) * self.length, self.length)
        return _digits([step >> 1 for step in steps]) if steps else []

    def moving(self) -> list[int]:
        """Return which of the runs of digits are not the same in all readings."""
        return [run for run in range(len(self.parts) - 1) if not self._is_still(run + 2)]

    def numbers(self, run: int) -> list[int]:
        """Return a run of digits that is a whole number in JSON: without zeros in front."""
        steps = self._steps(run + 2)
        base = 10 ** (len(str(steps[0])) - 1)
        steps[0] -= base
        found = list(accumulate(steps))
        low, high = (found[0], found[-1]) if self._never_falls(run + 2) else (min(found), max(found))
        # One of more or fewer digits is out of these bounds, because of the 1 in front.
        if low >= 0 and high < base:
            return found
        shorter, longer = (10 ** (len(str(end + base)) - 1) - base for end in (low, high))
        if longer + base == 10 * (shorter + base):  # 9 became 10, or 10 became 9
            return [one - longer if one >= longer else one - shorter for one in found]
        return list(map(int, self.digits(run)))

    def last(self, run: int) -> int:
        """Return the last of :meth:`numbers`, for less than all of them."""
        return int(str(sum(self._steps(run + 2)))[1:])

    def prefixed(self, run: int) -> list[int]:
        """Return a run of digits as numbers with a 1 in front: 05 is 105."""
        return self._numbers(run + 2)

    def digits(self, run: int) -> list[bytes]:
        """Return a run of digits as it stands."""
        return _digits(self._numbers(run + 2))

    def _numbers(self, column: int) -> list[int]:
        return list(accumulate(self._steps(column)))

    def _steps(self, column: int) -> "array[int]":
        start = self._first + column * self.length
        return planes.signed(planes.numbers(self._data, start, start + self.length))

    def _is_still(self, column: int) -> bool:
        start = self._first + column * self.length
        return planes.are_zero(self._data, start + 1, start + self.length)

    def _never_falls(self, column: int) -> bool:
        start = self._first + column * self.length
        return planes.have_no_minus(self._data, start + 1, start + self.length)

    def _payloads(self) -> Iterable[bytes]:
        """Put the digits between the parts. Most of them never change and become part of the text."""
        pieces: list[Iterable[bytes]] = []
        still = self.parts[0]
        for run, part in enumerate(self.parts[1:]):
            if self._is_still(run + 2):
                still += self.digits(run)[0] + part
            else:
                pieces += (repeat(still, self.length), self.digits(run))
                still = part
        pieces.append(repeat(still, self.length))
        return map(b"".join, zip(*pieces, strict=True))


def filled(parts: Sequence[bytes], digits: Sequence[bytes]) -> bytes:
    """Return a text with these digits between its parts."""
    return b"".join(chain.from_iterable(zip(parts, (*digits, b""), strict=True)))


def _opened(blob: bytes) -> _Pack:
    return _PACK.decode(lzma.decompress(blob))


def _texts(found: _Pack) -> list[Shared]:
    lengths = Counter(found.text_of)
    first, texts = 0, []
    for text, parts in enumerate(found.texts):
        texts.append(Shared(parts, found.planes, first, lengths[text]))
        first += lengths[text] * (len(parts) + 1)
    return texts


class _Alike:
    """Readings that share a text, while they are packed."""

    def __init__(self, words: Sequence[bytes], place: int) -> None:
        self.place = place
        self.kept: list[Kept] = []
        self.digits: list[list[bytes]] = []
        self._words = list(words)

    def digits_of(self, payload: bytes) -> list[bytes] | None:
        """Return the runs of digits of a reading, or ``None`` when its text is another; cheaper than looking for both.

        Where the text with those digits in it is the reading, it can be split in no other way.
        """
        digits = payload.translate(_ONLY_DIGITS).split()
        if len(digits) != len(self._words) // 2 or max(map(len, digits), default=0) > _MOST_DIGITS:
            return None
        self._words[1::2] = digits
        return digits if b"".join(self._words) == payload else None


def _steps(column: Sequence[int]) -> list[int]:
    steps = chain(column[:1], map(sub, column[1:], column))
    return [step << 1 if step >= 0 else ~(step << 1) for step in steps]  # planes.signed gives them back


def _digit_steps(column: Sequence[bytes]) -> Iterable[int]:
    """Return the steps of a run of digits; most runs are the same in all readings of a text."""
    # The 1 in front keeps leading zeros: 05 becomes 105.
    if column.count(column[0]) == len(column):
        return chain(_steps([int(b"1" + column[0])]), repeat(0, len(column) - 1))
    return _steps(_NUMBERS.decode(b"[1" + b",1".join(column) + b"]"))


def _digits(numbers: list[int]) -> list[bytes]:
    """Return the digits of each number without the 1 in front, which splits their list: ten times as fast as each."""
    return repr(numbers).encode()[2:-1].split(b", 1")
