"""``POST /api/v1/keys``: a box changes its key (:mod:`kampungnet.shared.rotation`)."""

import asyncio
import base64
import logging

import msgspec
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.errors import BadInput, NotSignedIn, Problem, Unavailable
from kampungnet.devices import credentials
from kampungnet.devices.whereabouts import came_from
from kampungnet.ingest.knocks import Knocks
from kampungnet.ingest.routes import Receive, Scope, Send, answer, peer_of, read_body
from kampungnet.ingest.service import STRANGER
from kampungnet.ingest.signatures import SignedRequest, brought, proven_key
from kampungnet.shared import wire
from kampungnet.shared.rotation import KEYS_PATH, MAX_KEY_BYTES, KeyAnswer, KeyRequest, proof_bytes

log = logging.getLogger(__name__)


class KeyDoor:
    """The door as a bare ASGI application, beside the others that agents use."""

    def __init__(self, database: Database, knocks: Knocks | None = None) -> None:
        self._database, self._knocks = database, knocks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, after the commit."""
        if scope["method"] != "POST":
            await answer(send, 405, wire.Problem("Keys are changed with POST."))
            return
        headers = dict(scope["headers"])
        try:
            body = await read_body(headers, receive, MAX_KEY_BYTES)
            request = SignedRequest(
                agent=headers.get(wire.AGENT_HEADER.lower().encode(), b"").decode("latin-1"),
                signature=headers.get(wire.SIGNATURE_HEADER.lower().encode(), b"").decode("latin-1"),
                encoding="", body=body, received_ms=clock.now_ms(), address=came_from(peer_of(scope), headers),
            )  # fmt: skip
            content: msgspec.Struct = await asyncio.to_thread(self._changed, request)
            status = 200
        except Problem as problem:
            content, status = wire.Problem(problem.sentence), problem.status
        await answer(send, status, content)

    def _changed(self, request: SignedRequest) -> KeyAnswer:
        try:
            with self._database.writes() as db:
                return change_key(db, request)
        except NotSignedIn:
            if self._knocks:
                with self._database.reads() as db:
                    self._knocks.of_box(db, request, KEYS_PATH)
            raise
        except (SQLAlchemyError, OSError) as error:
            log.error("a key could not be changed: %s", error)
            raise Unavailable("The server is busy: nothing was stored, try again in a minute.") from error


def change_key(db: Session, request: SignedRequest) -> KeyAnswer:
    """Note the next key of a box, or end the old one when the next one signed. Raises a ``Problem``."""
    who = credentials.reporting_agents(db, {request.agent}).get(request.agent)
    text = wire.signing_bytes("POST", KEYS_PATH, request.agent, request.body)
    used = proven_key(who, request.signature, text)
    if who is None or used is None:
        raise NotSignedIn(STRANGER)
    asked, key = _read(request)
    if used == who.next_key:
        credentials.take_over(db, who.regency, request.agent, used, request.received_ms)
        who = who.after(used)
    if key != who.public_key:
        credentials.announce(db, request.agent, who, key, request.received_ms)
    return KeyAnswer(asked.public_key, in_use=key == who.public_key)


def _read(request: SignedRequest) -> tuple[KeyRequest, bytes]:
    try:
        asked = msgspec.json.decode(request.body, type=KeyRequest)
        key = base64.b64decode(asked.public_key, validate=True)
    except (*wire.UNREADABLE, ValueError) as error:
        raise BadInput("The key cannot be read: update the agent and try again.") from error
    if asked.agent != request.agent:
        raise BadInput("The key is of another agent than the request.")
    if not brought(key, asked.proof, proof_bytes(asked.agent, asked.public_key)):
        raise BadInput("The key did not prove that the box has it: make another one.")
    return asked, key
