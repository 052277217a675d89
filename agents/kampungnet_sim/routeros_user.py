"""A login of a router."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RouterUser:
    """A login and what it may do."""

    name: str
    password: str
    policies: frozenset[str]
    group: str
