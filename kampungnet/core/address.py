"""Where people and their phones reach this server: one setting, for papers with a QR code and for login pages."""

import os
from typing import Final
from urllib.parse import urlsplit

ADDRESS: Final = "KAMPUNGNET_ADDRESS"
"""Setting: base address of the server as people reach it, like ``https://wifi.banyuwangikab.example``."""


def public_address() -> str | None:
    """Return the base address without a slash at its end; ``None`` where none is set, or where it is none."""
    found = os.environ.get(ADDRESS, "").strip().rstrip("/")
    parts = urlsplit(found)
    return found if parts.scheme in {"http", "https"} and parts.hostname else None
