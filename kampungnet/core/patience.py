"""A connection of the web server that is not waited for for ever: not for a request, nor until an answer is taken.

uvicorn waits without an end for the rest of a request (slow-loris), keeps a head however long it grows, and holds an
answer that nobody reads. Time is counted in the beats of :func:`look_at`, one a second: while the server itself was too
busy to look, nobody was slow.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

REQUEST_BEATS: Final = 30
"""For the first byte, the head and a small body, longer than a report's own door waits; a body of more than that gets
a beat for each ``SLOWEST`` bytes of it."""
SLOWEST: Final = 1_000
"""Bytes a second: the worst line of a village has twenty times as many."""
TAKE_BEATS: Final = 60
"""For the next part of an answer to be taken."""
MOST_HEAD_BYTES: Final = 64_000
"""For the address and all headers; browsers and boxes send a fiftieth of it."""

_LATE: Final = (b"408 Request Timeout", b"The request did not come in time: send it again.")
_LONG: Final = (b"431 Request Header Fields Too Large", b"The head of the request is too long.")


class PatientProtocol(HttpToolsProtocol):
    """One connection."""

    _in_head = False
    _waits = True
    """A request is expected or under way, and not whole yet."""
    _beats = 0
    _got = 0
    """Bytes of this request."""
    _under_way: Sequence[RequestResponseCycle] = ()
    _unread = 0
    """Bytes that the client had not taken at the last beat."""

    def data_received(self, data: bytes) -> None:
        """Read what came; refuse a head without an end."""
        super().data_received(data)
        self._got += len(data)
        if self._in_head and self._got > MOST_HEAD_BYTES and not self.transport.is_closing():
            self._refuse(_LONG)

    def on_message_begin(self) -> None:
        """A request begins: from here on it is waited for."""
        super().on_message_begin()
        self.await_request()

    def await_request(self) -> None:
        """Wait for a request from here on."""
        self._in_head = self._waits = True
        self._beats = self._got = 0

    def on_headers_complete(self) -> None:
        """The head is here."""
        self._in_head = False
        super().on_headers_complete()
        self._under_way = [one for one in (*self._under_way, self.cycle) if one and not one.response_complete]

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell every request under way; uvicorn tells only the newest, and the others would fail when they answer."""
        super().connection_lost(exc)
        self.pipeline.clear()
        for one in self._under_way:
            one.disconnected = True
            one.message_event.set()

    def on_message_complete(self) -> None:
        """The whole request is here: whatever is waited for now is ours, or the time between two requests."""
        self._waits = False
        super().on_message_complete()

    def beat(self) -> None:
        """A second went by: drop who keeps us waiting for too long."""
        if self.transport.is_closing():
            self._beats += 1
            if self._beats > TAKE_BEATS:  # the rest of its answer was never taken
                self.transport.abort()
        elif self.flow.write_paused:
            self._wait_until_taken()
        elif self._waits and not self.flow.read_paused:
            self._beats += 1
            if self._beats > REQUEST_BEATS + self._got // SLOWEST:
                self._refuse(_LATE)

    def _wait_until_taken(self) -> None:
        unread = self.transport.get_write_buffer_size()
        self._beats = self._beats + 1 if unread == self._unread else 0
        self._unread = unread
        if self._beats > TAKE_BEATS:
            self.transport.abort()

    def _refuse(self, why: tuple[bytes, bytes]) -> None:
        """Say why, unless an answer is under way already, and hang up; what waits for the body learns of it."""
        status, sentence = why
        self._waits, self._beats = False, 0
        if self.cycle is None or self.cycle.response_complete or self._in_head:
            head = b"HTTP/1.1 %b\r\ncontent-type: text/plain\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
            self.transport.write(head % (status, len(sentence)) + sentence)
        self.transport.close()


def look_at(connections: Iterable[Any]) -> None:
    """Let a second go by for each connection of a server."""
    for one in list(connections):
        if isinstance(one, PatientProtocol):
            one.beat()
