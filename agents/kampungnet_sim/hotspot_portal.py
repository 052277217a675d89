"""The hotspot of one router as its guests meet it: who is there, who is logged in, who was (facts/routeros.md, 7.6).

Everything follows from the clock that is passed in; :meth:`Portal.settle` brings the state up to an instant.
What a restart does not keep: sessions, hosts and used trial time (the last is unconfirmed). What it keeps:
users with the counters of sessions that had ended, and cookies (unconfirmed).
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from kampungnet_sim.hotspot_rules import binding_of, is_foreign_mac
from kampungnet_sim.hotspot_session import Limits, Session, Truth, limits_of, spent, truth_of
from kampungnet_sim.routeros_tables import Row
from kampungnet_sim.routeros_values import duration, read_duration
from kampungnet_sim.servlet_errors import LICENCE_TEXT, Refusal
from kampungnet_sim.village_events import BOOTING

if TYPE_CHECKING:
    from kampungnet_sim.routeros_router import SimulatedRouter

# Idle time after which a device that is not logged in is forgotten (7.6, item 5).
HOST_IDLE_SECONDS = 300.0
# A challenge dies after an hour (9.3).
_CHALLENGE_SECONDS = 3_600.0
# Most guests at once by licence level (7.6, item 14).
_LICENCE_GUESTS = {"3": 1, "4": 200}
_RUNS_OUT = frozenset({"idle timeout", "keepalive timeout"})
_PROFILE = {"shared-users": "1", "idle-timeout": "none", "keepalive-timeout": "2m", "add-mac-cookie": "true"}
Proof = Callable[[str], bool]


class Device(Protocol):
    """A phone on the wifi."""

    @property
    def mac(self) -> str:
        """Its hardware address, in capitals."""

    @property
    def address(self) -> str:
        """Its IP address."""


@dataclass(slots=True)
class Host:
    """A device as the host table has it; ``seen`` is its last traffic, ``gone`` when it left the air."""

    number: int
    mac: str
    address: str
    since: float
    seen: float
    gone: float | None = None
    bytes_in: int = 0
    bytes_out: int = 0


@dataclass(slots=True)
class Cookie:
    """A login the router remembers: for a device (``mac_cookie``) or for a browser (its ``token``)."""

    number: int
    user: str
    password: str
    mac: str
    expires: float
    token: str = ""

    @property
    def mac_cookie(self) -> bool:
        """Does the device alone suffice?"""
        return not self.token


@dataclass(slots=True)
class Challenge:
    """What a CHAP login is made of."""

    number: int
    secret: bytes
    made: float


class Portal:
    """Hosts, sessions and cookies of one router."""

    def __init__(self, router: "SimulatedRouter", now: float) -> None:
        self.hosts: dict[str, Host] = {}
        self.sessions: list[Session] = []
        self.cookies: list[Cookie] = []
        self.ended: list[Truth] = []
        self.revision = 0
        self._router = router
        # By MAC: when trial time was first used, and how much of it.
        self._trials: dict[str, tuple[float, float]] = {}
        self._challenges: dict[str, Challenge] = {}
        self._count = 0
        self._boot = router.village.calendar.segment(now).boot

    def number(self) -> int:
        """A number no row had before."""
        self._count += 1
        self.revision += 1
        return self._count

    # -- settings -------------------------------------------------------------------------------------

    def server(self) -> Row:
        """The hotspot server that runs."""
        return next((row for row in self._router.tables["/ip/hotspot"].rows() if row["disabled"] != "true"), {})

    def settings(self) -> Row:
        """Its profile."""
        table = self._router.tables["/ip/hotspot/profile"]
        return table.get(self.server().get("profile", "")) or table.get("default") or {}

    def ways(self) -> frozenset[str]:
        """The ways in: http-pap, http-chap, cookie, mac, mac-cookie, trial, https."""
        return frozenset(self.settings().get("login-by", "cookie,http-chap").split(","))

    def profile_of(self, user: Row) -> Row:
        """What a user's profile says."""
        table = self._router.tables["/ip/hotspot/user/profile"]
        return {**_PROFILE, **(table.get(user.get("profile", "default")) or table.get("default") or {})}

    def binding(self, device: Device) -> str:
        """``regular``, ``bypassed`` or ``blocked``."""
        return binding_of(self._router.tables["/ip/hotspot/ip-binding"].rows(), device.mac, device.address)

    # -- devices --------------------------------------------------------------------------------------

    def see(self, mac: str, address: str, now: float) -> Host:
        """A device sent something. One that is new is logged in at once if the router knows how."""
        self.settle(now)
        host = self.hosts.get(mac)
        if host is None:
            host = self.hosts[mac] = Host(self.number(), mac, address, now, now)
            self._greet(host, now)
        host.seen, host.gone = now, None
        session = self.session_of(mac)
        if session is not None:
            session.gone = None
        return host

    def _greet(self, host: Host, now: float) -> None:
        ways = self.ways() if self.binding(host) == "regular" else frozenset[str]()
        cookie = next((one for one in self.cookies if one.mac == host.mac and one.mac_cookie), None)
        if "mac-cookie" in ways and cookie is not None:
            try:
                self.log_in(host, cookie.user, "mac-cookie", lambda password: password == cookie.password, now)
            except Refusal:
                # A password that changed: the cookie is worth nothing any more.
                self.cookies.remove(cookie)
        elif "mac" in ways and self._router.tables["/ip/hotspot/user"].get(host.mac) is not None:
            own = self.settings().get("mac-auth-mode") == "mac-as-username-and-password"
            word = host.mac if own else self.settings().get("mac-auth-password", "")
            try:
                self.log_in(host, host.mac, "mac", lambda password: password == word, now)
            except Refusal:
                # It sees the portal's page as everybody does.
                return

    def leave(self, mac: str, now: float) -> None:
        """A device left the air; the router finds out by its silence."""
        self.settle(now)
        session = self.session_of(mac)
        for one in (self.hosts.get(mac), session):
            if one is not None and one.gone is None:
                one.gone = now

    def forget(self, mac: str, now: float) -> None:
        """Take a device out of the host table; its session ends with it."""
        session = self.session_of(mac)
        if session is not None:
            self._end(session, now, "admin reset")
        self.hosts.pop(mac, None)
        self.revision += 1

    def traffic(self, mac: str, down: int, up: int, now: float) -> tuple[int, int]:
        """Bytes a device wants to move; returns those (down, up) that passed."""
        host, session = self.hosts[mac], self.session_of(mac)
        host.seen = now
        if session is not None:
            up, down = session.count(up, down, now)
        elif self.binding(host) != "bypassed":
            # It asks, and nothing comes back.
            host.bytes_in += up
            return 0, 0
        host.bytes_in += up
        host.bytes_out += down
        self.settle(now)
        return down, up

    def session_of(self, mac: str) -> Session | None:
        """The session of a device."""
        return next((one for one in self.sessions if one.mac == mac), None)

    # -- logins ---------------------------------------------------------------------------------------

    def challenge(self, mac: str, now: float) -> Challenge:
        """The CHAP challenge of a device, made anew when it is old."""
        known = self._challenges.get(mac)
        if known is None or now - known.made >= _CHALLENGE_SECONDS:
            known = self._challenges[mac] = Challenge(os.urandom(1)[0], os.urandom(16), now)
        return known

    def live_challenge(self, mac: str, now: float) -> Challenge | None:
        """The challenge a page was made with, while it is worth anything."""
        known = self._challenges.get(mac)
        return known if known is not None and now - known.made < _CHALLENGE_SECONDS else None

    def trial_seconds(self, mac: str, now: float) -> float:
        """Trial time a device has left; 0 where none is given."""
        if "trial" not in self.ways():
            return 0
        settings = self.settings()
        limit = read_duration(settings.get("trial-uptime-limit", "30m")) or 0
        reset = read_duration(settings.get("trial-uptime-reset", "1d")) or 0
        first, used = self._trials.get(mac, (now, 0.0))
        return limit if now - first >= reset else max(limit - used, 0)

    def log_in(self, device: Device, user: str, way: str, proof: Proof, now: float) -> Session:
        """Let a device in, or raise the refusal. ``proof`` tells whether a password is the one that was given."""
        if is_foreign_mac(user, device.mac):
            raise Refusal("wrong-mac-username", user)
        row = self._trial_user(device, now) if way == "trial" else self._account(user, device, proof)
        limits = self._limits(row, device, user, way, now)
        self._check_room(row, user, way, now)
        session = Session(
            self.number(), user, device.mac, device.address, way, now, limits,
            self.profile_of(row).get("rate-limit", ""), active=now,
        )  # fmt: skip
        self.sessions.append(session)
        self._challenges.pop(device.mac, None)
        if way not in ("mac", "trial", "mac-cookie"):
            self._remember(session, row, now)
        self._note(session, "logged in", now)
        return session

    def _account(self, user: str, device: Device, proof: Proof) -> Row:
        row = self._router.tables["/ip/hotspot/user"].get(user)
        here = row is not None and row.get("server", "all") in ("all", self.server().get("name"))
        if row is None or not here or row.get("disabled") == "true" or row.get("default") == "true":
            # The user list is asked first, RADIUS for whom it does not know (10.1); no server answers here.
            asks = self.settings().get("use-radius") == "true" and row is None
            raise Refusal("radius-timeout" if asks else "invalid-username", user)
        if not proof(row.get("password", "")):
            raise Refusal("invalid-username", user)
        if row.get("mac-address", device.mac) not in (device.mac, "00:00:00:00:00:00", ""):
            raise Refusal("invalid-mac", user)
        return row

    def _trial_user(self, device: Device, now: float) -> Row:
        if self.trial_seconds(device.mac, now) <= 0:
            raise Refusal("uptime-limit" if "trial" in self.ways() else "invalid-username", f"T-{device.mac}")
        # When trial time may be had again, it is counted anew.
        settings, (first, used) = self.settings(), self._trials.get(device.mac, (now, 0.0))
        reset = read_duration(settings.get("trial-uptime-reset", "1d")) or 0
        self._trials[device.mac] = (now, 0.0) if now - first >= reset else (first, used)
        limits = self._router.tables["/ip/hotspot/user"].get("default-trial") or {}
        return {**limits, "profile": settings.get("trial-user-profile", "default")}

    def _limits(self, row: Row, device: Device, user: str, way: str, now: float) -> Limits:
        limits = limits_of(row, self.profile_of(row))
        if limits.uptime == 0:
            raise Refusal("uptime-limit", user)
        if 0 in (limits.bytes_in, limits.bytes_out, limits.bytes_total):
            raise Refusal("traffic-limit", user)
        if way != "trial":
            return limits
        return Limits(
            self.trial_seconds(device.mac, now), limits.session, limits.idle, limits.keepalive,
            limits.bytes_in, limits.bytes_out, limits.bytes_total,
        )  # fmt: skip

    def _check_room(self, row: Row, user: str, way: str, now: float) -> None:
        shared = self.profile_of(row)["shared-users"]
        same = sum(one.user == user for one in self.sessions)
        if way != "trial" and shared.isdecimal() and same >= int(shared):
            raise Refusal("user-session-limit", user)
        most = _LICENCE_GUESTS["3" if "level-3" in self._router.profile.features else "4"]
        profile = self._router.profile
        # A benchmark's crowd of a chosen size is not stopped at the door.
        others = self._router.village.guests.count("login", now) if profile.scale.guests is None else 0
        if not profile.router.is_virtual and len(self.sessions) + others >= most:
            raise Refusal("license-session-limit", user, LICENCE_TEXT)

    def _remember(self, session: Session, row: Row, now: float) -> None:
        ways, profile, password = self.ways(), self.profile_of(row), row.get("password", "")
        if "mac-cookie" in ways and profile["add-mac-cookie"] == "true":
            lasts = read_duration(profile.get("mac-cookie-timeout", "3d")) or 0
            self.cookies = [one for one in self.cookies if not (one.mac_cookie and one.mac == session.mac)]
            self.cookies.append(Cookie(self.number(), session.user, password, session.mac, now + lasts))

    def browser_cookie(self, session: Session, now: float) -> str:
        """What the browser is to bring back next time; empty where cookies are not given."""
        row = self._router.tables["/ip/hotspot/user"].get(session.user)
        if "cookie" not in self.ways() or row is None:
            return ""
        lasts = read_duration(self.settings().get("http-cookie-lifetime", "3d")) or 0
        made = Cookie(
            self.number(), session.user, row.get("password", ""), session.mac, now + lasts, os.urandom(8).hex()
        )
        self.cookies.append(made)
        return made.token

    def log_out(self, session: Session, now: float, reason: str, *, erase: str = "") -> None:
        """End a session. ``erase``: ``mac`` forgets its device's cookies, ``all`` those of its browsers too."""
        self._end(session, now, reason)
        if erase:
            kept = [one for one in self.cookies if one.mac != session.mac or not (one.mac_cookie or erase == "all")]
            self.cookies = kept

    # -- time -----------------------------------------------------------------------------------------

    def settle(self, now: float) -> None:
        """End what is over by now, in the order it happened."""
        self._restart(now)
        for session in tuple(self.sessions):
            over = session.due(now)
            if over is not None:
                self._end(session, *over)
                if over[1] in _RUNS_OUT:
                    self.hosts.pop(session.mac, None)
        inside = {one.mac for one in self.sessions}
        idle = [mac for mac, one in self.hosts.items() if mac not in inside and now - one.seen >= HOST_IDLE_SECONDS]
        for mac in idle:
            del self.hosts[mac]
        self.revision += len(idle)
        self.cookies = [one for one in self.cookies if one.expires > now]

    def _restart(self, now: float) -> None:
        village = self._router.village
        boot = village.calendar.segment(now).boot
        if boot == self._boot and village.router_answers_at(now):
            return
        for session in tuple(self.sessions):
            events = [e for e in village.events_between(session.since, now) if e.kind in BOOTING]
            cut = next((e for e in events if session.since < e.start <= now), None)
            if cut is None:
                continue
            over = session.due(cut.start)
            if over is not None:
                self._end(session, *over)
            else:
                self._end(session, cut.start, cut.kind.value.replace("_", " "), kept=False)
        if boot != self._boot:
            for event in village.events_between(self._boot, now):
                if event.kind in BOOTING and self._boot <= event.start:
                    self._router.flash.restart(event.start, event.kind)
            self._boot = boot
            self._trials.clear()
            self._challenges.clear()
            self.hosts = {mac: one for mac, one in self.hosts.items() if one.since >= boot}
            self.revision += 1

    def _end(self, session: Session, when: float, reason: str, *, kept: bool = True) -> None:
        self.sessions.remove(session)
        self.revision += 1
        truth = truth_of(session, when, when, reason, kept=kept)
        self.ended.append(truth)
        if not kept:
            return
        if session.trial:
            first, used = self._trials.get(session.mac, (session.since, 0.0))
            self._trials[session.mac] = (first, used + when - session.since)
        else:
            self.add_to_user(session.user, truth.bytes_in, truth.bytes_out, when - session.since)
        self._note(session, f"logged out: {reason}", when)

    def add_to_user(self, user: str, bytes_in: int, bytes_out: int, seconds: float) -> None:
        """Counters of users grow at logout only (7.6, item 8)."""
        table = self._router.tables["/ip/hotspot/user"]
        before = table.get(user)
        if before is None:
            return
        used, packets = spent(before), {"in": bytes_in // 260, "out": bytes_out // 1020}
        grown = {"in": bytes_in, "out": bytes_out}
        values = {f"bytes-{way}": str(used[way] + grown[way]) for way in grown}
        values |= {f"packets-{way}": str(int(before.get(f"packets-{way}", "0")) + packets[way]) for way in packets}
        table.change(user, {**values, "uptime": duration((read_duration(before.get("uptime", "0s")) or 0) + seconds)})

    def _note(self, session: Session, text: str, when: float) -> None:
        self._router.note(when, "hotspot,info,debug", f"{session.user} ({session.address}): {text}")

    def truth(self, now: float) -> list[Truth]:
        """Every session there was, oldest first, and those that go on."""
        self.settle(now)
        going = [truth_of(one, None, now) for one in self.sessions]
        return sorted([*self.ended, *going], key=lambda one: one.start)
