"""Finding drivers: by package entry point, ours like anyone's, one import at a time."""

from collections.abc import Callable
from importlib import metadata
from typing import cast

from kampungnet_agent.driver import DeviceSettings, Driver

GROUP = "kampungnet.drivers"

DriverClass = Callable[[DeviceSettings], Driver]
"""A driver class; its attribute ``OPTIONS`` (a frozenset) names the further keys it understands."""


def driver_names() -> list[str]:
    """Return the names of all installed drivers, without importing one."""
    return sorted(metadata.entry_points(group=GROUP).names)


def load_driver(name: str) -> DriverClass:
    """Import the one driver ``name``; raises ``KeyError`` when nobody provides it."""
    return cast(DriverClass, metadata.entry_points(group=GROUP)[name].load())
