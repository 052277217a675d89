"""One OLT: which ONU hangs where, what it counts, and how it suffers."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

from kampungnet_sim.chance import generator, unit
from kampungnet_sim.olt_onus import HouseOnu, Onu, OnuNow, Phase, Place, VillageOnu
from kampungnet_sim.village import Village
from kampungnet_sim.village_events import Event, EventKind

# After a start the cards come up, then every ONU is ranged anew.
REGISTERING_SECONDS = 90.0
_BOOT_BEFORE_START = 37 * 86_400.0
# A card with the fault `fragile_line_card` bears this many light readings a minute, then it is gone.
FRAGILE_READS_A_MINUTE = 60
CRASH_SECONDS = 180.0
# Several columns of one ONU, asked together, are one visit.
_VISIT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Shelf:
    """How a model counts its cards, ports and ONUs."""

    first_slot: int = 1
    slots: int = 2
    first_port: int = 1
    ports: int = 8
    first_onu: int = 1
    onus_per_port: int = 128

    @property
    def room(self) -> int:
        """ONUs that fit, gaps counted."""
        return self.slots * self.ports * self.onus_per_port

    def port_places(self) -> list[tuple[int, int]]:
        """Slot and port of every PON port."""
        slots = range(self.first_slot, self.first_slot + self.slots)
        return [(slot, port) for slot in slots for port in range(self.first_port, self.first_port + self.ports)]


@dataclass
class OltCounts:
    """What clients asked of this OLT, so that a test can hold a driver to its budget.

    ``light_reads`` counts values of light columns, ``light_visits`` the visits of each ONU by
    serial number, ``rows_walked`` the values given to GETNEXT and GETBULK.
    """

    requests: int = 0
    rows_walked: int = 0
    rows_got: int = 0
    light_reads: int = 0
    card_crashes: int = 0
    light_visits: dict[str, int] = field(default_factory=dict)

    def listed(self) -> dict[str, object]:
        """As the control socket shows it."""
        return asdict(self)


class Moment(NamedTuple):
    """The state an answer is made from: the OLT at one instant."""

    when: float
    boot: float


class Waiting(NamedTuple):
    """An ONU that was plugged in but not yet registered."""

    place: Place
    serial: str
    model: str


class Olt:
    """All that is true of one OLT; ``events`` are the faults that hit it itself."""

    def __init__(self, name: str, seed: int, shelf: Shelf, started: float) -> None:
        self.name = name
        self.shelf = shelf
        self.counts = OltCounts()
        self.onus: list[Onu] = []
        self.waiting: list[Waiting] = []
        self.events: Callable[[], tuple[Event, ...]] = tuple
        self.fragile: Callable[[], bool] = bool
        self._seed = seed
        self._first_boot = started - _BOOT_BEFORE_START
        self._card_down: dict[int, float] = {}
        self._reads: dict[int, deque[float]] = {}
        self._visited: dict[str, float] = {}

    # -- who hangs where ----------------------------------------------------------------

    def connect(self, villages: list[Village], houses: int) -> None:
        """Give every village and house a place; numbers have gaps, and some ONUs wait outside."""
        room = self.shelf.room * 7 // 10
        if len(villages) + houses > room:
            raise ValueError(f"{self.name} has room for {room} ONUs")
        ports = self.shelf.port_places()
        # Villages first and spread, so that each port carries its share of them.
        takers: dict[tuple[int, int], list[Village | int]] = {port: [] for port in ports}
        for count, who in enumerate([*villages, *range(1, houses + 1)]):
            takers[ports[count % len(ports)]].append(who)
        for port, who_all in takers.items():
            for place, who in zip(self._numbers(port), who_all, strict=False):
                new = HouseOnu(place, self._seed, self.name, who) if isinstance(who, int) else VillageOnu(place, who)
                self.onus.append(new)
        self.waiting = [self._stranger(count, port) for count, port in enumerate(ports[:2], 1)]

    def _numbers(self, port: tuple[int, int]) -> Iterator[Place]:
        chance = generator(self._seed, self.name, port, "numbers")
        for number in range(self.shelf.first_onu, self.shelf.first_onu + self.shelf.onus_per_port):
            # Somebody moved away: about one number of six is free.
            if chance.random() > 0.16:
                yield Place(*port, number)

    def _stranger(self, count: int, port: tuple[int, int]) -> Waiting:
        chance = generator(self._seed, self.name, "waiting", count)
        return Waiting(Place(*port, count), f"ZTEG{chance.randrange(16**8):08X}", "F670L")

    def on_port(self, slot: int, port: int) -> list[Onu]:
        """The ONUs of one PON port, in order."""
        return [onu for onu in self.onus if onu.place[:2] == (slot, port)]

    # -- time ---------------------------------------------------------------------------

    def answers(self, when: float) -> bool:
        """Is it up, and not restarting?"""
        return not any(e.holds_at(when) for e in self._outages())

    def moment(self, when: float) -> Moment:
        """What answers are made from."""
        boot = max((e.end for e in self._outages() if e.end <= when), default=self._first_boot)
        return Moment(when, boot)

    def _outages(self) -> list[Event]:
        return [e for e in self.events() if e.kind in (EventKind.REBOOT, EventKind.POWER_CUT)]

    def now(self, onu: Onu, moment: Moment) -> OnuNow:
        """What the OLT knows of an ONU; less than the truth while it starts or a card is dead."""
        truth = onu.now(moment.when)
        if self._card_down.get(onu.place.slot, 0.0) > moment.when:
            return truth.dark(Phase.OFFLINE)
        if truth.online and moment.when - moment.boot < REGISTERING_SECONDS:
            return truth.dark(Phase.LOGGING)
        return truth

    # -- light is dear --------------------------------------------------------------------

    def light_read(self, onu: Onu, when: float) -> None:
        """Somebody asked for one light value: the OLT has to ask the ONU over the fibre."""
        self.counts.light_reads += 1
        if when - self._visited.get(onu.serial, 0.0) > _VISIT_SECONDS:
            self.counts.light_visits[onu.serial] = self.counts.light_visits.get(onu.serial, 0) + 1
            self._visited[onu.serial] = when
        if self.fragile():
            self._strain(onu.place.slot, when)

    def _strain(self, slot: int, when: float) -> None:
        reads = self._reads.setdefault(slot, deque())
        reads.append(when)
        while reads[0] < when - 60:
            reads.popleft()
        if len(reads) > FRAGILE_READS_A_MINUTE and self._card_down.get(slot, 0.0) <= when:
            self.counts.card_crashes += 1
            self._card_down[slot] = when + CRASH_SECONDS
            reads.clear()

    def load_percent(self, when: float) -> int:
        """Processor load; every light reading costs some."""
        recent = sum(1 for reads in self._reads.values() for one in reads if one > when - 60)
        return min(100, 9 + int(4 * unit(self._seed, int(when // 30))) + recent)
