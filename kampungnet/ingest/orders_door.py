"""``POST /api/v1/orders``: a box asks what is to be done once, and says what came of it."""

import asyncio
import logging

import msgspec
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.errors import BadInput, NotSignedIn, Problem, Unavailable
from kampungnet.devices import credentials
from kampungnet.devices.whereabouts import came_from
from kampungnet.hands import service as hands
from kampungnet.ingest.knocks import Knocks
from kampungnet.ingest.routes import Receive, Scope, Send, answer, peer_of, read_body
from kampungnet.ingest.service import STRANGER
from kampungnet.ingest.signatures import SignedRequest, proven_key
from kampungnet.shared import wire
from kampungnet.shared.orders import MAX_ORDERS_BYTES, ORDERS_PATH, OrdersAnswer, OrdersQuestion

log = logging.getLogger(__name__)


class OrdersDoor:
    """The door as a bare ASGI application, beside the others that agents use."""

    def __init__(self, database: Database, knocks: Knocks | None = None) -> None:
        self._database, self._knocks = database, knocks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one question, after the commit: who is told *go* is noted on the disk before."""
        if scope["method"] != "POST":
            await answer(send, 405, wire.Problem("What is to be done is asked with POST."))
            return
        headers = dict(scope["headers"])
        try:
            body = await read_body(headers, receive, MAX_ORDERS_BYTES)
            request = SignedRequest(
                agent=headers.get(wire.AGENT_HEADER.lower().encode(), b"").decode("latin-1"),
                signature=headers.get(wire.SIGNATURE_HEADER.lower().encode(), b"").decode("latin-1"),
                encoding="", body=body, received_ms=clock.now_ms(), address=came_from(peer_of(scope), headers),
            )  # fmt: skip
            content: msgspec.Struct = await asyncio.to_thread(self._heard, request)
            status = 200
        except Problem as problem:
            content, status = wire.Problem(problem.sentence), problem.status
        await answer(send, status, content)

    def _heard(self, request: SignedRequest) -> OrdersAnswer:
        try:
            with self._database.writes() as db:
                return answered(db, request)
        except NotSignedIn:
            if self._knocks:
                with self._database.reads() as db:
                    self._knocks.of_box(db, request, ORDERS_PATH)
            raise
        except (SQLAlchemyError, OSError) as error:
            log.error("orders could not be read or written: %s", error)
            raise Unavailable("The server is busy: nothing was stored, ask again in a minute.") from error


def answered(db: Session, request: SignedRequest) -> OrdersAnswer:
    """Hear what a box says and return what is open for it. Raises a ``Problem``."""
    who = credentials.reporting_agents(db, {request.agent}).get(request.agent)
    key = proven_key(who, request.signature, wire.signing_bytes("POST", ORDERS_PATH, request.agent, request.body))
    if who is None or key is None:
        raise NotSignedIn(STRANGER)
    question = _read(request)
    if key == who.next_key:
        credentials.take_over(db, who.regency, request.agent, key, request.received_ms)
    caller, now_ms = hands.Caller(who.regency, who.site, request.agent), clock.now_ms()
    hands.note_abilities(db, caller, question.can)
    noted = hands.heard(db, caller, question.told, now_ms)
    db.flush()
    return OrdersAnswer(now_ms, hands.open_orders(db, caller, now_ms), noted)


def _read(request: SignedRequest) -> OrdersQuestion:
    try:
        question = msgspec.json.decode(request.body, type=OrdersQuestion)
    except wire.UNREADABLE as error:
        raise BadInput(f"The question cannot be read: {error}. Update the agent.") from error
    if question.agent != request.agent:
        raise BadInput("The question names another agent than the one who signed it.")
    return question
