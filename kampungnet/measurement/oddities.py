"""What is not as it should be, for engineers: readings that cannot be right, and boxes that lost or doubled some.

Nothing listed here was counted twice or believed: it stands here so that somebody looks at the box or the router.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from sqlalchemy import Date, bindparam, or_, select, text
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.languages import N_
from kampungnet.devices.models import Agent, Site
from kampungnet.measurement.models import Oddity

DAYS: Final = 30
MANY_REPEATS: Final = 50
"""Of one report: fewer are the repeats of a lost receipt."""


class Odd(StrEnum):
    """What is odd."""

    TIME = "time"
    IMPOSSIBLE = "impossible"
    CONFLICT = "conflict"
    REFUSED = "refused"
    REPEATED = "repeated"
    CLAIMED = "claimed"


WORDS: Final[Mapping[Odd, tuple[str, str, str]]] = {
    Odd.TIME: (
        N_("A clock that cannot be believed"),
        N_("The box dated these readings before 2024 or in the future. Nothing is computed from them."),
        N_("Check that the box reaches a time server (NTP), and its clock battery if it has one."),
    ),
    Odd.IMPOSSIBLE: (
        N_("A counter that grew faster than the line can carry"),
        N_("These steps were set aside: not a byte of them is counted."),
        N_("Check the router's firmware and whether two devices answer at one address."),
    ),
    Odd.CONFLICT: (
        N_("Two different readings of one instant"),
        N_("None of the two is counted."),
        N_("Check whether the village has two boxes, or a box with a copied card."),
    ),
    Odd.REFUSED: (
        N_("Readings that say what cannot be"),
        N_("For example a negative uptime. They were refused one by one; the rest of the report was taken."),
        N_("Update the box. If it goes on, send the makers the line of its log that names the field."),
    ),
    Odd.REPEATED: (
        N_("Old readings that came once more"),
        N_("They were known and not counted again."),
        N_("Check whether the box was set back to an old copy of its card."),
    ),
    Odd.CLAIMED: (
        N_("A box that spoke in the name of another"),
        N_("The report was refused. A box can only report for its own village."),
        N_("Revoke the box and enrol it anew; find out who worked on it."),
    ),
}
"""Of each kind: its name, what it means, and what to do."""
BOX_WORDS: Final = (
    ("conflicts", N_("Known readings with another content"),
     N_("The sign of a copied card: enrol one of the two boxes anew.")),
    ("refused_readings", N_("Readings that the server refused"), N_("Update the box.")),
    ("dropped_readings", N_("Readings dropped because the box was full"),
     N_("The box was without a line for too long, or its card is too small.")),
    ("corrupt_readings", N_("Readings that its card could not give back"), N_("Replace the card of the box.")),
)  # fmt: skip
"""Of each counter of a box: what it counts, and what to do."""
_NOTE: Final = text(
    "INSERT INTO oddities (regency, site, device, day, what, count) VALUES (:regency, :site, '', :day, :what, :count)"
    " ON CONFLICT (regency, site, device, day, what) DO UPDATE SET count = oddities.count + excluded.count"
).bindparams(bindparam("day", type_=Date))


@dataclass(frozen=True, slots=True)
class OddReport:
    """Something odd about a box's reports as a whole, so that no device's day tells it."""

    regency: str
    site: str
    received_ms: int
    what: Odd
    count: int


@dataclass(frozen=True, slots=True)
class OddDevice:
    """How often one kind of oddity was seen of one device, and on which days first and last."""

    village: str
    site: str
    device: str
    """Empty: the box itself."""
    what: Odd
    first: date
    last: date
    count: int


@dataclass(frozen=True, slots=True)
class OddBox:
    """A box with a counter that should be 0, since it was enrolled."""

    village: str
    site: str
    agent: str
    counts: Mapping[str, int]
    last_report_ms: int | None


def note(db: Session, found: Iterable[OddReport]) -> None:
    """Count what was odd about reports, on the local day they came."""
    counts: dict[tuple[str, str, date, str], int] = defaultdict(int)
    for one in found:
        day = clock.local_day(one.received_ms, clock.zone_of(one.regency))
        counts[one.regency, one.site, day, one.what.value] += one.count
    # In one order, so that two processes do not wait for each other.
    for (regency, site, day, what), count in sorted(counts.items()):
        row = {"regency": regency, "site": site, "day": day, "what": what, "count": count}
        db.connection().execute(_NOTE, row)


def devices(db: Session, regency: str, first: date, last: date) -> list[OddDevice]:
    """Return what was odd between two local days, the newest first."""
    rows = db.execute(
        select(Site.village, Oddity.site, Oddity.device, Oddity.what, Oddity.day, Oddity.count)
        .join(Site, (Site.regency == Oddity.regency) & (Site.code == Oddity.site))
        .where(Oddity.regency == regency, Oddity.day.between(first, last))
    )
    by_place: dict[tuple[str, str, str, Odd], list[tuple[date, int]]] = defaultdict(list)
    for village, site, device, what, day, count in rows:
        by_place[village, site, device, Odd(what)].append((day, count))
    found = [
        OddDevice(*place, min(day for day, _ in seen), max(day for day, _ in seen), sum(count for _, count in seen))
        for place, seen in by_place.items()
    ]
    return sorted(found, key=lambda one: (-one.last.toordinal(), one.site, one.device, one.what))


def boxes(db: Session, regency: str) -> list[OddBox]:
    """Return the boxes at work that lost, doubled or had refused readings."""
    columns = [getattr(Agent, name) for name, _, _ in BOX_WORDS]
    rows = db.execute(
        select(Agent, Site.village)
        .join(Site, (Site.regency == Agent.regency) & (Site.code == Agent.site))
        .where(Agent.regency == regency, Agent.revoked_ms.is_(None), or_(*(column > 0 for column in columns)))
        .order_by(Agent.site, Agent.id)
    )
    found = []
    for agent, village in rows:
        counts = {name: getattr(agent, name) for name, _, _ in BOX_WORDS if getattr(agent, name)}
        found.append(OddBox(village, agent.site, agent.id, counts, agent.last_report_ms))
    return found
