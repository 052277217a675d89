"""A small SSH server on loopback: one command line that answers from a dictionary, with misbehaviour to choose."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import paramiko  # type: ignore[import-untyped]

from tests.support.ports import free_port

KEY = paramiko.ECDSAKey.generate()


@dataclass
class ScriptedShell:
    answers: dict[str, str] = field(default_factory=dict)
    prompt: str = "WAP>"
    greeting: str = "\r\nWelcome\r\n"
    password: str = "rahasia"
    key: paramiko.PKey = KEY
    kex: tuple[str, ...] = ()
    asks_again: bool = False
    """Wants name and password once more, in the shell."""
    goodbyes: tuple[str, ...] = ("exit", "quit", "logout")
    said: list[str] = field(default_factory=list)
    logins: int = 0
    open_now: int = 0
    most_open: int = 0
    ended_politely: int = 0

    def talk(self, channel: paramiko.Channel) -> None:
        """One login from greeting to goodbye."""
        channel.sendall(self.greeting.encode())
        if self.asks_again:
            channel.sendall(b"Login: ")
            self.line(channel)
            channel.sendall(b"Password: ")
            if self.line(channel) != self.password:
                channel.sendall(b"\r\nLogin incorrect\r\nLogin: ")
                self.line(channel)
                return
        channel.sendall(self.prompt.encode())
        while True:
            line = self.line(channel)
            self.said.append(line)
            if line in self.goodbyes:
                self.ended_politely += 1
                return
            channel.sendall(f"{line}\r\n".encode())
            if not self.answer(channel, line):
                return
            channel.sendall(f"\r\n{self.prompt}".encode())

    def answer(self, channel: paramiko.Channel, line: str) -> bool:
        """Answer one line; False hangs up."""
        channel.sendall(self.answers.get(line, "% Unknown command").replace("\n", "\r\n").encode())
        return True

    @staticmethod
    def line(channel: paramiko.Channel) -> str:
        """Read one typed line."""
        typed = b""
        while not typed.endswith((b"\n", b"\r")):
            piece = channel.recv(1)
            if not piece:
                raise EOFError
            typed += piece
        return typed.decode().strip()


class _Door(paramiko.ServerInterface):  # type: ignore[misc]  # untyped library
    def __init__(self, shell: ScriptedShell) -> None:
        self._shell = shell
        self.opened = threading.Event()

    def check_auth_password(self, username: str, password: str) -> int:  # noqa: ARG002 -- paramiko's signature
        return 0 if password == self._shell.password else 2  # AUTH_SUCCESSFUL, AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002 -- as above
        return 0  # OPEN_SUCCEEDED

    def check_channel_pty_request(self, *_: object) -> bool:
        return True

    def check_channel_shell_request(self, channel: paramiko.Channel) -> bool:  # noqa: ARG002 -- as above
        self.opened.set()
        return True


@contextlib.contextmanager
def serving_ssh(shell: ScriptedShell) -> Iterator[str]:
    """Serve on a free loopback port; yield ``host:port``."""
    listener = socket.create_server(("127.0.0.1", free_port()))
    threading.Thread(target=_accept, args=(listener, shell), daemon=True).start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


def _accept(listener: socket.socket, shell: ScriptedShell) -> None:
    while True:
        try:
            line, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(line, shell), daemon=True).start()


def _serve(line: socket.socket, shell: ScriptedShell) -> None:
    transport = paramiko.Transport(line)
    transport.add_server_key(shell.key)
    if shell.kex:
        transport.get_security_options().kex = shell.kex
    door = _Door(shell)
    with contextlib.suppress(EOFError, OSError, paramiko.SSHException):
        transport.start_server(server=door)
        channel = transport.accept(10)
        if channel is None or not door.opened.wait(5):
            return
        shell.logins += 1
        shell.open_now += 1
        shell.most_open = max(shell.most_open, shell.open_now)
        try:
            shell.talk(channel)
        finally:
            shell.open_now -= 1
            channel.close()
    transport.close()
