import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from kampungnet_sim.fleet import FleetOptions
from tests.sim.stage import Stage, on_stage, row_of, sentence

V6 = FleetOptions(model="rb951", instant_ping=True)
V7 = FleetOptions(model="hap-ax2", instant_ping=True)


@pytest.fixture
async def v6() -> AsyncIterator[Stage]:
    async with on_stage(V6) as one:
        yield one


@pytest.fixture
async def v7() -> AsyncIterator[Stage]:
    async with on_stage(V7) as one:
        yield one


async def test_counters_of_the_ports_are_the_truth(v7: Stage) -> None:
    client = await v7.client()
    before = v7.truth()
    rows = {row["name"]: row for row in await client.rows("/interface/print")}
    after = v7.truth()
    for old, new in zip(before.interfaces, after.interfaces, strict=True):
        assert old.rx_bytes <= int(rows[old.name]["rx-byte"]) <= new.rx_bytes
        assert old.tx_bytes <= int(rows[old.name]["tx-byte"]) <= new.tx_bytes


@pytest.mark.parametrize(
    ("menu", "number"),
    [
        ("/ip/hotspot/active", "hotspot_active"),
        ("/ip/hotspot/host", "hotspot_hosts"),
        ("/interface/wifi/registration-table", "wireless_clients"),
    ],
)
async def test_counting_and_listing_agree_with_the_truth(v7: Stage, menu: str, number: str) -> None:
    client = await v7.client()
    expected = getattr(v7.truth(), number)
    assert expected > 3
    assert await client.ask(f"{menu}/print", "=count-only=") == [["!done", f"=ret={expected}"]]
    assert len(await client.rows(f"{menu}/print")) == expected


async def test_bound_leases_are_counted_through_a_query(v7: Stage) -> None:
    client = await v7.client()
    counted = await client.ask("/ip/dhcp-server/lease/print", "=count-only=", "?status=bound")
    assert counted == [["!done", f"=ret={v7.truth().dhcp_leases}"]]


async def test_a_tag_comes_back_on_every_sentence_wherever_it_stood(v7: Stage) -> None:
    client = await v7.client()
    client.send("/system/identity/print", ".tag=7", "=.proplist=name")
    client.send(".tag=8", "/system/nowhere/print")
    assert await client.answer() == [["!re", ".tag=7", "=name=Desa Sarongan"], ["!done", ".tag=7"]]
    trap, done = await client.answer()
    assert (trap[0], trap[1], done) == ("!trap", ".tag=8", ["!done", ".tag=8"])


async def test_a_quick_command_overtakes_a_slow_one() -> None:
    async with on_stage(FleetOptions(model="hex")) as stage:
        client = await stage.client()
        client.send("/ping", "=address=8.8.8.8", "=count=2", "=interval=200ms", ".tag=slow")
        client.send("/system/identity/print", ".tag=quick")
        order: list[str] = []
        while order.count("!done") < 2:
            kind, tag, *_ = await client.read()
            order += [kind] if kind == "!done" else []
            order += [tag] if kind == "!done" else []
        assert order == ["!done", ".tag=quick", "!done", ".tag=slow"]


async def test_a_stream_cut_into_single_bytes_and_one_with_many_sentences_are_both_read(v7: Stage) -> None:
    client = await v7.client()
    for byte in sentence("/system/identity/print", ".tag=1"):
        client.writer.write(bytes([byte]))
        await asyncio.sleep(0)
    assert len(await client.answer()) == 2
    client.writer.write(b"\0\0" + sentence("/system/clock/print") * 3)
    assert [len(await client.answer()) for _ in range(3)] == [2, 2, 2]


async def test_proplist_gives_what_was_asked_for_and_the_id_only_when_it_was(v7: Stage) -> None:
    client = await v7.client()
    rows = await client.rows("/interface/print", "=.proplist=name,ghost")
    assert all(list(row) == ["name"] for row in rows)
    rows = await client.rows("/interface/print", "=.proplist=.id,name", "?name=ether1")
    assert rows == [{".id": "*1", "name": "ether1"}]


async def test_a_property_no_row_has_gives_sentences_without_words(v7: Stage) -> None:
    client = await v7.client()
    found = await client.ask("/ip/service/print", "=.proplist=comment")
    assert found == [["!re"]] * 7 + [["!done"]]


async def test_without_rows_718_says_empty_and_older_ones_do_not(v6: Stage, v7: Stage) -> None:
    query = ("/interface/print", "?name=ghost")
    assert await (await v7.client()).ask(*query) == [["!empty"], ["!done"]]
    assert await (await v6.client()).ask(*query) == [["!done"]]


@pytest.mark.parametrize(
    ("command", "in_v6", "in_v7"),
    [
        ("/nowhere/print", "no such command prefix", "no such command or directory (nowhere)"),
        ("/interface/wifi/print", "no such command prefix", None),
        ("/interface/wireless/print", None, "no such command or directory (wireless)"),
        ("/ip/route/paint", "no such command", "no such command"),
    ],
)
async def test_what_is_missing_is_refused_in_the_words_of_the_version(
    v6: Stage, v7: Stage, command: str, in_v6: str | None, in_v7: str | None
) -> None:
    for stage, text in ((v6, in_v6), (v7, in_v7)):
        first, *_ = await (await stage.client("admin")).ask(command)
        assert first[0] == ("!re" if text is None else "!trap")
        if text is not None:
            assert row_of(first) == {"category": "0", "message": text}


async def test_an_argument_nobody_knows_is_refused(v7: Stage) -> None:
    first, _ = await (await v7.client()).ask("/interface/print", "=colour=red")
    assert row_of(first)["message"] == "unknown parameter colour"


async def test_without_the_right_policy_commands_are_refused(v7: Stage) -> None:
    client = await v7.client("pengamat")
    for command in (["/ping", "=address=8.8.8.8", "=count=1"], ["/ip/hotspot/user/add", "=name=x"]):
        trap, done = await client.ask(*command)
        assert (row_of(trap), done) == ({"message": "not enough permissions (9)"}, ["!done"])


async def test_ping_measures_what_is_true_and_keeps_totals(v6: Stage, v7: Stage) -> None:
    for stage, form in ((v7, r"\d+ms(\d+us)?"), (v6, r"\d+ms")):
        rows = await (await stage.client()).rows("/ping", "=address=8.8.8.8", "=count=3")
        assert [row["seq"] for row in rows] == ["0", "1", "2"]
        assert (rows[-1]["sent"], rows[-1]["received"], rows[-1]["packet-loss"]) == ("3", "3", "0")
        assert re.fullmatch(form, rows[-1]["avg-rtt"])
        true_ms = stage.truth().internet_ping_ms
        assert true_ms is not None
        assert abs(int(rows[-1]["avg-rtt"].partition("ms")[0]) - true_ms) <= 1


async def test_probes_leave_at_their_interval() -> None:
    async with on_stage(FleetOptions(model="hex")) as stage:
        client = await stage.client()
        loop = asyncio.get_running_loop()
        start = loop.time()
        assert len(await client.rows("/ping", "=address=192.168.88.1", "=count=4", "=interval=150ms")) == 4
        assert 0.44 < loop.time() - start < 2.9  # by default three seconds


async def test_a_ping_without_a_target_or_with_a_strange_count_is_refused(v7: Stage) -> None:
    client = await v7.client()
    for words in (["/ping"], ["/ping", "=address=8.8.8.8", "=count=many"]):
        trap, done = await client.ask(*words)
        assert (row_of(trap)["category"], done) == ("1", ["!done"])


async def test_dates_health_and_routes_have_the_form_of_the_version(v6: Stage, v7: Stage) -> None:
    old, new = await v6.client(), await v7.client()
    assert re.fullmatch(r"[a-z]{3}/\d\d/\d{4}", (await old.rows("/system/clock/print"))[0]["date"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", (await new.rows("/system/clock/print"))[0]["date"])
    assert set((await old.rows("/system/health/print"))[0]) == {"voltage", "temperature"}
    sensor = (await new.rows("/system/health/print"))[0]
    assert (sensor["name"], sensor["type"]) == ("cpu-temperature", "C")
    default = ("/ip/route/print", "?dst-address=0.0.0.0/0")
    assert "gateway-status" in (await old.rows(*default))[0]
    assert "immediate-gw" in (await new.rows(*default))[0]


async def test_a_virtual_router_has_no_board_and_a_small_v6_board_no_health() -> None:
    async with on_stage(FleetOptions(model="chr")) as stage:
        first, _ = await (await stage.client()).ask("/system/routerboard/print")
        assert row_of(first)["message"] == "no such command or directory (routerboard)"
    async with on_stage(FleetOptions(model="hap-lite")) as stage:
        first, _ = await (await stage.client()).ask("/system/health/print")
        assert row_of(first)["message"] == "no such command prefix"


async def test_the_module_in_the_cage_shows_the_light() -> None:
    async with on_stage(FleetOptions(model="hex-s")) as stage:
        client = await stage.client()
        row, copper = await client.rows("/interface/ethernet/monitor", "=numbers=sfp1,ether1", "=once=")
        assert abs(float(row["sfp-rx-power"]) - stage.truth().rx_power_dbm) < 0.1
        assert not [name for name in copper if name.startswith("sfp")]
        stage.fleet.faults.add("cut_fibre", "*", 60)
        row = (await client.rows("/interface/ethernet/monitor", "=numbers=0", "=once="))[0]
        assert (row["sfp-rx-power"], row["sfp-rx-loss"], row["sfp-tx-bias-current"]) == ("-40", "true", "0")
        assert "sfp-tx-power" not in row


async def test_a_monitor_streams_sections_until_it_is_cancelled(v7: Stage) -> None:
    client = await v7.client()
    client.send("/interface/monitor-traffic", "=interface=ether1,bridge-hotspot", "=interval=100ms", ".tag=m")
    rows = [row_of(await client.read()) for _ in range(4)]
    assert [row[".section"] for row in rows] == ["0", "1", "2", "3"]
    assert int(rows[0]["rx-bits-per-second"]) > 0
    client.send("/cancel", "=tag=m", ".tag=c")
    rest = [one for one in [await client.read() for _ in range(3)] if one[0] != "!re"]
    assert rest[0] == ["!trap", ".tag=m", "=category=2", "=message=interrupted"]
    assert rest[1] == ["!done", ".tag=c"]
    assert await client.read() == ["!done", ".tag=m"] if len(rest) < 3 else rest[2] == ["!done", ".tag=m"]


async def test_a_monitor_ends_by_itself_with_once_or_after_its_duration(v7: Stage) -> None:
    client = await v7.client()
    assert len(await client.rows("/interface/monitor-traffic", "=interface=aggregate", "=once=")) == 1
    timed = ("/interface/monitor-traffic", "=interface=ether1", "=duration=300ms", "=interval=100ms")
    assert 3 <= len(await client.rows(*timed)) <= 5


async def test_listen_tells_of_added_changed_and_removed_rows(v7: Stage) -> None:
    listener, editor = await v7.client(), await v7.client()
    listener.send("/ip/hotspot/ip-binding/listen", ".tag=l")
    await asyncio.sleep(0.1)
    [[_, ret]] = await editor.ask("/ip/hotspot/ip-binding/add", "=mac-address=02:00:00:00:00:01", "=type=blocked")
    assert row_of(await listener.read())["type"] == "blocked"
    await editor.ask("/ip/hotspot/ip-binding/set", f"=.id={ret[5:]}", "=comment=dicabut")
    assert row_of(await listener.read())["comment"] == "dicabut"
    await editor.ask("/ip/hotspot/ip-binding/remove", f"=.id={ret[5:]}")
    assert await listener.read() == ["!re", ".tag=l", f"=.id={ret[5:]}", "=.dead=true"]


async def test_quit_says_goodbye_with_a_bare_word_and_closes(v7: Stage) -> None:
    client = await v7.client()
    assert await client.ask("/quit") == [["!fatal", "session terminated on request"]]
    assert await client.ended()


async def test_hotspot_users_are_added_changed_found_by_name_and_removed(v7: Stage) -> None:
    client = await v7.client()
    made = ["=name=00712345", "=password=rahasia", "=profile=voucher", "=comment=Bu Siti"]
    [[done, ret]] = await client.ask("/ip/hotspot/user/add", *made)
    assert (done, ret[:6]) == ("!done", "=ret=*")
    twice, _ = await client.ask("/ip/hotspot/user/add", *made)
    assert row_of(twice)["message"] == "failure: already have user with this name for this server"
    assert await client.ask("/ip/hotspot/user/set", "=numbers=00712345", "=disabled=yes") == [["!done"]]
    [row] = await client.rows("/ip/hotspot/user/print", "?name=00712345")
    assert (row["disabled"], row["bytes-in"], row["uptime"]) == ("true", "0", "0s")
    assert "password" not in row
    assert await client.ask("/ip/hotspot/user/remove", f"=.id={ret[5:]}") == [["!done"]]
    gone, _ = await client.ask("/ip/hotspot/user/remove", f"=.id={ret[5:]}")
    assert row_of(gone)["message"] == "no such item (4)"
    wrong, _ = await client.ask("/ip/hotspot/user/add", "=name=x", "=colour=red")
    assert row_of(wrong)["message"] == "unknown parameter colour"


async def test_a_login_over_the_api_counts_and_its_end_adds_to_the_user(v7: Stage) -> None:
    client = await v7.client()
    await client.ask("/ip/hotspot/user/add", "=name=warga", "=password=satu")
    host = next(row for row in await client.rows("/ip/hotspot/host/print") if row["authorized"] == "false")
    login = ["/ip/hotspot/active/login", "=user=warga", "=password=satu"]
    lost, _ = await client.ask(*login, "=ip=10.9.9.9")
    assert row_of(lost)["message"] == "unknown host IP 10.9.9.9"
    assert await client.ask(*login, f"=ip={host['address']}") == [["!done"]]
    v7.clock.forward(60)
    [active] = await client.rows("/ip/hotspot/active/print", "?user=warga")
    assert int(active["bytes-out"]) > int(active["bytes-in"]) > 0
    assert (await client.rows("/ip/hotspot/user/print", "?name=warga"))[0]["bytes-out"] == "0"
    assert await client.ask("/ip/hotspot/active/remove", f"=.id={active['.id']}") == [["!done"]]
    [user] = await client.rows("/ip/hotspot/user/print", "?name=warga")
    assert int(user["bytes-out"]) >= int(active["bytes-out"])
    assert user["uptime"] in ("1m", "1m1s")


async def test_a_power_cut_drops_sessions_without_adding_to_the_user(v7: Stage) -> None:
    client = await v7.client()
    await client.ask("/ip/hotspot/user/add", "=name=warga", "=password=satu")
    host = (await client.rows("/ip/hotspot/host/print", "?bypassed=false"))[0]["address"]
    await client.ask("/ip/hotspot/active/login", "=user=warga", "=password=satu", f"=ip={host}")
    v7.fleet.faults.add("power_cut", "*", 30)
    v7.clock.forward(31)
    client = await v7.client()
    assert await client.rows("/ip/hotspot/active/print", "?user=warga") == []
    assert (await client.rows("/ip/hotspot/user/print", "?name=warga"))[0]["uptime"] == "0s"


async def test_text_is_whatever_bytes_the_phones_sent(v7: Stage) -> None:
    client = await v7.client()
    made = b"=comment=Caf\xe9 \xe2\x98\x95 a=b"
    await client.ask("/ip/hotspot/ip-binding/add", "=mac-address=02:00:00:00:00:02", made)
    rows = await client.rows("/ip/hotspot/ip-binding/print", "?mac-address=02:00:00:00:00:02")
    assert rows[0]["comment"].encode("latin-1") == made.removeprefix(b"=comment=")


async def test_old_routers_put_the_tag_last() -> None:
    async with on_stage(FleetOptions(model="rb951", version="6.1")) as stage:
        stage.site.server.options.tag_last = True
        client = await stage.connect()
        assert (await client.ask("/login", ".tag=1"))[0][-1] == ".tag=1"


async def test_a_line_of_thirty_milliseconds_costs_a_batch_one_round_trip() -> None:
    async with on_stage(FleetOptions(model="hex", rtt_ms=60)) as stage:
        client = await stage.client()
        loop = asyncio.get_running_loop()
        start = loop.time()
        for number in range(11):
            client.send("/interface/print", f".tag={number}")
        for _ in range(11):
            await client.answer()
        assert 0.058 <= loop.time() - start < 0.6  # of eleven one after the other
