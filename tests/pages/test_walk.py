"""A walk over all pages: as everybody where names want to break them, and with an accessibility checker (axe)."""

import html
import re
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from kampungnet.app import Server
from kampungnet.core.database import Database
from kampungnet.core.pages import PACKAGE
from tests.pages.cast import browser, signed_in
from tests.pages.furnished import HOSTILE, furnish, furnished
from tests.pages.looks import faults
from tests.pages.sample import PASSWORD
from tests.pages.walk import addresses
from tests.support.accessible import found_on
from tests.support.browser import Browser
from tests.support.browser import browser as screen
from tests.support.server import serving

PEOPLE = ("sari", "budi", "nur", "dedi", "eko")
"""Engineer, operator, budget staff of the kabupaten, auditor, budget staff of a village."""
MEASURED_AS = ("sari", "nur", "")
"""Together they are shown all that the others are."""
MOST_BYTES = 150_000
TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
MEASURE = """<script>
onload = () => document.querySelectorAll("iframe").forEach(frame => {
  const page = frame.contentDocument, wide = () => page.scrollingElement.scrollWidth;
  frame.dataset.wide = wide();
  page.documentElement.style.fontSize = "200%";
  frame.dataset.wider = wide();
})
</script>"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    folder = tmp_path_factory.mktemp("hostile")
    database = Database(f"sqlite:///{folder / 'kampungnet.db'}", folder / "kampungnet.key")
    furnish(database, hostile=True)
    yield database
    database.close()


class Broken(HTMLParser):
    """Tags and attributes that came out of a name."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [
            name for name in (tag, *(name for name, _ in attrs)) if name in {"jahat", "onmouseover", "b jahat"}
        ]


def test_the_reader_finds_markup_that_was_let_through() -> None:
    assert [bool(Broken(f'<p title="{name}">').found or Broken(f"<p>{name}").found) for name in HOSTILE] == [
        True, True, False, False, True
    ]  # fmt: skip


async def test_no_name_breaks_a_page_whoever_looks(hostile: Database, chromium: str, tmp_path: Path) -> None:
    server = Server(hostile, upkeep=False)
    paths = addresses(server, furnished(hostile))
    pages: dict[str, str] = {}
    for who in (*PEOPLE, ""):
        visitor = await signed_in(server, who) if who else browser(server)
        for path in paths:
            answer = await visitor.get(path)
            assert answer.status_code < 500, (who, path)
            if not answer.headers.get("content-type", "").startswith("text/html"):
                continue
            assert Broken(answer.text).found == [], (who, path)
            assert not TURNING.search(answer.text), (who, path)
            if answer.status_code == 200 and who in MEASURED_AS:
                pages[f"{path} {who}"] = answer.text
    assert len(pages) > 90
    wide = _measured(pages, chromium, tmp_path)
    assert wide == {}, "wider than a small phone, or so with letters twice as large"


def _measured(pages: dict[str, str], chromium: str, folder: Path) -> dict[str, tuple[int, int]]:
    """Return how wide the pages are that do not fit on 320 px."""
    style = (PACKAGE / "static/style.css").read_text("utf-8")
    frames = ""
    for name, text in pages.items():
        page = re.sub(r'<link rel="stylesheet"[^>]*>', lambda _: f"<style>{style}</style>", text)
        page = page.replace("<details", "<details open")
        frames += f'<iframe width="320" height="800" data-path="{name}" srcdoc="{html.escape(page)}"></iframe>'
    wrapper = folder / "narrow.html"
    wrapper.write_text(f'<!doctype html><meta charset="utf-8">{frames}{MEASURE}', "utf-8")
    command = (
        chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={folder / 'profile'}", "--dump-dom", wrapper.as_uri(),
    )  # fmt: skip
    seen = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    seen = re.sub(r'srcdoc="[^"]*"', "", seen)
    wide = re.findall(r'data-path="([^"]+)"[^>]*data-wide="(\d+)"[^>]*data-wider="(\d+)"', seen)
    assert len(wide) == len(pages)
    return {path: (int(once), int(twice)) for path, once, twice in wide if int(once) > 320 or int(twice) > 320}


@pytest.fixture
def calm(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'kampungnet.db'}", tmp_path / "kampungnet.key")
    furnish(database)
    yield database
    database.close()


async def test_every_page_is_small_accessible_by_day_and_night_whole_at_every_width_and_fit_for_paper(
    calm: Database, chromium: str, axe: str
) -> None:
    server, seen, found = Server(calm, upkeep=False), set[str](), list[str]()
    for who in MEASURED_AS:
        # Of the others only what the engineer may not open.
        new = [path for path in await _opened(server, who, addresses(server, furnished(calm))) if path not in seen]
        seen.update(new)
        with serving(calm) as running:
            async with screen(chromium, size=(360, 740)) as page:
                found += await _looked_at(page, f"http://127.0.0.1:{running.port}", who, new, axe)
    assert not found, "\n".join(found)
    assert len(seen) > 50


async def _opened(server: Server, who: str, paths: list[str]) -> list[str]:
    """Return the addresses that are pages for somebody, small ones."""
    visitor = await signed_in(server, who) if who else browser(server)
    found = []
    for path in paths:
        answer = await visitor.get(path)
        if answer.status_code == 200 and answer.headers["content-type"].startswith("text/html"):
            assert len(answer.content) < MOST_BYTES, path
            found.append(path)
    return found


async def _looked_at(page: Browser, base: str, who: str, paths: list[str], axe: str) -> list[str]:
    """Return what is wrong with pages as phones, desks and paper show them."""
    if who:
        await page.go(f"{base}/masuk")
        await page.fill("[name=username]", who)
        await page.fill("[name=password]", PASSWORD)
        await page.click("main button")
        await page.until("location.pathname == '/'")
    found, heights = [], {}
    for path in paths:
        await page.go(base + path)
        if await page.value("!!document.querySelector('header.top nav')"):
            heights[path] = await page.value("document.querySelector('header.top').offsetHeight")
        await page.value("document.querySelectorAll('details').forEach(one => one.open = true)")
        found += [f"{path}: {one}" for one in [*await found_on(page, axe), *await faults(page)]]
    assert len(set(heights.values())) <= 1, heights
    return found
