"""The desk of a village office in a browser: what it shows, what it does, what it refuses, and who sees it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from kampungnet.app import Server
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.hotspot import portal_pages, portals
from kampungnet.hotspot.models import HotspotBinding, HotspotKick
from kampungnet.hotspot.policy import Policy
from kampungnet.shared.portal_body import SLOT_MS, CheckStep, PortalBody, PortalHost, PortalSession, PortalSlot, Way
from kampungnet.shared.wanted import WantedQuestion, WantedTries
from kampungnet.staff.service import Role, Scope, SignedIn
from kampungnet.upkeep import end_notices
from tests.pages.cast import OWN_PAGE, signed_in
from tests.pages.sample import KAMPUNGANYAR, REGENCY, fill, hire
from tests.support.server import enrolled, ingested

PLACE = (REGENCY, f"{KAMPUNGANYAR}-1")
DESK = f"/desa/{KAMPUNGANYAR}/wifi"
GUEST = "g-abcdefghijklmnop"
SARI = SignedIn("sari", "Ibu Sari", Role.ENGINEER, Scope(REGENCY))


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    database = Database(database_url, tmp_path / "kampungnet.key")
    fill(database, clock.now_ms(), history=(), whole=False)
    hire(database)
    box = enrolled(database, KAMPUNGANYAR)
    now_ms = clock.now_ms()
    slots = [PortalSlot(now_ms // SLOT_MS, 600, 1_000_000, 9_000_000)]
    online = PortalSession("00000000000000aa", GUEST, Way.VOUCHER, now_ms - 600_000, now_ms, slots, "V1", "harian")
    body = PortalBody(
        server="balaidesa", running=True, online=1, hosts=2, sessions=[online],
        without_session=[PortalHost("g-tvtvtvtvtvtvtvtv")],
        check=[CheckStep("server", good=True), CheckStep("pages", good=False, detail="Berkas <b>login</b> ditolak.")],
        drift=["user kampungnet:V1: limit-uptime"], held=1234,
    )  # fmt: skip
    ingested(database, box.request(box.report(box.reading(body, device="portal"))))
    with database.writes() as db:
        portals.set_policy(db, SARI, PLACE, Policy(managed=True), now_ms)
    yield database
    database.close()


@pytest.fixture
def server(database: Database) -> Server:
    return Server(database, upkeep=False)


async def test_the_desk_tells_who_is_online_what_was_used_and_what_fails(server: Server) -> None:
    budi = await signed_in(server, "budi")
    page = (await budi.get(DESK)).text
    assert "abcde" in page
    assert GUEST in page  # in the form's hidden field, by which the box knows the device
    assert re.search(r"10(,0)? MB", page)
    assert "Tidak: Router menerima semuanya gagal." in page
    assert "Berkas &lt;b&gt;login&lt;/b&gt; ditolak." in page
    assert "1 perangkat online hari ini" in page
    assert "sudah dikembalikan: user kampungnet:V1: limit-uptime" in page
    assert "Belum ada kotak yang meminta aturan wifi ini." in page
    assert "1.234 ketukan di halaman masuknya datang terlalu cepat dan ditahan" in page
    english = (await budi.get(DESK + "?lang=en")).text
    assert "Can a citizen get online right now?" in english


async def test_a_session_is_ended_and_the_box_is_told(server: Server, database: Database) -> None:
    budi = await signed_in(server, "budi")
    sent = {"act": "kick", "one": "00000000000000aa"}
    assert (await budi.post(DESK, data=sent, headers=OWN_PAGE)).status_code == 303
    with database.reads() as db:
        assert db.scalars(select(HotspotKick.session)).all() == ["00000000000000aa"]
    gone = await budi.post(DESK, data={"act": "kick", "one": "00000000000000bb"}, headers=OWN_PAGE)
    assert gone.status_code == 404
    assert "Perangkat ini sudah tidak online." in gone.text


async def test_a_device_is_kept_out_and_a_printer_let_through_sealed(server: Server, database: Database) -> None:
    budi = await signed_in(server, "budi")
    block = {"act": "bind", "kind": "blocked", "one": GUEST, "reason": "Mengunduh film <i>", "days": "3"}
    mac = "00-1a-2b-3c-4d-5e"
    printer = {"act": "bind", "kind": "bypassed", "mac": mac, "label": "Printer", "reason": "Cetak", "days": "0"}
    for sent in (block, printer):
        assert (await budi.post(DESK, data=sent, headers=OWN_PAGE)).status_code == 303
    sari = await signed_in(server, "sari")
    rules = {"act": "policy", "ways": ["managed", "click", "vouchers"], "minutes": "60", "plan": "tamu"}
    assert (await sari.post(DESK, data=rules, headers=OWN_PAGE)).status_code == 303
    with database.reads() as db:
        found = portals.wanted(db, PLACE, [], clock.now_ms())
        stored = db.scalars(select(HotspotBinding.mac).where(HotspotBinding.mac.is_not(None))).one()
    assert b"2B" not in (stored or b"")
    assert {(one.kind.value, one.guest, one.mac) for one in found.bindings} == {
        ("blocked", GUEST, ""),
        ("bypassed", "", "00:1A:2B:3C:4D:5E"),
    }
    page = (await budi.get(DESK)).text
    assert "Mengunduh film &lt;i&gt;" in page
    assert "00:1A:2B" not in page


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"act": "bind", "kind": "blocked", "one": "g-x", "reason": "a", "days": "1"}, "Pilih perangkat dari daftar"),
        ({"act": "bind", "kind": "bypassed", "mac": "00:11", "reason": "a", "days": "0"}, "Alamat perangkat seperti"),
        ({"act": "bind", "mac": "01:00:5e:00:00:01", "reason": "a", "days": "0"}, "banyak perangkat sekaligus"),
        ({"act": "bind", "mac": "00:11:22:33:44:55", "reason": " ", "days": "0"}, "Silakan tulis alasannya"),
        ({"act": "bind", "kind": "blocked", "one": GUEST, "reason": "a", "days": "0"}, "paling lama satu tahun"),
        ({"act": "bind", "kind": "blocked", "one": GUEST, "reason": "a", "days": "-1"}, "Tulis bilangan bulat"),
        ({"act": "bind", "kind": "blocked", "one": GUEST, "reason": "a", "days": "٣"}, "Tulis bilangan bulat"),
        ({"act": "account", "name": "Kades!", "password": "rahasia-desa", "plan": "kantor"}, "huruf kecil"),
        ({"act": "account", "name": "kades", "password": "pendek", "plan": "kantor"}, "8 sampai 60"),
        ({"act": "account", "name": "kades", "password": "rahasia-desa", "plan": "emas"}, "Paket itu tidak ada"),
        ({"act": "say", "text": "x" * 501, "days": "1"}, "500 huruf"),
        ({"act": "policy", "ways": ["managed", "click"], "plan": "emas", "minutes": "1"}, "Paket itu tidak ada"),
        ({"act": "terbang"}, "Halaman ini tidak bisa"),
        ({}, "Halaman ini tidak bisa"),
    ],
)
async def test_what_makes_no_sense_is_said_in_one_sentence(
    server: Server, sent: dict[str, str | list[str]], sentence: str
) -> None:
    budi = await signed_in(server, "budi")
    answer = await budi.post(DESK, data=sent, headers=OWN_PAGE)
    assert answer.status_code in {404, 422}
    assert sentence in answer.text


async def test_an_account_a_notice_and_the_rules_reach_the_wanted_state(server: Server, database: Database) -> None:
    budi, sari = await signed_in(server, "budi"), await signed_in(server, "sari")
    account = {"act": "account", "name": "kades", "password": "rahasia-desa", "plan": "kantor"}
    assert (await budi.post(DESK, data=account, headers=OWN_PAGE)).status_code == 303
    twice = await budi.post(DESK, data=account, headers=OWN_PAGE)
    assert (twice.status_code, "Nama ini sudah dipakai" in twice.text) == (409, True)
    assert "rahasia-desa" not in twice.text
    notice = {"act": "say", "text": "Posyandu Selasa pagi", "days": "3"}
    assert (await budi.post(DESK, data=notice, headers=OWN_PAGE)).status_code == 303
    assert "Posyandu Selasa pagi" in (await budi.get(DESK)).text
    alone = {"act": "policy", "ways": ["accounts"], "minutes": "0", "plan": "tamu"}
    assert (await budi.post(DESK, data=alone, headers=OWN_PAGE)).status_code == 403, "an engineer decides that"
    managed = {"act": "policy", "ways": ["managed", "accounts"], "minutes": "0", "plan": "tamu"}
    assert (await sari.post(DESK, data=managed, headers=OWN_PAGE)).status_code == 303
    with database.writes() as db:
        found = portals.wanted(db, PLACE, [], clock.now_ms())
        portals.asked(db, PLACE, WantedQuestion("A", 1, found.revision, found.revision), clock.now_ms())
    assert [(one.name, one.password) for one in found.users] == [("kades", "rahasia-desa")]
    assert found.click is None
    assert "Router mengikuti aturan di halaman ini." in (await budi.get(DESK)).text
    acts = (await sari.get("/catatan")).text
    assert "Akun wifi dibuat" in acts
    assert "rahasia-desa" not in acts


async def test_guesses_are_held_unless_an_engineer_says_otherwise(server: Server, database: Database) -> None:
    budi, sari = await signed_in(server, "budi"), await signed_in(server, "sari")

    def tries() -> WantedTries | None:
        with database.reads() as db:
            return portals.wanted(db, PLACE, [], clock.now_ms()).tries

    assert tries() == WantedTries(30, 30)
    rules = {"act": "policy", "ways": ["managed", "click"], "minutes": "60", "plan": "tamu"}
    assert 'name="tries"' not in (await budi.get(DESK)).text
    assert (await budi.post(DESK, data=rules, headers=OWN_PAGE)).status_code == 303
    assert tries() == WantedTries(30, 30), "a form that does not show it does not change it"
    assert (await budi.post(DESK, data=rules | {"tries": "0"}, headers=OWN_PAGE)).status_code == 403
    assert 'name="tries"' in (await sari.get(DESK)).text
    assert (await sari.post(DESK, data=rules | {"tries": "many"}, headers=OWN_PAGE)).status_code == 422
    assert tries() == WantedTries(30, 30)
    assert (await sari.post(DESK, data=rules | {"tries": "5"}, headers=OWN_PAGE)).status_code == 303
    assert tries() == WantedTries(5, 10), "a page and its parts come at once"
    assert (await sari.post(DESK, data=rules | {"tries": "9999"}, headers=OWN_PAGE)).status_code == 303
    assert tries() == WantedTries(600, 600)
    assert (await sari.post(DESK, data=rules | {"tries": "0"}, headers=OWN_PAGE)).status_code == 303
    assert tries() is None


async def test_others_see_nothing_of_it_and_who_only_looks_changes_nothing(server: Server, database: Database) -> None:
    citra, dedi = await signed_in(server, "citra"), await signed_in(server, "dedi")
    assert (await citra.get(DESK)).status_code == 404
    kick = {"act": "kick", "one": "00000000000000aa"}
    assert (await citra.post(DESK, data=kick, headers=OWN_PAGE)).status_code == 404
    page = (await dedi.get(DESK)).text
    assert "<form" not in page.partition("<main")[2]
    assert (await dedi.post(DESK, data=kick, headers=OWN_PAGE)).status_code == 403
    assert (await dedi.post(DESK, data=kick)).status_code == 403, "not from our own page"
    with database.reads() as db:
        assert db.scalars(select(HotspotKick)).all() == []


async def test_where_the_router_is_only_read_nothing_is_said_to_be_done(server: Server, database: Database) -> None:
    with database.writes() as db:
        portals.set_policy(db, SARI, PLACE, Policy(), clock.now_ms())
        portals.asked(db, PLACE, WantedQuestion("A", 1, 3, 3), clock.now_ms())
    budi = await signed_in(server, "budi")
    assert "Router wifi ini hanya dibaca" in (await budi.get(DESK)).text
    block = {"act": "bind", "kind": "blocked", "one": GUEST, "reason": "x", "days": "1"}
    for sent in ({"act": "kick", "one": "00000000000000aa"}, block):
        answer = await budi.post(DESK, data=sent, headers=OWN_PAGE)
        assert (answer.status_code, "belum diatur dari sini" in answer.text) == (409, True)


async def test_a_notice_leaves_the_login_page_when_its_days_are_over(
    server: Server, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    budi = await signed_in(server, "budi")
    await budi.post(DESK, data={"act": "say", "text": "Posyandu", "days": "1"}, headers=OWN_PAGE)
    with database.reads() as db:
        before = portals.revision(db, PLACE)
        assert "Posyandu" in str(portal_pages.of_site(db, PLACE, clock.now_ms()))
    end_notices(database)
    later_ms = clock.now_ms() + clock.DAY_MS + 1
    monkeypatch.setattr(clock, "now_ms", lambda: later_ms)
    with database.reads() as db:
        assert portals.revision(db, PLACE) == before
    end_notices(database)
    with database.reads() as db:
        assert portals.revision(db, PLACE) == before + 1
        assert "Posyandu" not in str(portal_pages.of_site(db, PLACE, later_ms))


async def test_an_account_gets_a_new_password_and_one_that_ended_is_let_in_again(
    server: Server, database: Database
) -> None:
    budi, citra = await signed_in(server, "budi"), await signed_in(server, "citra")
    account = {"act": "account", "name": "kades", "password": "rahasia-desa", "plan": "kantor"}
    await budi.post(DESK, data=account, headers=OWN_PAGE)
    with database.reads() as db:
        (one,) = portals.wanted(db, PLACE, [], clock.now_ms()).users
    reset = {"act": "reset-account", "one": one.reference, "password": "kata-sandi-baru"}
    assert (await citra.post(DESK, data=reset, headers=OWN_PAGE)).status_code == 404
    short = await budi.post(DESK, data=reset | {"password": "pendek"}, headers=OWN_PAGE)
    assert (short.status_code, "8 sampai 60" in short.text) == (422, True)
    await budi.post(DESK, data={"act": "end-account", "one": one.reference}, headers=OWN_PAGE)
    with database.reads() as db:
        assert portals.wanted(db, PLACE, [], clock.now_ms()).users == []
    assert "dihentikan" in (await budi.get(DESK)).text
    assert (await budi.post(DESK, data=reset, headers=OWN_PAGE)).status_code == 303
    with database.reads() as db:
        (again,) = portals.wanted(db, PLACE, [], clock.now_ms()).users
    assert (again.reference, again.password) == (one.reference, "kata-sandi-baru")
    acts = (await (await signed_in(server, "sari")).get("/catatan")).text
    assert "Akun wifi diberi kata sandi baru" in acts
    assert "kata-sandi-baru" not in acts
