"""Is a board what Grafana's schema says? The types come from Grafana's own models, which are made from its schema.

Their ``from_json`` takes any value for any field, so each value is held against the type that its field declares.
"""

import sys
import types
from collections.abc import Iterator
from enum import Enum
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

_FREE: Final = (Any, object)


def misfits(model: object, where: str) -> Iterator[str]:
    """Yield what of a model, and of all that is in it, is not of the declared type."""
    hints = get_type_hints(type(model), vars(sys.modules[type(model).__module__]))
    for name, value in vars(model).items():
        yield from _misfits(value, hints[name], f"{where}.{name}")


def _misfits(value: Any, kind: Any, where: str) -> Iterator[str]:
    origin, inner = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        tried = [list(_misfits(value, one, where)) for one in inner if one is not types.NoneType or value is None]
        yield from min(tried, key=len, default=[])
    elif origin is list and isinstance(value, list):
        for place, one in enumerate(value):
            yield from _misfits(one, inner[0], f"{where}[{place}]")
    elif origin is dict and isinstance(value, dict):
        for name, one in value.items():
            yield from _misfits(one, inner[1], f"{where}.{name}")
    elif origin is Literal:
        yield from () if value in inner else [f"{where}: {value!r} is none of {inner}"]
    else:
        yield from _of_class(value, kind, where)


def _of_class(value: Any, kind: Any, where: str) -> Iterator[str]:
    if isinstance(value, dict) and hasattr(kind, "from_json"):  # what the models leave as it was
        value = kind.from_json(value)
    if not _is(value, kind):
        yield f"{where}: {value!r} is no {kind}"
    elif hasattr(value, "to_json"):
        yield from misfits(value, where)


def _is(value: Any, kind: Any) -> bool:
    if kind in _FREE:
        return True
    if kind in {int, float}:
        return isinstance(value, int | kind) and not isinstance(value, bool)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return value in {one.value for one in kind} or isinstance(value, kind)
    return isinstance(kind, type) and isinstance(value, kind)
