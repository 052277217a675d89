"""The page of odd data: what it is, where, what to do; for who looks after the whole regency."""

from typing import Final

from kampungnet.app import Server
from kampungnet.devices.knocks import Knock
from kampungnet.measurement.oddities import Odd
from tests.pages.cast import browser, signed_in
from tests.pages.losses import LOSING

JSON: Final = "/data/v1/oddities"


async def test_each_kind_is_said_in_plain_words_with_what_to_do(server: Server) -> None:
    sari = await signed_in(server, "sari")
    page = (await sari.get("/janggal")).text
    for words in (
        "Jam yang tidak bisa dipercaya",
        "Penghitung yang naik lebih cepat",
        "Perbarui kotak.",
        "1.200",
        "Kotak yang tidak dikenal siapa pun",
        "114.5.9.0/24",
        "Dua kotak yang melapor dengan satu kunci",
    ):
        assert words in page, words
    assert f'href="/desa/{LOSING}"' in page
    found = (await sari.get(JSON)).json()
    assert {one["what"] for one in found["devices"]} == {what.value for what in Odd}
    assert {one["what"] for one in found["knocks"]} == {what.value for what in Knock}


async def test_an_operator_and_a_stranger_see_none_of_it(server: Server) -> None:
    citra = await signed_in(server, "citra")
    for path in ("/janggal", JSON):
        assert (await citra.get(path)).status_code == 404
        assert (await browser(server).get(path)).status_code in {303, 401}


async def test_the_first_page_leads_there(server: Server) -> None:
    sari = await signed_in(server, "sari")
    assert 'href="/janggal"' in (await sari.get("/")).text
