"""An accessibility checker (axe) finds nothing on any page of free wifi: on the router, on the server, at the desk."""

import asyncio
import json
import subprocess
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from kampungnet.core import clock
from kampungnet.core.address import ADDRESS
from kampungnet.core.database import Database
from kampungnet.hotspot import desk, garden, garden_check, portal_pages, portals, vouchers
from kampungnet.hotspot.garden import NewEntry
from kampungnet.hotspot.models import VoucherBatch
from kampungnet.hotspot.policy import Policy
from kampungnet.hotspot.portal_pages import Portal
from kampungnet.hotspot.vouchers import NewBatch
from kampungnet.shared.portal_body import SLOT_MS, CheckStep, PortalBody, PortalSession, PortalSlot, Way
from kampungnet.staff.service import Role, Scope, SignedIn
from tests.pages.sample import KAMPUNGANYAR, PASSWORD, REGENCY, fill, hire
from tests.sim.stage import needed
from tests.support.browser import Browser, browser
from tests.support.server import enrolled, ingested, serving

AXE = "axe-core@4.10.3"
CACHE = Path(__file__).parents[2] / ".cache" / AXE
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = ["color-contrast", "link-in-text-block"]
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


@pytest.fixture(scope="session")
def axe() -> str:
    """The checker's script, taken from npm once."""
    mark = CACHE / ".complete"
    if not mark.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        install = [needed("npm", "npm"), "install", "--silent", "--no-audit", "--no-fund", "--prefix", ".", AXE]
        subprocess.run(install, cwd=CACHE, check=True, capture_output=True, timeout=300)
        mark.touch()
    return (CACHE / "node_modules/axe-core/axe.min.js").read_text("utf-8")


async def found_on(page: Browser, axe: str) -> list[str]:
    """What the checker says against the page that is open, by day; and against its colours by night."""
    await page.value(f"(() => {{ {axe}; return typeof window.axe }})()")
    found = []
    for scheme, only in (("light", {"type": "tag", "values": RULES}), ("dark", {"type": "rule", "values": COLOURS})):
        await page.call(
            "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}]
        )  # fmt: skip
        asked = json.dumps({"runOnly": only, "resultTypes": ["violations"]})
        said: list[dict[str, Any]] = json.loads(
            await page.value(f"axe.run(document, {asked}).then(found => JSON.stringify(found.violations))")
        )
        found += [
            f"{one['id']}: {scheme} {node['html'][:150]} {node['failureSummary']}" for one in said
            for node in one["nodes"]
        ]  # fmt: skip
    return found


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
    hire(database)
    box, now_ms = enrolled(database, KAMPUNGANYAR), clock.now_ms()
    slots = [PortalSlot(now_ms // SLOT_MS, 600, 1_000_000, 9_000_000)]
    online = PortalSession("00000000000000aa", "g-abcdefghijklmnop", Way.CLICK, now_ms - 600_000, now_ms, slots)
    body = PortalBody(server="x", running=True, online=1, hosts=1, sessions=[online],
                      check=[CheckStep("server", good=False, detail="Mati.")], drift=["user x"])  # fmt: skip
    ingested(database, box.request(box.report(box.reading(body, device="portal"))))
    with database.writes() as db:
        portals.set_policy(db, SARI, PLACE, Policy(managed=True, logins=("http://wifi.desa/login",)), now_ms)
        desk.add_account(db, SARI, PLACE, ("kades", "rahasia desa", "kantor"), now_ms)
        desk.say(db, SARI, PLACE, "Besok listrik padam.", 3, now_ms)
        vouchers.issue(db, SARI, PLACE, NewBatch("harian", 2, 3600, note="Pasar"), now_ms)
        in_ten_days = (clock.now() + timedelta(days=10)).date().isoformat()
        for host, looked_at in (("putus.example.go.id", True), ("baru.example.go.id", False)):
            new = NewEntry(host, "Layanan", "Dinas", "Perlu", in_ten_days)
            one = garden.add(db, SARI, new, now_ms)
            if looked_at:
                garden.note(db, REGENCY, one.id, garden_check.NO_ANSWER, now_ms)
                one.review_on = date(2026, 1, 1)
    yield database
    database.close()


WIFI = f"/desa/{KAMPUNGANYAR}/wifi"
ADDRESSES = (
    WIFI, f"{WIFI}/voucher", f"{WIFI}/voucher/{{batch}}", f"{WIFI}/voucher/{{batch}}/1", "/paket-wifi",
    "/paket-wifi/harian", "/paket-wifi/baru", "/layanan-gratis", "/pemakaian", f"/pemakaian?tempat={KAMPUNGANYAR}",
)  # fmt: skip


async def test_desk_and_pages_of_the_server_are_accessible(chromium: str, axe: str, database: Database) -> None:
    found = []
    with database.reads() as db:
        batch = db.scalars(select(VoucherBatch.id)).one()
    with serving(database) as running:
        base = f"http://127.0.0.1:{running.port}"
        async with browser(chromium, size=(360, 740)) as page:
            handed = "link-login-only=http://wifi.desa/login&mac=D6:00:00:00:00:01&trial=yes&error-type=uptime-limit"
            for address in (f"/portal/{KAMPUNGANYAR}?{handed}", f"/portal/{KAMPUNGANYAR}",
                            f"/portal/{KAMPUNGANYAR}?link-login-only=x"):  # fmt: skip
                await page.go(base + address)
                found += [f"{address}: {one}" for one in await found_on(page, axe)]
            await page.go(f"{base}/masuk")
            await page.fill("[name=username]", "sari")
            await page.fill("[name=password]", PASSWORD)
            await page.click("main button")
            await page.until("location.pathname == '/'")
            for address in [one.format(batch=batch) for one in ADDRESSES]:
                await page.go(base + address)
                assert await page.value("document.querySelector('h1') && location.pathname") == address.split("?")[0]
                await page.value("document.querySelectorAll('details').forEach(one => one.open = true)")
                await asyncio.sleep(0.1)
                found += [f"{address}: {one}" for one in await found_on(page, axe)]
                assert await page.value("document.documentElement.scrollWidth <= 360"), address
    assert not found, "\n".join(found)
