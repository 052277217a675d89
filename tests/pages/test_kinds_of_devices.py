"""The village page with other devices than a router and an ONT that tells, and the engineers' list of ONUs."""

import re
import time

import pytest

from kampungnet.app import Server
from kampungnet.core.pages import all_languages
from kampungnet.measurement.notices import notices
from kampungnet.shared import wire
from tests.pages.cast import signed_in
from tests.pages.kinds import CAMERA, DECLINING, DOUBLED, HEAD_END, MUTE, OLT_ONLY, SEARCHED, SERIAL, STRAY
from tests.pages.sample import KAMPUNGANYAR, REJOSARI
from tests.support.server import router_body

INDONESIAN = all_languages()["id"]


async def _page(server: Server, code: str, query: str = "") -> str:
    return (await (await signed_in(server, "sari")).get(f"/desa/{code}{query}")).text


def _section(page: str, heading: str) -> str:
    (found,) = re.findall(rf'<section class="card">\s*<h2>{heading}.*?</section>', page, re.DOTALL)
    text: str = found
    return text


async def test_light_in_slow_decline_says_when_it_is_likely_to_fail_and_how_sure_that_is(server: Server) -> None:
    page = await _page(server, DECLINING)
    light = _section(page, "Cahaya serat optik")
    assert "\N{MINUS SIGN}24,4\xa0dBm: baik" in light
    slope = re.search(r"Turun pelan: (\d,\d) dB sebulan \(antara (\d,\d+) dan (\d,\d+)\), dilihat dari 75 hari", light)
    assert slope
    low, middle, high = (float(slope[n].replace(",", ".")) for n in (2, 1, 3))
    assert 1.2 <= low <= middle <= high <= 1.6, "1.4 dB a month were put in"
    told = re.search(r"akan putus kira-kira (\d+) hari lagi \(antara (\d+) dan (\d+) hari", light)
    assert told
    assert int(told[2]) < int(told[1]) < int(told[3])
    assert 40 < int(told[1]) < 70, "2.6 dB are left"
    assert "Minta penyedia memeriksa serat optik sebelum itu." in light
    assert light.count('class="band band-critical" width="100%"') == 2
    english = await _page(server, DECLINING, "?lang=en")
    assert re.search(r"the line will fail in about \d+ days \(between \d+ and \d+ days", english)


async def test_light_that_stays_is_not_foretold_to_fail(server: Server) -> None:
    light = _section(await _page(server, OLT_ONLY), "Cahaya serat optik")
    assert "Tidak menurun, dilihat dari 40 hari." in light
    assert "putus" not in light


async def test_a_village_that_only_the_olt_sees_shows_its_modem_and_its_light(server: Server) -> None:
    page = await _page(server, OLT_ONLY)
    assert "Terhubung, sejauh terlihat oleh OLT penyedia." in page
    assert "diukur modem, ditanyakan lewat OLT penyedia" in _section(page, "Cahaya serat optik")
    devices = _section(page, "Perangkat")
    assert "Modem serat optik (ONT) menurut OLT: modem bekerja" in devices
    assert SERIAL in devices
    assert "listriknya padam (2026-11-20 07:12:45 menurut jam OLT)" in devices
    assert "Lalu lintas internet" not in page


async def test_how_sure_a_reading_is_stands_beside_it_with_its_meaning(server: Server) -> None:
    recorded, by_mib = await _page(server, DECLINING), await _page(server, OLT_ONLY)
    assert '<span class="tag">tercatat</span> <small>sudah dicocokkan dengan rekaman alat asli' in recorded
    assert '<span class="tag">dari MIB</span> <small>ditulis menurut buku pembuatnya' in by_mib


async def test_cameras_and_access_points_stand_with_latency_traffic_and_age(server: Server) -> None:
    devices = _section(await _page(server, CAMERA), "Perangkat")
    kinds = re.findall(r"</svg> ([^<]+)</h3>", devices)
    assert kinds == [
        "Router: menjawab", "Modem serat optik (ONT): menjawab", "Titik akses wifi ap: menjawab",
        "Kamera: menjawab", "Perangkat camera-2: tidak menjawab",
    ]  # fmt: skip
    assert devices.count("4,3 ms") == 2
    assert "menerima 115 MB, mengirim 25,9 GB" in devices or "menerima 116 MB, mengirim 26,0 GB" in devices
    assert "<dt>rtsp (554)</dt><dd><bdi>menjawab</bdi></dd>" in devices
    assert "<dt>http (80)</dt><dd><bdi>tidak menjawab</bdi></dd>" in devices
    assert "<dt>Perangkat di wifinya</dt><dd><bdi>9</bdi></dd>" in devices


async def test_a_modem_that_tells_nothing_is_said_to_and_what_is_judged_instead(server: Server) -> None:
    page = await _page(server, MUTE)
    assert page.count("ONT ini tidak memberi data. Gangguan dinilai dari router, kotak, dan desa tetangga.") == 1
    english = await _page(server, MUTE, "?lang=en")
    assert "This ONT gives no data." in english
    for told, said in ((page, "tidak ada di router ini"), (english, "this router does not have it")):
        assert f"<li><bdi>capsman: {said}</bdi></li>" in told


async def test_what_waits_at_the_router_is_a_short_list_and_only_where_something_does(server: Server) -> None:
    todo = _section(await _page(server, MUTE), "Yang perlu dikerjakan di router")
    assert todo.count("<li>") == 7
    assert "hanya mengizinkan satu orang memakai wifi" in todo
    assert "tambahkan test pada grupnya" in todo
    assert "teknisi kabupaten" not in todo
    dedi = await signed_in(server, "dedi")
    told = _section((await dedi.get(f"/desa/{MUTE}")).text, "Yang perlu dikerjakan di router")
    assert "Untuk teknisi kabupaten" in told
    assert "Yang perlu dikerjakan" not in await _page(server, KAMPUNGANYAR)


@pytest.mark.parametrize(
    "body",
    [
        router_body(), router_body(licence_level="4", hotspot_allowed=True, fasttrack=True),
        router_body(fasttrack=True, queues=[wire.Queue("tamu", disabled=True)]),
        router_body(installed_version="7.20.4", latest_version="7.20.4"), router_body(installed_version="7.20.4"),
        router_body(firmware="7.20.4", firmware_available="7.20.4"), router_body(hotspots=[wire.HotspotServer("hs1")]),
        router_body(missing=["wifi: no such menu on this router"]), router_body(licence_level="free"),
    ],
)  # fmt: skip
def test_a_router_that_is_as_it_should_be_gives_no_work(body: wire.RouterBody) -> None:
    assert notices(body, INDONESIAN) == []


def test_rights_that_lack_are_named_once() -> None:
    missing = ["ping internet: x (right: test)", "ping server: x (right: test)", "log: x (right: read)"]
    (sentence,) = notices(router_body(missing=missing), INDONESIAN)
    assert "tambahkan read, test pada grupnya" in sentence


def test_a_hotspot_that_is_off_or_absent_is_said() -> None:
    body = router_body(
        hotspots=[wire.HotspotServer("hs%s(x)", disabled=True)], missing=["hotspot: the package is disabled"]
    )
    assert [sentence.split(":")[0] for sentence in notices(body, INDONESIAN)] == [
        "Paket hotspot di router tidak ada atau dimatikan",
        "Hotspot hs%s(x) dimatikan",
    ]


async def test_engineers_see_onus_without_a_village_and_those_reported_twice(server: Server) -> None:
    sari = await signed_in(server, "sari")
    assert '<a href="/onu">2 modem serat optik tanpa desa atau dilaporkan dua kali</a>' in (await sari.get("/")).text
    page = (await sari.get("/onu")).text
    nobodys, doubled = page.split("Dilaporkan OLT kedua")
    assert STRAY in nobodys
    assert SERIAL not in page, "it has its village"
    assert f"modem: 1 masih dicari (40 baris dilihat): {SEARCHED}" in page
    assert re.search(rf"{DOUBLED}.*Wringinpitu.*Rejosari, olt-timur", doubled, re.DOTALL)


async def test_an_operator_never_sees_anothers_onu_even_where_the_olt_is_asked(server: Server) -> None:
    assert HEAD_END == REJOSARI
    citra = await signed_in(server, "citra")
    page = (await citra.get(f"/desa/{REJOSARI}")).text
    assert "OLT penyedia: menjawab" in page
    assert "3, 1 di antaranya tidak bekerja" in page
    for serial in (SERIAL, STRAY, DOUBLED, SEARCHED):
        assert serial not in page
    assert (await citra.get("/onu")).status_code == 404
    assert (await citra.get(f"/desa/{OLT_ONLY}")).status_code in {403, 404}


async def test_the_village_page_and_the_list_are_quick(server: Server) -> None:
    sari = await signed_in(server, "sari")
    for path in (f"/desa/{DECLINING}", f"/desa/{CAMERA}", "/onu"):
        await sari.get(path)
        best = 9.0  # of our own work: what else the machine does at the moment says nothing about the page
        for _ in range(3):
            started = time.process_time()
            assert (await sari.get(path)).status_code == 200
            best = min(best, time.process_time() - started)
        assert best < 0.4, path
