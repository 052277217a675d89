"""Remote hands: what a person at the office wants done once in a village, and what became of it. Part of the wire.

An order is wanted state with an id: "the router's start is younger than this order". Doing it at most once takes two
steps. The box writes the id on its disk and says that it takes the order, with a mark of its own making; the server
notes the first mark and says *go*. Only a box whose mark was noted acts, writes down that it acts before it does, and
never acts on an order twice. So whatever is lost between the two, a card that was copied or a memory that was lost
included, an order is carried out once or not at all.

Kinds, states and reasons are lists that grow. They travel as words, so that a side that does not know one yet keeps it
as it is, and reads everything beside it (architecture, section 5). A box answers an unknown kind with ``unable``.

How long an order holds is judged by the server's clock. The box learns only for how many milliseconds more it may
begin, counts them from before it asked, by ``CLOCK_BOOTTIME``, and lets them end with the boot it asked in.
"""

import enum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from kampungnet.shared.parts import Count, Identifier, Instant, LongText, Part, Text

ORDERS_PATH: Final = "/api/v1/orders"
MAX_PACKED_BUNDLE_BYTES: Final = 256_000
MAX_BUNDLE_BYTES: Final = 2_000_000
"""A bundle unpacked."""
MAX_ORDERS_BYTES: Final = 500_000
"""Largest question: a packed bundle, in base64, and what goes with it."""
MAX_TOLD: Final = 20
MAX_ABILITIES: Final = 40
MAX_SECTIONS: Final = 40
"""Of a bundle."""


class OrderKind(enum.StrEnum):
    """What is to be done."""

    RESTART = "restart"
    """Start a device anew."""
    PORTAL = "portal"
    """Look at the whole captive portal now, and put right what is not as it is wanted."""
    BUNDLE = "bundle"
    """Collect what whoever helps has to know, without secrets and without people."""


class OrderState(enum.StrEnum):
    """How far the box has come with an order. Every word but the first is an ending, also one that comes later."""

    TAKEN = "taken"
    """It is on the disk; nothing is done before the server says go."""
    DONE = "done"
    REFUSED = "refused"
    """The device said no; ``right`` names what is missing."""
    FAILED = "failed"
    DROPPED = "dropped"
    """Nothing was done: it was too late, or the box cannot do such a thing."""


class Why(enum.StrEnum):
    """Why an order ended as it did, where there is more to say."""

    NOTHING = ""
    LATE = "late"
    """The time to begin was over."""
    UNABLE = "unable"
    """The box has no such device, or its driver has no way."""
    UNREACHABLE = "unreachable"
    """The device did not answer, so nothing was asked of it."""
    CUT = "cut"
    """The box was cut off while it acted, and the device was not seen to start anew."""
    STAYED = "stayed"
    """The device took the command and was not seen to start anew."""
    GONE = "gone"
    """The device took the command and was not seen again."""
    DEVICE = "device"
    """The device refused something; ``detail`` has its words."""


Word = Annotated[str, Meta(max_length=40)]
"""Of one of the lists above, or one that only the other side knows."""


class Ability(Part, frozen=True, omit_defaults=True):
    """Something this box can do."""

    kind: Word
    """As :class:`OrderKind`."""
    device: Text = ""
    """Empty: the box itself."""


class OrderTold(Part, frozen=True, omit_defaults=True):
    """What the box says of one order, again and again until the answer names it."""

    id: Identifier
    mark: Identifier
    """Made by the box when it took the order; who has another one did not take it."""
    state: Word
    """As :class:`OrderState`."""
    why: Word = Why.NOTHING
    """As :class:`Why`."""
    right: Text = ""
    """The right that was missing."""
    detail: LongText = ""
    away_seconds: Count | None = None
    """How long the device was away, up to the first look that found it again."""
    changed: Count | None = None
    """How much had to be put right."""
    bundle: Annotated[bytes, Meta(max_length=MAX_PACKED_BUNDLE_BYTES)] = b""
    """JSON of :class:`Bundle`, deflated (zlib)."""


class Order(Part, frozen=True, omit_defaults=True):
    """One open order."""

    id: Identifier
    kind: Word
    """As :class:`OrderKind`."""
    device: Text = ""
    mark: Text = ""
    """Whose taking was noted: the box with this mark is to act. Empty: nobody's yet."""
    left_ms: Annotated[int, Meta(ge=0, le=3_600_000)] = 0
    """For how long it may still be begun."""


class OrdersQuestion(Part, frozen=True, omit_defaults=True):
    """The box asks what is to be done, and says what became of what it took."""

    agent: Identifier
    sent_at_ms: Instant
    can: Annotated[list[Ability], Meta(max_length=MAX_ABILITIES)] = []
    told: Annotated[list[OrderTold], Meta(max_length=MAX_TOLD)] = []


class OrdersAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is open for this box, and of what it told all that is on the server's disk."""

    server_time_ms: Instant
    orders: list[Order] = []
    noted: list[Identifier] = []
    """Orders whose ending need not be told again."""


class Section(Part, frozen=True, omit_defaults=True):
    """One part of a bundle."""

    name: Annotated[str, Meta(min_length=1, max_length=60)]
    lines: Annotated[list[Annotated[str, Meta(max_length=2_000)]], Meta(max_length=5_000)] = []


class Bundle(Part, frozen=True, omit_defaults=True):
    """What the box knows about itself and its devices: without secrets, without people, without their devices."""

    made_ms: Instant
    """By the box's clock, which may be wrong."""
    version: Text
    sections: Annotated[list[Section], Meta(max_length=MAX_SECTIONS)]
