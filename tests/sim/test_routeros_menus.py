"""Menus of system, hotspot, leases, queues, routes and log in each version (facts/routeros.md, section 7)."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from kampungnet_sim.fleet import FleetOptions
from kampungnet_sim.routeros_tables import Row
from kampungnet_sim.village_features import Scale, Wish
from tests.sim.stage import Client, Stage, on_stage, row_of

V6, V79, V716, V720 = "6.49.17 (stable)", "7.9.2 (stable)", "7.16.2 (stable)", "7.20.6 (stable)"


@asynccontextmanager
async def village(
    version: str, *features: str, model: str = "hap-ac-lite", scale: Scale | None = None
) -> AsyncIterator[tuple[Stage, Client]]:
    """A village with exactly these features, and a client of its poller."""
    wish = Wish(frozenset(features), scale or Scale())
    async with on_stage(FleetOptions(model=model, version=version, instant_ping=True, wish=wish)) as stage:
        yield stage, await stage.client()


async def only(client: Client, menu: str, *query: str) -> Row:
    [row] = await client.rows(f"{menu}/print", *query)
    return row


# -- system -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "version", "features", "expected"),
    [
        ("rb951", V6, (), {"software-id": "KN42-0001", "nlevel": "4", "features": ""}),
        ("hex", V720, ("level-3",), {"software-id": "KN42-0001", "nlevel": "3", "features": ""}),
        ("chr", V720, (), {"system-id": "Kz7bX2cPq4J", "level": "free", "limited-upgrades": "false"}),
    ],
)
async def test_the_licence_has_the_form_of_the_device(
    model: str, version: str, features: tuple[str, ...], expected: Row
) -> None:
    async with village(version, *features, model=model) as (_, client):
        assert await only(client, "/system/license") == expected


@pytest.mark.parametrize(
    ("model", "version", "features", "mode", "hotspot"),
    [
        ("hap-ax2", V716, (), "enterprise", "true"),
        ("hap-ax2", V720, (), "advanced", "true"),
        ("hap-ax2", V720, ("hotspot-forbidden",), "home", "false"),
        ("hex", V720, ("hotspot-forbidden",), "basic", "false"),
    ],
)
async def test_device_mode_says_whether_the_hotspot_may_run(
    model: str, version: str, features: tuple[str, ...], mode: str, hotspot: str
) -> None:
    async with village(version, *features, model=model) as (stage, client):
        row = await only(client, "/system/device-mode")
        assert (row["mode"], row["hotspot"], "allowed-versions" in row) == (mode, hotspot, version == V720)
        hosts = await client.rows("/ip/hotspot/host/print")
        assert len(hosts) == stage.truth().hotspot_hosts
        assert (not hosts) == (hotspot == "false")
        assert (await only(client, "/ip/hotspot"))["invalid"] == ("true" if hotspot == "false" else "false")
        made = await client.ask("/ip/hotspot/ip-binding/add", "=mac-address=02:00:00:00:00:09")
        assert (row_of(made[0]).get("message") == "failure: not allowed by device-mode") == (hotspot == "false")


async def test_version_6_has_no_device_mode() -> None:
    async with village(V6, model="rb951") as (_, client):
        assert (await client.ask("/system/device-mode/print"))[0][0] == "!trap"


@pytest.mark.parametrize("version", [V6, V720])
async def test_the_router_tells_of_updates_only_what_it_found_before(version: str) -> None:
    async with village(version) as (_, client):
        assert set(await only(client, "/system/package/update")) == {"channel", "installed-version"}
    async with village(version, "update-known") as (stage, client):
        row = await only(client, "/system/package/update")
        assert (row["installed-version"], row["status"]) == (version.partition(" ")[0], "New version is available")
        assert row["latest-version"] != row["installed-version"]
        stage.fleet.faults.add("cut_fibre", "*")
        assert await only(client, "/system/package/update") == row


async def test_packages_that_could_be_installed_are_listed_from_718() -> None:
    async with village(V720) as (_, client):
        rows = await client.rows("/system/package/print")
        assert {row["available"] for row in rows} == {"true", "false"}
        assert [row["name"] for row in rows if row["available"] == "false"] == ["routeros", "wireless"]
    async with village(V716) as (_, client):
        assert not any("available" in row for row in await client.rows("/system/package/print"))


async def test_version_6_can_lack_the_package_of_the_hotspot() -> None:
    async with village(V6, "no-hotspot-package", model="rb951") as (stage, client):
        assert (await only(client, "/system/package", "?name=hotspot"))["disabled"] == "true"
        trap, _ = await client.ask("/ip/hotspot/active/print", "=count-only=")
        assert row_of(trap)["message"] == "no such command prefix"
        assert stage.truth().hotspot_active == 0


async def test_the_firmware_may_be_older_than_the_system() -> None:
    async with village(V720, "old-firmware") as (_, client):
        row = await only(client, "/system/routerboard")
        assert (row["current-firmware"], row["upgrade-firmware"]) == ("7.1.5", "7.20.6")


async def test_a_virtual_router_has_no_board() -> None:
    async with village(V720, model="chr") as (_, client):
        trap, _ = await client.ask("/system/routerboard/print")
        assert row_of(trap)["message"] == "no such command or directory (routerboard)"
    async with village(V6, model="chr") as (_, client):
        assert await only(client, "/system/routerboard") == {"routerboard": "false"}


# -- rights -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "may_ping", "may_read"), [("pemantau", True, True), ("pengamat", False, True), ("tamu", False, False)]
)
async def test_each_group_may_do_what_its_policies_say(user: str, may_ping: bool, may_read: bool) -> None:
    async with village(V720) as (stage, _):
        client = await stage.client(user)
        asked = {
            may_ping: ["/ping", "=address=8.8.8.8", "=count=1"],
            may_read: ["/interface/ethernet/monitor", "=numbers=ether1", "=once="],
        }
        for allowed, command in asked.items():
            first = (await client.ask(*command))[0]
            assert first[0] == ("!re" if allowed else "!trap")
        for command in (["/ip/hotspot/user/add", "=name=x"], ["/system/reboot"], ["/user/group/set", "=.id=*1"]):
            assert row_of((await client.ask(*command))[0])["message"] == "not enough permissions (9)"


async def test_a_group_without_the_policy_api_cannot_log_in() -> None:
    async with village(V720) as (stage, _):
        stranger = await stage.connect()
        password = stage.site.router.users["winbox"].password
        trap, _ = await stranger.ask("/login", "=name=winbox", f"=password={password}")
        assert row_of(trap)["message"] == "invalid user name or password (6)"


async def test_a_user_who_is_removed_loses_all_rights_at_once() -> None:
    async with village(V720) as (stage, client):
        assert await only(client, "/system/identity")
        del stage.site.router.users["kampungnet"]
        assert (await client.ask("/system/identity/print"))[0][0] == "!trap"


# -- hotspot ------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [V6, V79, V720])
async def test_sessions_hosts_leases_and_their_counts_tell_one_story(version: str) -> None:
    async with village(version) as (stage, client):
        truth = stage.truth()
        active = await client.rows("/ip/hotspot/active/print")
        hosts = {row["mac-address"]: row for row in await client.rows("/ip/hotspot/host/print")}
        bound = await client.rows("/ip/dhcp-server/lease/print", "?status=bound")
        queues = await client.rows("/queue/simple/print", "?dynamic=true")
        assert len(active) == len(queues) == truth.hotspot_active > 3
        assert len(hosts) == truth.hotspot_hosts
        assert len(bound) == truth.dhcp_leases
        assert all(hosts[row["mac-address"]]["authorized"] == "true" for row in active)
        assert {row["mac-address"] for row in active} <= {row["mac-address"] for row in bound}
        kinds = {(row["authorized"], row["bypassed"], row["static"]) for row in hosts.values()}
        assert kinds == {("true", "false", "false"), ("false", "false", "false"), ("false", "true", "true")}
        for name in ("active", "host", "user"):
            [[_, counted]] = await client.ask(f"/ip/hotspot/{name}/print", "=count-only=")
            assert int(counted[5:]) == len(await client.rows(f"/ip/hotspot/{name}/print"))


async def test_the_user_list_has_the_names_and_comments_that_break_clients() -> None:
    async with village(V720, "latin-names") as (_, client):
        rows = {row["name"]: row for row in await client.rows("/ip/hotspot/user/print")}
        assert {"default-trial", "007", "628123", "true", "Caf\xe9", "?#=a,b"} <= rows.keys()
        assert (rows["628123"]["comment"], rows["no"]["comment"]) == ("yes", "true")
        assert rows["default-trial"]["default"] == "true"
        assert any("limit-bytes-total" in row for row in rows.values())
        assert {row["disabled"] for row in rows.values()} == {"true", "false"}


async def test_a_guest_who_leaves_adds_to_the_user_and_one_whom_a_power_cut_ends_does_not() -> None:
    async with village(V720, scale=Scale(guests=40, users=300)) as (stage, client):
        users = ("/ip/hotspot/user/print", "=.proplist=name,uptime,bytes-out")
        before = {row["name"]: row for row in await client.rows(*users)}
        active = {row["user"]: row for row in await client.rows("/ip/hotspot/active/print")}
        assert len(active) == 40
        stage.clock.forward(1_800)
        after = {row["name"]: row for row in await client.rows(*users)}
        grown = {name for name, row in after.items() if row != before[name]}
        assert 2 <= len(grown) <= 9
        for name in grown:
            gained = int(after[name]["bytes-out"]) - int(before[name]["bytes-out"])
            assert gained >= int(active[name]["bytes-out"])
        stage.fleet.faults.add("power_cut", "*", 7_200)
        stage.clock.forward(7_201)
        assert {row["name"]: row for row in await (await stage.client()).rows(*users)} == after


async def test_a_second_server_may_stand_by() -> None:
    async with village(V720, "second-hotspot") as (_, client):
        rows = await client.rows("/ip/hotspot/print", "=.proplist=name,disabled")
        assert [tuple(row.values()) for row in rows] == [("hotspot1", "false"), ("hotspot-sekolah", "true")]


@pytest.mark.parametrize("version", [V6, V720])
async def test_leases_are_there_in_every_state(version: str) -> None:
    async with village(version) as (_, client):
        rows = await client.rows("/ip/dhcp-server/lease/print")
        conflict = "busy" if version == V6 else "conflict"
        assert {row["status"] for row in rows} == {"bound", "waiting", "offered", conflict}
        assert all(("active-address" in row) == (row["status"] == "bound") for row in rows)
        assert {row["blocked"] for row in rows} == {row["disabled"] for row in rows} == {"true", "false"}


async def test_a_village_of_a_chosen_size_stays_that_size_while_guests_come_and_go() -> None:
    async with village(V720, model="hap-ax2", scale=Scale(40, 300, 300)) as (stage, client):
        seen = set()
        for _ in range(4):
            active = await client.rows("/ip/hotspot/active/print")
            users = await client.rows("/ip/hotspot/user/print", "?default=true", "?#!")
            assert (len(active), len(users)) == (40, 300)
            assert len(await client.rows("/ip/dhcp-server/lease/print")) == 300
            assert len({row["mac-address"] for row in active}) == len({row[".id"] for row in active}) == 40
            seen |= {row["mac-address"] for row in active}
            stage.clock.forward(1_800)
        assert len(seen) > 50


# -- RADIUS -------------------------------------------------------------------------------


async def test_the_radius_monitor_counts_what_was_asked_and_what_timed_out() -> None:
    async with village(V720, "radius") as (stage, client):
        server = await only(client, "/radius")
        assert (server["service"], server["require-message-auth"], "secret" in server) == (
            "hotspot", "yes-for-request-resp", False,
        )  # fmt: skip
        ask = ("/radius/monitor", f"=numbers={server['.id']}", "=once=")
        [before] = await client.rows(*ask)
        stage.fleet.faults.add("provider_outage", "*", 600)
        stage.clock.forward(590)
        [after] = await client.rows(*ask)
        assert int(after["timeouts"]) >= int(before["timeouts"]) + 4
        assert int(after["accepts"]) <= int(before["accepts"]) + 1
        numbers = [int(after[name]) for name in ("accepts", "rejects", "timeouts")]
        assert sum(numbers) == int(after["requests"])
        assert any(row["radius"] == "true" for row in await client.rows("/ip/hotspot/active/print"))


async def test_without_a_radius_server_there_is_none_to_watch() -> None:
    async with village(V6, model="rb951") as (_, client):
        assert await client.ask("/radius/print") == [["!done"]]
        trap, _ = await client.ask("/radius/monitor", "=numbers=0", "=once=")
        assert row_of(trap)["message"] == "no such item"


# -- queues, firewall, routes -------------------------------------------------------------


@pytest.mark.parametrize("version", [V6, V720])
async def test_fasttrack_takes_most_bytes_past_the_queues(version: str) -> None:
    seen = {}
    for features in ((), ("fasttrack",)):
        async with village(version, *features) as (stage, client):
            query = ("=count-only=", "?action=fasttrack-connection")
            assert await client.ask("/ip/firewall/filter/print", *query) == [["!done", f"=ret={len(features)}"]]
            assert len(await client.rows("/ip/firewall/filter/print", "?dynamic=true")) == len(features)
            total = await only(client, "/queue/simple", "?name=total-desa")
            wan = stage.truth().interfaces[0]
            up, down = map(int, total["bytes"].split("/"))
            seen[features] = down / wan.rx_bytes
            assert up < down
    assert 0.99 < seen[()] <= 1
    assert seen["fasttrack",] < 0.1


async def test_switching_fasttrack_off_gives_the_queues_their_bytes_back() -> None:
    async with village(V720, "fasttrack") as (_, client):
        rule = await only(client, "/ip/firewall/filter", "?action=fasttrack-connection")
        assert rule["hw-offload"] == "true"
        before = await only(client, "/queue/simple", "?name=total-desa")
        await client.ask("/ip/firewall/filter/set", f"=.id={rule['.id']}", "=disabled=yes")
        after = await only(client, "/queue/simple", "?name=total-desa")
        assert int(after["bytes"].split("/")[1]) > 5 * int(before["bytes"].split("/")[1])


@pytest.mark.parametrize(
    ("version", "features", "expected"),
    [
        (V6, (), {"gateway": "100.64.10.1", "gateway-status": "100.64.10.1 reachable via  ether1"}),
        (V6, ("pppoe",), {"gateway": "pppoe-out1", "gateway-status": "pppoe-out1 reachable"}),
        (V720, (), {"gateway": "100.64.10.1", "immediate-gw": "100.64.10.1%ether1", "dhcp": "true"}),
        (V720, ("pppoe",), {"gateway": "pppoe-out1", "immediate-gw": "pppoe-out1", "vpn": "true"}),
    ],
)
async def test_the_default_route_has_the_form_of_version_and_line(
    version: str, features: tuple[str, ...], expected: Row
) -> None:
    async with village(version, *features) as (stage, client):
        row = await only(client, "/ip/route", "?dst-address=0.0.0.0/0")
        assert expected.items() <= row.items()
        assert (row["active"], "routing-table" in row) == ("true", version == V720)
        stage.fleet.faults.add("cut_fibre", "*")
        row = await only(client, "/ip/route", "?dst-address=0.0.0.0/0")
        assert "active" not in row
        assert "immediate-gw" not in row
        assert row.get("inactive", row.get("gateway-status")) in ("true", f"{expected['gateway']} unreachable")


# -- what the router watches itself -------------------------------------------------------


@pytest.mark.parametrize("version", [V6, V720])
async def test_netwatch_knows_since_when_the_internet_is_gone(version: str) -> None:
    async with village(version) as (stage, client):
        rows = {row["host"]: row for row in await client.rows("/tool/netwatch/print")}
        assert (rows["8.8.8.8"]["status"], rows["203.0.113.9"]["status"]) == ("up", "unknown")
        assert ("type" in rows["8.8.8.8"], "rtt-avg" in rows["8.8.8.8"]) == (version == V720, version == V720)
        stage.fleet.faults.add("provider_outage", "*", 900)
        stage.clock.forward(120)
        after = {row["host"]: row for row in await client.rows("/tool/netwatch/print")}
        assert (after["8.8.8.8"]["status"], after["192.168.88.10"]["status"]) == ("down", "up")
        assert after["8.8.8.8"]["since"] != rows["8.8.8.8"]["since"]
        assert after["192.168.88.10"]["since"] == rows["192.168.88.10"]["since"]


async def test_names_resolve_or_say_why_not() -> None:
    async with village(V720) as (stage, client):
        assert (await client.ask("/resolve", "=domain-name=kominfo.go.id"))[0][0] == "!done"
        for name, text in (("nowhere.invalid", "failure: dns name does not exist"), ("", "missing value(s)")):
            trap, _ = await client.ask("/resolve", f"=domain-name={name}")
            assert row_of(trap)["message"].startswith(text)
        stage.fleet.faults.add("provider_outage", "*")
        trap, _ = await client.ask("/resolve", "=domain-name=kominfo.go.id")
        assert row_of(trap)["message"] == "failure: dns server failure"


# -- log ----------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [V6, V720])
async def test_log_ids_grow_and_a_row_keeps_its_own(version: str) -> None:
    async with village(version, "hotspot-log") as (stage, client):
        before = await client.rows("/log/print")
        assert any(row["topics"] == "hotspot,account,info,debug" for row in before)
        assert ("extra-info" in before[0]) == (version == V720)
        stage.clock.forward(1_800)
        await stage.client()
        after = await client.rows("/log/print")
        ids = [int(row[".id"][1:], 16) for row in after]
        assert ids == sorted(set(ids))
        kept = {row[".id"]: row["message"] for row in after}
        assert all(kept.get(row[".id"], row["message"]) == row["message"] for row in before)
        assert len(kept.keys() - {row[".id"] for row in before}) > 2


async def test_without_a_rule_the_hotspot_writes_nothing_into_the_log() -> None:
    async with village(V720) as (_, client):
        assert not any("hotspot" in row["topics"] for row in await client.rows("/log/print"))


async def test_the_log_is_lost_at_a_reboot_and_a_dirty_start_is_critical() -> None:
    async with village(V720) as (stage, client):
        assert any("logged in" in row["message"] for row in await client.rows("/log/print"))
        stage.fleet.faults.add("power_cut", "*", 30)
        stage.clock.forward(40)
        await asyncio.sleep(0.3)
        rows = await (await stage.client()).rows("/log/print")
        assert (rows[0]["topics"], "power outage" in rows[0]["message"]) == ("system,error,critical", True)
        assert len(rows) == 2
        assert re.fullmatch(r"\*[0-9A-F]+", rows[0][".id"])


async def test_login_failures_are_critical_and_count_as_account_when_they_succeed() -> None:
    async with village(V6, model="rb951") as (stage, client):
        stranger = await stage.connect()
        await stranger.ask("/login", "=name=admin", "=password=wrong")
        topics = [row["topics"] for row in await client.rows("/log/print")]
        assert topics[-2:] == ["system,info,account", "system,error,critical"]
