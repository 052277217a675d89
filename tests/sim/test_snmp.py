import re
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kampungnet_sim import snmp_ber as ber
from kampungnet_sim.fleet import FleetOptions, Site
from kampungnet_sim.snmp_ont import HSGQ_FIRST_ROW
from kampungnet_sim.village import NO_LIGHT_DBM
from tests.sim.stage import Stage, needed, on_stage, run

HC_IN = "1.3.6.1.2.1.31.1.1.1.6"
HSGQ = "1.3.6.1.4.1.50224.3.2.4.1"
MIKROTIK = "1.3.6.1.4.1.14988.1.1.19.1.1"


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with on_stage(FleetOptions(model="hex")) as one:
        yield one


def v2c(site: Site) -> list[str]:
    return ["-v2c", "-c", site.access.community, "-t", "2", "-r", "0"]


def v3(site: Site, auth: str | None = None) -> list[str]:
    user = site.access.user
    return [
        "-v3", "-l", "authPriv", "-u", user.name, "-a", "SHA", "-A", auth or user.auth_password,
        "-x", "AES", "-X", user.priv_password, "-t", "2", "-r", "0",
    ]  # fmt: skip


async def tool(name: str, site: Site, access: list[str], *oids: str) -> tuple[int, list[str]]:
    program = needed(name, "snmp")
    code, said = await run(program, *access, "-On", "-Oe", f"127.0.0.1:{site.ports['snmp']}", *oids)
    return code, said.splitlines()


def names(lines: list[str]) -> list[str]:
    return [line.split(" = ")[0] for line in lines if not line.endswith("(It is past the end of the MIB tree)")]


async def test_walk_bulkwalk_and_v3_find_the_same_objects(stage: Stage) -> None:
    code, walked = await tool("snmpwalk", stage.site, v2c(stage.site), "1.3.6.1")
    bulk_code, bulked = await tool("snmpbulkwalk", stage.site, v2c(stage.site), "1.3.6.1")
    v3_code, secured = await tool("snmpbulkwalk", stage.site, v3(stage.site), "1.3.6.1")
    assert (code, bulk_code, v3_code) == (0, 0, 0)
    assert len(walked) > 100
    assert names(walked) == names(bulked) == names(secured)


async def test_counters_light_and_uptime_are_the_truth(stage: Stage) -> None:
    before = stage.truth()
    oids = [f"{HC_IN}.1", f"{HSGQ}.12.{HSGQ_FIRST_ROW}", "1.3.6.1.2.1.1.3.0"]
    _, lines = await tool("snmpget", stage.site, v2c(stage.site), *oids)
    after = stage.truth()
    counted = int(lines[0].rsplit(" ", 1)[1])
    assert before.ont_interfaces[0].rx_bytes <= counted <= after.ont_interfaces[0].rx_bytes
    assert abs(int(lines[1].rsplit(" ", 1)[1]) / 100 - after.rx_power_dbm) < 0.1
    ticks = re.search(r"\((\d+)\)", lines[2])
    assert ticks is not None
    assert before.ont_uptime_seconds <= int(ticks[1]) / 100 <= after.ont_uptime_seconds + 1


async def test_the_router_shows_the_light_of_the_stick_in_its_cage() -> None:
    async with on_stage(FleetOptions(model="hex-s")) as stage:
        _, lines = await tool("snmpget", stage.site, v2c(stage.site), f"{MIKROTIK}.10.1", f"{MIKROTIK}.2.1")
        assert abs(int(lines[0].rsplit(" ", 1)[1]) / 1_000 - stage.truth().rx_power_dbm) < 0.1
        assert lines[1].endswith('"sfp1"')
        stage.fleet.faults.add("cut_fibre", "*", 60)
        _, lines = await tool("snmpget", stage.site, v2c(stage.site), f"{MIKROTIK}.10.1", f"{MIKROTIK}.3.1")
        assert [line.rsplit(" ", 1)[1] for line in lines] == [str(round(NO_LIGHT_DBM * 1_000)), "1"]


async def test_an_empty_cage_and_a_junk_row_look_as_they_were_recorded(stage: Stage) -> None:
    _, lines = await tool("snmpwalk", stage.site, v2c(stage.site), f"{HSGQ}.12")
    assert [line.rsplit(" ", 1)[1] for line in lines][1:] == ["-2147483648", "816"]


async def test_what_is_missing_is_marked_value_by_value(stage: Stage) -> None:
    _, lines = await tool("snmpget", stage.site, v2c(stage.site), "1.3.6.1.2.1.1.5.0", f"{HC_IN}.99", "1.3.9.9.0")
    assert lines[0].endswith('"ONT Sarongan"')
    assert "No Such Instance" in lines[1]
    assert "No Such Object" in lines[2]


async def test_v1_gets_no_64_bit_counters_and_an_error_for_what_is_missing(stage: Stage) -> None:
    old = ["-v1", *v2c(stage.site)[1:]]
    code, walked = await tool("snmpwalk", stage.site, old, "1.3.6.1")
    assert code == 0
    assert not [line for line in walked if "Counter64" in line]
    code, said = await tool("snmpget", stage.site, old, f"{HC_IN}.1")
    assert code == 2
    assert "noSuchName" in "\n".join(said)


async def test_writing_is_refused(stage: Stage) -> None:
    code, said = await run(
        needed("snmpset", "snmp"), *v2c(stage.site), f"127.0.0.1:{stage.site.ports['snmp']}",
        "1.3.6.1.2.1.1.5.0", "s", "x",
    )  # fmt: skip
    assert code == 2
    assert "notWritable" in said


async def test_a_wrong_community_gets_silence(stage: Stage) -> None:
    code, said = await tool("snmpget", stage.site, ["-v2c", "-c", "public", "-t", "1", "-r", "0"], f"{HC_IN}.1")
    assert code == 1
    assert "Timeout" in said[0]


async def test_v3_tells_a_wrong_password_from_an_unknown_user(stage: Stage) -> None:
    code, said = await tool("snmpget", stage.site, v3(stage.site, "another-password"), f"{HC_IN}.1")
    assert (code, "Authentication failure" in said[0]) == (1, True)
    stranger = [word.replace(stage.site.access.user.name, "stranger") for word in v3(stage.site)]
    code, said = await tool("snmpget", stage.site, stranger, f"{HC_IN}.1")
    assert (code, "Unknown user name" in said[0]) == (1, True)


@given(st.integers(-(2**31), 2**64 - 1))
def test_numbers_are_read_back_as_they_were_written(number: int) -> None:
    assert ber.Reader(ber.integer(number)).integer() == number


@given(st.lists(st.integers(0, 2**32 - 1), max_size=30))
def test_names_are_read_back_as_they_were_written(rest: list[int]) -> None:
    assert ber.Reader(ber.object_id((1, 3, *rest))).oid() == (1, 3, *rest)


@given(st.binary(max_size=300))
def test_any_bytes_are_either_read_or_refused(data: bytes) -> None:
    reader = ber.Reader(data)
    try:
        while reader.more():
            reader.enter()
    except ber.BerError:
        pass
