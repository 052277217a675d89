"""An accessibility checker (axe) finds nothing on the login pages of free wifi, on the router and on the server.

The pages at the desk are walked with all others (`tests/pages/test_walk.py`).
"""

from pathlib import Path
from typing import Any

import pytest

from kampungnet.core import clock
from kampungnet.core.address import ADDRESS
from kampungnet.core.database import Database
from kampungnet.hotspot import desk, portal_pages, portals
from kampungnet.hotspot.policy import Policy
from kampungnet.hotspot.portal_pages import Portal
from kampungnet.staff.service import Role, Scope, SignedIn
from tests.pages.sample import KAMPUNGANYAR, REGENCY, fill
from tests.support.accessible import found_on
from tests.support.browser import browser
from tests.support.server import serving

SARI = SignedIn("sari", "Ibu Sari", Role.ENGINEER, Scope(REGENCY))
PLACE = (REGENCY, f"{KAMPUNGANYAR}-1")
FULL = Portal(
    "Kampunganyar", Policy(greeting="Sugeng rawuh", contact="Pak Budi"), ("Besok listrik padam.",),
    (("Smart Kampung", "smartkampung.example.go.id"),),
)  # fmt: skip
OF_A_ROUTER = {
    "$(error)": "Kode salah. Coba lagi.", "$(if error)": "", "$(if trial == 'yes')": "", "$(endif)": "",
    "$(uptime)": "12m", "$(if session-time-left)": "", "$(if remain-bytes-total)": "",
    "$(link-login-only)": "http://wifi.desa/login",
}  # fmt: skip


async def test_the_checker_finds_what_is_wrong(chromium: str, axe: str, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.html"
    wrong.write_text(
        "<!doctype html><title>x</title><body><input><img src=x><p style='color:#bbb;background:#fff'>Teks pucat"
    )
    async with browser(chromium) as page:
        await page.go(wrong.as_uri())
        found = {one.split(":")[0] for one in await found_on(page, axe)}
    assert {"html-has-lang", "label", "image-alt", "color-contrast"} <= found


async def test_the_pages_on_the_router_are_accessible(chromium: str, axe: str, tmp_path: Path) -> None:
    found = []
    async with browser(chromium, size=(320, 640)) as page:
        for file in portal_pages.build(FULL):
            if file.name == "style.css":
                (tmp_path / file.name).write_text(file.content)
            if "<h1>" not in file.content:  # it only leads on, or is none to read
                continue
            text = file.content.replace('href="/style.css"', 'href="style.css"')
            for variable, value in OF_A_ROUTER.items():
                text = text.replace(variable, value)
            path = tmp_path / file.name.replace("/", "-")
            path.write_text(text)
            await page.go(path.as_uri())
            assert await page.value("getComputedStyle(document.body).maxWidth != 'none'"), file.name
            found += [f"{file.name}: {one}" for one in await found_on(page, axe)]
            assert await page.value("document.documentElement.scrollWidth <= 320"), file.name
            await page.value("document.documentElement.style.fontSize = '200%'")
            assert await page.value("document.documentElement.scrollWidth <= 320"), f"{file.name} at 200 %"
    assert not found, "\n".join(found)


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv(ADDRESS, "http://portal.test")
    database = Database(f"sqlite:///{tmp_path / 'kampungnet.db'}", tmp_path / "kampungnet.key")
    fill(database, clock.now_ms(), history=(), whole=False)
    with database.writes() as db:
        rules = Policy(managed=True, logins=("http://wifi.desa/login",))
        portals.set_policy(db, SARI, PLACE, rules, clock.now_ms())
        desk.say(db, SARI, PLACE, "Besok listrik padam.", 3, clock.now_ms())
    yield database
    database.close()


async def test_the_login_page_of_the_server_is_accessible(chromium: str, axe: str, database: Database) -> None:
    found = []
    with serving(database) as running:
        async with browser(chromium, size=(360, 740)) as page:
            handed = "link-login-only=http://wifi.desa/login&mac=D6:00:00:00:00:01&trial=yes&error-type=uptime-limit"
            for address in (f"/portal/{KAMPUNGANYAR}?{handed}", f"/portal/{KAMPUNGANYAR}",
                            f"/portal/{KAMPUNGANYAR}?link-login-only=x"):  # fmt: skip
                await page.go(f"http://127.0.0.1:{running.port}{address}")
                found += [f"{address}: {one}" for one in await found_on(page, axe)]
    assert not found, "\n".join(found)
