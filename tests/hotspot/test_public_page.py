"""What everybody may see of a village's line, and what nobody may."""

from kampungnet.app import Server
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.shared import wire
from tests.pages.cast import browser, signed_in
from tests.pages.sample import hire
from tests.support.server import VILLAGE, Box, ingested, router_body


async def test_a_stranger_sees_that_the_line_is_up_and_no_device(database: Database, box: Box) -> None:
    ingested(database, box.request(box.report(box.reading(router_body(1)))))
    answer = await browser(Server(database, upkeep=False)).get(f"/info/{VILLAGE}")
    assert answer.status_code == 200
    assert "Internet balai desa berfungsi." in answer.text
    assert "baru saja" in answer.text
    assert "Bulan ini masih dinilai" in answer.text
    assert "ether1" not in answer.text
    assert "set-cookie" not in answer.headers
    assert answer.headers["cache-control"] == "public, max-age=30"


async def test_a_line_that_is_cut_says_so_in_both_languages(database: Database, box: Box) -> None:
    cut = router_body(1, pings=[wire.Ping("internet", "203.0.113.1", sent=3, received=0)])
    ingested(database, box.request(box.report(box.reading(cut, taken_at_ms=clock.now_ms() - 30_000))))
    stranger = browser(Server(database, upkeep=False))
    assert "Internet balai desa terputus." in (await stranger.get(f"/info/{VILLAGE}")).text
    assert "The internet of the village office is cut." in (await stranger.get(f"/info/{VILLAGE}?lang=en")).text


async def test_a_village_without_a_box_and_one_that_does_not_exist(database: Database) -> None:
    stranger = browser(Server(database, upkeep=False))
    page = (await stranger.get("/info/35.10.15.2003")).text
    assert "belum ada yang diukur" in page
    assert "masih dinilai" not in page
    assert (await stranger.get("/info/99.99.99.9999")).status_code == 404
    assert (await stranger.get("/info/%3Cscript%3E")).status_code == 404


async def test_who_is_signed_in_leaves_no_name_on_the_page(database: Database) -> None:
    hire(database)
    budi = await signed_in(Server(database, upkeep=False), "budi")
    assert "Pak Budi" not in (await budi.get(f"/info/{VILLAGE}")).text


async def test_what_one_visitor_writes_behind_the_address_is_on_nobody_elses_page(database: Database) -> None:
    server = Server(database, upkeep=False)
    assert "umpan" in (await browser(server).get(f"/info/{VILLAGE}?umpan=1")).text
    for _ in range(2):  # drawn, then from the shelf
        assert "umpan" not in (await browser(server).get(f"/info/{VILLAGE}")).text
