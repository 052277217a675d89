"""Settings of one device, as a driver gets them."""

import importlib
import warnings
from dataclasses import dataclass, field

import pytest

# pysnmp calls an old name of pysmi, which is here for snmpsim and never on a box; said once, at import
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    importlib.import_module("pysnmp.hlapi.v3arch.asyncio")


@dataclass
class Settings:
    name: str = "router"
    address: str = ""
    username: str = "kampungnet"
    secret: str = "rahasia"
    wan_interface: str = "ether1"
    ping_address: str = "1.1.1.1"
    options: dict[str, str | int | bool] = field(default_factory=dict)


@pytest.fixture
def settings() -> Settings:
    return Settings()
