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
from kampungnet.devices import knocks
from kampungnet.devices.knocks import Knock
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
    ADDRESS = "address"
    MOVED = "moved"
    TWICE = "twice"


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
        N_("Shut the box out for good and put a new one there; find out who worked on it."),
    ),
    Odd.ADDRESS: (
        N_("A box that reports from an address it never had"),
        N_("Lines get new addresses now and then, and this one is near those that are known."),
        N_("Nothing has to be done, unless the box should have stood still."),
    ),
    Odd.MOVED: (
        N_("A box that reports from another network"),
        N_("It is far from all it reported from before: another provider, or another place."),
        N_("Call the village: does the box still stand there? If not, shut it out for good on the village's page."),
    ),
    Odd.TWICE: (
        N_("Two boxes that report with one key"),
        N_("A box that was started anew never goes back to the time before; here both times report in turn."),
        N_("The card was copied: shut the box out for good and put a new one there."),
    ),
}
"""Of each kind: its name, what it means, and what to do."""
KNOCK_WORDS: Final[Mapping[Knock, tuple[str, str, str]]] = {
    Knock.REVOKED: (
        N_("A box that was shut out is on the line"),
        N_("It was let in nowhere. The network is where it stands now: the provider knows whose line that is."),
        N_("Give the network and the time to the provider, or to the police if it was stolen."),
    ),
    Knock.OLD_KEY: (
        N_("A box with an old key"),
        N_("The key was changed since; somebody uses a copy of the card."),
        N_("Ask who made a copy, and shut the box out for good if nobody did."),
    ),
    Knock.REPLACED: (
        N_("A box whose place another one took"),
        N_("It still runs and was not let in."),
        N_("Switch it off, or set it up in another place with a code."),
    ),
    Knock.UNKNOWN: (
        N_("Boxes that nobody knows"),
        N_("They asked like a box of ours, with a key that is nobody's."),
        N_("Some are old cards or wrong addresses. If there are many from one network, tell the provider."),
    ),
    Knock.CODE: (
        N_("Boxes that tried a code that opens nothing"),
        N_("A code counts once and for a day."),
        N_("If you are setting up a box, make a new code on the village's page."),
    ),
}
"""Of each kind of box that was not let in: its name, what it means, and what to do."""
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
class Knocked:
    """A box that was not let in."""

    village: str
    """Empty: nobody's."""
    knock: Knock
    network: str
    first_ms: int
    last_ms: int
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


def knocked(db: Session, regency: str, since_ms: int) -> list[Knocked]:
    """Return who was not let in since an instant and is of a regency or of nobody, the newest first."""
    found = knocks.since(db, regency, since_ms)
    asked = select(Agent.id, Site.village).join(Site, (Site.regency == Agent.regency) & (Site.code == Agent.site))
    mine = asked.where(Agent.regency == regency, Agent.id.in_({one.agent for one in found if one.regency}))
    villages = {row.id: row.village for row in db.execute(mine)}
    return [
        Knocked(villages.get(one.agent, "") if one.regency else "", Knock(one.knock), one.network, one.first_ms,
                one.last_ms, one.count)
        for one in found
    ]  # fmt: skip
