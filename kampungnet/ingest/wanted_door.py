"""``POST /api/v1/wanted``: a box asks what its captive portal has to be, and waits here for the next change.

Every box holds one request open all the time, so a click in a browser reaches the router within a second and no
box has to be reachable from outside. One task of each process looks for changes, however many boxes wait: the
click may have come to another process.
"""

import asyncio
import contextlib
import gzip
import logging
from collections.abc import Callable
from typing import Final

import msgspec
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.errors import BadInput, NotSignedIn, Problem
from kampungnet.core.sight import Sight
from kampungnet.devices import credentials
from kampungnet.devices import service as devices
from kampungnet.devices.whereabouts import came_from
from kampungnet.hotspot import portals
from kampungnet.hotspot.models import HotspotPortal
from kampungnet.hotspot.portals import Place
from kampungnet.ingest.knocks import Knocks
from kampungnet.ingest.routes import Receive, Scope, Send, answer, peer_of, read_body
from kampungnet.ingest.service import STRANGER
from kampungnet.ingest.signatures import SignedRequest, proven_key
from kampungnet.shared import wire
from kampungnet.shared.wanted import (
    HOLD_SECONDS,
    MAX_QUESTION_BYTES,
    WANTED_PATH,
    WantedAnswer,
    WantedPortal,
    WantedQuestion,
)

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.3
"""From look to look for changes."""
LOOK_BACK_MS: Final = 10_000
"""Looks overlap: a change may be committed seconds after the instant it carries, by a server with another clock."""
NOTED_MS: Final = 240_000
"""A box that asks again and has nothing new to say is written down this often."""
RETRY_MS: Final = 5_000
PACKED_BYTES: Final = 1_000

Build = Callable[[Session, Place, int], WantedPortal]
"""Makes the whole wanted state of a site, at an instant in ms."""


class WantedDoor:
    """The door as a bare ASGI application, beside that for reports."""

    def __init__(
        self,
        database: Database,
        build: Build,
        ending: Callable[[], bool] = lambda: False,
        knocks: Knocks | None = None,
    ) -> None:
        """Begin to wait. ``ending`` says that the process is to stop: then nobody is held any longer."""
        self._database, self._build, self._ending, self._knocks = database, build, ending, knocks
        self._waiting: dict[Place, dict[asyncio.Future[None], int]] = {}
        """Who waits for a change, with the revision each has."""
        self._watch = asyncio.get_running_loop().create_task(self._look_for_ever(), name="wanted state")

    async def close(self) -> None:
        """Send everybody home."""
        self._watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._watch
        self._ending = lambda: True
        self._wake({})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one question, at once or when something changed."""
        if scope["method"] != "POST":
            await answer(send, 405, wire.Problem("What is wanted is asked with POST."))
            return
        try:
            headers = dict(scope["headers"])
            body = await read_body(headers, receive, MAX_QUESTION_BYTES)
            place, question, known = await asyncio.to_thread(self._heard, headers, body, peer_of(scope))
            if known == question.revision:
                await self._held(place, known, receive)
            content = await asyncio.to_thread(self._answer, place, question)
        except Problem as problem:
            await answer(send, problem.status, wire.Problem(problem.sentence))
        except (SQLAlchemyError, OSError) as error:
            log.error("what is wanted of a portal could not be read: %s", error)
            await answer(send, 503, wire.Problem("The server is busy: ask again later."))
        else:
            await _send(send, content, packed=b"gzip" in headers.get(b"accept-encoding", b""))

    def _heard(self, headers: dict[bytes, bytes], body: bytes, peer: str | None) -> tuple[Place, WantedQuestion, int]:
        """Check who asks, note what the box says about itself, and return the revision that is wanted."""
        name = headers.get(wire.AGENT_HEADER.lower().encode(), b"").decode("latin-1")
        signature = headers.get(wire.SIGNATURE_HEADER.lower().encode(), b"").decode("latin-1")
        with self._database.reads() as db:
            agent = devices.reporting_agents(db, {name}).get(name)
            key = proven_key(agent, signature, wire.signing_bytes("POST", WANTED_PATH, name, body))
            if agent is None or key is None:
                if self._knocks:
                    came = SignedRequest(name, signature, "", body, clock.now_ms(), came_from(peer, headers))
                    self._knocks.of_box(db, came, WANTED_PATH)
                raise NotSignedIn(STRANGER)
            question = _read(body, name)
            place, now_ms = (agent.regency, agent.site), clock.now_ms()
            found = db.get(HotspotPortal, place)
            if found is not None and key != agent.next_key and not _says_more(found, question, now_ms):
                return place, question, found.revision
        with self._of(place).writes() as db:
            if key == agent.next_key:
                credentials.take_over(db, agent.regency, name, key, now_ms)
            portals.asked(db, place, question, now_ms)
            return place, question, portals.revision(db, place)

    def _of(self, place: Place) -> Database:
        """Return the database as the box of a site sees it, once it is known which box asks."""
        return self._database.seen_by(Sight(place[1].rpartition("-")[0]))

    def _answer(self, place: Place, question: WantedQuestion) -> WantedAnswer:
        now_ms = clock.now_ms()
        with self._of(place).reads() as db:
            if question.agent not in devices.reporting_agents(db, {question.agent}):  # revoked while it waited
                raise NotSignedIn(STRANGER)
            if portals.revision(db, place) == question.revision:
                return WantedAnswer(now_ms, fetch_again_ms=RETRY_MS if self._ending() else 0)
            return WantedAnswer(now_ms, self._build(db, place, now_ms))

    async def _held(self, place: Place, has: int, receive: Receive) -> None:
        """Wait until something changed for this site, the time is over, or the box hung up."""
        changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(place, {})[changed] = has
        gone = asyncio.ensure_future(_hung_up(receive))
        try:
            await asyncio.wait({changed, gone}, timeout=HOLD_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            waiting = self._waiting[place]
            del waiting[changed]
            if not waiting:
                del self._waiting[place]

    async def _look_for_ever(self) -> None:
        since_ms = clock.now_ms() - LOOK_BACK_MS
        while not self._ending():
            await asyncio.sleep(LOOK_SECONDS)
            now_ms = clock.now_ms()
            try:
                found = await asyncio.to_thread(self._changed_since, since_ms) if self._waiting else {}
            except SQLAlchemyError as error:
                log.error("changes of portals could not be read: %s", error)
                await asyncio.sleep(HOLD_SECONDS / 10)
                continue
            since_ms = now_ms - LOOK_BACK_MS
            self._wake(found)
        self._wake({})

    def _changed_since(self, since_ms: int) -> dict[Place, int]:
        with self._database.reads() as db:
            return {(regency, site): number for regency, site, number in portals.changed_since(db, since_ms)}

    def _wake(self, found: dict[Place, int]) -> None:
        """Let those go who have another revision than their portal; all of them when the process ends."""
        places = list(self._waiting) if self._ending() else [place for place in found if place in self._waiting]
        for place in places:
            for changed, has in self._waiting[place].items():
                if not changed.done() and found.get(place) != has:
                    changed.set_result(None)


def _read(body: bytes, agent: str) -> WantedQuestion:
    try:
        question = msgspec.json.decode(body, type=WantedQuestion)
    except wire.UNREADABLE as error:
        raise BadInput(f"The question cannot be read: {error}. Update the agent.") from error
    if question.agent != agent:
        raise BadInput("The question names another agent than the one who signed it.")
    return question


def _says_more(known: HotspotPortal, question: WantedQuestion, now_ms: int) -> bool:
    same = (known.box_revision, known.done_revision) == (question.revision, question.done)
    problems = msgspec.json.decode(known.problems, type=list[str])
    return not same or problems != question.problems or now_ms - (known.asked_ms or 0) > NOTED_MS


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(send: Send, content: WantedAnswer, *, packed: bool) -> None:
    body = msgspec.json.encode(content)
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    if packed and len(body) > PACKED_BYTES:
        body = await asyncio.to_thread(gzip.compress, body, 5, mtime=0)
        headers.append((b"content-encoding", b"gzip"))
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
