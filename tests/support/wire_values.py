"""Random values of every struct of the wire, made from the wire's own types, so that new fields join by themselves."""

from collections.abc import Callable
from typing import Any, Final

import hypothesis.strategies as st
import msgspec
from msgspec import inspect

from kampungnet.shared.config_body import DIGEST_PATTERN

IDENTIFIER_LETTERS = "ABCXYZabcxyz0189-"
TEXT = st.characters(exclude_categories=["Cs"])
"""Everything JSON can say; lone surrogates it cannot."""


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for a struct or any other type of the wire."""
    return _values(inspect.type_info(kind))


def _values(kind: inspect.Type) -> st.SearchStrategy[Any]:
    return _MAKERS[type(kind)](kind)


def _text(kind: Any) -> st.SearchStrategy[str]:
    if kind.pattern == DIGEST_PATTERN:
        return st.binary(min_size=32, max_size=32).map(bytes.hex)
    if kind.pattern is not None:
        return st.text(st.sampled_from(IDENTIFIER_LETTERS), min_size=1, max_size=kind.max_length)
    shortest = kind.min_length or 0
    return st.text(TEXT, min_size=shortest, max_size=max(shortest, min(kind.max_length or 20, 20)))


def _struct(kind: Any) -> st.SearchStrategy[Any]:
    return st.builds(kind.cls, **{one.name: _values(one.type) for one in kind.fields})


_MAKERS: Final[dict[type[inspect.Type], Callable[[Any], st.SearchStrategy[Any]]]] = {
    inspect.NoneType: lambda _: st.none(),
    inspect.BoolType: lambda _: st.booleans(),
    inspect.IntType: lambda kind: st.integers(kind.ge, kind.le),
    inspect.FloatType: lambda kind: st.floats(kind.ge, kind.le, allow_nan=False, allow_infinity=False),
    inspect.StrType: _text,
    inspect.BytesType: lambda kind: st.binary(max_size=min(kind.max_length, 40)),
    inspect.EnumType: lambda kind: st.sampled_from(list(kind.cls)),
    inspect.RawType: lambda _: st.sampled_from([msgspec.Raw(b"{}"), msgspec.Raw(b'{"sequence":7}'), msgspec.Raw(b"0")]),
    inspect.ListType: lambda kind: st.lists(_values(kind.item_type), max_size=3),
    inspect.UnionType: lambda kind: st.one_of(*(_values(one) for one in kind.types)),
    inspect.StructType: _struct,
}
