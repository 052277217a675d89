"""Sessions that boxes told: stored once however often they come, folded into days without names, deleted in time."""

import os
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import delete, false, func, or_, select, update
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
from kampungnet.villages.models import Regency

KEEP_SETTING: Final = "KAMPUNGNET_KEEP_SESSION_DAYS"
KEEP_DAYS: Final = 90
"""How long sessions are kept unless the setting says otherwise (facts on hotspots 12)."""
CLOCK_MS: Final = 300_000
"""A box whose clock is wrong by less is believed."""
DAYS_AT_ONCE: Final = 200
SAME_SHIFT: Final = 0.75
"""Half hours by which the offset of a clock may seem to move before it is another one."""
ERASED: Final = "x-"
"""Begins what stands in the place of a pseudonym that was erased."""
Key = tuple[str, str, str]
"""Regency, site and session."""
_KEY: Final = ("regency", "site", "id")
_SAID: Final = ("guest", "way", "reference", "plan", "random_mac", "started_ms", "seen_ms", "ended", "shift")
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
    """Store what readings told. Order and repetition change nothing: of each half hour the greatest value counts.

    Left out are sessions of days whose own are deleted by now (those days stand as they were made), and those that
    claim to be from the future.
    """
    now_ms, days = clock.now_ms(), keep_days()
    new: dict[Key, list[tuple[PortalSession, int]]] = {}
    for reading in told:
        shift_ms = reading.shift_ms if abs(reading.shift_ms) > CLOCK_MS else 0
        kept_ms = kept_from_ms(reading.regency, now_ms, days)
        for one in reading.sessions:
            if kept_ms <= one.seen_ms + shift_ms <= now_ms + CLOCK_MS:
                new.setdefault((reading.regency, reading.site, one.id), []).append((one, shift_ms))
    if not new:
        return
    known = _known(db, new)
    rows = [_row(key, said, known.get(key)) for key, said in new.items()]
    upsert(db, HotspotSession, rows, _KEY, (*_SAID, *_USED))
    _make_stale(db, rows, known, now_ms)
    _note_vouchers(db, rows, known)


class _Known(NamedTuple):
    """What stands in the row of a session."""

    seen_ms: int = 0
    slots: bytes = b""
    ended: str = ""
    shift: int | None = None
    guest: str = ""
    seconds: int = 0


def _known(db: Session, keys: Collection[Key]) -> dict[Key, _Known]:
    rows = among(db, HotspotSession, (*_KEY, *_Known._fields), _KEY, keys)
    return {(row[0], row[1], row[2]): _Known(*row[3:]) for row in rows}


def _row(key: Key, said: Sequence[tuple[PortalSession, int]], known: _Known | None) -> dict[str, Any]:
    seen_ms, packed, ended, shift, guest, _ = known or _Known()
    slots: Slots = use.unpack(packed) if packed else {}
    for one, shift_ms in said:
        shift = _half_hours(shift_ms, shift)
        slots = use.merged(slots, one.slots, shift)
    newest, shift_ms = max(said, key=lambda pair: (pair[0].seen_ms + pair[1], bool(pair[0].end)))
    newest_ms = max(0, newest.seen_ms + shift_ms)
    seconds, up_bytes, down_bytes = use.totals(slots)
    erased = guest.startswith(ERASED)
    return dict(zip(_KEY, key, strict=True)) | {
        "guest": guest if erased else newest.guest, "way": newest.way.value,
        "reference": "" if erased else newest.reference, "plan": newest.plan, "random_mac": newest.random_mac,
        "started_ms": max(0, newest.started_ms + shift_ms), "seen_ms": max(seen_ms, newest_ms),
        # Who was thought gone and is seen again goes on; an older reading that comes late reopens nothing.
        "ended": newest.end if newest_ms > seen_ms else newest.end or ended, "shift": shift or 0,
        "seconds": seconds, "up_bytes": up_bytes, "down_bytes": down_bytes, "slots": use.pack(slots),
    }  # fmt: skip


def _half_hours(shift_ms: int, before: int | None) -> int:
    """Return by how many half hours a wrong clock is put right.

    The offset of a box's clock is known to some milliseconds only: as long as it is about the same, a session keeps
    the number it had, or one half hour would be told into two.
    """
    exact = shift_ms / SLOT_MS
    return before if before is not None and abs(exact - before) <= SAME_SHIFT else round(exact)


def _make_stale(db: Session, rows: Sequence[dict[str, Any]], known: dict[Key, _Known], now_ms: int) -> None:
    """Mark the local days in which something changed; their sums are made anew between requests."""
    days: set[tuple[str, str, date]] = set()
    for row in rows:
        regency, before = row["regency"], known.get((row["regency"], row["site"], row["id"]))
        old, new = use.unpack(before.slots) if before else {}, use.unpack(row["slots"])
        zone, kept_ms = clock.zone_of(regency), kept_from_ms(regency, now_ms, keep_days())
        changed = (slot * SLOT_MS for slot, used in new.items() if old.get(slot) != used)
        days |= {(regency, row["site"], clock.local_day(at_ms, zone)) for at_ms in changed if at_ms >= kept_ms}
    if days:
        empty = dict.fromkeys(_SUMS, 0) | {"stale": True}
        fresh = [{"regency": regency, "site": site, "day": day} | empty for regency, site, day in sorted(days)]
        upsert(db, HotspotDay, fresh, ("regency", "site", "day"), ("stale",))


def _note_vouchers(db: Session, rows: Sequence[dict[str, Any]], known: dict[Key, _Known]) -> None:
    """Tell the vouchers when they were used first and for how long in all, also when their sessions are deleted."""
    for row in rows:
        if row["way"] != Way.VOUCHER.value or not row["reference"]:
            continue
        before = known.get((row["regency"], row["site"], row["id"]))
        more = row["seconds"] - (before.seconds if before else 0)
        db.execute(
            update(Voucher)
            .where(Voucher.regency == row["regency"], Voucher.id == row["reference"], Voucher.site == row["site"])
            .values(
                first_used_ms=func.coalesce(Voucher.first_used_ms, row["started_ms"]),
                used_seconds=Voucher.used_seconds + more,
            )
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
    some = asked.where(or_(false(), *over)).order_by(HotspotDay.day, HotspotDay.site).limit(DAYS_AT_ONCE)
    # Locked, so that what is told meanwhile waits and marks its day again.
    days = db.execute(some.with_for_update()).all()
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
    return days_of_sites(db, place[0], [place[1]], first, last).get(place[1], {})


def days_of_sites(
    db: Session, regency: str, sites: Collection[str], first: date, last: date
) -> dict[str, dict[date, DayUse]]:
    """Return the same of some sites of a regency; those without any are left out."""
    asked = select(HotspotDay).where(
        HotspotDay.regency == regency, HotspotDay.site.in_(sites), HotspotDay.day.between(first, last)
    )
    found: dict[str, dict[date, DayUse]] = {}
    for one in db.scalars(asked.order_by(HotspotDay.day)):
        use = day_of(db, (regency, one.site), one.day) if one.stale else None
        of_site = found.setdefault(one.site, {})
        of_site[one.day] = use or DayUse(*(getattr(one, name) for name in _SUMS))
    return found


def online_now(db: Session, place: Place, since_ms: int) -> list[HotspotSession]:
    """Return the sessions that ran at the portal's last look, those that began last first."""
    asked = select(HotspotSession).where(
        HotspotSession.regency == place[0], HotspotSession.site == place[1], HotspotSession.ended == "",
        HotspotSession.seen_ms >= since_ms,
    )  # fmt: skip
    return list(db.scalars(asked.order_by(HotspotSession.started_ms.desc())))


def keep_days(environment: Mapping[str, str] = os.environ) -> int:
    """Return how long sessions are kept. Raises ``BadInput`` for a setting that is no number of days."""
    return number(environment, KEEP_SETTING, KEEP_DAYS)


def kept_from_ms(regency: str, now_ms: int, days: int) -> int:
    """Return the instant from which sessions are kept: a local midnight, so that a day has all of its own or none."""
    zone = clock.zone_of(regency)
    return clock.day_start_ms(clock.local_day(now_ms, zone) - timedelta(days=days), zone)


def forget(db: Session, now_ms: int, days: int) -> int:
    """Delete the sessions that are too old; return how many went.

    While days wait to be made anew nothing is deleted: theirs may be among them, and the next time is soon enough.
    """
    if fold_days(db, now_ms) == DAYS_AT_ONCE:
        return 0
    gone = 0
    for regency in db.scalars(select(Regency.code)).all():
        old = HotspotSession.seen_ms < kept_from_ms(regency, now_ms, days)
        gone += db.connection().execute(delete(HotspotSession).where(HotspotSession.regency == regency, old)).rowcount
    return gone


def erase(db: Session, by: SignedIn, place: Place, guest: str, now_ms: int) -> int:
    """Take away whose sessions they were, as the device's owner may ask (UU PDP); the log says how many, not whose.

    The rows lose the pseudonym and the voucher or account for good, also when more is told of one that still runs;
    the sums of days, which name nobody, stay true. Pseudonyms of earlier months belong to keys that are destroyed:
    nobody can say any more that they were this device.
    """
    nobody = f"{ERASED}{secrets.token_hex(8)}"
    here = (HotspotSession.regency == place[0], HotspotSession.site == place[1], HotspotSession.guest == guest)
    gone = db.connection().execute(update(HotspotSession).where(*here).values(guest=nobody, reference="")).rowcount
    # The newest reading of the portal lists who was online; the next one comes within a minute.
    portal = (Device.regency == place[0], Device.site == place[1], Device.kind == "portal")
    db.execute(update(Device).where(*portal).values(body=None))
    audit.record(db, by, Act("portal.erase", place[1], "", None, {"sessions": gone}), now_ms)
    return gone
