"""RouterOS sentences: words with their lengths, cut out of a byte stream however the network split it.

Rules of the wire: MikroTik's API page; facts on RouterOS, sections 1 and 3. Raises librouteros' ``ProtocolError`` only.
"""

from collections.abc import Iterator
from struct import Struct
from typing import Final, cast

from librouteros.exceptions import ProtocolError  # type: ignore[import-untyped]
from librouteros.protocol import decode_length, determine_length, encode_word  # type: ignore[import-untyped]

from .fields import excerpt

LONGEST_WORD: Final = 100_000
"""Bytes; RouterOS could announce 4 GB, no property we ask for comes near."""
MOST_WORDS: Final = 96
"""Words of one sentence; ``/interface/ethernet/monitor`` has about 50, nothing has more."""

MOST_REMEMBERED: Final = 4000
"""Properties of rows kept from one look at the tables to the next; each takes some 100 bytes of memory."""

MOST_SHAPES: Final = 256
"""Rows whose words keep their lengths; each takes some 2000 bytes of memory."""

_LONG: Final = 0x80
_START: Final = 10
"""Bytes of a row that tell it from the others of its answer: ``=.id=*1A``, ``=name=vol``."""

Row = dict[bytes, bytes]


def encode_command(path: str, *words: str) -> bytes:
    """Return a command's words without its tag and its end, so that it is encoded once and sent often."""
    return b"".join(cast(bytes, encode_word(word, "utf-8")) for word in (path, *words))


class SentenceReader:
    """Cuts a byte stream into sentences, however the network split it."""

    __slots__ = ("_missing", "_pieces", "_words")

    def __init__(self) -> None:
        self._words: list[bytes] = []
        self._pieces: list[bytes] = []
        self._missing = 0

    @property
    def between_sentences(self) -> bool:
        """Whether everything that arrived has come out as sentences."""
        return not self._words and not self._pieces

    def feed(self, chunk: bytes) -> Iterator[list[bytes]]:
        """Yield the sentences that ``chunk`` completes; raises ``ProtocolError`` on an impossible length.

        One at a time, so that a chunk of many tiny sentences never stands in memory as objects.
        """
        chunk = self._joined(chunk)
        words = self._words
        position, end = 0, len(chunk)
        while position < end:
            length = chunk[position]
            start = position + 1
            if length == 0:
                position = start
                if words:
                    yield words
                    words = []
                continue
            if length >= _LONG:
                start, length = _long_length(chunk, position)
            stop = start + length
            if stop > end:
                self._pieces = [chunk[position:]]
                self._missing = stop - end
                break
            words.append(chunk[start:stop])
            position = stop
        if len(words) > MOST_WORDS:
            raise ProtocolError(f"endless sentence: {excerpt(words[-1])!r}")
        self._words = words

    def _joined(self, chunk: bytes) -> bytes:
        """Return ``chunk`` behind the word that was cut before it; nothing as long as that word is not complete."""
        if not self._pieces:
            return chunk
        self._pieces.append(chunk)
        self._missing -= len(chunk)
        if self._missing > 0:  # a long word trickles in: joining it each time would cost its square
            return b""
        chunk = b"".join(self._pieces)
        self._pieces = []
        return chunk


def _long_length(chunk: bytes, position: int) -> tuple[int, int]:
    """Return where the word starts and its length; past the end when the prefix itself is incomplete."""
    try:
        start = position + 1 + determine_length(chunk[position : position + 1])
        if start > len(chunk):
            return start, 0
        length = decode_length(chunk[position:start])
    except ProtocolError as error:
        raise ProtocolError(f"impossible word length: {excerpt(chunk[position:])!r}") from error
    if length > LONGEST_WORD:
        raise ProtocolError(f"word of {length} bytes announced: {excerpt(chunk[position:])!r}")
    return start, length


def row_in(words: bytes) -> Row | None:
    """Return the properties in the rest of one sentence, its zero byte included.

    ``None`` when that takes :class:`SentenceReader`: a word that is long, holds a zero byte or is no property.
    """
    row: Row = {}
    start, end = 0, len(words) - 1
    try:
        while start < end:
            length = words[start]
            stop = start + 1 + length
            nothing, key, value = words[start + 1 : stop].split(b"=", 2)
            if nothing or length >= _LONG:
                return None
            row[key] = value
            start = stop
    except ValueError:
        return None
    return row if start == end and len(row) < MOST_WORDS else None


class RowShape:
    """How long the words of a row are: while they stay so, which counters do for days, it is cut by one call."""

    __slots__ = ("_cut", "_frames", "_keys", "size")

    def __init__(self, row: Row) -> None:
        self._keys = tuple(row)
        self._frames = (*(b"%c=%b=" % (len(key) + len(value) + 2, key) for key, value in row.items()), b"\0")
        lengths = [f"{len(frame)}s{len(value)}s" for frame, value in zip(self._frames, row.values(), strict=False)]
        cut = Struct(f"{''.join(lengths)}s")
        self._cut, self.size = cut.unpack, cut.size

    def row_in(self, words: bytes) -> Row | None:
        """Return what :func:`row_in` says of as many bytes; ``None`` when a word begins or is named otherwise."""
        pieces = self._cut(words)
        return dict(zip(self._keys, pieces[1::2], strict=True)) if pieces[::2] == self._frames else None


class RowMemory:
    """What is known of the rows of earlier polls, so that less is read anew.

    Whole rows of the last look at the tables: of hundreds of users a handful changed since, idle ports never do.
    Such a row is the same object as before, so nobody may change one. And the shapes of those that changed.
    """

    __slots__ = ("_before", "_now", "_room", "_shapes")

    def __init__(self) -> None:
        self._before: dict[bytes, Row] = {}
        self._now: dict[bytes, Row] = {}
        self._room = 0
        self._shapes: dict[tuple[bytes, int], RowShape | None] = {}
        """By start and length; ``None`` where the words in between do not keep their lengths."""

    def begin(self, *, tables: bool) -> None:
        """Begin a poll; only rows of those with tables are worth remembering, and only shapes of those without."""
        self._before, self._room = self._now, 0
        if tables:
            self._now, self._room = {}, MOST_REMEMBERED

    def row_in(self, words: bytes) -> Row | None:
        """Return what :func:`row_in` says."""
        row = self._before.get(words)
        if row is None:
            key = (words[:_START], len(words))
            shape = self._shapes.get(key)
            row = (shape and shape.row_in(words)) or self._learned(key, words)
        if row and self._room > 0:
            self._room -= len(row)
            self._now[words] = row
        return row

    def _learned(self, key: tuple[bytes, int], words: bytes) -> Row | None:
        row = row_in(words)
        if key in self._shapes:
            self._shapes[key] = None
        elif row and not self._room and len(self._shapes) < MOST_SHAPES:
            shape = RowShape(row)
            self._shapes[key] = shape if shape.size == len(words) else None  # a name may come twice
        return row
