"""A village told minute by minute: what happened, and from it what its box would have read."""

from collections import defaultdict
from collections.abc import Iterable

from kampungnet.measurement.causes import judge
from kampungnet.measurement.evidence import Timeline, timeline
from kampungnet.measurement.outage_words import HOUSE, Horizon, Judgement, Outage, Thresholds
from kampungnet.measurement.sights import Seen, dim_levels
from kampungnet.measurement.slots import Timed
from kampungnet.shared import wire

MINUTE = 60_000
T0 = 1_782_874_800_000
"""Wednesday 2026-07-01 10.00 in WIB."""
GOOD_DBM = -19.0
ONU = "ont@olt"

OLT_WORDS = {"gasp": Seen.GASP, "los": Seen.LOS, "offline": Seen.OFFLINE, "barred": Seen.BARRED}


class Story:
    """What happens in a village, each thing from a minute (included) to a minute (excluded).

    ``power``: all dark. ``box``, ``router``, ``ont``: that one without power. ``hang``: the router says nothing and
    then starts anew. ``fibre``, ``provider``, ``dim``, ``knocking``: the line. ``cable``: out of the WAN port.
    ``lan``: out of the box. ``refuse``: logins are refused. ``stopped``: the box's program does not run. ``lost``:
    readings that never arrive. ``gasp``, ``los``, ``offline``, ``barred``, ``olt``: what the OLT says, or that it
    says nothing.
    """

    def __init__(self, minutes: int, *, ont: bool = True, light: bool = True, olt: bool = False) -> None:
        self.minutes = minutes
        self._ont, self._light, self._olt = ont, light, olt
        self._happens: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self.ont_serial = "HWTC00000001"

    def happens(self, what: str, first: int, last: int) -> "Story":
        self._happens[what].append((first, last))
        return self

    def _is(self, minute: int, *what: str) -> bool:
        return any(first <= minute < last for one in what for first, last in self._happens[one])

    def _boot(self, minute: int, *what: str) -> int:
        ends = [last for one in what for _, last in self._happens[one] if last <= minute]
        return max(ends, default=-5_000)

    def readings(self) -> list[Timed]:
        found: list[Timed] = []
        sequence = 0
        for minute in range(self.minutes):
            if self._is(minute, "power", "box", "stopped"):
                continue
            for device in ("router", "ont") if self._ont else ("router",):
                sequence += 1
                if not self._is(minute, "lost"):
                    found.append(self._reading(minute, device, sequence))
        return found

    def _reading(self, minute: int, device: str, sequence: int) -> Timed:
        started = self._boot(minute, "power", "box")
        taken_ms = T0 + minute * MINUTE + (1_200 if device == "ont" else 0)
        body, uptime = self._router(minute) if device == "router" else self._ont_body(minute)
        outcome = wire.Outcome.OK if body else wire.Outcome.UNREACHABLE
        if device == "router" and self._is(minute, "refuse"):
            body, outcome = None, wire.Outcome.LOGIN_REFUSED
        reading = wire.Reading(
            boot_id=f"boot-{started + 5_000}",
            sequence=sequence,
            device=device,
            taken_at_ms=taken_ms,
            boottime_ms=taken_ms - T0 - started * MINUTE,
            outcome=outcome,
            duration_ms=20,
            device_uptime_seconds=uptime if body else None,
            body=body,
        )
        return Timed(taken_ms, reading)

    def _router(self, minute: int) -> tuple[wire.Body | None, int]:
        if self._is(minute, "router", "hang", "lan"):
            return None, 0
        cut = self._is(minute, "fibre", "cable", "ont", "provider", "dim", "knocking")
        gone = self._is(minute, "fibre", "cable", "ont")
        pings = [wire.Ping("internet", "1.1.1.1", 1, 0 if cut else 1)]
        if not gone:
            pings.append(wire.Ping("gateway", "10.0.0.1", 1, 1 if not cut or self._is(minute, "provider") else 0))
        port = wire.CounterReading("ether1", kind="ether", running=not gone)
        body = wire.RouterBody(serial="HGX1", wan_interface="ether1", interfaces=[port], pings=pings)
        return body, (minute - self._boot(minute, "power", "router", "hang")) * 60

    def _ont_body(self, minute: int) -> tuple[wire.Body | None, int]:
        if self._is(minute, "ont", "cable", "lan"):
            return None, 0
        dark = self._is(minute, "fibre")
        level = GOOD_DBM - 6 if self._is(minute, "dim") else GOOD_DBM
        body = wire.OntBody(
            serial=self.ont_serial,
            link_up=not dark and not self._is(minute, "knocking"),
            no_light=dark and self._light,
            rx_power_dbm=level if self._light and not dark else None,
            registration="O2" if self._is(minute, "knocking") else "O1" if dark else "O5",
        )
        return body, (minute - self._boot(minute, "power", "ont")) * 60

    def onus(self) -> dict[str, list[tuple[int, int]]]:
        found = []
        for minute in range(self.minutes) if self._olt else ():
            if not self._is(minute, "olt"):
                word = next((word for word in OLT_WORDS if self._is(minute, word)), "")
                found.append((T0 + minute * MINUTE + 500, OLT_WORDS.get(word, Seen.ONLINE)))
        return {ONU: found} if found else {}

    def timeline(self, readings: Iterable[Timed] | None = None) -> Timeline:
        used = self.readings() if readings is None else list(readings)
        return timeline(used, dim_levels(used), self.onus())

    def judged(
        self, thresholds: Thresholds = HOUSE, *, settled: int | None = None, now: int | None = None
    ) -> Judgement:
        """Judge at the end of the story (or at a minute of it)."""
        settled_ms = None if settled is None else T0 + settled * MINUTE
        horizon = Horizon(T0 + (self.minutes if now is None else now) * MINUTE, settled_ms)
        return judge(self.timeline(), horizon, thresholds)


def told(outages: Iterable[Outage]) -> list[tuple[str, float, float | None]]:
    """Return cause, start and end in minutes of the story."""
    return [(one.cause.value, minute(one.start_ms), one.end_ms and minute(one.end_ms)) for one in outages]


def minute(at_ms: int) -> float:
    return round((at_ms - T0) / MINUTE, 1)


def what(outage: Outage) -> set[str]:
    return {one.what.value for one in outage.evidence}
