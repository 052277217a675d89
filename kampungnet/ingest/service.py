"""Reports in, receipts out: many requests share one transaction, each is judged alone.

``proven`` checks and opens one report as it arrives, with the key this process knows; ``accept`` stores
what is new of a whole group (:class:`kampungnet.core.database.GroupCommit`) and is the judge: it asks the
database, inside the transaction, who may report at this moment and with which key.
"""

import base64
import logging
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from sqlalchemy import update
from sqlalchemy.orm import Session

from kampungnet.configs import service as configs
from kampungnet.core.errors import BadInput, NotSignedIn, Problem, Unavailable
from kampungnet.core.rows import Columns, change
from kampungnet.devices import credentials, whereabouts
from kampungnet.devices import service as devices
from kampungnet.devices.models import Agent
from kampungnet.devices.service import NewState, Reporter
from kampungnet.devices.whereabouts import Heard
from kampungnet.hands import service as hands
from kampungnet.hotspot import sessions
from kampungnet.ingest.envelope import NamesAnother, Opened, Taken, opened, unpacked
from kampungnet.ingest.knocks import Knocks
from kampungnet.ingest.signatures import SignedRequest, brought, signed
from kampungnet.measurement import oddities
from kampungnet.measurement import service as measurement
from kampungnet.measurement.boots import Offset, TimeQuality, better, offset_of, repaired
from kampungnet.measurement.oddities import MANY_REPEATS, Odd, OddReport
from kampungnet.measurement.service import Arrived, BootKey, Key
from kampungnet.shared import wire

log = logging.getLogger(__name__)

STRANGER: Final = "This agent may not report here: enrol it again."
"""The same sentence for unknown, revoked and wrongly signed, so that nobody learns which agents exist."""

GROUP_UNPACKED_BYTES: Final = 64_000_000
"""What the reports that share one commit may unpack to."""

_UNKNOWN_TIME: Final = TimeQuality.UNKNOWN
_NEVER: Final = (None, None)
_AGENT_COLUMNS: Final = (
    "regency", "id", "last_report_ms", "clock_offset_ms", "clock_synchronised", "board", "version", "spool_readings",
    "spool_oldest_ms", "dropped_readings", "refused_readings", "corrupt_readings",
    "networks", "boots", "moved_ms", "twice_ms",
)  # fmt: skip

Conflicts = frozenset[tuple[Key, bytes]]
"""Keys that were known already, with the hash of the other content that came."""


class Proven(msgspec.Struct, frozen=True, gc=False):
    """A request whose signature is right, and what it says (or why it cannot be read)."""

    key: bytes
    """The public key it was proven with."""
    report: Opened | Problem


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """A request on its way to the transaction; ``proven`` when that could be tried before."""

    request: SignedRequest
    proven: Proven | None = None


class Checked(msgspec.Struct, frozen=True, gc=False):
    """A report whose sender is proven."""

    regency: str
    site: str
    agent: str
    received_ms: int
    report: Opened
    packed_up_to: int = 0
    """Readings up to this sequence may rest in packs already."""
    new_key: bytes | None = None
    """It was signed with the key that was announced: the one before ends."""
    known: Reporter | None = None
    address: str = ""


class _Placed(msgspec.Struct, frozen=True, gc=False):
    """One reading with the place and the instant it belongs to."""

    checked: Checked
    taken: Taken
    arrived: Arrived


class Keys:
    """The public keys of agents that reported to this process: only a guess, ``accept`` knows better."""

    MOST = 20_000

    def __init__(self) -> None:
        self._keys: dict[str, bytes] = {}

    def of(self, agent: str) -> bytes | None:
        """Return the key last seen to be right."""
        return self._keys.get(agent)

    def learn(self, agent: str, key: bytes) -> None:
        """Remember a key; beyond ``MOST`` all are forgotten and learned anew."""
        if agent not in self._keys and len(self._keys) >= self.MOST:
            self._keys.clear()
        self._keys[agent] = key


def proven(request: SignedRequest, key: bytes) -> Proven | None:
    """Check a signature and open the report; ``None`` when another key (or nobody) signed it."""
    text = wire.signing_bytes("POST", wire.REPORTS_PATH, request.agent, request.body)
    if not signed(key, request.signature, text):
        return None
    try:
        return Proven(key, opened(unpacked(request.body, request.encoding), request.agent))
    except Problem as problem:
        return Proven(key, problem.as_value())


def unpacked_bytes(report: Opened | Problem) -> int:
    """Return how many bytes the readings of a report take."""
    return sum(len(taken.raw) for taken in report.taken) if isinstance(report, Opened) else 0


def accept(
    db: Session, arrivals: list[Arrival], keys: Keys, knocks: Knocks | None = None
) -> list[wire.Receipt | Problem]:
    """Judge all reports of a group, store what is new in them, and return a receipt (or the problem) for each."""
    judged = _judged(db, arrivals, keys)
    for arrival, one in zip(arrivals, judged, strict=True):
        if knocks and isinstance(one, NotSignedIn):
            knocks.of_box(db, arrival.request, wire.REPORTS_PATH)
    receipts = store(db, [one for one in judged if isinstance(one, Checked)])
    return [receipts[id(one)] if isinstance(one, Checked) else one for one in judged]


def store(db: Session, checked: list[Checked]) -> dict[int, wire.Receipt]:
    """Store what is new in reports whose senders are proven; return their receipts by ``id(report)``."""
    if not checked:
        return {}
    # In the order of agents: two processes that write rows of the same boxes must not wait for each other.
    checked = sorted(checked, key=lambda one: one.agent)
    placed = _place(checked, _offsets(db, checked))
    packed_up_to = {one.agent: one.packed_up_to for one in checked}
    stored = measurement.record_readings(db, [one.arrived for one in placed], packed_up_to)
    devices.record_state(db, _states(placed, stored.conflicting))
    sessions.record(db, _told(placed, stored.conflicting))
    configs.record(db, _settings(placed, stored.conflicting))
    heard = _whereabouts(checked)
    _record_agents(db, checked, stored.conflicting, heard)
    oddities.note(db, [*_odd(checked, stored.known_long), *_elsewhere(checked, heard)])
    return _receipts(checked, placed, stored.conflicting, hands.waiting_sites(db))


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
    if not brought(key, signature, wire.signing_bytes("POST", wire.ENROLMENTS_PATH, "-", body)):
        raise NotSignedIn("The enrolment is not signed with the key it brings: try again.")
    agent, village = devices.enrol(db, asked, key, now_ms)
    return wire.EnrolmentAnswer(agent.id, village.code, village.name)


def _judged(db: Session, arrivals: list[Arrival], keys: Keys) -> list[Checked | Problem]:
    """Say of each arrival whether its sender may report at this moment, and open what was not opened yet.

    What a group unpacks to is bounded; who comes after that is asked to try again. Who speaks for another is noted.
    """
    agents = devices.reporting_agents(db, {arrival.request.agent for arrival in arrivals})
    judged: list[Checked | Problem] = []
    claims: list[OddReport] = []
    room = GROUP_UNPACKED_BYTES
    for arrival in arrivals:
        one = _checked(arrival, agents.get(arrival.request.agent), keys) if room > 0 else busy()
        room -= unpacked_bytes(one.report) if isinstance(one, Checked) else 0
        judged.append(one)
        who = agents.get(arrival.request.agent)
        if who and isinstance(one, Checked) and one.new_key:
            agents[one.agent] = who.after(one.new_key)
        if who and isinstance(one, NamesAnother):
            claims.append(OddReport(who.regency, who.site, arrival.request.received_ms, Odd.CLAIMED, 1))
    oddities.note(db, claims)
    return judged


def _checked(arrival: Arrival, agent: Reporter | None, keys: Keys) -> Checked | Problem:
    if agent is None:
        return NotSignedIn(STRANGER)
    request, found = arrival.request, arrival.proven
    if found is None or found.key not in agent.keys:  # the first report to this process, or a box with a new key
        found = next((one for key in agent.keys if (one := proven(request, key))), None)
        if found is None:
            return NotSignedIn(STRANGER)
        keys.learn(request.agent, found.key)
    if isinstance(found.report, Problem):
        return found.report
    new_key = found.key if found.key == agent.next_key else None
    return Checked(
        agent.regency, agent.site, request.agent, request.received_ms, found.report, agent.packed_up_to, new_key,
        agent, request.address,
    )  # fmt: skip


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
            kept = _kept(taken)
            digest = wire.reading_hash(kept)  # of what is kept, so that a repeat is known when it rests in a pack, too
            arrived = Arrived(key, digest, one.site, reading.device, instant, quality, kept)
            placed.append(_Placed(one, taken, arrived))
    return placed


def _kept(taken: Taken) -> bytes:
    """Return what is kept of a reading as received: all of it, but not what has a table of its own.

    That is of a portal who was online, which is deleted in time, and of a router's settings their text and backup.
    """
    body = taken.reading.body
    if isinstance(body, wire.PortalBody):
        bare = msgspec.structs.replace(body, sessions=[], without_session=[])
        return msgspec.json.encode(msgspec.structs.replace(taken.reading, body=bare))
    return msgspec.json.encode(_light(taken.reading)) if isinstance(body, wire.ConfigBody) else taken.raw


def _light(reading: wire.Reading) -> wire.Reading:
    """Return a reading without the text and the backup of a router's settings."""
    if not isinstance(reading.body, wire.ConfigBody):
        return reading
    return msgspec.structs.replace(reading, body=msgspec.structs.replace(reading.body, packed=b"", backup=b""))


def _settings(placed: Iterable[_Placed], conflicting: Conflicts) -> Iterable[configs.Told]:
    for one in placed:
        body, arrived = one.taken.reading.body, one.arrived
        if isinstance(body, wire.ConfigBody) and (arrived.key, arrived.hash) not in conflicting:
            yield configs.Told(one.checked.regency, one.checked.site, arrived.device, arrived.taken_ms, body)


def _told(placed: Iterable[_Placed], conflicting: Conflicts) -> Iterable[sessions.Told]:
    for one in placed:
        body, arrived = one.taken.reading.body, one.arrived
        if isinstance(body, wire.PortalBody) and (arrived.key, arrived.hash) not in conflicting:
            told_by = body.now_ms if body.now_ms is not None else one.taken.reading.taken_at_ms
            shift_ms = arrived.taken_ms - told_by
            yield sessions.Told(one.checked.regency, one.checked.site, shift_ms, body.sessions)


def _states(placed: Iterable[_Placed], conflicting: Conflicts) -> Iterable[NewState]:
    for one in placed:
        if (one.arrived.key, one.arrived.hash) not in conflicting and one.arrived.time_quality > _UNKNOWN_TIME:
            yield NewState(one.checked.regency, one.checked.site, one.arrived.taken_ms, _light(one.taken.reading))


def _odd(checked: Iterable[Checked], known_long: frozenset[Key]) -> Iterable[OddReport]:
    for one in checked:
        if one.report.refused:
            yield OddReport(one.regency, one.site, one.received_ms, Odd.REFUSED, len(one.report.refused))
        if known_long:
            keys = (
                (one.regency, one.agent, taken.reading.boot_id, taken.reading.sequence) for taken in one.report.taken
            )
            repeats = sum(key in known_long for key in keys)
            if repeats >= MANY_REPEATS:
                yield OddReport(one.regency, one.site, one.received_ms, Odd.REPEATED, repeats)


def _receipts(
    checked: list[Checked], placed: Iterable[_Placed], conflicting: Conflicts, ordered: set[tuple[str, str]]
) -> dict[int, wire.Receipt]:
    receipts = {
        id(one): wire.Receipt([], one.received_ms, list(one.report.refused), orders=(one.regency, one.site) in ordered)
        for one in checked
    }
    for one in placed:
        receipt, sequence = receipts[id(one.checked)], one.taken.reading.sequence
        if (one.arrived.key, one.arrived.hash) in conflicting:
            reason = "known already with another content: was this box's card copied?"
            receipt.refused.append(wire.Refusal(one.taken.position, reason, sequence))
        else:
            receipt.accepted.append(sequence)
    return receipts


def _whereabouts(checked: list[Checked]) -> list[Heard]:
    """Say of each report what is new about where it came from, one after the other."""
    now: dict[str, tuple[str | None, str | None]] = {}
    found = []
    for one in checked:
        before = now.get(one.agent) or ((one.known.networks, one.known.boots) if one.known else (None, None))
        heard = whereabouts.heard(*before, one.address, one.report.envelope.boot_id)
        now[one.agent] = heard.networks, heard.boots
        found.append(heard)
    return found


def _elsewhere(checked: list[Checked], found: Iterable[Heard]) -> Iterable[OddReport]:
    for one, heard in zip(checked, found, strict=True):
        if heard.is_new_address or heard.has_moved or heard.is_twice:
            kinds = (Odd.ADDRESS, heard.is_new_address), (Odd.MOVED, heard.has_moved), (Odd.TWICE, heard.is_twice)
            yield from (OddReport(one.regency, one.site, one.received_ms, odd, 1) for odd, is_so in kinds if is_so)


def _record_agents(db: Session, checked: list[Checked], conflicting: Conflicts, found: list[Heard]) -> None:
    counted: dict[str, int] = {}
    for (_, agent, _, _), _ in conflicting:
        counted[agent] = counted.get(agent, 0) + 1
    for agent, number in counted.items():
        log.warning("agent %s sent %d known readings with another content: a copied card?", agent, number)
        db.execute(update(Agent).where(Agent.id == agent).values(conflicts=Agent.conflicts + number))
    for one in checked:
        if one.new_key:
            credentials.take_over(db, one.regency, one.agent, one.new_key, one.received_ms)
    # One row an agent: of several reports in this group the last one says how the box is.
    rows: dict[str, tuple[Any, ...]] = {}
    seen: dict[str, tuple[int | None, int | None]] = {}
    for one, heard in zip(checked, found, strict=True):
        moved_ms, twice_ms = seen.get(one.agent) or ((one.known.moved_ms, one.known.twice_ms) if one.known else _NEVER)
        moved_ms = one.received_ms if heard.has_moved else moved_ms
        twice_ms = one.received_ms if heard.is_twice else twice_ms
        seen[one.agent] = moved_ms, twice_ms
        rows[one.agent] = (*_agent_row(one), heard.networks or None, heard.boots or None, moved_ms, twice_ms)
    change(db, Agent, Columns(_AGENT_COLUMNS, list(rows.values())), ("regency", "id"))


def _agent_row(checked: Checked) -> tuple[Any, ...]:
    envelope = checked.report.envelope
    health = envelope.health
    return (
        checked.regency, checked.agent, checked.received_ms, envelope.sent_at_ms - checked.received_ms,
        envelope.clock_synchronised, devices.clean(health.board), devices.clean(health.version), health.spool_readings,
        health.spool_oldest_ms, health.dropped_readings, health.refused_readings, health.corrupt_readings,
    )  # fmt: skip
