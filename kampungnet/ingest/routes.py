"""The two doors agents use: reports (hot, bare ASGI) and enrolments (rare, ordinary)."""

import asyncio
import logging
import queue
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from kampungnet.core import clock
from kampungnet.core.database import Database, GroupCommit, NotStored
from kampungnet.core.errors import BadInput, NotFound, Problem, TooLarge, TooSlow, Unavailable
from kampungnet.core.tally import Tally
from kampungnet.devices.whereabouts import came_from
from kampungnet.ingest import service
from kampungnet.ingest.knocks import Knocks
from kampungnet.ingest.service import Arrival
from kampungnet.ingest.signatures import SignedRequest
from kampungnet.shared import wire

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

Tell = Callable[["Answer"], None]
Ticket = tuple[Tell, int, str, float]
"""Of a report: whom to tell, the bytes that wait, the agent, when it was whole."""
Results = list[tuple[Ticket, wire.Receipt | Problem | NotStored]]
"""And what became of it."""

ENROLMENT_BYTES: Final = 4_000
_AGENT: Final = wire.AGENT_HEADER.lower().encode()
_SIGNATURE: Final = wire.SIGNATURE_HEADER.lower().encode()
BODY_SECONDS: Final = 20
"""Time for a whole body; a megabyte needs 400 kbit/s, a usual report a hundredth of that."""
WAITING_BYTES: Final = 64_000_000
"""Bodies held in memory while they wait for a commit; who comes after that is asked to try again."""


class Answer(NamedTuple):
    """What the sender of a report is told."""

    status: int
    body: bytes

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return the headers that go with it."""
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(self.body)).encode())]
        if self.status in (429, 503):
            headers.append((b"retry-after", b"5"))
        return headers


class ReportDoor:
    """``POST /api/v1/reports`` as a bare ASGI application, and for :mod:`kampungnet.ingest.lane` without one.

    FastAPI's routing and validation cost more than storing a report does (facts: performance), and
    a raw body is what the signature covers.
    """

    def __init__(self, database: Database, tally: Tally, knocks: Knocks | None = None) -> None:
        self._tally = tally
        self._waiting_bytes = 0
        self._came: list[tuple[Arrival, Ticket]] = []
        self._keys = service.Keys()
        self._loop = asyncio.get_running_loop()
        # Reports of many boxes share a commit, so that it sees every village: behind this door the signature is the
        # second wall, which ties each reading to the site of the box that made it.
        self._group: GroupCommit[Arrival, wire.Receipt | Problem] = GroupCommit(
            database, lambda db, arrivals: service.accept(db, arrivals, self._keys, knocks), self._deliver
        )

    def close(self) -> None:
        """Store what waits, then stop."""
        self._submit()
        self._group.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one report with its receipt, after the commit."""
        if scope["method"] != "POST":
            await answer(send, 405, wire.Problem("Reports are sent with POST."))
            return
        headers = dict(scope["headers"])
        told: asyncio.Future[Answer] = self._loop.create_future()
        try:
            body = await read_body(headers, receive, wire.MAX_BODY_BYTES)
        except Problem as problem:
            told.set_result(self._judged(problem))
        else:
            self.take(headers, body, partial(_settle, told), peer_of(scope))
        await _send(send, await told)

    def take(self, headers: Mapping[bytes, bytes], body: bytes, tell: Tell, peer: str | None = None) -> None:
        """Judge one report of ``peer``; ``tell`` gets the answer, after the commit and on the event loop."""
        request = SignedRequest(
            agent=headers.get(_AGENT, b"").decode("latin-1"),
            signature=headers.get(_SIGNATURE, b"").decode("latin-1"),
            encoding=headers.get(b"content-encoding", b"").decode("latin-1"),
            body=body,
            received_ms=clock.now_ms(),
            address=came_from(peer, headers),
        )
        key = self._keys.of(request.agent)
        arrival = Arrival(request, service.proven(request, key) if key else None)
        size = len(body) + (service.unpacked_bytes(arrival.proven.report) if arrival.proven else 0)
        if self._waiting_bytes + size > WAITING_BYTES:
            tell(self._judged(service.busy()))
            return
        self._waiting_bytes += size
        self._came.append((arrival, (tell, size, request.agent, time.monotonic())))
        if len(self._came) == 1:
            self._loop.call_soon(self._submit_when_no_more_come, 0)

    def _submit_when_no_more_come(self, before: int) -> None:
        """Wait for the next round of the event loop, which does not pause, for as long as a round brings more.

        To begin and end a group costs as much as to store eight reports: handed over one by one, the first of many
        would be stored alone, or with two or three others.
        """
        if before < len(self._came) < self._group.MAX_GROUP:
            self._loop.call_soon(self._submit_when_no_more_come, len(self._came))
        else:
            self._submit()

    def _submit(self) -> None:
        came, self._came = self._came, []
        for arrival, ticket in came:
            try:
                self._group.submit(arrival, ticket)
            except queue.Full:
                tell, size, *_ = ticket
                self._waiting_bytes -= size
                tell(self._judged(service.busy()))

    def _deliver(self, results: Results) -> None:
        """Hand a group's results to the event loop; the group's thread calls this."""
        self._loop.call_soon_threadsafe(self._tell, results)

    def _tell(self, results: Results) -> None:
        now = time.monotonic()
        for (tell, size, agent, began), result in results:
            self._waiting_bytes -= size
            self._tally.took(now - began)
            if isinstance(result, NotStored):
                log.error("a report of agent %s could not be stored: %s", agent, result)
                tell(self._judged(service.busy()))
            else:
                tell(self._judged(result))

    def _judged(self, result: wire.Receipt | Problem) -> Answer:
        """Count what became of a report, and return what its sender is told."""
        if isinstance(result, Problem):
            self._tally.add("reports", "failed" if result.status >= 500 else "refused")
            return Answer(result.status, msgspec.json.encode(wire.Problem(result.sentence)))
        self._tally.add("reports", "accepted")
        self._tally.add("readings", "accepted", len(result.accepted))
        if result.refused:
            self._tally.add("readings", "refused", len(result.refused))
        return Answer(200, msgspec.json.encode(result))


def peer_of(scope: Scope) -> str | None:
    """Return the address of the other end."""
    client = scope.get("client")
    return client[0] if client else None


def _settle(told: "asyncio.Future[Answer]", what: Answer) -> None:
    if not told.done():  # the box hung up; its report is safe all the same
        told.set_result(what)


async def read_body(headers: dict[bytes, bytes], receive: Receive, limit: int) -> bytes:
    """Read a request's body. Raises ``TooLarge`` beyond ``limit`` bytes, ``TooSlow`` when it stalls, ``BadInput``."""
    too_large = TooLarge(f"The body is larger than {limit} bytes: send fewer readings at once.")
    announced = headers.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > limit:
        raise too_large
    parts: list[bytes] = []
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise BadInput("The body ends before its announced length.")
                parts.append(message.get("body", b""))
                if sum(map(len, parts)) > limit:
                    raise too_large
                if not message.get("more_body"):
                    return b"".join(parts)
    except TimeoutError:
        raise TooSlow(f"The body did not come within {BODY_SECONDS} s: send it again.") from None


async def answer(send: Send, status: int, content: msgspec.Struct) -> None:
    """Send one JSON answer."""
    await _send(send, Answer(status, msgspec.json.encode(content)))


async def _send(send: Send, what: Answer) -> None:
    await send({"type": "http.response.start", "status": what.status, "headers": what.headers()})
    await send({"type": "http.response.body", "body": what.body})


class EnrolmentDoor:
    """``POST /api/v1/enrolments``: a box brings a one-time code and the public half of its key."""

    def __init__(self, database: Database, knocks: Knocks | None = None) -> None:
        self._database, self._knocks = database, knocks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one enrolment."""
        if scope["method"] != "POST":
            await answer(send, 405, wire.Problem("Enrolments are sent with POST."))
            return
        headers = dict(scope["headers"])
        try:
            body = await read_body(headers, receive, ENROLMENT_BYTES)
            signature = headers.get(_SIGNATURE, b"").decode("latin-1")
            address = came_from(peer_of(scope), headers)
            content: msgspec.Struct = await asyncio.to_thread(self._enrol, body, signature, address)
            status = 201
        except Problem as problem:
            content, status = wire.Problem(problem.sentence), problem.status
        await answer(send, status, content)

    def _enrol(self, body: bytes, signature: str, address: str) -> wire.EnrolmentAnswer:
        try:
            with self._database.writes() as db:
                return service.enrol(db, body, signature, clock.now_ms())
        except NotFound:
            if self._knocks:
                self._knocks.of_newcomer(address, clock.now_ms())
            raise
        except (SQLAlchemyError, OSError) as error:
            log.error("an enrolment could not be stored: %s", error)
            raise Unavailable("The server is busy: nothing was stored, try again in a minute.") from error
