"""People on the free wifi: who came when, for how long, and how much they read."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field

from kampungnet_sim.chance import generator
from kampungnet_sim.village_day import WIB_SECONDS, guest_weight

_DAY = 86_400
# A lease outlives the visit by the usual lease time of half an hour.
LEASE_TAIL_SECONDS = 1_800
# What real routers hold as names: digits only, a word that reads as a boolean, UTF-8, quotes.
ODD_USERS = ("true", "no", "00712", "628123456789", "Bu Siti ☕", "kades=lurah", "Mbah “Jo”")
# The user list has these too: a number with zeros in front, and a telephone number.
TABLE_USERS = (*ODD_USERS, "007", "628123")
_PHONES = ("Redmi-Note-9", "OPPO-A17", "vivo-1906", "Galaxy-A04", "realme-C11", "iPhone", "android-7f3a")
# Latin-1 bytes that are not UTF-8, as an old phone sends them, and a name of digits only.
_ODD_HOSTS = ("Caf\udce9-Bl\udce9", "123", "HP=baru", "Laptop Pak Lurah")


_VOUCHERS = 120


def voucher_names(seed: int, code: str, users: int | None = None) -> tuple[str, ...]:
    """The vouchers sold in one village; ``users`` is how many names there are with the odd ones."""
    chance = generator(seed, code, "vouchers")
    many = _VOUCHERS if users is None else max(users - len(TABLE_USERS), 0)
    return tuple(f"v{number:06d}" for number in sorted(chance.sample(range(10**6), many)))


@dataclass(frozen=True, slots=True)
class Visit:
    """One device on the wifi from ``start`` to ``end`` (Unix seconds)."""

    start: float
    end: float
    number: int
    user: str
    mac: str
    address: str
    host_name: str
    logged_in: bool
    down_bps: float
    up_bps: float

    def session_start(self, boot: float) -> float:
        """A login never outlives a restart of the router: people log in again within minutes."""
        return self.start if self.start > boot else boot + 20 + self.number % 90


@dataclass(slots=True)
class _Day:
    visits: list[Visit]
    starts: dict[str, list[float]] = field(default_factory=dict)
    ends: dict[str, list[float]] = field(default_factory=dict)

    def index(self, name: str, chosen: list[Visit], tail: float) -> None:
        self.starts[name] = sorted(v.start for v in chosen)
        self.ends[name] = sorted(v.end + tail for v in chosen)

    def count(self, name: str, when: float) -> int:
        return bisect_right(self.starts[name], when) - bisect_right(self.ends[name], when)


class Guests:
    """The visits of one village, drawn a local day at a time."""

    def __init__(self, seed: int, code: str, *, daily: int, market_day: int) -> None:
        self._seed = seed
        self._code = code
        self._daily = daily
        self._market_day = market_day
        self._days: dict[int, _Day] = {}
        self._vouchers: tuple[str, ...] = ()

    def _day(self, number: int) -> _Day:
        day = self._days.get(number)
        if day is None:
            if len(self._days) > 6:
                self._days.pop(next(iter(self._days)))
            day = self._days[number] = self._draw(number)
        return day

    def _draw(self, number: int) -> _Day:
        self._vouchers = self._vouchers or voucher_names(self._seed, self._code)
        chance = generator(self._seed, self._code, "guests", number)
        weights = [guest_weight(number, hour, self._market_day) for hour in range(24)]
        busy = sum(weights) / 9.5
        many = round(self._daily * busy * chance.uniform(0.8, 1.2))
        midnight = number * _DAY - WIB_SECONDS
        visits = []
        for index, hour in enumerate(chance.choices(range(24), weights, k=many)):
            start = midnight + hour * 3_600 + chance.uniform(0, 3_600)
            stay = min(max(chance.expovariate(1 / 2_600), 150), 4.5 * 3_600)
            visits.append(self._visit(index, (start, start + stay), chance.random))
        visits.sort(key=lambda v: v.start)
        day = _Day(visits)
        day.index("all", visits, 0)
        day.index("login", [v for v in visits if v.logged_in], 0)
        day.index("lease", visits, LEASE_TAIL_SECONDS)
        return day

    def _visit(self, index: int, span: tuple[float, float], draw: Callable[[], float]) -> Visit:
        pick = int(draw() * 1_000_000)
        odd_user = pick % 23 == 0
        odd_host = pick % 19 == 0
        return Visit(
            start=span[0],
            end=span[1],
            number=index,
            user=ODD_USERS[pick // 23 % len(ODD_USERS)] if odd_user else self._vouchers[pick % _VOUCHERS],
            mac=f"{0xD2 | (pick & 4):02X}:{pick >> 16 & 255:02X}:{pick >> 8 & 255:02X}"
            f":{pick & 255:02X}:{index >> 8:02X}:{index & 255:02X}",
            address=f"10.5.{50 + index // 200 % 3}.{10 + index % 200}",
            host_name=(_ODD_HOSTS[pick // 19 % len(_ODD_HOSTS)] if odd_host else _PHONES[pick % len(_PHONES)]),
            logged_in=draw() < 0.78,
            down_bps=40_000 + draw() ** 3 * 2_400_000,
            up_bps=8_000 + draw() ** 3 * 300_000,
        )

    def count(self, name: str, when: float) -> int:
        """How many are there: ``all`` devices, ``login`` sessions or ``lease`` rows."""
        today = int((when + WIB_SECONDS) // _DAY)
        return self._day(today).count(name, when) + self._day(today - 1).count(name, when)

    def present(self, when: float, tail: float = 0.0) -> list[Visit]:
        """The visits that go on at this instant (or ended less than ``tail`` seconds ago)."""
        today = int((when + WIB_SECONDS) // _DAY)
        found: list[Visit] = []
        for number in (today - 1, today):
            visits = self._day(number).visits
            upto = bisect_left(visits, when, key=lambda v: v.start)
            found.extend(v for v in visits[:upto] if v.end + tail > when)
        return found

    def touching(self, start: float, end: float) -> list[Visit]:
        """The visits that begin or end in a span."""
        first, last = (int((when + WIB_SECONDS) // _DAY) for when in (start, end))
        drawn = [visit for number in range(first - 1, last + 1) for visit in self._day(number).visits]
        return [v for v in drawn if start <= v.start <= end or start <= v.end <= end]
