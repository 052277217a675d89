"""What Alertmanager hands in (its webhook, version 4): checked, stored as the newest state of its group, then told.

One group is one message. The door opens with a token of which only the hash is kept.
"""

import hashlib
from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta
from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.alerts.facts import WATCHDOG, Alarm, Group, Severity
from kampungnet.alerts.models import AlertGroup, AlertToken
from kampungnet.alerts.words import clean
from kampungnet.core import security
from kampungnet.core.errors import BadInput, NotFound, NotSignedIn, Unprocessable
from kampungnet.core.rows import upsert
from kampungnet.villages.models import Regency

MOST_BYTES: Final = 1_000_000
MOST_ALERTS: Final = 400
"""Alertmanager sends ``max_alerts`` of a group and says how many more there are."""
AHEAD_MS: Final = 5 * 60_000
"""Nothing is dated later than this after its arrival."""
OWN: Final = "kampungnet"
"""Alerts with the label ``told_by`` of this value repeat what we tell by ourselves."""
_SEVERITIES: Final = {"critical": Severity.CRITICAL, "warning": Severity.WARNING}
_LONG: Final = 500

_Instant = Annotated[datetime, Meta(tz=True)]
Text = Annotated[str, Meta(max_length=20_000)]
Labels = Annotated[dict[Annotated[str, Meta(max_length=200)], Text], Meta(max_length=64)]


class Alert(msgspec.Struct, rename="camel"):
    """One alert as Alertmanager writes it."""

    status: str
    labels: Labels
    starts_at: Annotated[str, Meta(max_length=64)]
    annotations: Labels = {}
    ends_at: Annotated[str, Meta(max_length=64)] = ""
    fingerprint: Annotated[str, Meta(max_length=64)] = ""


class Notification(msgspec.Struct, rename="camel"):
    """One message of Alertmanager: a group of alerts."""

    version: str
    group_key: Annotated[str, Meta(min_length=1, max_length=20_000)]
    status: str
    receiver: Annotated[str, Meta(max_length=500)]
    alerts: Annotated[list[Alert], Meta(min_length=1, max_length=MOST_ALERTS)]
    truncated_alerts: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


_BODY: Final = msgspec.json.Decoder(Notification)
_GROUP: Final = msgspec.json.Decoder(Group)


def make_token(db: Session, regency: str, now_ms: int) -> str:
    """Return a new token for the only time; those of before end. Raises ``NotFound``."""
    if db.get(Regency, regency) is None:
        raise NotFound(f"Kabupaten {regency} is not in the register: import its villages first.")
    for one in db.scalars(select(AlertToken).where(AlertToken.regency == regency, AlertToken.ended_ms.is_(None))):
        one.ended_ms = now_ms
    token = security.new_token()
    db.add(AlertToken(token_hash=security.token_hash(token), regency=regency, made_ms=now_ms, ended_ms=None))
    return token


def regency_of(db: Session, authorization: str) -> str:
    """Return whose alerts somebody may hand in. Raises ``NotSignedIn``."""
    scheme, _, token = authorization.partition(" ")
    one = db.get(AlertToken, security.token_hash(token.strip())) if scheme.lower() == "bearer" else None
    if one is None or one.ended_ms is not None:
        raise NotSignedIn("This token opens nothing: make one with `kampungnet alerts token` and send it as a bearer.")
    return one.regency


def read(body: bytes) -> Notification:
    """Return what was handed in. Raises ``BadInput`` or ``Unprocessable`` with one sentence."""
    try:
        found = _BODY.decode(body)
    except msgspec.ValidationError as error:
        raise Unprocessable(f"This is no webhook of Alertmanager: {str(error)[:200]}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput("The body is no JSON in UTF-8: send what Alertmanager's webhook_configs sends.") from error
    if found.version != "4" or found.status not in {"firing", "resolved"}:
        raise Unprocessable("Only webhooks of version 4 that are firing or resolved are understood.")
    return found


def take_in(db: Session, regency: str, found: Notification, now_ms: int) -> None:
    """Store the newest state of a group. The same again changes nothing. Raises ``Unprocessable`` for a bad time."""
    one_id = hashlib.sha256(f"{found.receiver}\n{found.group_key}".encode("utf-8", "replace")).hexdigest()[:32]
    firing = [one for one in found.alerts if one.status == "firing"]
    told = [one for one in firing or found.alerts if one.labels.get("told_by") != OWN]
    start_ms = min(_instant(one.starts_at, now_ms) for one in firing or found.alerts)
    end_ms = None
    if found.status == "resolved" or not firing:
        end_ms = max(_instant(one.ends_at, now_ms) for one in found.alerts)
    row = {
        "regency": regency, "id": one_id, "start_ms": start_ms, "end_ms": end_ms, "received_ms": now_ms,
        "severity": int(max(_severity(one) for one in found.alerts)),
        "is_watchdog": all(one.labels.get("alertname") == WATCHDOG for one in found.alerts),
        "content": msgspec.json.encode(Group(tuple(_alarm(one) for one in told), found.truncated_alerts)).decode(),
    }  # fmt: skip
    upsert(db, AlertGroup, [row], ("regency", "id"), tuple(name for name in row if name not in {"regency", "id"}))


def _severity(alert: Alert) -> Severity:
    return _SEVERITIES.get(alert.labels.get("severity", ""), Severity.INFO)


def _alarm(alert: Alert) -> Alarm:
    labels, notes = alert.labels, alert.annotations
    name = clean(labels.get("alertname", ""))
    place = notes.get("place") or labels.get("village", "")
    known = "\n".join(f"{key}={labels[key]}" for key in sorted(labels)).encode("utf-8", "replace")
    return Alarm(
        fingerprint=clean(alert.fingerprint) or hashlib.sha256(known).hexdigest()[:16],
        name=name, village=clean(labels.get("village", "")), place=clean(place),
        summary=clean(notes.get("summary", ""), _LONG), description=clean(notes.get("description", ""), _LONG),
        runbook=clean(notes.get("runbook_url", ""), _LONG),
    )  # fmt: skip


def _instant(text: str, now_ms: int) -> int:
    """Return an instant in ms, none that is later than now by more than clocks differ."""
    try:
        moment = msgspec.convert(text, _Instant, strict=False)
    except msgspec.ValidationError as error:
        raise Unprocessable("An alert has a time that is none: write it like 2026-11-29T05:00:00Z.") from error
    return max(0, min(int(moment.timestamp() * 1000), now_ms + AHEAD_MS))
