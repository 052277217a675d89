"""Settings of one device, as a driver gets them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest


@dataclass
class Settings:
    name: str = "router"
    address: str = ""
    username: str = "kampungnet"
    secret: str = "rahasia"
    wan_interface: str = "ether1"
    ping_address: str = "1.1.1.1"
    options: Mapping[str, str | int | bool | list[str]] = field(default_factory=dict)
    state_folder: str = ""
    server_host: str = ""
    timeout_seconds: float = 20.0


@pytest.fixture
def settings() -> Settings:
    return Settings()
