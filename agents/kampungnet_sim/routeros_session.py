"""One API connection: login, tags, interleaved replies, streams, and the ways it may fail."""

import asyncio
import hashlib
import os
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import cast

from kampungnet_sim import routeros_hostile as hostile
from kampungnet_sim import routeros_probes as probes
from kampungnet_sim import routeros_streams as streams
from kampungnet_sim.line import DelayLine
from kampungnet_sim.routeros_engine import Engine, encode_rows
from kampungnet_sim.routeros_fetch import fetch
from kampungnet_sim.routeros_monitors import MONITORS
from kampungnet_sim.routeros_outlet import Outlet
from kampungnet_sim.routeros_query import QueryError
from kampungnet_sim.routeros_request import Frame, Request, parse_request, split_tag
from kampungnet_sim.routeros_router import ApiSession, Moment
from kampungnet_sim.routeros_tables import RouterTrap, Row
from kampungnet_sim.routeros_user import RouterUser
from kampungnet_sim.routeros_wire import SentenceReader, WireError

MAX_SESSIONS = 20
_MAX_STRANGER_COMMANDS = 3
SLOW_SECONDS = 3.0
_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)


@dataclass
class ServerOptions:
    """How one router's service behaves; times are milliseconds."""

    rtt_ms: float = 0.0
    instant_ping: bool = False
    tag_last: bool = False
    # Acknowledge every packet at once. Clients that send word by word otherwise wait 40 ms a command
    # for the kernel's delayed acknowledgement, which says nothing about them or the router.
    quick_ack: bool = False
    faults: Callable[[], frozenset[str]] = field(default=frozenset)


class ApiConnection(asyncio.Protocol):
    """One client. Everything that arrives together is answered with one write."""

    def __init__(self, engine: Engine, options: ServerOptions, members: set["ApiConnection"]) -> None:
        self._engine = engine
        self._options = options
        self._members = members
        self._reader = SentenceReader()
        self._transport: asyncio.Transport | None = None
        self._user: RouterUser | None = None
        self._challenge = b""
        self._strangers = 0
        self._tasks: dict[bytes | None, asyncio.Task[None]] = {}
        self._inward = DelayLine(self._take, options.rtt_ms / 2000)
        self._outward = DelayLine(self._put, options.rtt_ms / 2000)
        self._moment: Moment | None = None
        self._silent = False
        self._writable = asyncio.Event()
        self._writable.set()
        self._outlet = Outlet(self._outward.send, options.faults, self._reboot)

    # -- life -------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client came; a dark router does not even refuse politely."""
        # A TLS transport is no subclass of the plain one, though it does the same.
        transport = cast(asyncio.Transport, transport)
        self._transport = transport
        state = self._engine.router.village
        now = self._engine.router.clock()
        if not state.router_is_up(now):
            transport.abort()
            return
        service = "api" if transport.get_extra_info("ssl_object") is None else "api-ssl"
        if not self._engine.router.own.admits(service, self._peer()):
            transport.abort()
            return
        self._silent = not state.router_answers_at(now)
        limited = self._engine.router.version.limits_sessions
        if limited and len(self._members) >= MAX_SESSIONS:
            transport.write(Frame(None, tag_last=False).fatal("too many sessions"))
            transport.close()
            return
        self._members.add(self)
        if self._options.quick_ack:
            self._acknowledge()

    def connection_lost(self, _exc: Exception | None) -> None:
        """The client went away."""
        self._members.discard(self)
        self._writable.set()
        self._outlet.close()
        for task in self._tasks.values():
            task.cancel()
        session = self._engine.router.sessions.pop(id(self), None)
        village, now = self._engine.router.village, self._engine.router.clock()
        # A router that went dark wrote nothing about whom it lost.
        if session is not None and session.since >= village.calendar.segment(now).boot and village.router_is_up(now):
            self._log("system,info,account", f"user {session.user} logged out from {self._peer()} via api")

    def drop(self) -> None:
        """End without notice, as a power cut does."""
        if self._transport is not None:
            self._transport.abort()

    def _reboot(self) -> None:
        if self._engine.on_reboot is not None:
            self._engine.on_reboot()

    def _peer(self) -> str:
        peer = self._transport.get_extra_info("peername") if self._transport else None
        return str(peer[0]) if peer else "127.0.0.1"

    def _log(self, topics: str, message: str) -> None:
        self._engine.router.note(self._engine.router.clock(), topics, message)

    # -- bytes ------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Bytes arrived at the router's end of the line (half a round trip later)."""
        if self._options.quick_ack:
            self._acknowledge()
        self._inward.send(data)

    def _acknowledge(self) -> None:
        raw = self._transport.get_extra_info("socket") if self._transport else None
        if raw is not None and _QUICK_ACK is not None:
            # The kernel forgets it, so it is said again after each packet.
            raw.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)

    def _put(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _send(self, data: bytes) -> None:
        self._outlet.send(data)

    def pause_writing(self) -> None:
        """The client reads more slowly than we write."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It has caught up."""
        self._writable.set()

    def _take(self, data: bytes) -> None:
        router = self._engine.router
        now = router.clock()
        if not router.village.router_is_up(now):
            self.drop()
            return
        if self._silent or self._outlet.stalled or not router.village.router_answers_at(now):
            return
        faults = self._options.faults()
        if "close_without_notice" in faults:
            self.drop()
            return
        if "accept_never_answer" in faults:
            return
        try:
            sentences = self._reader.feed(data)
        except WireError:
            self.drop()
            return
        if "slow_answers" in faults:
            asyncio.get_running_loop().call_later(SLOW_SECONDS, self._answer, sentences)
        else:
            self._answer(sentences)

    def _answer(self, sentences: list[list[bytes]]) -> None:
        # One look at the village for all that arrived together.
        self._moment = None
        self._send(b"".join([self._sentence(words) for words in sentences]))

    # -- sentences --------------------------------------------------------------------

    def _sentence(self, words: list[bytes]) -> bytes:
        tag, rest = split_tag(words)
        frame = Frame(tag, tag_last=self._options.tag_last)
        if not rest:
            return frame.trap("no such command", 0) + frame.done()
        try:
            request = parse_request(rest)
            if self._user is None:
                return self._before_login(request, frame)
            return self._command(self._user, request, frame)
        except RouterTrap as trap:
            return frame.trap(trap.message, trap.category) + frame.done()
        except QueryError as error:
            return frame.trap(str(error), 1) + frame.done()

    def _command(self, user: RouterUser, request: Request, frame: Frame) -> bytes:
        verb = request.verb
        if verb in ("print", "getall"):
            self._engine.check_rights(user, request)
            if "interval" in request.arguments:
                return self._start(frame, self._repeat(user, request, frame))
            return self._printed(user, request, frame)
        if request.command in ("/quit", "/cancel", "/login"):
            return self._control(request, frame)
        self._engine.check_rights(user, request)
        recorded = self._engine.recorded(request, frame)
        if recorded is not None:
            return recorded
        return self._over_time(request, frame)

    def _printed(self, user: RouterUser, request: Request, frame: Frame) -> bytes:
        faults = self._options.faults()
        menu = self._engine.menu_of(request.menu) if faults else None
        if menu is None:
            return self._engine.print(user, request, frame, self._now())
        counting = request.flag("count-only")
        if "huge_word" in faults:
            return self._start(frame, hostile.huge_word(frame), alone=True)
        if hostile.is_huge(faults, request.menu) and not counting:
            return self._start(frame, hostile.huge_table(self._engine, menu, request, frame, self._now()))
        if hostile.is_slow(faults, request.menu):
            return self._start(frame, self._late(user, request, frame))
        if hostile.is_huge(faults, request.menu) and "endless_table" not in faults:
            return frame.done(str(hostile.HUGE_ROWS))
        return self._engine.print(user, request, frame, self._now())

    async def _late(self, user: RouterUser, request: Request, frame: Frame) -> AsyncIterator[bytes]:
        await asyncio.sleep(hostile.SLOW_MENU_SECONDS)
        try:
            yield self._engine.print(user, request, frame, self._engine.router.moment())
        except RouterTrap as trap:
            yield frame.trap(trap.message, trap.category) + frame.done()

    def _over_time(self, request: Request, frame: Frame) -> bytes:
        if request.command == "/ping":
            rows = probes.ping(self._engine, request, asyncio.sleep, instant=self._options.instant_ping)
            return self._start(frame, self._stream(rows, request, frame))
        if request.command == "/tool/fetch":
            return self._start(frame, self._stream(fetch(self._engine, request), request, frame))
        if request.command == "/resolve":
            return self._start(frame, self._resolved(request, frame))
        if request.command in MONITORS:
            return self._monitor(request, frame)
        if request.verb == "listen":
            rows = streams.listen(self._engine, request, asyncio.sleep)
            return self._start(frame, self._stream(rows, request, frame))
        return self._engine.change(request, frame, self._engine.router.clock())

    def _now(self) -> Moment:
        if self._moment is None:
            self._moment = self._engine.router.moment()
        return self._moment

    def _control(self, request: Request, frame: Frame) -> bytes:
        if request.command == "/quit":
            self._outward.send(frame.fatal("session terminated on request"))
            self._outward.after(self._close)
            return b""
        if request.command == "/login":
            return self._log_in(request, frame)
        return self._cancel(request, frame)

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _cancel(self, request: Request, frame: Frame) -> bytes:
        wanted = request.arguments.get("tag")
        keys = list(self._tasks) if wanted is None else [wanted.encode("utf-8", "surrogateescape")]
        before, after = b"", b""
        for key in keys:
            task = self._tasks.pop(key, None)
            if task is None:
                continue
            task.cancel()
            theirs = Frame(key, tag_last=self._options.tag_last)
            before += theirs.trap("interrupted", 2)
            after += theirs.done()
        # The order that was recorded: trap of the stopped one, done of cancel, done of the stopped one.
        return before + frame.done() + after

    # -- streams ----------------------------------------------------------------------

    def _monitor(self, request: Request, frame: Frame) -> bytes:
        if request.flag("once"):
            rows = MONITORS[request.command](self._engine, request, self._now())
            return frame.rows(encode_rows(rows, request.proplist)) + frame.done()
        rows_over_time = streams.monitor(self._engine, request, asyncio.sleep)
        return self._start(frame, self._stream(rows_over_time, request, frame))

    def _start(self, frame: Frame, work: AsyncIterator[bytes], *, alone: bool = False) -> bytes:
        old = self._tasks.pop(frame.tag, None)
        if old is not None:
            old.cancel()
        run = self._run_alone(work) if alone else self._run(frame.tag, work)
        self._tasks[frame.tag] = asyncio.get_running_loop().create_task(run)
        return b""

    async def _run(self, tag: bytes | None, work: AsyncIterator[bytes]) -> None:
        async for data in work:
            self._send(data)
            await self._writable.wait()
        if self._tasks.get(tag) is asyncio.current_task():
            del self._tasks[tag]

    async def _run_alone(self, work: AsyncIterator[bytes]) -> None:
        if self._outlet.occupied:
            return
        self._outlet.occupied = True
        async for data in work:
            self._outward.send(data)
            await self._writable.wait()
        self._outlet.occupied = False

    async def _stream(self, rows: AsyncIterator[list[Row]], request: Request, frame: Frame) -> AsyncIterator[bytes]:
        try:
            async for some in rows:
                yield frame.rows(encode_rows(some, request.proplist))
        except RouterTrap as trap:
            yield frame.trap(trap.message, trap.category)
        yield frame.done()

    async def _resolved(self, request: Request, frame: Frame) -> AsyncIterator[bytes]:
        try:
            found = await probes.resolve(self._engine, request, asyncio.sleep, instant=self._options.instant_ping)
        except RouterTrap as trap:
            yield frame.trap(trap.message, trap.category) + frame.done()
        else:
            yield frame.done(found)

    async def _repeat(self, user: RouterUser, request: Request, frame: Frame) -> AsyncIterator[bytes]:
        while True:
            answer = self._engine.print(user, request, frame, self._engine.router.moment())
            yield answer.removesuffix(frame.done())
            await asyncio.sleep(1)

    # -- login ------------------------------------------------------------------------

    def _before_login(self, request: Request, frame: Frame) -> bytes:
        if request.command == "/login":
            return self._log_in(request, frame)
        if request.command == "/quit":
            return self._control(request, frame)
        self._strangers += 1
        if self._strangers < _MAX_STRANGER_COMMANDS:
            return frame.trap("not logged in") + frame.done()
        self._outward.send(frame.fatal("not logged in"))
        self._outward.after(self._close)
        return b""

    def _log_in(self, request: Request, frame: Frame) -> bytes:
        version, given = self._engine.router.version, request.arguments
        starts_challenge = "response" not in given and not (version.plain_login and "name" in given)
        if version.challenge_login and starts_challenge:
            self._challenge = os.urandom(16)
            return frame.done(self._challenge.hex())
        user = self._engine.router.users.get(given.get("name", ""))
        if user is None or not self._knows(user, request) or "wrong_password" in self._options.faults():
            name = given.get("name", "")
            self._log("system,error,critical", f"login failure for user {name} from {self._peer()} via api")
            new = version.plain_login
            text = "invalid user name or password (6)" if new else "cannot log in"
            return frame.trap(text) + frame.done()
        self._user = user
        now = self._engine.router.clock()
        self._engine.router.sessions[id(self)] = ApiSession(id(self), user.name, self._peer(), now)
        self._log("system,info,account", f"user {user.name} logged in from {self._peer()} via api")
        return frame.done()

    def _knows(self, user: RouterUser, request: Request) -> bool:
        given = request.arguments
        password = user.password.encode("utf-8", "surrogateescape")
        router = self._engine.router
        if "api" not in router.may(user.name) or not router.own.accounts.lets_in(user.name, self._peer()):
            return False
        if "response" in given and self._challenge:
            digest = hashlib.md5(b"\x00" + password + self._challenge, usedforsecurity=False)
            return given["response"] == "00" + digest.hexdigest()
        plain = self._engine.router.version.plain_login
        return plain and given.get("password", "") == user.password
