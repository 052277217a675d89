"""What one poll of a camera or any other box learned. Part of the wire, see :mod:`kampungnet.shared.wire`."""

import enum
from typing import Annotated

from msgspec import Meta

from kampungnet.shared.parts import (
    Count,
    CounterReading,
    Name,
    Part,
    Ping,
    Text,
)


class Purpose(enum.StrEnum):
    """What a plain host is for."""

    CAMERA = "camera"
    ACCESS_POINT = "access_point"
    OTHER = "other"


class Service(Part, frozen=True, omit_defaults=True):
    """One thing a host serves, tried by the agent."""

    name: Name
    """``rtsp``, ``http`` and so on."""
    port: Annotated[int, Meta(ge=1, le=65_535)]
    answers: bool
    milliseconds: Annotated[float, Meta(ge=0, le=600_000)] | None = None


class HostBody(Part, frozen=True, omit_defaults=True, tag_field="kind", tag="host"):
    """What one poll of a camera, access point or any other box learned."""

    purpose: Purpose = Purpose.OTHER
    name: Text = ""
    model: Text = ""
    version: Text = ""
    pings: Annotated[list[Ping], Meta(max_length=4)] = []
    services: Annotated[list[Service], Meta(max_length=8)] = []
    interfaces: Annotated[list[CounterReading], Meta(max_length=100)] = []
    wireless_clients: Count | None = None
    missing: Annotated[list[Text], Meta(max_length=40)] = []
