"""A router's command line and files, with OpenSSH's own clients."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kampungnet_sim.fleet import FleetOptions
from tests.sim.far_end import CODE, sftp, ssh
from tests.sim.stage import Stage, on_stage


@pytest.fixture
async def router() -> AsyncIterator[Stage]:
    async with on_stage(FleetOptions(model="hap-ax2", version="7.20.6", router_ssh=True)) as stage:
        yield stage


def access(stage: Stage) -> dict[str, Any]:
    assert stage.site.shell is not None
    return stage.site.shell.access


async def test_it_prints_its_settings_with_secrets_only_when_asked(router: Stage, tmp_path: Path) -> None:
    router.site.router.tables["/radius"].add({"service": "hotspot", "address": "10.0.0.1", "secret": "sangat-rahasia"})
    code, said = await ssh(access(router), tmp_path, "/export terse")
    assert code == 0
    assert " by RouterOS 7.20.6\r\n# software id = " in said
    assert "\r\n/radius add address=10.0.0.1 service=hotspot\r\n" in said
    _, shown = await ssh(access(router), tmp_path, "/export terse show-sensitive")
    assert "\r\n/radius add address=10.0.0.1 secret=sangat-rahasia service=hotspot\r\n" in shown
    assert (await ssh(access(router), tmp_path, "/export terse hide-sensitive"))[1].startswith(
        "expected end of command"
    )
    assert (await ssh(access(router), tmp_path, "/tool fetch"))[1].startswith("bad command name tool")


async def test_a_menu_that_does_not_answer_leaves_a_hole(router: Stage, tmp_path: Path) -> None:
    router.fleet.faults.add("export_incomplete", CODE)
    assert '#error exporting "/ip/hotspot" (timeout)' in (await ssh(access(router), tmp_path, "/export terse"))[1]


async def test_a_backup_is_a_file_that_can_be_fetched_and_taken_away(router: Stage, tmp_path: Path) -> None:
    save = "/system backup save name=malam encryption=aes-sha256 password=dua-belas-huruf"
    assert "Configuration backup saved" in (await ssh(access(router), tmp_path, save))[1]
    assert (await sftp(access(router), tmp_path, "malam.backup"))[0] == 0
    fetched = await asyncio.to_thread((tmp_path / "malam.backup").read_bytes)
    assert fetched == router.site.router.flash.files["malam.backup"].data
    await ssh(access(router), tmp_path, "/file remove malam.backup")
    code, said = await sftp(access(router), tmp_path, "malam.backup")
    assert (code != 0, "not found" in said) == (True, True)
