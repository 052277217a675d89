"""Handlers that forget which village they are about: PostgreSQL still shows and changes nothing of another one."""

import re

import pytest
from sqlalchemy import select, true

from kampungnet.app import Server
from kampungnet.core.database import Database
from kampungnet.devices.models import Device
from kampungnet.staff.service import Scope
from tests.pages.cast import OWN_PAGE, signed_in
from tests.pages.sample import FATES, HOSTILE, KAMPUNGANYAR
from tests.pages.test_strangers import OPEN_TO_ALL, routes
from tests.staff.test_who_may import ENDLESS, VALUES
from tests.support.contents import contents

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
SEEN_FROM_OUTSIDE = OPEN_TO_ALL | {ENDLESS, "/keluar", "/metrics", "/sd/agents"}


@pytest.fixture
def forgetful(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A server whose handlers ask nobody where they may look."""
    monkeypatch.setattr(Scope, "check", lambda *_: None)
    monkeypatch.setattr(Scope, "covers", lambda *_: True)
    monkeypatch.setattr(Scope, "where", lambda *_: true())
    return server


def _address(path: str) -> str:
    return re.sub(r"{(\w+)}", lambda found: VALUES.get(found[1], "1"), path)


async def test_pages_that_check_nothing_show_nothing_of_another_village(forgetful: Server) -> None:
    citra = await signed_in(forgetful, "citra")
    others = [code for code in FATES if code != "35.10.15.2001"]
    names = re.compile("Kampunganyar|Pak Budi|" + "|".join(map(re.escape, [*others, HOSTILE[:20]])))
    answered = 0
    for method, path in sorted(set(routes(forgetful))):
        if method == "GET" and path not in SEEN_FROM_OUTSIDE:
            answer = await citra.get(_address(path))
            assert answer.status_code < 500, path
            assert not names.findall(answer.text.replace(_address(path), "")), path
            answered += answer.status_code == 200
    assert answered > 5
    assert (await citra.get(f"/desa/{KAMPUNGANYAR}")).status_code == 404


async def test_a_form_that_checks_nothing_changes_nothing_of_another_village(
    forgetful: Server, database: Database
) -> None:
    form = {"act": "say", "text": "Wifi mati sampai sore", "days": "1"}
    desk = f"/desa/{KAMPUNGANYAR}/wifi"
    citra, budi = await signed_in(forgetful, "citra"), await signed_in(forgetful, "budi")
    before = contents(database)
    assert (await citra.post(desk, data=form, headers=OWN_PAGE)).status_code == 404
    assert contents(database) == before
    assert (await budi.post(desk, data=form, headers=OWN_PAGE)).status_code == 303
    assert contents(database) != before, "whose village it is stores something with the same form"


async def test_the_checks_are_really_gone_there(forgetful: Server, database: Database) -> None:
    """Else those above would prove the handlers and not the database: who sees the kabupaten gets in anywhere."""
    Scope("35.10", KAMPUNGANYAR).check("35.10.15.2001")
    with database.reads() as db:
        own = select(Device.site).where(Scope("35.10", KAMPUNGANYAR).where(Device.site)).distinct()
        assert len(db.scalars(own).all()) > 1
    assert (await (await signed_in(forgetful, "sari")).get(f"/desa/{KAMPUNGANYAR}")).status_code == 200
