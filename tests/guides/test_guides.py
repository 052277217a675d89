"""The guides still say what is there: their pictures, the words of the pages, addresses and commands."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from babel.messages.pofile import read_po

from kampungnet.app import Server
from kampungnet.core.database import Database
from kampungnet.core.pages import PACKAGE
from tests.guides import paper
from tests.guides.paper import GUIDES, paper_of, printed
from tests.guides.pictures import FOLDERS, PICTURES, README_PICTURE
from tests.pages.test_strangers import routes
from tests.support.browser import browser
from tests.support.poppler import said

PAGES: Final = {"id": sorted(GUIDES.glob("*.md")), "en": sorted((GUIDES / "en").glob("*.md"))}
LANGUAGES: Final = pytest.mark.parametrize("language", ["id", "en"])
MOST_BYTES: Final = 1_500_000
PICTURE: Final = re.compile(r"!\[[^\]]+\]\((gambar/[^)]+)\)|<img src=\"(gambar/[^\"]+)\" width=\"\d+\" alt=\"[^\"]+\">")
NETWORK_WORDS: Final = re.compile(
    r"\b(ONT|OLT|ONU|SNMP|IP|DNS|DHCP|MAC|SSID|LAN|WAN|VLAN|NAT|Mbps|dBm|bandwidth|lebar pita|latensi|latency|ping|"
    r"port|server|peladen|RouterOS|MikroTik|hotspot|GPON|firmware|gateway|API|agent|agen)\b",
    re.IGNORECASE,
)


def _texts(language: str) -> str:
    return "\n".join(page.read_text("utf-8") for page in PAGES[language])


def _commands() -> set[str]:
    """Return program and subcommand of every command there is, as `kampungnet serve`."""
    found = set()
    for program, module in (("kampungnet", "kampungnet.cli"), ("kampungnet-agent", "kampungnet_agent.main")):
        told = subprocess.run(
            [sys.executable, "-m", module, "--help"], capture_output=True, text=True, check=True, timeout=60
        ).stdout
        found |= {f"{program} {name}" for name in re.findall(r"^ {4}([a-z][a-z-]+)", told, re.MULTILINE)}
    return found


def test_each_guide_exists_in_both_languages() -> None:
    assert [page.name for page in PAGES["id"]] == [page.name for page in PAGES["en"]]
    assert len(PAGES["id"]) == 4


@LANGUAGES
def test_every_picture_is_named_and_every_name_has_its_picture(language: str) -> None:
    text = _texts(language)
    named = {Path(markdown or attribute).stem for markdown, attribute in PICTURE.findall(text)}
    assert len(PICTURE.findall(text)) == text.count("gambar/"), "every picture says in words what it shows"
    assert named == {one.name for one in PICTURES}
    assert named == {file.stem for file in FOLDERS[language].iterdir()}


def test_the_pictures_are_small_and_none_is_empty() -> None:
    files = [*FOLDERS["id"].iterdir(), *FOLDERS["en"].iterdir(), README_PICTURE, paper_of("id"), paper_of("en")]
    sizes = {file.name: file.stat().st_size for file in files}
    assert min(sizes.values()) > 2_000
    assert sum(file.stat().st_size for file in files) < MOST_BYTES


@LANGUAGES
def test_words_in_bold_are_words_of_the_pages(language: str) -> None:
    with (PACKAGE / f"locale/{language}/LC_MESSAGES/messages.po").open("rb") as file:
        shown = {message.string if language == "id" else message.id for message in read_po(file) if message.id}
    bold = set(re.findall(r"\*\*(.+?)\*\*", _texts(language), re.DOTALL))
    assert len(bold) > 20
    assert sorted(" ".join(one.split()) for one in bold if " ".join(one.split()) not in shown) == []


@LANGUAGES
def test_addresses_and_commands_exist(language: str, sqlite_database: Database) -> None:
    there = routes(Server(sqlite_database, upkeep=False))
    pages = {re.sub(r"{.*", "", path) for method, path in there if method == "GET"}
    text = _texts(language)
    addresses = set(re.findall(r"`(/[a-z/-]*)`", text))
    assert len(addresses) > 10
    assert addresses - pages == set()
    commands = set(re.findall(r"\b(kampungnet(?:-agent)? [a-z][a-z-]+)", re.sub(r"[^`]*(`[^`]*`)?", r"\1\n", text)))
    assert len(commands) > 6
    assert commands - _commands() == set()


@LANGUAGES
def test_the_operators_guide_needs_no_network_words(language: str) -> None:
    assert NETWORK_WORDS.findall(paper.TEXTS[language].read_text("utf-8")) == []


@LANGUAGES
async def test_the_operators_guide_is_two_pages_of_paper_and_the_file_says_the_same(
    language: str, chromium: str, tmp_path: Path
) -> None:
    async with browser(chromium) as page:
        new = await printed(page, language)
    kept = paper_of(language).read_bytes()
    for one in (new, kept):
        assert re.search(r"^Pages: +2$", said(one, tmp_path, "pdfinfo"), re.MULTILINE)
    words = [re.sub(r"\s+", "", said(one, tmp_path)) for one in (new, kept)]
    assert words[0] == words[1], "the guide changed after its paper was printed: make pictures"
