"""Ports, modules, radios and dialled lines in each version (facts/routeros.md, 7.3, 7.4, 7.10, section 8)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from kampungnet_sim.fleet import FleetOptions
from kampungnet_sim.village_features import Scale, Wish
from tests.sim.stage import Client, Stage, on_stage, row_of

MONITOR = "/interface/ethernet/monitor"


@asynccontextmanager
async def village(
    model: str, *features: str, version: str | None = None, scale: Scale | None = None
) -> AsyncIterator[tuple[Stage, Client]]:
    wish = Wish(frozenset(features), scale or Scale())
    async with on_stage(FleetOptions(model=model, version=version, instant_ping=True, wish=wish)) as stage:
        yield stage, await stage.client()


async def module(client: Client, port: str) -> dict[str, str]:
    [row] = await client.rows(MONITOR, f"=numbers={port}", "=once=")
    return {name: value for name, value in row.items() if name.startswith("sfp-") or name == "status"}


# -- ports --------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["rb951", "hap-ac-lite", "hap-ax2"])
async def test_a_port_says_when_it_lost_its_link_and_how_often(model: str) -> None:
    async with village(model) as (stage, client):
        rows = {row["name"]: row for row in await client.rows("/interface/print")}
        before = rows["ether1"]
        assert all(row[".id"].startswith("*") for row in rows.values())
        assert "last-link-down-time" not in rows["ether2"]
        assert int(rows["ether1"]["fp-rx-byte"]) <= int(rows["ether1"]["rx-byte"])
        assert ("rx-error" in rows["ether1"], "rx-error" in rows["bridge-kantor"]) == (True, False)
        stage.fleet.faults.add("cut_fibre", "*", 60)
        [dark] = await client.rows("/interface/print", "?name=ether1")
        assert (dark["running"], int(dark["link-downs"])) == ("false", int(before["link-downs"]) + 1)
        assert dark["last-link-down-time"] > before["last-link-down-time"]
        assert dark["last-link-up-time"] == before["last-link-up-time"]
        stage.clock.forward(61)
        [light] = await client.rows("/interface/print", "?name=ether1")
        assert (light["running"], light["link-downs"]) == ("true", dark["link-downs"])
        assert light["last-link-up-time"] > light["last-link-down-time"]


async def test_a_bad_cable_counts_errors_that_only_grow() -> None:
    async with village("hex", "bad-cable") as (stage, client):
        query = ("/interface/print", "=.proplist=name,rx-error,rx-drop", "?type=ether")
        before = {row["name"]: row for row in await client.rows(*query)}
        stage.clock.forward(600)
        after = {row["name"]: row for row in await client.rows(*query)}
        assert int(after["ether2"]["rx-error"]) > int(before["ether2"]["rx-error"]) > 0
        assert after["ether3"]["rx-error"] == "0"


async def test_the_ethernet_menu_counts_in_plural_words() -> None:
    async with village("hap-ax2") as (_, client):
        rows = await client.rows("/interface/ethernet/print")
        assert [row["default-name"] for row in rows] == [f"ether{n}" for n in range(1, 6)]
        assert {"rx-bytes", "tx-bytes", "driver-rx-byte", "rx-fcs-error"} <= rows[0].keys()


# -- modules ------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["rb2011", "hex-s"])
async def test_the_stick_in_the_cage_follows_the_fibre(model: str) -> None:
    async with village(model) as (stage, client):
        lit = await module(client, "sfp1")
        assert abs(float(lit["sfp-rx-power"]) - stage.truth().rx_power_dbm) < 0.1
        assert (lit["sfp-module-present"], lit["sfp-rx-loss"], lit["status"]) == ("true", "false", "link-ok")
        stage.fleet.faults.add("cut_fibre", "*")
        dark = await module(client, "sfp1")
        assert (dark["sfp-rx-power"], dark["sfp-rx-loss"], dark["status"]) == ("-40", "true", "no-link")
        assert "sfp-tx-power" not in dark


async def test_an_empty_cage_says_so_and_copper_ports_say_nothing_of_cages() -> None:
    async with village("rb5009") as (_, client):
        assert await module(client, "sfp-sfpplus1") == {"status": "no-link", "sfp-module-present": "false"}
        assert await module(client, "ether1") == {"status": "link-ok"}
        assert len(await client.rows(MONITOR, "=numbers=ether1,sfp-sfpplus1", "=once=")) == 2


async def test_a_module_that_measures_nothing_has_no_levels() -> None:
    async with village("hex-s", "no-ddm") as (_, client):
        row = await module(client, "sfp1")
        assert row["sfp-module-present"] == "true"
        assert not {"sfp-rx-power", "sfp-tx-power", "sfp-temperature"} & row.keys()


async def test_an_odd_stick_gives_nonsense_in_the_dark_and_admits_the_loss() -> None:
    async with village("hex-s", "odd-stick") as (stage, client):
        assert float((await module(client, "sfp1"))["sfp-rx-power"]) < -10
        stage.fleet.faults.add("cut_fibre", "*")
        dark = await module(client, "sfp1")
        assert (dark["sfp-rx-power"], dark["sfp-temperature"], dark["sfp-rx-loss"]) == ("2.499", "-24", "true")


async def test_levels_may_carry_their_unit() -> None:
    async with village("rb2011", "sfp-units") as (_, client):
        row = await module(client, "sfp1")
        endings = {name: row[f"sfp-{name}"].lstrip("-.0123456789") for name in ("rx-power", "tx-bias-current")}
        assert endings == {"rx-power": "dBm", "tx-bias-current": "mA"}


# -- radios -------------------------------------------------------------------------------

TABLES = {
    "/interface/wireless/registration-table": "signal-strength",
    "/interface/wifiwave2/registration-table": "signal",
    "/interface/wifi/registration-table": "signal",
    "/caps-man/registration-table": "rx-signal",
}


@pytest.mark.parametrize(
    ("model", "version", "features", "filled"),
    [
        ("rb951", "6.49.17", (), ["/interface/wireless"]),
        ("rb951", "6.49.17", ("capsman",), ["/interface/wireless", "/caps-man"]),
        ("hap-ac-lite", "7.9.2", ("capsman",), ["/interface/wireless", "/caps-man"]),
        ("hap-ax2", "7.12.1", (), ["/interface/wifiwave2"]),
        ("hap-ac-lite", "7.20.6", (), ["/interface/wireless"]),
        ("hap-ac-lite", "7.20.6", ("capsman",), ["/interface/wireless", "/interface/wifi"]),
        ("hap-ax2", "7.20.6", ("capsman",), ["/interface/wifi"]),
        ("hex", "7.20.6", ("capsman",), ["/interface/wifi"]),
        ("hex", "6.49.17", ("capsman",), ["/caps-man"]),
        ("hex", "7.20.6", (), []),
    ],
)
async def test_the_tables_a_version_has_add_up_to_the_devices_on_the_air(
    model: str, version: str, features: tuple[str, ...], filled: list[str]
) -> None:
    async with village(model, *features, version=version, scale=Scale(guests=16)) as (stage, client):
        found: dict[str, int] = {}
        for table, signal in TABLES.items():
            rows = [row_of(words) for words in await client.ask(f"{table}/print") if words[0] == "!re"]
            if rows:
                found[table.removesuffix("/registration-table")] = len(rows)
            assert all(-95 < int(row[signal].partition("@")[0]) < -30 for row in rows)
            # From the access point to the device comes first: the download.
            down, up = (sum(int(row["bytes"].split(",")[place]) for row in rows) for place in (0, 1))
            assert down > up or not rows
        assert sum(found.values()) == stage.truth().wireless_clients
        assert list(found) == sorted(filled, key=[*(t.removesuffix("/registration-table") for t in TABLES)].index)
        assert sum(found.values()) == (20 if filled else 0)


@pytest.mark.parametrize(
    ("model", "version", "menu"),
    [
        ("rb951", "6.49.17", "/caps-man/remote-cap"),
        ("hap-ax2", "7.20.6", "/interface/wifi/capsman/remote-cap"),
    ],
)
async def test_controlled_access_points_are_listed(model: str, version: str, menu: str) -> None:
    async with village(model, "capsman", version=version) as (_, client):
        rows = await client.rows(f"{menu}/print")
        assert [row["identity"] for row in rows] == ["AP-Pasar", "AP-Sekolah"]


async def test_signals_differ_and_move_a_little_with_time() -> None:
    async with village("rb951", scale=Scale(guests=30)) as (stage, client):
        query = ("/interface/wireless/registration-table/print", "=.proplist=mac-address,signal-strength")
        before = {r["mac-address"]: r["signal-strength"] for r in await client.rows(*query)}
        assert len(set(before.values())) > 8
        stage.clock.forward(300)
        after = {r["mac-address"]: r["signal-strength"] for r in await client.rows(*query)}
        moved = [abs(int(after[m].split("@")[0]) - int(s.split("@")[0])) for m, s in before.items() if m in after]
        assert 0 < max(moved) <= 7


# -- dialled lines ------------------------------------------------------------------------


@pytest.mark.parametrize(("model", "version"), [("rb951", "6.49.17"), ("hex", "7.20.6")])
async def test_a_dialled_line_is_a_port_of_its_own(model: str, version: str) -> None:
    async with village(model, "pppoe", version=version) as (stage, client):
        [line] = await client.rows("/interface/pppoe-client/print")
        assert (line["name"], line["interface"], line["running"], "password" in line) == (
            "pppoe-out1", "ether1", "true", False,
        )  # fmt: skip
        [port] = await client.rows("/interface/print", "?name=pppoe-out1")
        assert (port["type"], port[".id"], port["mtu"]) == ("pppoe-out", line[".id"], "1480")
        assert len(await client.rows("/interface/print")) == 11
        monitor = ("/interface/pppoe-client/monitor", f"=numbers={line['.id']}", "=once=")
        [status] = await client.rows(*monitor)
        assert (status["status"], status["remote-address"]) == ("connected", "100.64.10.1")
        [address] = await client.rows("/ip/address/print", "?interface=pppoe-out1")
        assert address["network"] == status["remote-address"]
        stage.fleet.faults.add("cut_fibre", "*")
        assert (await client.rows(*monitor))[0]["status"] == "disconnected"
        assert await client.rows("/ip/address/print", "?interface=pppoe-out1") == []


async def test_a_line_without_pppoe_has_no_client_to_watch() -> None:
    async with village("hex") as (_, client):
        assert await client.rows("/interface/pppoe-client/print") == []
        trap, _ = await client.ask("/interface/pppoe-client/monitor", "=numbers=pppoe-out1", "=once=")
        assert row_of(trap)["message"] == "no such item"


async def test_lines_of_customers_have_a_new_id_at_each_dial_and_count_from_zero() -> None:
    async with village("hex", "pppoe-server") as (stage, client):
        query = ("/interface/print", "=.proplist=.id,name,rx-byte,dynamic", "?type=pppoe-in")
        before = {row["name"]: row for row in await client.rows(*query)}
        assert list(before) == ["<pppoe-kades>", "<pppoe-sekolah>", "<pppoe-warung-bu-siti>"]
        assert len(await client.rows("/ppp/active/print")) == 3
        stage.clock.forward(5 * 3_600 - 60)
        after = {row["name"]: row for row in await client.rows(*query)}
        assert after.keys() == before.keys()
        for name, old in before.items():
            assert after[name][".id"] != old[".id"]
            assert old["dynamic"] == "true"
