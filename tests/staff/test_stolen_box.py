"""A stolen box is useless after one click of an engineer."""

import pytest
from sqlalchemy import select

from kampungnet.app import Server
from kampungnet.core.database import Database
from kampungnet.devices.models import Agent
from kampungnet.devices.service import reporting_agents
from kampungnet.staff.models import AuditEntry
from tests.pages.cast import OWN_PAGE, signed_in
from tests.pages.sample import KAMPUNGANYAR, REJOSARI

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


@pytest.mark.parametrize(("name", "status"), [("budi", 403), ("dedi", 403), ("eko", 403), ("citra", 404)])
async def test_nobody_else_can(server: Server, database: Database, name: str, status: int) -> None:
    visitor = await signed_in(server, name)
    assert PATH not in (await visitor.get(f"/desa/{KAMPUNGANYAR}")).text
    assert (await visitor.post(PATH, data={"reason": "x"}, headers=OWN_PAGE)).status_code == status
    with database.reads() as db:
        assert db.scalars(select(Agent.revoked_ms).where(Agent.id == AGENT)).one() is None
