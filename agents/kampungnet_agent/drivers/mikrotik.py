"""Driver ``mikrotik``: RouterOS 6 and 7 over the binary API.

One lasting connection, since each login writes a row into the router's small log. A poll is
one write and one round trip; the first poll of a connection takes two, because the gateway to
ping and the Wi-Fi menus that exist are learned first.

Options of ``[[devices]]``: ``tls`` (bool), ``tls_verify`` (bool, default true), ``ca_file``.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import starmap
from typing import Final

from kampungnet_agent.driver import DeviceSettings, Finding, Polled

from .address import split_address
from .fields import seconds, text
from .mikrotik_check import check_router
from .mikrotik_reading import (
    STANDING,
    WIRELESS,
    Asked,
    Question,
    body_of,
    default_route,
    gateway_address,
    is_missing_menu,
    ping_question,
    refusal,
)
from .routeros_errors import foreign_errors_become_ours
from .routeros_wire import Reply, RouterConnection, log_in

PLAIN_PORT: Final = 8728
TLS_PORT: Final = 8729


@dataclass(slots=True)
class _Session:
    """What is known as long as one connection lasts."""

    connection: RouterConnection
    questions: tuple[Question, ...] = STANDING + WIRELESS
    absent: list[str] = field(default_factory=list)
    """``missing`` entries of menus this router does not have; not asked again."""
    gateway: str | None = None
    """``None`` until the first poll told it; empty when there is none to ping."""


class MikrotikDriver:
    """One router. See :class:`kampungnet_agent.driver.Driver` for the contract."""

    OPTIONS: Final = frozenset({"tls", "tls_verify", "ca_file"})

    def __init__(self, settings: DeviceSettings) -> None:
        self._settings = settings
        tls = bool(settings.options.get("tls", False))
        self.host, self.port = split_address(settings.address, TLS_PORT if tls else PLAIN_PORT)
        self._tls = _tls_context(settings) if tls else None
        self._session: _Session | None = None
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

    async def check(self) -> Iterable[Finding]:
        """Say in Indonesian what works on this router and what to do about the rest."""
        try:
            return await check_router(self, self._settings)
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
        addresses = self._ping_addresses(session.gateway)
        replies = await _ask(session, (*session.questions, *starmap(ping_question, addresses.items())))
        _learn_menus(session, replies)
        route = default_route(replies["default route"].rows) if "default route" in replies else {}
        gateway = gateway_address(text(route.get(b"gateway")))
        if session.gateway is None:
            addresses = self._ping_addresses(gateway)
            replies |= await _ask(session, starmap(ping_question, addresses.items()))
        session.gateway = gateway
        missing = [*session.absent]
        if "gateway" not in addresses:
            missing.append("ping gateway: no active default route with an address")
        asked = Asked(replies, self._settings.wan_interface, addresses, missing)
        return Polled(body_of(asked), seconds(asked.row("resource").get(b"uptime")))

    def _ping_addresses(self, gateway: str | None) -> dict[str, str]:
        """Return what to ping; nothing before the gateway is known, so that both go in one round."""
        if gateway is None:
            return {}
        wanted = {"gateway": gateway, "internet": self._settings.ping_address}
        return {target: address for target, address in wanted.items() if address}


async def _ask(session: _Session, questions: Iterable[Question]) -> dict[str, Reply]:
    asked = tuple(questions)
    replies = await session.connection.ask(question.command for question in asked)
    return {question.name: reply for question, reply in zip(asked, replies, strict=True)}


def _learn_menus(session: _Session, replies: dict[str, Reply]) -> None:
    """Stop asking for menus this router does not have; each is named in ``missing`` from now on.

    Of the Wi-Fi menus one is enough: only a router without any is reported.
    """
    gone = {name: reply for name, reply in replies.items() if reply.traps and is_missing_menu(reply)}
    if not gone:
        return
    for name in gone:
        del replies[name]
    session.questions = tuple(question for question in session.questions if question.name not in gone)
    wireless = {question.name for question in WIRELESS}
    session.absent += [refusal(name, reply, "read") for name, reply in gone.items() if name not in wireless]
    if wireless & gone.keys() and not wireless & replies.keys():
        session.absent.append("wireless: no registration table on this router")


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
