"""Driver ``mikrotik-portal``: keeps the captive portal of a RouterOS hotspot as it is wanted, and tells who is online.

A second API user with ``read,write,api`` and a connection of its own; the driver that measures the router only reads.
A poll looks who is online (its reading is the session ledger) and, when the hour, a quota or somebody else's hand
changed something, makes the router right again. What is wanted comes by :meth:`follow`, at once and over power cuts:
it lies on the box's disk, so all goes on with the line to the server cut.
"""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from kampungnet.shared.portal_body import CheckStep, PortalBody, PortalHost, PortalSession
from kampungnet.shared.wanted import MAX_USERS, WantedPortal
from kampungnet_agent.box import EARLIEST_TRUE_MS, Box
from kampungnet_agent.driver import DeviceSettings, Finding, Polled

from . import portal_memory as notes
from .fields import boolean, seconds, text
from .findings import fails, works
from .mikrotik import MikrotikDriver
from .portal_apply import Made, make_so
from .portal_memory import PortalMemory, is_random
from .portal_rows import (
    ACTIVE,
    HOSTS,
    RESOURCE,
    SERVER_PROFILES,
    SERVERS,
    Names,
    counters_of,
    hosts,
    online,
    profile_row,
    seen,
    tables,
    totals,
)
from .portal_sessions import Look, Session, follow
from .portal_target import Around, Online, Use, local_time, next_change_ms, reached
from .routeros_errors import foreign_errors_become_ours
from .routeros_wire import RouterConnection, Row

DRIFT_SECONDS: Final = 600
"""From look to look whether somebody else changed what is ours."""
MOST_TOLD: Final = 400
"""Sessions in one reading; those beyond are told by the next one."""
DAY_MS: Final = 86_400_000
MOST_ROWS: Final = 2 * MAX_USERS
"""Rows of one table: all our vouchers, and as many users of others."""


class MikrotikPortalDriver:
    """One captive portal. See :class:`kampungnet_agent.driver.Driver` for the contract."""

    OPTIONS: Final = frozenset({"tls", "tls_verify", "ca_file"})
    INTERVAL_SECONDS: Final = 30

    def __init__(self, settings: DeviceSettings, box: Box | None = None) -> None:
        """Open what is remembered; ``box`` has the clocks."""
        self._settings = settings
        self._box = box or Box()
        self._router = MikrotikDriver(settings)
        self._file: PortalMemory | None = None
        self._wanted: WantedPortal | None = None
        self._sessions: list[Session] = []
        self._uses: dict[str, Use] = {}
        self._born_ms, self._born_at = 0, 0.0
        self._lock = asyncio.Lock()
        self._handed: dict[str, tuple[str, dict[int, list[int]]]] = {}
        """What the last reading told of each session: why it ended, and its half hours."""
        self._turn = 0
        self._told_at: dict[str, int] = {}
        """At which turn each was told last: where there are too many for one reading, those go first that wait."""
        self._looked_at: float | None = None
        self._kicked: set[str] = set()
        self._macs: dict[str, str] = {}
        self._problems: list[str] = []
        self._drift: list[str] = []
        self._made_print = ""
        self._due_at = 0.0
        self._due_ms = 0
        self._slowed: frozenset[tuple[str, str]] = frozenset()

    def _open(self) -> PortalMemory:
        """Return the file beside the spool, opened at the first use; what stands in it is read then.

        While another process has it, as ``poll`` of the command line may, nothing is remembered and, as nothing is
        known to be wanted, nothing is changed on the router; the file is asked for again at every visit.
        """
        if self._file is not None and not self._file.shared:
            return self._file
        if self._file is not None:
            self._file.close()
        folder = Path(self._settings.state_folder) if self._settings.state_folder else None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        self._file = memory = PortalMemory(folder / f"{self._settings.name}.portal.db" if folder else None)
        self._wanted, self._sessions, self._uses = memory.wanted(), memory.sessions(), memory.uses()
        self._born_ms, self._born_at = memory.number(notes.LAST_MS), self._since_boot()
        self._looked_at = None
        self._due_at = 0.0
        return memory

    @property
    def _memory(self) -> PortalMemory:
        return self._file or self._open()

    @property
    def revision(self) -> int:
        """What is wanted here, by the number of its revision; 0 when the server never said."""
        self._open()
        return self._wanted.revision if self._wanted else 0

    @property
    def done(self) -> tuple[int, list[str]]:
        """The revision that the router was made to follow, and what it refused."""
        return self._open().number(notes.DONE), self._problems

    def pseudonym_of(self, mac: str) -> str:
        """Return what a device is called outside the village this month."""
        return notes.pseudonym(self._key(self._now_ms()), mac)

    async def follow(self, wanted: WantedPortal) -> None:
        """Keep what is wanted on the disk, then make the router so; raises ``DeviceError`` when it does not answer."""
        memory = self._open()
        if memory.shared:
            return  # the revision stays as it was, so the server says it again
        with memory.look():
            memory.write_note(notes.WANTED, msgspec.json.encode(wanted))
        self._wanted = wanted
        self._due_at = 0.0
        await self._visit(telling=False)

    async def poll(self) -> Polled:
        """Look who is online; raises ``DeviceError``."""
        return await self._visit(telling=True)

    async def check(self) -> Iterable[Finding]:
        """Say in Indonesian whether this account reads what a portal needs. Nothing is changed, nothing remembered."""
        place = self._settings.address
        try:
            with foreign_errors_become_ours():
                connection = await self._router.ready()
                connection.begin_poll()
                found = await tables(connection, (RESOURCE, SERVERS, SERVER_PROFILES, ACTIVE, HOSTS))
        finally:
            await self.close()
        server, _ = profile_row(found)
        if not server:
            return [fails(f"Router di {place} belum punya hotspot: buat dulu dengan /ip hotspot setup.")]
        name = text(server.get(b"name"))
        return [works(f"Hotspot {name} di {place} terbaca: {len(found[ACTIVE])} orang online.")]

    async def close(self) -> None:
        """Log out and let others have the file; never raises. The next visit opens both again."""
        await self._router.close()
        if self._file is not None:
            self._file.close()
            self._file = None

    async def _visit(self, *, telling: bool) -> Polled:
        """Look at the router and make it so; ``telling`` says that the reading goes to the spool."""
        finished = False
        self._open()
        async with self._lock:
            try:
                with foreign_errors_become_ours():
                    connection = await self._router.ready()
                    gone = self._confirmed() if telling else []
                    polled = await self._look(connection, gone)
                if telling:
                    self._hand_over()
                finished = True
                return polled
            finally:
                if not finished:  # cancelled or failed: the byte stream is out of step
                    self._router.drop()

    async def _look(self, connection: RouterConnection, gone: list[str]) -> Polled:
        connection.most_rows, connection.most_properties, connection.most_bytes = (
            MOST_ROWS,
            16 * MOST_ROWS,
            500 * MOST_ROWS,
        )
        connection.begin_poll()
        found = await tables(connection, (RESOURCE, SERVERS, SERVER_PROFILES, ACTIVE, HOSTS))
        now_ms, now_at = self._now_ms(), self._since_boot()
        uptime = seconds(found[RESOURCE][0].get(b"uptime")) if found[RESOURCE] else None
        key = self._key(now_ms)
        rows = seen(found[ACTIVE], key)
        names = {one.user for one in self._sessions} | {one.user for one in rows}
        ours = {name for name in names if Names(self._wanted).of(name)[1]}
        counters = totals((await connection.ask([counters_of(ours)]))[0].rows) if ours else {}
        rebooted = self._rebooted(uptime)
        look = Look(now_ms, rows, self._elapsed(now_at), rebooted, counters, frozenset(self._kicked))
        if rebooted:  # what it forgot has to be given back: time of vouchers, pages that were not written yet
            self._due_at = 0.0
        self._followed(look, uptime, gone)
        self._looked_at = now_at
        self._remember_devices(found[ACTIVE], found[HOSTS], key)
        logged_in = online(self._sessions, found[ACTIVE])
        await self._make_so(connection, logged_in, now_ms)
        self._sessions.sort(key=lambda one: (not one.end, self._told_at.get(one.id, 0)))
        return Polled(self._body(found, hosts(found[HOSTS], key)), uptime)

    def _confirmed(self) -> list[str]:
        """Take as told what the last reading told: the poller had it on disk before it came back here.

        A half hour that grew since is told again. Returns the sessions that were told to the end.
        """
        for one in self._sessions:
            _, slots = self._handed.get(one.id, ("", {}))
            one.untold -= {slot for slot in one.untold if slots.get(slot) == one.slots[slot]}
        gone = [one.id for one in self._sessions if one.end and self._handed.get(one.id, ("", {}))[0]]
        self._sessions = [one for one in self._sessions if one.id not in gone]
        return gone

    def _hand_over(self) -> None:
        """Remember what a reading tells, until the next one is asked for."""
        self._turn += 1
        self._told_at = {one.id: self._told_at.get(one.id, 0) for one in self._sessions}
        self._told_at |= {one.id: self._turn for one in self._sessions[:MOST_TOLD]}
        self._handed = {
            one.id: (one.end, {slot: list(one.slots[slot]) for slot in one.untold})
            for one in self._sessions[:MOST_TOLD]
        }

    def _followed(self, look: Look, uptime: int | None, gone: list[str]) -> None:
        """Bring the ledger up to this look, in one transaction; forget the sessions ``gone``."""
        ended = [one for one in self._sessions if one.end]
        running = [one for one in self._sessions if not one.end]
        before = {one.id: one.seconds for one in running}
        bytes_before = {one.id: one.up_bytes + one.down_bytes for one in running}
        fresh, names = follow(running, look, _new_id), Names(self._wanted)
        for one in fresh:
            names.give(one)
        self._sessions = ended + fresh
        changed = self._used(look.now_ms, fresh, before, bytes_before)
        with self._memory.look():
            self._memory.write_sessions(fresh, gone)
            self._memory.write_uses(changed.items(), look.now_ms)
            self._memory.write_note(notes.LAST_MS, str(look.now_ms).encode())
            if uptime is not None:
                self._memory.write_note(notes.UPTIME, str(uptime).encode())
        self._kicked.clear()

    def _used(
        self, now_ms: int, fresh: list[Session], seconds_before: dict[str, int], bytes_before: dict[str, int]
    ) -> dict[str, Use]:
        zone = self._wanted.time_zone if self._wanted else "Asia/Jakarta"
        local = local_time(zone, now_ms)
        day, month = f"{local:%Y-%m-%d}", f"{local:%Y-%m}"
        changed = {}
        for one in fresh:
            who = one.reference or one.guest
            use = self._uses.setdefault(who, Use(one.started_ms))
            use.first_ms = min(use.first_ms, one.started_ms)
            more_seconds = one.seconds - seconds_before.get(one.id, 0)
            more_bytes = one.up_bytes + one.down_bytes - bytes_before.get(one.id, 0)
            if use.day != day:
                use.day, use.day_seconds, use.day_bytes = day, 0, 0
            if use.month != month:
                use.month, use.month_bytes = month, 0
            use.day_seconds += more_seconds
            use.day_bytes += more_bytes
            use.month_bytes += more_bytes
            use.seconds += one.seconds if one.end else 0
            changed[who] = use
        return changed

    async def _make_so(self, connection: RouterConnection, logged_in: list[Online], now_ms: int) -> None:
        wanted = self._wanted
        if wanted is None:
            return
        slowed = self._over_quota(wanted, logged_in, now_ms)
        if not self._is_due(slowed, now_ms):
            return
        around = Around(now_ms, self._uses, {}, logged_in, self._memory.devices() | self._macs)
        connection.begin_poll()
        made = await make_so(connection, self._memory, wanted, around)
        self._kicked |= set(made.ended)
        self._note(made, wanted)
        self._due_at = self._since_boot() + DRIFT_SECONDS
        self._due_ms = next_change_ms(wanted, self._uses, now_ms)
        self._slowed = slowed

    def _is_due(self, slowed: frozenset[tuple[str, str]], now_ms: int) -> bool:
        return self._since_boot() >= self._due_at or now_ms >= self._due_ms or slowed != self._slowed

    def _over_quota(self, wanted: WantedPortal, logged_in: list[Online], now_ms: int) -> frozenset[tuple[str, str]]:
        """Return who has to go slower, with the address each has now."""
        local, plans = local_time(wanted.time_zone, now_ms), {plan.name: plan for plan in wanted.plans}
        return frozenset(
            (one.guest, one.address)
            for one in logged_in
            if one.plan in plans and reached(plans[one.plan], self._uses.get(one.reference or one.guest), local)
        )

    def _note(self, made: Made, wanted: WantedPortal) -> None:
        self._problems = made.problems
        # The very same target as before: then whatever had to be changed was changed by somebody else.
        self._drift = made.changed if made.print == self._made_print else []
        self._made_print = made.print
        named = {one.guest for one in wanted.bindings if one.guest}
        with self._memory.look():
            if made.holds:
                self._memory.write_note(notes.DONE, str(wanted.revision).encode())
            for guest in named & set(self._macs):
                self._memory.write_device(guest, self._macs[guest], self._now_ms())
            self._memory.forget_devices(named)

    def _remember_devices(self, active: list[Row], all_hosts: list[Row], key: bytes) -> None:
        macs = {text(row.get(b"mac-address")) for row in (*active, *all_hosts)} - {""}
        self._macs = {notes.pseudonym(key, mac): mac for mac in macs}
        self._macs |= {one.guest: one.mac for one in self._sessions}  # under the name each began with

    def _body(self, found: dict[str, list[Row]], others: list[PortalHost]) -> PortalBody:
        server, _ = profile_row(found)
        return PortalBody(
            server=text(server.get(b"name")),
            running=bool(server) and not boolean(server.get(b"disabled")) and not boolean(server.get(b"invalid")),
            online=len(found[ACTIVE]),
            hosts=len(found[HOSTS]),
            sessions=[_told(one) for one in self._sessions[:MOST_TOLD]],
            without_session=others,
            revision=self._memory.number(notes.DONE),
            problems=self._problems,
            drift=self._drift,
            check=self._steps(found),
        )

    def _steps(self, found: dict[str, list[Row]]) -> list[CheckStep]:
        """Answer "can a citizen get online right now?" as far as the router's own tables tell."""
        server, profile = profile_row(found)
        steps = [
            CheckStep("server", bool(server), "" if server else "Router ini belum punya hotspot."),
            CheckStep(
                "running",
                not boolean(server.get(b"disabled")) and not boolean(server.get(b"invalid")),
                "Hotspot dimatikan atau tidak sah di router.",
            ),
        ]
        if self._wanted and self._wanted.managed and server:
            click = self._wanted.click is None or b"trial" in profile.get(b"login-by", b"")
            steps.append(CheckStep("ways", click, "" if click else "Masuk dengan satu klik sedang tertutup."))
            made = not self._problems
            steps.append(CheckStep("pages", made, "" if made else self._problems[0][:200]))
        return steps

    def _key(self, now_ms: int) -> bytes:
        month = f"{local_time(self._wanted.time_zone if self._wanted else 'Asia/Jakarta', now_ms):%Y-%m}"
        if self._memory.note(notes.MONTH) == month.encode():
            return self._memory.note(notes.KEY) or b""
        self._uses = {who: use for who, use in self._uses.items() if not who.startswith(notes.PSEUDONYM)}
        with self._memory.look():
            return self._memory.key_of_month(month)

    def _now_ms(self) -> int:
        """Return wall time; a box without a clock battery goes on from the last moment it knew."""
        wall = self._box.wall_ms()
        known = self._born_ms + int((self._since_boot() - self._born_at) * 1000)
        return max(wall, known) if wall < EARLIEST_TRUE_MS else wall

    def _since_boot(self) -> float:
        return self._box.boottime_ms() / 1000

    def _elapsed(self, now_at: float) -> float | None:
        if self._looked_at is not None:
            return now_at - self._looked_at
        last_ms, now_ms = self._memory.number(notes.LAST_MS), self._now_ms()
        return (now_ms - last_ms) / 1000 if 0 < last_ms <= now_ms and now_ms - last_ms < DAY_MS else None

    def _rebooted(self, uptime: int | None) -> bool:
        before = self._memory.number(notes.UPTIME)
        return uptime is not None and uptime < before


def _told(one: Session) -> PortalSession:
    return PortalSession(
        id=one.id, guest=one.guest, way=one.way, started_ms=one.started_ms, seen_ms=one.seen_ms, slots=one.told(),
        reference=one.reference, plan=one.plan, random_mac=is_random(one.mac), idle_seconds=one.idle_seconds,
        end=one.end,
    )  # fmt: skip


def _new_id() -> str:
    from secrets import token_hex

    return token_hex(8)
