"""Settings as boxes tell them: kept once a change, in any order, and seen by engineers alone."""

import hashlib
import itertools
import re
import zlib

import msgspec
import pytest
from sqlalchemy import select

from kampungnet.app import Server
from kampungnet.configs import service
from kampungnet.configs.models import ConfigBackup, ConfigRevision
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.devices.models import Device
from kampungnet.devices.service import village_states
from kampungnet.measurement.models import YoungReading
from kampungnet.shared import wire
from kampungnet.shared.config_body import ConfigBody
from kampungnet.staff import audit
from tests.pages.cast import OWN_PAGE, signed_in
from tests.pages.sample import hire
from tests.support.server import REGENCY, SITE, VILLAGE, Box, enrolled, ingested

HOUR_MS = 3_600_000
OLD = "/ip service set telnet disabled=no\n/ip dns set servers=1.1.1.1\n"
NEW = OLD.replace("telnet disabled=no", "telnet disabled=yes")
HOSTILE = '/system script add name="<script>alert(1)</script>"\n'
PAGE = f"/desa/{VILLAGE}/pengaturan-router"


def body(text: str, *, told: bool = True, backup: bytes = b"") -> ConfigBody:
    plain = text.encode()
    return ConfigBody(
        hashlib.sha256(plain).hexdigest(), "RB750Gr3", "6.42", "HC1", zlib.compress(plain) if told else b"",
        ["/ip hotspot user: 312"], backup,
    )  # fmt: skip


def tell(database: Database, box: Box, *visits: tuple[float, ConfigBody]) -> None:
    """Report visits, each with how many hours ago it was."""
    now_ms = clock.now_ms()
    readings = [
        box.reading(what, device="router-config", taken_at_ms=round(now_ms - hours * HOUR_MS))
        for hours, what in visits
    ]  # fmt: skip
    (receipt,) = ingested(database, box.request(box.report(*readings)))
    assert receipt.refused == []


def kept(database: Database) -> list[tuple[str, int]]:
    """Texts with the hours ago of their first sight, oldest first."""
    with database.reads() as db:
        rows = service.revisions(db, REGENCY, SITE, "router-config")
        return [(service.text_of(one), round((clock.now_ms() - one.first_ms) / HOUR_MS)) for one in rows]


def test_a_text_is_kept_once_however_often_it_is_told(database: Database) -> None:
    box = enrolled(database)
    tell(database, box, (9, body(OLD)), (6, body(OLD, told=False)), (3, body(NEW)), (1, body(NEW)))
    assert kept(database) == [(OLD, 9), (NEW, 3)]
    with database.reads() as db:
        last = [round((clock.now_ms() - one.last_ms) / HOUR_MS) for one in db.scalars(select(ConfigRevision))]
    assert sorted(last) == [1, 6]


VISITS = [(9, body(OLD)), (7, body(NEW)), (5, body(NEW, told=False)), (3, body(OLD)), (1, body(OLD, told=False))]


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (4, 0, 1, 2, 3), (3, 0, 1, 2, 4), (4, 3, 1, 0, 2), (3, 4, 1, 2, 0)])
def test_late_readings_are_put_where_they_belong(sqlite_database: Database, order: tuple[int, ...]) -> None:
    box = enrolled(sqlite_database)
    for place in order:
        tell(sqlite_database, box, VISITS[place])
    assert kept(sqlite_database) == [(OLD, 9), (NEW, 7), (OLD, 3)]


def test_in_any_order_nothing_that_was_seen_is_lost(sqlite_database: Database) -> None:
    box = enrolled(sqlite_database)
    visits = [(8, body(OLD)), (6, body(NEW)), (4, body(OLD)), (2, body(OLD))]
    for order in itertools.permutations(range(4)):
        with sqlite_database.writes() as db:
            db.query(ConfigRevision).delete()
        for place in order:
            tell(sqlite_database, box, visits[place])
        *before, (last, hours) = kept(sqlite_database)
        assert (before, last) == ([(OLD, 8), (NEW, 6)], OLD), order
        assert hours in {4, 2}, "of a stretch that is told before what parts it only the ends are known"


def test_the_reading_itself_is_kept_without_text_and_backup(database: Database) -> None:
    tell(database, enrolled(database), (1, body(OLD, backup=b"A" * 90_000)))
    with database.reads() as db:
        raw = db.scalars(select(YoungReading.payload)).one()
        state = db.scalars(select(Device.body).where(Device.kind == "config")).one()
        assert len(raw) < 1_000
        assert state is not None
        assert len(state) < 1_000
        (village,) = village_states(db, REGENCY, clock.now_ms(), VILLAGE)
        assert village.devices == (), "settings are no device that could be silent"


def test_five_backups_are_kept_of_a_router(database: Database) -> None:
    tell(database, enrolled(database), *((hours, body(OLD, backup=bytes([hours] * 9))) for hours in range(9, 1, -1)))
    with database.reads() as db:
        found = service.backups(db, REGENCY, SITE, "router-config")
        assert [one.size for one in found] == [9] * 5
        contents = db.scalars(select(ConfigBackup.content).order_by(ConfigBackup.taken_ms.desc())).all()
    assert [one[0] for one in contents] == [2, 3, 4, 5, 6]


def test_a_text_that_is_not_its_digests_is_refused_alone(sqlite_database: Database) -> None:
    box = enrolled(sqlite_database)
    wrong = msgspec.structs.replace(body(OLD), packed=zlib.compress(NEW.encode()))
    readings = [box.reading(wrong, device="router-config"), box.reading()]
    (receipt,) = ingested(sqlite_database, box.request(box.report(*readings)))
    (refused,) = receipt.refused
    assert (refused.position, refused.reason) == (0, "the settings are not those of their digest")
    assert receipt.accepted == [readings[1].sequence]


@pytest.fixture
def told(database: Database) -> Database:
    """A village whose router changed three hours ago, and the cast."""
    hire(database)
    tell(database, enrolled(database), (200, body(OLD)), (3, body(NEW + HOSTILE, backup=b"\xef\xa8\x91\x72AES")))
    return database


@pytest.fixture
def pages(told: Database) -> Server:
    return Server(told, upkeep=False)


async def test_an_engineer_sees_what_changed_and_finds_a_line(pages: Server) -> None:
    sari = await signed_in(pages, "sari")
    page = (await sari.get("/pengaturan-router")).text
    assert "Pengaturan 1 router disimpan" in page
    assert "2 baris baru, 1 hilang" in page
    assert f'href="{PAGE}?perangkat=router-config"' in page
    assert "Tidak ada yang berubah" in (await sari.get("/pengaturan-router?hari=1&cari=")).text or "2 baris" in page
    found = (await sari.get("/pengaturan-router?cari=TELNET")).text
    assert "Ditemukan di 1 router" in found
    assert "/ip service set telnet disabled=yes" in found
    assert "tidak ada router" in (await sari.get("/pengaturan-router?cari=nirwana")).text.lower()


async def test_the_page_of_a_router_shows_age_difference_and_warnings(pages: Server, told: Database) -> None:
    sari = await signed_in(pages, "sari")
    page = (await sari.get(PAGE)).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "CVE-2018-14847" in page, "this version is known for it"
    assert "/ip hotspot user: 312" in page
    first, last = (one.first_ms for one in _revisions(told))
    difference = (await sari.get(f"{PAGE}?dari={first}&ke={last}")).text
    assert "<del>− /ip service set telnet disabled=no</del>" in difference
    assert "<ins>+ /ip service set telnet disabled=yes</ins>" in difference
    text = await sari.get(f"{PAGE}/teks?saat={first}")
    assert text.text == OLD
    assert text.headers["content-disposition"] == f'attachment; filename="{SITE}-router-config.rsc"'
    assert (await sari.get(f"{PAGE}?perangkat=lain")).status_code == 404


def _revisions(database: Database) -> list[ConfigRevision]:
    with database.reads() as db:
        return service.revisions(db, REGENCY, SITE, "router-config")


async def test_taking_a_backup_is_written_down(pages: Server, told: Database) -> None:
    sari = await signed_in(pages, "sari")
    moment = re.search(r'name="saat" value="(\d+)"', (await sari.get(PAGE)).text)
    assert moment is not None
    answer = await sari.post(f"{PAGE}/cadangan", data={"saat": moment[1]}, headers=OWN_PAGE)
    assert (answer.status_code, answer.content) == (200, b"\xef\xa8\x91\x72AES")
    assert (await sari.post(f"{PAGE}/cadangan", data={"saat": "1"}, headers=OWN_PAGE)).status_code == 404
    with told.reads() as db:
        assert [one.what for one in audit.entries(db, REGENCY)] == ["config.backup"]


@pytest.mark.parametrize("name", ["budi", "citra", "dedi"])
async def test_nobody_else_finds_these_pages(pages: Server, name: str) -> None:
    visitor = await signed_in(pages, name)
    for path in ("/pengaturan-router", "/versi-router", PAGE, f"{PAGE}/teks"):
        assert (await visitor.get(path)).status_code == 404, path
    assert (await visitor.post(f"{PAGE}/cadangan", data={"saat": "1"}, headers=OWN_PAGE)).status_code == 404


async def test_a_router_that_was_replaced_is_named_first(pages: Server, told: Database) -> None:
    box = enrolled(told)
    failed = box.reading(
        device="router-config", outcome=wire.Outcome.LOGIN_REFUSED,
        detail="the SSH host key of 192.168.88.1:22 changed: another device answers there, or it was replaced",
    )  # fmt: skip
    ingested(told, box.request(box.report(failed)))
    page = (await (await signed_in(pages, "sari")).get("/pengaturan-router")).text
    assert "Kunci SSH router berubah: apakah router diganti?" in page


async def test_versions_are_grouped_with_what_is_known_against_them(pages: Server, told: Database) -> None:
    box = enrolled(told)
    ingested(told, box.request(box.report(box.reading())))
    page = (await (await signed_in(pages, "sari")).get("/versi-router")).text
    assert "7.20.4 (stable)" in page
    assert "Kampunganyar" in page
