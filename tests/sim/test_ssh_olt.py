"""Command lines of OLTs, compared with what real ones were recorded to print."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kampungnet_sim.extras import ExtraWish
from kampungnet_sim.fleet import FleetOptions
from kampungnet_sim.olt_service import OltWish
from tests.sim.far_end import CODE, olt_of, ssh
from tests.sim.stage import Stage, on_stage

SMARTAX = "recordings/ont/ntc-templates/huawei_smartax"
KUSUMA = "recordings/ont/cli-kusumavision"
NEW = ("-oKexAlgorithms=+diffie-hellman-group14-sha1", "-oHostKeyAlgorithms=+ssh-rsa", "-oCiphers=+aes128-cbc")


@asynccontextmanager
async def an_olt(model: str, houses: int = 40) -> AsyncIterator[Stage]:
    wish = ExtraWish(olts=(OltWish(model, houses),), olt_ssh=True)
    async with on_stage(FleetOptions(extras=wish)) as stage:
        yield stage


async def typed(stage: Stage, folder: Path, *lines: str) -> str:
    """What the terminal showed while these lines were typed."""
    _, said = await ssh(olt_of(stage)["ssh"], folder, "-tt", *NEW, typed="".join(f"{line}\r" for line in lines))
    return said.replace("\r\n", "\n")


async def answer(stage: Stage, folder: Path, command: str) -> list[str]:
    """The lines of one command's answer, asked without a terminal."""
    code, said = await ssh(olt_of(stage)["ssh"], folder, *NEW, command)
    assert code == 0, said
    return said.replace("\r\n", "\n").rstrip("\n").split("\n")


def of(said: str, command: str) -> list[str]:
    """The lines between a command's echo and the next prompt."""
    _, _, rest = said.partition(f"#{command}\n")
    return re.split(r"\n\S*#", rest, maxsplit=1)[0].split("\n")


def starts(line: str) -> list[int]:
    """Where the words of a row begin."""
    return [found.start() for found in re.finditer(r"\S+", line)]


def keys(lines: Iterable[str], separator: str = ":") -> list[str]:
    """What stands before the separator, blanks of the layout kept."""
    return [line.split(separator, 1)[0] for line in lines if separator in line]


def bare(lines: Iterable[str]) -> list[str]:
    """Lines without the blanks at their ends, which recordings have now and then."""
    return [line.rstrip() for line in lines]


def read(shared: Path, name: str) -> list[str]:
    return (shared / name).read_text().splitlines()


# -- Huawei SmartAX -------------------------------------------------------------------------------


async def smartax(stage: Stage, folder: Path, *commands: str) -> str:
    return await typed(stage, folder, "enable", "undo smart", "scroll", *commands, "quit", "y")


async def test_smartax_lists_a_port_as_recorded(tmp_path: Path, shared: Path) -> None:
    recorded = read(shared, f"{SMARTAX}/display_ont_info_0/huawei_smartax_display_ont_info_fsp.raw")
    async with an_olt("huawei") as stage:
        mine = of(await smartax(stage, tmp_path, "display ont info 0 0 0 all"), "display ont info 0 0 0 all")
    assert bare(mine[:4]) == bare(recorded[:4])
    assert starts(mine[4]) == starts(recorded[4])
    second = next(n for n, line in enumerate(recorded) if "Description" in line)
    mine_second = next(n for n, line in enumerate(mine) if "Description" in line)
    assert bare(mine[mine_second : mine_second + 3]) == bare(recorded[second : second + 3])
    assert starts(mine[mine_second + 3])[:3] == starts(recorded[second + 3])[:3]
    total = r"  In port 0/ \d/\d , the total of ONTs are: \d+, online: \d+"
    assert re.fullmatch(total, mine[-2])
    assert re.fullmatch(total, recorded[-2])


async def test_smartax_sums_up_a_port_as_recorded(tmp_path: Path, shared: Path) -> None:
    recorded = read(shared, f"{SMARTAX}/display_ont_info_summary_ont/huawei_smartax_display_ont_info_summary_ont_2.raw")
    command = "display ont info summary 0/0/0"
    async with an_olt("huawei") as stage:
        mine = of(await smartax(stage, tmp_path, command), command)
        heads = [line for line in mine if not re.match(r"  \d", line)]
        theirs = [line for line in recorded if not re.match(r"  \d", line)]
        assert bare(heads[:2] + heads[3:]) == bare(theirs[:2] + theirs[3:])
        light = [line for line in mine if re.match(r"  \d+ +[0-9A-F]{16} ", line)]
        assert starts(light[0])[:5] == starts(recorded[-2])[:5]
        older = read(shared, f"{SMARTAX}/display_ont_info_summary_ont/huawei_smartax_display_ont_info_summary_ont.raw")
        states = [line for line in mine if re.match(r"  \d+ +(online|offline) .* LOSi/LOBi$", line)]
        assert starts(states[0]) == starts(older[6])
        level = float(light[0].split()[4].split("/")[0])
        assert abs(level - stage.truth().rx_power_dbm) < 0.1
        stage.fleet.faults.add("power_cut", CODE, 60)
        dark = of(await smartax(stage, tmp_path, command), command)
    assert any(re.match(r"  0 +offline .* dying-gasp$", line) for line in dark)
    assert any(re.match(r"  0 +[0-9A-F]{16} .* -/- ", line) for line in dark)


async def test_smartax_shows_light_inside_the_port_only_and_as_recorded(tmp_path: Path, shared: Path) -> None:
    recorded = read(
        shared, f"{SMARTAX}/display_ont_optical-info_0_all/huawei_smartax_display_ont_optical-info_0_all.raw"
    )
    command = "display ont optical-info 0 all"
    async with an_olt("huawei") as stage:
        said = await smartax(stage, tmp_path, "config", "interface gpon 0/0", command, "quit", "quit")
        mine = of(said, command)
        assert bare(mine[:4]) == bare(recorded[:4])
        assert starts(mine[4]) == starts(recorded[4])
        assert stage.fleet.extras.olts[0].olt.counts.light_reads > 0
        assert "MA5608T(config-if-gpon-0/0)#" in said
        outside = await smartax(stage, tmp_path, command)
        assert "Unknown command" in outside


async def test_smartax_tells_of_one_ont_what_was_recorded(tmp_path: Path, shared: Path) -> None:
    recorded = read(shared, f"{SMARTAX}/display_ont_info_0_1_2_3/huawei_smartax_display_ont_info_1.raw")
    async with an_olt("huawei") as stage:
        olt = olt_of(stage)
        command = f"display ont info 0 {olt['slot']} {olt['port']} {olt['onu']}"
        mine = of(await smartax(stage, tmp_path, command), command)
        by_serial = f"display ont info by-sn {olt['serial']}"
        assert of(await smartax(stage, tmp_path, by_serial), by_serial)[:5] == mine[:5]
    assert set(keys(mine)) <= set(keys(recorded))
    assert len(keys(mine)) > 15


async def test_smartax_pages_asks_and_asks_again_before_it_lets_one_go(tmp_path: Path) -> None:
    command = "display ont info 0 0 0 all"
    async with an_olt("huawei", 900) as stage:
        # Not smart, not scrolling: the space is for the pager, and q ends the list.
        said = await typed(stage, tmp_path, "enable", command, "", " q", "quit", "n", "quit", "y")
        assert "{ <cr>||<K> }:" in said
        assert said.count("---- More ( Press 'Q' to break ) ----") == 2
        assert "\x1b[37D" in said
        assert said.count("Are you sure to log out? (y/n)[n]:") == 2
        counted = stage.fleet.extras.listed()["olt-1 ssh"]
        assert counted["logouts"] == 1


# -- ZTE --------------------------------------------------------------------------------------------


async def test_a_c600_tells_an_outage_as_recorded(tmp_path: Path, shared: Path) -> None:
    recorded = read(shared, f"{KUSUMA}/zte-c600-show-gpon-onu-detail-info-dying-gasp.txt")
    async with an_olt("zte-c600") as stage:
        olt = olt_of(stage)
        stage.fleet.faults.add("power_cut", CODE, 60)
        mine = await answer(
            stage, tmp_path, f"show gpon onu detail-info gpon_onu-1/{olt['slot']}/{olt['port']}:{olt['onu']}"
        )
    assert "  Phase state:          DyingGasp" in mine
    assert "  Phase state:          DyingGasp" in recorded
    assert set(keys(mine[:20])) <= set(keys(recorded[:30]))
    rule = recorded.index("-" * 42)
    at = mine.index("-" * 42)
    assert mine[at + 1] == recorded[rule + 1]
    last = [line for line in mine[at + 2 :] if line.endswith("DyingGasp")][-1]
    assert starts(last) == starts(recorded[rule + 2])
    assert bare([mine[-2]])[0][7:] == bare([recorded[-1]])[0][7:]


async def test_a_c320_lists_who_waits_as_recorded(tmp_path: Path, shared: Path) -> None:
    recorded = read(shared, f"{KUSUMA}/zte-c320-show-gpon-onu-uncfg.txt")
    async with an_olt("zte-c320") as stage:
        mine = await answer(stage, tmp_path, "show gpon onu uncfg")
    head = recorded.index("OnuIndex                 Sn                  State")
    assert mine[1:3] == recorded[head : head + 2]
    assert starts(mine[3]) == starts(recorded[head + 2])


async def test_the_families_write_ports_and_states_differently(tmp_path: Path) -> None:
    rows = {
        "zte-c300": (r"gpon-onu_1/\d/\d:\d+ +enable +disable +unknown +LOS", "gpon-olt_1"),
        "zte-c320": (r"1/\d/\d:\d+ +enable +disable +LOS +1\(GPON\)", "gpon-olt_1"),
        "zte-c600": (r"1/\d/\d:\d+ +enable +disable +LOS +1\(GPON\)", "gpon_olt-1"),
    }
    for model, (row, port) in rows.items():
        async with an_olt(model) as stage:
            olt = olt_of(stage)
            stage.fleet.faults.add("cut_fibre", CODE, 60)
            where = f"{port}/{olt['slot']}/{olt['port']}"
            states = await answer(stage, tmp_path, f"show gpon onu state {where}")
            assert any(re.fullmatch(row, line) for line in states), states
            levels = await answer(stage, tmp_path, f"show pon power onu-rx {where}")
            assert any(re.search(r":\d+ +(N/A|no signal)$", line) for line in levels), levels
            assert any(re.search(r":\d+ +-\d\d\.\d{3}\(dbm\)$", line) for line in levels), levels


async def test_attenuation_adds_up(tmp_path: Path) -> None:
    async with an_olt("zte-c320") as stage:
        olt = olt_of(stage)
        onu = f"gpon-onu_1/{olt['slot']}/{olt['port']}:{olt['onu']}"
        lines = await answer(stage, tmp_path, f"show pon power attenuation {onu}")
        up = re.fullmatch(r" up +Rx :(\S+)\(dbm\) +Tx:(\S+)\(dbm\) +(\S+)\(dB\)", lines[2])
        assert up is not None, lines
        assert abs(float(up[2]) - float(up[1]) - float(up[3])) < 0.001
        assert await answer(stage, tmp_path, f"show gpon onu by sn {olt['serial']}") == ["SearchResult", "-" * 14, onu]


async def test_a_pager_that_is_not_switched_off_leaves_backspaces(tmp_path: Path) -> None:
    async with an_olt("zte-c320", 300) as stage:
        said = await typed(stage, tmp_path, "show gpon onu state", "  q", "exit")
        assert said.count("--More--") == 3
        assert "\b" * 8 + " " * 8 + "\b" * 8 in said
        whole = await typed(stage, tmp_path, "terminal length 0", "show gpon onu state", "exit")
        assert "--More--" not in whole
        assert whole.count("1(GPON)") == 301


# -- small OLTs -------------------------------------------------------------------------------------


async def test_c_data_prints_light_as_recorded(tmp_path: Path, shared: Path) -> None:
    recorded = read(shared, f"{KUSUMA}/cdata-fd1608s-show-ont-optical-info.txt")
    async with an_olt("cdata", 600) as stage:
        mine = await answer(stage, tmp_path, f"show ont optical-info {olt_of(stage)['port']} all")
    assert mine[:4] == recorded[:4]
    assert starts(mine[4]) == starts(recorded[4])
    dark = next(line for line in mine if "--  " in line and line[0].isdigit())
    assert starts(dark)[1:] == starts(recorded[6])[1:] or starts(dark)[1] == 7


async def test_hsgq_lists_all_and_hangs_when_asked_for_all_light(tmp_path: Path, shared: Path) -> None:
    recorded = read(shared, f"{KUSUMA}/hsgq-epon-show-epon-onu-all-info.txt")
    async with an_olt("hsgq-epon") as stage:
        mine = await answer(stage, tmp_path, "show epon onu all info")
        assert mine[:4] == recorded[1:5]
        row = r"\t\d+ +\d+ *\t[0-9A-F:]{17}\tActive   (Online   Success  Match|Offline  Initial  Initial)\s*"
        assert all(re.fullmatch(row, line) for line in [*mine[4:-2], *recorded[5:10]])
        assert re.fullmatch(r"  Total: 41, online \d+", mine[-1])
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(answer(stage, tmp_path, "show epon port 1 onu all optical-info"), 1.5)
