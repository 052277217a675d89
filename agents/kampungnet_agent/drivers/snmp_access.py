"""Who asks over SNMP, as it stands in agent.toml."""

from dataclasses import dataclass, field
from typing import Final

from kampungnet_agent.driver import DeviceSettings

ACCESS_OPTIONS: Final = frozenset({"version", "auth_protocol", "priv_protocol", "privacy_password_file"})
"""Keys of ``[[devices]]`` that every driver over SNMP understands."""


@dataclass(frozen=True, slots=True)
class Access:
    """Version 3 has a user; version 2c only a community, sent in the clear."""

    version: str
    username: str
    secret: str = field(repr=False)
    auth_protocol: str = "sha"
    priv_protocol: str = "aes"
    privacy_secret: str = field(default="", repr=False)


def access_of(settings: DeviceSettings) -> Access:
    """Return the account of one device; raises ``ValueError`` on an unknown version."""
    options = settings.options
    version = str(options.get("version", "2c"))
    if version not in {"2c", "3"}:
        raise ValueError(f"version {version!r} is not 2c or 3")
    return Access(
        version=version,
        username=settings.username,
        secret=settings.secret,
        auth_protocol=str(options.get("auth_protocol", "sha")),
        priv_protocol=str(options.get("priv_protocol", "aes")),
        privacy_secret=str(options.get("privacy_secret", "")),
    )
