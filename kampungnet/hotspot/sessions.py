"""Sessions that boxes told: stored once however often they come, folded into days without names, deleted in time."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import delete, false, or_, select, update
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.rows import among, upsert
from kampungnet.devices.models import Device
from kampungnet.hotspot import use
from kampungnet.hotspot.models import HotspotDay, HotspotSession, Voucher
from kampungnet.hotspot.portals import Place
from kampungnet.hotspot.use import DayUse, Slots
from kampungnet.measurement.holidays import office_hours_of
from kampungnet.measurement.installation import number
from kampungnet.measurement.outage_words import Span
from kampungnet.measurement.workdays import office_hours
from kampungnet.shared.portal_body import SLOT_MS, PortalSession, Way
from kampungnet.staff import audit
from kampungnet.staff.audit import Act
from kampungnet.staff.service import SignedIn

KEEP_DAYS: Final = 90
"""How long sessions are kept (facts on hotspots 12); ``KAMPUNGNET_KEEP_SESSION_DAYS`` says otherwise."""
CLOCK_MS: Final = 300_000
"""A box whose clock is wrong by less is believed."""
DAYS_AT_ONCE: Final = 200
_KEY: Final = ("regency", "site", "id")
_SAID: Final = ("guest", "way", "reference", "plan", "random_mac", "started_ms", "seen_ms", "ended")
_USED: Final = ("seconds", "up_bytes", "down_bytes", "slots")
_SUMS: Final = tuple(DayUse.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Told:
    """What one reading of a portal told; ``shift_ms`` puts the box's clock right."""

    regency: str
    site: str
    shift_ms: int
    sessions: Sequence[PortalSession]


def record(db: Session, told: Iterable[Told]) -> None:
    """Store what readings told. Order and repetition change nothing: of each half hour the greatest value counts."""
    new: dict[tuple[str, str, str], list[tuple[PortalSession, int]]] = {}
    oldest_ms = clock.now_ms() - keep_days() * clock.DAY_MS
    for reading in told:
        shift_ms = reading.shift_ms if abs(reading.shift_ms) > CLOCK_MS else 0
        for one in reading.sessions:
            if one.seen_ms + shift_ms < oldest_ms:
                continue  # its day was folded from sessions that are deleted by now, and stands
            new.setdefault((reading.regency, reading.site, one.id), []).append((one, shift_ms))
    if not new:
        return
    within = {name: {key[place] for key in new} for place, name in enumerate(_KEY)}
    known = {tuple(row[:3]): row[3:] for row in among(db, HotspotSession, (*_KEY, "seen_ms", "slots", "ended"), within)}
    rows = [_row(key, said, known.get(key)) for key, said in new.items()]
    upsert(db, HotspotSession, rows, _KEY, (*_SAID, *_USED))
    _make_stale(db, new)
    _first_uses(db, rows)


def _row(key: tuple[str, str, str], said: Sequence[tuple[PortalSession, int]], known: Any) -> dict[str, Any]:
    seen_ms, packed, ended = known or (0, b"", "")
    slots: Slots = use.unpack(packed) if packed else {}
    for one, shift_ms in said:
        slots = use.merged(slots, one.slots, shift_ms // SLOT_MS)
    newest, shift_ms = max(said, key=lambda pair: pair[0].seen_ms + pair[1])
    seconds, up_bytes, down_bytes = use.totals(slots)
    return dict(zip(_KEY, key, strict=True)) | {
        "guest": newest.guest, "way": newest.way.value, "reference": newest.reference, "plan": newest.plan,
        "random_mac": newest.random_mac, "started_ms": max(0, newest.started_ms + shift_ms),
        "seen_ms": max(seen_ms, newest.seen_ms + shift_ms), "ended": newest.end or ended, "seconds": seconds,
        "up_bytes": up_bytes, "down_bytes": down_bytes, "slots": use.pack(slots),
    }  # fmt: skip


def _make_stale(db: Session, new: dict[tuple[str, str, str], list[tuple[PortalSession, int]]]) -> None:
    """Mark the local days that something was told of; their sums are made anew between requests."""
    days = {
        (regency, site, clock.local_day(max(0, slot.number * SLOT_MS + shift_ms), clock.zone_of(regency)))
        for (regency, site, _), said in new.items()
        for one, shift_ms in said
        for slot in one.slots
    }
    if days:
        empty = dict.fromkeys(_SUMS, 0) | {"stale": True}
        rows = [{"regency": regency, "site": site, "day": day} | empty for regency, site, day in sorted(days)]
        upsert(db, HotspotDay, rows, ("regency", "site", "day"), ("stale",))


def _first_uses(db: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Tell the vouchers when they were used first and for how long in all."""
    for regency, site, reference in {
        (row["regency"], row["site"], row["reference"]) for row in rows if row["way"] == Way.VOUCHER.value
    }:
        of_voucher = select(HotspotSession.started_ms, HotspotSession.seconds).where(
            HotspotSession.regency == regency, HotspotSession.site == site, HotspotSession.reference == reference
        )
        sessions = db.execute(of_voucher).all()
        db.execute(
            update(Voucher)
            .where(Voucher.regency == regency, Voucher.id == reference, Voucher.site == site)
            .values(first_used_ms=min(one[0] for one in sessions), used_seconds=sum(one[1] for one in sessions))
        )


def fold_days(db: Session, now_ms: int) -> int:
    """Make the days anew that are over and of which something was told since, some of them; return how many.

    Today grows with every reading: whoever looks at it gets it from its sessions (:func:`days_of`).
    """
    regencies = db.scalars(select(HotspotDay.regency).where(HotspotDay.stale.is_(True)).distinct()).all()
    over = [
        (HotspotDay.regency == regency) & (HotspotDay.day < clock.local_day(now_ms, clock.zone_of(regency)))
        for regency in regencies
    ]
    asked = select(HotspotDay.regency, HotspotDay.site, HotspotDay.day).where(HotspotDay.stale.is_(True))
    days = db.execute(asked.where(or_(false(), *over)).order_by(HotspotDay.day).limit(DAYS_AT_ONCE)).all()
    rows = [
        {"regency": regency, "site": site, "day": day, "stale": False} | asdict(day_of(db, (regency, site), day))
        for regency, site, day in days
    ]
    if rows:
        upsert(db, HotspotDay, rows, ("regency", "site", "day"), (*_SUMS, "stale"))
    return len(rows)


def day_of(db: Session, place: Place, day: date) -> DayUse:
    """Return the use of one portal on one local day, from its sessions."""
    zone = clock.zone_of(place[0])
    start_ms, end_ms = clock.day_start_ms(day, zone), clock.day_start_ms(day + timedelta(days=1), zone)
    open_hours = office_hours(Span(start_ms, end_ms), zone, office_hours_of(db, place[0], day, day))
    office = frozenset(slot for span in open_hours for slot in use.slots_of_day(span.start_ms, span.end_ms))
    asked = select(HotspotSession.guest, HotspotSession.way, HotspotSession.slots).where(
        HotspotSession.regency == place[0], HotspotSession.site == place[1],
        HotspotSession.seen_ms >= start_ms, HotspotSession.started_ms < end_ms,
    )  # fmt: skip
    sessions = (use.Session(guest, Way(way), use.unpack(slots)) for guest, way, slots in db.execute(asked))
    return use.day_use(sessions, use.slots_of_day(start_ms, end_ms), office)


def days_of(db: Session, place: Place, first: date, last: date) -> dict[date, DayUse]:
    """Return the use of every day that has any; what came a moment ago is in it."""
    asked = select(HotspotDay).where(
        HotspotDay.regency == place[0], HotspotDay.site == place[1], HotspotDay.day.between(first, last)
    )
    return {
        one.day: day_of(db, place, one.day) if one.stale else DayUse(*(getattr(one, name) for name in _SUMS))
        for one in db.scalars(asked.order_by(HotspotDay.day))
    }


def online_now(db: Session, place: Place, since_ms: int) -> list[HotspotSession]:
    """Return the sessions that ran at the portal's last look, those that began last first."""
    asked = select(HotspotSession).where(
        HotspotSession.regency == place[0], HotspotSession.site == place[1], HotspotSession.ended == "",
        HotspotSession.seen_ms >= since_ms,
    )  # fmt: skip
    return list(db.scalars(asked.order_by(HotspotSession.started_ms.desc())))


def keep_days() -> int:
    """Return how long sessions are kept. Raises ``BadInput`` for a setting that is no number of days."""
    return number(os.environ, "KAMPUNGNET_KEEP_SESSION_DAYS", KEEP_DAYS, 1)


def forget(db: Session, now_ms: int, days: int) -> int:
    """Delete the sessions that are too old; return how many went.

    While days wait to be made anew nothing is deleted: theirs may be among them, and the next time is soon enough.
    """
    if fold_days(db, now_ms) == DAYS_AT_ONCE:
        return 0
    old = HotspotSession.seen_ms < now_ms - days * clock.DAY_MS
    return db.connection().execute(delete(HotspotSession).where(old)).rowcount


def erase(db: Session, by: SignedIn, place: Place, guest: str, now_ms: int) -> int:
    """Delete all sessions of one device, as its owner may ask (UU PDP); the log says how many, not whose.

    Days keep their sums, which name nobody. Pseudonyms of earlier months belong to keys that are destroyed: nobody
    can say any more that they were this device.
    """
    asked = select(HotspotSession.started_ms, HotspotSession.seen_ms)
    here = (HotspotSession.regency == place[0], HotspotSession.site == place[1], HotspotSession.guest == guest)
    zone = clock.zone_of(place[0])
    for start_ms, end_ms in db.execute(asked.where(*here)).all():
        for day in _days(clock.local_day(start_ms, zone), clock.local_day(end_ms, zone)):
            _fix_day(db, place, day)
    gone = db.connection().execute(delete(HotspotSession).where(*here)).rowcount
    # The newest reading of the portal lists who was online; the next one comes within a minute.
    portal = (Device.regency == place[0], Device.site == place[1], Device.kind == "portal")
    db.execute(update(Device).where(*portal).values(body=None))
    audit.record(db, by, Act("portal.erase", place[1], "", None, {"sessions": gone}), now_ms)
    return gone


def _fix_day(db: Session, place: Place, day: date) -> None:
    one = db.get(HotspotDay, (*place, day))
    if one is not None and one.stale:
        for name, value in asdict(day_of(db, place, day)).items():
            setattr(one, name, value)
        one.stale = False
        db.flush()


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)
