"""Budget staff of a kecamatan: of another one they see nothing, on any page there is."""

import re

import pytest

from kampungnet.app import Server
from kampungnet.billing import making
from kampungnet.core.database import Database
from kampungnet.core.errors import Problem
from kampungnet.staff import service as staff
from tests.billing import story
from tests.pages.cast import OWN_PAGE, signed_in
from tests.pages.sample import KAMPUNGANYAR, PASSWORD, REGENCY
from tests.pages.test_strangers import (
    ONLY_FROM_THIS_MACHINE,
    OPEN_TO_ALL,
    SIGNING_OUT_WITHOUT_A_SESSION_IS_HARMLESS,
    routes,
)

NEIGHBOUR = "35.10.16.1002"
"""A kelurahan of another kecamatan."""


async def test_bu_lina_of_one_kecamatan_sees_nothing_of_another(server: Server, database: Database) -> None:
    story.books(database)
    story.close(database, story.JULY, story.facts(story.JULY))
    with database.writes() as db:
        list(making.make_all(db, REGENCY, story.JULY, story.NOW))
        scope = staff.Scope(REGENCY, district=NEIGHBOUR[:8])
        staff.add_staff(db, staff.NewStaff("lina", "Bu Lina", staff.Role.BUDGET, scope), PASSWORD)
    lina = await signed_in(server, "lina")
    places = {"code": KAMPUNGANYAR, "contract": story.CONTRACT, "month": "2026-07", "district": KAMPUNGANYAR[:8],
              "ending": "csv", "year": "2026", "what": "kontrak"}  # fmt: skip
    for method, path in routes(server):
        if path in OPEN_TO_ALL | ONLY_FROM_THIS_MACHINE | SIGNING_OUT_WITHOUT_A_SESSION_IS_HARMLESS:
            continue
        if path == "/segar":  # it never ends; tests/measurement/test_fresh.py hears what it says
            continue
        asked = re.sub(r"{(\w+)}", lambda name: places.get(name[1], "x"), path)
        answer = await lina.request(
            method, asked, headers=OWN_PAGE, params={"month": "2026-07"} if method == "GET" else {}
        )
        if "{code}" in path or "{contract}" in path:
            assert answer.status_code == 404, (method, path)
        else:
            assert "Kampunganyar" not in answer.text, (method, path)
            assert "35.10.15." not in answer.text, (method, path)
            assert "2.775.000" not in answer.text, (method, path)
    assert NEIGHBOUR in (await lina.get("/")).text
    assert (await lina.get(f"/desa/{NEIGHBOUR}")).status_code == 200
    for path in ("/onu", "/janggal", "/catatan", "/data/v1/oddities"):
        assert (await lina.get(path)).status_code in {403, 404}, path
    recap = (await lina.get("/rekap/2026-07")).text
    assert "Sobo" in recap
    assert "Kecamatan Banyuwangi" in recap, "not a paper of the kabupaten with the numbers of one kecamatan"


def test_a_kecamatan_is_only_for_budget_staff_and_must_exist(database: Database) -> None:
    with database.writes() as db:
        for role, district, village in (
            (staff.Role.ENGINEER, "35.10.15", None), (staff.Role.AUDITOR, "35.10.15", None),
            (staff.Role.BUDGET, "35.10.99", None), (staff.Role.BUDGET, "35.10.15", KAMPUNGANYAR),
        ):  # fmt: skip
            person = staff.NewStaff("lina", "Bu Lina", role, staff.Scope(REGENCY, village, district))
            with pytest.raises(Problem):
                staff.add_staff(db, person, PASSWORD)


def test_a_kecamatan_is_no_beginning_of_another_one() -> None:
    scope = staff.Scope(REGENCY, district="35.10.1")
    assert not scope.covers(KAMPUNGANYAR)
    assert scope.covers("35.10.1")
    assert not staff.Scope(REGENCY, KAMPUNGANYAR).covers(f"{KAMPUNGANYAR[:-1]}")
