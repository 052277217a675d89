"""What is read from which model, and how much stands behind it: the drivers' tables as rows of ``docs/devices.md``.

Only the page's generator and tests import this: an agent loads no driver it has no device for.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from kampungnet.shared.wire import Grade

from .light_sources import SOURCES
from .olt_trees import TREES, OnuTree
from .snmp_system import FAMILIES
from .ssh_commands import SETS, CommandSet


@dataclass(frozen=True, slots=True)
class Graded:
    """One row: one driver on one family of devices."""

    driver: str
    name: str
    models: str
    grade: Grade
    quantities: tuple[str, ...]
    """``rx``, ``tx``, ``olt_rx``, ``state``, ``distance`` and so on; empty where the command's answer decides."""
    doubtful: tuple[str, ...] = ()
    """Those on which sources disagree."""


def graded() -> Iterator[Graded]:
    """Yield every row, in the order of the drivers' own tables."""
    for family in FAMILIES:
        told = tuple(name for name in ("model", "serial", "version") if getattr(family, name))
        yield Graded("ont-snmp", family.name, "", family.grade, (*told, "interfaces", "uptime"))
    yield Graded("ont-snmp", "IF-MIB", "any other device", Grade.FROM_MIB, ("interfaces", "uptime"))
    for source in SOURCES:
        yield Graded("ont-snmp", source.family, "light", source.grade, tuple(source.quantities))
    for tree in TREES:
        yield Graded("olt-snmp", tree.name, tree.models, tree.grade, _of_tree(tree), tree.doubtful)
    for one in SETS:
        yield Graded("ont-ssh", one.name, one.models, one.grade, _lines_of(one))
    yield Graded("camera", "RTSP and HTTP", "any IP camera", Grade.NOT_TRIED, ("services", "ping"))
    yield Graded("generic-snmp", "IF-MIB", "any device", Grade.FROM_MIB, ("interfaces", "uptime", "ping"))
    yield Graded("ping", "ICMP or TCP", "any device", Grade.FROM_MIB, ("ping",))


def _of_tree(tree: OnuTree) -> tuple[str, ...]:
    further = ("admin", "distance", "last_up", "last_down", "cause")
    return ("state", *tree.light, *(name for name in further if getattr(tree, name) is not None))


def _lines_of(one: CommandSet) -> tuple[str, ...]:
    return (*(line.command for line in one.ont), *(line.command for line in one.onu))
