"""Reports in, receipts out: many requests share one transaction, each is judged alone.

``prepare`` proves who sent what without touching anything; ``accept`` stores what is new. Both
take a whole group of requests, see :class:`kampungnet.core.database.GroupCommit`.
"""

import base64
import binascii
import logging
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import update
from sqlalchemy.orm import Session

from kampungnet.core.errors import BadInput, NotSignedIn, Problem, Unavailable
from kampungnet.core.rows import change
from kampungnet.devices import service as devices
from kampungnet.devices.models import Agent
from kampungnet.devices.service import NewState, Reporter
from kampungnet.ingest.envelope import Opened, Taken, opened, unpacked
from kampungnet.measurement import service as measurement
from kampungnet.measurement.boots import Offset, TimeQuality, better, offset_of, repaired
from kampungnet.measurement.service import Arrived, BootKey, Key
from kampungnet.shared import wire

log = logging.getLogger(__name__)

_STRANGER: Final = "This agent may not report here: enrol it again."
"""The same sentence for unknown, revoked and wrongly signed, so that nobody learns which agents exist."""

GROUP_UNPACKED_BYTES: Final = 64_000_000
"""What the reports that share one commit may unpack to."""

Conflicts = frozenset[tuple[Key, bytes]]
"""Keys that were known already, with the hash of the other content that came."""


class SignedRequest(msgspec.Struct, frozen=True, gc=False):
    """A report as it came off the line."""

    agent: str
    signature: str
    encoding: str
    body: bytes
    received_ms: int


class Checked(msgspec.Struct, frozen=True, gc=False):
    """A report whose sender is proven."""

    regency: str
    site: str
    agent: str
    received_ms: int
    report: Opened
    packed_up_to: int = 0
    """Readings up to this sequence may rest in packs already."""


class _Placed(msgspec.Struct, frozen=True, gc=False):
    """One reading with the place and the instant it belongs to."""

    checked: Checked
    taken: Taken
    arrived: Arrived


def prepare(db: Session, requests: list[SignedRequest]) -> list[Checked | Problem]:
    """Check signature and form of each request against the agents that may report at this moment.

    What a group unpacks to is bounded; who comes after that is asked to try again.
    """
    agents = devices.reporting_agents(db, {request.agent for request in requests})
    prepared: list[Checked | Problem] = []
    room = GROUP_UNPACKED_BYTES
    for request in requests:
        one = _prepared(request, agents.get(request.agent)) if room > 0 else busy()
        room -= sum(len(taken.raw) for taken in one.report.taken) if isinstance(one, Checked) else 0
        prepared.append(one)
    return prepared


def accept(db: Session, prepared: list[Checked | Problem]) -> list[wire.Receipt | Problem]:
    """Store what is new in all reports of a group and return a receipt (or the problem) for each."""
    checked = [one for one in prepared if isinstance(one, Checked)]
    receipts: dict[int, wire.Receipt] = {}
    if checked:
        placed = _place(checked, _offsets(db, checked))
        packed_up_to = {one.agent: one.packed_up_to for one in checked}
        stored = measurement.record_readings(db, [one.arrived for one in placed], packed_up_to)
        devices.record_state(db, _states(placed, stored.conflicting))
        receipts = _receipts(checked, placed, stored.conflicting)
        _record_agents(db, checked, stored.conflicting)
    return [receipts[id(one)] if isinstance(one, Checked) else one for one in prepared]


def busy() -> Unavailable:
    """Return the answer to whom we cannot take now; the boxes are the durable queue."""
    return Unavailable("The server is busy: keep the readings and send them again later.")


def enrol(db: Session, body: bytes, signature: str, now_ms: int) -> wire.EnrolmentAnswer:
    """Register a new agent from a one-time code. Raises a ``Problem`` for anything that is not right."""
    try:
        asked = msgspec.json.decode(body, type=wire.EnrolmentRequest)
        key = base64.b64decode(asked.public_key, validate=True)
    except (*wire.UNREADABLE, ValueError) as error:
        raise BadInput("The enrolment cannot be read: update the agent and try again.") from error
    if not _signed(key, signature, wire.signing_bytes("POST", wire.ENROLMENTS_PATH, "-", body)):
        raise NotSignedIn("The enrolment is not signed with the key it brings: try again.")
    agent, village = devices.enrol(db, asked, key, now_ms)
    return wire.EnrolmentAnswer(agent.id, village.code, village.name)


def _prepared(request: SignedRequest, agent: Reporter | None) -> Checked | Problem:
    if agent is None:
        return NotSignedIn(_STRANGER)
    text = wire.signing_bytes("POST", wire.REPORTS_PATH, request.agent, request.body)
    if not _signed(agent.public_key, request.signature, text):
        return NotSignedIn(_STRANGER)
    try:
        report = opened(unpacked(request.body, request.encoding), request.agent)
    except Problem as problem:
        return problem
    return Checked(agent.regency, agent.site, request.agent, request.received_ms, report, agent.packed_up_to)


def _signed(key: bytes, signature: str, text: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(base64.b64decode(signature, validate=True), text)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _offsets(db: Session, checked: list[Checked]) -> dict[BootKey, Offset]:
    """Return every boot's offset after hearing these reports; what is new or better is stored."""
    boots = {
        (one.regency, one.agent, boot)
        for one in checked
        for boot in {one.report.envelope.boot_id, *(taken.reading.boot_id for taken in one.report.taken)}
    }
    known = measurement.known_offsets(db, boots)
    changed: dict[BootKey, Offset] = {}
    for one in checked:
        envelope = one.report.envelope
        boot = (one.regency, one.agent, envelope.boot_id)
        heard = offset_of(
            envelope.sent_at_ms, envelope.boottime_ms, one.received_ms, synchronised=envelope.clock_synchronised
        )
        best = better(known.get(boot), heard)
        if best != known.get(boot):
            known[boot] = changed[boot] = best
    measurement.record_offsets(db, changed, max(one.received_ms for one in checked))
    return known


def _place(checked: Iterable[Checked], offsets: dict[BootKey, Offset]) -> list[_Placed]:
    placed: list[_Placed] = []
    for one in checked:
        for taken in one.report.taken:
            reading = taken.reading
            boot = (one.regency, one.agent, reading.boot_id)
            instant, quality = repaired(reading, offsets.get(boot), one.received_ms)
            key: Key = (*boot, reading.sequence)
            digest = wire.reading_hash(taken.raw)
            arrived = Arrived(key, digest, one.site, reading.device, instant, quality, taken.raw)
            placed.append(_Placed(one, taken, arrived))
    return placed


def _states(placed: Iterable[_Placed], conflicting: Conflicts) -> Iterable[NewState]:
    for one in placed:
        if (one.arrived.key, one.arrived.hash) not in conflicting and one.arrived.time_quality > TimeQuality.UNKNOWN:
            yield NewState(one.checked.regency, one.checked.site, one.arrived.taken_ms, one.taken.reading)


def _receipts(checked: list[Checked], placed: Iterable[_Placed], conflicting: Conflicts) -> dict[int, wire.Receipt]:
    receipts = {id(one): wire.Receipt([], one.received_ms, list(one.report.refused)) for one in checked}
    for one in placed:
        receipt, sequence = receipts[id(one.checked)], one.taken.reading.sequence
        if (one.arrived.key, one.arrived.hash) in conflicting:
            reason = "known already with another content: was this box's card copied?"
            receipt.refused.append(wire.Refusal(one.taken.position, reason, sequence))
        else:
            receipt.accepted.append(sequence)
    return receipts


def _record_agents(db: Session, checked: list[Checked], conflicting: Conflicts) -> None:
    counted: dict[str, int] = {}
    for (_, agent, _, _), _ in conflicting:
        counted[agent] = counted.get(agent, 0) + 1
    for agent, number in counted.items():
        log.warning("agent %s sent %d known readings with another content: a copied card?", agent, number)
        db.execute(update(Agent).where(Agent.id == agent).values(conflicts=Agent.conflicts + number))
    # One row an agent: of several reports in this group the last one says how the box is.
    rows = {one.agent: _agent_row(one) for one in checked}
    change(db, Agent, list(rows.values()), ("regency", "id"))


def _agent_row(checked: Checked) -> dict[str, Any]:
    envelope = checked.report.envelope
    health = envelope.health
    return {
        "regency": checked.regency, "id": checked.agent, "last_report_ms": checked.received_ms,
        "clock_offset_ms": envelope.sent_at_ms - checked.received_ms,
        "clock_synchronised": envelope.clock_synchronised, "board": devices.clean(health.board),
        "version": devices.clean(health.version), "spool_readings": health.spool_readings,
        "spool_oldest_ms": health.spool_oldest_ms, "dropped_readings": health.dropped_readings,
        "refused_readings": health.refused_readings, "corrupt_readings": health.corrupt_readings,
    }  # fmt: skip
