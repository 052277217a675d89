"""The ledger of one portal: who was online, what each used, over restarts of box and router and changes of clocks.

It remembers in :class:`PortalMemory` and tells what changed until a reading with it is safe in the spool. Times are
the box's wall clock in ms; lengths are taken from its time since boot, which no jump of a clock moves.
"""

from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex
from typing import Final

import msgspec

from kampungnet.shared.portal_body import PortalSession
from kampungnet.shared.wanted import WantedPortal
from kampungnet_agent.box import EARLIEST_TRUE_MS, Box

from . import portal_memory as notes
from .portal_memory import PortalMemory, is_random
from .portal_rows import Names
from .portal_sessions import SAME_START_SECONDS, Look, Seen, Session, Totals, follow
from .portal_target import Use, local_time

MOST_TOLD: Final = 400
MOST_TOLD_BYTES: Final = 80_000
"""Sessions in one reading, and their bytes as JSON; those beyond are told by the next one. With 300 devices without a
session a reading then stays below what may travel."""
JUMP_MS: Final = 60_000
"""A clock that moved by more against the time since boot was put right."""
DAY_MS: Final = 86_400_000
_USUAL_ZONE: Final = "Asia/Jakarta"


class PortalLedger:
    """The ledger; see the module. ``path`` is its file, ``None`` for one that is only tried."""

    def __init__(self, path: Path | None, box: Box) -> None:
        self._path, self._box = path, box
        self._file: PortalMemory | None = None
        self.wanted: WantedPortal | None = None
        self.sessions: list[Session] = []
        self.uses: dict[str, Use] = {}
        self._born_ms, self._born_at = 0, 0.0
        self._looked_at: float | None = None
        self._looked_ms = 0
        self._gone: list[str] = []
        self._kicked: dict[str, str] = {}
        self._handed: dict[str, tuple[str, dict[int, list[int]]]] = {}
        """What the last reading told of each session: why it ended, and its half hours."""
        self._turn = 0
        self._told_at: dict[str, int] = {}
        """At which turn each was told last: where there are too many for one reading, those go first that wait."""

    def open(self) -> PortalMemory:
        """Return the file beside the spool, opened at the first use; what stands in it is read then.

        While another process has it, as ``poll`` of the command line may, nothing is remembered and, as nothing is
        known to be wanted, nothing is changed on the router; the file is asked for again at every visit.
        """
        if self._file is not None and not self._file.shared:
            return self._file
        self.close()
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = memory = PortalMemory(self._path)
        self.wanted, self.sessions, self.uses = memory.contents()
        self._handed = {}
        self._adopt()
        self._born_ms, self._born_at = memory.number(notes.LAST_MS), self.since_boot()
        self._looked_at = None
        return memory

    def close(self) -> None:
        """Let others have the file; the next use opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    @property
    def memory(self) -> PortalMemory:
        """The file."""
        return self._file or self.open()

    def keep_wanted(self, wanted: WantedPortal) -> None:
        """Put what is wanted on the disk. Raises ``ValueError`` for a time zone that nobody knows here."""
        local_time(wanted.time_zone, 0)
        with self.memory.look():
            self.memory.write_note(notes.WANTED, msgspec.json.encode(wanted))
        self.wanted = wanted
        self._adopt()

    def _adopt(self) -> None:
        """Take from the server what vouchers used that this box knows nothing of: its card may be a new one."""
        for user in self.wanted.users if self.wanted else ():
            if user.first_used_ms is not None:
                self.uses.setdefault(user.reference, Use(user.first_used_ms, user.used_seconds))

    def since_boot(self) -> float:
        """Return seconds since the box's boot."""
        return self._box.boottime_ms() / 1000

    def now_ms(self) -> int:
        """Return wall time; a box without a clock battery goes on from the last moment it knew."""
        wall = self._box.wall_ms()
        known = self._born_ms + int((self.since_boot() - self._born_at) * 1000)
        return max(wall, known) if wall < EARLIEST_TRUE_MS else wall

    def key(self) -> bytes:
        """Return the key of this month's pseudonyms; the first question of a month destroys the one before."""
        month = f"{local_time(self._zone, self.now_ms()):%Y-%m}"
        if self.memory.note(notes.MONTH) == month.encode():
            return self.memory.note(notes.KEY) or b""
        self.uses = {who: use for who, use in self.uses.items() if not who.startswith(notes.PSEUDONYM)}
        with self.memory.look():
            return self.memory.key_of_month(month)

    def confirm(self) -> None:
        """Take as told what the last reading told: the poller had it on disk before it came back here.

        A half hour that grew since is told again.
        """
        for one in self.sessions:
            _, slots = self._handed.get(one.id, ("", {}))
            one.untold -= {slot for slot in one.untold if slots.get(slot) == one.slots[slot]}
        handed = {name for name, (end, _) in self._handed.items() if end}
        gone = {one.id for one in self.sessions if one.id in handed and not one.untold}
        self._gone += gone
        self.sessions = [one for one in self.sessions if one.id not in gone]

    def hand_over(self) -> list[PortalSession]:
        """Return what a reading has to tell; it counts as told when the next one is asked for."""
        self.sessions.sort(key=lambda one: (not one.end, self._told_at.get(one.id, 0)))
        some: list[tuple[Session, PortalSession]] = []
        room = MOST_TOLD_BYTES
        for one in self.sessions[:MOST_TOLD]:
            told = _told(one)
            room -= len(msgspec.json.encode(told))
            if room < 0:
                break
            some.append((one, told))
        self._turn += 1
        self._told_at = {one.id: self._told_at.get(one.id, 0) for one in self.sessions}
        self._told_at |= {one.id: self._turn for one, _ in some}
        self._handed = {
            one.id: (told.end, {slot.number: list(one.slots[slot.number]) for slot in told.slots}) for one, told in some
        }
        return [told for _, told in some]

    def ours(self, rows: list[Seen]) -> set[str]:
        """Return the names of users of ours whose counters tell something now."""
        names = Names(self.wanted)
        users = {one.user for one in self.sessions} | {one.user for one in rows}
        return {user for user in users if names.of(user)[1]}

    def counted_elsewhere(self) -> dict[str, int]:
        """Return the seconds of running sessions that this ledger counts as used, but not by them; by user."""
        return {one.user: one.uncounted.seconds for one in self.sessions if not one.end and one.uncounted.seconds}

    def kick(self, ended: Mapping[str, str]) -> None:
        """Remember which sessions we ended ourselves."""
        self._kicked |= ended

    def look(self, rows: list[Seen], uptime: int | None, counters: Mapping[str, Totals]) -> bool:
        """Bring the ledger up to this look, in one transaction; tell whether the router began anew since the last."""
        now_ms, now_at = self.now_ms(), self.since_boot()
        elapsed = self._elapsed(now_ms, now_at)
        if elapsed is not None and self._looked_at is not None:
            self._put_right(now_ms - self._looked_ms - round(elapsed * 1000))
        rebooted = self._rebooted(uptime, elapsed)
        first = not self.memory.number(notes.LAST_MS)
        seen = Look(now_ms, rows, elapsed, rebooted, counters, dict(self._kicked), first)
        ended = [one for one in self.sessions if one.end]
        running = [one for one in self.sessions if not one.end]
        before = {one.id: (one.seconds, one.up_bytes + one.down_bytes) for one in running}
        fresh, names = follow(running, seen, lambda: token_hex(8)), Names(self.wanted)
        for one in fresh:
            names.give(one)
        self.sessions = ended + fresh
        changed = self._used(now_ms, fresh, before)
        with self.memory.look():
            self.memory.write_sessions(fresh, self._gone)
            self.memory.write_uses(changed.items(), now_ms)
            self.memory.write_note(notes.LAST_MS, str(now_ms).encode())
            if uptime is not None:
                self.memory.write_note(notes.UPTIME, str(uptime).encode())
        self._gone.clear()
        self._kicked.clear()
        self._looked_at, self._looked_ms = now_at, now_ms
        return rebooted

    def _put_right(self, jump_ms: int) -> None:
        """Move what was timed by a clock that turned out to be wrong: sessions that run, and first uses by them."""
        if abs(jump_ms) <= JUMP_MS:
            return
        for one in self.sessions:
            use = self.uses.get(one.reference or one.guest)
            if use is not None and use.first_ms == one.started_ms:
                use.first_ms = max(0, use.first_ms + jump_ms)
            one.move(jump_ms)

    def _rebooted(self, uptime: int | None, elapsed: float | None) -> bool:
        before = self.memory.number(notes.UPTIME)
        if uptime is None or not before:
            return False
        return uptime < before + max(0, (elapsed or 0) - SAME_START_SECONDS)

    def _used(self, now_ms: int, fresh: list[Session], before: Mapping[str, tuple[int, int]]) -> dict[str, Use]:
        local = local_time(self._zone, now_ms)
        day, month = f"{local:%Y-%m-%d}", f"{local:%Y-%m}"
        changed = {}
        for one in fresh:
            who = one.reference or one.guest
            use = self.uses.setdefault(who, Use(one.started_ms))
            had_seconds, had_bytes = before.get(one.id, (0, 0))
            more_bytes = one.up_bytes + one.down_bytes - had_bytes
            if use.day != day:
                use.day, use.day_seconds, use.day_bytes = day, 0, 0
            if use.month != month:
                use.month, use.month_bytes = month, 0
            use.day_seconds += one.seconds - had_seconds
            use.day_bytes += more_bytes
            use.month_bytes += more_bytes
            use.seconds += one.seconds if one.end else 0
            changed[who] = use
        return changed

    @property
    def _zone(self) -> str:
        return self.wanted.time_zone if self.wanted else _USUAL_ZONE

    def _elapsed(self, now_ms: int, now_at: float) -> float | None:
        """Return the seconds since the look before; ``None`` when the box restarted and its clock does not tell."""
        if self._looked_at is not None:
            return now_at - self._looked_at
        last_ms = self.memory.number(notes.LAST_MS)
        told = self._box.clock_synchronised() and 0 < last_ms <= now_ms and now_ms - last_ms < DAY_MS
        return (now_ms - last_ms) / 1000 if told else None


def _told(one: Session) -> PortalSession:
    return PortalSession(
        id=one.id, guest=one.guest, way=one.way, started_ms=one.started_ms, seen_ms=one.seen_ms, slots=one.told(),
        reference=one.reference, plan=one.plan, random_mac=is_random(one.mac), idle_seconds=one.idle_seconds,
        end=one.end,
    )  # fmt: skip
