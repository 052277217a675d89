"""What a newcomer relies on: the two commands, the pinned versions, links that lead somewhere."""

import re
import tempfile
import tomllib
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, expect_none, project_files, project_texts

TOP_LEVEL = {
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "constraints.txt",
    "pyproject.toml",
} | {"agents", "ansible", "dashboards", "docs", "kampungnet", "packaging", "tests"}
PACKAGE_ADDRESS = re.compile(
    r'"resolved": *"http|https?://\S+[.](whl|tgz|tar[.]gz|deb)\b|--(extra-)?index-url'
    r"|\b(pypi|pythonhosted|npmjs)[.](org|com)\b|\b(deb|security)[.]debian[.]org\b"
)
LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)|(?:src|href)=\"(?P<attribute>[^\"]+)\"")
EXTRAS_WE_MAKE = {"kampungnet"}


def test_the_top_level_holds_only_what_the_plan_names() -> None:
    expect_none({name.split("/")[0] for name in project_files()} - TOP_LEVEL)


def test_make_can_do_all_that_it_names_on_a_machine_with_nothing() -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    named = re.search(r"^[.]PHONY: (.+)$", text, re.MULTILINE)
    assert named
    rules = set(re.findall(r"^([^\s:#=]+):(?!=)", text, re.MULTILINE))
    expect_none({*named[1].split(), "$(BIN)/python", "$(VENV)/%.stamp"} - rules)


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    here = {f"{folder}/" for folder in (ROOT, ROOT.parent, Path.home())} - {"//", f"{tempfile.gettempdir()}/"}
    found = [
        f"{name} mentions {place}"
        for name, text in project_texts().items()
        for place in here
        if place in text and not name.endswith(".snmprec")
    ]
    expect_none(found)


def test_no_file_names_the_address_of_a_package() -> None:
    found = [name for name, text in project_texts().items() if PACKAGE_ADDRESS.search(text)]
    expect_none([name for name in found if name != "tests/architecture/test_project_files.py"])


def test_the_readme_names_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text()
    assert "make demo" in readme
    assert "make test" in readme


@pytest.mark.parametrize("place", ["docs/dependencies.md", "constraints.txt"])
def test_every_dependency_is_explained_and_pinned(place: str) -> None:
    start = re.compile(r"^(?:\| *)?`?([A-Za-z0-9._-]+)`?(?:==| *\|)", re.MULTILINE)
    named = {_canonical(name) for name in start.findall((ROOT / place).read_text())}
    expect_none(f"{name} is missing in {place}" for name in _dependencies() - named)


def test_every_decision_is_in_the_index() -> None:
    pages = {page.name for page in (ROOT / "docs/decisions").glob("*.md")} - {"README.md"}
    index = (ROOT / "docs/decisions/README.md").read_text()
    expect_none([page for page in sorted(pages) if f"({page})" not in index])


def test_links_in_the_documentation_lead_somewhere() -> None:
    dead = []
    for name, text in project_texts().items():
        if not name.endswith(".md"):
            continue
        for found in LINK.finditer(text):
            target = (found["target"] or found["attribute"]).partition("#")[0]
            if target and "://" not in target and not (ROOT / name).parent.joinpath(target).exists():
                dead.append(f"{name} -> {target}")
    expect_none(dead)


def _dependencies() -> set[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = settings["project"]
    lists = [project["dependencies"], settings["build-system"]["requires"], *project["optional-dependencies"].values()]
    names = {_canonical(re.split(r"[\[<>=!~; ]", line)[0]) for group in lists for line in group}
    return names - EXTRAS_WE_MAKE


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
