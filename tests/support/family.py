"""A process and all that descend from it, by what Linux says of them."""

from collections import defaultdict
from pathlib import Path


def family(pid: int) -> dict[int, str]:
    """Return a process and its descendants with their states as proc(5) names them (R, S, D, T, Z ...).

    A group is not enough: each process of PostgreSQL leads one of its own.
    """
    states: dict[int, str] = {}
    children = defaultdict[int, list[int]](list)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            continue
        states[int(stat.parent.name)] = state
        children[int(parent)].append(int(stat.parent.name))
    found, waiting = {}, [pid]
    while waiting:
        one = waiting.pop()
        if one in states:
            found[one] = states[one]
            waiting += children[one]
    return found
