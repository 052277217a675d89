"""What holds for the console as a whole; ``docs/security.md`` names these tests."""

import logging
import re
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select, update

from kampungnet.app import Server
from kampungnet.core import migrate, pages
from kampungnet.core.database import Database
from kampungnet.server import web_settings
from kampungnet.staff.models import SignInFailure, StaffMember
from kampungnet.staff.service import Role
from tests.pages.cast import OWN_PAGE, browser, send_sign_in, signed_in

HEADERS = {
    "x-content-type-options": "nosniff", "referrer-policy": "same-origin", "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin", "cross-origin-resource-policy": "same-origin",
}  # fmt: skip


async def test_every_answer_to_a_browser_carries_all_headers(server: Server) -> None:
    sari = await signed_in(server, "sari")
    answers = [await sari.get(path) for path in ("/", "/tentang", "/catatan", "/nowhere", "/data/nowhere", "/metrics")]
    answers += [await browser(server).get("/"), await send_sign_in(browser(server), "sari")]
    answers.append(await sari.post("/keluar", headers={"Sec-Fetch-Site": "cross-site"}))
    for answer in answers:
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, answer.url
        policy = answer.headers["content-security-policy"]
        assert {"object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} <= set(policy.split("; "))
        assert "unsafe" not in policy


async def test_a_new_server_knows_nobody(tmp_path: Path) -> None:
    new = Database(f"sqlite:///{tmp_path / 'kampungnet.db'}")
    migrate.migrate(new)
    with new.reads() as db:
        assert db.scalar(select(func.count()).select_from(StaffMember)) == 0
    for name in ("admin", "root", "kampungnet", "operator"):
        assert (await send_sign_in(browser(Server(new, upkeep=False)), name, name)).status_code == 401
    new.close()


async def test_each_sign_in_has_a_token_of_its_own_and_ends_the_one_before(server: Server) -> None:
    sari = await signed_in(server, "sari")
    before = sari.cookies["kampungnet"]
    await send_sign_in(sari, "sari")
    assert sari.cookies["kampungnet"] != before
    thief = browser(server)
    thief.cookies.set("kampungnet", before)
    assert (await thief.get("/tentang")).status_code == 303
    assert (await sari.get("/tentang")).status_code == 200


async def test_a_token_that_somebody_puts_into_a_browser_opens_nothing(server: Server) -> None:
    visitor = browser(server)
    visitor.cookies.set("kampungnet", "chosen-by-somebody-else")
    await send_sign_in(visitor, "sari")
    thief = browser(server)
    thief.cookies.set("kampungnet", "chosen-by-somebody-else")
    assert (await thief.get("/tentang")).status_code == 303


async def test_a_change_of_role_counts_with_the_next_click(server: Server, database: Database) -> None:
    sari = await signed_in(server, "sari")
    assert (await sari.get("/catatan")).status_code == 200
    with database.writes() as db:
        db.execute(update(StaffMember).where(StaffMember.username == "sari").values(role=Role.BUDGET.value))
    assert (await sari.get("/catatan")).status_code == 403


async def test_there_is_no_page_of_documentation_to_try_things_on(server: Server) -> None:
    sari = await signed_in(server, "sari")
    for path in ("/docs", "/redoc", "/openapi.json", "/api/docs"):
        assert (await sari.get(path)).status_code == 404


def test_no_form_that_carries_a_secret_is_sent_in_the_address() -> None:
    found = 0
    for file in (pages.PACKAGE / "templates").rglob("*.html"):
        for form in re.findall(r"<form.*?</form>", file.read_text("utf-8"), re.DOTALL):
            if 'type="password"' in form:
                found += 1
                # The router's own page answers its challenge in the browser; the router decides the method there.
                assert 'method="post"' in form.partition(">")[0], file
    assert found


async def test_a_field_nobody_asked_for_is_written_nowhere(server: Server, database: Database) -> None:
    answer = await send_sign_in(browser(server), "budi", role="engineer", village="", disabled_ms="1")
    assert answer.status_code == 303
    with database.reads() as db:
        budi = db.get_one(StaffMember, "budi")
        assert (budi.role, budi.disabled_ms) == ("operator", None)
        assert budi.village


async def test_only_the_proxy_on_this_machine_says_where_somebody_is(server: Server, database: Database) -> None:
    config = web_settings(server)
    config.load()
    for peer, counted in (("203.0.113.7", "203.0.113.7"), ("127.0.0.1", "198.51.100.9")):
        transport = httpx.ASGITransport(config.loaded_app, client=(peer, 50_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as visitor:
            headers = OWN_PAGE | {"X-Forwarded-For": "198.51.100.9"}
            form = {"username": "nobody", "password": "not the password 1"}
            assert (await visitor.post("/masuk", data=form, headers=headers)).status_code == 401
        with database.reads() as db:
            newest = select(SignInFailure.address).order_by(SignInFailure.at_ms.desc()).limit(1)
            assert db.scalar(newest) == counted


async def test_an_address_cannot_forge_a_line_of_the_log(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    @server.pages.get("/boom/{name}")
    def boom(name: str) -> None:
        raise ZeroDivisionError(name)

    with caplog.at_level(logging.ERROR, "kampungnet.core.web"):
        await browser(server).get("/boom/x%0a2026-11-29 INFO sari signed in%1b[2J")
    (message,) = (record.getMessage() for record in caplog.records if record.name == "kampungnet.core.web")
    assert len(message.splitlines()) == 1
    assert "\x1b" not in message
