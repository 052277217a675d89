"""The page of interruptions: who sees what, and what it says."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import update

from kampungnet.app import Server
from kampungnet.core import clock
from kampungnet.devices.models import Device
from kampungnet.measurement import incident_log
from tests.pages.cast import browser, signed_in
from tests.pages.losses import LOSING


def _update(server: Server) -> None:
    with server.database.writes() as db:
        incident_log.update(db, LOSING[:5], clock.now_ms())


async def test_what_goes_on_comes_first_and_every_incident_has_a_page(server: Server) -> None:
    _update(server)
    sari = await signed_in(server, "sari")
    page = (await sari.get("/gangguan")).text
    now, ended = page.split("31 hari terakhir")
    assert "masih berlangsung" in now
    assert "Listrik padam" in ended
    found = re.findall(r'href="(/gangguan/\w+)"', page)
    assert len(found) == len(set(found)) == 8
    one = (await sari.get(found[0])).text
    assert f'href="/desa/{LOSING}"' in one
    assert "belum semua data dari kotak pantau tiba" in one
    assert (await sari.get("/gangguan/0000000000")).status_code == 404


@pytest.fixture
def connected_again(server: Server) -> Iterator[None]:
    """The village that lost its line is connected, for a moment: all tests here share its database."""

    def say(*, is_up: bool) -> None:
        router = (Device.site == f"{LOSING}-1", Device.name == "router", Device.internet_up != is_up)
        with server.database.writes() as db:
            db.execute(update(Device).where(*router).values(internet_up=is_up).returning(Device.site)).one()

    say(is_up=True)
    yield
    say(is_up=False)


@pytest.mark.usefixtures("connected_again")
async def test_what_is_connected_again_and_not_judged_yet_goes_on_no_more(server: Server) -> None:
    _update(server)
    sari = await signed_in(server, "sari")
    page = (await sari.get("/gangguan")).text
    now, ended = page.split("31 hari terakhir")
    assert "Saat ini tidak ada" in now
    assert "layanan sudah kembali, lamanya sedang dinilai" in ended
    (one, *_) = re.findall(r'href="(/gangguan/\w+)"', ended)
    for address in (one, f"/desa/{LOSING}"):
        text = (await sari.get(address)).text
        assert "layanan sudah kembali" in text
        assert "masih berlangsung (" not in text


async def test_kecamatan_and_cause_narrow_the_list(server: Server) -> None:
    _update(server)
    sari = await signed_in(server, "sari")
    only = (await sari.get("/gangguan", params={"sebab": "listrik"})).text
    assert len(re.findall(r'href="/gangguan/\w+"', only)) == 1
    nothing = (await sari.get("/gangguan", params={"kecamatan": "35.10.01"})).text
    assert "Tidak ada dengan pilihan ini." in nothing


async def test_an_operator_sees_the_own_village_only(server: Server) -> None:
    _update(server)
    citra = await signed_in(server, "citra")
    page = (await citra.get("/gangguan")).text
    assert 'href="/gangguan/' not in page
    sari = await signed_in(server, "sari")
    (one, *_) = re.findall(r'href="(/gangguan/\w+)"', (await sari.get("/gangguan")).text)
    assert (await citra.get(one)).status_code == 404
    assert (await citra.get("/data/v1/incidents")).json() == []
    assert (await browser(server).get("/data/v1/incidents")).status_code == 401


async def test_programs_get_the_same_as_people(server: Server) -> None:
    _update(server)
    sari = await signed_in(server, "sari")
    found = (await sari.get("/data/v1/incidents")).json()
    assert len(found) == 8
    assert {tuple(one["villages"]) for one in found} == {(LOSING,)}
    assert found[0]["end"] is None
    assert found[0]["start"].endswith("+07:00")
