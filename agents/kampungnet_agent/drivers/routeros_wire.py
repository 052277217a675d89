"""RouterOS binary API: many tagged commands in one write, replies sorted by tag from one stream.

A thin layer over librouteros, which gives the coding of words and the errors. librouteros reads
one byte and then one word per system call, knows no tags and guesses the types of values; the
reader here takes whatever the socket gave, in one pass, and leaves every value as raw bytes.

Rules of the wire: MikroTik's API page; facts on RouterOS, sections 1 to 3. This module raises
librouteros' errors only; ``routeros_errors`` turns them into ours.
"""

import asyncio
from collections.abc import Iterable
from hashlib import md5
from typing import Final, cast

import msgspec
from librouteros.exceptions import (  # type: ignore[import-untyped]
    ConnectionClosed,
    FatalError,
    LibRouterosError,
    MultiTrapError,
    ProtocolError,
    TrapError,
)

from kampungnet_agent.record_tape import TAPE, Exchange

from .fields import excerpt, text
from .routeros_sentences import MOST_WORDS, Row, RowMemory, SentenceReader, encode_command, row_in

BYTES_PER_POLL: Final = 2_000_000
"""Bytes of answers in one poll; more is an endless or hostile answer. The fullest real one has some 300,000."""
ROWS_PER_REPLY: Final = 1000
"""Rows kept of one answer; more are read and counted, not kept."""
TRAPS_PER_REPLY: Final = 8
PROPERTIES_PER_POLL: Final = 50_000
"""Kept in one poll. Each takes some 100 bytes of memory, however few it was on the line."""

_INBOX: Final = memoryview(bytearray(64 * 1024))
"""What the socket gave last, of any connection: it is cut into sentences before the loop reads the next.

asyncio's own reading takes 256 KB anew each time, which costs more than the cutting.
"""
_END_OF_SENTENCE: Final = b"\0"
_FIRST_TAG: Final = 1000
_LAST_TAG: Final = 9999
"""All tags have four digits, so that the start of a plain reply has always the same length."""
_TAG: Final = b"\x09.tag="
_DIGITS: Final = 4
_ROW: Final = b"\x03!re"
_PLAIN_ROW: Final = _ROW + _TAG
_PLAIN_DONE: Final = b"\x05!done" + _TAG
"""How newer routers begin their answers: the tag stands right behind the reply word."""
_ROW_START: Final = len(_PLAIN_ROW) + _DIGITS
_DONE_START: Final = len(_PLAIN_DONE) + _DIGITS
_NEXT_ROW: Final = _END_OF_SENTENCE + _PLAIN_ROW
_UNTAGGED: Final = b""
_EQUALS: Final = ord("=")
_DOT: Final = ord(".")
_CHALLENGE_BYTES: Final = 16
_SHOWN_BYTES: Final = 240


class Reply(msgspec.Struct, eq=False):
    """All sentences that answered one command."""

    rows: list[Row] = []
    traps: list[TrapError] = []
    ret: bytes | None = None
    left_out: int = 0
    """Rows beyond ``ROWS_PER_REPLY``."""
    waited: float = 0.0
    """Seconds from the write to the end of this answer."""
    late: bool = False
    """The command was cancelled because it took longer than the round may."""

    def raise_traps(self) -> None:
        """Raise what the router refused, if it did."""
        if len(self.traps) > 1:
            raise MultiTrapError(*self.traps)
        if self.traps:
            raise self.traps[0]


class RouterConnection(asyncio.BufferedProtocol):
    """One API session. One round of commands at a time; after any failure it is closed for good."""

    def __init__(self) -> None:
        self.most_rows, self.most_properties, self.most_bytes = ROWS_PER_REPLY, PROPERTIES_PER_POLL, BYTES_PER_POLL
        """Who works with larger tables than a poll reads raises them."""
        self._reader = SentenceReader()
        self._memory = RowMemory()
        self._waiting: dict[bytes, Reply] = {}
        self._answered: asyncio.Future[None] | None = None
        self._failure: LibRouterosError | None = None
        self._transport: asyncio.Transport | None = None
        # asked for once: Python 3.11 makes a system call each time, and every answer needs its clock
        self._loop = asyncio.get_running_loop()
        self._lost = self._loop.create_future()
        self._last_tag = _LAST_TAG
        self._received = 0
        self._kept = 0
        self._asked_at = 0.0
        self._read_at = 0.0
        self._last_start = b""

    @property
    def usable(self) -> bool:
        """Whether another round may be sent."""
        return self._failure is None and self._transport is not None and not self._transport.is_closing()

    @property
    def own_address(self) -> str:
        """The address of this box that the router talks to; empty when there is no connection."""
        name = self._transport.get_extra_info("sockname") if self._transport else None
        return str(name[0]) if name else ""

    def begin_poll(self, *, tables: bool = False) -> None:
        """Start the budget of bytes and properties anew; rows of ``tables`` are remembered until the next such poll."""
        self._memory.begin(tables=tables)
        self._received = 0
        self._kept = 0

    async def ask(self, commands: Iterable[bytes], patience: float | None = None) -> list[Reply]:
        """Send encoded commands in one write and return their replies in the same order.

        What is unanswered after ``patience`` seconds is cancelled (MikroTik's ``/cancel``), so that
        one command that hangs, such as a name no server resolves, does not cost all the others.
        """
        asked = tuple(commands)
        if not asked:
            return []
        waiting: dict[bytes, Reply] = {}
        sentences: list[bytes] = []
        for command in asked:
            tag = self._next_tag()
            waiting[tag] = Reply()
            sentences.append(_tagged(command, tag))
        replies = list(waiting.values())
        hurry = self._loop.call_later(patience, self._cancel_late) if patience else None
        try:
            await self._round(b"".join(sentences), waiting)
        finally:
            if hurry is not None:
                hurry.cancel()
        tape = TAPE.get()
        if tape is not None:
            tape.exchanges += map(_exchange, asked, replies)
        return replies

    async def ask_untagged(self, command: bytes) -> Reply:
        """Send one command as the oldest routers expect it; only login needs this."""
        reply = Reply()
        await self._round(command + _END_OF_SENTENCE, {_UNTAGGED: reply})
        return reply

    async def _round(self, sent: bytes, waiting: dict[bytes, Reply]) -> None:
        if self._failure is not None:
            raise self._failure
        if self._transport is None:
            raise ConnectionClosed("not connected")
        if not waiting:
            return
        self._waiting = waiting
        self._answered = self._loop.create_future()
        self._asked_at = self._loop.time()
        self._transport.write(sent)
        try:
            await self._answered
        finally:
            self._answered = None

    def _next_tag(self) -> bytes:
        """Return a tag that is free: no round has thousands of commands, and each ends before the next begins."""
        self._last_tag = self._last_tag + 1 if self._last_tag < _LAST_TAG else _FIRST_TAG
        return b"%d" % self._last_tag

    def _cancel_late(self) -> None:
        if self._transport is None or not self._waiting:
            return
        sentences = []
        for late, reply in list(self._waiting.items()):
            reply.late = True
            tag = self._next_tag()
            self._waiting[tag] = Reply()
            sentences.append(_tagged(encode_command("/cancel", f"=tag={late.decode()}"), tag))
        self._transport.write(b"".join(sentences))

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
        # An error that was raised holds, by its traceback, us and every row read so far. Kept here it would be a
        # circle, and megabytes of a hostile answer would stay until the garbage collector comes by.
        self._failure = ConnectionClosed("connection dropped")

    # asyncio.BufferedProtocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: D102 -- asyncio.BufferedProtocol says what it is
        self._transport = cast(asyncio.Transport, transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002, D102 -- asyncio.BufferedProtocol says what it is
        return _INBOX

    def buffer_updated(self, nbytes: int) -> None:  # noqa: D102 -- asyncio.BufferedProtocol says what it is
        data = bytes(_INBOX[:nbytes])
        self._read_at = self._loop.time()
        self._received += nbytes
        # only what an error may show: the whole chunk, kept until the next poll, would break up the memory of a process
        # with hundreds of routers
        self._last_start = data[:_SHOWN_BYTES]
        try:
            if self._received > self.most_bytes:
                raise ProtocolError(f"answer longer than {self.most_bytes} bytes: {excerpt(data)!r}")
            self._read(data)
        except LibRouterosError as error:
            self._fail(error)

    def eof_received(self) -> None:  # noqa: D102 -- asyncio.BufferedProtocol says what it is
        if not self._reader.between_sentences:
            shown = excerpt(self._last_start)
            self._fail(ProtocolError(f"answer ended without !done: {shown!r}"))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: D102 -- asyncio.BufferedProtocol says what it is
        error = ConnectionClosed("the router closed the connection" if exc is None else f"connection lost: {exc}")
        error.__cause__ = exc
        self._fail(error)
        if not self._lost.done():
            self._lost.set_result(None)

    def _read(self, data: bytes) -> None:
        """Sort all sentences in ``data``: nearly all are plain, the rest takes the careful reader."""
        reader, position, end = self._reader, 0, len(data)
        while position < end:
            if reader.between_sentences:
                position = self._take_plain(data, position)
            if position < end:
                stop = _next_plain(data, position)
                for sentence in reader.feed(data[position:stop]):
                    self._sort(sentence)
                position = stop

    def _take_plain(self, data: bytes, position: int) -> int:
        """Take sentences as newer routers send most: the tag right behind ``!re`` or ``!done``, then short words.

        Returns where the first other one begins. One loop without calls: a poll has dozens of sentences.
        """
        waiting, memory = self._waiting, self._memory
        while stop := data.find(_END_OF_SENTENCE, position) + 1:
            if data.startswith(_PLAIN_ROW, position):
                words = position + _ROW_START
                reply = waiting.get(data[words - _DIGITS : words])
                row = memory.row_in(data[words:stop])
                if reply is None or row is None:
                    break
                if row:  # some versions send rows without any property
                    self._keep(reply, row)
            elif data.startswith(_PLAIN_DONE, position):
                words = position + _DONE_START
                tag = data[words - _DIGITS : words]
                reply = waiting.get(tag)
                row = row_in(data[words:stop])
                if reply is None or row is None:
                    break
                self._finish(tag, reply, row)
            else:
                break
            position = stop
        return position

    def _sort(self, sentence: list[bytes]) -> None:
        """Put one reply sentence to its command."""
        kind = sentence[0]
        if kind == b"!fatal":  # its reason is a bare word
            raise FatalError(text(b" ".join(sentence[1:])) or "no reason given")
        tag, row = _parse(sentence)
        reply = self._waiting.get(tag)
        if reply is None:
            raise ProtocolError(f"answer to nothing asked: {excerpt(b' '.join(sentence))!r}")
        if kind == b"!re":
            if row:  # some versions send rows without any property
                self._keep(reply, row)
        elif kind == b"!done":
            self._finish(tag, reply, row)
        elif kind == b"!trap":
            reply.traps[TRAPS_PER_REPLY - 1 :] = [_trap(row)]
        elif kind != b"!empty":  # sent before !done from 7.18 on when there is nothing to return
            raise ProtocolError(f"odd reply word: {excerpt(b' '.join(sentence))!r}")

    def _keep(self, reply: Reply, row: Row) -> None:
        if len(reply.rows) >= self.most_rows:
            reply.left_out += 1
            return
        self._kept += len(row)
        if self._kept > self.most_properties:
            raise ProtocolError(f"more than {self.most_properties} properties: {excerpt(b' '.join(row.values()))!r}")
        reply.rows.append(row)

    def _finish(self, tag: bytes, reply: Reply, row: Row) -> None:
        del self._waiting[tag]
        reply.ret = row.get(b"ret")
        reply.waited = self._read_at - self._asked_at
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


def _exchange(command: bytes, reply: Reply) -> Exchange:
    return Exchange(command, reply.rows, [(str(trap.message), trap.category) for trap in reply.traps], reply.ret)


def _tagged(command: bytes, tag: bytes) -> bytes:
    return b"%b%b%b\0" % (command, _TAG, tag)


def _next_plain(data: bytes, position: int) -> int:
    """Return where the next plain row begins, the end without one.

    Old routers put the tag last: where one row is so, the next are not plain either.
    """
    if data.startswith(_ROW, position) and not data.startswith(_PLAIN_ROW, position):
        return len(data)
    return data.find(_NEXT_ROW, position) + 1 or len(data)


def _parse(sentence: list[bytes]) -> tuple[bytes, Row]:
    """Return tag and properties of a reply. ``.tag`` may stand anywhere (old routers put it last)."""
    if len(sentence) > MOST_WORDS:
        raise ProtocolError(f"endless sentence: {excerpt(sentence[-1])!r}")
    tag = _UNTAGGED
    row: Row = {}
    try:
        for word in sentence:
            if word[0] == _EQUALS:
                _, key, value = word.split(b"=", 2)
                row[key] = value
            elif word[0] == _DOT:  # other properties with a dot, such as .section, belong to the protocol
                if word.startswith(b".tag="):
                    tag = word[5:]
            elif word is not sentence[0]:
                raise ValueError
    except (ValueError, IndexError) as error:  # a length of two bytes may say 0: a word without a first byte
        raise ProtocolError(f"odd word: {excerpt(word)!r}") from error
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
