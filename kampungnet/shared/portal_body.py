"""What one visit to a captive portal learned. Part of the wire, see :mod:`kampungnet.shared.wire`."""

import enum
from typing import Annotated, Final

from msgspec import Meta

from kampungnet.shared.parts import Count, Identifier, Instant, LongText, Part, Text

SLOT_MS: Final = 1_800_000
"""Use is counted by the half hour, on the UTC clock: days and office hours of every zone begin and end on one."""


class Way(enum.StrEnum):
    """How a device came in."""

    CLICK = "click"
    """Agreed to the terms, no identity (RouterOS trial)."""
    VOUCHER = "voucher"
    ACCOUNT = "account"
    OTHER = "other"
    """By a user of the router that KampungNet did not make."""


class PortalSlot(Part, frozen=True, omit_defaults=True):
    """What one session used in one half hour. Cumulative: of all that is told of a slot the greatest counts."""

    number: Count
    """The half hour's number since 1970-01-01 UTC."""
    seconds: Annotated[int, Meta(ge=0, le=86_400)] = 0
    """More than 1800 only where a box's clock stood still or was put back."""
    up_bytes: Count = 0
    """Sent by the guest."""
    down_bytes: Count = 0


class PortalSession(Part, frozen=True, omit_defaults=True):
    """One device online at the portal, or just gone. Told anew as long as something of it changes."""

    id: Identifier
    """64 random bits the box gave it at first sight."""
    guest: Identifier
    """Keyed pseudonym of the device's MAC address; the key stays on the box and is replaced each month."""
    way: Way
    started_ms: Instant
    seen_ms: Instant
    """Last moment at which it was seen online."""
    slots: Annotated[list[PortalSlot], Meta(max_length=100)] = []
    """The half hours in which something changed since they were told last."""
    reference: Text = ""
    """What the server calls the voucher or account; empty for others."""
    plan: Text = ""
    random_mac: bool = False
    """The device made its address up, as phones do: another day it may be another one."""
    idle_seconds: Count | None = None
    end: Text = ""
    """Why it ended, by the facts: ``logout``, ``limit``, ``idle``, ``kicked``, ``reboot``, ``gone``; empty: online."""


class PortalHost(Part, frozen=True, omit_defaults=True):
    """One device that the portal sees and that has no session: not logged in, let through, or blocked."""

    guest: Identifier
    bypassed: bool = False
    blocked: bool = False
    random_mac: bool = False
    up_bytes: Count | None = None
    down_bytes: Count | None = None


class CheckStep(Part, frozen=True, omit_defaults=True):
    """One step of "can a citizen get online right now?"."""

    name: Identifier
    """``server``, ``address-pool``, ``dns``, ``pages``, ``ways``, ``garden``, ``licence``, ``internet``."""
    good: bool
    detail: Text = ""


class PortalBody(Part, frozen=True, omit_defaults=True, tag_field="kind", tag="portal"):
    """What one visit to a captive portal learned."""

    server: Text = ""
    """Name of the hotspot on the router."""
    now_ms: Instant | None = None
    """The box's own now, by which the times of sessions are told: without a set clock not its wall clock."""
    running: bool | None = None
    online: Count = 0
    """Devices logged in now."""
    hosts: Count = 0
    """Devices the portal sees, logged in or not."""
    sessions: Annotated[list[PortalSession], Meta(max_length=400)] = []
    """All that are online, and those that ended since the last visit, until they were told."""
    without_session: Annotated[list[PortalHost], Meta(max_length=300)] = []
    revision: Count = 0
    """Of the wanted state that the router was last made to follow."""
    problems: Annotated[list[LongText], Meta(max_length=40)] = []
    """What the router refused, one sentence each."""
    drift: Annotated[list[LongText], Meta(max_length=40)] = []
    """What somebody else had changed in what is ours, before it was put right again."""
    check: Annotated[list[CheckStep], Meta(max_length=16)] = []
    missing: Annotated[list[Text], Meta(max_length=40)] = []
    held: Count | None = None
    """Connections to the login page that came too quickly and were dropped, since the router started."""
