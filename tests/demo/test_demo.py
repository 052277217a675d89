"""What a visitor does to the demo: ends it half-way, starts it twice, has a real server's settings at hand."""

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.errors import Unavailable
from kampungnet.demo import boxes, history, run, wifi
from kampungnet.demo.children import Children
from kampungnet.devices import sites
from kampungnet.hotspot import portal_pages, portals
from kampungnet.villages import service as villages
from kampungnet_agent.drivers.mikrotik_portal import MikrotikPortalDriver
from tests.agent.drivers.conftest import Settings
from tests.sim.test_command_line import running
from tests.support.browser import browser

SARONGAN = "35.10.01.2001"


def the_past(*, breaks_off: bool) -> Iterator[history.Line]:
    for number in range(3):
        reading = (
            b'{"boot_id":"history","sequence":%d,"device":"router","taken_at_ms":%d,"boottime_ms":0,'
            b'"outcome":"unreachable","duration_ms":1}' % (number + 1, 1_790_000_000_000 + number * 300_000)
        )
        yield history.Line(SARONGAN, msgspec.Raw(reading))
    if breaks_off:
        raise KeyboardInterrupt


def test_a_month_that_was_broken_off_is_not_there_and_is_filled_the_next_time(database: Database) -> None:
    with pytest.raises(KeyboardInterrupt):
        history.store_village(database, SARONGAN, the_past(breaks_off=True), None)
    with database.reads() as db:
        assert history.filled(db) == set()
    history.store_village(database, SARONGAN, the_past(breaks_off=False), None)
    with database.reads() as db:
        assert history.filled(db) == {f"{SARONGAN}-1"}


def test_a_second_demo_on_the_same_folder_is_refused_in_a_sentence(tmp_path: Path) -> None:
    run.hold(tmp_path)
    with pytest.raises(Unavailable, match="another demo uses"):
        run.hold(tmp_path)


def test_a_real_servers_settings_never_reach_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAMPUNGNET_DATABASE_URL", "postgresql+psycopg://the-real-one")
    children = Children(tmp_path)
    children.start("show", Path(sys.executable).name, "-c", "import os; print(sorted(os.environ))", ends=True)
    children.wait_for("the child", lambda: children.have_ended(["show"]), 20)
    shown = children.log_of("show").read_text()
    assert "PATH" in shown
    assert "KAMPUNGNET" not in shown


async def test_a_visitor_gets_onto_the_wifi_that_is_announced(
    database: Database, tmp_path: Path, chromium: str
) -> None:
    file = tmp_path / "inventory.json"
    register = str(villages.register_path("banyuwangi"))
    chosen = ("--register", register, "--only", SARONGAN, "--control", "0")
    async with running("run", *chosen, "--inventory", str(file)):
        (box,) = boxes.inventory(file)
        with database.writes() as db:
            sites.ensure_site(db, villages.village(db, box.village))
            place = (run.REGENCY, f"{box.village}-1")
            code = wifi.keep(db, run.signed_in(box.village)["sari"], place, clock.now_ms())
            wanted = portals.wanted(db, place, portal_pages.of_site(db, place, clock.now_ms()), clock.now_ms())
            assert wifi.keep(db, run.signed_in(box.village)["sari"], place, clock.now_ms()) == code
        said = run._announcement("http://127.0.0.1:1", "x", (box, code), "", 1.0)
        assert f"http://{box.router.hotspot_address}/" in said
        assert code in said
        address, secret = box.router.address, box.router.users[boxes.WRITER]
        driver = MikrotikPortalDriver(Settings("portal", address, boxes.WRITER, secret, state_folder=str(tmp_path)))
        await driver.follow(wanted)
        assert driver.done == (wanted.revision, [])
        await driver.close()
        async with browser(chromium) as phone:
            await phone.go(f"http://{box.router.hotspot_address}/")
            await phone.fill("#code", code)
            await phone.click("form:has(#code) button")
            await phone.reads("Anda sudah online")
