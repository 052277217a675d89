"""RouterOS binary API: many tagged commands in one write, replies sorted by tag from one stream.

A thin layer over librouteros, which gives the coding of words and the errors. librouteros reads
one byte and then one word per system call, knows no tags and guesses the types of values; the
reader here takes whatever the socket gave, in one pass, and leaves every value as raw bytes.

Rules of the wire: MikroTik's API page; facts on RouterOS, sections 1 to 3. This module raises
librouteros' errors only; ``routeros_errors`` turns them into ours.
"""

import asyncio
from collections.abc import Iterable, Sequence
from hashlib import md5
from typing import Final, cast

from librouteros.exceptions import (  # type: ignore[import-untyped]
    ConnectionClosed,
    FatalError,
    LibRouterosError,
    MultiTrapError,
    ProtocolError,
    TrapError,
)
from librouteros.protocol import decode_length, determine_length, encode_length, encode_word  # type: ignore[import-untyped]

from .fields import excerpt, text

LONGEST_WORD: Final = 1_000_000
"""Bytes; RouterOS could announce 4 GB, no property we ask for comes near."""
BYTES_PER_ROUND: Final = 4_000_000
"""Bytes of answers to one write; more is an endless or hostile answer."""

_END_OF_SENTENCE: Final = b"\0"
_UNTAGGED: Final = b""
_EQUALS: Final = ord("=")
_DOT: Final = ord(".")
_LONG: Final = 0x80
_CHALLENGE_BYTES: Final = 16

Row = dict[bytes, bytes]


def encode_command(path: str, *words: str) -> bytes:
    """Return a command's words without its tag and its end, so that it is encoded once and sent often."""
    return b"".join(cast(bytes, encode_word(word, "utf-8")) for word in (path, *words))


class Reply:
    """All sentences that answered one command."""

    __slots__ = ("ret", "rows", "traps")

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.traps: list[TrapError] = []
        self.ret: bytes | None = None

    def raise_traps(self) -> None:
        """Raise what the router refused, if it did."""
        if len(self.traps) > 1:
            raise MultiTrapError(*self.traps)
        if self.traps:
            raise self.traps[0]


class SentenceReader:
    """Cuts a byte stream into sentences, however the network split it."""

    __slots__ = ("_missing", "_pieces", "_words")

    def __init__(self) -> None:
        self._words: list[bytes] = []
        self._pieces: list[bytes] = []
        self._missing = 0

    def feed(self, chunk: bytes) -> list[list[bytes]]:
        """Return the sentences that ``chunk`` completes; raises ``ProtocolError`` on an impossible length."""
        if self._pieces:
            self._pieces.append(chunk)
            self._missing -= len(chunk)
            if self._missing > 0:  # a long word trickles in: joining it each time would cost its square
                return []
            chunk = b"".join(self._pieces)
            self._pieces = []
        sentences: list[list[bytes]] = []
        words = self._words
        position, end = 0, len(chunk)
        while position < end:
            length = chunk[position]
            start = position + 1
            if length == 0:
                position = start
                if words:
                    sentences.append(words)
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
        self._words = words
        return sentences


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


class RouterConnection(asyncio.Protocol):
    """One API session. One round of commands at a time; after any failure it is closed for good."""

    def __init__(self) -> None:
        self._reader = SentenceReader()
        self._waiting: dict[bytes, Reply] = {}
        self._answered: asyncio.Future[None] | None = None
        self._failure: LibRouterosError | None = None
        self._transport: asyncio.Transport | None = None
        self._lost = asyncio.get_running_loop().create_future()
        self._last_tag = 0
        self._received = 0
        self._last_chunk = b""

    @property
    def usable(self) -> bool:
        """Whether another round may be sent."""
        return self._failure is None and self._transport is not None and not self._transport.is_closing()

    async def ask(self, commands: Iterable[bytes]) -> list[Reply]:
        """Send encoded commands in one write and return their replies in the same order."""
        waiting: dict[bytes, Reply] = {}
        sentences: list[bytes] = []
        for command in commands:
            self._last_tag += 1
            tag = b"%d" % self._last_tag
            word = b".tag=" + tag
            waiting[tag] = Reply()
            sentences.append(command + encode_length(len(word)) + word + _END_OF_SENTENCE)
        return await self._round(b"".join(sentences), waiting)

    async def ask_untagged(self, command: bytes) -> Reply:
        """Send one command as the oldest routers expect it; only login needs this."""
        (reply,) = await self._round(command + _END_OF_SENTENCE, {_UNTAGGED: Reply()})
        return reply

    async def _round(self, sent: bytes, waiting: dict[bytes, Reply]) -> list[Reply]:
        if self._failure is not None:
            raise self._failure
        if self._transport is None:
            raise ConnectionClosed("not connected")
        if not waiting:
            return []
        replies = list(waiting.values())
        self._waiting = waiting
        self._received = 0
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(sent)
        await self._answered
        return replies

    async def close(self) -> None:
        """Say goodbye (MikroTik's ``/quit``) and close; never raises."""
        if self._transport is None or self._lost.done():
            return
        if self.usable:
            self._transport.write(encode_command("/quit") + _END_OF_SENTENCE)
        self._transport.close()
        await asyncio.wait([self._lost], timeout=1)
        self._transport.abort()

    def abort(self) -> None:
        """Drop the connection now, without a word."""
        self._fail(ConnectionClosed("connection dropped"))

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: D102 -- asyncio.Protocol says what it is
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:  # noqa: D102 -- asyncio.Protocol says what it is
        self._received += len(data)
        self._last_chunk = data
        try:
            if self._received > BYTES_PER_ROUND:
                raise ProtocolError(f"answer longer than {BYTES_PER_ROUND} bytes: {excerpt(data)!r}")
            for sentence in self._reader.feed(data):
                self._sort(sentence)
        except LibRouterosError as error:
            self._fail(error)

    def eof_received(self) -> None:  # noqa: D102 -- asyncio.Protocol says what it is
        if self._waiting and self._received:
            shown = excerpt(self._last_chunk)
            self._fail(ProtocolError(f"answer ended without !done: {shown!r}"))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: D102 -- asyncio.Protocol says what it is
        error = ConnectionClosed("the router closed the connection" if exc is None else f"connection lost: {exc}")
        error.__cause__ = exc
        self._fail(error)
        if not self._lost.done():
            self._lost.set_result(None)

    def _sort(self, sentence: Sequence[bytes]) -> None:
        """Put one reply sentence to its command."""
        kind = sentence[0]
        if kind == b"!fatal":  # its reason is a bare word
            raise FatalError(text(b" ".join(sentence[1:])) or "no reason given")
        tag, row = _parse(sentence)
        reply = self._waiting.get(tag)
        if reply is None:
            raise ProtocolError(f"answer to nothing asked: {excerpt(b' '.join(sentence))!r}")
        if kind == b"!re":
            if row:
                reply.rows.append(row)
        elif kind == b"!done":
            reply.ret = row.get(b"ret")
            self._finish(tag)
        elif kind == b"!trap":
            reply.traps.append(_trap(row))
        elif kind != b"!empty":  # sent before !done from 7.18 on when there is nothing to return
            raise ProtocolError(f"odd reply word: {excerpt(b' '.join(sentence))!r}")

    def _finish(self, tag: bytes) -> None:
        del self._waiting[tag]
        if not self._waiting and self._answered is not None and not self._answered.done():
            self._answered.set_result(None)

    def _fail(self, error: LibRouterosError) -> None:
        """Remember the first failure, tell who waits, and drop the connection."""
        if self._failure is None:
            self._failure = error
        self._waiting = {}
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(self._failure)
        if self._transport is not None:
            self._transport.abort()


def _parse(sentence: Sequence[bytes]) -> tuple[bytes, Row]:
    """Return tag and properties of a reply. ``.tag`` may stand anywhere (old routers put it last)."""
    tag = _UNTAGGED
    row: Row = {}
    for word in sentence[1:]:
        if word[0] == _EQUALS:
            _, key, *value = word.split(b"=", 2)
            if not value:
                raise ProtocolError(f"odd word: {excerpt(word)!r}")
            row[key] = value[0]
        elif word.startswith(b".tag="):
            tag = word[5:]
        elif word[0] != _DOT:
            raise ProtocolError(f"odd word: {excerpt(word)!r}")
    return tag, row


def _trap(row: Row) -> TrapError:
    category = row.get(b"category", b"")
    message = text(row.get(b"message")).replace("\r\n", ", ").strip() or "no reason given"
    return TrapError(message, int(category) if category.isdigit() and len(category) < 4 else None)


async def log_in(connection: RouterConnection, username: str, password: str) -> None:
    """Log in to any version; raises ``TrapError`` when the router refuses.

    From 6.43 one sentence is enough. An older router ignores the password and answers with a
    challenge; then MD5 over a zero byte, the password and the challenge is what it expects.
    """
    reply = await connection.ask_untagged(encode_command("/login", f"=name={username}", f"=password={password}"))
    reply.raise_traps()
    if reply.ret is None:
        return
    response = challenge_response(password, reply.ret)
    reply = await connection.ask_untagged(encode_command("/login", f"=name={username}", f"=response={response}"))
    reply.raise_traps()


def challenge_response(password: str, challenge: bytes) -> str:
    """Return the answer to a login challenge of 32 hex digits, as routers before 6.43 check it."""
    try:
        salt = bytes.fromhex(challenge.decode("ascii"))
    except ValueError as error:
        raise ProtocolError("odd login challenge") from error
    if len(salt) != _CHALLENGE_BYTES:
        raise ProtocolError("odd login challenge")
    return "00" + md5(b"\0" + password.encode() + salt, usedforsecurity=False).hexdigest()
