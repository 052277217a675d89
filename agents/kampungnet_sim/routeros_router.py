"""One simulated router: its village, its users, and the lists its owner may change."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from kampungnet_sim.chance import generator
from kampungnet_sim.hotspot_flash import Flash
from kampungnet_sim.hotspot_portal import Portal
from kampungnet_sim.models import RosVersion
from kampungnet_sim.routeros_odd import odd_names
from kampungnet_sim.routeros_own import Own
from kampungnet_sim.routeros_store import new_tables
from kampungnet_sim.routeros_tables import Row, Table
from kampungnet_sim.routeros_user import RouterUser
from kampungnet_sim.village import Village, VillageProfile, VillageState
from kampungnet_sim.village_guests import LEASE_TAIL_SECONDS, Visit

Clock = Callable[[], float]

# Faults that take a policy from every group.
_TAKEN_AWAY = {"read_revoked": "read", "test_revoked": "test"}
# Memory buffer of the log (facts/routeros.md, 7.13).
LOG_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class LogRow:
    """One line of the router's memory log."""

    when: float
    topics: str
    message: str


def draw_users(profile: VillageProfile) -> dict[str, RouterUser]:
    """Logins with passwords made from the seed, each in a group of its own name.

    The poller's, one without ``test``, the owner's, one with just enough to poll, one that may only
    log in, one that may read but not over the API, one that keeps the hotspot's lists and pages, and one that takes
    backups.
    """
    chance = generator(profile.seed, profile.code, "passwords")
    groups = {
        "kampungnet": frozenset({"read", "write", "api", "test"}),
        "pengamat": frozenset({"read", "api"}),
        "admin": frozenset({"read", "write", "policy", "test", "api", "reboot", "sensitive", "ftp", "ssh", "winbox"}),
        "pemantau": frozenset({"read", "api", "test"}),
        "tamu": frozenset({"api"}),
        "winbox": frozenset({"read", "winbox", "web"}),
        # Keeps the hotspot as the server wants it, and writes nothing else (facts/routeros.md, 11.3).
        "penulis": frozenset({"read", "write", "api", "ftp", "test"}),
        # Reads the settings and takes backups over SSH (facts/routeros.md, 11.4).
        "pencadang": frozenset({"read", "write", "ssh", "ftp"}),
    }
    return {
        name: RouterUser(name, "".join(chance.choices("abcdefghjkmnpqrstuvwxyz23456789", k=16)), rights, name)
        for name, rights in groups.items()
    }


@dataclass(slots=True)
class ApiSession:
    """A logged-in connection as ``/user/active`` lists it."""

    number: int
    user: str
    address: str
    since: float


@dataclass
class SimulatedRouter:
    """What the API talks about. The clock is the only thing that moves it."""

    village: Village
    clock: Clock
    users: dict[str, RouterUser] = field(default_factory=dict)
    clock_skew_seconds: float = 0.0
    tables: dict[str, Table] = field(default_factory=dict)
    log: deque[LogRow] = field(default_factory=lambda: deque(maxlen=LOG_ROWS))
    sessions: dict[int, ApiSession] = field(default_factory=dict)
    thrown_out: set[tuple[float, int]] = field(default_factory=set)
    faults: Callable[[], frozenset[str]] = frozenset
    hotspot_revision: int = 0
    probes: int = 0
    # Until when logouts of guests are in the user rows.
    settled: float = 0.0
    flash: Flash = field(init=False)
    portal: Portal = field(init=False)
    own: Own = field(init=False)

    def __post_init__(self) -> None:
        """Fill in what was not given."""
        self.users = self.users or draw_users(self.profile)
        self.tables = self.tables or new_tables(self.profile)
        self.settled = self.clock()
        self.furnish()

    def furnish(self) -> None:
        """A disk and a hotspot as they are when the router is new."""
        self.flash = Flash(self)
        self.own = Own(self)
        self.portal = Portal(self, self.clock())

    def replace(self) -> None:
        """Another device in the same place: the technician gave it the same logins, nothing else is as it was."""
        past = self.portal.truth(self.clock())
        self.tables, self.settled = new_tables(self.profile), self.clock()
        self.log.clear()
        self.thrown_out.clear()
        self.hotspot_revision += self.revision() + 1
        self.furnish()
        # What happened stays true.
        self.portal.ended = past

    @property
    def profile(self) -> VillageProfile:
        """The village's fixed facts."""
        return self.village.profile

    @property
    def version(self) -> RosVersion:
        """The firmware's version."""
        return self.profile.ros

    def revision(self) -> int:
        """Grows with every change of any list."""
        return (
            sum(table.revision for table in self.tables.values())
            + self.hotspot_revision
            + self.portal.revision
            + self.own.revision()
        )

    def note(self, when: float, topics: str, message: str) -> None:
        """Write a row into the memory log; no two rows have the same instant, so that each has its own id."""
        when = max(when, self.log[-1].when + 0.002) if self.log else when
        self.log.append(LogRow(when, topics, message))

    def disguise(self, menu: str, rows: list[Row]) -> list[Row]:
        """Rows as they are, or with the names that break clients."""
        return odd_names(menu, rows) if "odd_names" in self.faults() else rows

    def may(self, name: str) -> frozenset[str]:
        """The policies of a login now: groups may change while it is connected."""
        user = self.users.get(name)
        rights = frozenset[str]() if user is None else user.policies
        return rights - {_TAKEN_AWAY[fault] for fault in self.faults() & _TAKEN_AWAY.keys()}

    def moment(self) -> "Moment":
        """Everything about now."""
        now = self.clock()
        self.portal.settle(now)
        return Moment(self, self.village.state_at(now))


class Moment:
    """One instant of one router; the costly parts are worked out once and only when asked for."""

    __slots__ = ("_hosts", "_leases", "router", "state", "wall")

    def __init__(self, router: SimulatedRouter, state: VillageState) -> None:
        self.router = router
        self.state = state
        # What the router believes the time is.
        self.wall = state.time + router.clock_skew_seconds
        self._hosts: list[Visit] | None = None
        self._leases: list[Visit] | None = None

    @property
    def profile(self) -> VillageProfile:
        """The village's fixed facts."""
        return self.router.profile

    @property
    def version(self) -> RosVersion:
        """The firmware's version."""
        return self.router.version

    @property
    def hosts(self) -> list[Visit]:
        """Devices on the wifi now."""
        if self._hosts is None:
            self._hosts = self.router.village.visits(self.state.time)
        return self._hosts

    @property
    def leases(self) -> list[Visit]:
        """Devices that hold an address now."""
        if self._leases is None:
            self._leases = self.router.village.guests.present(self.state.time, LEASE_TAIL_SECONDS)
        return self._leases

    def active_visits(self) -> list[Visit]:
        """Devices logged in at the portal by themselves."""
        gone = self.router.thrown_out
        return [v for v in self.hosts if v.logged_in and (v.start, v.number) not in gone]


Rows = list[Row]
