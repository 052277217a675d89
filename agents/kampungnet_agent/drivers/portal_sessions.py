"""Who was online at the portal, how long, with how many bytes: rows of a router become sessions. Pure.

A router tells how things are now and forgets at every power cut. A session is told apart by user, device and its
beginning (facts on RouterOS 8.5): it goes on when its ``uptime`` grew by the time that passed between two looks, which
the box measures since its boot, so that no jump of a clock ends it. What was used is kept by the half hour of the UTC
clock, cumulative, so that telling it twice or late changes no sum.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from kampungnet.shared.portal_body import SLOT_MS, PortalSlot, Way

SAME_START_SECONDS: Final = 15
"""Two beginnings this near are one: ``uptime`` is whole seconds, and answers are late by a few."""
LIMIT, IDLE, REBOOT, GONE = "limit", "idle", "reboot", "gone"
"""Why a session ended, as far as the rows tell; ``gone`` is logout or anything else."""
MOST_SLOTS: Final = 96
"""Half hours of one session in one reading: two days. The rest is told by the next ones."""
MOST_SLOT_SECONDS: Final = 86_400
"""Told of one half hour at most; more comes only of a clock that was put back by days."""
_NEAR_SECONDS: Final = 90
"""A limit that was this near at the last look was reached: a poll is a minute, and some time to spare."""


class Seen(NamedTuple):
    """One row of ``/ip/hotspot/active``, converted. Bytes up are those the guest sent."""

    user: str
    mac: str
    guest: str
    """Pseudonym of this month: a session keeps the one it began with."""
    uptime_seconds: int
    idle_seconds: int
    up_bytes: int
    down_bytes: int
    seconds_left: int | None = None
    """``session-time-left``."""


class Totals(NamedTuple):
    """Counters of a router's user: they grow when a session ends (facts on RouterOS 7.6.8)."""

    seconds: int
    up_bytes: int
    down_bytes: int


class Session(msgspec.Struct):
    """One device online, or just gone."""

    id: str
    user: str
    mac: str
    """Stays on the box, and only until the session was told to its end."""
    guest: str
    started_ms: int
    seen_ms: int
    seconds: int = 0
    up_bytes: int = 0
    down_bytes: int = 0
    idle_seconds: int = 0
    seconds_left: int | None = None
    slots: dict[int, list[int]] = {}
    """Half hour: seconds, bytes up, bytes down."""
    untold: set[int] = set()
    """Half hours that changed since they were told."""
    end: str = ""
    way: Way = Way.OTHER
    reference: str = ""
    """What the server calls its voucher or account."""
    plan: str = ""
    before: Totals | None = None
    """The user's counters when this session was seen first."""
    uncounted: Totals = Totals(0, 0, 0)
    """What it had used when it was seen first although it should have been seen before: perhaps it was counted then."""

    def move(self, jump_ms: int) -> None:
        """Put the times of a wrong clock right; half hours move as whole ones, as the server moves them."""
        slots = round(jump_ms / SLOT_MS)
        self.started_ms, self.seen_ms = max(0, self.started_ms + jump_ms), max(0, self.seen_ms + jump_ms)
        self.slots = {max(0, slot + slots): used for slot, used in self.slots.items()}
        self.untold = {max(0, slot + slots) for slot in self.untold}

    def grow(self, until_ms: int, seconds: int, up_bytes: int, down_bytes: int) -> None:
        """Add what was used between the last look and ``until_ms``, shared out over the half hours in between."""
        span = (max(self.seen_ms, until_ms - seconds * 1000), until_ms)
        for index, part in ((0, seconds), (1, up_bytes), (2, down_bytes)):
            for slot, amount in _shared_out(part, span):
                if amount:
                    self.slots.setdefault(slot, [0, 0, 0])[index] += amount
                    self.untold.add(slot)
        self.seconds += seconds
        self.up_bytes += up_bytes
        self.down_bytes += down_bytes
        self.seen_ms = until_ms

    def told(self) -> list[PortalSlot]:
        """Return the half hours that have to be told, the oldest first, as many as one reading takes."""
        return [
            PortalSlot(slot, min(MOST_SLOT_SECONDS, self.slots[slot][0]), *self.slots[slot][1:])
            for slot in sorted(self.untold)[:MOST_SLOTS]
        ]


class Look(NamedTuple):
    """One look at a router."""

    now_ms: int
    rows: list[Seen]
    elapsed_seconds: float | None = None
    """Since the look before; ``None`` when nobody knows (the box was off and its clock is wrong)."""
    rebooted: bool = False
    """The router began anew since the last look: what ran then ended with it."""
    counters: Mapping[str, Totals] = {}
    """The counters of our users, by name, where they were asked."""
    kicked: Mapping[str, str] = {}
    """Sessions that we ended ourselves since the last look, with the reason."""
    first: bool = False
    """Nothing is known from before: what was used until now another box may have told, whose card this one has not."""


def follow(running: Iterable[Session], look: Look, new_id: Callable[[], str]) -> list[Session]:
    """Return all sessions after a look: those that run, grown or new, and those that just ended (``end`` is set)."""
    left = {(one.user, one.mac): one for one in running}
    found: list[Session] = []
    for row in look.rows:
        key = (row.user, row.mac)
        session = left.get(key)
        if session is None or look.rebooted or not _goes_on(session, row, look.elapsed_seconds):
            found.append(_begun(row, look, new_id()))
            continue
        del left[key]
        found.append(_grown(session, row, look.now_ms))
    return found + [_ended(one, look) for one in left.values()]


def _goes_on(session: Session, row: Seen, elapsed_seconds: float | None) -> bool:
    """Tell whether a row is the session that ran at the last look: it began before that, or grew as time did."""
    grew = row.uptime_seconds - session.uncounted.seconds - session.seconds
    if elapsed_seconds is None:
        return grew >= 0
    return (
        row.uptime_seconds > elapsed_seconds + SAME_START_SECONDS or abs(grew - elapsed_seconds) <= SAME_START_SECONDS
    )


def _begun(row: Seen, look: Look, new: str) -> Session:
    """Begin a session. One that another look should have seen is counted from the last one on, or it counts twice."""
    odd = look.first or (
        not look.rebooted
        and look.elapsed_seconds is not None
        and row.uptime_seconds > look.elapsed_seconds + SAME_START_SECONDS
    )
    counted = int(look.elapsed_seconds or 0) if odd else row.uptime_seconds
    started_ms = look.now_ms - counted * 1000
    session = Session(new, row.user, row.mac, row.guest, started_ms, started_ms)
    if odd:
        session.uncounted = Totals(row.uptime_seconds - counted, row.up_bytes, row.down_bytes)
        session.grow(look.now_ms, counted, 0, 0)
    else:
        session.before = look.counters.get(row.user)
        session.grow(look.now_ms, counted, row.up_bytes, row.down_bytes)
    return _as_seen(session, row)


def _grown(session: Session, row: Seen, now_ms: int) -> Session:
    # A counter that fell within one session is an old answer or a reset queue: nothing is taken back.
    had = session.uncounted
    session.grow(
        max(now_ms, session.seen_ms),
        max(0, row.uptime_seconds - had.seconds - session.seconds),
        max(0, row.up_bytes - had.up_bytes - session.up_bytes),
        max(0, row.down_bytes - had.down_bytes - session.down_bytes),
    )
    return _as_seen(session, row)


def _as_seen(session: Session, row: Seen) -> Session:
    session.idle_seconds, session.seconds_left = row.idle_seconds, row.seconds_left
    return session


def _ended(session: Session, look: Look) -> Session:
    """Close a session at the last moment it was seen, or, where the counters of its user tell the rest, at logout."""
    if look.rebooted:
        session.end = REBOOT
        return session
    last = _rest(session, look)
    if last is not None:
        session.grow(min(look.now_ms, session.seen_ms + last.seconds * 1000), *last)
    session.end = _reason(session, look)
    return session


def _rest(session: Session, look: Look) -> Totals | None:
    """Return what was used after the last look, from the counters the router added up at logout (facts 8.6)."""
    after = look.counters.get(session.user)
    if after is None or session.before is None:
        return None
    rest = Totals(
        after.seconds - session.before.seconds - session.seconds,
        after.up_bytes - session.before.up_bytes - session.up_bytes,
        after.down_bytes - session.before.down_bytes - session.down_bytes,
    )
    # Two devices of one account end in one sum: then it is nobody's, and the last look stands.
    possible = 0 <= rest.seconds <= (look.now_ms - session.seen_ms) // 1000 + 1
    return rest if possible and min(rest) >= 0 else None


def _reason(session: Session, look: Look) -> str:
    if session.id in look.kicked:
        return look.kicked[session.id]
    if session.seconds_left is not None and session.seconds_left <= _NEAR_SECONDS:
        return LIMIT
    return IDLE if session.idle_seconds >= _NEAR_SECONDS * 2 else GONE


def _shared_out(amount: int, span: tuple[int, int]) -> Iterable[tuple[int, int]]:
    """Share an amount over the half hours of a span by time; the sum stays exact."""
    start, end = span
    first, last = start // SLOT_MS, max(start, end - 1) // SLOT_MS
    if first == last or end <= start:
        return [(last, amount)]
    parts: list[tuple[int, int]] = []
    given = 0
    for slot in range(first, last + 1):
        upto = min(end, (slot + 1) * SLOT_MS) - start
        share = amount * upto // (end - start) - given
        given += share
        parts.append((slot, share))
    return parts
