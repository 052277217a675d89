"""What the variables of a page stand for, for one guest at one instant (facts/routeros.md, 9.2)."""

from dataclasses import dataclass, field
from urllib.parse import quote_plus

from kampungnet_sim.hotspot_session import Session
from kampungnet_sim.routeros_values import duration

_KIBI = 1024
_NONE = "---"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the page is served: ``base`` is ``http://HOST``, ``folder`` the language's sub-directory with its slash."""

    base: str
    folder: str
    identity: str
    server: str
    address: str
    interface: str
    plain: bool
    chap: bool
    secure: bool = False


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, and for what: ``wanted`` is the address they first asked for."""

    mac: str
    address: str
    wanted: str = ""
    username: str = ""
    trial: bool = False
    parameters: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


def octal(data: bytes) -> str:
    r"""Bytes as a page's script has them: ``\371``."""
    return "".join(f"\\{byte:03o}" for byte in data)


def nice(count: int) -> str:
    """A number of bytes for people: ``512 B``, ``15.1 KiB``."""
    size, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < _KIBI:
            break
        size, unit = size / _KIBI, larger
    return f"{count} B" if unit == "B" else f"{size:.1f} {unit}"


def _links(place: Place, asking: Asking) -> dict[str, str]:
    own = f"{place.base}/{place.folder}"
    login = f"{own}login"
    return {
        "link-login-only": login,
        # Escaped, as routers in the field do it; the manual prints its example without.
        "link-login": f"{login}?dst={quote_plus(asking.wanted)}" if asking.wanted else login,
        "link-logout": f"{own}logout",
        "link-status": f"{own}status",
        "link-orig": asking.wanted,
    }


def _time(name: str, seconds: float | None) -> dict[str, str]:
    whole = int(seconds or 0)
    return {name: duration(whole) if whole else "", f"{name}-secs": str(whole)}


def session_variables(session: Session, now: float, refresh: float) -> dict[str, str]:
    """Times and limits of who is logged in."""
    left, found = session.time_left(now), dict[str, str]()
    for name, seconds in (
        ("idle-timeout", session.limits.idle),
        ("refresh-timeout", refresh),
        ("session-timeout", left),
        ("session-time-left", left),
    ):
        found |= _time(name, seconds)
    for way in ("in", "out"):
        limit = session.limits.bytes_of(way)
        found[f"limit-bytes-{way}"] = _NONE if limit is None else str(limit)
    up = int(now - session.since)
    total = session.remaining("total", now)
    return {
        **found,
        "uptime": duration(up),
        "uptime-secs": str(up),
        "login-by": session.login_by,
        "login-by-mac": "yes" if session.login_by == "mac" else "no",
        # Empty without a limit: the router's own page asks $(if remain-bytes-total).
        "remain-bytes-total": "" if total is None else str(total),
    }


def counters(session: Session, now: float) -> dict[str, str]:
    """What only the status page and the one shown at logout know."""
    counted, found = session.counted(now), dict[str, str]()
    for way in ("in", "out"):
        left = session.remaining(way, now)
        found[f"bytes-{way}"] = str(counted[way])
        found[f"bytes-{way}-nice"] = nice(counted[way])
        found[f"remain-bytes-{way}"] = _NONE if left is None else str(left)
    return {**found, "packets-in": str(counted["in"] // 260), "packets-out": str(counted["out"] // 1020)}


def variables(place: Place, asking: Asking, session: Session | None) -> dict[str, str]:
    """What every page knows. Headers of the request go by their names, and are overruled by everything else."""
    return {
        **asking.headers,
        "session-timeout-secs": "0",
        "hostname": place.base.partition("://")[2],
        "identity": place.identity,
        "plain-passwd": "yes" if place.plain else "no",
        "server-address": f"{place.address}:80",
        "ssl-login": "yes" if place.secure else "no",
        "server-name": place.server,
        "interface-name": place.interface,
        "target-dir": place.folder,
        "ip": asking.address,
        "host-ip": asking.address,
        "mac": asking.mac,
        "logged-in": "no" if session is None else "yes",
        "trial": "yes" if asking.trial else "no",
        "username": asking.username if session is None else session.user,
        "domain": "",
        "advert-pending": "no",
        "session-id": asking.parameters.get("session-id", ""),
        "var": asking.parameters.get("var", ""),
        **_links(place, asking),
    }
