"""A short way for reports on uvicorn's HTTP protocol.

A task, a scope and a handful of messages for each request cost as much as all else that is done for a report. One
that came whole and asks for nothing unusual is handed to the door at once; whatever else comes goes the ordinary
way through the application, with the same door at its end.
"""

from functools import partial
from typing import Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from kampungnet.core.patience import PatientProtocol
from kampungnet.ingest.routes import Answer, ReportDoor
from kampungnet.shared import wire

DOOR: Final = "report_door"
"""Name of the door in the state that the application's lifespan gives."""
_URL: Final = wire.REPORTS_PATH.encode()


class _Report:
    """A report under way, with what uvicorn's protocol asks about any request under way."""

    __slots__ = ("disconnected", "headers", "keep_alive", "parts", "response_complete")

    def __init__(self, headers: list[tuple[bytes, bytes]]) -> None:
        self.headers = headers
        self.parts: list[bytes] = []
        self.response_complete = self.disconnected = False
        self.keep_alive = True

    @property
    def message_event(self) -> "_Report":
        """Return itself; kept as an attribute it would keep every report until the collector looks for cycles."""
        return self

    def set(self) -> None:
        """Nobody waits for more of it."""


class ReportLane(PatientProtocol):
    """One connection."""

    _coming: _Report | None = None
    """A usual report whose body is not here yet."""
    _whole: _Report | None = None
    """One that is here and was not handed over yet."""

    def data_received(self, data: bytes) -> None:
        """Read what came, and hand over a report that is whole; for the rest of a body is waited the ordinary way."""
        super().data_received(data)
        # Not from the parser's callbacks: an error of ours would be taken for bad HTTP, and boxes believe a 400.
        if (report := self._whole) is not None:
            self._whole = None
            door: ReportDoor = self.app_state[DOOR]
            peer = self.client[0] if self.client else None
            door.take(dict(report.headers), b"".join(report.parts), partial(self._answer, report), peer)
        elif (report := self._coming) is not None:
            self._coming = None
            self._begin_the_ordinary_way()
            for part in report.parts:
                super().on_body(part)

    def on_message_begin(self) -> None:
        """A request begins; what only the ordinary way asks for is made where that begins."""
        self.url, self.headers, self.expect_100_continue = b"", [], False
        self.await_request()

    def on_headers_complete(self) -> None:
        """Hold a usual report back until its body is here."""
        if self._is_usual():
            self._in_head = False
            self._coming = _Report(self.headers)
        else:
            self._begin_the_ordinary_way()

    def _begin_the_ordinary_way(self) -> None:
        url, headers, expects, got = self.url, self.headers, self.expect_100_continue, self._got
        super().on_message_begin()
        self.url, self.expect_100_continue, self._got = url, expects, got
        self.headers += headers  # the list that is in uvicorn's scope already
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        if self._coming is None:
            super().on_body(body)
        else:
            self._coming.parts.append(body)

    def on_message_complete(self) -> None:
        """Note that a body is whole."""
        if self._coming is None:
            super().on_message_complete()
        else:
            self._waits = False
            self._whole = self.cycle = self._coming  # type: ignore[assignment]  # all that uvicorn asks of a cycle
            self._coming = None

    def _is_usual(self) -> bool:
        """Tell whether a request is a report and may be the only one of its connection until it is answered."""
        parser, before = self.parser, self.cycle
        return (
            self.url == _URL
            and parser.get_method() == b"POST"
            and (before is None or before.response_complete)
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not (self.expect_100_continue or parser.should_upgrade() or self.flow.write_paused)
            and DOOR in self.app_state
        )

    def _answer(self, report: _Report, answer: Answer) -> None:
        report.response_complete = True
        # The box hung up, or sent what is no HTTP behind its report, which is safe all the same. Of a connection that
        # is lost uvicorn tells only the newest request, and to write to it would raise.
        if self.transport.is_closing():
            return
        head = [STATUS_LINE[answer.status]]
        for name, value in (*self.server_state.default_headers, *answer.headers()):
            head += (name, b": ", value, b"\r\n")
        if not report.keep_alive:  # the server was told to stop meanwhile
            head.append(b"connection: close\r\n")
        self.transport.write(b"".join((*head, b"\r\n", answer.body)))
        if not report.keep_alive:
            self.transport.close()
        self.on_response_complete()
