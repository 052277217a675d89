"""One login on a command line over SSH (paramiko), in a thread of its own, with a hard end.

    paramiko AuthenticationException, changed key   LoginRefused
    other SSHException, EOF, no prompt, too much    AnswerUnreadable
    OSError, timeout before the login               DeviceUnreachable

Reads until the prompt and never for a fixed time; always logs out; one login at a time for each
device, because a cheap ONT bears only one and a hanging login locks the technician out.
"""

import contextlib
import logging
import re
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from kampungnet_agent.driver import AnswerUnreadable, DeviceUnreachable, LoginRefused
from kampungnet_agent.record_tape import TAPE, Tape

from .fields import excerpt
from .ssh_keys import HostKeys
from .ssh_text import LOGIN, PAGER, PASSWORD, QUESTION, answer_to, clean, prompt_at_end, prompt_pattern, unescaped

MOST_BYTES: Final = 2_000_000
"""Of one login, ciphers included."""
WINDOW_BYTES: Final = 131_072
"""What may be on its way to us and unread."""
MOST_ANSWER_CHARACTERS: Final = 256_000
CONNECT_SECONDS: Final = 5.0
SETTLE_SECONDS: Final = 0.15
"""A prompt counts when nothing follows it: it may also stand inside a description."""
BURIED_PROMPT_SECONDS: Final = 1.5
"""Or when only a log line followed and then silence."""
GOODBYE_SECONDS: Final = 1.0
MOST_PAGES: Final = 2_000

_ONE_AT_A_TIME: Final[dict[tuple[str, int], threading.Lock]] = {}


class Account(NamedTuple):
    """Where to log in, and as whom."""

    host: str
    port: int
    username: str
    password: str

    @property
    def place(self) -> str:
        """Return ``host:port``."""
        return f"{self.host}:{self.port}"


class _GuardedSocket:
    """A socket that ends by itself: at the deadline, after ``MOST_BYTES``, or when told to from another thread."""

    def __init__(self, line: socket.socket, deadline: float) -> None:
        self._line, self._deadline, self._left = line, deadline, MOST_BYTES

    def recv(self, size: int) -> bytes:
        if time.monotonic() > self._deadline:
            return b""
        data = self._line.recv(min(size, 65_536))
        self._left -= len(data)
        return data if self._left > 0 else b""

    def send(self, data: bytes) -> int:
        return self._line.send(data)

    def settimeout(self, seconds: float) -> None:
        self._line.settimeout(seconds)

    def getpeername(self) -> Any:
        return self._line.getpeername()

    @property
    def _closed(self) -> bool:
        """Paramiko asks sockets for it."""
        return self._line.fileno() < 0

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)
        self._line.close()


class Visit:
    """One login from beginning to end. Made in any thread, :meth:`open` and the rest in one, :meth:`abort` from any."""

    def __init__(self, account: Account, keys: HostKeys, seconds: float) -> None:
        self._account, self._keys = account, keys
        self._tape = TAPE.get()  # here, for the rest runs in another thread
        self._deadline = time.monotonic() + seconds
        self._line: _GuardedSocket | None = None
        self._aborted = False

    def abort(self) -> None:
        """End it now, whatever it does; never raises."""
        self._aborted = True
        if self._line is not None:
            self._line.close()

    @contextlib.contextmanager
    def open(self) -> "Iterator[Shell]":
        """Log in, hand out the shell, log out; raises ``DeviceError``."""
        with self.connected() as transport:
            channel = transport.open_session(timeout=self.left())
            channel.get_pty("vt100", 200, 500)
            channel.invoke_shell()
            shell = Shell(channel, self._account, self._deadline, self._tape)
            shell.meet()
            try:
                yield shell
            finally:
                shell.say_goodbye()

    @contextlib.contextmanager
    def connected(self) -> Iterator[Any]:
        """Log in, hand out paramiko's transport, hang up; raises ``DeviceError``."""
        import paramiko  # type: ignore[import-untyped]  # 12 MB that a box without such a device never needs

        logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # it logs every refused login with a traceback
        turn = _ONE_AT_A_TIME.setdefault((self._account.host, self._account.port), threading.Lock())
        if not turn.acquire(timeout=self.left()):
            raise DeviceUnreachable("another login on this device is still open")
        transport = None
        try:
            transport = paramiko.Transport(self._connect(), default_window_size=WINDOW_BYTES)
            self._log_in(paramiko, transport)
            yield transport
        except paramiko.AuthenticationException as error:
            raise LoginRefused(f"user name or password refused: {error}"[:300]) from error
        except (paramiko.SSHException, EOFError) as error:
            raise AnswerUnreadable(f"SSH not understood: {str(error) or 'the device hung up'}"[:300]) from error
        except OSError as error:
            raise DeviceUnreachable(f"not reachable: {error}"[:300]) from error
        finally:
            self.abort()
            if transport is not None:
                transport.close()
            turn.release()

    def left(self) -> float:
        """Return the seconds this visit may still take."""
        return max(0.01, self._deadline - time.monotonic())

    def _connect(self) -> _GuardedSocket:
        line = socket.create_connection((self._account.host, self._account.port), min(CONNECT_SECONDS, self.left()))
        self._line = _GuardedSocket(line, self._deadline)
        if self._aborted:  # while the name was looked up
            self._line.close()
        return self._line

    def _log_in(self, paramiko: Any, transport: Any) -> None:
        transport.banner_timeout = transport.auth_timeout = transport.handshake_timeout = self.left()
        options = transport.get_security_options()
        family = _family(self._keys.kind_of(self._account.place))
        options.key_types = sorted(options.key_types, key=lambda kind: _family(kind) != family)
        transport.start_client(timeout=self.left())
        key = transport.get_remote_server_key()
        self._keys.check(self._account.place, key.get_name(), key.get_base64())
        transport.auth_timeout = self.left()
        try:
            transport.auth_password(self._account.username, self._account.password)
        except paramiko.BadAuthenticationType:  # it wants no password here and asks later, in the shell
            transport.auth_none(self._account.username)


def _family(kind: str) -> str:
    return "rsa" if "rsa" in kind else kind


class Shell:
    """A command line that waits for a command."""

    def __init__(self, channel: Any, account: Account, deadline: float, tape: Tape | None = None) -> None:
        self._channel, self._account, self._deadline, self._tape = channel, account, deadline, tape
        self._prompt: re.Pattern[str] | None = None
        self.greeting = ""
        """All that was shown up to the first prompt, the prompt included."""
        self.prompt = ""
        self.goodbye: tuple[str, ...] = ("exit", "quit")
        """What logs out here."""

    def meet(self) -> None:
        """Read up to the first prompt, giving name and password once more to those who ask in the shell."""
        self.greeting = self._read()
        for question, reply in ((LOGIN, self._account.username), (PASSWORD, self._account.password)):
            if question.search(self.greeting):
                self._send(reply)
                self.greeting = self._read()
        if LOGIN.search(self.greeting) or PASSWORD.search(self.greeting):
            raise LoginRefused("user name or password refused by the command line")
        self.prompt = prompt_at_end(self.greeting)
        self._prompt = prompt_pattern(self.prompt)
        self._note("", self.greeting)

    def run(self, command: str) -> str:
        """Return the answer to one command, clean; raises ``AnswerUnreadable`` when no prompt comes."""
        self._send(command)
        text = self._read(command)
        shown = prompt_at_end(text)
        if shown:
            self.prompt = shown
        answer = answer_to(command, text, self._prompt or prompt_pattern(self.prompt))
        self._note(command, answer)
        return answer

    def _note(self, command: str, answer: str) -> None:
        if self._tape is not None:
            self._tape.transcript.append((command, answer))

    def say_goodbye(self) -> None:
        """Log out as far as the device lets us; never raises."""
        self._deadline = max(self._deadline, time.monotonic()) + GOODBYE_SECONDS
        with contextlib.suppress(OSError, EOFError):  # whatever ends the line ends the login, too
            until = time.monotonic() + GOODBYE_SECONDS
            for line in self.goodbye:
                if self._channel.closed or self._channel.exit_status_ready() or time.monotonic() > until:
                    break
                self._channel.send(f"{line}\n".encode())
                self._channel.settimeout(0.2)
                with contextlib.suppress(TimeoutError):
                    shown = self._channel.recv(4096)
                    if QUESTION.search(clean(shown.decode("latin-1"))):
                        self._channel.send(b"y\n")
        with contextlib.suppress(OSError, EOFError):
            self._channel.close()

    def _send(self, line: str) -> None:
        self._channel.settimeout(max(0.01, self._deadline - time.monotonic()))
        self._channel.sendall(f"{line}\n".encode())

    def _read(self, command: str = "") -> str:
        """Read until the prompt, a question or a login; answer pagers and questions on the way."""
        raw, pages, quiet_since = "", 0, time.monotonic()
        while True:
            piece = self._piece()
            if piece:
                raw += piece
                quiet_since = time.monotonic()
                if len(raw) > MOST_ANSWER_CHARACTERS:
                    raise AnswerUnreadable(f"more than {MOST_ANSWER_CHARACTERS} characters answered {command!r}")
                continue
            text = clean(raw)
            if self._wants_key(unescaped(raw)) and pages < MOST_PAGES:
                pages += 1
                self._channel.sendall(b"\n" if QUESTION.search(text) else b" ")
                raw = PAGER.sub("", unescaped(raw))
                continue
            if self._complete(text, time.monotonic() - quiet_since):
                return text
            if time.monotonic() > self._deadline:
                shown = excerpt(text[-200:].encode("utf-8", "replace"))
                raise AnswerUnreadable(f"no prompt after {command or 'the login'!r} in time: {shown}"[:300])

    def _piece(self) -> str:
        """Return what arrives within a moment; empty when nothing does. Raises ``EOFError`` at a hang-up."""
        self._channel.settimeout(max(0.01, min(SETTLE_SECONDS, self._deadline - time.monotonic())))
        try:
            data: bytes = self._channel.recv(65_536)
        except TimeoutError:
            return ""
        if not data:
            if time.monotonic() > self._deadline:
                raise AnswerUnreadable("the device did not finish in time")
            raise EOFError
        if time.monotonic() > self._deadline:
            raise AnswerUnreadable("the device never stopped talking")
        try:
            return data.decode()
        except UnicodeDecodeError:
            return data.decode("latin-1")

    def _wants_key(self, raw: str) -> bool:
        return bool(PAGER.search(raw[-200:]) or (self._prompt is not None and QUESTION.search(raw[-300:])))

    def _complete(self, text: str, quiet: float) -> bool:
        if self._prompt is None:
            return bool(prompt_at_end(text) or LOGIN.search(text) or PASSWORD.search(text))
        lines = text.split("\n")
        if self._prompt.fullmatch(lines[-1]):
            return True
        return quiet >= BURIED_PROMPT_SECONDS and any(self._prompt.fullmatch(line) for line in lines[1:])
