"""Money is never a float: in the sums there is no float to begin with."""

import ast
import types
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

import kampungnet.billing
from kampungnet.billing.document import StatementDocument

PURE = (
    "budget cell_sums credit document formula_words lines measured money proration rating rollup sizing statement tax "
    "terbilang terms verify"
).split()
FOLDER = Path(kampungnet.billing.__file__).parent


@pytest.mark.parametrize("name", PURE)
def test_no_sum_names_or_writes_a_float(name: str) -> None:
    tree = ast.parse((FOLDER / f"{name}.py").read_text())
    floats = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, float)]
    named = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "float"]
    assert not floats
    assert len(named) == (name == "money")  # the cell of a spreadsheet, at its border


def _types(of: Any, seen: set[Any]) -> set[Any]:
    if of in seen:
        return seen
    seen.add(of)
    if isinstance(of, type) and issubclass(of, msgspec.Struct):
        for field in msgspec.structs.fields(of):
            _types(field.type, seen)
    for inner in get_args(of):
        if isinstance(inner, type | types.UnionType | types.GenericAlias) or get_args(inner):
            _types(inner, seen)
    return seen


def test_no_field_of_a_statement_can_hold_a_float() -> None:
    found = _types(StatementDocument, set())
    assert len(found) > 40
    assert float not in found
