"""Finding the rows of our own ONUs: the serial column is walked once, a piece at each poll, and remembered."""

import time
from collections.abc import Callable, Iterable
from typing import Final

from .olt_budget import Bucket
from .olt_trees import OnuTree
from .olt_values import serial_of
from .snmp_ber import Oid
from .snmp_session import SnmpSession

ROWS_PER_PACKET: Final = 25
ROWS_PER_POLL: Final = 200
"""Some four seconds on a busy OLT."""
MOST_ROWS: Final = 20_000
"""More ONUs has no OLT; a column that goes on is a defect of its software."""
PAUSE_SECONDS: Final = 3600.0
"""Until ONUs that were not found are looked for again."""


class RowSearch:
    """Where each wanted serial number stands on one OLT. ``clock`` in seconds."""

    def __init__(self, tree: OnuTree, wanted: Iterable[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._tree, self._wanted, self._clock = tree, frozenset(wanted), clock
        self.rows: dict[str, Oid] = {}
        self._at: Oid = tree.serial
        self._seen = 0
        self._searching = True
        self._ended_at = 0.0

    @property
    def lost(self) -> list[str]:
        """Wanted ONUs without a row."""
        return sorted(self._wanted - self.rows.keys())

    @property
    def said(self) -> str:
        """One entry for what is missing; empty when everything was found."""
        lost = self.lost
        if not lost:
            return ""
        names = ", ".join(lost[:5]) + (" ..." if len(lost) > 5 else "")
        if self._searching:
            return f"onus: {len(lost)} still searched for, {self._seen} rows seen: {names}"[:200]
        return f"onus: {len(lost)} not on this OLT: {names}"[:200]

    def forget(self, serial: str) -> None:
        """Look for an ONU anew: its row vanished or holds another one."""
        self.rows.pop(serial, None)
        if not self._searching:
            self._begin()

    async def go_on(self, session: SnmpSession, rows: Bucket) -> None:
        """Walk one piece further; a failure leaves everything found in place. Raises ``DeviceError``."""
        if not self._wanted - self.rows.keys():
            return
        if not self._searching:
            if self._clock() - self._ended_at < PAUSE_SECONDS:
                return
            self._begin()
        allowed = rows.take(ROWS_PER_POLL)
        while allowed >= ROWS_PER_PACKET and self._searching:
            allowed -= ROWS_PER_PACKET
            await self._one_packet(session)
        rows.put_back(allowed)

    async def _one_packet(self, session: SnmpSession) -> None:
        found = await session.next_rows(self._tree.serial, self._at, ROWS_PER_PACKET)
        for oid, value in found:
            serial = serial_of(value)
            if serial in self._wanted:
                self.rows[serial] = oid[len(self._tree.serial) :]
        self._seen += len(found)
        self._at = found[-1][0] if found else self._at
        if not found or self._seen >= MOST_ROWS or not self._wanted - self.rows.keys():
            self._searching = False
            self._ended_at = self._clock()

    def _begin(self) -> None:
        self._at, self._seen, self._searching = self._tree.serial, 0, True
