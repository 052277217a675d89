"""OLTs over SNMP, asked with net-snmp's tools; numbers and layouts are those of the facts and recordings."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kampungnet_sim import olt_fiberhome, olt_huawei, olt_zte
from kampungnet_sim.extras import ExtraWish
from kampungnet_sim.fleet import Fleet, FleetOptions
from kampungnet_sim.olt_models import OLT_MODELS
from kampungnet_sim.olt_onus import Cause, Phase
from kampungnet_sim.olt_service import OltService, OltWish
from kampungnet_sim.register import RegisteredVillage
from tests.sim.far_end import asked, olt_of, walked
from tests.sim.stage import EVENING, SARONGAN, Clock, Stage, on_stage

E = "1.3.6.1.4.1"


@asynccontextmanager
async def an_olt(model: str, houses: int = 12) -> AsyncIterator[Stage]:
    async with on_stage(FleetOptions(extras=ExtraWish(olts=(OltWish(model, houses),)))) as stage:
        yield stage


def service(stage: Stage) -> OltService:
    return stage.fleet.extras.olts[0]


def row(stage: Stage, model: str) -> str:
    """The end of the names of our village's ONU, worked out from the facts by hand."""
    olt = olt_of(stage)
    slot, port, onu = olt["slot"], olt["port"], olt["onu"]
    rows = {
        "zte-c300": f"{0x10000000 + slot * 65_536 + port * 256}.{onu}",
        "zte-c320": f"{0x10000000 + slot * 65_536 + port * 256}.{onu}",
        "zte-c320-v2.2": f"{0x11010000 + slot * 256 + port}.{onu}",
        "zte-c600": f"{0x11010000 + slot * 256 + port}.{onu}",
        "huawei": f"{0xFA000000 + slot * 8_192 + port * 256}.{onu}",
        "fiberhome": f"{slot * 2**25 + port * 2**19 + onu * 2**8}",
        "fiberhome-an5116": f"{slot * 2**27 + port * 2**22 + onu * 2**13}",
        "vsol": f"{port}.{onu}",
        "ufiber": ".".join(map(str, [len(olt["serial"]), *olt["serial"].encode()])),
        "hsgq": f"{0x01000000 + port * 256 + onu}",
        "cdata": f"{0x480000 + (port - 1) * 4_096 + onu}",
        "bdcom": f"{1_000 + port * 256 + onu}",
    }
    return rows[model]


# Column of the state with its number for "working", column and reading of the light at the ONU.
STATE_AND_LIGHT = {
    "zte-c300": (f"{E}.3902.1012.3.28.2.1.4", "3", f"{E}.3902.1012.3.50.12.1.1.10", ".1"),
    "zte-c320": (f"{E}.3902.1012.3.28.2.1.4", "3", f"{E}.3902.1012.3.50.12.1.1.10", ".1"),
    "zte-c320-v2.2": (f"{E}.3902.1082.500.10.2.3.8.1.4", "4", f"{E}.3902.1082.500.20.2.2.2.1.10", ".1"),
    "zte-c600": (f"{E}.3902.1082.500.10.2.3.8.1.4", "4", f"{E}.3902.1082.500.20.2.2.2.1.10", ".1"),
    "huawei": (f"{E}.2011.6.128.1.1.2.46.1.15", "1", f"{E}.2011.6.128.1.1.2.51.1.4", ""),
    "fiberhome-an5116": (f"{E}.5875.800.3.10.1.1.11", "1", f"{E}.5875.800.3.9.3.3.1.6", ""),
    "fiberhome": (f"{E}.5875.800.3.10.1.1.11", "1", f"{E}.5875.800.3.9.3.3.1.6", ""),
    "vsol": (f"{E}.37950.1.1.5.12.1.25.1.4", "1", f"{E}.37950.1.1.5.12.2.1.8.1.7", ""),
    "ufiber": (f"{E}.41112.1.5.6.2.1.3", "1", f"{E}.41112.1.5.6.2.1.9", ""),
    "hsgq": (f"{E}.50224.3.12.2.1.4", "1", f"{E}.50224.3.12.3.1.4", ".0.0"),
    "cdata": (f"{E}.17409.2.8.4.1.1.7", "1", f"{E}.17409.2.8.4.4.1.4", ""),
    "bdcom": (f"{E}.3320.10.3.3.1.4", "3", f"{E}.3320.10.3.4.1.2", ""),
}
# Numbers for "no light" and "no power", and what the light column says then.
DARK = {
    "zte-c320": ("1", "4", "65535"),
    "zte-c600": ("2", "5", "65535"),
    "huawei": ("2", "2", "2147483647"),
    "fiberhome": ("0", "2", "0"),
    "fiberhome-an5116": ("0", "2", "0"),
    "vsol": ("0", "0", "-65535"),
    "ufiber": ("2", "2", "0"),
    "hsgq": ("2", "2", "-2147483648"),
    "cdata": ("2", "2", "0"),
    "bdcom": ("0", "0", "-65535"),
}


def dbm(model: str, raw: str) -> float:
    if model.startswith("zte"):
        return int(raw) * 0.002 - 30
    if model == "vsol":
        found = re.fullmatch(r"\d+\.\d\d mW \((-\d+\.\d\d) dBm\)", raw)
        assert found, raw
        return float(found[1])
    return int(raw) / (10 if model == "bdcom" else 100)


@pytest.mark.parametrize("model", STATE_AND_LIGHT)
async def test_the_state_and_the_light_of_a_village_stand_where_the_facts_say(model: str) -> None:
    async with an_olt(model) as stage:
        state, working, light, tail = STATE_AND_LIGHT[model]
        at = row(stage, model)
        found = await asked(olt_of(stage), "snmpget", f"{state}.{at}", f"{light}.{at}{tail}")
        assert found[f"{state}.{at}"] == working
        near = 0.06 if model == "bdcom" else 0.03
        assert abs(dbm(model, found[f"{light}.{at}{tail}"]) - stage.truth().rx_power_dbm) < near


@pytest.mark.parametrize("model", DARK)
async def test_a_cut_fibre_and_a_power_cut_look_different_where_the_maker_tells_them_apart(model: str) -> None:
    async with an_olt(model) as stage:
        state, working, light, tail = STATE_AND_LIGHT[model]
        at = row(stage, model)
        names = (f"{state}.{at}", f"{light}.{at}{tail}")
        seen = []
        for fault in ("cut_fibre", "power_cut"):
            stage.fleet.faults.add(fault, SARONGAN.code, 60)
            found = await asked(olt_of(stage), "snmpget", *names)
            seen.append(found[names[0]])
            assert found[names[1]] == DARK[model][2]
            stage.clock.forward(120)
        assert tuple(seen) == DARK[model][:2]
        assert (await asked(olt_of(stage), "snmpget", names[0]))[names[0]] == working


async def test_a_dying_gasp_is_history_once_the_power_is_back_and_offline_when_it_stays_away() -> None:
    async with an_olt("zte-c320") as stage:
        at = row(stage, "zte-c320")
        phase, cause, down = (f"{E}.3902.1012.3.28.2.1.{column}.{at}" for column in (4, 7, 6))
        stage.fleet.faults.add("power_cut", SARONGAN.code, 900)
        assert (await asked(olt_of(stage), "snmpget", phase))[phase] == "4"
        stage.clock.forward(400)
        assert (await asked(olt_of(stage), "snmpget", phase))[phase] == "6"
        stage.clock.forward(600)
        found = await asked(olt_of(stage), "snmpget", phase, cause, down)
        assert (found[phase], found[cause]) == ("3", "9")
        year = found[down].split()[:2]
        assert int("".join(year), 16) == 2026


async def test_a_unit_that_never_gasps_dies_like_a_cut_fibre() -> None:
    villages = [RegisteredVillage(f"35.10.01.20{n:02}", f"Desa {n}", "35.10.01") for n in range(1, 25)]
    clock = Clock(EVENING)
    fleet = Fleet(clock, FleetOptions(extras=ExtraWish(olts=(OltWish("zte-c320", 0),))))
    await fleet.start(villages)
    try:
        fleet.faults.add("power_cut", "*", 900)
        olt = fleet.extras.olts[0].olt
        seen = {onu.now(clock()).phase for onu in olt.onus}
        silent = [onu for onu in olt.onus if onu.now(clock()).phase is Phase.LOS]
        assert seen == {Phase.LOS, Phase.DYING_GASP}
        assert 0 < len(silent) < 8
        assert {onu.now(clock()).cause for onu in silent} == {Cause.LOS}
    finally:
        await fleet.close()


def test_index_codings_are_those_of_the_shared_vectors(shared: Path) -> None:
    of = {"A": olt_zte.coding_a, "B": olt_zte.coding_b, "C": olt_zte.coding_c}
    checked = 0
    for one in json.loads((shared / "recordings/ont/vectors.json").read_text())["index"]:
        name = re.search(r"(\d+)/(\d+)$", one.get("ifName", ""))
        slot, port = (int(name[1]), int(name[2])) if name else (one["slot"], one.get("port", one.get("pon")))
        if one["vendor"] == "zte":
            assert of[one["coding"][0]](slot, port) == one["value"]
        elif one["vendor"] == "huawei":
            assert olt_huawei.if_index(slot, port) == one["value"]
        elif one["vendor"] == "fiberhome-5516":
            assert olt_fiberhome.AN5516.of_port(slot, port) + (one["onu"] << 8) == one["value"]
        checked += one["vendor"] in ("zte", "huawei", "fiberhome-5516")
    assert checked >= 11


async def test_the_same_number_means_two_ports_in_the_two_codings_of_a_c320() -> None:
    async with an_olt("zte-c320") as stage:
        names = await walked(olt_of(stage), "1.3.6.1.2.1.31.1.1.1.1")
        assert names["268435456"] == "gpon_1/1/1"
        # As a PON index this number is port 1/1/1.
        assert names["268501248"] == "gpon_1/2/2"


async def test_thirteen_hundred_onus_have_gaps_and_strangers_and_are_walked_in_seconds() -> None:
    async with an_olt("zte-c600", 1_299) as stage:
        phases = await walked(olt_of(stage), f"{E}.3902.1082.500.10.2.3.8.1.4")
        assert len(phases) == 1_300
        assert set(phases.values()) == {"2", "4", "5", "6", "7"}
        numbers = sorted(int(name.split(".")[1]) for name in phases if name.startswith(f"{0x11010301}."))
        assert numbers[-1] > len(numbers)
        waiting = await walked(olt_of(stage), f"{E}.3902.1082.500.2.2.11.2.1.2")
        assert len(waiting) == 2
        known = await walked(olt_of(stage), f"{E}.3902.1082.500.20.2.1.2.1.3")
        assert not set(waiting.values()) & set(known.values())


async def test_every_model_answers_a_whole_walk_and_names_itself() -> None:
    for model in OLT_MODELS:
        async with an_olt(model, 3) as stage:
            everything = await asked(olt_of(stage), "snmpbulkwalk", "1.3.6.1")
            assert "error" not in everything
            assert everything["1.3.6.1.2.1.1.2.0"].startswith(".1.3.6.1.4.1.")


async def test_light_reads_and_walked_rows_are_counted() -> None:
    async with an_olt("huawei") as stage:
        at = row(stage, "huawei")
        counts = service(stage).olt.counts
        light = [f"{E}.2011.6.128.1.1.2.51.1.{column}.{at}" for column in (1, 3, 4)]
        await asked(olt_of(stage), "snmpget", *light)
        assert (counts.light_reads, counts.light_visits, counts.rows_got) == (3, {olt_of(stage)["serial"]: 1}, 3)
        assert counts.rows_walked == 0
        await asked(olt_of(stage), "snmpget", f"{E}.2011.6.128.1.1.2.46.1.15.{at}")
        assert (counts.light_reads, counts.rows_got, counts.requests) == (3, 4, 2)
        await walked(olt_of(stage), f"{E}.2011.6.128.1.1.2.46.1.15")
        assert counts.rows_walked >= 13


async def test_a_fragile_line_card_dies_when_its_light_is_read_often_and_comes_back() -> None:
    async with an_olt("zte-c320", 150) as stage:
        at = row(stage, "zte-c320")
        phase = f"{E}.3902.1012.3.28.2.1.4.{at}"
        stage.fleet.faults.add("fragile_line_card", "olt-1")
        await walked(olt_of(stage), f"{E}.3902.1012.3.50.12.1.1.10")
        assert service(stage).olt.counts.card_crashes >= 1
        assert (await asked(olt_of(stage), "snmpget", phase))[phase] == "6"
        stage.clock.forward(200)
        assert (await asked(olt_of(stage), "snmpget", phase))[phase] == "3"


async def test_after_a_restart_every_onu_is_ranged_anew_and_the_uptime_begins_again() -> None:
    async with an_olt("zte-c320") as stage:
        uptime, phase = "1.3.6.1.2.1.1.3.0", f"{E}.3902.1012.3.28.2.1.4.{row(stage, 'zte-c320')}"
        stage.fleet.faults.add("reboot", "olt-1", 60)
        assert "Timeout" in (await asked(olt_of(stage), "snmpget", uptime, seconds="1"))["error"]
        stage.clock.forward(70)
        assert (await asked(olt_of(stage), "snmpget", phase))[phase] == "0"
        stage.clock.forward(120)
        assert (await asked(olt_of(stage), "snmpget", phase))[phase] == "3"
        now = service(stage).moment()
        assert 125 < now.when - now.boot < 140
        assert service(stage).olt.now(service(stage).olt.onus[0], now).phase is Phase.WORKING
