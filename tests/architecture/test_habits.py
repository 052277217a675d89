"""Rules of the house that neither ruff nor the import contracts can say."""

import ast
import re
from collections.abc import Iterator
from pathlib import PurePath

from tests.architecture.sources import Source, expect_none, project_texts, sources

# The loops and the border that must survive whatever happens inside them (docs/decisions/house-rules-are-tests.md).
MAY_CATCH_EVERYTHING = {
    "agents/kampungnet_agent/poller.py",
    "agents/kampungnet_agent/commands.py",
    "agents/kampungnet_agent/hands.py",
    "kampungnet/app.py",
    "kampungnet/core/database.py",
}
WALL_CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}
SILENCED = re.compile(r"# *(?:noqa|type: *ignore)(?P<rest>.*)")
RULE_AND_REASON = re.compile(
    r"\[import-untyped\]|(?:: *[A-Z]+\d+(?:, *[A-Z]+\d+)*|\[[a-z-]+(?:, *[a-z-]+)*\]) +(?:-|--|#) *\w"
)


def test_only_the_command_line_prints() -> None:
    prints = [
        source.at(call)
        for source in sources("kampungnet", "agents")
        for name, call in source.calls()
        if name == "print" and not PurePath(source.path).match("cli*.py") and PurePath(source.path).name != "main.py"
    ]
    expect_none(prints)


def test_only_the_outermost_loops_catch_everything() -> None:
    blind = [
        source.at(node)
        for source in sources("kampungnet", "agents", "dashboards")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ExceptHandler) and _catches_everything(node)
    ]
    expect_none([place for place in blind if place.split(":")[0] not in MAY_CATCH_EVERYTHING])


_UNIT_OF_WORK = {"kampungnet/core/database.py", "kampungnet/core/line.py"}
"""The one unit of work, and its session over a connection that lasts, which only its ``writes_on`` opens."""


def test_nobody_commits_but_the_unit_of_work() -> None:
    commits = [
        source.at(call)
        for source in sources("kampungnet")
        for name, call in source.calls()
        if name.endswith(".commit") and source.path not in _UNIT_OF_WORK
    ]
    expect_none(commits)


def test_the_server_learns_the_time_from_the_clock_alone() -> None:
    other_clocks = [
        source.at(call)
        for source in sources("kampungnet")
        for name, call in source.calls()
        if name.removeprefix("datetime.") in WALL_CLOCKS | {"now"} and source.path != "kampungnet/core/clock.py"
    ]
    expect_none(other_clocks)


def test_a_relationship_is_never_loaded_behind_ones_back() -> None:
    lazy = [
        source.at(call)
        for source in sources("kampungnet")
        for name, call in source.calls()
        if name.split(".")[-1] == "relationship" and not _raises_when_lazy(call)
    ]
    expect_none(lazy)


def test_the_web_stays_out_of_models_services_and_sums() -> None:
    inside = [
        f"{source.at(node)} {module}"
        for source in sources("kampungnet")
        for module, node in _imports(source)
        if module.split(".")[0] in {"fastapi", "starlette", "jinja2"} and not _may_know_the_web(source.path)
    ]
    expect_none(inside)


def test_the_shared_part_needs_msgspec_and_python_only() -> None:
    outside = re.compile(r"(sqlalchemy|fastapi|pydantic|cryptography|librouteros|prometheus_client|psycopg)\b")
    found = [
        f"{source.at(node)} {module}"
        for source in sources("kampungnet/shared")
        for module, node in _imports(source)
        if outside.match(module)
    ]
    expect_none(found)


def test_a_silenced_check_names_the_rule_and_the_reason() -> None:
    bare = [
        f"{path}:{number}"
        for path, text in project_texts().items()
        if path.endswith(".py")
        for number, line in enumerate(text.splitlines(), start=1)
        if (found := SILENCED.search(line)) and not RULE_AND_REASON.match(found["rest"])
    ]
    expect_none([place for place in bare if not place.startswith("tests/architecture/test_habits.py")])


def _catches_everything(handler: ast.ExceptHandler) -> bool:
    if isinstance(handler.body[-1], ast.Raise):
        return False  # tidies up and lets it go on
    if handler.type is None:
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(ast.unparse(kind) in {"Exception", "BaseException"} for kind in caught)


def _raises_when_lazy(call: ast.Call) -> bool:
    return any(word.arg == "lazy" and ast.unparse(word.value) == "'raise'" for word in call.keywords)


def _imports(source: Source) -> Iterator[tuple[str, ast.stmt]]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node


def _may_know_the_web(path: str) -> bool:
    """In a slice its routes and who may use them; in `core` what serves pages; and what puts it all together."""
    parts = PurePath(path).parts
    return parts[1] in {"app.py", "cli.py", "core"} or parts[-1].startswith(("routes", "access"))
