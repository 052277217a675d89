"""What is to be told becomes rows, once; rows become messages, tried until they are out or a day old."""

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.orm import Session

from kampungnet.alerts import decide, gather, words
from kampungnet.alerts.decide import HOUSE, Damping
from kampungnet.alerts.facts import Act, Draft, Kind, Quiet, Reader, Said, Severity
from kampungnet.alerts.gather import Known
from kampungnet.alerts.models import AlertGroup, AlertMessage, AlertRecipient
from kampungnet.alerts.morning import dawn, morning
from kampungnet.alerts.sender import Parcel, Result
from kampungnet.alerts.words import Speaker, Voice
from kampungnet.core import clock
from kampungnet.core.errors import Unavailable
from kampungnet.core.keys import keys_of
from kampungnet.core.languages import N_
from kampungnet.core.rows import insert_new
from kampungnet.measurement.installation import number
from kampungnet.staff.service import Scope
from kampungnet.villages.models import Regency

PURPOSE: Final = "alerts"
AFTER_MINUTES: Final = "KAMPUNGNET_ALERT_AFTER_MINUTES"
"""Setting: how old an outage is when it is told. The house's own choice is ten: see :mod:`.decide`."""
HISTORY_MS: Final = 3 * clock.DAY_MS
"""What was said earlier counts only for what is still known."""
GIVE_UP_MS: Final = clock.DAY_MS
FIRST_PAUSE_MS: Final = 60_000
LONGEST_PAUSE_MS: Final = 3_600_000
CLAIM_MS: Final = 5 * 60_000
"""Longer than a round of sending can take: whoever dies in it has left its messages for the next."""
MOST_AT_ONCE: Final = 5
"""To one recipient in one round: Telegram takes twenty a minute."""
KEEP_MS: Final = 400 * clock.DAY_MS
KEEP_GROUPS_MS: Final = 30 * clock.DAY_MS
PROBLEMS: Final = {
    "address": N_("The address is not understood. Enter it again."),
    "unreachable": N_("Nobody answers there."),
    "refused": N_("The service refuses the message: is the address still valid?"),
    "inside": N_("It leads into the office's own network: KAMPUNGNET_REACHABLE_NETWORKS must name it first."),
    "slow": N_("The service did not answer in time."),
    "key": N_("Its address cannot be opened with the key of this server. Enter it again."),
}
_STRINGS: Final = msgspec.json.Decoder(frozenset[str])


@dataclass(frozen=True, slots=True)
class Ticket:
    """A message that was claimed, and what it is addressed to."""

    key: tuple[str, str, str, int]
    parcel: Parcel | None
    """``None``: its address cannot be opened."""


def look(db: Session, regency: str, speaker: Speaker, now_ms: int) -> tuple[Known, Mapping[str, str]]:
    """Look at a regency, changing nothing: return what is the matter, and the digests that are due by recipient."""
    found = gather.known(db, regency, now_ms)
    said, digests, rising = _history(db, found, now_ms), dict[str, str](), None
    for reader in _readers(db, regency):
        if decide.digest_day(said[reader.id], reader, now_ms) is None:
            continue
        rising = rising or dawn(db, regency, speaker.language, now_ms)
        of_reader = morning(rising, gather.seen_by(found, reader.scope), reader.scope, now_ms)
        digests[reader.id] = words.digest_text(of_reader, _voice(reader, found, speaker, now_ms))
    return found, digests


def write(db: Session, found: Known, digests: Mapping[str, str], speaker: Speaker, now_ms: int) -> int:
    """Decide what to tell each recipient and write it; return how many messages are to be sent. Twice is harmless.

    Raises ``BadInput`` for a bad setting.
    """
    damped = damping(os.environ)
    # Whoever decides for the same regency at the same time waits here, and then finds that all was said.
    db.execute(select(Regency.code).where(Regency.code == found.regency).with_for_update(key_share=True))
    said, rows = _history(db, found, now_ms), []
    for reader in _readers(db, found.regency):
        voice, history = _voice(reader, found, speaker, now_ms), said[reader.id]
        drafted = decide.drafts(gather.seen_by(found, reader.scope), history, reader, now_ms, damped)
        rows += [_row(one, reader, words.text_of(one, voice) if one.is_loud else "", now_ms) for one in drafted]
        topic = decide.digest_day(history, reader, now_ms, damped)
        if topic and reader.id in digests:
            rows.append(_row(_of_digest(topic, now_ms), reader, digests[reader.id], now_ms))
    if rows:
        insert_new(db, AlertMessage, rows)
    return sum(bool(row["text"]) for row in rows)


def damping(environment: Mapping[str, str]) -> Damping:
    """Return how long an outage lasts before it is told. Raises ``BadInput`` for what is no number of minutes."""
    return replace(HOUSE, wait_ms=number(environment, AFTER_MINUTES, HOUSE.wait_ms // 60_000) * 60_000)


def test_text(one: AlertRecipient, speaker: Speaker, now_ms: int) -> str:
    """Return a message that only shows that messages arrive."""
    reader = _reader(one)
    return words.test_text(Voice(speaker.language, reader.kind, reader.zone, now_ms, {}, speaker.address), one.name)


def add_test(db: Session, one: AlertRecipient, speaker: Speaker, now_ms: int) -> None:
    """Write such a message."""
    draft = Draft(f"test:{now_ms}", 0, Act.TEST, Severity.CRITICAL, now_ms)
    insert_new(db, AlertMessage, [_row(draft, _reader(one), test_text(one, speaker, now_ms), now_ms)])


def is_anything_due(db: Session, now_ms: int) -> bool:
    """Tell whether a message waits to be sent now."""
    return db.scalar(select(exists().where(AlertMessage.next_ms <= now_ms))) or False


def claim(db: Session, now_ms: int) -> list[Ticket]:
    """Take the messages whose time has come, the oldest of each recipient first; others leave them alone meanwhile.

    A recipient whose oldest message waits for its next try gets no younger one before.
    """
    asked = (
        select(AlertMessage, AlertRecipient)
        .join(
            AlertRecipient,
            (AlertRecipient.regency == AlertMessage.regency) & (AlertRecipient.id == AlertMessage.recipient),
        )
        .where(AlertMessage.next_ms.is_not(None))
        .order_by(AlertMessage.made_ms, AlertMessage.topic, AlertMessage.number)
    )
    taken: list[Ticket] = []
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for message, recipient in db.execute(asked).all():
        whose = (recipient.regency, recipient.id)
        if recipient.ended_ms is not None:
            message.next_ms = None
            continue
        is_test = message.act == Act.TEST
        if (message.next_ms or 0) > now_ms:
            counts[whose] += 0 if is_test else MOST_AT_ONCE
            continue
        is_held = _reader(recipient).is_held(Severity(message.severity), now_ms)
        if is_held or (counts[whose] >= MOST_AT_ONCE and not is_test):
            continue
        counts[whose] += 1
        if _take(db, message, now_ms):
            taken.append(Ticket((*whose, message.topic, message.number), _parcel(db, message, recipient)))
    return taken


def settle(db: Session, ticket: Ticket, result: Result, now_ms: int) -> None:
    """Note what became of a message: sent, to be tried again later, or given up."""
    message = db.get(AlertMessage, ticket.key)
    if message is None or message.sent_ms is not None:
        return
    message.tries += 1
    if result.sent:
        message.sent_ms, message.next_ms, message.problem = now_ms, None, ""
        return
    message.problem = result.problem
    pause_ms = min(FIRST_PAUSE_MS * 2 ** min(message.tries - 1, 10), LONGEST_PAUSE_MS)
    message.next_ms = None if now_ms - message.made_ms >= GIVE_UP_MS else now_ms + pause_ms


def end(one: AlertRecipient, now_ms: int) -> None:
    """Send a recipient nothing more, and forget its address."""
    one.ended_ms, one.address = now_ms, b""


def forget(db: Session, now_ms: int) -> None:
    """Delete messages that nobody needs any more, and groups that ended long ago."""
    db.execute(delete(AlertMessage).where(AlertMessage.made_ms < now_ms - KEEP_MS, AlertMessage.next_ms.is_(None)))
    old = (AlertGroup.end_ms < now_ms - KEEP_GROUPS_MS, AlertGroup.received_ms < now_ms - KEEP_GROUPS_MS)
    db.execute(delete(AlertGroup).where(*old))


def _take(db: Session, message: AlertMessage, now_ms: int) -> bool:
    """Push its next try beyond this round; tell whether nobody else did."""
    same = (
        AlertMessage.regency == message.regency, AlertMessage.recipient == message.recipient,
        AlertMessage.topic == message.topic, AlertMessage.number == message.number,
        AlertMessage.next_ms == message.next_ms,
    )  # fmt: skip
    changed = update(AlertMessage).where(*same).values(next_ms=now_ms + CLAIM_MS).returning(AlertMessage.topic)
    return db.execute(changed.execution_options(synchronize_session=False)).first() is not None


def _parcel(db: Session, message: AlertMessage, recipient: AlertRecipient) -> Parcel | None:
    try:
        address = keys_of(db).open(PURPOSE, recipient.address, f"{recipient.regency}/{recipient.id}").decode()
    except Unavailable:
        return None
    return Parcel(address, message.text)


def _history(db: Session, found: Known, now_ms: int) -> dict[str, list[Said]]:
    columns = (
        AlertMessage.recipient, AlertMessage.topic, AlertMessage.number, AlertMessage.act, AlertMessage.made_ms,
        AlertMessage.start_ms, AlertMessage.members, AlertMessage.sign, AlertMessage.spot, AlertMessage.text != "",
    )  # fmt: skip
    topics = [one.topic for one in found.facts]
    counts = or_(AlertMessage.made_ms > now_ms - HISTORY_MS, AlertMessage.topic.in_(topics))
    said: dict[str, list[Said]] = defaultdict(list)
    for row in db.execute(select(*columns).where(AlertMessage.regency == found.regency, counts)):
        recipient, topic, count, act, made_ms, start_ms, members, *rest = row
        said[recipient].append(Said(topic, count, Act(act), made_ms, start_ms, _STRINGS.decode(members), *rest))
    return said


def _readers(db: Session, regency: str) -> Sequence[Reader]:
    asked = select(AlertRecipient).where(AlertRecipient.regency == regency, AlertRecipient.ended_ms.is_(None))
    return [_reader(one) for one in db.scalars(asked.order_by(AlertRecipient.id))]


def _reader(one: AlertRecipient) -> Reader:
    quiet = None
    if one.quiet_first is not None and one.quiet_end is not None:
        quiet = Quiet(one.quiet_first, one.quiet_end, one.passes)
    return Reader(
        one.id, Kind(one.kind), scope_of(one), clock.zone_of(one.regency), one.since_ms, quiet, one.digest_minute
    )


def scope_of(one: AlertRecipient) -> Scope:
    """Return what a recipient hears of."""
    parts = one.place.count(".")
    return Scope(one.regency, one.place if parts > 2 else None, one.place if parts == 2 else None)


def _voice(reader: Reader, found: Known, speaker: Speaker, now_ms: int) -> Voice:
    return Voice(speaker.language, reader.kind, reader.zone, now_ms, found.names, speaker.address)


def _of_digest(topic: str, now_ms: int) -> Draft:
    return Draft(topic, 0, Act.DIGEST, Severity.INFO, now_ms)


def _row(draft: Draft, reader: Reader, text: str, now_ms: int) -> dict[str, Any]:
    return {
        "regency": reader.scope.regency, "recipient": reader.id, "topic": draft.topic, "number": draft.number,
        "act": draft.act.value, "severity": int(draft.severity), "made_ms": now_ms, "start_ms": draft.start_ms,
        "members": msgspec.json.encode(sorted(draft.members)).decode(), "sign": draft.sign, "spot": draft.spot,
        "text": text, "tries": 0, "next_ms": now_ms if text else None, "sent_ms": None, "problem": "",
    }  # fmt: skip
