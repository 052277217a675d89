"""Free places (walled garden): one list for the regency, each with an owner, a reason and a day to look at it again.

The list stays small and is looked at: every name on it opens its neighbours at the same address as well (facts on
hotspots 11). What phones ask to find a portal must never be on it, or no login page would open (facts 8).
"""

import csv
import ipaddress
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.errors import Conflict, NotAllowed, NotFound, Unprocessable
from kampungnet.core.languages import N_
from kampungnet.hotspot import portals
from kampungnet.hotspot.models import GardenEntry
from kampungnet.measurement.planned_work import written
from kampungnet.staff import audit
from kampungnet.staff.audit import Act
from kampungnet.staff.service import Role, SignedIn

MOST_ENTRIES: Final = 150
LONGEST_REVIEW: Final = timedelta(days=731)
MOST_PORTS: Final = 8
LOOK_MS: Final = clock.DAY_MS
"""Each is looked at once a day."""
AGAIN_MS: Final = 3_600_000
"""After this one that could not be looked at is looked at again."""
NOT_KNOWN: Final = "not-known"
"""Stored where a look could tell nothing."""

_NAME: Final = re.compile(r"(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_PROBES: Final = (
    "apple.com", "gstatic.com", "google.com", "android.com", "hicloud.com", "samsung.com", "firefox.com",
    "msftconnecttest.com", "msftncsi.com",
)  # fmt: skip
"""Whose answers tell a phone that it is online already (facts on hotspots 8)."""


@dataclass(frozen=True, slots=True)
class NewEntry:
    """What somebody typed."""

    host: str
    title: str
    owner: str
    reason: str
    review_on: str
    ports: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """A place that many regencies let in. Whether the name is right its owner has to say."""

    host: str
    title: str
    owner: str
    reason: str


def entries(db: Session, regency: str) -> Sequence[GardenEntry]:
    """Return the list, what is to be looked at again first."""
    asked = select(GardenEntry).where(GardenEntry.regency == regency, GardenEntry.ended_ms.is_(None))
    return db.scalars(asked.order_by(GardenEntry.review_on, GardenEntry.host)).all()


def add(db: Session, by: SignedIn, new: NewEntry, now_ms: int) -> GardenEntry:
    """Let everybody reach one more place. Raises ``Unprocessable`` or ``Conflict`` with one sentence."""
    _check_editor(by)
    regency, host = by.scope.regency, _host(new.host)
    there = entries(db, regency)
    if len(there) >= MOST_ENTRIES:
        raise Conflict(N_("The list is full. End what nobody needs any more first."))
    if any(one.host == host for one in there):
        raise Conflict(N_("This name is on the list already."))
    one = GardenEntry(
        regency=regency, id=f"G{secrets.token_hex(6)}", host=host, ports=_ports(new.ports), title=written(new.title),
        owner=written(new.owner), reason=written(new.reason), review_on=_review(new.review_on, by, now_ms),
        checked_ms=None, problem="", ended_ms=None,
    )  # fmt: skip
    db.add(one)
    db.flush()
    portals.changed(db, regency, None, now_ms)
    told = {"host": host, "title": one.title, "owner": one.owner, "review_on": one.review_on.isoformat()}
    audit.record(db, by, Act("garden.add", one.id, one.reason, None, told), now_ms)
    return one


def review(db: Session, by: SignedIn, key: str, review_on: str, now_ms: int) -> None:
    """Say that an entry is still needed, and when it is looked at the next time. Raises ``NotFound``."""
    _check_editor(by)
    one, day = _open(db, by, key), _review(review_on, by, now_ms)
    before, one.review_on = one.review_on, day
    told = {"host": one.host, "review_on": day.isoformat()}
    audit.record(db, by, Act("garden.review", key, "", {"review_on": before.isoformat()}, told), now_ms)


def end(db: Session, by: SignedIn, key: str, now_ms: int) -> None:
    """Take an entry off the list, and off the routers. Raises ``NotFound``."""
    _check_editor(by)
    one = _open(db, by, key)
    one.ended_ms = now_ms
    portals.changed(db, one.regency, None, now_ms)
    audit.record(db, by, Act("garden.end", key, "", {"host": one.host}), now_ms)


def due(db: Session, now_ms: int, most: int) -> list[tuple[str, str, str, list[int]]]:
    """Return regency, id, name and ports of entries that were not looked at for a day, some of them."""
    asked = select(GardenEntry.regency, GardenEntry.id, GardenEntry.host, GardenEntry.ports).where(
        GardenEntry.ended_ms.is_(None),
        or_(
            GardenEntry.checked_ms.is_(None), GardenEntry.checked_ms <= now_ms - LOOK_MS,
            (GardenEntry.problem == NOT_KNOWN) & (GardenEntry.checked_ms <= now_ms - AGAIN_MS),
        ),
    )  # fmt: skip
    some = asked.order_by(GardenEntry.checked_ms.nulls_first(), GardenEntry.id).limit(most)
    return [(one.regency, one.id, one.host, msgspec.json.decode(one.ports, type=list[int])) for one in db.execute(some)]


def note(db: Session, regency: str, key: str, problem: str, now_ms: int) -> None:
    """Write down what a look found."""
    one = db.get(GardenEntry, (regency, key))
    if one is not None:
        one.problem, one.checked_ms = problem, now_ms


@cache
def examples() -> tuple[Example, ...]:
    """Return the examples that come with us."""
    with (Path(__file__).parent / "garden_examples.csv").open(encoding="utf-8", newline="") as lines:
        return tuple(Example(**row) for row in csv.DictReader(lines))


def _check_editor(by: SignedIn) -> None:
    by.check_role(Role.ENGINEER)
    if not by.scope.is_whole:
        raise NotAllowed(N_("This list is the kabupaten's. Ask an engineer of Kominfo."))


def _open(db: Session, by: SignedIn, key: str) -> GardenEntry:
    found = db.get(GardenEntry, (by.scope.regency, key)) if key.isalnum() and key.isascii() else None
    if found is None or found.ended_ms is not None:
        raise NotFound(N_("This entry is not on the list any more. Look at the list again."))
    return found


def _host(typed: str) -> str:
    host = typed.strip().lower().removeprefix("https://").removeprefix("http://").rstrip("/")
    if not (_NAME.fullmatch(host) and len(host) <= 200) and not _is_public(host):
        raise Unprocessable(N_("Type the name alone, like layanan.example.go.id; *. in front stands for all below it."))
    bare = host.removeprefix("*.")
    if any(bare == probe or bare.endswith(f".{probe}") for probe in _PROBES):
        raise Unprocessable(N_("Phones ask this name to find the login page: were it free, no login page would open."))
    return host


def _is_public(text: str) -> bool:
    try:
        return ipaddress.IPv4Address(text).is_global
    except ValueError:
        return False


def _ports(typed: str) -> str:
    words = typed.replace(",", " ").split()
    if len(words) > MOST_PORTS or not all(re.fullmatch(r"[1-9]\d{0,4}", one, re.ASCII) for one in words):
        raise Unprocessable(N_("Ports are numbers up to 65535, with blanks between them; empty is 80 and 443."))
    numbers = [int(one) for one in words]
    if any(one > 65_535 for one in numbers):
        raise Unprocessable(N_("Ports are numbers up to 65535, with blanks between them; empty is 80 and 443."))
    return msgspec.json.encode(numbers).decode()


def _review(typed: str, by: SignedIn, now_ms: int) -> date:
    today = clock.local_day(now_ms, clock.zone_of(by.scope.regency))
    try:
        day = date.fromisoformat(typed.strip())
    except ValueError:
        day = today
    if not today < day <= today + LONGEST_REVIEW:
        raise Unprocessable(N_("Say on which day this is looked at again: a day to come, within two years."))
    return day
