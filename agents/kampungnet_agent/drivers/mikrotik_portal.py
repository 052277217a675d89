"""Driver ``mikrotik-portal``: keeps the captive portal of a RouterOS hotspot as it is wanted, and tells who is online.

A second API user with ``read,write,test,api`` and a connection of its own; the driver that measures only reads.
A poll looks who is online (its reading is the session ledger) and, when the hour, a quota or somebody else's hand
changed something, makes the router right again. What is wanted comes by :meth:`follow`, at once and over power cuts:
it lies on the box's disk, so all goes on with the line to the server cut.
"""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from kampungnet.shared.portal_body import CheckStep, PortalBody, PortalHost
from kampungnet.shared.wanted import MAX_USERS, WantedPortal
from kampungnet_agent.acts import ActRefused, Renewed
from kampungnet_agent.box import Box
from kampungnet_agent.driver import DeviceSettings, Finding, Polled

from . import portal_memory as notes
from .fields import boolean, seconds, text
from .findings import fails, works
from .mikrotik import MikrotikDriver
from .portal_apply import Made, make_so
from .portal_ledger import PortalLedger
from .portal_rows import (
    ACTIVE,
    HOSTS,
    RESOURCE,
    SERVER_PROFILES,
    SERVERS,
    counters_of,
    hosts,
    online,
    profile_row,
    seen,
    tables,
    totals,
)
from .portal_target import Around, Online, local_time, next_change_ms, reached
from .routeros_errors import foreign_errors_become_ours
from .routeros_sentences import Row
from .routeros_wire import RouterConnection

DRIFT_SECONDS: Final = 600
"""From look to look whether somebody else changed what is ours."""
MOST_ROWS: Final = 2 * MAX_USERS
"""Rows of one table: all our vouchers, and as many users of others."""
MOST_REMEMBERED: Final = 5_000
LOOKED_AT: Final = (RESOURCE, SERVERS, SERVER_PROFILES, ACTIVE, HOSTS)


class MikrotikPortalDriver:
    """One captive portal. See :class:`kampungnet_agent.driver.Driver` for the contract."""

    OPTIONS: Final = frozenset({"tls", "tls_verify", "ca_file"})
    INTERVAL_SECONDS: Final = 30

    def __init__(self, settings: DeviceSettings, box: Box | None = None) -> None:
        """Touch nothing yet; ``box`` has the clocks."""
        folder = Path(settings.state_folder) if settings.state_folder else None
        self.ledger = PortalLedger(folder / f"{settings.name}.portal.db" if folder else None, box or Box())
        self._address = settings.address
        self._router = MikrotikDriver(settings)
        self._lock = asyncio.Lock()
        self._macs: dict[str, str] = {}
        self._problems: list[str] = []
        self._drift: list[str] = []
        self._made_print = ""
        self._held: int | None = None
        self._touched = 0
        self._due_at = 0.0
        self._due_ms = 0
        self._stands_back = False
        self._slowed: frozenset[tuple[str, str]] = frozenset()
        self._unplaced: set[str] = set()
        """Guests that a binding names and that were not seen here since: placed as soon as they are."""

    @property
    def revision(self) -> int:
        """What is wanted here, by the number of its revision; 0 when the server never said."""
        self.ledger.open()
        return self.ledger.wanted.revision if self.ledger.wanted else 0

    @property
    def done(self) -> tuple[int, list[str]]:
        """The revision that the router was made to follow, and what it refused."""
        return self.ledger.open().number(notes.DONE), self._problems

    def pseudonym_of(self, mac: str) -> str:
        """Return what a device is called outside the village this month."""
        return notes.pseudonym(self.ledger.key(), mac)

    def stand_back(self, *, back: bool) -> None:
        """Leave the router as it is from now on, or keep it as it is wanted again."""
        self._stands_back = back

    async def follow(self, wanted: WantedPortal) -> None:
        """Keep what is wanted on the disk, then make the router so; raises ``DeviceError`` when it does not answer."""
        if self.ledger.open().shared:
            return  # the revision stays as it was, so the server says it again
        self.ledger.keep_wanted(wanted)
        self._due_at = 0.0
        await self._visit(telling=False)

    async def poll(self) -> Polled:
        """Look who is online; raises ``DeviceError``."""
        return await self._visit(telling=True)

    async def renew(self) -> Renewed:
        """Look at the whole portal now; see :class:`kampungnet_agent.acts.Renews`."""
        if self.ledger.open().shared or self._stands_back:
            raise ActRefused("Kotak ini tidak mengurus portal saat ini.")
        wanted = self.ledger.wanted
        if wanted is None or not wanted.managed:
            raise ActRefused("Portal router ini belum diurus dari sini; nyalakan dulu di halaman wifi desa.")
        await self._visit(telling=False, anew=True)
        return Renewed(self._touched, self._problems)

    def hidden(self) -> Iterable[str]:
        """Yield who has codes and accounts here, and the addresses of their devices."""
        memory, wanted = self.ledger.open(), self.ledger.wanted
        for user in wanted.users if wanted else ():
            yield from (user.name, user.password)
        for one in wanted.bindings if wanted else ():
            yield from (one.mac, one.label)
        for session in self.ledger.sessions:  # of people the server never named, too, and after a restart of the box
            yield from (session.user, session.mac)
        yield from self._macs.values()
        yield from memory.devices().values()

    async def check(self) -> Iterable[Finding]:
        """Say in Indonesian whether this account reads what a portal needs. Nothing is changed, nothing remembered."""
        try:
            with foreign_errors_become_ours():
                connection = await self._router.ready()
                connection.begin_poll()
                found = await tables(connection, LOOKED_AT)
        finally:
            await self.close()
        server, _ = profile_row(found)
        if not server:
            return [fails(f"Router di {self._address} belum punya hotspot: buat dulu dengan /ip hotspot setup.")]
        name = text(server.get(b"name"))
        return [works(f"Hotspot {name} di {self._address} terbaca: {len(found[ACTIVE])} orang online.")]

    async def close(self) -> None:
        """Log out and let others have the ledger; never raises. The next visit opens both again."""
        await self._router.close()
        self.ledger.close()

    async def _visit(self, *, telling: bool, anew: bool = False) -> Polled:
        """Look at the router and make it so; ``telling`` says that the reading goes to the spool.

        ``anew`` looks at everything, whatever was looked at before.
        """
        finished = False
        self.ledger.open()
        async with self._lock:
            self._due_at = 0.0 if anew else self._due_at
            try:
                with foreign_errors_become_ours():
                    connection = await self._router.ready()
                    if telling:
                        self.ledger.confirm()
                    polled = await self._look(connection, telling=telling)
                finished = True
                return polled
            finally:
                if not finished:  # cancelled or failed: the byte stream is out of step
                    self._router.drop()

    async def _look(self, connection: RouterConnection, *, telling: bool) -> Polled:
        ledger = self.ledger
        connection.most_rows, connection.most_properties = MOST_ROWS, 16 * MOST_ROWS
        connection.most_bytes = 500 * MOST_ROWS
        connection.begin_poll()
        found = await tables(connection, LOOKED_AT)
        uptime = seconds(found[RESOURCE][0].get(b"uptime")) if found[RESOURCE] else None
        key = ledger.key()
        rows = seen(found[ACTIVE], key)
        ours = ledger.ours(rows)
        counters = totals((await connection.ask([counters_of(ours)]))[0].rows) if ours else {}
        if ledger.look(rows, uptime, counters):
            # What the router forgot has to be given back: time of vouchers, pages that were not written yet.
            self._due_at = 0.0
        macs = {text(row.get(b"mac-address")) for row in (*found[ACTIVE], *found[HOSTS])} - {""}
        # Whom staff saw a moment ago they may still name; in memory only, and not without end.
        known = self._macs if len(self._macs) < MOST_REMEMBERED else {}
        self._macs = known | {notes.pseudonym(key, mac): mac for mac in macs}
        self._macs |= {one.guest: one.mac for one in ledger.sessions}  # under the name each began with
        if self._unplaced & self._macs.keys():
            self._due_at = 0.0
        await self._make_so(connection, online(ledger.sessions, found[ACTIVE]))
        return Polled(self._body(found, hosts(found[HOSTS], key), telling=telling), uptime)

    async def _make_so(self, connection: RouterConnection, logged_in: list[Online]) -> None:
        ledger, wanted, now_ms = self.ledger, self.ledger.wanted, self.ledger.now_ms()
        if wanted is None or self._stands_back:
            return
        slowed = self._over_quota(wanted, logged_in, now_ms)
        if ledger.since_boot() < self._due_at and now_ms < self._due_ms and slowed == self._slowed:
            return
        macs = ledger.memory.devices() | self._macs
        around = Around(now_ms, ledger.uses, {}, logged_in, macs, ledger.counted_elsewhere())
        connection.begin_poll()
        made = await make_so(connection, ledger.memory, wanted, around)
        ledger.kick(made.ended)
        self._note(made, wanted)
        self._due_at = ledger.since_boot() + DRIFT_SECONDS
        self._due_ms = next_change_ms(wanted, ledger.uses, now_ms)
        self._slowed = slowed

    def _over_quota(self, wanted: WantedPortal, logged_in: list[Online], now_ms: int) -> frozenset[tuple[str, str]]:
        """Return who has to go slower, with the address each has now."""
        local, plans = local_time(wanted.time_zone, now_ms), {plan.name: plan for plan in wanted.plans}
        return frozenset(
            (one.guest, one.address)
            for one in logged_in
            if one.plan in plans and reached(plans[one.plan], self.ledger.uses.get(one.reference or one.guest), local)
        )

    def _note(self, made: Made, wanted: WantedPortal) -> None:
        self._problems = made.problems
        # The very same target as before: then whatever had to be changed was changed by somebody else.
        self._drift = made.changed if made.print == self._made_print else []
        self._made_print, self._held, self._touched = made.print, made.held, made.touched
        named = {one.guest for one in wanted.bindings if one.guest}
        memory = self.ledger.memory
        self._unplaced = named - self._macs.keys() - memory.devices().keys()
        with memory.look():
            if made.holds:
                memory.write_note(notes.DONE, str(wanted.revision).encode())
            for guest in named & set(self._macs):
                memory.write_device(guest, self._macs[guest], self.ledger.now_ms())
            memory.forget_devices(named)

    def _body(self, found: dict[str, list[Row]], others: list[PortalHost], *, telling: bool) -> PortalBody:
        server, _ = profile_row(found)
        return PortalBody(
            server=text(server.get(b"name")),
            now_ms=self.ledger.now_ms(),
            running=bool(server) and not boolean(server.get(b"disabled")) and not boolean(server.get(b"invalid")),
            online=len(found[ACTIVE]),
            hosts=len(found[HOSTS]),
            sessions=self.ledger.hand_over() if telling else [],
            without_session=others,
            revision=self.ledger.memory.number(notes.DONE),
            problems=self._problems,
            drift=self._drift,
            check=self._steps(found),
            held=self._held,
        )

    def _steps(self, found: dict[str, list[Row]]) -> list[CheckStep]:
        """Answer "can a citizen get online right now?" as far as the router's own tables tell."""
        server, profile = profile_row(found)
        wanted = self.ledger.wanted
        steps = [
            CheckStep("server", bool(server), "" if server else "Router ini belum punya hotspot."),
            CheckStep(
                "running",
                not boolean(server.get(b"disabled")) and not boolean(server.get(b"invalid")),
                "Hotspot dimatikan atau tidak sah di router.",
            ),
        ]
        if wanted and wanted.managed and server:
            click = wanted.click is None or b"trial" in profile.get(b"login-by", b"")
            steps.append(CheckStep("ways", click, "" if click else "Masuk dengan satu klik sedang tertutup."))
            made = not self._problems
            steps.append(CheckStep("pages", made, "" if made else self._problems[0][:200]))
        return steps
