"""The login page on the server: a phone logs in by it, and nothing that is handed over leads anywhere else."""

import html
import re
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from kampungnet.app import Server
from kampungnet.core import clock, pages
from kampungnet.core.address import ADDRESS
from kampungnet.core.database import Database
from kampungnet.core.errors import NotAllowed, Unprocessable
from kampungnet.hotspot import codes, desk, portal_pages, portals
from kampungnet.hotspot.handover import Challenge, login_addresses, read
from kampungnet.hotspot.policy import Policy
from kampungnet.hotspot.portal_pages import ERRORS
from kampungnet.shared.portal_body import Way
from kampungnet.shared.wanted import WantedClick, WantedPortal
from kampungnet.staff.service import Role, Scope, SignedIn
from kampungnet_agent.drivers.mikrotik_portal import MikrotikPortalDriver
from kampungnet_sim.fleet import FleetOptions
from tests.agent.drivers.conftest import Settings
from tests.hotspot.logging_in import PLANS, USERS, WORDS, log_in, type_code
from tests.pages.cast import OWN_PAGE
from tests.pages.cast import browser as visitor_of
from tests.sim.stage import Stage, on_stage
from tests.support.browser import browser
from tests.support.server import REGENCY, SITE, VILLAGE, enrolled, serving

PLACE = (REGENCY, SITE)
PAGE = f"/portal/{VILLAGE}"
LOGIN = "http://wifi.desa/login"
PHONE = "D6:00:00:00:00:01"
CHALLENGE = Challenge(b"\xf9", bytes(range(16)))
CHAP = {"chap-id": "\\371", "chap-challenge": "".join(f"\\{byte:03o}" for byte in range(16))}
HANDED = {"link-login-only": LOGIN, "mac": PHONE, "trial": "yes"}
SARI = SignedIn("sari", "Ibu Sari", Role.ENGINEER, Scope(REGENCY))
RULES = Policy(managed=True, logins=(LOGIN,), greeting="Sugeng rawuh")


@pytest.fixture
def database(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setenv(ADDRESS, "http://portal.test")
    enrolled(sqlite_database)
    with sqlite_database.writes() as db:
        portals.set_policy(db, SARI, PLACE, RULES, clock.now_ms())
    return sqlite_database


@pytest.fixture
def phone(database: Database) -> httpx.AsyncClient:
    return visitor_of(Server(database, upkeep=False))


async def page_of(phone: httpx.AsyncClient, **more: str) -> str:
    answer = await phone.get(f"{PAGE}?{urlencode(HANDED | more)}")
    assert answer.status_code == 200, answer.text
    assert "set-cookie" not in answer.headers
    return answer.text


def leads_to(page: str) -> set[str]:
    """Every address in a page, without those of this page itself."""
    found = {html.unescape(one) for one in re.findall(r'(?:href|action|src|url)="?([^">]*)', page)}
    return {one for one in found if not one.startswith("?")}


async def test_the_page_says_what_the_village_offers_in_both_languages(phone: httpx.AsyncClient) -> None:
    page, english = await page_of(phone), await page_of(phone, lang="en")
    assert '<html lang="id">' in page
    for words in ("Sugeng rawuh", "Kampunganyar", "Setuju dan mulai online", "90"):
        assert words in page
    for words in ("Agree and go online", "Stored is when a device was online", "Use the voucher"):
        assert words in english


async def test_without_a_challenge_forms_and_click_go_to_the_villages_router(phone: httpx.AsyncClient) -> None:
    assert leads_to(await page_of(phone)) == {LOGIN, f"{LOGIN}?username=T-D6%3A00%3A00%3A00%3A00%3A01"}
    english = leads_to(await page_of(phone, lang="en", **{"link-login-only": "http://wifi.desa/en/login"}))
    assert english == {f"{LOGIN}?target=en", f"{LOGIN}?username=T-D6%3A00%3A00%3A00%3A00%3A01&target=en"}


async def test_a_challenge_is_answered_here_and_the_password_goes_no_further(phone: httpx.AsyncClient) -> None:
    assert "chap-challenge" in await page_of(phone, **CHAP)
    typed = HANDED | CHAP | {"username": "kades", "password": "rahasia desa", "lang": "en"}
    answer = await phone.post(PAGE, data=typed, headers=OWN_PAGE)
    assert answer.status_code == 303
    to = urlsplit(answer.headers["location"])
    assert to._replace(query="").geturl() == LOGIN
    expected = {"username": ["kades"], "password": [CHALLENGE.answer("rahasia desa")], "target": ["en"]}
    assert parse_qs(to.query) == expected
    assert "set-cookie" not in answer.headers


async def test_a_voucher_may_be_typed_as_it_is_printed(phone: httpx.AsyncClient) -> None:
    code = codes.new_code()
    typed = HANDED | CHAP | {"username": codes.shown(code).upper(), "password": ""}
    answer = await phone.post(PAGE, data=typed, headers=OWN_PAGE)
    assert parse_qs(urlsplit(answer.headers["location"]).query)["username"] == [code]


async def test_who_opens_the_page_elsewhere_is_led_to_the_villages_wifi(phone: httpx.AsyncClient) -> None:
    page = (await phone.get(PAGE)).text
    assert leads_to(page) == {LOGIN}
    assert "Masuk hanya bisa dari wifi desa." in page


async def test_guests_get_their_own_page_and_words_of_staff_stay_words(database: Database) -> None:
    with database.writes() as db:
        desk.say(db, SARI, PLACE, "Tulis $hidden$ atau $click$", 3, clock.now_ms())
    phone = visitor_of(Server(database, upkeep=False))
    first = await page_of(phone, **CHAP)
    second = await page_of(phone, mac="D6:00:00:00:00:02", **CHAP)
    assert first.count("&#36;hidden&#36; atau &#36;click&#36;") == 1
    assert "00%3A01" in first
    assert "00%3A01" not in second
    assert second.count('name="chap-challenge"') == 2


STRANGE = (
    "http://evil.example/login", "//evil.example/login", "javascript:alert(1)", "http://wifi.desa@evil.example/login",
    "http://wifi.desa.evil.example/login", "http://wifi.desa/login?dst=http://evil.example", "https://wifi.desa/login",
    "http://wifi.desa:81/login", "http://wifi.desa/en/../login", "http://wifi.desa/login\r\nX: y", "\x01", '"><script>',
    "http://wifi.desa/login#", "HTTP://WIFI.DESA/LOGIN",
)  # fmt: skip


@pytest.mark.parametrize("strange", STRANGE)
async def test_an_address_that_is_not_the_villages_is_refused(phone: httpx.AsyncClient, strange: str) -> None:
    given = HANDED | CHAP | {"link-login-only": strange}
    for answer in (
        await phone.get(f"{PAGE}?{urlencode(given)}"),
        await phone.post(PAGE, data=given | {"username": "kades", "password": "rahasia"}, headers=OWN_PAGE),
    ):
        assert answer.status_code == 422
        assert "Ini bukan halaman masuk wifi desa ini." in answer.text
        assert leads_to(answer.text) == {LOGIN}
        assert "evil" not in answer.text
        assert "location" not in answer.headers


NASTY = ("<script>alert(1)</script>", '"onload="x', "$(mac)", "{{ 7*7 }}", "A" * 3000, "\x01", "\udcff", "'--", "D6:00")


@pytest.mark.parametrize("nasty", NASTY)
async def test_whatever_else_is_handed_over_is_harmless(phone: httpx.AsyncClient, nasty: str) -> None:
    names = ("mac", "ip", "trial", "error", "error-type", "chap-id", "chap-challenge", "link-orig", "dst", "lang")
    for name in names:
        query = urlencode(HANDED | {name: nasty}, errors="surrogateescape")
        answer = await phone.get(f"{PAGE}?{query}")
        assert answer.status_code == 200, name
        assert nasty not in answer.text
        assert leads_to(answer.text) <= {LOGIN, f"{LOGIN}?username=T-D6%3A00%3A00%3A00%3A00%3A01"}


async def test_more_fields_than_any_router_hands_over_are_none(phone: httpx.AsyncClient) -> None:
    page = (await phone.get(f"{PAGE}?{'&'.join(['link-login-only=' + LOGIN] * 200)}")).text
    assert leads_to(page) == {LOGIN}
    assert "Masuk hanya bisa dari wifi desa." in page


async def test_where_the_guest_wanted_to_go_is_left_behind(phone: httpx.AsyncClient) -> None:
    page = await page_of(phone, **{"link-orig": "http://evil.example/", "dst": "http://evil.example/"})
    assert "evil" not in page


@pytest.mark.parametrize(
    ("field", "nasty"),
    [(field, nasty) for field in ("username", "password") for nasty in ("\x01", "a\r\nb", "A" * 500)]
    + [("username", "")],
)
async def test_what_cannot_be_a_login_comes_back_with_a_sentence(
    phone: httpx.AsyncClient, field: str, nasty: str
) -> None:
    typed = HANDED | CHAP | {"username": "kades", "password": "rahasia"} | {field: nasty}
    answer = await phone.post(PAGE, data=typed, headers=OWN_PAGE)
    assert answer.status_code == 200
    assert "Kode, nama, atau kata sandi salah" in answer.text
    assert "rahasia" not in answer.text


async def test_a_form_from_elsewhere_is_refused(phone: httpx.AsyncClient) -> None:
    typed = HANDED | CHAP | {"username": "kades", "password": "rahasia"}
    answer = await phone.post(PAGE, data=typed, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


@pytest.mark.parametrize("village", ["35.10.15.2003", "35.10.99.9999", "35", "%00", "..%2F..", "a" * 300])
async def test_a_village_without_such_a_page_has_none(phone: httpx.AsyncClient, village: str) -> None:
    assert (await phone.get(f"/portal/{village}")).status_code == 404


ENGLISH = {
    "invalid username or password": "invalid-username",
    "user X has reached uptime limit": "uptime-limit",
    "no more sessions are allowed for user X": "user-session-limit",
    "something new": "radius-reply",
    "RADIUS server is not responding": "radius-timeout",
    "already authorizing, retry later": "auth-in-progress",
}


@pytest.mark.parametrize(("said", "key"), [*ENGLISH.items(), *portal_pages.sentences().items()])
async def test_every_refusal_is_one_sentence_in_the_readers_language(
    phone: httpx.AsyncClient, said: str, key: str
) -> None:
    page = html.unescape(await page_of(phone, error=said, lang="en"))
    assert re.findall(r'role="alert">(.*?)</p>', page) == [ERRORS[key]]
    by_key = html.unescape(await page_of(phone, lang="id", **{"error-type": key}))
    assert re.findall(r'role="alert">(.*?)</p>', by_key) == [pages.all_languages()["id"].say(ERRORS[key])]


def test_octal_and_plain_bytes_are_the_same_challenge() -> None:
    plain = {"chap-id": "\xf9", "chap-challenge": bytes(range(16)).decode("latin-1")}
    assert read(plain, (), {}).challenge == read(CHAP, (), {}).challenge == CHALLENGE
    assert read(plain | {"chap-id": "\xf9\xf9"}, (), {}).challenge is None


@pytest.mark.parametrize("typed", [*STRANGE, "wifi.desa", "http://wifi.desa/", "http://a b/login", "http://x:0/login",
                                   " ".join(f"http://r{n}.desa/login" for n in range(5))])  # fmt: skip
def test_only_an_address_of_a_login_can_be_set(typed: str) -> None:
    if typed in {"https://wifi.desa/login", "http://wifi.desa:81/login", "http://evil.example/login",
                 "http://wifi.desa.evil.example/login"}:  # fmt: skip
        assert login_addresses(typed) == (typed,)
    else:
        with pytest.raises(Unprocessable):
            login_addresses(typed)


def test_an_operator_cannot_send_passwords_elsewhere(database: Database) -> None:
    budi = SignedIn("budi", "Pak Budi", Role.OPERATOR, Scope(REGENCY, VILLAGE))
    with pytest.raises(NotAllowed), database.writes() as db:
        portals.set_policy(db, budi, PLACE, Policy(managed=True, logins=("http://evil.example/login",)), 0)


def test_the_router_lets_everybody_reach_the_page(database: Database) -> None:
    with database.reads() as db:
        found = portals.wanted(db, PLACE, [], clock.now_ms())
    assert [(one.host, one.ports) for one in found.garden] == [("portal.test", [80])]


async def _pushed(stage: Stage, database: Database, folder: Path) -> MikrotikPortalDriver:
    with database.reads() as db:
        files = portal_pages.of_site(db, PLACE, clock.now_ms())
        garden = portals.wanted(db, PLACE, [], clock.now_ms()).garden
    wanted = WantedPortal(
        1, "Asia/Jakarta", plans=PLANS, users=USERS, pages=files, click=WantedClick("tamu", 3600), garden=garden
    )  # fmt: skip
    secret = stage.site.router.users["penulis"].password
    driver = MikrotikPortalDriver(
        Settings("portal", f"127.0.0.1:{stage.port}", "penulis", secret, state_folder=str(folder))
    )
    await driver.follow(wanted)
    assert driver.done == (1, [])
    return driver


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("way", [Way.CLICK, Way.VOUCHER, Way.ACCOUNT])
async def test_a_phone_without_script_logs_in_by_the_servers_page(
    chromium: str, database: Database, tmp_path: Path, way: Way, language: str
) -> None:
    async with on_stage(FleetOptions(model="hex")) as stage:
        driver = await _pushed(stage, database, tmp_path)
        guest = await stage.site.hotspot.join(PHONE)
        with serving(database) as running:
            stage.site.hotspot.far["portal.test"] = ("127.0.0.1", running.port)
            async with browser(chromium, proxy=guest.door, size=(320, 640), script=False) as phone:
                await phone.go("http://example.com/berita")
                await phone.click("#lead a")
                await phone.until("location.host == 'portal.test'")
                said = WORDS[language]
                if language == "en":
                    await phone.click("a[hreflang=en]")
                await phone.reads(said[0])
                await phone.reads("Sugeng rawuh")
                assert await phone.value("document.documentElement.scrollWidth <= 320")
                assert await phone.value("document.cookie") == ""
                if way is Way.VOUCHER and language == "id":
                    # What the router refuses is said by its own page, and tried again there.
                    await type_code(phone, "salah")
                    await phone.reads(said[1])
                    assert await phone.value("location.host") == "wifi.desa"
                await log_in(phone, way)
                await phone.reads(said[2])
                assert await guest.online()
        typed_on_router = way is Way.VOUCHER and language == "id"
        by = "trial" if way is Way.CLICK else "http-pap" if typed_on_router else "http-chap"
        assert [one.login_by for one in guest.truth()] == [by]
        await driver.close()


async def test_a_script_leads_to_the_servers_page_only_while_it_is_there(
    chromium: str, database: Database, tmp_path: Path
) -> None:
    async with on_stage(FleetOptions(model="hex")) as stage:
        driver = await _pushed(stage, database, tmp_path)
        guest = await stage.site.hotspot.join(PHONE)
        async with browser(chromium, proxy=guest.door, size=(320, 640)) as phone:
            with serving(database) as running:
                stage.site.hotspot.far["portal.test"] = ("127.0.0.1", running.port)
                await phone.go("http://example.com/berita")
                await phone.until("location.host == 'portal.test'")
                await phone.reads(WORDS["id"][0])
            await phone.go("http://example.com/berita")
            assert await phone.value("location.host") == "wifi.desa"
            assert not await phone.value("document.querySelector('#lead').checkVisibility()")
            await log_in(phone, Way.VOUCHER)
            await phone.reads(WORDS["id"][2])
        assert await guest.online()
        await driver.close()
