"""Plans of the free wifi in a browser: seen by all staff, changed by engineers, followed by every router."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kampungnet.app import Server
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.errors import Unprocessable
from kampungnet.hotspot import plan_form, portals
from kampungnet.hotspot.plan_form import hours_of, week_of
from kampungnet.hotspot.policy import Policy
from kampungnet.shared.wanted import OpenHours, WantedPlan
from kampungnet.staff.service import Role, Scope, SignedIn
from kampungnet_agent.drivers.mikrotik_portal import MikrotikPortalDriver
from kampungnet_sim.fleet import FleetOptions
from tests.agent.drivers.conftest import Settings
from tests.pages.cast import OWN_PAGE, signed_in
from tests.pages.sample import KAMPUNGANYAR, REGENCY, fill, hire
from tests.sim.stage import on_stage
from tests.support.server import enrolled

PLACE = (REGENCY, f"{KAMPUNGANYAR}-1")
SARI = SignedIn("sari", "Ibu Sari", Role.ENGINEER, Scope(REGENCY))
PLAN = WantedPlan(
    "sekolah", 3000, 1000, 500, 250, 7200, 300_000_000, 5_000_000_000, 2, 900, 3600,
    [OpenHours([0, 1, 2, 3, 4], 420, 1260)], 3,
)  # fmt: skip
TYPED = plan_form.shown("Anak sekolah", PLAN) | {"act": "save"}
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    database = Database(database_url, tmp_path / "kampungnet.key")
    fill(database, clock.now_ms(), history=(), whole=False)
    hire(database)
    enrolled(database, KAMPUNGANYAR)
    with database.writes() as db:
        portals.set_policy(db, SARI, PLACE, Policy(managed=True), clock.now_ms())
    yield database
    database.close()


@pytest.fixture
def server(database: Database) -> Server:
    return Server(database, upkeep=False)


async def test_an_engineer_makes_a_plan_changes_it_and_the_router_follows(
    server: Server, database: Database, tmp_path: Path
) -> None:
    sari = await signed_in(server, "sari")
    assert (await sari.post("/paket-wifi/baru", data=TYPED, headers=OWN_PAGE)).status_code == 303
    assert "Anak sekolah" in (await sari.get("/paket-wifi")).text
    assert 'value="07.00-21.00"' in (await sari.get("/paket-wifi/sekolah")).text
    changed = TYPED | {"down": "4000", "title": "Sekolah"}
    assert (await sari.post("/paket-wifi/sekolah", data=changed, headers=OWN_PAGE)).status_code == 303
    with database.reads() as db:
        wanted = portals.wanted(db, PLACE, [], clock.now_ms())
    (plan,) = [one for one in wanted.plans if one.name == "sekolah"]
    assert (plan.down_kbps, plan.hours, plan.month_bytes) == (4000, PLAN.hours, PLAN.month_bytes)
    async with on_stage(FleetOptions(model="hex")) as stage:
        secret = stage.site.router.users["penulis"].password
        driver = MikrotikPortalDriver(
            Settings("portal", f"127.0.0.1:{stage.port}", "penulis", secret, state_folder=str(tmp_path))
        )
        await driver.follow(wanted)
        assert driver.done == (wanted.revision, [])
        client = await stage.client("penulis")
        rows = await client.ask("/ip/hotspot/user/profile/print")
        await driver.close()
    (row,) = [row for row in rows if "=name=kampungnet-sekolah" in row]
    assert [word for word in row if word.startswith("=rate-limit")] == ["=rate-limit=1000k/4000k 0/0 0/0 0/0 3"]


async def test_who_is_no_engineer_sees_the_plans_and_changes_none(server: Server, database: Database) -> None:
    for name in ("budi", "dedi"):
        visitor = await signed_in(server, name)
        page = (await visitor.get("/paket-wifi")).text
        assert "Kantor desa" in page
        assert "3 jam atau 300 MB sehari, lalu lebih lambat" in page
        assert "<button" not in (await visitor.get("/paket-wifi/kantor")).text.partition("<main")[2]
        for where in ("baru", "kantor"):
            assert (await visitor.post(f"/paket-wifi/{where}", data=TYPED, headers=OWN_PAGE)).status_code == 403
    with database.reads() as db:
        assert "sekolah" not in portals.plans(db, REGENCY)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": "Sekolah!"}, "2 sampai 24 huruf kecil"),
        ({"name": "kantor"}, "sudah ada"),
        ({"name": "baru"}, "sudah ada"),
        ({"title": " "}, "1 sampai 40 huruf"),
        ({"down": "20000000"}, "paling tinggi 10 Gbps"),
        ({"down": "-1"}, "Tulis bilangan bulat"),
        ({"month_mb": "99999999"}, "paling besar 10 TB"),
        ({"session": "99999"}, "paling lama 31 hari"),
        ({"slow_down": "0"}, "berjalan lebih lambat"),
        ({"slow_up": "2000"}, "berjalan lebih lambat"),
        ({"devices": "0"}, "Satu sampai seratus"),
        ({"priority": "9"}, "Prioritas 1 sampai 8"),
        ({"open0": "7 pagi"}, "Tulis jam seperti"),
        ({"open0": "25.00-26.00"}, "Tulis jam seperti"),
        ({"open0": "07.00-07.00"}, "Tulis jam seperti"),
    ],
)
async def test_what_makes_no_sense_is_said_in_one_sentence_and_what_was_typed_stays(
    server: Server, database: Database, changes: dict[str, str], sentence: str
) -> None:
    sari = await signed_in(server, "sari")
    answer = await sari.post("/paket-wifi/baru", data=TYPED | changes, headers=OWN_PAGE)
    assert answer.status_code in {409, 422}
    assert sentence in answer.text
    assert 'value="500"' in answer.text or "slow_down" in changes
    with database.reads() as db:
        assert "sekolah" not in portals.plans(db, REGENCY)


async def test_a_title_that_looks_like_markup_is_only_a_title(server: Server) -> None:
    sari = await signed_in(server, "sari")
    assert (await sari.post("/paket-wifi/baru", data=TYPED | {"title": HOSTILE}, headers=OWN_PAGE)).is_redirect
    for where in ("/paket-wifi", "/paket-wifi/sekolah", f"/desa/{KAMPUNGANYAR}/wifi/voucher"):
        page = (await sari.get(where)).text
        assert HOSTILE not in page
        assert "&lt;script&gt;" in page


async def test_a_plan_is_offered_no_more_unless_it_is_the_one_click(server: Server, database: Database) -> None:
    sari = await signed_in(server, "sari")
    refused = await sari.post("/paket-wifi/tamu", data={"act": "retire"}, headers=OWN_PAGE)
    assert (refused.status_code, "sekali klik" in refused.text) == (409, True)
    assert (await sari.post("/paket-wifi/warga", data={"act": "retire"}, headers=OWN_PAGE)).is_redirect
    with database.reads() as db:
        assert "warga" not in portals.plans(db, REGENCY)
        assert "warga" in {one.name for one in portals.wanted(db, PLACE, [], clock.now_ms()).plans}
    assert (await sari.post("/paket-wifi/warga", data={"act": "offer"}, headers=OWN_PAGE)).is_redirect
    with database.reads() as db:
        assert "warga" in portals.plans(db, REGENCY)


def test_hours_over_midnight_end_on_the_next_day() -> None:
    week = ["", "", "", "", "18.00-02.00", "", "08.00–12.00, 13:00-24.00"]
    hours = hours_of(week)
    assert week_of(hours) == ["", "", "", "", "18.00-24.00", "00.00-02.00", "08.00-12.00, 13.00-24.00"]
    assert hours_of(week_of(hours)) == hours
    assert hours_of([""] * 7) == []


def test_a_week_of_too_many_different_hours_is_refused() -> None:
    spans = ", ".join(f"{hour:02}.00-{hour:02}.30" for hour in range(15))
    with pytest.raises(Unprocessable, match="fourteen"):
        hours_of([spans, "", "", "", "", "", ""])


def test_what_stands_in_the_form_reads_as_the_same_plan() -> None:
    assert plan_form.read(TYPED, "sekolah") == ("Anak sekolah", PLAN)
