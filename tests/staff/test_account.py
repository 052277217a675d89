"""One's own account, first passwords, and how engineers help people."""

import re

import pytest
from httpx import AsyncClient, Response
from sqlalchemy import select, update

from kampungnet.app import Server
from kampungnet.core import clock, security
from kampungnet.core.database import Database
from kampungnet.staff import service
from kampungnet.staff.models import AuditEntry, StaffMember
from tests.pages.cast import OWN_PAGE, browser, send_sign_in, signed_in
from tests.pages.sample import PASSWORD

NEW = "kerupuk udang renyah 9"


async def test_who_changes_the_password_stays_and_all_other_sessions_end(server: Server, database: Database) -> None:
    here, there = await signed_in(server, "budi"), await signed_in(server, "budi")
    refused = (
        ("wrong password 1", NEW), (PASSWORD, "elevenchars"), (PASSWORD, "kampungnet2026!"), (PASSWORD, PASSWORD),
    )  # fmt: skip
    for old, new in refused:
        answer = await _act(here, "password", password=old, new=new)
        assert answer.status_code == 422, (old, new)
        assert 'role="alert"' in answer.text
        assert old not in answer.text
    before = here.cookies["kampungnet"]
    assert (await _act(here, "password", password=PASSWORD, new=NEW)).headers["location"] == "/akun?lagi=sandi"
    assert here.cookies["kampungnet"] != before
    assert (await here.get("/akun?lagi=sandi")).status_code == 200
    assert (await there.get("/akun")).status_code == 303
    assert (await send_sign_in(browser(server), "budi")).status_code == 401
    assert (await send_sign_in(browser(server), "budi", NEW)).status_code == 303
    with database.reads() as db:
        assert [one.what for one in db.scalars(select(AuditEntry))] == ["staff.password"]


async def test_the_old_password_is_not_guessed_here_either(server: Server) -> None:
    budi = await signed_in(server, "budi")
    for _ in range(5):
        assert (await _act(budi, "password", password="wrong password 1", new=NEW)).status_code == 422
    assert (await _act(budi, "password", password=PASSWORD, new=NEW)).status_code == 429


async def test_one_sees_ones_own_sessions_and_ends_them(server: Server) -> None:
    phone, office, citra = [await signed_in(server, name) for name in ("budi", "budi", "citra")]
    phone_again = browser(server)
    phone_again.headers["User-Agent"] = "Mozilla/5.0 (Android 14; Mobile; rv:133.0) Gecko/133.0 Firefox/133.0"
    await send_sign_in(phone_again, "budi")
    page = (await office.get("/akun")).text
    assert "<b>Firefox, Android</b>" in page
    others = re.findall(r'name="one" value="([0-9a-f]{64})"', page)
    assert len(others) == 2
    assert (await _act(citra, "end", one=others[0])).status_code == 404, "not somebody else's"
    assert (await _act(office, "end", one=others[0])).status_code == 303
    assert sum([(await one.get("/akun")).status_code == 200 for one in (phone, phone_again)]) == 1
    assert (await _act(office, "end_others")).status_code == 303
    assert [(await one.get("/akun")).status_code for one in (phone, phone_again, office)] == [303, 303, 200]
    assert (await citra.get("/akun")).status_code == 200


async def test_a_first_password_opens_only_the_choice_of_another(server: Server, database: Database) -> None:
    sari = await signed_in(server, "sari")
    budi = await signed_in(server, "budi")
    page = (await _administer(sari, "budi", "password")).text
    first = re.search(r"<code>([a-z2-9-]{19})</code>", page)
    assert first
    assert (await budi.get("/akun")).status_code == 303, "old sessions end"
    assert (await send_sign_in(browser(server), "budi")).status_code == 401
    assert (await send_sign_in(budi, "budi", first[1])).headers["location"] == "/masuk/langkah"
    assert (await budi.get("/tentang")).status_code == 303
    for password, sentence in ((first[1], "yang sudah Anda pakai"), ("elevenchars", "terlalu pendek")):
        answer = await budi.post("/masuk/langkah", data={"password": password}, headers=OWN_PAGE)
        assert answer.status_code == 422
        assert sentence in answer.text
    await budi.post("/masuk/langkah", data={"password": NEW}, headers=OWN_PAGE)
    assert (await budi.get("/tentang")).status_code == 200
    assert (await send_sign_in(browser(server), "budi", first[1])).status_code == 401
    assert (await send_sign_in(browser(server), "budi", NEW)).headers["location"] == "/"


async def test_how_long_a_password_must_be_stands_in_one_place(
    server: Server, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(security, "PASSWORD_LETTERS", range(19, 21))
    sari, budi = await signed_in(server, "sari"), browser(server)
    assert "Sedikitnya 19 huruf." in (await sari.get("/akun")).text
    first = re.search(r"<code>([a-z2-9-]{19})</code>", (await _administer(sari, "budi", "password")).text)
    assert first
    await send_sign_in(budi, "budi", first[1])
    for password, sentence in (("ketela rambat 7 kg", "terlalu pendek"), ("ketela rambat 777 kilo", "terlalu panjang")):
        answer = await budi.post("/masuk/langkah", data={"password": password}, headers=OWN_PAGE)
        assert (answer.status_code, sentence in answer.text) == (422, True)
        assert "Sedikitnya 19 huruf." in answer.text
        assert 'minlength="19" maxlength="20"' in answer.text
    enough = await budi.post("/masuk/langkah", data={"password": "ketela rambat 77 kg"}, headers=OWN_PAGE)
    assert enough.status_code == 303


async def test_a_first_password_is_good_for_a_week(server: Server, database: Database) -> None:
    with database.writes() as db:
        first = security.random_password()
        service.first_password(db, "budi", security.hash_password(first), clock.now_ms())
        assert len(first.replace("-", "")) == 16
        db.execute(
            update(StaffMember).where(StaffMember.username == "budi").values(password_until_ms=clock.now_ms() - 1)
        )
    answer = await send_sign_in(browser(server), "budi", first)
    assert (answer.status_code, "sudah terlalu lama" in answer.text) == (401, True)


async def test_an_engineer_ends_sessions_and_shuts_people_out_and_nobody_else_does(
    server: Server, database: Database
) -> None:
    sari, budi, dedi = [await signed_in(server, name) for name in ("sari", "budi", "dedi")]
    for other in (budi, dedi):
        assert (await other.get("/petugas")).status_code == 403
        assert (await _administer(other, "sari", "end")).status_code == 403
    assert "Pak Budi" in (await sari.get("/petugas")).text
    for username, act, reason in (
        ("budi", "end", ""),
        ("budi", "fly", "why"),
        ("nobody", "end", "why"),
        ("sari", "disable", "why"),
    ):
        answer = await _administer(sari, username, act, reason)
        assert answer.status_code in {404, 422}, (username, act)
    assert (await budi.get("/akun")).status_code == 200
    assert (await _administer(sari, "budi", "end")).status_code == 200
    assert (await budi.get("/akun")).status_code == 303
    assert (await send_sign_in(budi, "budi")).status_code == 303
    assert (await _administer(sari, "budi", "disable")).status_code == 200
    assert (await budi.get("/akun")).status_code == 303
    assert (await send_sign_in(budi, "budi")).status_code == 401
    with database.reads() as db:
        entries = db.scalars(select(AuditEntry).order_by(AuditEntry.sequence))
        assert [(one.what, one.about) for one in entries] == [
            ("staff.admin_end", "budi"),
            ("staff.admin_disable", "budi"),
        ]


async def test_who_comes_in_and_who_does_not_stands_in_the_servers_log(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "kampungnet.staff.signing_in"):
        await send_sign_in(browser(server), "my secret password", "x")
        await send_sign_in(browser(server), "budi", "wrong password 1")
        await send_sign_in(browser(server), "budi")
    said = [one.getMessage() for one in caplog.records if one.name == "kampungnet.staff.signing_in"]
    assert said == [
        "wrong password for a name nobody has from 127.0.0.1", "wrong password for budi from 127.0.0.1",
        "budi signed in from 127.0.0.1",
    ]  # fmt: skip


async def _act(visitor: AsyncClient, act: str, **fields: str) -> Response:
    return await visitor.post("/akun", data={"act": act, **fields}, headers=OWN_PAGE)


async def _administer(visitor: AsyncClient, username: str, act: str, reason: str = "Diminta orangnya") -> Response:
    return await visitor.post("/petugas", data={"one": username, "act": act, "reason": reason}, headers=OWN_PAGE)
