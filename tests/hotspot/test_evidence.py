"""The use of free wifi without names: sums by place and month, small groups hidden, and each person's own places."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from kampungnet.app import Server
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.hotspot.evidence import Use, shown, total
from kampungnet.hotspot.models import HotspotDay
from kampungnet.staff.models import StaffMember
from kampungnet.staff.service import Role
from kampungnet.villages.models import Village
from tests.pages.cast import signed_in
from tests.pages.sample import KAMPUNGANYAR, REGENCY, REJOSARI, fill, hire

ZONE = clock.zone_of(REGENCY)
TODAY = clock.local_day(clock.now_ms(), ZONE)
LAST_MONTH = (TODAY.replace(day=1) - timedelta(days=1)).replace(day=1)
MONTH = f"{LAST_MONTH:%Y-%m}"
SARONGAN = "35.10.01.2001"
GLAGAH = "35.10.15"


def use(people: int, most: int = 9, hours: int = 10, office: int = 4) -> Use:
    return Use(people, most, hours * 3600, office * 3600, 10**9)


def test_both_together_are_the_sums_and_the_busiest_day() -> None:
    assert total([use(9), use(4, most=4)]) == Use(13, 9, 72_000, 28_800, 2 * 10**9)
    assert total([]) == Use()
    assert Use().outside_percent is None
    assert use(9).outside_percent == 60


def test_a_small_group_is_hidden_and_never_alone() -> None:
    assert shown({"a": use(4, most=4), "b": use(30), "c": use(20)}) == {"a": None, "b": use(30), "c": None}
    assert shown({"a": use(4, most=4), "b": use(3, most=2), "c": use(20)}) == {"a": None, "b": None, "c": use(20)}
    assert shown({"a": Use(), "b": use(20)}) == {"a": Use(), "b": use(20)}
    assert shown({"a": use(4, most=4)}) == {"a": None}


def _day(village: str, day: date, people: int) -> HotspotDay:
    return HotspotDay(
        regency=REGENCY, site=f"{village}-1", day=day, people=people, sessions=people, seconds=people * 3600,
        office_seconds=people * 900, up_bytes=people * 10**6, down_bytes=people * 10**7, clicks=people, vouchers=0,
        accounts=0, stale=False,
    )  # fmt: skip


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    database = Database(database_url, tmp_path / "kampungnet.key")
    fill(database, clock.now_ms(), history=(), whole=False)
    hire(database)
    with database.writes() as db:
        hari = db.get_one(StaffMember, "sari")
        db.add(
            StaffMember(
                username="hari", name="Pak Hari", password_hash=hari.password_hash, role=Role.BUDGET, regency=REGENCY,
                district=GLAGAH, duty="", failed_logins=0, locked_until_ms=0,
            )
        )  # fmt: skip
        for number in range(10):
            day = LAST_MONTH + timedelta(days=number)
            db.add_all([_day(KAMPUNGANYAR, day, 12), _day(REJOSARI, day, 8), _day(SARONGAN, day, 30)])
        db.add(_day(KAMPUNGANYAR, LAST_MONTH + timedelta(days=20), 3))
        db.add(_day(KAMPUNGANYAR, TODAY, 50))
    yield database
    database.close()


@pytest.fixture
def server(database: Database) -> Server:
    return Server(database, upkeep=False)


async def test_the_kabupaten_is_told_by_kecamatan_and_leads_to_villages_and_days(server: Server) -> None:
    sari = await signed_in(server, "sari")
    page = (await sari.get(f"/pemakaian?bulan={MONTH}")).text
    assert "Glagah" in page
    assert "Pesanggaran" in page
    assert "75%" in page
    villages = (await sari.get(f"/pemakaian?bulan={MONTH}&tempat={GLAGAH}")).text
    assert "Kampunganyar" in villages
    assert "Sarongan" not in villages
    days = (await sari.get(f"/pemakaian?bulan={MONTH}&tempat={KAMPUNGANYAR}")).text
    assert days.count(">kurang dari 5<") == 2, "the small day, and the smallest of the others"


async def test_programs_get_the_same_sums_exactly(server: Server) -> None:
    sari = await signed_in(server, "sari")
    told = (await sari.get(f"/data/v1/hotspot-use?month={MONTH}&place={GLAGAH}")).json()
    parts = {one["code"]: one for one in told["parts"]}
    assert told["total"]["device_days"] == 203
    assert parts[KAMPUNGANYAR]["seconds"] == 123 * 3600
    assert parts[REJOSARI]["seconds_outside_office_hours"] == 80 * 2700
    assert sum(one["bytes"] for one in told["parts"]) == told["total"]["bytes"]
    days = (await sari.get(f"/data/v1/hotspot-use?month={MONTH}&place={KAMPUNGANYAR}")).json()
    assert [one["device_days"] for one in days["parts"]].count(None) == 2
    assert (await sari.get("/data/v1/hotspot-use?month=2026-13")).status_code == 422


async def test_a_day_counts_when_it_is_over(server: Server) -> None:
    sari = await signed_in(server, "sari")
    told = (await sari.get(f"/data/v1/hotspot-use?month={TODAY:%Y-%m}&place={KAMPUNGANYAR}")).json()
    assert TODAY.isoformat() not in {one["code"] for one in told["parts"]}
    assert told["days"] == TODAY.day - 1


async def test_the_table_is_harmless_in_a_spreadsheet(server: Server, database: Database) -> None:
    with database.writes() as db:
        db.get_one(Village, (REGENCY, REJOSARI)).name = "=cmd|'/c calc'!A1"
    sari = await signed_in(server, "sari")
    answer = await sari.get(f"/berkas/pemakaian-{MONTH}-{GLAGAH}.csv")
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "kode,nama,perangkat_hari,jam,jam_di_luar_jam_kerja,byte"
    assert lines[1].startswith(f"{REJOSARI},'=cmd")
    assert lines[-1].split(",")[:3] == [GLAGAH, "Glagah", "203"]


@pytest.mark.parametrize(
    ("who", "sees", "not_theirs"),
    [("budi", KAMPUNGANYAR, REJOSARI), ("budi", "", GLAGAH), ("hari", GLAGAH, SARONGAN), ("hari", "", REGENCY)],
)
async def test_everybody_sees_their_own_places_only(server: Server, who: str, sees: str, not_theirs: str) -> None:
    visitor = await signed_in(server, who)
    for address in ("/pemakaian?bulan={month}&tempat={place}", "/berkas/pemakaian-{month}-{place}.csv",
                    "/data/v1/hotspot-use?month={month}&place={place}"):  # fmt: skip
        assert (await visitor.get(address.format(month=MONTH, place=sees))).status_code == 200
        refused = await visitor.get(address.format(month=MONTH, place=not_theirs))
        assert refused.status_code == 404
        nowhere = await visitor.get(address.format(month=MONTH, place="35.10.99"))
        assert refused.text.replace(not_theirs, "") == nowhere.text.replace("35.10.99", "")


@pytest.mark.parametrize("month", ["2026-13", "0000-00", "9999-12", "\x00", "<b>"])
@pytest.mark.parametrize("place", ["\x00", "35.10.15.", "<script>"])
async def test_what_is_no_month_or_place_is_refused_or_empty(server: Server, month: str, place: str) -> None:
    sari = await signed_in(server, "sari")
    answer = await sari.get("/pemakaian", params={"bulan": month, "tempat": place})
    assert answer.status_code in {200, 404, 422}
    assert "<script>" not in answer.text
