"""A stolen box is useless after one click of an engineer."""

import re

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from kampungnet.app import Server
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.devices.models import Agent
from kampungnet.devices.service import reporting_agents
from kampungnet.ingest import service as ingest
from kampungnet.shared import wire
from kampungnet.staff.models import AuditEntry
from tests.pages.cast import OWN_PAGE, signed_in
from tests.pages.sample import KAMPUNGANYAR, REJOSARI
from tests.support.server import enrolment

PATH = f"/desa/{KAMPUNGANYAR}/kotak"
AGENT, NEIGHBOUR = (f"AGENT-{code.replace('.', '')}" for code in (KAMPUNGANYAR, REJOSARI))


async def test_one_click_shuts_the_box_of_this_village_out_and_no_other(server: Server, database: Database) -> None:
    sari = await signed_in(server, "sari")
    assert f'action="{PATH}"' in (await sari.get(f"/desa/{KAMPUNGANYAR}")).text
    assert (await sari.post(PATH, data={"reason": " "}, headers=OWN_PAGE)).status_code == 422
    answer = await sari.post(PATH, data={"reason": "Kotak dicuri tadi malam"}, headers=OWN_PAGE)
    assert answer.headers["location"] == f"/desa/{KAMPUNGANYAR}"
    assert f'action="{PATH}"' not in (await sari.get(f"/desa/{KAMPUNGANYAR}")).text
    with database.reads() as db:
        assert set(reporting_agents(db, {AGENT, NEIGHBOUR})) == {NEIGHBOUR}
        entry = db.scalars(select(AuditEntry)).one()
        assert (entry.what, entry.about, entry.reason) == ("box.revoke", KAMPUNGANYAR, "Kotak dicuri tadi malam")
    assert (await sari.post(PATH, data={"reason": "again"}, headers=OWN_PAGE)).status_code == 409


async def test_putting_a_new_box_there_is_another_act_and_harms_the_one_of_now_only_when_the_new_one_speaks(
    server: Server, database: Database
) -> None:
    sari = await signed_in(server, "sari")
    assert f'action="{PATH}/ganti"' in (await sari.get(f"/desa/{KAMPUNGANYAR}")).text
    assert (await sari.post(f"{PATH}/ganti", data={"reason": ""}, headers=OWN_PAGE)).status_code == 422
    page = await sari.post(f"{PATH}/ganti", data={"reason": "Kotak rusak kena petir"}, headers=OWN_PAGE)
    code = re.search(r"<strong>([0-9A-Z-]{19})</strong>", page.text)
    assert code
    assert page.headers["cache-control"] == "no-store"
    key = Ed25519PrivateKey.generate()
    body, headers = enrolment(code[1], key)
    with database.writes() as db:
        assert AGENT in reporting_agents(db, {AGENT})
        new = ingest.enrol(db, body, headers[wire.SIGNATURE_HEADER], clock.now_ms()).agent
        assert set(reporting_agents(db, {AGENT, new})) == {new}
        assert db.scalars(select(Agent.ended).where(Agent.id == AGENT)).one() == "replaced"
        entry = db.scalars(select(AuditEntry)).one()
        assert (entry.what, entry.about, entry.reason) == ("box.code", KAMPUNGANYAR, "Kotak rusak kena petir")
        assert code[1] not in str(entry.after)


@pytest.mark.parametrize(("name", "status"), [("budi", 403), ("dedi", 403), ("eko", 403), ("citra", 404)])
async def test_nobody_else_can(server: Server, database: Database, name: str, status: int) -> None:
    visitor = await signed_in(server, name)
    assert PATH not in (await visitor.get(f"/desa/{KAMPUNGANYAR}")).text
    assert (await visitor.post(f"{PATH}/ganti", data={"reason": "x"}, headers=OWN_PAGE)).status_code == status
    assert (await visitor.post(PATH, data={"reason": "x"}, headers=OWN_PAGE)).status_code == status
    with database.reads() as db:
        assert db.scalars(select(Agent.revoked_ms).where(Agent.id == AGENT)).one() is None
