"""Finding drivers: by package entry point, ours like anyone's, one import at a time."""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from kampungnet_agent.driver import DeviceSettings, Driver
from kampungnet_agent.installed import entry_points

GROUP = "kampungnet.drivers"

DriverClass = Callable[[DeviceSettings], Driver]
"""A driver class; its attribute ``OPTIONS`` (a frozenset) names the further keys it understands."""


def driver_names(*, wanted: str = "") -> list[str]:
    """Return the names of all installed drivers, without importing one.

    Only when ``wanted`` is not among them the long way is asked, too.
    """
    names = entry_points(GROUP).keys()
    return sorted(names if wanted in names else names | _the_long_way().keys())


def load_driver(name: str) -> DriverClass:
    """Import the one driver ``name``; raises ``KeyError`` when nobody provides it."""
    module, _, item = (entry_points(GROUP).get(name) or _the_long_way()[name]).partition(":")
    return cast(DriverClass, getattr(import_module(module), item))


def _the_long_way() -> dict[str, str]:
    from importlib import metadata  # 1.6 MB that a box with our own drivers never needs

    return {point.name: point.value for point in metadata.entry_points(group=GROUP)}
