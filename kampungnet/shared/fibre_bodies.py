"""What one poll of an ONT or an OLT learned. Part of the wire, see :mod:`kampungnet.shared.wire`."""

import enum
from typing import Annotated

from msgspec import Meta

from kampungnet.shared.parts import (
    Celsius,
    Count,
    CounterReading,
    Milliamperes,
    Name,
    Part,
    Power,
    Text,
    Volts,
)


class Grade(enum.StrEnum):
    """How much stands behind a reading of this model."""

    RECORDED = "recorded"
    """A recording of a real device was read right."""
    FROM_MIB = "from_mib"
    """Written by the maker's own MIB or manual; no recording was found."""
    NOT_TRIED = "not_tried"
    """Written by what other people's programs do."""


class OnuState(enum.StrEnum):
    """What an OLT says of one ONU now."""

    ONLINE = "online"
    LOS = "los"
    DYING_GASP = "dying_gasp"
    OFFLINE = "offline"
    REGISTERING = "registering"
    REFUSED = "refused"
    """Known by its light, but its serial number or password is not accepted."""
    DISABLED = "disabled"
    UNKNOWN = "unknown"


class DownCause(enum.StrEnum):
    """Why an ONU was last down, as far as OLTs agree (facts on ONTs 5.5 and 6.3)."""

    LOS = "los"
    DYING_GASP = "dying_gasp"
    SIGNAL = "signal"
    """Light is there, but errors are too many (SFi, LOFi, LOAi and the like)."""
    RESET = "reset"
    DEACTIVATED = "deactivated"
    REFUSED = "refused"
    OTHER = "other"


class OntBody(Part, frozen=True, omit_defaults=True, tag_field="kind", tag="ont"):
    """What one poll of a fibre ONT learned."""

    model: Text = ""
    serial: Text = ""
    version: Text = ""
    link_up: bool | None = None
    rx_power_dbm: Power | None = None
    tx_power_dbm: Power | None = None
    no_light: bool = False
    """The unit measures and finds darkness (``-40`` dBm); then ``rx_power_dbm`` is absent."""
    temperature_celsius: Celsius | None = None
    voltage_volts: Volts | None = None
    bias_milliamperes: Milliamperes | None = None
    light_port: Text = ""
    """Which port's light this is, where the unit has several."""
    registration: Text = ""
    """GPON activation state as the unit names it, ``O1`` to ``O7``."""
    last_down_cause: Text = ""
    """Of the last time it was down; history, not state."""
    distance_metres: Count | None = None
    grade: Grade | None = None
    interfaces: Annotated[list[CounterReading], Meta(max_length=200)] = []
    missing: Annotated[list[Text], Meta(max_length=40)] = []


class Onu(Part, frozen=True, omit_defaults=True):
    """One village's ONT as the provider's OLT sees it. Only ONUs somebody asked for by serial number."""

    serial: Name
    """Four letters and eight hexadecimal digits (GPON), or the MAC address (EPON)."""
    port: Text = ""
    """As the OLT writes it, such as ``gpon-onu_1/2/1:5``."""
    state: OnuState = OnuState.UNKNOWN
    admin_enabled: bool | None = None
    rx_power_dbm: Power | None = None
    """At the ONU (1490 nm)."""
    tx_power_dbm: Power | None = None
    olt_rx_power_dbm: Power | None = None
    """From this ONU, at the OLT (1310 nm)."""
    no_light: bool = False
    light_age_seconds: Count | None = None
    """How old the light levels are: they are asked rarely, the state every minute."""
    distance_metres: Count | None = None
    last_down_cause: DownCause | None = None
    """Of the last time it was down; history, not state."""
    last_down: Text = ""
    """In the OLT's own clock, ``YYYY-MM-DD hh:mm:ss``."""
    last_up: Text = ""
    temperature_celsius: Celsius | None = None
    voltage_volts: Volts | None = None
    bias_milliamperes: Milliamperes | None = None


class OltBody(Part, frozen=True, omit_defaults=True, tag_field="kind", tag="olt"):
    """What one poll of a provider's OLT learned about our own ONUs."""

    model: Text = ""
    version: Text = ""
    grade: Grade | None = None
    onus: Annotated[list[Onu], Meta(max_length=256)] = []
    interfaces: Annotated[list[CounterReading], Meta(max_length=100)] = []
    missing: Annotated[list[Text], Meta(max_length=40)] = []
