"""What every body of a reading is made of. Part of the wire, see :mod:`kampungnet.shared.wire`."""

from typing import Annotated

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(min_length=1, max_length=100)]
Text = Annotated[str, Meta(max_length=200)]
LongText = Annotated[str, Meta(max_length=500)]
Identifier = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"\A[A-Za-z0-9-]+\Z")]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Instant = Annotated[int, Meta(ge=0, le=253_402_300_799_000)]
"""Milliseconds since 1970-01-01 UTC, up to the end of year 9999."""
Sequence = Annotated[int, Meta(ge=1, le=2**53)]
Power = Annotated[float, Meta(ge=-60.0, le=20.0)]
"""Light in dBm. Outside -50 to +15 dBm a driver reports no reading at all; the wire is a little wider."""


Celsius = Annotated[float, Meta(ge=-60, le=200)]
Volts = Annotated[float, Meta(ge=0, le=100)]
Milliamperes = Annotated[float, Meta(ge=0, le=1000)]
SignalLevel = Annotated[float, Meta(ge=-150, le=50)]
"""Wi-Fi signal in dBm."""


class Part(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Base of everything inside a reading: immutable, and a default is not sent."""


class CounterReading(Part, frozen=True, omit_defaults=True):
    """One interface's cumulative counters exactly as received; never a difference.

    ``None`` means the device did not say, which is not 0. ``rx`` and ``tx`` are the
    device's own view: on a WAN port ``rx`` is the village's download.
    """

    interface: Name
    kind: Text = ""
    """Interface type in the device's own word, such as ``ether`` or ``wlan``."""
    running: bool | None = None
    disabled: bool = False
    rx_bytes: Count | None = None
    tx_bytes: Count | None = None
    rx_packets: Count | None = None
    tx_packets: Count | None = None
    rx_errors: Count | None = None
    tx_errors: Count | None = None
    rx_drops: Count | None = None
    tx_drops: Count | None = None
    link_downs: Count | None = None
    last_link_down: Text = ""
    """In the device's own clock and format; empty when the link never fell since the start."""
    instance: Text = ""
    """The device's own number of this interface, where it has one: a new one means new counters (PPPoE redial)."""
    counter_bits: Annotated[int, Meta(ge=1, le=64)] = 64
    """32 where the device offers no more: those counters wrap in 34 s at 1 Gbit/s."""


class Sensor(Part, frozen=True, omit_defaults=True):
    """One number of a device's own sensors, such as board temperature."""

    name: Name
    value: float
    unit: Annotated[str, Meta(max_length=10)] = ""
    """``C``, ``V``, ``A``, ``W``, ``RPM`` or empty, as RouterOS 7 names them."""


class Ping(Part, frozen=True, omit_defaults=True):
    """Result of pings to one place, sent by the device itself or (in a :class:`HostBody`) by the agent."""

    target: Name
    """``gateway``, ``server``, ``internet``, ``internet2`` or ``device``."""
    address: Text
    sent: Count
    received: Count
    rtt_ms: Annotated[float, Meta(ge=0, le=600_000)] | None = None
    """Mean round trip in milliseconds; absent when nothing came back."""


class Light(Part, frozen=True, omit_defaults=True):
    """One optical module, in a router's cage or at a port: levels in dBm."""

    port: Name
    module: Text = ""
    """Maker and part number."""
    serial: Text = ""
    rx_power_dbm: Power | None = None
    tx_power_dbm: Power | None = None
    no_light: bool = False
    """The module measures and finds darkness (``-40`` dBm); then ``rx_power_dbm`` is absent."""
    wavelength_nm: Annotated[float, Meta(ge=0, le=10_000)] | None = None
    temperature_celsius: Celsius | None = None
    voltage_volts: Volts | None = None
    bias_milliamperes: Milliamperes | None = None
