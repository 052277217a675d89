"""A terminal between an SSH channel and a command line: echo, pager, questions, noise.

It blocks, so it runs in a thread of its own; whatever touches the simulated village is done in the
event loop by ``run``.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from kampungnet_sim.ssh_command_line import CommandLine, Pager, Reply

T = TypeVar("T")
SLOW_SECONDS = 3.0
_PATIENCE_SECONDS = 0.1
_TRICKLE_SECONDS = 1.0
_HUGE_BYTES, _CHUNK_BYTES = 64 << 20, 1 << 16
_LONGEST_LINE = 4_096
_CURSOR_LEFT = "\x1b[1D"
_BACKSPACES = "\b\x7f"


class Wire(Protocol):
    """The part of an SSH channel a terminal needs."""

    closed: bool

    def recv(self, nbytes: int) -> bytes:
        """Bytes, or none at the end."""

    def sendall(self, s: bytes) -> None:
        """Send everything; OSError when the far end is gone."""


class Runner(Protocol):
    """Runs something in the event loop and waits for what it returns."""

    def __call__(self, action: Callable[[], T], /) -> T:
        """The result of ``action``."""


class Gone(Exception):
    """The far end left, or the device cut the line."""


@dataclass
class Terminal:
    """One interactive login."""

    line: CommandLine
    wire: Wire
    run: Runner
    faults: Callable[[], frozenset[str]]
    _waiting: str = ""

    def serve(self) -> None:
        """Talk until a logout ends it. Gone when the line broke."""
        if "hang_after_login" in self.faults():
            self._say_nothing()
        self._send(self.line.greeting)
        while True:
            self._send(self.run(self.line.prompt))
            text = self._read_line()
            while True:
                reply = self._obey(text)
                if not reply.question:
                    break
                self._send(reply.question)
                text = self._read_line()
            if reply.end:
                return

    def once(self, command: str) -> None:
        """Carry out one command without prompt, echo or pager, as ``ssh host command`` asks."""
        reply = self.run(lambda: self.line.execute(command))
        if reply.hangs:
            self._say_nothing()
        self._show([*reply.lines], None)

    # -- one command --------------------------------------------------------------------------

    def _obey(self, text: str) -> Reply:
        faults = self.faults()
        if "close_without_notice" in faults:
            raise Gone
        if "slow_answers" in faults:
            time.sleep(SLOW_SECONDS)
        reply = self.run(lambda: self.line.execute(text))
        if reply.hangs or "accept_never_answer" in faults:
            self._say_nothing()
        lines = list(reply.lines)
        if "noisy_terminal" in faults:
            lines = _noisy(lines, self.run(self.line.log_line))
        if "huge_word" in faults:
            self._flood(1)
        if "endless_table" in faults:
            self._flood(None)
        if "stalled_session" in faults and lines:
            self._show(lines[: len(lines) // 2], None)
            self._send(lines[len(lines) // 2][:7])
            self._say_nothing()
        self._show(lines, self.run(self.line.pager))
        return reply

    def _show(self, lines: list[str], pager: Pager | None) -> None:
        room = pager.rows if pager else len(lines)
        for count, text in enumerate(lines):
            if pager and count >= room:
                self._send(pager.text)
                key = self._key()
                self._send(pager.wipe)
                if key in "qQ\x03":
                    return
                room = count + (1 if key in "\r\n" else pager.rows)
            self._send(text + "\r\n")

    # -- keys and bytes -------------------------------------------------------------------------

    def _key(self) -> str:
        while not self._waiting:
            data = self.wire.recv(1_024)
            if not data:
                raise Gone
            self._waiting = data.decode("utf-8", errors="replace")
        key, self._waiting = self._waiting[0], self._waiting[1:]
        return key

    def _read_line(self) -> str:
        typed = ""
        while True:
            key = self._key()
            if key in "\r\n":
                # CR LF is one key; a lone LF behind a CR would be an empty command.
                if key == "\r" and self._waiting.startswith("\n"):
                    self._waiting = self._waiting[1:]
                self._send("\r\n")
                return typed
            if key in _BACKSPACES:
                self._send("\b \b" if typed else "")
                typed = typed[:-1]
            elif len(typed) < _LONGEST_LINE:
                typed += key
                self._send(key)

    def _send(self, text: str) -> None:
        data = text.encode("utf-8", "surrogateescape")
        try:
            if "trickle" in self.faults():
                for one in data:
                    self.wire.sendall(bytes((one,)))
                    time.sleep(_TRICKLE_SECONDS)
            else:
                self.wire.sendall(data)
        except OSError as error:
            raise Gone from error

    def _flood(self, words: int | None) -> None:
        """Send words of 64 MB, or lines without an end, as fast as the far end takes them."""
        chunk = b"A" * _CHUNK_BYTES if words else b"0/ 1/0    0  1234567890ABCDEF  active  online\r\n" * 1_000
        left = _HUGE_BYTES // _CHUNK_BYTES if words else -1
        try:
            while left:
                self.wire.sendall(chunk)
                left -= 1
        except OSError as error:
            raise Gone from error

    def _say_nothing(self) -> None:
        # Who only says that no more keys will come still gets no answer.
        while not self.wire.closed:
            if not self.wire.recv(1_024):
                time.sleep(_PATIENCE_SECONDS)
        raise Gone


def _noisy(lines: list[str], log: str) -> list[str]:
    """Blanks at the ends, cursor codes, and a log line where nobody expects it."""
    noisy = [f"{_CURSOR_LEFT} {text}  " if count % 5 == 4 else f"{text} " for count, text in enumerate(lines)]
    if log and len(noisy) > 2:
        noisy.insert(len(noisy) // 2, log)
    return noisy
