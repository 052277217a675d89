import re

import pytest

from kampungnet.app import Server
from tests.pages.cast import signed_in
from tests.pages.sample import KAMPUNGANYAR, REJOSARI


async def test_pak_budi_lands_on_his_village_and_reads_one_sentence(server: Server) -> None:
    budi = await signed_in(server, "budi")
    assert (await budi.get("/")).headers["location"] == f"/desa/{KAMPUNGANYAR}"
    page = (await budi.get(f"/desa/{KAMPUNGANYAR}")).text
    assert "<h1>Kampunganyar</h1>" in page
    assert "Terhubung. 12 orang memakai wifi." in page
    assert "Connected. 12 people are using the wifi." in (await budi.get(f"/desa/{KAMPUNGANYAR}?lang=en")).text


async def test_pak_budi_reads_that_his_devices_answer_and_opens_the_rest_only_for_an_engineer(server: Server) -> None:
    for who, folds in (("budi", True), ("sari", False)):
        page = (await (await signed_in(server, who)).get(f"/desa/{KAMPUNGANYAR}")).text
        devices = page.split("<h2>Perangkat</h2>")[1].split("</section>")[0]
        open_to_all = re.sub(r"<details.*?</details>", "", devices, flags=re.DOTALL)
        assert "Router: menjawab" in open_to_all
        assert "Jawaban terakhir" in open_to_all
        assert ("RB760iGS" in open_to_all) is not folds
        assert "RB760iGS" in devices


async def test_charts_show_a_day_and_a_month_with_the_same_in_words_and_numbers(server: Server) -> None:
    sari = await signed_in(server, "sari")
    page = (await sari.get(f"/desa/{KAMPUNGANYAR}")).text
    assert page.count('role="img"') == 6, "traffic, people and light, each for 24 hours and 30 days"
    for words in ("Lalu lintas internet", "Orang memakai wifi", "Cahaya serat optik"):
        assert f"<h2>{words}" in page
    summary = re.search(r"Unduh rata-rata ([\d,]+) Mbps, tertinggi ([\d,]+) Mbps pukul \d\d\.\d\d\.", page)
    assert summary
    assert 1 < float(summary[1].replace(",", ".")) < float(summary[2].replace(",", ".")) < 30
    assert re.search(r"data \d+% lengkap", page)
    assert page.count("Lihat angkanya") == 6
    assert page.count('class="limit limit-critical" x2="100%"') == 2


async def test_a_silent_village_says_since_when_and_shows_nothing_green(server: Server) -> None:
    sari = await signed_in(server, "sari")
    page = (await sari.get("/desa/35.10.01.2001")).text
    assert re.search(r"Tidak ada kabar sejak (hari ini|kemarin) pukul \d\d\.\d\d\xa0WIB: kemungkinan listrik", page)
    assert 'class="card state is-silent stale"' in page
    assert 'is-up"' not in page.split("<main")[1]
    assert page.count('<li class="stale">') == 2, "both devices"
    assert "Router: tidak ada kabar" in page
    assert ": menjawab" not in page


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("35.10.12.2005", "Gangguan: tidak ada cahaya di serat optik."),
        ("35.10.16.1002", "Gangguan: router tidak menjawab."),
        ("35.10.20.2001", "Gangguan: internet putus."),
        ("35.10.03.2001", "Belum ada kotak yang dipasang di desa ini."),
    ],
)
async def test_trouble_is_said_in_one_plain_sentence(server: Server, code: str, sentence: str) -> None:
    sari = await signed_in(server, "sari")
    assert sentence in (await sari.get(f"/desa/{code}")).text


async def test_weak_light_asks_for_the_provider_before_it_fails(server: Server) -> None:
    citra = await signed_in(server, "citra")
    page = (await citra.get(f"/desa/{REJOSARI}")).text
    assert "Cahaya lemah (\N{MINUS SIGN}26,1\xa0dBm). Minta penyedia memeriksa serat optik." in page


async def test_interruptions_are_listed_with_start_length_and_what_was_seen(server: Server) -> None:
    sari = await signed_in(server, "sari")
    page = (await sari.get("/desa/35.10.01.2001")).text
    first = re.search(r"<tbody>\s*<tr><td>([^<]+)</td><td[^>]*>([^<]+)</td><td[^>]*>Kotak tidak melapor</td>", page)
    assert first
    assert first[2].endswith("masih berlangsung")


async def test_a_hostile_name_from_a_router_is_shown_and_never_obeyed(server: Server) -> None:
    sari = await signed_in(server, "sari")
    page = (await sari.get(f"/desa/{KAMPUNGANYAR}")).text
    assert page.count("<script") == page.count('<script src="/static/fresh') == 1
    assert "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;gnp.exe</bdi>" in page


@pytest.mark.parametrize(
    "code", ["35.10.99.2001", "35.10", "33.10.01.2001", "x'--", "%00", "35.10.15.201%00", "35.10.15.2012/..", "a" * 900]
)
async def test_a_village_that_does_not_exist_is_not_found(server: Server, code: str) -> None:
    sari = await signed_in(server, "sari")
    answer = await sari.get(f"/desa/{code}")
    assert answer.status_code == 404
    assert "Kembalilah ke halaman pertama." in answer.text
