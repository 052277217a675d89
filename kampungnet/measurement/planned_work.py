"""Work at the network that staff enter: for villages, kecamatan or the whole kabupaten, before it begins or afterwards.

Nothing is changed afterwards: who errs withdraws an entry and makes another, so that ``entered_ms`` stays true. It
decides whether work was announced (facts on billing 12).
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.errors import Conflict, NotFound, Unprocessable
from kampungnet.core.languages import N_
from kampungnet.devices.models import Site
from kampungnet.measurement.availability import Window
from kampungnet.measurement.closed_months import look_again_at_all
from kampungnet.measurement.outage_models import PlannedWork
from kampungnet.measurement.outage_words import Span
from kampungnet.staff import audit
from kampungnet.staff.audit import Act
from kampungnet.staff.service import Role, Scope, SignedIn
from kampungnet.villages import service as villages

LONGEST: Final = timedelta(days=31)
FARTHEST: Final = timedelta(days=400)
"""From today, back or ahead: farther away is a mistyped year."""
AHEAD_MS: Final = FARTHEST // timedelta(milliseconds=1) + clock.DAY_MS
"""No work begins later than this after it was entered."""
MOST_LETTERS: Final = 500
_PLACES: Final = msgspec.json.Decoder(tuple[str, ...])


@dataclass(frozen=True, slots=True)
class Entry:
    """What somebody typed."""

    start: str
    """Local wall time, ISO, without a zone."""
    end: str
    places: Sequence[str]
    """Codes of villages, of kecamatan, or of the kabupaten."""
    provider: str
    reason: str


def enter(db: Session, by: SignedIn, entry: Entry, now_ms: int) -> PlannedWork:
    """Store planned work. Raises a ``Problem`` with one sentence for whatever is wrong; then nothing is stored."""
    by.check_role(Role.ENGINEER)
    regency = by.scope.regency
    span = _span(entry, clock.zone_of(regency), now_ms)
    work = PlannedWork(
        regency=regency, id=secrets.token_hex(6), start_ms=span.start_ms, end_ms=span.end_ms, entered_ms=now_ms,
        places=msgspec.json.encode(_known(db, regency, entry.places)).decode(),
        provider=written(entry.provider, required=False), reason=written(entry.reason),
        entered_by=by.name, withdrawn_ms=None,
    )  # fmt: skip
    db.add(work)
    db.flush()
    _look_again(db, work, now_ms)
    audit.record(db, by, Act("planned_work.enter", work.id, work.reason, None, _told(work)), now_ms)
    return work


def withdraw(db: Session, by: SignedIn, work_id: str, reason: str, now_ms: int) -> None:
    """Let planned work count no more. It stays listed. Raises ``NotFound``, ``Conflict`` or ``Unprocessable``."""
    by.check_role(Role.ENGINEER)
    work = db.get(PlannedWork, (by.scope.regency, work_id))
    if work is None:
        raise NotFound(N_("There is no such planned work here. Go back to the list."))
    if work.withdrawn_ms is not None:
        raise Conflict(N_("This planned work was withdrawn before. Look at the list again."))
    why = written(reason)
    work.withdrawn_ms = now_ms
    _look_again(db, work, now_ms)
    audit.record(db, by, Act("planned_work.withdraw", work.id, why, _told(work)), now_ms)


def listed(db: Session, scope: Scope, since_ms: int) -> list[PlannedWork]:
    """Return the planned work that a person may see and that ends after an instant, the latest first."""
    rows = db.scalars(
        select(PlannedWork)
        .where(PlannedWork.regency == scope.regency, PlannedWork.end_ms > since_ms)
        .order_by(PlannedWork.start_ms.desc(), PlannedWork.id)
    )
    return [one for one in rows if places(one, scope)]


def at_site(db: Session, place: tuple[str, str], period: Span) -> list[PlannedWork]:
    """Return the planned work at a site that reaches into a period and was not withdrawn, oldest first."""
    site = db.get(Site, place)
    rows = db.scalars(
        select(PlannedWork)
        .where(PlannedWork.regency == place[0], PlannedWork.withdrawn_ms.is_(None))
        .where(PlannedWork.start_ms < period.end_ms, PlannedWork.end_ms > period.start_ms)
        .order_by(PlannedWork.start_ms, PlannedWork.id)
    )
    return [one for one in rows if site and covers(one, site.village)]


def windows(db: Session, place: tuple[str, str], period: Span) -> list[Window]:
    """Return the same as values."""
    return [window(one) for one in at_site(db, place, period)]


def window(work: PlannedWork) -> Window:
    """Return when planned work is, and when it was entered."""
    return Window(work.start_ms, work.end_ms, work.entered_ms)


def covers(work: PlannedWork, village: str) -> bool:
    """Tell whether planned work is at a village: it, its kecamatan or its kabupaten is named."""
    return any(village == code or village.startswith(f"{code}.") for code in places(work))


def places(work: PlannedWork, scope: Scope | None = None) -> tuple[str, ...]:
    """Return the codes that planned work names; to a person only those inside what they see, or around it."""
    named = _PLACES.decode(work.places)
    if scope is None:
        return named
    return tuple(code for code in named if scope.covers(code) or scope.place.startswith(f"{code}."))


def written(text: str, *, required: bool = True) -> str:
    """Return what a person wrote in one line. Raises ``Unprocessable`` for nothing, too much or unreadable signs."""
    line = " ".join(text.split())
    if required and not line:
        raise Unprocessable(N_("Please write a reason: others read it later."))
    if len(line) > MOST_LETTERS:
        raise Unprocessable(N_("Please write at most 500 letters."))
    if not line.isprintable():
        raise Unprocessable(N_("There are signs in this text that nobody can read. Type it again."))
    return line


def _look_again(db: Session, work: PlannedWork, now_ms: int) -> None:
    span = Span(work.start_ms, work.end_ms)
    look_again_at_all(db, work.regency, span, lambda village: covers(work, village), now_ms)


def _span(entry: Entry, zone: str, now_ms: int) -> Span:
    try:
        start, end = (datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)) for text in (entry.start, entry.end))
    except ValueError:
        raise Unprocessable(N_("Please give the day and the time of the beginning and of the end.")) from None
    if end <= start:
        raise Unprocessable(N_("The end is before the beginning. Please correct one of them."))
    if end - start > LONGEST:
        raise Unprocessable(N_("Planned work lasts at most 31 days. Enter longer work in parts."))
    today = clock.local(now_ms, zone)
    if max(abs(start - today), abs(end - today)) > FARTHEST:
        raise Unprocessable(N_("This is more than a year away. Please check the year."))
    return Span(int(start.timestamp() * 1000), int(end.timestamp() * 1000))


def _known(db: Session, regency: str, chosen: Sequence[str]) -> list[str]:
    if not chosen:
        raise Unprocessable(N_("Please choose where the work is: villages, kecamatan or the whole kabupaten."))
    known = {regency, *villages.districts(db, regency), *villages.names(db, regency)}
    if not known.issuperset(chosen):
        raise Unprocessable(N_("One of the places is not in this kabupaten. Please choose again."))
    return sorted(set(chosen))


def _told(work: PlannedWork) -> dict[str, object]:
    return {"start_ms": work.start_ms, "end_ms": work.end_ms, "places": list(places(work)), "provider": work.provider}
