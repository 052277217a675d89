"""Values: what is the matter, who wants to know, and what they were told before. No database, no clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum, StrEnum
from typing import Final

from kampungnet.core import clock
from kampungnet.measurement.incident_words import Told
from kampungnet.staff.service import Scope


class Severity(IntEnum):
    """How soon somebody has to look."""

    INFO = 0
    WARNING = 1
    CRITICAL = 2


NOTHING: Final = max(Severity) + 1
"""More urgent than anything: what nothing reaches."""


class Kind(StrEnum):
    """For whom the words are."""

    ENGINEER = "engineer"
    OPERATOR = "operator"


class Act(StrEnum):
    """What a message does."""

    BEGIN = "begin"
    MORE = "more"
    """It grew, or its cause became known."""
    END = "end"
    CANCEL = "cancel"
    """Readings that came late say that there was nothing."""
    JOINED = "joined"
    """It became part of another one that was told; never sent."""
    PLAN = "plan"
    PLAN_OFF = "plan_off"
    SUMMARY = "summary"
    """Many at once that are not one thing."""
    DIGEST = "digest"
    TEST = "test"


OPEN: Final = frozenset({Act.BEGIN, Act.MORE})


@dataclass(frozen=True, slots=True)
class Work:
    """Planned work, with the places that its reader may see."""

    places: Sequence[str]
    """Codes."""
    provider: str
    reason: str
    entered_ms: int
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alert of Alertmanager; after the end of its group one of those that had fired."""

    fingerprint: str
    name: str
    village: str
    """Its code; may be empty."""
    place: str
    summary: str
    description: str
    runbook: str


@dataclass(frozen=True, slots=True)
class Group:
    """What Alertmanager sends together."""

    alarms: tuple[Alarm, ...]
    more: int
    """Alerts that it left out."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is or was the matter, as one reader may see it."""

    topic: str
    """Stays the same while the rest changes: ``incident:…``, ``work:…``, ``group:…``."""
    severity: Severity
    start_ms: int
    end_ms: int | None
    members: frozenset[str]
    """Villages, or the alerts of a group: by these it grows."""
    sign: str
    """What it is: another one is news."""
    spot: str
    """Where it is: what comes back at the same spot again and again is flapping."""
    about: Told | Work | Group
    is_planned: bool = False
    """Within planned work: announced, not alarmed."""
    is_settled: bool = True
    """No reading is missing that could change its end."""
    spans: Mapping[str, tuple[int, int | None]] = field(default_factory=dict)
    """From when to when each village was in it: to who sees a few of them it is over when those are back."""


@dataclass(frozen=True, slots=True)
class Said:
    """One message to one reader, or what was noted instead of one."""

    topic: str
    number: int
    act: Act
    made_ms: int
    start_ms: int
    members: frozenset[str]
    sign: str
    spot: str
    is_loud: bool
    """It was written out and sent by itself."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of a local day in which only urgent messages go out, minutes since midnight; from > to is over midnight."""

    first: int
    end: int
    passes: int
    """From this :class:`Severity` on they go out all the same; :data:`NOTHING`: none does."""

    def holds(self, severity: Severity, minute: int) -> bool:
        """Tell whether a message has to wait."""
        over_midnight = self.first > self.end
        inside = (minute >= self.first or minute < self.end) if over_midnight else self.first <= minute < self.end
        return inside and severity < self.passes


@dataclass(frozen=True, slots=True)
class Reader:
    """Who gets messages."""

    id: str
    kind: Kind
    scope: Scope
    zone: str
    since_ms: int
    """What began before is told by the digest only."""
    quiet: Quiet | None = None
    digest_minute: int | None = None

    def is_held(self, severity: Severity, now_ms: int) -> bool:
        """Tell whether a message of now has to wait until the quiet hours are over."""
        return self.quiet is not None and self.quiet.holds(severity, minute_of_day(now_ms, self.zone))


@dataclass(frozen=True, slots=True)
class Draft:
    """One message to be, or a note that takes its place."""

    topic: str
    number: int
    act: Act
    severity: Severity
    start_ms: int
    members: frozenset[str] = frozenset()
    sign: str = ""
    spot: str = ""
    is_loud: bool = True
    fact: Fact | None = None
    facts: tuple[Fact, ...] = ()
    """Of a summary."""
    before: Said | None = None
    """What was said of it last."""
    times: int = 1
    """How often it has begun at this spot lately."""
    is_last: bool = False
    """The next ones at this spot are held back."""


@dataclass(frozen=True, slots=True)
class Light:
    """A village whose light is bad or falls."""

    village: str
    name: str
    words: str


@dataclass(frozen=True, slots=True)
class Silent:
    """A village whose box is silent."""

    village: str
    name: str
    since_ms: int


@dataclass(frozen=True, slots=True)
class Morning:
    """What a digest is made of."""

    day: date
    facts: Sequence[Fact]
    """Those that last, those that ended since yesterday's digest, and planned work to come."""
    lights: Sequence[Light]
    silent: Sequence[Silent]
    villages: int
    """Where a box is installed."""
    up: int
    seal: str = ""
    """Newest head of the log of acts, for who reads of the whole kabupaten: a mailbox is out of the server's reach."""
    anew: int | None = None
    """The act at which that log was begun anew, if it was."""


WATCHDOG: Final = "Watchdog"
"""Name of the alert that always fires: when it stops coming, nobody watches any more."""
BOX_MOVED: Final = "BoxMoved"
BOX_TWICE: Final = "BoxTwice"
BOX_REVOKED: Final = "BoxRevokedKnocks"
BOX_OLD_KEY: Final = "BoxOldKey"
BOX_UNKNOWN: Final = "BoxUnknown"
"""Names of our own alarms about boxes; ``place`` is the village or empty, ``description`` the network."""
OF_BOXES: Final = "box:"
"""What the topic of such a fact begins with."""
OF_JOBS: Final = "job:"
"""What the topic of a fact about a job of the server begins with, its alarm's name too; ``place`` is its unit."""
Names = Mapping[str, str]
"""Of kecamatan and villages, by code."""


def minute_of_day(instant_ms: int, zone: str) -> int:
    """Return the local minute since midnight."""
    moment = clock.local(instant_ms, zone)
    return 60 * moment.hour + moment.minute
