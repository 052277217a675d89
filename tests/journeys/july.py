"""July 2026 in three villages of Banyuwangi, reading by reading, as their boxes report it.

A box polls every four minutes, on the minute that divides by four, so that every sum can be done by hand:

* Kampunganyar (desa, fibre into its router): a power cut, a trunk cut, a reboot, and half a day of readings that
  stayed in the box until the month was closed. What they hold is a failure of the provider.
* Pakis (kelurahan, fibre): the same trunk cut.
* Sarongan (desa, satellite): the box is installed on the 13th; nothing happens.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

from kampungnet.core import clock
from kampungnet.shared import wire
from kampungnet.shared.portal_body import SLOT_MS, PortalBody, PortalSession, PortalSlot, Way
from tests.support.server import HEADER, Box, Running

KAMPUNGANYAR: Final = "35.10.15.2012"
PAKIS: Final = "35.10.16.1001"
SARONGAN: Final = "35.10.01.2001"
REGISTER: Final = (
    f"{HEADER}\n"
    f"{KAMPUNGANYAR},Kampunganyar,desa,35.10.15,Glagah,35.10,Kabupaten Banyuwangi,-8.162277,114.278008,68432\n"
    f"{PAKIS},Pakis,kelurahan,35.10.16,Banyuwangi,35.10,Kabupaten Banyuwangi,-8.253047,114.365584,68419\n"
    f"{SARONGAN},Sarongan,desa,35.10.01,Pesanggaran,35.10,Kabupaten Banyuwangi,-8.498369,113.904168,68488\n"
)

JULY: Final = date(2026, 7, 1)
START_MS: Final = clock.day_start_ms(JULY, clock.WIB)
"""2026-06-30T17:00:00Z: midnight in WIB."""
STEP_SECONDS: Final = 240
MINUTE: Final = 60
HOUR: Final = 3_600
DAY: Final = 86_400

Seconds = tuple[int, int]
"""From and to, in seconds since the month began; the end is excluded."""


def day_hour(day: int, hour: float) -> int:
    """Return the seconds from the month's beginning to an hour of one of its days."""
    return (day - 1) * DAY + int(hour * HOUR)


@dataclass(frozen=True)
class Line:
    """What happens on one village's line, and how fast it is used: bytes a second received, by day and in the evening.

    A quarter of what is received is sent.
    """

    village: str
    speed: int
    evening_speed: int
    since: int = -2 * STEP_SECONDS
    """The first poll; by itself two before the month, so that the month's first slot is seen whole."""
    no_power: tuple[Seconds, ...] = ()
    dark: tuple[Seconds, ...] = ()
    """The trunk is cut: no light."""
    no_internet: tuple[Seconds, ...] = ()
    """The provider fails behind a good light."""
    restarts: tuple[int, ...] = ()
    """When the router was restarted alone."""
    has_light: bool = True

    def moved(self, first: int, last: int) -> int:
        """Return the bytes received between two instants."""
        edges = {first, last, *(edge for span in self._lost for edge in span)}
        edges |= {day * DAY + hour * HOUR for day in range(-1, 32) for hour in (19, 22)}
        borders = sorted(one for one in edges if first <= one <= last)
        return sum((end - start) * self._speed(start) for start, end in pairwise(borders))

    def readings(self, box: Box) -> Iterator[wire.Reading]:
        """Yield what the box polls until the month is over and a little longer."""
        rx, counted_to, boot = 0, self.since, -30 * DAY
        for at in range(self.since, 31 * DAY + 2 * STEP_SECONDS, STEP_SECONDS):
            if _within(at, self.no_power):
                continue
            for start in sorted({*self.restarts, *(end for _, end in self.no_power)}):
                if counted_to < start <= at:
                    rx, counted_to, boot = 0, start, start
            rx, counted_to = rx + self.moved(counted_to, at), at
            yield self._reading(box, at, rx, boot)

    @property
    def _lost(self) -> tuple[Seconds, ...]:
        return (*self.no_power, *self.dark, *self.no_internet)

    def _speed(self, at: int) -> int:
        if _within(at, self._lost):
            return 0
        return self.evening_speed if 19 * HOUR <= at % DAY < 22 * HOUR else self.speed

    def _reading(self, box: Box, at: int, rx: int, boot: int) -> wire.Reading:
        dark = _within(at, self.dark)
        reaches, beyond = not dark, not dark and not _within(at, self.no_internet)
        light = wire.Light("sfp1", rx_power_dbm=None if dark else -21.5, no_light=dark)
        body = wire.RouterBody(
            identity="router-desa", board="hEX S", version="7.20.4 (stable)", wan_interface="sfp1",
            interfaces=[wire.CounterReading("sfp1", "ether", running=not dark, rx_bytes=rx, tx_bytes=rx // 4)],
            pings=[wire.Ping("internet", "203.0.113.1", 3, 3 * beyond, 21.5 if beyond else None),
                   wire.Ping("gateway", "10.0.0.1", 3, 3 * reaches, 1.5 if reaches else None)],
            lights=[light] if self.has_light else [],
        )  # fmt: skip
        # The box has the router's power, but is not restarted with it.
        power = max((end for _, end in self.no_power if end <= at), default=-30 * DAY)
        return box.reading(
            body, taken_at_ms=START_MS + at * 1000, boottime_ms=(at - power) * 1000, boot_id=f"boot-{power}",
            device_uptime_seconds=at - boot,
        )  # fmt: skip


def _within(at: int, spans: tuple[Seconds, ...]) -> bool:
    return any(first <= at < last for first, last in spans)


TRUNK: Final = (day_hour(14, 8), day_hour(14, 18))
"""Tuesday, 08.00 to 18.00: the first poll without light is that of 08.00, the first with light that of 18.00."""
POWER: Final = (day_hour(9, 9) + 30, day_hour(9, 14) + 30)
"""Thursday. Half a minute after the poll of 09.00 power goes; at 14.00.30 box and router start."""
RESTART: Final = day_hour(17, 10) + 140
"""Friday 10.02.20: the router is restarted; the poll of 10.04 finds it up for 100 s."""
PROVIDER: Final = (day_hour(20, 12), day_hour(20, 16))
HELD: Final = (day_hour(20, 6) + 1, day_hour(20, 18))
"""Monday: what was polled after 06.00 and before 18.00 comes when the month is closed."""

LINES: Final = {
    # 4 and 16 Mbps.
    KAMPUNGANYAR: Line(
        KAMPUNGANYAR, 500_000, 2_000_000, no_power=(POWER,), dark=(TRUNK,), no_internet=(PROVIDER,),
        restarts=(RESTART,),
    ),
    # 8 and 32 Mbps.
    PAKIS: Line(PAKIS, 1_000_000, 4_000_000, dark=(TRUNK,)),
    # 30 kbps, day and night.
    SARONGAN: Line(SARONGAN, 3_750, 3_750, since=day_hour(13, 0), has_light=False),
}  # fmt: skip


def wifi(box: Box) -> wire.Reading:
    """What Kampunganyar's portal tells of July: two days on which it was used.

    Monday 6th: six devices from 08.00 to 08.30; two of them and two others from 19.00 to 20.00. Saturday 4th: five
    devices from 10.00 to 10.30.
    """
    visits = [
        *((f"g-{n}", day_hour(6, 8), 1) for n in range(6)), *((f"g-{n}", day_hour(6, 19), 2) for n in range(4, 8)),
        *((f"g-{n}", day_hour(4, 10), 1) for n in range(5)),
    ]  # fmt: skip
    sessions = []
    for number, (guest, at, half_hours) in enumerate(visits):
        begun_ms = START_MS + at * 1000
        gone_ms = begun_ms + half_hours * SLOT_MS
        slots = [PortalSlot(begun_ms // SLOT_MS + n, SLOT_MS // 1000, 10, 100) for n in range(half_hours)]
        sessions.append(PortalSession(f"{number:016x}", guest, Way.CLICK, begun_ms, gone_ms, slots, end="idle"))
    at, power = 31 * DAY - STEP_SECONDS, POWER[1]
    return box.reading(
        PortalBody(server="balaidesa", sessions=sessions), device="portal", taken_at_ms=START_MS + at * 1000,
        boottime_ms=(at - power) * 1000, boot_id=f"boot-{power}",
    )  # fmt: skip


@dataclass(frozen=True)
class Told:
    """What one box has to say: what it sends in time, and what it holds back."""

    server: Running
    box: Box
    in_time: list[wire.Reading]
    late: list[wire.Reading]

    def send(self, readings: list[wire.Reading]) -> None:
        """Send readings as signed, compressed reports to the server's door, a hundred at a time."""
        last = self.in_time[-1]
        started_ms = last.taken_at_ms - last.boottime_ms
        for first in range(0, len(readings), wire.MAX_READINGS):
            now_ms, part = clock.now_ms(), readings[first : first + wire.MAX_READINGS]
            answer = self.server.report(self.box, *part, sent_at_ms=now_ms, boottime_ms=now_ms - started_ms)
            assert answer.receipt().accepted == [one.sequence for one in part], answer.receipt().refused


def told(server: Running, box: Box, village: str) -> Told:
    """Tell July as a village's box polled it."""
    found = Told(server, box, [], [])
    for one in LINES[village].readings(box):
        is_held = village == KAMPUNGANYAR and HELD[0] <= (one.taken_at_ms - START_MS) // 1000 < HELD[1]
        (found.late if is_held else found.in_time).append(one)
    if village == KAMPUNGANYAR:
        found.in_time.insert(-1, wifi(box))
    box.boot_id = found.in_time[-1].boot_id
    return found
