"""What is wrong with an SNMP agent, as net-snmp's tools complain about it."""

from collections.abc import AsyncIterator

import pytest

from kampungnet_sim.extras import ExtraWish
from kampungnet_sim.fleet import FleetOptions
from kampungnet_sim.olt_service import OltWish
from tests.sim.far_end import asked, olt_of, walked
from tests.sim.stage import Stage, needed, on_stage, run

SERIALS = "1.3.6.1.4.1.3902.1012.3.28.1.1.5"
PHASES = "1.3.6.1.4.1.3902.1012.3.28.2.1.4"
NAME = "1.3.6.1.2.1.1.5.0"


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with on_stage(FleetOptions(extras=ExtraWish(olts=(OltWish("zte-c320", 90),)))) as one:
        yield one


async def walk(stage: Stage, seconds: float = 60) -> tuple[int, str]:
    olt = olt_of(stage)
    access = ["-v2c", "-c", olt["community"], "-t", "1", "-r", "0", "-On"]
    return await run(needed("snmpbulkwalk", "snmp"), *access, olt["address"], PHASES, seconds=seconds)


async def test_a_walk_that_breaks_off_gives_some_rows_and_then_a_timeout(stage: Stage) -> None:
    whole = await walked(olt_of(stage), PHASES)
    stage.fleet.faults.add("walk_breaks_off", "olt-1")
    code, said = await walk(stage)
    rows = [line for line in said.splitlines() if line.startswith(".")]
    assert code == 1
    assert "Timeout" in said
    assert 0 < len(rows) < len(whole) == 91
    # What is asked by its exact name is still answered.
    assert (await asked(olt_of(stage), "snmpget", NAME))[NAME] == "ZXAN"
    stage.fleet.faults.clear()
    assert len(await walked(olt_of(stage), PHASES)) == 91


async def test_a_stuck_object_comes_again_and_again(stage: Stage) -> None:
    stage.fleet.faults.add("stuck_oid", "olt-1")
    code, said = await walk(stage)
    assert code == 1
    assert "OID not increasing" in said


async def test_an_endless_table_grows_for_ever(stage: Stage) -> None:
    stage.fleet.faults.add("endless_table", "olt-1")
    with pytest.raises(TimeoutError):
        await walk(stage, seconds=1.5)
    olt = olt_of(stage)
    last = f"{0x10000000 + olt['slot'] * 65_536 + olt['port'] * 256}.4000000000"
    # A row far behind the last: net-snmp is told of the one after it.
    found = await asked(olt, "snmpgetnext", f"{PHASES}.{last}")
    assert list(found) == [f"{PHASES}.{last[:-1]}1"]


async def test_a_wrong_type_turns_numbers_into_text_and_text_into_numbers(stage: Stage) -> None:
    stage.fleet.faults.add("wrong_type", "olt-1")
    _, said = await walk(stage)
    assert 'STRING: "n/a"' in said
    assert "INTEGER" not in said
    assert (await asked(olt_of(stage), "snmpget", NAME))[NAME] == "42"


async def test_an_answer_with_another_requests_number_is_no_answer(stage: Stage) -> None:
    stage.fleet.faults.add("wrong_request_id", "olt-1")
    found = await asked(olt_of(stage), "snmpget", NAME, seconds="1")
    assert "Timeout" in found["error"]


async def test_a_late_answer_is_nobodys(stage: Stage) -> None:
    stage.fleet.faults.add("late_answers", "olt-1")
    assert "Timeout" in (await asked(olt_of(stage), "snmpget", NAME, seconds="1"))["error"]


async def test_a_fault_of_an_olt_does_not_reach_the_villages(stage: Stage) -> None:
    stage.fleet.faults.add("device_dead", "olt-1")
    assert "Timeout" in (await asked(olt_of(stage), "snmpget", NAME, seconds="1"))["error"]
    site = stage.site
    code, said = await run(
        needed("snmpget", "snmp"), "-v2c", "-c", site.access.community, "-t", "30", "-r", "0",
        f"127.0.0.1:{site.ports['snmp']}", NAME,
    )  # fmt: skip
    assert (code, "ONT" in said) == (0, True)


async def test_version_3_speaks_sha_256_and_aes(stage: Stage) -> None:
    olt = olt_of(stage)
    access = [
        "-v3", "-l", "authPriv", "-u", olt["v3_username"], "-a", olt["v3_auth"], "-A", olt["v3_auth_password"],
        "-x", "AES", "-X", olt["v3_priv_password"], "-t", "30", "-r", "0", "-On", "-Oe",
    ]  # fmt: skip
    code, said = await run(needed("snmpbulkwalk", "snmp"), *access, olt["address"], PHASES)
    assert code == 0
    assert len(said.splitlines()) == 91
    wrong = [word if word != olt["v3_auth_password"] else "another-password" for word in access]
    code, said = await run(needed("snmpget", "snmp"), *wrong, olt["address"], NAME)
    assert (code, "Authentication failure" in said) == (1, True)
    stage.fleet.faults.add("walk_breaks_off", "olt-1")
    code, said = await run(needed("snmpbulkwalk", "snmp"), *access, "-t", "2", olt["address"], PHASES)
    assert (code, "Timeout" in said) == (1, True)


async def test_serial_numbers_travel_as_four_letters_and_four_bytes(stage: Stage) -> None:
    olt = olt_of(stage)
    found = await walked(olt, SERIALS)
    ours = found[f"{0x10000000 + olt['slot'] * 65_536 + olt['port'] * 256}.{olt['onu']}"]
    raw = bytes.fromhex(ours) if " " in ours.strip() else ours.encode()
    assert raw[:4].decode() + raw[4:].hex().upper() == olt["serial"]
