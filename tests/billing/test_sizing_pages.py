"""Right-sizing out of the books, and its pages: numbers worked out by hand beside the test."""

from datetime import date
from fractions import Fraction

import pytest
from sqlalchemy import select

from kampungnet.app import Server
from kampungnet.billing import contracts, making, outlook, sizing_page, sizings
from kampungnet.billing.models import ContractVersion, FundStage, LineHours
from kampungnet.billing.sizing import Fit
from kampungnet.core import clock, pages
from kampungnet.core.database import Database
from kampungnet.core.rows import insert_new
from kampungnet.staff.service import Scope
from tests.billing.story import AUGUST, CONTRACT, JULY, NOW, books, close, facts
from tests.pages.cast import signed_in
from tests.pages.sample import KAMPUNGANYAR, REGENCY

JUNE = date(2026, 6, 1)
DAY = date(2026, 9, 10)
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def summer(database: Database) -> Database:
    """June to August of 20 Mbps for 2.775.000 a month: at most 18 Mbps in August, 40 of 700 hours full in July."""
    books(database)
    for month, mbps in ((JUNE, 12), (JULY, 15), (AUGUST, 18)):
        close(database, month, facts(month, rx_p95_bps=mbps * 10**6))
        with database.writes() as db:
            list(making.make_all(db, REGENCY, month, NOW))
            hours = db.get_one(LineHours, (REGENCY, CONTRACT, month))
            hours.measured, hours.at_ceiling = 700, 40 if month == JULY else 0
            hours.peak_rx_bytes, hours.peak_at_ms = mbps * 5 * 10**8, NOW
    return database


@pytest.fixture(autouse=True)
def in_september(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages show the twelve months before today."""
    monkeypatch.setattr(clock, "now_ms", lambda: NOW)


def test_three_months_say_what_a_received_mbps_costs_and_what_to_buy(summer: Database) -> None:
    with summer.reads() as db:
        (one,) = sizings.sized(db, Scope(REGENCY), DAY)
    of = one.sizing
    # 3 x 2.775.000 for 12 + 15 + 18 Mbps, and for 3 x 1.000 GB.
    assert (of.months, of.per_mbps, of.per_gb) == (3, Fraction(8_325_000, 45), Fraction(8_325_000, 3_000))
    # 18 of 20 is above 85 %; 25 % above 18 are 22,5, in whole Mbps 23.
    assert (of.fit, of.used_share, of.need_kbps) == (Fit.UNDER, Fraction(9, 10), 23_000)
    assert (of.ceiling_hours, of.measured_hours, of.peak_bps) == (40, 2_100, 20_000_000)
    assert one.rab == (12, 2_775_000, 33_300_000, 23_000)
    assert one.samples == one.expected == (30 + 31 + 31) * 288
    # 50 Mbps for 3.000.000 before PPN: 3.330.000 a month, 555.000 more, 6.660.000 in a year.
    assert sizings.compared(one, 50_000, 3_000_000, includes_ppn=False) == (3_330_000, (6_660_000, True))
    assert sizings.compared(one, 10_000, 1_000_000, includes_ppn=True) == (1_000_000, (-21_300_000, False))


def test_the_list_adds_up_in_the_database_what_one_contract_adds_up_by_itself(summer: Database) -> None:
    with summer.writes() as db:
        db.get_one(LineHours, (REGENCY, CONTRACT, JUNE)).measured = 100  # too few to count
    with summer.reads() as db:
        held = contracts.contract(db, Scope(REGENCY), CONTRACT)
        (listed,), (one, months) = (
            sizings.sized(db, Scope(REGENCY), DAY),
            sizings.sized_one(db, Scope(REGENCY), held, DAY),
        )
    assert listed == one
    assert [one.month for one in months] == [JUNE, JULY, AUGUST]
    assert one.sizing.months == 2


def test_a_month_whose_hours_were_not_counted_does_not_count(summer: Database) -> None:
    with summer.writes() as db:
        db.delete(db.get_one(LineHours, (REGENCY, CONTRACT, AUGUST)))
    with summer.reads() as db:
        (one,) = sizings.sized(db, Scope(REGENCY), DAY)
    assert (one.waiting, one.sizing.months, one.sizing.fit) == (1, 2, Fit.UNKNOWN)


def test_the_window_is_the_twelve_months_before_today(summer: Database) -> None:
    with summer.reads() as db:
        assert [one.sizing.months for one in sizings.sized(db, Scope(REGENCY), date(2027, 8, 1))] == [1]
        assert sizings.sized(db, Scope(REGENCY), date(2027, 9, 1)) == [], (
            "it ended, and nothing of it lies in the window"
        )
        assert [one.sizing.months for one in sizings.sized(db, Scope(REGENCY), date(2026, 8, 31))] == [2]


def test_the_budget_of_ten_bills_runs_dry_in_november_and_owes_before_its_money_arrives(summer: Database) -> None:
    stages = [(1, "30", date(2026, 1, 15)), (2, "30", date(2026, 10, 5)), (3, "40", date(2026, 12, 1))]
    with summer.writes() as db:
        insert_new(db, FundStage, [
            {"regency": REGENCY, "year": 2026, "fund": "ADD", "number": number, "share_percent": share,
             "arrives": arrives, "source": ""} for number, share, arrives in stages
        ])  # fmt: skip
    with summer.reads() as db:
        line = contracts.contract(db, Scope(REGENCY), CONTRACT).line
        assert line
        found = outlook.outlook(db, REGENCY, line, DAY)
    assert found
    assert (found.pagu, found.remaining, found.arrived) == (30_000_000, 30_000_000, 9_000_000)
    # Nothing is approved: 30.000.000 hold ten bills of 2.775.000 (facts 9.3), the eleventh is November's.
    assert found.dry == date(2026, 11, 1)
    by_month = {one.month.month: one for one in found.ahead}
    assert [by_month[number].left for number in (10, 11)] == [2_250_000, -525_000]
    # To the end of April 4 x 2.775.000 = 11.100.000 are due of 9.000.000; by October 60 % are there, by December all.
    assert [by_month[number].waiting for number in (3, 4, 9, 10, 12)] == [
        0,
        2_100_000,
        15_975_000,
        9_750_000,
        3_300_000,
    ]


@pytest.mark.parametrize("day", [date(2025, 3, 1), date(2028, 3, 1)])
async def test_a_contract_that_does_not_run_now_has_its_page_too(
    summer: Database, server: Server, monkeypatch: pytest.MonkeyPatch, day: date
) -> None:
    monkeypatch.setattr(clock, "now_ms", lambda: clock.day_start_ms(day, clock.WIB))
    nur = await signed_in(server, "nur")
    assert CONTRACT not in (await nur.get("/ukuran")).text
    answer = await nur.get(f"/ukuran/{CONTRACT}")
    assert (answer.status_code, "33.300.000" in answer.text) == (200, True)


async def test_the_list_and_one_contract_show_it_with_coverage(summer: Database, server: Server) -> None:
    nur = await signed_in(server, "nur")
    page = (await nur.get("/ukuran")).text
    for told in ("18 Mbps", "100,00% ", "185.000", "2.775", "kurang", "23 Mbps", "33.300.000", "40 dari 2.100"):
        assert told in page, told
    assert f'href="/ukuran/{CONTRACT}"' in page
    for choice, is_there in (
        ({"hasil": "under"}, True), ({"hasil": "over"}, False), ({"kecamatan": "35.10.15"}, True),
        ({"kecamatan": "35.10.01"}, False), ({"hasil": HOSTILE, "kecamatan": "\x01"}, True),
    ):  # fmt: skip
        shown = (await nur.get("/ukuran", params=choice)).text
        assert (f'href="/ukuran/{CONTRACT}"' in shown) is is_there, choice
        assert HOSTILE not in shown
    one = (await nur.get(f"/ukuran/{CONTRACT}")).text
    for told in ("Juni 2026", f"/laporan/{CONTRACT}/2026-08", "2.775.000", "33.300.000", "November 2026", "-525.000"):
        assert told in one, told


async def test_another_package_is_compared_and_what_was_typed_stays(summer: Database, server: Server) -> None:
    nur = await signed_in(server, "nur")
    good = (await nur.get(f"/ukuran/{CONTRACT}", params={"mbps": "50", "harga": "Rp 3.000.000,-"})).text
    assert "Rp3.330.000" in good
    assert "+Rp6.660.000" in good
    for mbps, price, field in (
        ("", "1", "mbps"), ("0", "1", "mbps"), ("50", "1,5 juta", "harga"), ("50", "-1", "harga"),
        (HOSTILE, "1", "mbps"),
    ):  # fmt: skip
        wrong = await nur.get(f"/ukuran/{CONTRACT}", params={"mbps": mbps, "harga": price})
        assert wrong.status_code == 422
        assert f'id="{field}-problem"' in wrong.text
        assert HOSTILE not in wrong.text
        assert f'name="harga" inputmode="numeric" value="{price}"' in wrong.text


async def test_only_who_may_see_a_contract_sees_its_size(summer: Database, server: Server) -> None:
    citra = await signed_in(server, "citra")
    assert KAMPUNGANYAR not in (await citra.get("/ukuran")).text
    assert KAMPUNGANYAR not in (await citra.get("/berkas/ukuran.csv")).text
    assert (await citra.get(f"/ukuran/{CONTRACT}")).status_code == 404
    budi = await signed_in(server, "budi")
    assert "33.300.000" in (await budi.get("/ukuran")).text
    table = (await budi.get("/berkas/ukuran.csv")).text.splitlines()
    assert table[1].split(",")[0] == KAMPUNGANYAR
    assert len(table[0].split(",")) == len(sizing_page.COLUMNS)
    assert table[1].endswith(",18,20,40,2100,185000,2775,kurang,23,2027,12,bulan,2775000,33300000")
    assert (await budi.get("/berkas/ukuran.xlsx")).content.startswith(b"PK")
    assert (await budi.get("/berkas/ukuran.exe")).status_code == 404


def test_the_thresholds_stand_beside_the_verdict() -> None:
    told = sizing_page.house_rules(pages.all_languages()["en"])
    assert "above 85% of the contract" in told
    assert "(90% full)" in told


async def test_a_contract_without_a_rate_is_not_said_to_be_measured_too_little(
    summer: Database, server: Server
) -> None:
    with summer.writes() as db:
        for row in db.scalars(select(LineHours)):
            row.contracted_kbps = 0
        version = db.get_one(ContractVersion, (REGENCY, CONTRACT, date(2026, 1, 1)))
        version.terms = version.terms.replace('"down_kbps":20000', '"down_kbps":0').replace("dedicated", "fixed")
    page = (await (await signed_in(server, "nur")).get("/ukuran")).text
    assert "kontrak tidak menyebut kecepatan" in page
