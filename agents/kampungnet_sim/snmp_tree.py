"""A tree of objects: asked for by name, or for the next one."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from kampungnet_sim.snmp_ber import NO_SUCH_INSTANCE, NO_SUCH_OBJECT, Oid

State = TypeVar("State")


class Tree(Generic[State]):
    """Object names in order, each with a function from the state of the moment to encoded bytes.

    The names are fixed; only what is asked for is encoded.
    """

    def __init__(self, objects: Mapping[Oid, Callable[[State], bytes]]) -> None:
        self._objects = dict(objects)
        self._names = sorted(objects)

    def __len__(self) -> int:
        """How many objects there are."""
        return len(self._names)

    def knows(self, name: Oid) -> bool:
        """Is this the whole name of an object?"""
        return name in self._objects

    def get(self, name: Oid, state: State) -> bytes:
        """The value, or which way it is missing."""
        value = self._objects.get(name)
        if value is not None:
            return value(state)
        # An instance is missing when its column or scalar has other instances.
        parent = name[:-1]
        place = bisect_left(self._names, parent)
        known = place < len(self._names) and self._names[place][: len(parent)] == parent
        return NO_SUCH_INSTANCE if known else NO_SUCH_OBJECT

    def after(self, name: Oid) -> Oid | None:
        """The next name, or None at the end."""
        place = bisect_right(self._names, name)
        return self._names[place] if place < len(self._names) else None

    def before(self, name: Oid) -> Oid | None:
        """The last object whose name is not greater, or None at the start."""
        place = bisect_right(self._names, name)
        return self._names[place - 1] if place else None

    def value(self, name: Oid, state: State) -> bytes:
        """The value of a name that is known to exist."""
        return self._objects[name](state)
