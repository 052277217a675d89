"""Logins, services, backups and jobs of a simulated router (facts/routeros.md, 1.13, 11, 12.7)."""

from collections.abc import AsyncIterator

import pytest

from kampungnet_sim.fleet import FleetOptions
from tests.sim.stage import Client, Stage, on_stage

NEW = ("=name=desa", "=group=kampungnet", "=password=sandi-yang-panjang")
ELSEWHERE = "=address=10.9.9.9/32"


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with on_stage(FleetOptions(model="hap-ax2", instant_ping=True)) as one:
        yield one


async def _enters(stage: Stage) -> bool:
    client = await stage.connect()
    return await client.ask("/login", "=name=desa", "=password=sandi-yang-panjang") == [["!done"]]


async def _services(admin: Client) -> dict[str, str]:
    return {row["name"]: row[".id"] for row in await admin.rows("/ip/service/print")}


async def test_a_new_user_enters_and_only_from_the_address_it_is_bound_to(stage: Stage) -> None:
    admin = await stage.client("admin")
    (done,) = await admin.ask("/user/add", *NEW)
    assert await _enters(stage)
    key = done[1].removeprefix("=ret=")
    assert await admin.ask("/user/set", f"=.id={key}", ELSEWHERE) == [["!done"]]
    assert not await _enters(stage)
    assert [row for row in await admin.rows("/user/print", "?name=desa") if "password" in row] == []


async def test_rights_of_a_group_hold_at_once_for_who_is_connected(stage: Stage) -> None:
    admin, poller = await stage.client("admin"), await stage.client("pemantau")
    assert await poller.rows("/system/identity/print")
    (group,) = await admin.rows("/user/group/print", "?name=pemantau")
    assert await admin.ask("/user/group/set", f"=.id={group['.id']}", "=policy=api") == [["!done"]]
    assert (await poller.ask("/system/identity/print"))[0][1] == "=message=not enough permissions (9)"


async def test_a_group_that_has_users_stays_and_unknown_rights_are_refused(stage: Stage) -> None:
    admin = await stage.client("admin")
    (group,) = await admin.rows("/user/group/print", "?name=pemantau")
    assert (await admin.ask("/user/group/remove", f"=.id={group['.id']}"))[0][0] == "!trap"
    assert (await admin.ask("/user/group/add", "=name=baru", "=policy=semua"))[0][0] == "!trap"
    assert (await admin.ask("/user/add", "=name=x", "=group=tidak-ada", "=password=x"))[0][0] == "!trap"


async def test_who_may_only_write_changes_no_users(stage: Stage) -> None:
    writer = await stage.client("penulis")
    assert (await writer.ask("/user/add", *NEW))[0][1] == "=message=not enough permissions (9)"


async def test_a_service_ends_connections_from_addresses_it_does_not_allow(stage: Stage) -> None:
    admin = await stage.client("admin")
    key = (await _services(admin))["api"]
    assert await admin.ask("/ip/service/set", f"=.id={key}", ELSEWHERE) == [["!done"]]
    assert await (await stage.connect()).ended()


async def test_a_backup_opens_with_its_password_alone_and_brings_everything_back(stage: Stage) -> None:
    admin = await stage.client("admin")
    assert await admin.ask("/system/backup/save", "=name=dulu", "=password=rahasia") == [["!done"]]
    await admin.ask("/user/add", *NEW)
    await admin.ask("/ip/pool/add", "=name=lain", "=ranges=10.1.1.1-10.1.1.9")
    assert (await admin.ask("/system/backup/load", "=name=dulu", "=password=salah"))[0][0] == "!trap"
    assert stage.site.router.users.keys() >= {"desa"}
    with pytest.raises((ConnectionError, EOFError)):  # the router starts anew at once
        await admin.ask("/system/backup/load", "=name=dulu", "=password=rahasia")
    assert "desa" not in stage.site.router.users
    assert [row["name"] for row in stage.site.router.tables["/ip/pool"].rows()] == ["hs-pool", "dhcp-kantor"]


async def test_a_job_brings_the_backup_back_after_its_interval_and_not_before(stage: Stage) -> None:
    admin = await stage.client("admin")
    await admin.ask("/system/backup/save", "=name=dulu", "=password=rahasia")
    event = "=on-event=/system backup load name=dulu password=rahasia"
    await admin.ask("/system/scheduler/add", "=name=kembali", "=interval=10m", event)
    await admin.ask("/user/add", *NEW)
    router, now = stage.site.router, stage.clock()
    assert not router.own.run_jobs(now)
    assert not router.own.run_jobs(now + 599)
    assert "desa" in router.users
    assert router.own.run_jobs(now + 660)
    assert "desa" not in router.users
    assert router.tables["/system/scheduler"].rows() == []
