"""Words and sentences of the RouterOS API (facts/routeros.md, section 1)."""

from collections.abc import Iterable

# A first byte from here on is reserved: nobody can tell where the next word starts.
_RESERVED_FROM = 0xF8


class WireError(ValueError):
    """The bytes cannot be read as sentences any more."""


def encode_length(length: int) -> bytes:
    """The prefix of a word of ``length`` bytes, most significant byte first."""
    if length < 0x80:
        return bytes((length,))
    if length < 0x4000:
        return (length | 0x8000).to_bytes(2, "big")
    if length < 0x200000:
        return (length | 0xC00000).to_bytes(3, "big")
    if length < 0x10000000:
        return (length | 0xE0000000).to_bytes(4, "big")
    if length < 1 << 32:
        return b"\xf0" + length.to_bytes(4, "big")
    raise WireError(f"a word of {length} bytes cannot be sent")


def prefix_size(first: int) -> int:
    """How many bytes the length prefix has that starts with this byte."""
    if first < 0x80:
        return 1
    if first < 0xC0:
        return 2
    if first < 0xE0:
        return 3
    if first < 0xF0:
        return 4
    if first < _RESERVED_FROM:
        return 5
    raise WireError(f"reserved length byte {first:#04x}")


def decode_length(data: bytes) -> int:
    """The length said by a whole prefix."""
    size = prefix_size(data[0])
    if size == 5:
        return int.from_bytes(data[1:5], "big")
    masks = (0x7F, 0x3FFF, 0x1FFFFF, 0x0FFFFFFF)
    return int.from_bytes(data[:size], "big") & masks[size - 1]


def encode_word(text: str | bytes) -> bytes:
    """One word; text is UTF-8, lone surrogates carry bytes that are not (see ``text_of``)."""
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    size = len(raw)
    return (bytes((size,)) if size < 0x80 else encode_length(size)) + raw


def encode_sentence(words: Iterable[str | bytes]) -> bytes:
    """One sentence, ended by the word without bytes."""
    return b"".join(map(encode_word, words)) + b"\x00"


def text_of(raw: bytes) -> str:
    """Text of a received word: nothing is lost, whatever the bytes are."""
    return raw.decode("utf-8", "surrogateescape")


class SentenceReader:
    """Cuts a stream of bytes, split anywhere, into sentences."""

    def __init__(self, max_word: int = 1 << 20) -> None:
        self._rest = b""
        self._words: list[bytes] = []
        self._max_word = max_word

    def feed(self, data: bytes) -> list[list[bytes]]:
        """Take bytes, give back the sentences they complete; empty sentences are left out."""
        data = self._rest + data if self._rest else data
        at, end = 0, len(data)
        found: list[list[bytes]] = []
        while at < end:
            size = data[at]
            start = at + 1
            if size >= 0x80:
                start = at + prefix_size(size)
                if start > end:
                    break
                size = decode_length(data[at:start])
                if size > self._max_word:
                    raise WireError(f"a word of {size} bytes is too long")
            if size == 0:
                if self._words:
                    found.append(self._words)
                    self._words = []
                at = start
                continue
            if start + size > end:
                break
            self._words.append(data[start : start + size])
            at = start + size
        self._rest = data[at:]
        return found
