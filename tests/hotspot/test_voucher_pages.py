"""Vouchers at the desk in a browser: made, listed, printed, looked up, given more time, revoked, and by whom."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from kampungnet.app import Server
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.hotspot import batches, guesses, portals, voucher_state, vouchers
from kampungnet.hotspot.models import Voucher, VoucherBatch, VoucherMiss
from kampungnet.hotspot.policy import Policy
from kampungnet.hotspot.voucher_state import State
from kampungnet.hotspot.vouchers import NewBatch
from kampungnet.staff.models import AuditEntry
from kampungnet.staff.service import Role, Scope, SignedIn
from tests.pages.cast import OWN_PAGE, browser, send_sign_in, signed_in
from tests.pages.sample import KAMPUNGANYAR, REGENCY, REJOSARI, fill, hire
from tests.support.poppler import said
from tests.support.server import enrolled

PLACE, OTHER = (REGENCY, f"{KAMPUNGANYAR}-1"), (REGENCY, f"{REJOSARI}-1")
LIST = f"/desa/{KAMPUNGANYAR}/wifi/voucher"
SARI = SignedIn("sari", "Ibu Sari", Role.ENGINEER, Scope(REGENCY))
MAKE = {"act": "make", "plan": "harian", "number": "3", "hours": "1,5", "days": "7", "until": "", "note": "Pasar"}
HOSTILE = 'Bu "Hana" #let x = 1 $y$ \\ [<b>] @ref `code` *bold*'


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    database = Database(database_url, tmp_path / "kampungnet.key")
    fill(database, clock.now_ms(), history=(), whole=False)
    hire(database)
    for village in (KAMPUNGANYAR, REJOSARI):
        enrolled(database, village)
    rules = Policy(managed=True, wifi_name="WiFi Desa", router_name="wifi.desa")
    with database.writes() as db:
        portals.set_policy(db, SARI, PLACE, rules, clock.now_ms())
        portals.portal(db, OTHER, clock.now_ms())
    yield database
    database.close()


@pytest.fixture
def server(database: Database) -> Server:
    return Server(database, upkeep=False)


def _issue(database: Database, place: portals.Place = PLACE, number: int = 3) -> tuple[str, list[str]]:
    with database.writes() as db:
        one = vouchers.issue(db, SARI, place, NewBatch("harian", number, 3600), clock.now_ms())
        return one.id, [voucher.code for voucher in batches.to_print(db, SARI, one, 1, clock.now_ms())]


async def test_a_batch_is_made_listed_and_printed_in_three_sizes_and_the_log_holds_no_code(
    server: Server, database: Database, tmp_path: Path
) -> None:
    budi = await signed_in(server, "budi")
    made = await budi.post(LIST, data=MAKE, headers=OWN_PAGE)
    assert made.status_code == 303
    here = made.headers["location"]
    page = (await budi.get(here)).text
    assert "1 jam 30 menit online seluruhnya · 7 hari sejak pertama dipakai" in page
    assert "3 belum dipakai" in page
    listed = (await budi.get(LIST)).text
    assert "3 belum dipakai, 0 dipakai, 0 lewat atau dicabut" in listed
    assert "Pasar" in listed
    answers = [
        await budi.post(here, data={"act": "print", "size": size}, headers=OWN_PAGE) for size in ("a4", "58", "80")
    ]
    for answer in answers:
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
        assert answer.headers["cache-control"] == "no-store"
        text = said(answer.content, tmp_path)
        assert len(re.findall(r"\b[a-z2-9]{5} [a-z2-9]{5}\b", text)) == 3
        assert "WiFi Desa" in text
    again = await budi.post(here, data={"act": "print", "size": "a4"}, headers=OWN_PAGE)
    assert again.content == answers[0].content, "the same vouchers are the same bytes"
    with database.reads() as db:
        acts = db.scalars(select(AuditEntry).where(AuditEntry.what == "voucher.print").order_by(AuditEntry.sequence))
        told = [one.after for one in acts]
    assert len(told) == 4
    assert '"again":false' in told[0]
    assert '"again":true' in told[3]
    code = re.findall(r"\b[a-z2-9]{5} [a-z2-9]{5}\b", said(again.content, tmp_path))[0]
    pages = " ".join([(await budi.get(where)).text for where in (LIST, here, f"{here}/1")])
    for written in (code, code.replace(" ", "")):
        assert written not in " ".join(told) + pages


async def test_what_was_used_is_not_printed_again_and_then_there_is_nothing_to_print(
    server: Server, database: Database, tmp_path: Path
) -> None:
    name, codes = _issue(database, number=2)
    with database.writes() as db:
        db.execute(update(Voucher).where(Voucher.serial == 1).values(first_used_ms=clock.now_ms(), used_seconds=60))
    budi = await signed_in(server, "budi")
    answer = await budi.post(f"{LIST}/{name}", data={"act": "print", "size": "58"}, headers=OWN_PAGE)
    text = said(answer.content, tmp_path).replace(" ", "")
    assert (codes[0] in text, codes[1] in text) == (False, True)
    with database.writes() as db:
        db.execute(update(Voucher).values(first_used_ms=clock.now_ms()))
    answer = await budi.post(f"{LIST}/{name}", data={"act": "print", "size": "58"}, headers=OWN_PAGE)
    assert (answer.status_code, "tidak ada yang dicetak" in answer.text) == (409, True)


async def test_the_code_on_paper_leads_to_its_voucher_which_is_extended_and_revoked(
    server: Server, database: Database
) -> None:
    name, codes = _issue(database)
    budi = await signed_in(server, "budi")
    found = await budi.post(LIST, data={"act": "find", "typed": codes[1].upper()}, headers=OWN_PAGE)
    assert found.headers["location"] == f"{LIST}/{name}/2"
    with database.writes() as db:
        used = {"first_used_ms": clock.now_ms() - 60_000, "used_seconds": 1800}
        db.execute(update(Voucher).where(Voucher.serial == 2).values(**used))
    page = (await budi.get(f"{LIST}/{name}/2")).text
    assert "sedang berlaku" in page
    assert "30 menit online" in page
    assert "Siapa yang memakainya tidak diketahui" in page
    assert (await budi.post(f"{LIST}/{name}/2", data={"act": "extend", "hours": "1"}, headers=OWN_PAGE)).is_redirect
    assert "1 jam 30 menit online" in (await budi.get(f"{LIST}/{name}/2")).text
    revoke = {"act": "revoke", "reason": "Hilang"}
    assert (await budi.post(f"{LIST}/{name}/2", data=revoke, headers=OWN_PAGE)).status_code == 303
    assert (await budi.post(f"{LIST}/{name}/2", data=revoke, headers=OWN_PAGE)).status_code == 409
    with database.reads() as db:
        assert codes[1] not in {one.name for one in portals.wanted(db, PLACE, [], clock.now_ms()).users}


async def test_all_of_a_batch_get_more_time_and_end_together(server: Server, database: Database) -> None:
    name, _ = _issue(database)
    budi = await signed_in(server, "budi")
    assert (await budi.post(f"{LIST}/{name}", data={"act": "extend", "hours": "2"}, headers=OWN_PAGE)).is_redirect
    with database.reads() as db:
        assert set(db.scalars(select(Voucher.more_seconds))) == {7200}
    assert (
        await budi.post(f"{LIST}/{name}", data={"act": "revoke", "reason": ""}, headers=OWN_PAGE)
    ).status_code == 422
    gone = {"act": "revoke", "reason": "Salah paket"}
    assert (await budi.post(f"{LIST}/{name}", data=gone, headers=OWN_PAGE)).is_redirect
    assert (await budi.post(f"{LIST}/{name}", data=gone, headers=OWN_PAGE)).status_code == 409
    assert "0 belum dipakai, 0 dipakai, 3 lewat atau dicabut" in (await budi.get(LIST)).text
    with database.reads() as db:
        assert portals.wanted(db, PLACE, [], clock.now_ms()).users == []


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"act": "find", "typed": "kkkkk kkkkk"}, "Baca lagi"),
        ({"act": "find", "typed": "' OR 1=1 --"}, "Baca"),
        (MAKE | {"number": "10001"}, "10.000"),
        (MAKE | {"number": "-1"}, "Tulis bilangan bulat"),
        (MAKE | {"plan": "emas"}, "Paket itu tidak ada"),
        (MAKE | {"hours": "1,x"}, "Tulis jam seperti"),
        (MAKE | {"until": "besok"}, "Tulis hari terakhir"),
        (MAKE | {"until": "9999-12-31"}, "Tulis hari terakhir"),
        (MAKE | {"until": "2020-01-01"}, "lima tahun"),
        (MAKE | {"note": "x" * 501}, "500 huruf"),
        ({"act": "paper", "wifi_name": "Desa", "router_name": "http://jahat.example/"}, "Nama router seperti"),
        ({"act": "terbang"}, "Halaman ini tidak bisa"),
    ],
)
async def test_what_makes_no_sense_is_said_in_one_sentence(
    server: Server, database: Database, sent: dict[str, str], sentence: str
) -> None:
    budi = await signed_in(server, "budi")
    answer = await budi.post(LIST, data=sent, headers=OWN_PAGE)
    assert answer.status_code in {404, 422}
    assert re.search(sentence, answer.text), answer.text
    with database.reads() as db:
        assert db.scalars(select(VoucherBatch)).all() == []


async def test_names_that_look_like_markup_are_only_names(server: Server, database: Database, tmp_path: Path) -> None:
    budi = await signed_in(server, "budi")
    paper = {"act": "paper", "wifi_name": HOSTILE, "router_name": "10.5.50.1"}
    assert (await budi.post(LIST, data=paper, headers=OWN_PAGE)).is_redirect
    made = await budi.post(LIST, data=MAKE | {"note": "<script>alert(1)</script>"}, headers=OWN_PAGE)
    page = (await budi.get(LIST)).text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    printed = await budi.post(made.headers["location"], data={"act": "print", "size": "a4"}, headers=OWN_PAGE)
    assert "#let x = 1 $y$ \\ [<b>]" in said(printed.content, tmp_path, "pdftotext", "-layout")


async def test_guessing_is_slowed_down_by_account_then_by_device_then_by_village(
    server: Server, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guesses, "OF_ACCOUNT", 3)
    monkeypatch.setattr(guesses, "OF_DEVICE", 5)
    monkeypatch.setattr(guesses, "OF_VILLAGE", 7)
    _, codes = _issue(database)
    _, strange = _issue(database, OTHER, 1)
    miss = {"act": "find", "typed": strange[0]}

    async def tries(username: str, address: str) -> list[int]:
        visitor = browser(server, address=address)
        await send_sign_in(visitor, username)
        return [(await visitor.post(LIST, data=miss, headers=OWN_PAGE)).status_code for _ in range(4)]

    assert await tries("budi", "127.0.0.1") == [404, 404, 404, 429]
    assert await tries("sari", "127.0.0.1") == [404, 404, 429, 429], "the device is one"
    monkeypatch.setattr(guesses, "OF_ACCOUNT", 30)
    assert await tries("sari", "10.1.1.1") == [404, 404, 429, 429], "the village is one"
    budi = await signed_in(server, "budi")
    right = {"act": "find", "typed": codes[0]}
    assert (await budi.post(LIST, data=right, headers=OWN_PAGE)).status_code == 429, "nor is a hit told meanwhile"
    with database.writes() as db:
        db.execute(update(VoucherMiss).values(at_ms=VoucherMiss.at_ms - guesses.WINDOW_MS))
    assert (await budi.post(LIST, data=right, headers=OWN_PAGE)).status_code == 303


async def test_who_is_of_another_village_or_only_looks_gets_and_changes_nothing(
    server: Server, database: Database
) -> None:
    name, codes = _issue(database)
    citra, dedi = await signed_in(server, "citra"), await signed_in(server, "dedi")
    theirs = f"/desa/{REJOSARI}/wifi/voucher"
    for where in (LIST, f"{LIST}/{name}", f"{LIST}/{name}/1", f"{theirs}/{name}", f"{theirs}/{name}/1"):
        assert (await citra.get(where)).status_code == 404, where
        for act in ({"act": "print", "size": "a4"}, {"act": "revoke", "reason": "x"}, {"act": "extend", "hours": "1"}):
            assert (await citra.post(where, data=act, headers=OWN_PAGE)).status_code == 404, where
    assert (await citra.post(theirs, data={"act": "find", "typed": codes[0]}, headers=OWN_PAGE)).status_code == 404
    for where in (LIST, f"{LIST}/{name}", f"{LIST}/{name}/1"):
        assert "<form" not in (await dedi.get(where)).text.partition("<main")[2]
    acts = [(f"{LIST}/{name}", {"act": "print", "size": "a4"}), (f"{LIST}/{name}/1", {"act": "revoke", "reason": "x"})]
    for where, act in [*acts, (LIST, MAKE), (LIST, {"act": "find", "typed": codes[0]})]:
        assert (await dedi.post(where, data=act, headers=OWN_PAGE)).status_code == 403, act
        assert (await dedi.post(where, data=act)).status_code == 403, "not from our own page"
    with database.reads() as db:
        assert db.scalar(select(func.count()).select_from(Voucher).where(Voucher.revoked_ms.is_not(None))) == 0


async def test_ten_thousand_vouchers_are_listed_at_once(server: Server, database: Database) -> None:
    with database.writes() as db:
        name = vouchers.issue(db, SARI, PLACE, NewBatch("harian", 10_000), clock.now_ms()).id
    budi = await signed_in(server, "budi")
    for where in (LIST, f"{LIST}/{name}", f"{LIST}/{name}?dari=9901"):
        began = time.process_time()
        page = await budi.get(where)
        assert time.process_time() - began < 1, where
        assert "10.000" in page.text
        assert len(page.content) < 60_000
    assert "No. 10000" in page.text
    assert 'value="9001">9001–10000' in page.text


def test_the_database_says_of_each_voucher_what_the_rule_says(database: Database) -> None:
    now_ms = clock.now_ms()
    limits = [(0, 0, None), (100, 0, None), (0, 100, None), (100, 100, now_ms + 5000)]
    with database.writes() as db:
        for limit, valid, expires in limits:
            vouchers.issue(db, SARI, PLACE, NewBatch("harian", 18, limit, valid, expires), now_ms)
        for serial in range(1, 19):
            first = (None, now_ms - 50_000, now_ms - 100_000)[serial % 3]
            changes = {
                "first_used_ms": first,
                "used_seconds": (0, 100)[serial % 2],
                "more_seconds": (0, 0, 60)[serial // 6 % 3],
            }
            revoked = now_ms if serial == 18 else None
            db.execute(update(Voucher).where(Voucher.serial == serial).values(revoked_ms=revoked, **changes))
    with database.reads() as db:
        for at_ms in (now_ms, now_ms + 6000, now_ms + 70_000):
            for one, numbers in batches.listed(db, PLACE, at_ms):
                truth = dict.fromkeys(State, 0)
                for voucher in batches.some_of(db, one, 1):
                    truth[voucher_state.state(voucher, one, at_ms)] += 1
                assert numbers == truth == batches.numbers(db, one, at_ms)
