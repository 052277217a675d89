"""The paper of vouchers: what it says, that its QR codes log in on a router, and that papers are what printers take."""

import asyncio
import re
from datetime import date
from pathlib import Path

import pytest
import segno

from kampungnet.core import pages
from kampungnet.core.typesetting import qr_svg
from kampungnet.hotspot import codes, paper, portal_pages
from kampungnet.hotspot.batches import Printed
from kampungnet.hotspot.paper import PaperSize, Sheet, Terms
from kampungnet.hotspot.policy import Policy
from kampungnet.hotspot.portal_pages import Portal
from kampungnet.shared.wanted import WantedPlan, WantedPortal, WantedUser
from kampungnet_agent.drivers.mikrotik_portal import MikrotikPortalDriver
from kampungnet_sim.fleet import FleetOptions
from tests.agent.drivers.conftest import Settings
from tests.sim.stage import on_stage
from tests.support.poppler import said
from tests.support.scanner import scanned

TERMS = Terms("Voucher harian", 5000, 3 * 3600, 7 * 86_400, date(2026, 12, 31))
SHEET = Sheet("Kampunganyar", "WiFi Desa", "http://wifi.desa/login", "B1a2b3c4d", date(2026, 11, 29), TERMS)
SAY = pages.all_languages()["id"]
SOME = [Printed(number, codes.new_code()) for number in range(1, 16)]


@pytest.mark.parametrize(
    ("size", "number", "points"), [("a4", 2, "595.276 x 841.89"), ("58", 15, "164.409 x"), ("80", 15, "226.772 x")]
)
def test_each_size_says_all_there_is_to_know(size: str, number: int, points: str, tmp_path: Path) -> None:
    body = paper.pdf(SHEET, SOME, PaperSize(size), SAY)
    text = " ".join(said(body, tmp_path).split())
    for words in (
        "Kampunganyar", "WiFi Desa", "Voucher harian", "Sampai 5 Mbps", "3 jam online seluruhnya",
        "7 hari sejak pertama dipakai", "sampai 31 Desember 2026", "B1a2b3c4d · No. 15", "pindai QR atau ketik kode",
    ):  # fmt: skip
        assert words in text, words
    for one in SOME:
        assert codes.shown(one.code) in text
    facts = said(body, tmp_path, "pdfinfo")
    assert re.search(rf"Pages: +{number}\b", facts)
    assert re.search(rf"Page size: +{points}", facts)
    assert "Tagged:          yes" in facts
    assert body == paper.pdf(SHEET, SOME, PaperSize(size), SAY)


def test_a_paper_of_a_router_without_a_name_has_no_qr_and_says_to_type(tmp_path: Path) -> None:
    sheet = Sheet("Kampunganyar", "", "", "B1", date(2026, 11, 29), Terms("Warga", 0, 0, 0, None))
    body = paper.pdf(sheet, SOME[:1], PaperSize.ROLL_58, SAY)
    text = " ".join(said(body, tmp_path).split())
    assert "buka halaman masuk, lalu ketik kode ini" in text
    assert "tanpa batas waktu" in text


def test_a_drawing_has_the_modules_of_the_code_in_their_places() -> None:
    text = paper.login_link(SHEET.login, SOME[0].code)
    code = segno.make(text, error="m", micro=False)
    dark = {(x + 1, y + 1) for y, row in enumerate(code.matrix) for x, module in enumerate(row) if module}
    drawn = set()
    for x, y, length in re.findall(r"M(\d+) (\d+)\.5h(\d+)", qr_svg(text)):
        drawn |= {(int(x) + step, int(y)) for step in range(int(length))}
    assert drawn == dark


@pytest.mark.parametrize(("size", "dots"), [("a4", 150), ("58", 203), ("80", 203)])
def test_a_scanner_reads_the_login_of_each_voucher_from_its_printed_picture(
    size: str, dots: int, tmp_path: Path
) -> None:
    """As a coarse office printer makes a sheet, and a thermal one (203 dots an inch) a roll."""
    body = paper.pdf(SHEET, SOME, PaperSize(size), SAY)
    printed = [f"http://wifi.desa/login?username={one.code}&password=" for one in SOME]
    assert sorted(scanned(body, tmp_path, dots)) == sorted(printed)


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("", ""), ("wifi.desa", "http://wifi.desa/login"), (" WIFI.Desa ", "http://wifi.desa/login"),
        ("10.5.50.1", "http://10.5.50.1/login"), ("wifi.desa:8080", "http://wifi.desa:8080/login"),
        ("http://wifi.desa", None), ("wifi desa", None), ("wifi.desa/x?", None), ("-x", None), ("a@b", None),
        ("a" * 300, None), ("wifi.desa\n", "http://wifi.desa/login"),
    ],
)  # fmt: skip
def test_a_routers_name_is_a_name_and_nothing_else(name: str, address: str | None) -> None:
    assert paper.login_address(name) == address


@pytest.mark.parametrize(
    ("rules", "address"),
    [
        (Policy(), ""),
        (Policy(router_name="10.5.50.1"), "http://10.5.50.1/login"),
        (Policy(logins=("https://wifi.desa/login", "http://wifi.desa/login")), "https://wifi.desa/login"),
        (Policy(logins=("http://wifi.desa/login",), router_name="hotspot.desa"), "http://hotspot.desa/login"),
    ],
)
def test_the_login_that_an_engineer_set_is_the_papers_until_staff_write_another(rules: Policy, address: str) -> None:
    assert rules.login == address


async def test_of_two_phones_that_scan_one_paper_at_once_one_is_let_in_and_one_is_told_why_not(tmp_path: Path) -> None:
    code = SOME[0].code
    wanted = WantedPortal(
        1, "Asia/Jakarta", plans=[WantedPlan("harian", 5000, 2000)], users=[WantedUser("V1", code, "harian")],
        pages=portal_pages.build(Portal("Kampunganyar", Policy())),
    )  # fmt: skip
    (link,) = scanned(paper.pdf(SHEET, SOME[:1], PaperSize.ROLL_58, SAY), tmp_path, 203)
    async with on_stage(FleetOptions(model="hex")) as stage:
        secret = stage.site.router.users["penulis"].password
        settings = Settings("portal", f"127.0.0.1:{stage.port}", "penulis", secret, state_folder=str(tmp_path))
        driver = MikrotikPortalDriver(settings)
        await driver.follow(wanted)
        assert driver.done == (1, [])
        guests = [await stage.site.hotspot.join(f"D6:00:00:00:00:0{number}") for number in (1, 2)]
        answers = await asyncio.gather(*[guest.get(link) for guest in guests])
        online = [await guest.online() for guest in guests]
        assert sorted(online) == [False, True]
        refused = answers[online.index(False)]
        assert "Voucher atau akun ini sedang dipakai di perangkat lain" in refused.text
        await driver.close()
