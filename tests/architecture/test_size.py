"""What fits on a screen is understood; ruff checks complexity and parameters beside this."""

import ast

from tests.architecture.sources import expect_none, sources

MAX_FUNCTION_LINES = 50
MAX_FILE_LINES = 400
FROZEN_LISTS = "kampungnet/migrations/versions/"  # tables as they once were: a list, not a train of thought


def test_no_function_is_longer_than_fifty_lines() -> None:
    lengths = (
        (source.at(node), node.name, (node.end_lineno or node.lineno) - node.lineno + 1)
        for source in sources()
        if not source.path.startswith(FROZEN_LISTS)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    expect_none(f"{place} {name}: {lines} lines" for place, name, lines in lengths if lines > MAX_FUNCTION_LINES)


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    lengths = ((source.path, source.text.count("\n")) for source in sources())
    expect_none(f"{path}: {lines} lines" for path, lines in lengths if lines > MAX_FILE_LINES)
