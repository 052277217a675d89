"""Every text a person reads exists in Indonesian and in English, and nothing stays that nobody shows."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import chain

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

from tests.architecture.sources import ROOT, expect_none

PACKAGE = ROOT / "kampungnet"
METHODS = [("templates/**", "jinja2.ext.babel_extract"), ("**.py", "python")]
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None, "N_": None, "gettext": None, "ngettext": (1, 2), "say": None, "say_many": (1, 2),
}  # fmt: skip
PLACEHOLDER = re.compile(r"%\((\w+)\)")
TAG = re.compile(r"<(style|script)\b.*?</\1>|<!--.*?-->|&#?\w+;|<[^>]*>", re.DOTALL)
ROUTERS_OWN = re.compile(r"\$\([^)]*\)")
"""What a router fills in on its own pages."""
READ_ALOUD = re.compile(r'\b(?:alt|title|placeholder|aria-label)="[^"\0]*[A-Za-z]{2}')
# Names and units, the same in both languages.
NEEDS_NO_TRANSLATION = {"KampungNet", "Mbps", "kbps", "dBm", "ms", "WIB", "WITA", "WIT", "html"}

Text = str | tuple[str, ...]


@pytest.mark.parametrize("code", ["id", "en"])
def test_every_text_is_said_in_every_language(code: str) -> None:
    catalogue = _catalogue(code)
    expect_none(f"{code}: {text!r} ({place})" for text, place in _texts().items() if not _is_said(catalogue, text))


@pytest.mark.parametrize("code", ["id", "en"])
def test_a_catalogue_holds_only_what_is_still_shown(code: str) -> None:
    shown = {_key(text) for text in _texts()}
    expect_none(f"{code}: {entry.id!r}" for entry in _catalogue(code) if entry.id and _key(entry.id) not in shown)


@pytest.mark.parametrize("code", ["id", "en"])
def test_a_translation_keeps_the_values_of_its_text(code: str) -> None:
    wrong = []
    for entry in _catalogue(code):
        known = set(PLACEHOLDER.findall(" ".join(_forms(entry.id))))
        for said in _forms(entry.string):
            used = set(PLACEHOLDER.findall(said))
            if said and (used - known or (known - used) - {"n"}):
                wrong.append(f"{code}: {said!r}")
    expect_none(wrong)


def test_no_text_in_a_template_escapes_translation() -> None:
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    found = []
    for file in sorted((PACKAGE / "templates").rglob("*.*")):
        if file.suffix in {".css", ".js"}:
            continue  # nobody reads them
        tree = environment.parse(file.read_text())
        data = "\0".join(chunk.data for chunk in tree.find_all(nodes.TemplateData))
        data = ROUTERS_OWN.sub(" ", data)
        words = set(re.findall(r"[A-Za-z]{2,}", TAG.sub(" ", data))) - NEEDS_NO_TRANSLATION
        aloud = READ_ALOUD.findall(data)
        found += [f"{file.relative_to(ROOT)}: {word}" for word in sorted(chain(words, aloud))]
    expect_none(found)


@cache
def _texts() -> dict[Text, str]:
    """Return every text marked in code and templates, and one place where it stands."""
    options = {"templates/**": {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}}
    rows = extract_from_dir(PACKAGE, METHODS, options, keywords=KEYWORDS)
    return {text: f"{name}:{line}" for name, line, text, _, _ in rows if text and text != ("",)}


@cache
def _catalogue(code: str) -> Catalog:
    path = PACKAGE / "locale" / code / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        pytest.fail(f"{path.relative_to(ROOT)} is missing", pytrace=False)
    with path.open("rb") as file:
        return read_po(file, locale=code)


def _is_said(catalogue: Catalog, text: Text) -> bool:
    entry = catalogue.get(_key(text))
    return entry is not None and not entry.fuzzy and all(_forms(entry.string))


def _key(text: "Text | list[str]") -> str:
    return text if isinstance(text, str) else text[0]


def _forms(text: "Text | list[str] | None") -> Iterator[str]:
    yield from (text,) if isinstance(text, str) else text or ("",)
