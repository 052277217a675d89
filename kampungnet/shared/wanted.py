"""What the server wants a captive portal to be, and how the box asks for it. Part of the wire.

Wanted state with a revision (architecture section 5): the whole of it, every time; making a router so twice is
harmless. The box keeps the newest on its disk, and follows it with the line cut.

The box holds one request open (``POST /api/v1/wanted``, signed like a report): it says which revision it has, and
gets an answer when there is another one, or nothing new after ``HOLD_SECONDS``.
"""

import enum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from kampungnet.shared.parts import Count, Identifier, Instant, LongText, Name, Part, Text

WANTED_PATH: Final = "/api/v1/wanted"
HOLD_SECONDS: Final = 50
"""The server answers "nothing new" after this: proxies and home routers forget a silent connection after 60."""
MAX_USERS: Final = 12_000
MAX_WANTED_BYTES: Final = 4_000_000
"""Largest answer, unpacked."""
MAX_QUESTION_BYTES: Final = 20_000

Minute = Annotated[int, Meta(ge=0, le=1440)]
PlanName = Annotated[str, Meta(min_length=1, max_length=24, pattern=r"\A[a-z0-9-]+\Z")]


class UserKind(enum.StrEnum):
    """What a user of the router stands for."""

    VOUCHER = "voucher"
    ACCOUNT = "account"


class BindingKind(enum.StrEnum):
    """How a single device is treated."""

    BLOCKED = "blocked"
    BYPASSED = "bypassed"


class OpenHours(Part, frozen=True, omit_defaults=True):
    """When a plan is open: local minutes of some weekdays. Until 1440 is midnight; hours over midnight are two."""

    weekdays: Annotated[list[Annotated[int, Meta(ge=0, le=6)]], Meta(min_length=1, max_length=7)]
    """0 is Monday."""
    opens: Minute = 0
    closes: Minute = 1440


class WantedPlan(Part, frozen=True, omit_defaults=True):
    """A plan: what who has it may use. 0 is "no limit" everywhere."""

    name: PlanName
    down_kbps: Count = 0
    up_kbps: Count = 0
    slow_down_kbps: Count = 0
    """Speed when a quota is reached: slower, not cut."""
    slow_up_kbps: Count = 0
    day_seconds: Count = 0
    day_bytes: Count = 0
    month_bytes: Count = 0
    devices: Annotated[int, Meta(ge=1, le=100)] = 1
    idle_seconds: Count = 900
    session_seconds: Count = 0
    hours: Annotated[list[OpenHours], Meta(max_length=14)] = []
    """Empty: always."""
    priority: Annotated[int, Meta(ge=1, le=8)] = 8
    """Of its queue on the router; 1 goes first."""


class WantedUser(Part, frozen=True, omit_defaults=True):
    """A voucher or an account, as the router has to know it."""

    reference: Identifier
    """What the server calls it."""
    name: Name
    plan: PlanName
    kind: UserKind = UserKind.VOUCHER
    password: Text = ""
    """Empty for a voucher: its code is its name, so that one field is enough."""
    limit_seconds: Count = 0
    """Time online in all, over every session; 0 is no limit."""
    valid_seconds: Count = 0
    """From its first use; 0 is no limit."""
    expires_ms: Instant | None = None
    first_used_ms: Instant | None = None
    """What the server knows of its use, for a box that lost its memory."""
    used_seconds: Count = 0

    def __repr__(self) -> str:
        """Show neither code nor password, also not in a traceback."""
        return f"WantedUser({self.reference!r}, {self.kind.value!r}, {self.plan!r})"


class WantedBinding(Part, frozen=True, omit_defaults=True):
    """One device that is let through without logging in, or kept out."""

    reference: Identifier
    kind: BindingKind
    mac: Text = ""
    """As typed by staff from a printer's label; or empty and ``guest`` says who."""
    guest: Text = ""
    """Pseudonym of a device that was seen; the box knows which one that is."""
    until_ms: Instant | None = None
    label: Text = ""


class WantedGarden(Part, frozen=True, omit_defaults=True):
    """One place that is free without logging in."""

    reference: Identifier
    host: Text
    """Name, with ``*`` for any part in front; or an address."""
    ports: Annotated[list[Annotated[int, Meta(ge=1, le=65_535)]], Meta(max_length=8)] = []
    """Empty: 80 and 443."""


class WantedPage(Part, frozen=True, omit_defaults=True):
    """One file of the router's hotspot folder."""

    name: Annotated[str, Meta(min_length=1, max_length=60, pattern=r"\A([a-z]{2}/)?[a-z0-9.-]+\Z")]
    content: Annotated[str, Meta(max_length=30_000)]


class WantedClick(Part, frozen=True, omit_defaults=True):
    """Agree and surf, no identity: RouterOS lets each device in for a time (trial)."""

    plan: PlanName
    seconds: Count = 0
    """Time online for one device in ``again_seconds``; 0 is without end."""
    again_seconds: Count = 86_400


class WantedTries(Part, frozen=True, omit_defaults=True):
    """How often one phone may knock at the router's login page; each guess of a code is a knock or more."""

    a_minute: Annotated[int, Meta(ge=1, le=600)]
    at_once: Annotated[int, Meta(ge=1, le=600)]
    """After a silence, before the pace counts: a page and its parts come at once."""
    ports: Text = "64873"
    """Of the router's own: its pages (facts on RouterOS 9.1). Not its proxy and TLS, where before the login everything
    ends that a phone's apps ask of the internet: their dozens of knocks would hold the owner at the login page.
    """


class WantedKick(Part, frozen=True, omit_defaults=True):
    """Staff ended a session: if it still runs, end it. Kept for a day, so that doing it twice is harmless."""

    session: Identifier


class WantedPortal(Part, frozen=True, omit_defaults=True):
    """All that a captive portal has to be."""

    revision: Count
    time_zone: Text
    """IANA zone that days, months and opening hours are in."""
    managed: bool = True
    """False: nothing is to be changed on the router; what KampungNet made is taken away again."""
    plans: Annotated[list[WantedPlan], Meta(max_length=50)] = []
    users: Annotated[list[WantedUser], Meta(max_length=MAX_USERS)] = []
    bindings: Annotated[list[WantedBinding], Meta(max_length=500)] = []
    garden: Annotated[list[WantedGarden], Meta(max_length=200)] = []
    pages: Annotated[list[WantedPage], Meta(max_length=20)] = []
    click: WantedClick | None = None
    kicks: Annotated[list[WantedKick], Meta(max_length=200)] = []
    tries: WantedTries | None = None
    """None: nobody is held at the login page."""
    place: Text = ""
    """Whose router it is. It is written on the router, and a router of another place is left alone; empty: is not."""


class WantedQuestion(Part, frozen=True, omit_defaults=True):
    """The box asks. ``revision`` is what it has on its disk, ``done`` what the router was made to follow."""

    agent: Identifier
    sent_at_ms: Instant
    revision: Count = 0
    done: Count = 0
    done_at_ms: Instant | None = None
    problems: Annotated[list[LongText], Meta(max_length=40)] = []


class WantedAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The newest wanted state, or nothing when the box has it already or no portal is its business."""

    server_time_ms: Instant
    wanted: WantedPortal | None = None
    fetch_again_ms: Annotated[int, Meta(ge=0, le=900_000)] = 0
    """How long the box waits before it asks again."""
