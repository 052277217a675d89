"""The words of outages: cause, what was seen, thresholds. Values only."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from kampungnet.core import clock


class Cause(StrEnum):
    """Why a village was without service; the names people use (architecture section 4)."""

    LISTRIK = "listrik"
    FIBER = "fiber"
    PERANGKAT = "perangkat"
    PENYEDIA = "penyedia"
    TERENCANA = "terencana"
    ORANG = "orang"
    UNKNOWN = "unknown"


class Finding(StrEnum):
    """One thing that was seen. A page puts each into plain words."""

    LAST_SIGN = "last_sign"
    """The last reading before the box fell silent."""
    SILENCE = "silence"
    BOX_RESTARTED = "box_restarted"
    """The instant is the box's own start."""
    BOX_LIVED = "box_lived"
    ROUTER_LIVES = "router_lives"
    ROUTER_SILENT = "router_silent"
    ROUTER_RESTARTED = "router_restarted"
    """The instant is the router's own start."""
    ROUTER_COUNTED_ON = "router_counted_on"
    """Its uptime went on through the silence: it had power."""
    ONT_LIVES = "ont_lives"
    ONT_SILENT = "ont_silent"
    ONT_RESTARTED = "ont_restarted"
    ONT_COUNTED_ON = "ont_counted_on"
    NO_LIGHT = "no_light"
    LIGHT_LOW = "light_low"
    """Present, but far below its own past."""
    LIGHT_GOOD = "light_good"
    FIBRE_LINK_DOWN = "fibre_link_down"
    """The ONT says that its line is not up."""
    NOT_REGISTERED = "not_registered"
    CABLE_OUT = "cable_out"
    """No carrier at the router's WAN port."""
    PORT_OFF = "port_off"
    GATEWAY_LIVES = "gateway_lives"
    GATEWAY_DEAD = "gateway_dead"
    INTERNET_DEAD = "internet_dead"
    OLT_ONLINE = "olt_online"
    OLT_GASP = "olt_gasp"
    OLT_LOS = "olt_los"
    OLT_OFFLINE = "olt_offline"
    OLT_BARRED = "olt_barred"
    NEIGHBOURS = "neighbours"
    """``number`` neighbours lost service at the same time."""
    OUTSIDE_OFFICE = "outside_office"
    """From the office's closing to its opening, as when somebody switches off the lot."""
    STAFF = "staff"
    """A person ruled the cause."""


NO_PROOF: Final = frozenset({Finding.LAST_SIGN, Finding.SILENCE, Finding.NEIGHBOURS, Finding.OLT_ONLINE})


class Evidence(msgspec.Struct, frozen=True, order=True, gc=False):
    """What was seen, and the first instant at which it was."""

    at_ms: int
    what: Finding
    number: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """A cause and how much stands behind it, 0 to 1: our own estimate, not a measured probability."""

    cause: Cause
    confidence: float


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From ``start_ms`` (included) to ``end_ms`` (excluded)."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Ruled:
    """That a person ruled the cause of an outage, and what the machines had judged."""

    judged: Cause
    confidence: float
    made_by: str
    reason: str
    made_ms: int


@dataclass(frozen=True, slots=True)
class Outage:
    """One stretch without service.

    ``end_ms`` is ``None`` while it lasts. ``provisional``: readings may still come that change it. Evidence lies
    within the outage, but for the last sign of life, which stands up to an interval before it, and the starts of
    devices, of which the first ends a power cut and the others follow.
    """

    start_ms: int
    end_ms: int | None
    cause: Cause
    confidence: float
    evidence: tuple[Evidence, ...]
    provisional: bool
    ruled: Ruled | None = None

    @property
    def is_proven(self) -> bool:
        """Tell whether anything but silence speaks for it: silence alone is unknown time, not downtime."""
        return not NO_PROOF.issuperset([one.what for one in self.evidence])


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a site's timeline comes to: outages, and the time of which nothing is known (it may overlap an open one)."""

    outages: tuple[Outage, ...]
    unseen: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Horizon:
    """What the server knows of its own knowledge, ms since 1970."""

    now_ms: int
    """Judged up to here; readings dated later are left out."""
    settled_ms: int | None = None
    """All that the box's spool held from before this instant has arrived: its oldest reading in the spool, or the
    last report when the spool was empty. ``None``: the newest reading, as if no spool were behind."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Settings of the classifier. Those without a source are the house's own choice."""

    interval_ms: int = 60_000
    """How often the box polls."""
    silence_ms: int = 300_000
    """Five missed polls are silence (decision "Up, down, silent"; Prometheus' look-back); fewer are bridged."""
    shortest_ms: int = 300_000
    """A shorter loss is no outage: as long as silence. Facts on ONTs 13.2: never on fewer than two polls."""
    calm_ms: int = 180_000
    """Good for so long (three polls), and the outage is over; a shorter good time is flapping within it."""
    flap_percent: int = 75
    """Losses none of which is long enough are an outage together, if they last twice ``shortest_ms`` and take this
    share of the time."""
    bridge_ms: int = 3_600_000
    """Unseen time with the same cause before and after it belongs to the outage, if it is not longer."""
    together_ms: int = 120_000
    """What happens within two minutes happens together (issue "ledger": 23 villages within 2 minutes)."""
    night_ms: int = 8 * 3_600_000
    """Power gone from closing to opening, at least so long and with no neighbour, was switched off by somebody."""
    closing_hour: int = 14
    opening_hours: tuple[int, int] = (5, 9)
    """Office hours are 07.00 to 15.00; people leave an hour earlier, and come two hours earlier or later."""
    longest_night_ms: int = 5 * 86_400_000
    """A long weekend."""
    zone: str = clock.WIB


HOUSE: Final = Thresholds()
