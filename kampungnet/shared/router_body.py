"""What one poll of a router learned. Part of the wire, see :mod:`kampungnet.shared.wire`."""

from typing import Annotated

from msgspec import Meta

from kampungnet.shared.parts import (
    Count,
    CounterReading,
    Light,
    LongText,
    Name,
    Part,
    Ping,
    Sensor,
    SignalLevel,
    Text,
)


class Radio(Part, frozen=True, omit_defaults=True):
    """One Wi-Fi interface and the devices on it, added up: no device's address travels."""

    interface: Name
    clients: Count = 0
    signal_median_dbm: SignalLevel | None = None
    signal_weakest_dbm: SignalLevel | None = None
    rx_bytes: Count | None = None
    """Of the devices that are connected now, from the device's side up to the network."""
    tx_bytes: Count | None = None


class Queue(Part, frozen=True, omit_defaults=True):
    """One simple queue. ``up`` and ``down`` as its target sees them (facts on RouterOS 7.9)."""

    name: Name
    target: Text = ""
    disabled: bool = False
    up_limit_bps: Count | None = None
    """``None`` is unlimited."""
    down_limit_bps: Count | None = None
    up_bytes: Count | None = None
    down_bytes: Count | None = None
    dropped_packets: Count | None = None


class Watched(Part, frozen=True, omit_defaults=True):
    """One row of the router's own netwatch: it watches while nobody polls."""

    host: Text
    up: bool | None = None
    since: Text = ""
    """In the router's own clock and format."""
    name: Text = ""


class PppoeLine(Part, frozen=True, omit_defaults=True):
    """One PPPoE client of the router: the dialled line to the provider."""

    name: Name
    running: bool | None = None
    disabled: bool = False
    status: Text = ""
    uptime_seconds: Count | None = None
    """Of this dial; it falls at every redial."""
    service: Text = ""
    concentrator: Text = ""
    mtu: Count | None = None


class NameLookup(Part, frozen=True, omit_defaults=True):
    """One name resolved by the router's own resolver."""

    name: Text
    resolved: bool
    milliseconds: Annotated[float, Meta(ge=0, le=600_000)] | None = None
    detail: Text = ""


class HotspotServer(Part, frozen=True, omit_defaults=True):
    """One captive portal of a router."""

    name: Name
    interface: Text = ""
    profile: Text = ""
    disabled: bool = False
    invalid: bool = False
    """The router refuses to run it, for example because its interface is gone."""
    sessions: Count | None = None
    hosts: Count | None = None


class HotspotGuest(Part, frozen=True, omit_defaults=True):
    """One device logged in at a portal. ``up`` is what the guest sent."""

    user: Text
    """Text, always: ``007`` and ``628123`` are names, not numbers."""
    mac: Text = ""
    server: Text = ""
    login_by: Text = ""
    uptime_seconds: Count | None = None
    idle_seconds: Count | None = None
    up_bytes: Count | None = None
    down_bytes: Count | None = None


class HotspotUser(Part, frozen=True, omit_defaults=True):
    """One row of the router's own users; counters grow only when a session ends (facts on RouterOS 7.6)."""

    name: Text
    profile: Text = ""
    server: Text = ""
    disabled: bool = False
    comment: Text = ""
    uptime_seconds: Count | None = None
    limit_uptime_seconds: Count | None = None
    limit_bytes: Count | None = None
    up_bytes: Count | None = None
    down_bytes: Count | None = None


class RadiusServer(Part, frozen=True, omit_defaults=True):
    """One RADIUS server of a router with the router's own counters."""

    address: Text
    service: Text = ""
    disabled: bool = False
    requests: Count | None = None
    accepts: Count | None = None
    rejects: Count | None = None
    timeouts: Count | None = None
    bad_replies: Count | None = None
    last_rtt_ms: Annotated[float, Meta(ge=0, le=600_000)] | None = None


class LogLine(Part, frozen=True, omit_defaults=True):
    """One new line of the router's log, of topics hotspot, critical or account."""

    time: Text
    """In the router's own clock and format."""
    topics: Text
    message: LongText


class RouterBody(Part, frozen=True, omit_defaults=True, tag_field="kind", tag="router"):
    """What one poll of a router learned."""

    identity: Text = ""
    board: Text = ""
    model: Text = ""
    serial: Text = ""
    version: Text = ""
    """RouterOS version as the router prints it, for example ``7.20.4 (stable)``."""
    cpu_load_percent: Annotated[int, Meta(ge=0, le=100)] | None = None
    free_memory_bytes: Count | None = None
    total_memory_bytes: Count | None = None
    free_storage_bytes: Count | None = None
    total_storage_bytes: Count | None = None
    sensors: Annotated[list[Sensor], Meta(max_length=60)] = []
    interfaces: Annotated[list[CounterReading], Meta(max_length=200)] = []
    wan_interface: Text = ""
    """Name of the interface bandwidth is billed on, from the agent's settings."""
    gateway: Text = ""
    pings: Annotated[list[Ping], Meta(max_length=8)] = []
    hotspot_sessions: Count | None = None
    """Devices logged in at the captive portal now."""
    hotspot_hosts: Count | None = None
    """Devices the hotspot sees, logged in or not."""
    dhcp_leases: Count | None = None
    """Leases in state ``bound``."""
    wireless_clients: Count | None = None
    missing: Annotated[list[Text], Meta(max_length=40)] = []
    """What this version or this user's rights could not give, by name."""
    default_interface: Text = ""
    """Where the default route leaves the router."""
    licence_level: Text = ""
    """As printed: ``4``, ``free``, ``p1``. Level 3 lets one hotspot guest in, level 4 200."""
    device_mode: Text = ""
    hotspot_allowed: bool | None = None
    """``False`` where device-mode forbids the hotspot (RouterOS 7.17 and later)."""
    installed_version: Text = ""
    latest_version: Text = ""
    """What the router itself found at its last look for updates; empty when it never looked."""
    update_channel: Text = ""
    firmware: Text = ""
    """RouterBOOT now; ``firmware_available`` comes with the next restart after an upgrade."""
    firmware_available: Text = ""
    fasttrack: bool | None = None
    """An active FastTrack rule: simple queues then count too little and do not limit."""
    lights: Annotated[list[Light], Meta(max_length=32)] = []
    radios: Annotated[list[Radio], Meta(max_length=64)] = []
    access_points: Count | None = None
    """CAPsMAN: access points that this router controls now."""
    queues: Annotated[list[Queue], Meta(max_length=200)] = []
    netwatch: Annotated[list[Watched], Meta(max_length=50)] = []
    pppoe: Annotated[list[PppoeLine], Meta(max_length=16)] = []
    lookups: Annotated[list[NameLookup], Meta(max_length=4)] = []
    hotspots: Annotated[list[HotspotServer], Meta(max_length=32)] = []
    guests: Annotated[list[HotspotGuest], Meta(max_length=300)] = []
    """Rows are asked rarely and up to a limit; the counts below come with every poll."""
    users: Annotated[list[HotspotUser], Meta(max_length=400)] = []
    radius: Annotated[list[RadiusServer], Meta(max_length=8)] = []
    log: Annotated[list[LogLine], Meta(max_length=50)] = []
    hotspot_users: Count | None = None
    dhcp_leases_known: Count | None = None
    """Every row of the lease table, waiting ones included."""
