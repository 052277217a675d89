"""What a visitor does to the demo: ends it half-way, starts it twice, has a real server's settings at hand."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from kampungnet.core import clock
from kampungnet.core.database import Base, Database
from kampungnet.core.errors import Unavailable
from kampungnet.demo import boxes, children, history, run, wifi
from kampungnet.demo.children import Children, program
from kampungnet.devices import service as devices
from kampungnet.devices import sites
from kampungnet.devices.models import Agent
from kampungnet.hotspot import portal_pages, portals
from kampungnet.measurement.models import YoungReading
from kampungnet.shared import wire
from kampungnet.upkeep import pack_one
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


def through_the_door(database: Database, lines: list[history.Line]) -> None:
    """Store readings as a box of that time would have, in reports; then let them rest."""
    now_ms = clock.now_ms()
    with database.writes() as db:
        site = devices.ensure_site(db, villages.village(db, SARONGAN))
        agent = Agent(
            regency=site.regency, id="box", site=site.code, public_key=b"0" * 32, enrolled_ms=now_ms, revoked_ms=None,
            board="", version="",
        )  # fmt: skip
        db.add(agent)
        db.flush()
        key = (agent.regency, agent.site, agent.id)
        for first in range(0, len(lines), 100):
            history._store(db, key, [bytes(line.reading) for line in lines[first : first + 100]], now_ms)
    pack_one(database, key[0], key[2], clock.now_ms())


@pytest.mark.parametrize(("begun", "kept"), [(None, 2), (1_790_000_400_000, 2), (1_790_000_200_000, 1)])
def test_a_month_ends_where_the_running_box_began_or_now(
    database: Database, monkeypatch: pytest.MonkeyPatch, begun: int | None, kept: int
) -> None:
    monkeypatch.setattr(clock, "now_ms", lambda: 1_790_000_500_000)
    if begun:
        with database.writes() as db:
            site = devices.ensure_site(db, villages.village(db, SARONGAN))
            db.add(Agent(regency=site.regency, id="box", site=site.code, public_key=b"0" * 32, enrolled_ms=begun,
                         board="", version=""))  # fmt: skip
            db.flush()
            reading = wire.Reading("live", 1, "router", begun, 0, wire.Outcome.UNREACHABLE, 1)
            history._store(db, (site.regency, site.code, "box"), [msgspec.json.encode(reading)], begun)
    history.store_village(database, SARONGAN, the_past(breaks_off=False), None)
    with database.reads() as db:
        stored = db.scalars(select(YoungReading.boot_id)).all()
    assert stored.count("history") == kept


def taken_ms(line: history.Line) -> int:
    return msgspec.json.decode(line.reading, type=wire.Reading).taken_at_ms


def told_of(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """Return what a database holds, but not when it came and from whom."""
    unlike = {"agent", "stored_ms", "since_ms", "boots", "agents"}
    with database.reads() as db:
        return {
            table.name: sorted(
                (tuple(row) for row in db.execute(select(*(c for c in table.c if c.name not in unlike)))), key=repr
            )
            for table in Base.metadata.sorted_tables
            if table.name not in unlike
        }


@pytest.mark.parametrize("dark_hours", [0, 3])
def test_a_month_that_comes_at_once_rests_as_if_it_had_come_report_by_report(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dark_hours: int
) -> None:
    now_ms = clock.now_ms()
    monkeypatch.setattr(clock, "now_ms", lambda: now_ms)  # or some grow old between the two
    register = ["--register", str(villages.register_path(run.REGISTER)), "--seed", run.SEED]
    cut = ",".join(clock.local(now_ms - hours * 3_600_000, clock.WIB).isoformat() for hours in (20, 17))
    words = [*register, "--days", "2", "--only", SARONGAN, "--cut", f"{SARONGAN}={cut}"]
    told = subprocess.run([program("kampungnet-sim"), "history", *words], check=True, capture_output=True).stdout
    lines = [msgspec.json.decode(line, type=history.Line) for line in told.splitlines()]
    until_ms = now_ms - dark_hours * 3_600_000
    history.store_village(database, SARONGAN, lines, until_ms)
    (tmp_path / "other").mkdir()
    other = run._database(tmp_path / "other")
    through_the_door(other, [line for line in lines if taken_ms(line) <= until_ms])
    found, expected = told_of(database), told_of(other)
    other.close()
    assert len(found["reading_days"]) >= 4
    assert (len(found["young_readings"]) >= 20) is (dark_hours == 0)
    assert found == expected


def test_a_second_demo_on_the_same_folder_is_refused_in_a_sentence(tmp_path: Path) -> None:
    run.hold(tmp_path)
    with pytest.raises(Unavailable, match="another demo uses"):
        run.hold(tmp_path)


def test_a_real_servers_settings_never_reach_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAMPUNGNET_DATABASE_URL", "postgresql+psycopg://the-real-one")
    children = Children(tmp_path)
    children.start("show", Path(sys.executable).name, "-c", "import os; print(sorted(os.environ))", ends=True)
    children.wait_for("the child", lambda: children.have_ended(["show"]), 60)
    shown = children.log_of("show").read_text()
    assert "PATH" in shown
    assert "KAMPUNGNET" not in shown


@pytest.mark.parametrize("number", children.ENDS)
def test_an_end_that_comes_while_a_child_is_born_leaves_nobody_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    born: list[subprocess.Popen[bytes]] = []

    def interrupted(*command: Any, **more: Any) -> subprocess.Popen[bytes]:
        born.append(popen(*command, **more))
        signal.raise_signal(number)
        return born[0]

    popen, handler = subprocess.Popen, signal.signal(number, run._interrupt)
    monkeypatch.setattr(subprocess, "Popen", interrupted)
    family = Children(tmp_path)
    try:
        with pytest.raises(KeyboardInterrupt):
            family.start("late", Path(sys.executable).name, "-c", "import time; time.sleep(60)")
        family.stop()
        assert born[0].returncode is not None
    finally:
        signal.signal(number, handler)
        born[0].kill()
        born[0].wait()


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
