import time

import argon2
import pytest
from sqlalchemy import select, update

from kampungnet.app import Server
from kampungnet.core import clock, security
from kampungnet.core.database import Database
from kampungnet.core.security import own_path
from kampungnet.staff import service
from kampungnet.staff.models import StaffMember, StaffSession
from tests.pages.cast import OWN_PAGE, browser, send_sign_in, signed_in
from tests.pages.sample import PASSWORD


async def test_a_right_password_opens_a_session_whose_token_is_not_in_the_table(server: Server) -> None:
    visitor = browser(server)
    answer = await send_sign_in(visitor, " Sari ")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    token = visitor.cookies["kampungnet"]
    assert len(token) >= 43, "256 bits"
    with server.database.reads() as db:
        hashes = list(db.scalars(select(StaffSession.token_hash)))
    assert hashes == [security.token_hash(token)]
    assert (await visitor.get("/")).status_code == 200


async def test_over_https_the_cookie_is_bound_to_this_host(server: Server) -> None:
    visitor = browser(server, "https://kampungnet.example.go.id")
    answer = await send_sign_in(visitor, "sari")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-kampungnet=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_nobody_types_a_password_over_plain_http_from_another_machine(server: Server) -> None:
    visitor = browser(server, "http://kampungnet.example.go.id")
    answer = await visitor.get("/masuk")
    assert answer.status_code == 403
    assert "https://" in answer.text
    assert (await send_sign_in(visitor, "sari")).status_code == 403


async def test_a_wrong_name_a_wrong_password_and_a_disabled_person_get_the_same_answer(server: Server) -> None:
    with server.database.writes() as db:
        service.disable_staff(db, "dedi", clock.now_ms())
    answers = [
        await send_sign_in(browser(server), "sari", "not the password 1"),
        await send_sign_in(browser(server), "nobody", "not the password 1"),
        await send_sign_in(browser(server), "dedi"),
    ]
    assert {answer.status_code for answer in answers} == {401}
    texts = {a.text.replace("sari", "X").replace("nobody", "X").replace("dedi", "X") for a in answers}
    assert len(texts) == 1
    assert "Nama atau kata sandi tidak cocok." in texts.pop()
    assert all("set-cookie" not in answer.headers for answer in answers)


async def test_an_unknown_name_costs_as_much_as_a_known_one(server: Server) -> None:
    await send_sign_in(browser(server), "warm-up", "not the password 1")
    took = {}
    for name in ("sari", "nobody"):
        tries = []
        for _ in range(3):
            start = time.perf_counter()
            await send_sign_in(browser(server), name, "not the password 1")
            tries.append(time.perf_counter() - start)
        took[name] = min(tries)
    assert took["nobody"] > took["sari"] / 3, took


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil", "/\t/evil.example", "/ok\r\nX: y", "",
     "javascript:alert(1)", "/\N{FULLWIDTH SOLIDUS}evil"],
)  # fmt: skip
def test_a_redirect_never_leaves_this_site(target: str) -> None:
    assert own_path(target) == "/"


async def test_after_signing_in_only_own_paths_are_followed(server: Server) -> None:
    there = await send_sign_in(browser(server), "sari", ke="/tentang?lang=en")
    assert there.headers["location"] == "/tentang?lang=en"
    evil = await send_sign_in(browser(server), "sari", ke="//evil.example/")
    assert evil.headers["location"] == "/"
    sari = await signed_in(server, "sari")
    assert (await sari.get("/masuk?ke=//evil.example")).headers["location"] == "/"


async def test_a_name_that_cannot_be_one_is_simply_wrong(server: Server) -> None:
    for name in ("sari\1", "\1", "'; drop table staff; --", "\N{PILE OF POO}" * 25):
        assert (await send_sign_in(browser(server), name)).status_code == 401
    for name in ("x" * 101, "sari\0"):
        assert (await send_sign_in(browser(server), name)).status_code == 422


async def test_what_was_typed_comes_back_escaped_and_without_the_password(server: Server) -> None:
    answer = await send_sign_in(browser(server), '"><script>x</script>', "my secret password")
    assert "<script" not in answer.text
    assert "my secret password" not in answer.text


async def test_signing_out_ends_the_session_at_the_server(server: Server) -> None:
    sari = await signed_in(server, "sari")
    token = sari.cookies["kampungnet"]
    assert (await sari.post("/keluar", headers=OWN_PAGE)).headers["location"] == "/masuk"
    thief = browser(server)
    thief.cookies.set("kampungnet", token)
    assert (await thief.get("/")).status_code == 303


async def test_disabling_a_person_ends_their_sessions_at_once(server: Server) -> None:
    budi = await signed_in(server, "budi")
    with server.database.writes() as db:
        service.disable_staff(db, "budi", clock.now_ms())
    assert (await budi.get("/tentang")).status_code == 303


async def test_a_new_password_ends_the_old_sessions(server: Server) -> None:
    budi = await signed_in(server, "budi")
    with server.database.writes() as db:
        hashed = service.new_hash(service.member_of(db, "budi"), "kerupuk udang renyah 9")
        service.set_password(db, "budi", hashed)
    assert (await budi.get("/tentang")).status_code == 303
    assert (await send_sign_in(browser(server), "budi")).status_code == 401
    assert (await send_sign_in(browser(server), "budi", "kerupuk udang renyah 9")).status_code == 303


@pytest.mark.parametrize(
    ("seen_ago", "started_ago", "lives"),
    [(service.IDLE_MS - 60_000, service.IDLE_MS, True), (service.IDLE_MS + 60_000, service.IDLE_MS * 2, False),
     (0, service.ABSOLUTE_MS + 60_000, False), (0, service.ABSOLUTE_MS - 60_000, True)],
)  # fmt: skip
async def test_a_session_ends_when_idle_or_old(server: Server, seen_ago: int, started_ago: int, lives: bool) -> None:
    sari = await signed_in(server, "sari")
    now_ms = clock.now_ms()
    with server.database.writes() as db:
        db.execute(update(StaffSession).values(last_seen_ms=now_ms - seen_ago, started_ms=now_ms - started_ago))
    assert (await sari.get("/tentang")).status_code == (200 if lives else 303)
    if lives and seen_ago:
        with server.database.reads() as db:
            assert db.scalars(select(StaffSession.last_seen_ms)).one() >= now_ms, "being used keeps it alive"


async def test_an_old_hash_is_renewed_when_its_owner_signs_in(server: Server, database: Database) -> None:
    old = argon2.PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    with database.writes() as db:
        db.execute(update(StaffMember).where(StaffMember.username == "sari").values(password_hash=old))
    await signed_in(server, "sari")
    with database.reads() as db:
        assert "m=47104,t=1,p=1" in db.get_one(StaffMember, "sari").password_hash
