from collections.abc import AsyncIterator

from kampungnet.app import Server
from kampungnet.core.errors import Conflict
from tests.pages.cast import OWN_PAGE, browser, signed_in


async def test_a_defect_becomes_one_sentence_and_tells_nothing(server: Server) -> None:
    @server.pages.get("/boom")
    def boom() -> None:
        raise ZeroDivisionError("secret detail")

    sari = await signed_in(server, "sari")
    answer = await sari.get("/boom")
    assert answer.status_code == 500
    assert "Ada gangguan di pihak kami" in answer.text
    assert "secret" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_a_refusal_of_a_service_is_said_in_the_readers_language(server: Server) -> None:
    @server.pages.get("/again")
    def again() -> None:
        raise Conflict("There is no such village here. Go back to the first page.")

    sari = await signed_in(server, "sari")
    assert "Tidak ada desa seperti itu di sini." in (await sari.get("/again")).text
    assert "There is no such village here." in (await sari.get("/again?lang=en")).text


async def test_unknown_paths_and_methods_are_pages_and_json_for_programs(server: Server) -> None:
    sari = await signed_in(server, "sari")
    missing = await sari.get("/nowhere")
    assert missing.status_code == 404
    assert "Halaman ini tidak ada" in missing.text
    assert (await sari.post("/tentang", headers=OWN_PAGE, data={})).status_code == 405
    program = await sari.get("/api/v1/nowhere")
    assert program.status_code == 404
    assert program.headers["content-type"] == "application/json"
    assert set(program.json()) == {"detail"}


async def test_a_form_from_elsewhere_is_refused_and_changes_nothing(server: Server) -> None:
    sari = await signed_in(server, "sari")
    foreign: tuple[dict[str, str], ...] = (
        {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"},
        {"Origin": "null"}, {},
    )  # fmt: skip
    for headers in foreign:
        answer = await sari.post("/keluar", headers=headers)
        assert answer.status_code == 403, headers
        assert "tidak dikirim dari halaman KampungNet" in answer.text
    assert (await sari.get("/")).status_code == 200, "still signed in"


async def test_an_older_browser_is_known_by_its_origin(server: Server) -> None:
    sari = await signed_in(server, "sari")
    assert (await sari.post("/keluar", headers={"Origin": "http://127.0.0.1:8080"})).status_code == 303
    assert (await sari.get("/")).status_code == 303, "signed out"


async def test_a_form_too_large_or_without_a_length_is_not_read(server: Server) -> None:
    stranger = browser(server)
    large = await stranger.post("/masuk", content=b"x" * 200_000, headers=OWN_PAGE)
    assert large.status_code == 413

    async def endless() -> AsyncIterator[bytes]:
        yield b"username=sari"

    assert (await stranger.post("/masuk", content=endless(), headers=OWN_PAGE)).status_code == 413


async def test_a_form_with_missing_fields_is_answered_in_a_sentence(server: Server) -> None:
    answer = await browser(server).post("/masuk", data={"username": "sari"}, headers=OWN_PAGE)
    assert answer.status_code == 422
    assert "Isilah semua kolom" in answer.text


async def test_an_address_that_cannot_be_read_is_not_answered_as_if_it_were_a_form(server: Server) -> None:
    sari = await signed_in(server, "sari")
    answer = await sari.get("/catatan?sebelum=kemarin")
    assert answer.status_code == 422
    assert "Alamat halaman ini tidak dapat dibaca." in answer.text
    assert "kolom" not in answer.text


async def test_a_page_for_others_does_not_say_that_one_may_look_at_it(server: Server) -> None:
    budi = await signed_in(server, "budi")
    answer = await budi.get("/catatan")
    assert answer.status_code == 403
    assert "Halaman ini untuk petugas lain" in answer.text
    assert "boleh melihat" not in answer.text


async def test_a_nul_is_refused_wherever_it_stands_because_no_text_has_one_and_postgresql_takes_none(
    server: Server,
) -> None:
    sari = await signed_in(server, "sari")
    for address in ("/gangguan/%00", "/ukuran/35.10%00", "/data/v1/statements/%00/2026-10"):
        assert (await sari.get(address)).status_code == 404, address
    for address in ("/?keadaan=%00", "/data/v1/hotspot-use?place=%00"):
        assert (await sari.get(address)).status_code == 422, address
    for body in (b"reason=%00&site=1&made=2", b"reason=\0&site=1&made=2", b"site=a" * 9_000 + b"%00"):
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await sari.post("/janggal/sebab", content=body, headers=OWN_PAGE | kind)
        assert answer.status_code == 422, body[:30]
        assert "tidak ada dalam tulisan" in answer.text


async def test_a_nul_cut_in_two_on_its_way_is_still_one(server: Server) -> None:
    sari = await signed_in(server, "sari")

    async def in_parts() -> AsyncIterator[bytes]:
        for part in (b"reason=a%", b"0", b"0&site=1&made=2"):
            yield part

    form = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": "25"}
    answer = await sari.post("/janggal/sebab", content=in_parts(), headers=OWN_PAGE | form)
    assert "tidak ada dalam tulisan" in answer.text


async def test_what_is_no_form_at_all_is_not_called_a_defect_of_ours(server: Server) -> None:
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await browser(server).post("/masuk", content=b"--y\r\nnonsense", headers=OWN_PAGE | broken)
    assert answer.status_code == 400
    assert "tidak dapat dibaca" in answer.text
