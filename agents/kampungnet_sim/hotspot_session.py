"""One hotspot session and when it ends: pure sums over the simulator's clock (facts/routeros.md, 7.6)."""

from collections.abc import Mapping
from dataclasses import dataclass

from kampungnet_sim.routeros_values import read_duration

_BITS = 8
_DIRECTIONS = ("in", "out", "total")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a session may use, seconds and bytes; None is no limit. ``in`` is from the guest (section 8)."""

    uptime: float | None = None
    session: float | None = None
    idle: float | None = None
    keepalive: float | None = None
    bytes_in: int | None = None
    bytes_out: int | None = None
    bytes_total: int | None = None

    def bytes_of(self, direction: str) -> int | None:
        """The byte limit of a direction: in, out or total."""
        return {"in": self.bytes_in, "out": self.bytes_out, "total": self.bytes_total}[direction]


def _seconds(row: Mapping[str, str], name: str) -> float | None:
    seconds = read_duration(row.get(name, ""))
    return seconds or None


def _bytes(row: Mapping[str, str], name: str) -> int | None:
    text = row.get(name, "0")
    return int(text) if text.isdecimal() and int(text) else None


def spent(user: Mapping[str, str]) -> dict[str, int]:
    """What a user row says was used in sessions that are over."""
    used = {way: int(user.get(f"bytes-{way}", "0")) for way in ("in", "out")}
    return {**used, "total": used["in"] + used["out"]}


def limits_of(user: Mapping[str, str], profile: Mapping[str, str]) -> Limits:
    """What is left to a user who logs in now: limits of the user are totals over all sessions (7.6, item 7)."""
    uptime, used = _seconds(user, "limit-uptime"), spent(user)
    left: dict[str, int | None] = {}
    for way in _DIRECTIONS:
        limit = _bytes(user, f"limit-bytes-{way}")
        left[f"bytes_{way}"] = None if limit is None else max(limit - used[way], 0)
    return Limits(
        uptime=None if uptime is None else max(uptime - (_seconds(user, "uptime") or 0), 0),
        session=_seconds(profile, "session-timeout"),
        idle=_seconds(profile, "idle-timeout"),
        keepalive=_seconds(profile, "keepalive-timeout"),
        bytes_in=left["bytes_in"],
        bytes_out=left["bytes_out"],
        bytes_total=left["bytes_total"],
    )


@dataclass(slots=True)
class Session:
    """A guest who is logged in. Rates carry guests of the simulated village; scripted ones count what they do.

    ``active`` is the last traffic, ``gone`` when the device left the air; Unix seconds.
    """

    number: int
    user: str
    mac: str
    address: str
    login_by: str
    since: float
    limits: Limits
    rate_limit: str = ""
    up_bps: float = 0.0
    down_bps: float = 0.0
    bytes_in: int = 0
    bytes_out: int = 0
    active: float = 0.0
    gone: float | None = None

    @property
    def trial(self) -> bool:
        """Was it given for nothing?"""
        return self.login_by == "trial"

    def counted(self, now: float) -> dict[str, int]:
        """Bytes up to an instant: ``in`` from the guest, ``out`` to the guest, and both."""
        seconds = max(now - self.since, 0)
        got = self.bytes_in + int(self.up_bps * seconds / _BITS)
        sent = self.bytes_out + int(self.down_bps * seconds / _BITS)
        return {"in": got, "out": sent, "total": got + sent}

    def remaining(self, direction: str, now: float) -> int | None:
        """Bytes left of a limit; None when there is none."""
        limit = self.limits.bytes_of(direction)
        return None if limit is None else max(limit - self.counted(now)[direction], 0)

    def time_left(self, now: float) -> float | None:
        """Seconds until time ends it; None when nothing does."""
        ends = [limit for limit in (self.limits.uptime, self.limits.session) if limit is not None]
        return max(min(ends) - (now - self.since), 0) if ends else None

    def count(self, up: int, down: int, now: float) -> tuple[int, int]:
        """Take traffic as far as the limits let it through; returns what passed."""
        up = self._capped(up, self.remaining("in", now), self.remaining("total", now))
        self.bytes_in += up
        down = self._capped(down, self.remaining("out", now), self.remaining("total", now))
        self.bytes_out += down
        self.active = now
        return up, down

    @staticmethod
    def _capped(wanted: int, *left: int | None) -> int:
        return min(wanted, *(one for one in left if one is not None), wanted)

    def due(self, now: float) -> tuple[float, str] | None:
        """When and why it ended, if that is not later than now."""
        ends = list(self._time_ends()) + list(self._byte_ends(now))
        over = [one for one in ends if one[0] <= now]
        return min(over, default=None)

    def _time_ends(self) -> list[tuple[float, str]]:
        limits = self.limits
        ends = [(self.since, limits.uptime, "uptime limit reached"), (self.since, limits.session, "session timeout")]
        if not self.up_bps and not self.down_bps:
            ends.append((self.active, limits.idle, "idle timeout"))
        if self.gone is not None:
            ends.append((self.gone, limits.keepalive, "keepalive timeout"))
        return [(start + seconds, reason) for start, seconds, reason in ends if seconds is not None]

    def _byte_ends(self, now: float) -> list[tuple[float, str]]:
        counted, ends = self.counted(now), list[tuple[float, str]]()
        rates = {"in": self.up_bps, "out": self.down_bps, "total": self.up_bps + self.down_bps}
        for way in _DIRECTIONS:
            limit = self.limits.bytes_of(way)
            if limit is not None and counted[way] >= limit:
                over = (counted[way] - limit) * _BITS
                ends.append((now - over / rates[way] if rates[way] else self.active, "traffic limit reached"))
        return ends


@dataclass(frozen=True, slots=True)
class Truth:
    """What really happened in one session; ``end`` and ``reason`` are None and empty while it goes on.

    ``kept`` says whether the router added it to the user's counters: what a restart cut off, it did not.
    """

    user: str
    mac: str
    address: str
    login_by: str
    start: float
    end: float | None
    bytes_in: int
    bytes_out: int
    reason: str
    kept: bool


def truth_of(session: Session, end: float | None, now: float, reason: str = "", *, kept: bool = False) -> Truth:
    """The truth of a session that ended, or that goes on."""
    counted = session.counted(now if end is None else end)
    return Truth(
        session.user, session.mac, session.address, session.login_by, session.since, end,
        counted["in"], counted["out"], reason, kept,
    )  # fmt: skip
