"""The villages that show something on purpose: chosen without the simulator, and true on whatever day a demo begins."""

import asyncio
import json
import subprocess
from pathlib import Path
from statistics import median

import msgspec
import pytest
from sqlalchemy import select

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.demo import boxes, cast, history, run
from kampungnet.demo.children import program
from kampungnet.devices.models import AssignedOnu
from kampungnet.measurement import incident_log, planned_work
from kampungnet.measurement.light import outlook
from kampungnet.measurement.outage_words import Span
from kampungnet.staff.service import Scope
from kampungnet.villages import service as villages
from kampungnet_agent.settings import read_agent_settings
from kampungnet_sim.register import read_register, spread
from kampungnet_sim.village import Village, draw_profile
from kampungnet_sim.village_features import Wish
from tests.sim.test_command_line import running

REGISTER = villages.register_path("banyuwangi")
CODES = [one.code for one in read_register(REGISTER)]
BEGAN_MS = 1_790_000_000_000


@pytest.mark.parametrize("number", [1, 6, 12, 217, 400])
def test_each_kecamatan_gives_a_village_in_turn_and_nobody_plays_two_parts(number: int) -> None:
    chosen = cast.choose(CODES, number)
    assert list(chosen.codes) == [one.code for one in spread(read_register(REGISTER), number)]
    parts = {chosen.dark, chosen.fibre, chosen.ageing, chosen.silent, chosen.extras, chosen.olt}
    assert set(chosen.by_interest()) == set(chosen.codes)
    assert parts == {""} or set(chosen.by_interest()[:6]) == parts
    assert parts == {""} if number < cast.ENOUGH_VILLAGES else len(parts & set(chosen.codes)) == 6


def test_each_part_is_told_in_one_line_and_too_few_villages_have_none() -> None:
    told = cast.choose(CODES, 6).told({code: f"Desa {code}" for code in CODES}).splitlines()
    assert (len(told), len({line.split()[1] for line in told[1:]})) == (8, 7), "six parts and the trunk"
    few = cast.choose(CODES, 5)
    assert (few.told({}), few.past(BEGAN_MS)) == ("All of them work.", [])
    assert few.present() == ["--router-ssh", few.codes[0]]


@pytest.mark.parametrize("number", [6, 12, 24, 217])
def test_the_fading_light_foretells_an_end_on_whatever_day_the_demo_begins(number: int) -> None:
    code = cast.choose(CODES, number).ageing
    for week in range(0, 104, 4):
        today = BEGAN_MS // clock.DAY_MS + 7 * week
        since = (today - history.DAYS) * 86_400
        one = Village(draw_profile(code, "x", int(run.SEED), wish=Wish(ageing={code: since})))
        days = [
            (day, median(one.light_dbm(day * 86_400 + hour * 3_600) for hour in range(24)))
            for day in range(today - history.DAYS, today)
        ]
        found = outlook(days)
        assert found.trend is not None
        assert found.trend.falls, week
        assert found.failing is not None, week


async def test_the_simulator_does_as_it_is_told_and_agents_accept_the_settings(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2] / "agents"))
    chosen, inventory = cast.choose(CODES, 6), tmp_path / "inventory.json"
    told = ["--register", str(REGISTER), "--seed", run.SEED, *chosen.past(BEGAN_MS), *chosen.present()]
    files = ["--control", "0", "--inventory", str(inventory)]
    async with running("run", *told, *files, "--only", *chosen.codes):
        found = boxes.inventory(inventory)
        await asyncio.to_thread(chosen.cut_fibre, found)
        kinds = {one["village"]: one["ont"]["kind"] for one in json.loads(inventory.read_text())}
    assert [code for code, kind in kinds.items() if kind == "silent"] == [chosen.silent]
    serials = chosen.onus_for(found)
    chosen.assign_onus(database, serials)
    with database.reads() as db:
        owners = {onu.serial: onu.site for onu in db.scalars(select(AssignedOnu))}
    assert owners == {serials[0]: f"{chosen.silent}-1", serials[1]: f"{chosen.olt}-1"}
    for box in found:
        box.onus = serials if box.village == chosen.olt else []
        (tmp_path / box.village).mkdir()
        (tmp_path / box.village / "credential").touch()
    paths = boxes.enrol_all(database, tmp_path, "http://127.0.0.1:1", found)
    drivers = {path.parent.name: [one.driver for one in read_agent_settings(path).devices] for path in paths}
    usual = ["mikrotik", "ont-snmp"]
    assert drivers.pop(chosen.extras) == ["mikrotik", "mikrotik-config", "ont-snmp", "camera", "generic-snmp"]
    assert drivers.pop(chosen.olt) == ["mikrotik", "mikrotik-config", "ont-snmp", "olt-snmp"]
    assert list(drivers.values()) == [usual] * 4


def test_villages_on_the_cut_trunk_are_one_incident_and_work_on_it_is_announced_once(database: Database) -> None:
    chosen = cast.choose(CODES, 6)
    since_ms = clock.now_ms() - history.DAYS * clock.DAY_MS
    until = clock.local(since_ms + 29 * clock.DAY_MS, clock.WIB).isoformat()
    words = ["--register", str(REGISTER), "--seed", run.SEED, *chosen.past(since_ms), "--only", *chosen.trunk]
    told = subprocess.run(
        [program("kampungnet-sim"), "history", *words, "--days", "3", "--until", until], check=True, capture_output=True
    ).stdout  # fmt: skip
    lines = [msgspec.json.decode(line, type=history.Line) for line in told.splitlines()]
    for code in chosen.trunk:
        history.store_village(database, code, (line for line in lines if line.village == code), None)
        history.judge(database, code)
    chosen.lay_cables(database)
    for _ in range(2):
        chosen.announce_work(database, run.signed_in(chosen.codes[0])["sari"])
    with database.writes() as db:
        incident_log.update(db, run.REGENCY, clock.now_ms())
    with database.reads() as db:
        incidents = incident_log.listed(db, run.REGENCY, Span(since_ms, clock.now_ms()))
        (work,) = planned_work.listed(db, Scope(run.REGENCY), 0)
    cuts = [one for one in incidents if one.cause == "fiber" and incident_log.place(one) == (cast.TRUNK_NAME,)]
    assert [{site[:13] for site, _ in incident_log.members(one)} for one in cuts] == [set(chosen.trunk)]
    assert planned_work.places(work) == chosen.trunk
    assert work.start_ms > clock.now_ms()
