"""Where people and their phones reach this server: one setting, for papers with a QR code and for login pages."""

import os
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from kampungnet.core.errors import BadInput

ADDRESS: Final = "KAMPUNGNET_ADDRESS"
"""Setting: base address of the server as people reach it, like ``https://wifi.banyuwangikab.example``."""


def public_address(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the base address without a slash at its end; ``None`` where none is set, or where it is none."""
    found = environment.get(ADDRESS, "").strip().rstrip("/")
    try:
        parts = urlsplit(found)
    except ValueError:
        return None
    return found if parts.scheme in {"http", "https"} and parts.hostname else None


def checked(environment: Mapping[str, str]) -> str | None:
    """Return the same. Raises ``BadInput`` for an address that is none."""
    found = public_address(environment)
    if found is None and environment.get(ADDRESS, "").strip():
        raise BadInput(f"{ADDRESS} is no address: write it like https://kampungnet.example.go.id.")
    return found
