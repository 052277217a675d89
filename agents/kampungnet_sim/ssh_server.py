"""An SSH server on loopback for one device: password login, shell and single commands.

paramiko's server side, and nothing else of it: no code is shared with the drivers, which use its
client side. It works with threads, so each login has one; the simulated world stays in the event loop.
"""

import asyncio
import io
import logging
import queue
import secrets
import socket
import stat
import struct
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import TypeVar

import paramiko  # type: ignore[import-untyped]

from kampungnet_sim.ssh_command_line import CommandLine, Pager, Reply
from kampungnet_sim.ssh_terminal import Gone, Terminal

T = TypeVar("T")
_LOGIN_SECONDS = 30.0
_LOOP_SECONDS = 30.0
_FAREWELL_SECONDS = 1.0
_NEXT_SECONDS = 0.05
_NOTICE_SECONDS = 1.5
_COMMANDS_KEPT = 1_000
_LOG = "kampungnet_sim.ssh"


@dataclass(frozen=True, slots=True)
class Ciphers:
    """What a device offers in the key exchange; empty means whatever is new."""

    kex: tuple[str, ...] = ()
    host_key: tuple[str, ...] = ("rsa-sha2-512", "rsa-sha2-256")
    ciphers: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    version: str = "dropbear_2022.83"


SSH_AGES: dict[str, Ciphers] = {
    "new": Ciphers(("curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "diffie-hellman-group14-sha256")),
    # An OLT of some years ago: SHA-1 only.
    "old": Ciphers(
        ("diffie-hellman-group14-sha1",), ("ssh-rsa",), ("aes128-cbc", "3des-cbc"), ("hmac-sha1",), "HUAWEI-1.5"
    ),
    # A GPON stick: dropbear of 2008 (facts/ont-snmp.md, 11.5).
    "ancient": Ciphers(
        ("diffie-hellman-group1-sha1",), ("ssh-rsa",), ("3des-cbc",), ("hmac-sha1", "hmac-md5"), "dropbear_0.48"
    ),
}


@dataclass(frozen=True)
class SshDevice:
    """How one device is logged in to. A second login than ``sessions`` allows is reset."""

    username: str
    password: str
    command_line: Callable[[], CommandLine]
    answers: Callable[[], bool]
    faults: Callable[[], frozenset[str]]
    age: str = "new"
    banner: str = ""
    sessions: int = 1
    # Of devices that take one command after the other on channels of their own, and hand out files by SFTP.
    file: Callable[[str], bytes | None] | None = None


@dataclass
class SshCounts:
    """What happened at the door. ``left_open`` counts logins that ended without a logout command."""

    connections: int = 0
    turned_away: int = 0
    logins: int = 0
    refused: int = 0
    logouts: int = 0
    left_open: int = 0
    commands: list[str] = field(default_factory=list)


@cache
def _host_key(number: int) -> paramiko.PKey:
    """One key a process, made when first needed; ``number`` 1 is the one after a swap."""
    del number
    return paramiko.RSAKey.generate(2_048)


class _Door(paramiko.ServerInterface):  # type: ignore[misc]  # paramiko has no types
    """What paramiko asks about one connection."""

    def __init__(self, device: SshDevice, counts: SshCounts) -> None:
        self._device = device
        self._counts = counts
        # Channels with the command that each is for; None is a shell.
        self.asked: queue.SimpleQueue[tuple[paramiko.Channel, str | None]] = queue.SimpleQueue()
        self._untold: list[tuple[paramiko.Channel, str | None]] = []

    def told(self) -> None:
        """The client knows that it may: only now, or a quick answer would close the channel before it is told."""
        while self._untold:
            self.asked.put(self._untold.pop(0))

    def get_allowed_auths(self, username: str) -> str:
        """Passwords only."""
        del username
        return "password"

    def check_auth_password(self, username: str, password: str) -> int:
        """Right or wrong."""
        right = username == self._device.username and secrets.compare_digest(
            password.encode(), self._device.password.encode()
        )
        if right and "wrong_password" not in self._device.faults():
            self._counts.logins += 1
            return int(paramiko.common.AUTH_SUCCESSFUL)
        self._counts.refused += 1
        return int(paramiko.common.AUTH_FAILED)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        """Sessions only: no forwarding."""
        del chanid
        if kind == "session":
            return int(paramiko.common.OPEN_SUCCEEDED)
        return int(paramiko.common.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED)

    def check_channel_pty_request(self, *_: object) -> bool:
        """Any terminal will do; its size is ignored, as such devices do."""
        return True

    def check_channel_shell_request(self, channel: paramiko.Channel) -> bool:
        """A shell is wanted."""
        self._untold.append((channel, None))
        return True

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        """One command is wanted."""
        self._untold.append((channel, command.decode("utf-8", errors="replace")))
        return True

    def get_banner(self) -> tuple[str, str]:
        """Shown before the password is asked."""
        return self._device.banner, "en-US"


class _Transport(paramiko.Transport):  # type: ignore[misc]  # paramiko has no types
    """Tells the door when a client was told yes; paramiko itself only asks before."""

    def _send_user_message(self, data: paramiko.Message) -> None:
        try:
            super()._send_user_message(data)
        finally:  # also when the client is gone: it leaves a login open
            if data.asbytes().startswith(paramiko.common.cMSG_CHANNEL_SUCCESS):
                self.server_object.told()


class _Files(paramiko.SFTPServerInterface):  # type: ignore[misc]  # paramiko has no types
    """The disk of a device, to read only."""

    def __init__(self, server: paramiko.ServerInterface, file: Callable[[str], bytes | None]) -> None:
        super().__init__(server)
        self._file = file

    def stat(self, path: str) -> paramiko.SFTPAttributes | int:
        """What is known of a file before it is fetched."""
        data = self._file(path)
        if data is None:
            return int(paramiko.SFTP_NO_SUCH_FILE)
        found = paramiko.SFTPAttributes()
        found.st_size, found.st_mode = len(data), stat.S_IFREG | 0o644
        return found

    lstat = stat

    def open(self, path: str, flags: int, attr: paramiko.SFTPAttributes) -> paramiko.SFTPHandle | int:
        """One file."""
        del attr
        data = self._file(path)
        if data is None:
            return int(paramiko.SFTP_NO_SUCH_FILE)
        handle = paramiko.SFTPHandle(flags)
        handle.readfile = io.BytesIO(data)
        return handle


class SshServer:
    """Listens for one device. Asks ``device`` about village and faults in the event loop only."""

    def __init__(self, device: SshDevice) -> None:
        self.counts = SshCounts()
        self._device = device
        self._listener: socket.socket | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._live: set[socket.socket] = set()
        self._lock = threading.Condition()

    async def start(self, port: int = 0) -> int:
        """Listen on 127.0.0.1; returns the port."""
        logging.getLogger(_LOG).setLevel(logging.CRITICAL + 1)
        self._loop = asyncio.get_running_loop()
        # The first key takes a moment; no client should wait for it.
        await asyncio.to_thread(_host_key, 0)
        self._listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept_for_ever, args=(self._listener,), daemon=True).start()
        return int(self._listener.getsockname()[1])

    def listed(self) -> dict[str, object]:
        """As the control socket shows it."""
        return asdict(self.counts)

    def close(self) -> None:
        """Stop listening and cut every login."""
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        self.drop_all()

    def drop_all(self) -> None:
        """Cut every login without notice."""
        with self._lock:
            live = tuple(self._live)
        for one in live:
            _reset(one)

    # -- threads ------------------------------------------------------------------------------

    def _accept_for_ever(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.counts.connections += 1
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _enter(self, connection: socket.socket) -> bool:
        """Take a place; who just left may not have been noticed yet."""
        with self._lock:
            free = self._lock.wait_for(lambda: len(self._live) < self._device.sessions, _NOTICE_SECONDS)
            if free:
                self._live.add(connection)
        return free

    def _one(self, connection: socket.socket) -> None:
        if not self._enter(connection):
            self.counts.turned_away += 1
            _reset(connection)
            return
        try:
            self._speak(connection)
        except (paramiko.SSHException, OSError, EOFError, Gone, RuntimeError, TimeoutError, CancelledError):
            # The client left, spoke something else, or the simulator is ending.
            pass
        finally:
            _farewell(connection)
            with self._lock:
                self._live.discard(connection)
                self._lock.notify()

    def _speak(self, connection: socket.socket) -> None:
        device = self._device
        faults = self._run(device.faults)
        if not self._run(device.answers):
            _reset(connection)
            return
        if "accept_never_answer" in faults:
            while connection.recv(1_024):
                pass
            return
        if "garbage_bytes" in faults:
            connection.sendall(secrets.token_bytes(4_000))
            return
        # A descriptor of its own: paramiko closes it before the client has read the last words.
        transport = _Transport(connection.dup(), strict_kex=self._device.age == "new")
        try:
            door = self._open_door(transport, int("new_host_key" in faults))
            until, served = time.monotonic() + _LOGIN_SECONDS, False
            while (self._device.file is not None or not served) and time.monotonic() < until:
                if not transport.is_active() and door.asked.empty():
                    break
                with suppress(queue.Empty):
                    self._serve(*door.asked.get(timeout=_NEXT_SECONDS))
                    served = True
            # The client goes first; who dawdles is cut off.
            transport.join(_FAREWELL_SECONDS)
        finally:
            transport.close()

    def _open_door(self, transport: paramiko.Transport, key: int) -> _Door:
        offered = SSH_AGES[self._device.age]
        transport.set_log_channel(_LOG)
        transport.local_version = f"SSH-2.0-{offered.version}"
        transport.add_server_key(_host_key(key))
        options = transport.get_security_options()
        options.kex, options.key_types = offered.kex, offered.host_key
        if offered.ciphers:
            options.ciphers, options.digests = offered.ciphers, offered.digests
        door = _Door(self._device, self.counts)
        if self._device.file is not None:
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Files, self._file)
        transport.start_server(server=door)
        return door

    def _serve(self, channel: paramiko.Channel, command: str | None) -> None:
        terminal = Terminal(self._run(self._command_line), channel, self._run, lambda: self._run(self._faults))
        try:
            if command is not None:
                terminal.once(command)
            else:
                terminal.serve()
            self.counts.logouts += 1
            channel.send_exit_status(0)
        except Gone:
            self.counts.left_open += 1
        finally:
            channel.close()

    def _faults(self) -> frozenset[str]:
        """Of this moment; a device that lost its power ends every login."""
        faults = self._device.faults()
        return faults if self._device.answers() else faults | {"close_without_notice"}

    def _file(self, name: str) -> bytes | None:
        found = self._device.file
        return None if found is None else self._run(lambda: found(name))

    def _command_line(self) -> CommandLine:
        return _Counted(self._device.command_line(), self.counts)

    def _run(self, action: Callable[[], T]) -> T:
        """Run in the event loop, where the village lives; RuntimeError when that has ended."""
        if self._loop is None or self._loop.is_closed():
            raise RuntimeError("the simulator is ending")

        async def there() -> T:
            return action()

        work = there()
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result(_LOOP_SECONDS)
        except RuntimeError:
            work.close()
            raise


class _Counted:
    """A command line whose commands are written down."""

    def __init__(self, line: CommandLine, counts: SshCounts) -> None:
        self.greeting = line.greeting
        self._line, self._counts = line, counts

    def prompt(self) -> str:
        """As the line says."""
        return self._line.prompt()

    def pager(self) -> Pager | None:
        """As the line says."""
        return self._line.pager()

    def log_line(self) -> str:
        """As the line says."""
        return self._line.log_line()

    def execute(self, line: str) -> Reply:
        """Note it, then do it."""
        if len(self._counts.commands) < _COMMANDS_KEPT:
            self._counts.commands.append(line)
        return self._line.execute(line)


def _farewell(connection: socket.socket) -> None:
    """Close so that the far end can still read what was sent."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(_FAREWELL_SECONDS)
        while connection.recv(1_024):
            pass
    connection.close()


def _reset(connection: socket.socket) -> None:
    """End a connection the rude way: RST, no goodbye."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
