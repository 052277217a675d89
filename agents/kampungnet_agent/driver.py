"""What the poller asks of a driver, and the three ways a device can fail.

A driver is one file: connect, ask, convert, translate errors. Timeouts, retries, back-off
and logging belong to the poller. A driver is found by its name among the package entry
points of the group ``kampungnet.drivers``; ours are registered the same way as anyone's.

    DeviceError
    ├── DeviceUnreachable   no answer, refused connection, line cut: try again
    ├── LoginRefused        the device is there and says no: try rarely, tell a person
    └── AnswerUnreadable    bytes came that make no sense: excerpt kept, connection dropped
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from kampungnet.shared import wire


class DeviceError(Exception):
    """A poll failed; ``str(error)`` is one sentence for a person, without any secret."""

    outcome: wire.Outcome


class DeviceUnreachable(DeviceError):
    """No answer in time, connection refused or lost."""

    outcome = wire.Outcome.UNREACHABLE


class LoginRefused(DeviceError):
    """The device answered and refused user name, password or community."""

    outcome = wire.Outcome.LOGIN_REFUSED


class AnswerUnreadable(DeviceError):
    """The device answered with bytes that cannot be understood; the text holds an excerpt."""

    outcome = wire.Outcome.UNREADABLE


@dataclass(frozen=True, slots=True)
class Polled:
    """What one successful poll learned."""

    body: wire.Body
    uptime_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence of ``kampungnet-agent check``: does this work, and what to do if not."""

    good: bool
    sentence: str


class Driver(Protocol):
    """One device. Built once, polled for ever; keeps its connection between polls."""

    async def poll(self) -> Polled:
        """Ask the device everything once.

        Raises :class:`DeviceError`. May be cancelled at any await by the poller's deadline;
        then the next ``poll`` starts from a fresh connection.
        """
        ...

    async def check(self) -> Iterable[Finding]:
        """Say in sentences what works on this device and what does not, missing rights by name."""
        ...

    async def close(self) -> None:
        """End the connection politely. Never raises."""
        ...


class DeviceSettings(Protocol):
    """What a driver gets to know: one ``[[devices]]`` block of agent.toml, secrets already read."""

    @property
    def name(self) -> str:
        """The device's name in the settings."""
        ...

    @property
    def address(self) -> str:
        """``host:port``; IPv6 in brackets."""
        ...

    @property
    def username(self) -> str:
        """Who signs in on the device; empty where there is no such thing."""
        ...

    @property
    def secret(self) -> str:
        """Password or SNMP community, read from ``password_file``."""
        ...

    @property
    def wan_interface(self) -> str:
        """Interface whose bandwidth is billed."""
        ...

    @property
    def ping_address(self) -> str:
        """The one internet address the router pings."""
        ...

    @property
    def server_host(self) -> str:
        """Host of ``[server] url``, for devices that can tell whether they reach it; empty when unknown."""
        ...

    @property
    def timeout_seconds(self) -> float:
        """The poller's deadline; a driver may give up earlier on one question to save the others."""
        ...

    @property
    def options(self) -> "Mapping[str, str | int | bool | list[str]]":
        """Keys only this driver knows, such as ``tls = true``."""
        ...

    @property
    def state_folder(self) -> str:
        """Folder for what a driver has to remember over restarts, beside the spool; empty: nowhere."""
        ...
