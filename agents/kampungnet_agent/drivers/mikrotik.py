"""Driver ``mikrotik``: RouterOS 6 and 7 over the binary API.

One lasting connection, since each login writes a row into the router's small log. A poll is one
write and one round trip; each tenth, the first of a connection, and one that lost a ping take two.

Options of ``[[devices]]``: ``tls`` (bool), ``tls_verify`` (bool, default true), ``ca_file``;
``second_ping_address`` (default 8.8.8.8, empty for none); ``lookup_name`` (a name the router
resolves beside the server's); ``full`` (bool: ask everything at every poll, for tests and trials).
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

from kampungnet_agent.acts import About
from kampungnet_agent.driver import DeviceSettings, Finding, Polled

from .address import split_address
from .fields import seconds
from .mikrotik_check import check_router
from .mikrotik_line import address_in
from .mikrotik_log import LogFollower
from .mikrotik_plan import Known, Visit, Wishes
from .mikrotik_reading import MadeBefore, Surroundings, body_of
from .mikrotik_restart import start_anew
from .routeros_errors import foreign_errors_become_ours
from .routeros_wire import RouterConnection, log_in

PLAIN_PORT: Final = 8728
TLS_PORT: Final = 8729
TABLES_EVERY: Final = 10
"""Polls from one reading with rows of guests, users, queues and log lines to the next."""
LONGEST_PATIENCE_SECONDS: Final = 8.0
SECOND_PING_ADDRESS: Final = "8.8.8.8"
LOOKUP_NAME: Final = "www.google.com"


@dataclass(slots=True)
class _Session:
    """What is known as long as one connection lasts."""

    connection: RouterConnection
    known: Known = field(default_factory=Known)
    made: MadeBefore = field(default_factory=MadeBefore)


class MikrotikDriver:
    """One router. See :class:`kampungnet_agent.driver.Driver` for the contract."""

    OPTIONS: Final = frozenset({"tls", "tls_verify", "ca_file", "second_ping_address", "lookup_name", "full"})

    def __init__(self, settings: DeviceSettings) -> None:
        self._settings = settings
        tls = bool(settings.options.get("tls", False))
        self.host, self.port = split_address(settings.address, TLS_PORT if tls else PLAIN_PORT)
        self._tls = _tls_context(settings) if tls else None
        self._session: _Session | None = None
        self._wishes = wishes_of(settings)
        self._full = bool(settings.options.get("full", False))
        self._patience = min(LONGEST_PATIENCE_SECONDS, 0.4 * settings.timeout_seconds)
        self._log = LogFollower(settings.secret)
        self._turn = 0
        self._first_user = 0
        # at DEBUG librouteros writes every word it sends, the password too
        logging.getLogger("librouteros").setLevel(logging.INFO)

    async def poll(self) -> Polled:
        """Ask the router everything once; raises ``DeviceError``; after any failure the next poll reconnects."""
        finished = False
        try:
            with foreign_errors_become_ours():
                session = await self._ready()
                polled = await self._poll(session)
            finished = True
            return polled
        finally:
            if not finished:  # cancelled or failed: the byte stream is out of step
                self.drop()

    async def restart(self, about_to: About) -> None:
        """Start the router anew, over a connection of its own; see :class:`kampungnet_agent.acts.Restarts`."""
        other = MikrotikDriver(self._settings)
        try:
            with foreign_errors_become_ours():
                session = await other._ready()
                session.connection.begin_poll()
                await start_anew(session.connection, about_to, self._patience)
        finally:
            other.drop()

    async def check(self) -> Iterable[Finding]:
        """Say in Indonesian what works on this router and what to do about the rest."""
        try:
            return await check_router(self, self._settings, self._wishes)
        finally:
            await self.close()

    async def close(self) -> None:
        """Log out and close; never raises."""
        session, self._session = self._session, None
        if session is not None:
            await session.connection.close()

    def drop(self) -> None:
        """Forget the connection at once."""
        session, self._session = self._session, None
        if session is not None:
            session.connection.abort()

    async def connect(self) -> RouterConnection:
        """Open a TCP or TLS connection without logging in; raises foreign errors."""
        return (await self._connected()).connection

    async def ready(self) -> RouterConnection:
        """Return the lasting connection, logged in, made anew when it is gone; raises foreign errors."""
        return (await self._ready()).connection

    async def log_in(self, connection: RouterConnection) -> None:
        """Log in with the account of the settings; raises foreign errors."""
        await log_in(connection, self._settings.username, self._settings.secret)

    async def _connected(self) -> _Session:
        self.drop()
        server_name = self.host if self._tls else None
        transport, connection = await asyncio.get_running_loop().create_connection(
            RouterConnection, self.host, self.port, ssl=self._tls, server_hostname=server_name
        )
        self._session = _Session(connection)
        raw: socket.socket = transport.get_extra_info("socket")
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return self._session

    async def _ready(self) -> _Session:
        """Return the lasting session, made anew when it is gone."""
        session = self._session
        if session is None or not session.connection.usable:
            session = await self._connected()
            await self.log_in(session.connection)
        return session

    async def _poll(self, session: _Session) -> Polled:
        now = asyncio.get_running_loop().time()
        known, connection = session.known, session.connection
        tables = self._full or self._turn % TABLES_EVERY == 0
        visit = Visit(known, self._wishes, tables=tables, facts=self._full or known.facts_are_old(now))
        connection.begin_poll(tables=tables)
        for questions in (visit.first, visit.second):
            if asked := questions():
                visit.take(asked, await connection.ask([one.command for one in asked], self._patience))
        answers = visit.answers(now)
        uptime = seconds(answers.row("resource").get(b"uptime"))
        self._log.note_uptime(uptime, now)
        wishes, lines = self._wishes, self._log.new_lines(answers)
        around = Surroundings(
            wishes.wan_interface, visit.addresses, wishes.names, lines, self._first_user, session.made
        )
        body = body_of(answers, around)
        self._first_user = (self._first_user + len(body.users)) % 1_000_000
        self._turn += 1
        return Polled(body, uptime)


def wishes_of(settings: DeviceSettings) -> Wishes:
    """Return what the settings want to be asked.

    A name is always resolved: the server's, or one that is up whenever the internet is.
    """
    second = str(settings.options.get("second_ping_address", SECOND_PING_ADDRESS))
    server = "" if _is_this_machine(settings.server_host) else settings.server_host
    wanted = str(settings.options.get("lookup_name", ""))
    names = [name for name in (wanted, server) if name and not address_in(name)]
    return Wishes(
        wan_interface=settings.wan_interface,
        internet=tuple(dict.fromkeys(filter(None, (settings.ping_address, second)))),
        server=server,
        names=tuple(dict.fromkeys(names)) or (LOOKUP_NAME,),
    )


def _is_this_machine(host: str) -> bool:
    """Tell whether ``host`` means something else on the router than here."""
    address = address_in(host)
    return ip_address(address).is_loopback if address else host == "localhost"


def _tls_context(settings: DeviceSettings) -> ssl.SSLContext:
    """Return the TLS rules of ``tls_verify`` and ``ca_file``."""
    ca_file = str(settings.options.get("ca_file", "")) or None
    context = ssl.create_default_context(cafile=ca_file)
    # RouterOS' own certificates lack what Python 3.13 began to insist on (facts 1.12)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not settings.options.get("tls_verify", True):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
