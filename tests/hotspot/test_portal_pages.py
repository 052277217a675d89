"""The portal's page files: small, two languages, safe against what people write; and a phone that logs in by them."""

import json
import re
from hashlib import md5
from html.parser import HTMLParser
from pathlib import Path

import pytest

from kampungnet.hotspot import portal_pages
from kampungnet.hotspot.policy import Policy
from kampungnet.hotspot.portal_pages import ERRORS, Portal, build, size
from kampungnet.shared.portal_body import PortalBody, Way
from kampungnet.shared.wanted import UserKind, WantedClick, WantedPage, WantedPortal, WantedUser
from kampungnet_agent.drivers.mikrotik_portal import MikrotikPortalDriver
from kampungnet_sim.fleet import FleetOptions
from tests.agent.drivers.conftest import Settings
from tests.hotspot.logging_in import PLANS, USERS, WORDS, log_in, type_code
from tests.sim.stage import Stage, on_stage
from tests.support.browser import browser

PHONE = "D6:00:00:00:00:01"
KNOWN = set(
    "link-login-only link-login-only-esc trial-esc chap-id chap-challenge chap-id-esc chap-challenge-esc "
    "link-orig-esc link-redirect link-login link-status link-logout mac-esc error trial "
    "session-time-left uptime bytes-in-nice bytes-out-nice remain-bytes-total logged-in session-timeout-secs".split()
)
"""Of the facts' list, RouterOS 9.2."""
NASTY = ("$(if error)x$(endif)", "<script>alert(1)</script>", '"onload="x', "🏡" * 50, "A" * 300, "'--", "{{ 7*7 }}")


def _files(portal: Portal | None = None) -> dict[str, str]:
    return {one.name: one.content for one in build(portal or Portal("Kampunganyar", Policy()))}


class _Tags(HTMLParser):
    """Checks that what is opened is closed, and gathers fields and labels."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fields: list[str] = []
        self.labels: set[str] = set()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        if tag == "input" and given.get("type") in {"text", "password"}:
            self.fields.append(given.get("id") or "")
        if tag == "label":
            self.labels.add(given.get("for") or "")
        if tag not in {"meta", "input", "br", "link"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_all_files_are_small_enough_for_the_smallest_flash() -> None:
    notices, garden = ("Pengumuman " * 20,) * 5, (("Layanan", "a.id"),) * portal_pages.MOST_FREE
    server = "https://wifi.banyuwangikab.example/portal/35.10.15.2012"
    full = Portal("Kampunganyar", Policy(greeting="Sugeng rawuh"), notices, garden, server=server)
    assert size(build(full)) <= 20_000
    assert max(len(one.content.encode()) for one in build(full)) < 20_000
    for one in build(full):
        assert WantedPage(one.name, one.content) == one


@pytest.mark.parametrize("nasty", NASTY)
def test_what_people_wrote_stays_text_on_every_page(nasty: str) -> None:
    rules = Policy(greeting=nasty[:200], contact=nasty[:200])
    for name, content in _files(Portal(nasty, rules, (nasty,), ((nasty, nasty),), server="https://a.id/p")).items():
        assert set(re.findall(r"\$\((?!if |else|endif|elif)([^)]*)\)", content)) <= KNOWN, name
        assert content.count("$(if ") == content.count("$(endif)"), name
        if name.endswith(".html"):
            tags = _Tags()
            tags.feed(re.sub(r"\$\([^)]*\)", "", content))
            assert tags.tags.count("script") == (3 if name in {"login.html", "en/login.html"} else 0)
            assert not [one for one in tags.open if one not in {"html", "body"}] or name.startswith("r"), name


@pytest.mark.parametrize("folder", ["", "en/"])
def test_every_field_has_its_label_and_nothing_comes_from_elsewhere(folder: str) -> None:
    files = _files()
    for name in portal_pages.NAMES:
        content = files[folder + name]
        tags = _Tags()
        tags.feed(re.sub(r"\$\([^)]*\)", "", content))
        assert tags.labels == set(tags.fields)
        assert 'lang="' in content
        assert set(re.findall(r'<(?:script|link)[^>]* (?:src|href)="([^"]*)', content)) <= {"/style.css", "/md5.js"}
        assert not re.search(r"<(img|iframe)|url\(|https?://", content)
    assert ("Setuju dan mulai online" in files[folder + "login.html"]) == (folder == "")


def test_every_refusal_of_the_router_is_said_in_both_languages() -> None:
    files = _files()
    for folder in ("", "en/"):
        lines = dict(line.split(" = ", 1) for line in files[f"{folder}errors.txt"].splitlines())
        assert set(lines) == set(ERRORS)
        assert all(text.endswith(".") and "$(" not in text for text in lines.values())
    assert files["errors.txt"] != files["en/errors.txt"]


def test_only_the_ways_of_the_village_are_offered() -> None:
    login = _files(Portal("Kampunganyar", Policy(click=False, accounts=False)))["login.html"]
    assert "username=T-" not in login
    assert 'name="password" value=""' in login
    assert 'type="password"' not in login
    assert "<script" not in login, "a voucher has no password to hide"


def _wanted(users: list[WantedUser]) -> WantedPortal:
    return WantedPortal(
        1, "Asia/Jakarta",
        plans=PLANS, users=users,
        pages=build(Portal("Kampunganyar", Policy(greeting="Sugeng rawuh"))), click=WantedClick("tamu", 3600),
    )  # fmt: skip


async def _pushed(stage: Stage, folder: Path, *users: WantedUser) -> MikrotikPortalDriver:
    secret = stage.site.router.users["penulis"].password
    address = f"127.0.0.1:{stage.port}"
    driver = MikrotikPortalDriver(Settings("portal", address, "penulis", secret, state_folder=str(folder)))
    await driver.follow(_wanted(list(users) or USERS))
    assert driver.done == (1, [])
    return driver


@pytest.mark.parametrize("model", ["hex", "rb951"], ids=["RouterOS 7", "RouterOS 6"])
@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("way", [Way.CLICK, Way.VOUCHER, Way.ACCOUNT])
async def test_a_phone_logs_in_on_the_routers_flash_with_the_server_away(
    chromium: str, tmp_path: Path, way: Way, language: str, model: str
) -> None:
    async with on_stage(FleetOptions(model=model)) as stage:
        driver = await _pushed(stage, tmp_path)
        guest = await stage.site.hotspot.join(PHONE)
        async with browser(chromium, proxy=guest.door, size=(320, 640), script=False) as phone:
            await phone.go("http://example.com/berita")
            said = WORDS[language]
            if language == "en":
                await phone.click("a[hreflang=en]")
            await phone.reads(said[0])
            await phone.reads("Sugeng rawuh")
            assert await phone.value("document.documentElement.scrollWidth <= 320")
            if way is Way.VOUCHER:
                await type_code(phone, "salah")
                await phone.reads(said[1])
            await log_in(phone, way)
            await phone.reads(said[2])
            assert await guest.online()
        body = (await driver.poll()).body
        assert isinstance(body, PortalBody)
        told = [one.way for one in body.sessions if one.guest == driver.pseudonym_of(PHONE)]
        assert told == [way]
        await driver.close()


async def test_where_a_script_may_run_a_password_is_answered_to_the_challenge_and_does_not_cross_the_air(
    chromium: str, tmp_path: Path
) -> None:
    word = "kué 'lapis' \\\""
    async with on_stage(FleetOptions(model="hex")) as stage:
        driver = await _pushed(stage, tmp_path, WantedUser("A1", "kades", "kantor", UserKind.ACCOUNT, word))
        guest = await stage.site.hotspot.join(PHONE)
        async with browser(chromium, proxy=guest.door, size=(320, 640)) as phone:
            await phone.go("http://wifi.desa/login")
            texts = ["ab\xff" * (length // 3) + "x" * (length % 3) for length in range(130)]
            said = await phone.value(f"{json.dumps(texts)}.map(hexMD5)")
            assert said == [md5(text.encode("latin-1"), usedforsecurity=False).hexdigest() for text in texts]
            for typed, answer in (("salah", WORDS["id"][1]), (word, WORDS["id"][2])):
                await phone.fill("#name", "kades")
                await phone.fill("#word", typed)
                await phone.click("form:has(#word) button")
                await phone.reads(answer)
        assert [one.login_by for one in guest.truth()] == ["http-chap"]
        await driver.close()
