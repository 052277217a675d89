"""Named, timed faults that can be switched on while the simulator runs.

Some change the truth of the village itself (a cut fibre, a power cut) and so reach every
device of it; the others change how a device answers and leave the truth alone.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass

from kampungnet_sim.village_events import Event, EventKind

EVERYWHERE = "*"


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A fault one can ask for. ``event`` is set when it changes the village itself."""

    meaning: str
    seconds: float
    event: EventKind | None = None


FAULTS: dict[str, FaultKind] = {
    "reboot": FaultKind("the router restarts: gone for the duration, then uptime from 0", 40, EventKind.REBOOT),
    "counter_wrap": FaultKind(
        "traffic counters stand just below 2^64, so they fall to 0 within seconds of traffic",
        86_400, EventKind.COUNTER_WRAP,
    ),
    "cut_fibre": FaultKind("no light, no internet; router and ONT have power", 3_600, EventKind.FIBRE_CUT),
    "power_cut": FaultKind("router and ONT are dark, then both start anew", 900, EventKind.POWER_CUT),
    "provider_outage": FaultKind(
        "light is there, internet is not", 1_800, EventKind.PROVIDER_OUTAGE
    ),
    "hang": FaultKind("the router takes connections and says nothing, then starts anew", 600, EventKind.HANG),
    "slow_answers": FaultKind("each answer comes 3 seconds late", 300),
    "wrong_password": FaultKind("the devices refuse every login; router sessions end", 300),
    "garbage_bytes": FaultKind("answers are random bytes", 300),
    "stalled_session": FaultKind("an answer stops in the middle of a sentence, then nothing", 300),
    "skewed_clock": FaultKind("the router believes it is 1970", 3_600),
    "close_without_notice": FaultKind("the connection breaks at the next command", 300),
    "accept_never_answer": FaultKind("connections are taken, nothing is ever said", 300),
    "trickle": FaultKind("answers come one byte a second", 300),
    "reboot_mid_answer": FaultKind("the next answer breaks off in its middle, then the router restarts", 30),
    "endless_table": FaultKind("every list goes on for ever, whatever count-only says", 300),
    "huge_tables": FaultKind("lists of people (hosts, sessions, users, leases, log) have 100,000 rows", 300),
    "huge_word": FaultKind("every print is answered with one word of 64 MB", 300),
    "trap_in_table": FaultKind("lists end in their middle with two traps", 300),
    "slow_menus": FaultKind("firewall, hotspot users and log come 20 seconds late, other commands overtake them", 300),
    "read_revoked": FaultKind("every group loses the right `read`, also in sessions that go on", 300),
    "test_revoked": FaultKind("every group loses the right `test` (ping), also in sessions that go on", 300),
    "flash_full": FaultKind("the router's disk has no room: files cannot grow, lists still change", 3_600),
    "odd_names": FaultKind("users, comments, phones and the router have names that break clients", 300),
    "lossy_line": FaultKind("30 of 100 pings to the internet are lost", 900),
    "dns_outage": FaultKind("the router's resolver gets no answer; the internet is there", 900),
    "counters_fall": FaultKind("all counters are reset to 0, the uptime goes on", 60, EventKind.COUNTER_RESET),
    "counters_32_bit": FaultKind("byte counters of the ports have 32 bits", 3_600),
    "pppoe_redial": FaultKind(
        "a dialled line ends and is dialled anew: same name, counters from 0", 5, EventKind.REDIAL
    ),
    # Of single devices, named VILLAGE/camera and the like, or olt-1.
    "device_dead": FaultKind("an OLT, camera or access point answers nothing, its ports are closed", 600),
    "walk_breaks_off": FaultKind("SNMP: a walk gets three answers, then silence", 300),
    "stuck_oid": FaultKind("SNMP: the next object is the same one again, for ever", 300),
    "wrong_type": FaultKind("SNMP: numbers come as text and text as numbers", 300),
    "wrong_request_id": FaultKind("SNMP: answers carry another request's number", 300),
    "late_answers": FaultKind("SNMP: each answer comes 25 seconds late, when nobody waits any more", 300),
    "fragile_line_card": FaultKind("a line card of an OLT dies for 3 minutes when its light is read often", 3_600),
    "hang_after_login": FaultKind("SSH: the login succeeds, then nothing is ever said", 300),
    "noisy_terminal": FaultKind("SSH: log lines and cursor codes stand inside the answers", 300),
    "new_host_key": FaultKind("SSH: another host key than before, as after a swap of the device", 3_600),
    "export_incomplete": FaultKind("SSH: a menu does not answer while the router's settings are exported", 300),
    "rtsp_hangs": FaultKind("a camera takes RTSP connections and says nothing; its web page works", 600),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault in one village (``*`` is all) from ``start`` for ``seconds``; Unix seconds."""

    fault: str
    village: str
    start: float
    seconds: float

    @property
    def end(self) -> float:
        """When it is over."""
        return self.start + self.seconds

    def concerns(self, village: str) -> bool:
        """Is this village hit, or this device (``VILLAGE/camera``)?"""
        return self.village in (EVERYWHERE, village) or village.startswith(self.village + "/")


class FaultBoard:
    """All faults that were asked for."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._faults: list[Fault] = []
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call this whenever a fault is added or taken back."""
        self._listeners.append(listener)

    def add(self, fault: str, village: str, seconds: float | None = None, *, start: float | None = None) -> Fault:
        """Begin a fault (now, if no start is given). ValueError for a name nobody knows."""
        kind = FAULTS.get(fault)
        if kind is None:
            raise ValueError(f"unknown fault {fault!r}; known: {', '.join(sorted(FAULTS))}")
        lasting = kind.seconds if seconds is None else seconds
        if not 0 < lasting <= 366 * 86_400:
            raise ValueError("seconds must be more than 0 and at most a year")
        made = Fault(fault, village, self._clock() if start is None else start, lasting)
        self._faults.append(made)
        self._changed()
        return made

    def clear(self, village: str | None = None, fault: str | None = None) -> int:
        """End faults now; what has already happened stays true. Returns how many ended."""
        now = self._clock()
        kept, ended = [], 0
        for one in self._faults:
            chosen = village in (None, one.village) and fault in (None, one.fault)
            if chosen and one.end > now:
                ended += 1
                if one.start < now:
                    kept.append(Fault(one.fault, one.village, one.start, now - one.start))
            else:
                kept.append(one)
        self._faults = kept
        self._changed()
        return ended

    def _changed(self) -> None:
        for listener in self._listeners:
            listener()

    def active(self, village: str) -> frozenset[str]:
        """Names of the faults that hold in this village now."""
        if not self._faults:
            return frozenset()
        now = self._clock()
        return frozenset(f.fault for f in self._faults if f.concerns(village) and f.start <= now < f.end)

    def events(self, village: str) -> tuple[Event, ...]:
        """The faults of this village that change its truth, past ones too."""
        found = []
        for one in self._faults:
            kind = FAULTS[one.fault].event
            if kind is not None and one.concerns(village):
                found.append(Event(one.start, one.end, kind))
        return tuple(found)

    def own_events(self, device: str) -> tuple[Event, ...]:
        """The events of one device alone: neither those of its village nor those of all."""
        own = (f for f in self._faults if f.village == device)
        return tuple(Event(f.start, f.end, kind) for f in own if (kind := FAULTS[f.fault].event) is not None)

    def listed(self) -> list[dict[str, object]]:
        """Everything on the board, for the control socket."""
        now = self._clock()
        return [{**asdict(f), "active": f.start <= now < f.end} for f in self._faults]
