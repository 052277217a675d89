"""The wire between agent and server: what travels, and nothing else.

Both sides import this one name. It needs msgspec and the standard library only; what a device of
each kind tells stands in the files beside this one and is part of it.

Rules for growing it (architecture section 5): add optional fields with a default, never
rename, never re-use a name; unknown fields are ignored; the server accepts the last two
wire versions; one recorded report of every version is kept in ``tests/shared/recorded``.

Units are part of a name. ``…_ms`` of an instant is milliseconds since 1970-01-01 UTC,
``boottime_ms`` is the kernel's ``CLOCK_BOOTTIME``: milliseconds since that boot, which no
clock change can move.
"""

import enum
import hashlib
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from kampungnet.shared.config_body import ConfigBody
from kampungnet.shared.fibre_bodies import (
    DownCause,
    Grade,
    OltBody,
    OntBody,
    Onu,
    OnuState,
)
from kampungnet.shared.host_body import (
    HostBody,
    Purpose,
    Service,
)
from kampungnet.shared.one_time_code import LEAST_LETTERS
from kampungnet.shared.parts import (
    Celsius,
    Count,
    CounterReading,
    Identifier,
    Instant,
    Light,
    LongText,
    Milliamperes,
    Name,
    Part,
    Ping,
    Power,
    Sensor,
    Sequence,
    SignalLevel,
    Text,
    Volts,
)
from kampungnet.shared.portal_body import (
    CheckStep,
    PortalBody,
    PortalHost,
    PortalSession,
    PortalSlot,
    Way,
)
from kampungnet.shared.router_body import (
    HotspotGuest,
    HotspotServer,
    HotspotUser,
    LogLine,
    NameLookup,
    PppoeLine,
    Queue,
    Radio,
    RadiusServer,
    RouterBody,
    Watched,
)

WIRE_VERSION = 1
OLDEST_WIRE_VERSION = 1
"""The server accepts ``OLDEST_WIRE_VERSION`` to ``WIRE_VERSION``."""

MAX_READINGS = 100
"""Readings in one report; more is refused."""
MAX_BODY_BYTES = 1_000_000
"""Largest compressed body the server reads."""
MAX_UNPACKED_BYTES = 4_000_000
"""Largest body after decompression."""
MAX_READING_BYTES = 600_000
"""Largest single reading, as JSON: a router's settings with its backup. An OLT with 256 ONUs has 98,000."""

AGENT_HEADER = "KampungNet-Agent"
SIGNATURE_HEADER = "KampungNet-Signature"
REPORTS_PATH = "/api/v1/reports"
ENROLMENTS_PATH = "/api/v1/enrolments"

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""All that decoding bytes from outside can raise: broken UTF-8 and deep nesting are Python's own errors."""


class Outcome(enum.StrEnum):
    """How one poll ended. Silence is data: every ending becomes a reading."""

    OK = "ok"
    UNREACHABLE = "unreachable"
    LOGIN_REFUSED = "login_refused"
    UNREADABLE = "unreadable"


Body = RouterBody | OntBody | OltBody | HostBody | PortalBody | ConfigBody


class Reading(Part, frozen=True, omit_defaults=True):
    """All that one poll of one device learned, or why it failed.

    Unique by (agent, ``boot_id``, ``sequence``). ``sequence`` counts per agent over all
    boots, so a hole in it is a reading that was lost or dropped.
    """

    boot_id: Identifier
    """The kernel's ``/proc/sys/kernel/random/boot_id`` of the box when it polled."""
    sequence: Sequence
    device: Identifier
    taken_at_ms: Instant
    """Wall clock of the box when the poll began; may be wrong, see ``boottime_ms``."""
    boottime_ms: Count
    outcome: Outcome
    duration_ms: Count
    device_uptime_seconds: Count | None = None
    detail: LongText = ""
    """Why it failed, with an excerpt of what could not be read. Never a secret."""
    body: Body | None = None
    """Present exactly when ``outcome`` is ``ok``."""


class AgentHealth(Part, frozen=True, omit_defaults=True):
    """The box about itself."""

    version: Text = ""
    board: Text = ""
    spool_readings: Count = 0
    spool_oldest_ms: Instant | None = None
    dropped_readings: Count = 0
    """Dropped at the cap since the spool was made; cumulative."""
    refused_readings: Count = 0
    """Set aside because the server refused them; cumulative."""
    corrupt_readings: Count = 0
    """Rows whose checksum failed, and spools set aside; cumulative."""
    send_failures: Count = 0
    """Reports that got no receipt since the agent started."""
    free_disk_bytes: Count | None = None


class Envelope(msgspec.Struct, frozen=True, omit_defaults=True):
    """A report whose readings are still raw JSON, so that one bad reading is refused alone.

    ``boot_id``, ``boottime_ms`` and ``sent_at_ms`` are of the moment of sending: with
    ``clock_synchronised`` they give the server that boot's offset.
    """

    wire_version: Annotated[int, Meta(ge=0, le=2**31)]
    agent: Identifier
    sent_at_ms: Instant
    boot_id: Identifier
    boottime_ms: Count
    clock_synchronised: bool
    readings: list[msgspec.Raw]
    health: AgentHealth = AgentHealth()


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """The same message as :class:`Envelope` with its readings typed; used for the JSON schema and tests."""

    wire_version: Annotated[int, Meta(ge=0, le=2**31)]
    agent: Identifier
    sent_at_ms: Instant
    boot_id: Identifier
    boottime_ms: Count
    clock_synchronised: bool
    readings: Annotated[list[Reading], Meta(max_length=MAX_READINGS)]
    health: AgentHealth = AgentHealth()


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reading the server will never take, by its place in the report."""

    position: Annotated[int, Meta(ge=0)]
    reason: LongText
    sequence: Sequence | None = None
    """Absent when the reading was too broken to tell."""


class Receipt(msgspec.Struct, frozen=True, omit_defaults=True):
    """The server's answer, sent only after the commit. Only what it names leaves the spool."""

    accepted: list[Sequence]
    """Sequences that are safe on the server's disk, repeats included."""
    server_time_ms: Instant
    refused: list[Refusal] = []
    pause_ms: Annotated[int, Meta(ge=0, le=900_000)] = 0
    """How long the agent waits before its next backlog batch."""
    orders: bool = False
    """Something is to be done once in this village: the agent asks for it (:mod:`kampungnet.shared.orders`)."""


class EnrolmentRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """A box asks to become the agent of a village. Signed with the key it brings."""

    code: Annotated[str, Meta(min_length=LEAST_LETTERS, max_length=64)]
    public_key: Annotated[str, Meta(min_length=44, max_length=44)]
    """Raw Ed25519 public key, standard base64."""
    board: Text = ""
    version: Text = ""


class EnrolmentAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a box needs to know about itself from now on."""

    agent: Identifier
    village: Text
    village_name: Text = ""


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Every answer that is not a success: one sentence for a person."""

    detail: str


def signing_bytes(method: str, path: str, agent: str, body: bytes) -> bytes:
    """What an agent signs with Ed25519: method, path, agent and the SHA-256 of the body as sent.

    No clock is part of it, so a box with a wrong clock can report; a replay does nothing,
    because its readings are already known.
    """
    digest = hashlib.sha256(body).hexdigest()
    return f"kampungnet-v1\n{method}\n{path}\n{agent}\n{digest}".encode()


def reading_hash(raw: bytes) -> bytes:
    """Return 16 bytes that stand for one reading's JSON as sent; equal hash means a repeat."""
    return hashlib.blake2b(raw, digest_size=16).digest()
