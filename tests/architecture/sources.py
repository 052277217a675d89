"""The project's own files, as the house rules look at them."""

import ast
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE_FOLDERS = ("kampungnet", "agents", "dashboards", "tests", "docs")


@dataclass(frozen=True)
class Source:
    """One Python file: its path from the project's root, its text, its syntax tree."""

    path: str
    text: str
    tree: ast.Module

    def at(self, node: ast.AST) -> str:
        """Return `path:line`, which editors open."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"

    def calls(self) -> Iterator[tuple[str, ast.Call]]:
        """Yield every call with what is called as it is written: `db.commit`, `print`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield ast.unparse(node.func), node


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    """Return the Python files below the folders (all of ours when none is named)."""
    found = []
    for folder in folders or CODE_FOLDERS:
        for file in sorted((ROOT / folder).rglob("*.py")):
            text = file.read_text()
            found.append(Source(file.relative_to(ROOT).as_posix(), text, ast.parse(text)))
    return tuple(found)


@cache
def project_files() -> tuple[str, ...]:
    """Return what belongs to the project: tracked by git, or new and not ignored."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("only git knows which files belong to the project, and this is no clone, or git is not installed")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return tuple(sorted(name for name in set(names.split("\0")) if name and (ROOT / name).is_file()))


@cache
def project_texts() -> dict[str, str]:
    """Return the text of every file of the project that is text."""
    texts = {}
    for name in project_files():
        content = (ROOT / name).read_bytes()
        if b"\0" not in content[:8192]:
            texts[name] = content.decode(errors="replace")
    return texts


def expect_none(violations: Iterable[object]) -> None:
    """Fail with one violation a line: these are for people, who do not need to see the rule's code."""
    if found := [str(violation) for violation in violations]:
        pytest.fail("\n".join(found), pytrace=False)
