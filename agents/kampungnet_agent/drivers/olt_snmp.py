"""Driver ``olt-snmp``: our own ONUs as the provider's OLT sees them, found by serial number.

One agent at the head end covers villages without a box of their own. Cheap by design: the serial column
is walked once and the rows remembered, then exact rows only; state at every poll, light every quarter of an
hour and once when the state changes, one ONU after the other. **One agent for each OLT is the rule**: a second
one doubles the load, and neither can know of the other.

Options of ``[[devices]]``: ``onus`` (list of serial numbers, or MAC addresses on EPON; required),
``light_interval_seconds`` (default 900, at least 600), ``rows_per_minute`` (default 400, 10 to 1000), and
``version`` and its friends as in ``ont-snmp``.
"""

import time
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from typing import Final

from kampungnet.shared.wire import CounterReading, OltBody, OnuState
from kampungnet_agent.driver import AnswerUnreadable, DeviceError, DeviceSettings, Finding, Polled

from .address import split_address
from .olt_budget import ROWS_PER_MINUTE, budget_of
from .olt_check import explain, findings_of
from .olt_ports import PonPorts
from .olt_reading import (
    History,
    Levels,
    State,
    history_cells,
    history_of,
    level_cells,
    levels_of,
    onu_of,
    state_cells,
    state_of,
)
from .olt_search import RowSearch
from .olt_trees import OnuTree, trees_for
from .olt_values import normal_serial, serial_of
from .snmp_access import ACCESS_OPTIONS, access_of
from .snmp_session import SnmpSession
from .snmp_system import UPTIMES, Identity, identify, uptime_of

PORT: Final = 161
LIGHT_INTERVAL_SECONDS: Final = 900
SHORTEST_LIGHT_INTERVAL_SECONDS: Final = 600
MOST_ONUS: Final = 256
HISTORY_READS: Final = 3
"""At so many polls from a change of state on."""
LIGHT_SHARE: Final = 0.4
"""Part of the poll's time that light levels may take: state comes first."""


@dataclass(slots=True)
class _Seen:
    """What is remembered of one ONU between polls."""

    state: State
    history: History
    levels: Levels | None = None
    levels_at: float = 0.0
    wants_light: bool = True
    """Its state changed since the last reading."""
    history_reads: int = HISTORY_READS
    """Still to come: an OLT writes the cause some seconds after the state."""


@dataclass(slots=True)
class _Known:
    identity: Identity
    tree: OnuTree
    search: RowSearch
    ports: PonPorts
    suffix: int = 0


class OltSnmpDriver:
    """One OLT. See :class:`kampungnet_agent.driver.Driver` for the contract."""

    OPTIONS: Final = ACCESS_OPTIONS | {"onus", "light_interval_seconds", "rows_per_minute"}

    def __init__(self, settings: DeviceSettings) -> None:
        self._host, self._port = split_address(settings.address, PORT)
        self._access = access_of(settings)
        self._session = SnmpSession(self._host, self._port, self._access)
        self._wanted = _serials(settings.options.get("onus"))
        self._light_interval = _number(
            settings, "light_interval_seconds", LIGHT_INTERVAL_SECONDS, SHORTEST_LIGHT_INTERVAL_SECONDS, 86_400
        )
        rows = _number(settings, "rows_per_minute", ROWS_PER_MINUTE, max(10, len(self._wanted)), 1000)
        self._budget = budget_of(self._host, self._port, rows)
        self._light_seconds = settings.timeout_seconds * LIGHT_SHARE
        self._known: _Known | None = None
        self._seen: dict[str, _Seen] = {}

    async def poll(self) -> Polled:
        """Ask for the state of every ONU whose row is known, and for what else is due; raises ``DeviceError``."""
        known = self._known or await self._look()
        self._known = known
        missing: list[str] = []
        scalars = await self._session.get(UPTIMES)
        await self._unless_it_fails("onus", known.search.go_on(self._session, self._budget.rows), missing)
        await self._read_states(known)
        await self._read_history(known)
        await self._unless_it_fails("ports", self._read_ports(known), missing)
        await self._unless_it_fails("light", self._read_light(known), missing)
        return Polled(self._body(known, missing), uptime_of(scalars))

    async def check(self) -> Iterable[Finding]:
        """Say in Indonesian what works on this OLT and what to do about the rest."""
        place = f"{self._host}:{self._port}"
        try:
            polled = await self.poll()
        except DeviceError as error:
            return [explain(error, place, self._access.version)]
        return findings_of(polled.body, place, self._wanted) if isinstance(polled.body, OltBody) else []

    async def close(self) -> None:
        """Give back what was held; never raises. What was learned stays, for it cost the OLT much."""
        await self._session.close()

    async def _look(self) -> _Known:
        """Find which tree answers, once."""
        identity = await identify(self._session)
        for tree in trees_for(identity.system):
            if await self._session.next_rows(tree.serial, tree.serial, 1):
                return _Known(identity, tree, RowSearch(tree, self._wanted), PonPorts(tree))
        shown = ".".join(map(str, identity.system)) or "none"
        raise AnswerUnreadable(
            f"no table of ONUs that we know answers here (sysObjectID {shown}, {identity.model})"[:300]
        )

    async def _read_states(self, known: _Known) -> None:
        """Read every known row; one that holds another ONU by now is searched again."""
        rows = dict(known.search.rows)
        self._budget.rows.take(len(rows))
        cells = [cell for row in rows.values() for cell in state_cells(known.tree, row)]
        values = await self._session.get(cells)
        for serial, row in rows.items():
            if serial_of(values.get((*known.tree.serial, *row))) != serial:
                known.search.forget(serial)
                self._seen.pop(serial, None)
                continue
            state, before = state_of(known.tree, row, values), self._seen.get(serial)
            if before is None:
                self._seen[serial] = _Seen(state, History())
            elif before.state != state:
                before.state, before.wants_light, before.history_reads = state, True, HISTORY_READS

    async def _read_history(self, known: _Known) -> None:
        rows = {serial: row for serial, row in known.search.rows.items() if self._seen[serial].history_reads > 0}
        values = await self._session.get([cell for row in rows.values() for cell in history_cells(known.tree, row)])
        for serial, row in rows.items():
            seen = self._seen[serial]
            seen.history = history_of(known.tree, row, values, seen.state.state)
            seen.history_reads -= 1

    async def _read_ports(self, known: _Known) -> None:
        await known.ports.read(self._session, known.search.rows.values())

    async def _read_light(self, known: _Known) -> None:
        """Read what is due, one ONU after the other, never twice at once on one OLT, within the budget."""
        due = self._due(known)
        if self._budget.reading_light or not due:
            return
        self._budget.reading_light = True
        until = time.monotonic() + self._light_seconds
        try:
            for serial in due:
                if time.monotonic() > until or not self._budget.lights.take(1):
                    return
                await self._read_one(known, serial)
        finally:
            self._budget.reading_light = False

    def _due(self, known: _Known) -> list[str]:
        """Return whose light is due: the changed first, then the oldest. A dark ONU is asked once."""
        oldest = time.monotonic() - self._light_interval
        due = [
            serial
            for serial in known.search.rows
            if (seen := self._seen[serial]).wants_light
            or (seen.levels_at < oldest and seen.state.state is OnuState.ONLINE)
        ]
        return sorted(due, key=lambda serial: (not self._seen[serial].wants_light, self._seen[serial].levels_at))

    async def _read_one(self, known: _Known, serial: str) -> None:
        row, seen = known.search.rows[serial], self._seen[serial]
        suffixes = known.tree.light_suffixes
        suffix = suffixes[known.suffix % len(suffixes)]
        values = await self._session.get(level_cells(known.tree, row, suffix))
        if not values and seen.state.state is OnuState.ONLINE:
            known.suffix += 1  # other software keeps them elsewhere: tried at the next ONU
        seen.levels, seen.levels_at = levels_of(known.tree, row, suffix, values), time.monotonic()
        seen.wants_light = False

    async def _unless_it_fails(self, what: str, work: Awaitable[None], missing: list[str]) -> None:
        """Let what is secondary fail by name: the states that were read are kept and reported."""
        try:
            await work
        except DeviceError as error:
            missing.append(f"{what}: {error}"[:200])

    def _body(self, known: _Known, missing: list[str]) -> OltBody:
        tree, now = known.tree, time.monotonic()
        onus = []
        for serial, row in sorted(known.search.rows.items()):
            seen = self._seen.get(serial)
            if seen is None:
                continue
            age = int(now - seen.levels_at)
            fresh = seen.levels is not None and age <= 2 * self._light_interval and not seen.wants_light
            levels = (seen.levels, age) if seen.levels is not None and fresh else None
            onus.append(onu_of(serial, tree.port(row), seen.state, seen.history, levels))
        if known.search.said:
            missing.append(known.search.said)
        ports: list[CounterReading] = known.ports.readings
        return OltBody(
            model=known.identity.model,
            version=known.identity.version,
            grade=tree.grade,
            onus=onus,
            interfaces=ports,
            missing=missing,
        )


def _serials(option: object) -> tuple[str, ...]:
    if not isinstance(option, list) or not option:
        raise ValueError('onus is missing; write the serial numbers of your own ONUs, like ["ZTEGC1234567"]')
    serials = tuple(dict.fromkeys(normal_serial(str(entry)) for entry in option))
    if not all(serials) or len(serials) > MOST_ONUS or max(map(len, serials)) > 40:
        raise ValueError(f"onus must be up to {MOST_ONUS} serial numbers or MAC addresses")
    return serials


def _number(settings: DeviceSettings, name: str, usual: int, lowest: int, highest: int) -> int:
    value = settings.options.get(name, usual)
    if not isinstance(value, int) or not lowest <= value <= highest:
        raise ValueError(f"{name} must be a whole number from {lowest} to {highest}")
    return value
