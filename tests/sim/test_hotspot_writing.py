"""Writing to a router's hotspot over the API: lists, files, refusals, as a real one answers."""

import asyncio
import json
import urllib.request

import librouteros  # type: ignore[import-untyped]
import pytest
import routeros_api  # type: ignore[import-untyped]

from kampungnet_sim.control import Control
from kampungnet_sim.fleet import FleetOptions
from kampungnet_sim.village_features import Wish
from tests.sim.stage import SARONGAN, Client, Stage, on_stage, row_of

ANDI = "D6:00:00:00:00:01"
HOTSPOT = "/ip/hotspot"


async def asked(client: Client, command: str, *values: str) -> dict[str, str]:
    """The result of a command, or its trap."""
    found = await client.ask(command, *(f"={value}" for value in values))
    return row_of(found[0])


async def read(client: Client, menu: str, key: str) -> dict[str, str]:
    (found,) = await client.rows(f"{menu}/print", f"?.id={key}")
    return found


async def test_what_is_written_reads_back_normalised() -> None:
    async with on_stage(FleetOptions(model="hex")) as stage:
        client = await stage.client("penulis")
        written = {
            "/user": ("name=a", "limit-uptime=3600s", "limit-bytes-total=2G", "disabled=yes",
                      "mac-address=d6-00-00-00-00-01"),
            "/user/profile": ("name=warga", "session-timeout=01:30:00", "rate-limit=512k/4M", "shared-users=unlimited"),
            "/profile": ("name=baru", "login-by=http-pap,mac,cookie", "html-directory=halaman",
                         "trial-uptime-limit=1800"),
            "/ip-binding": ("mac-address=d6:00:00:00:00:02", "type=blocked"),
            "/walled-garden": ("dst-host=*.go.id", "action=allow", "comment=layanan"),
            "/walled-garden/ip": ("dst-host=portal.example", "dst-port=443", "protocol=tcp"),
        }  # fmt: skip
        rows = {}
        for menu, values in written.items():
            key = (await asked(client, f"{HOTSPOT}{menu}/add", *values))["ret"]
            rows[menu] = await read(client, HOTSPOT + menu, key)
        user, profile, server, binding, garden, _ = rows.values()
        assert [user[n] for n in ("limit-uptime", "limit-bytes-total", "disabled", "mac-address", "uptime")] == [
            "1h", "2147483648", "true", ANDI, "0s",
        ]  # fmt: skip
        assert (profile["session-timeout"], profile["rate-limit"], profile["shared-users"]) == (
            "1h30m", "512k/4M", "unlimited",
        )  # fmt: skip
        assert [server[n] for n in ("login-by", "html-directory", "trial-uptime-limit")] == [
            "mac,cookie,http-pap", "flash/halaman", "30m",
        ]  # fmt: skip
        assert (binding["blocked"], binding["bypassed"], garden["hits"]) == ("true", "false", "0")


@pytest.mark.parametrize(
    ("command", "values", "message"),
    [
        ("/user/add", ("name=v",), "failure: already have user with this name for this server"),
        ("/user/add", ("name=w", "profile=none"), "input does not match any value of profile"),
        ("/user/add", ("name=w", "server=lain"), "input does not match any value of server"),
        ("/user/add", ("name=w", "limit-uptime=soon"), "invalid value for argument limit-uptime"),
        ("/user/add", ("name=w", "limit-bytes-total=-1"), "invalid value for argument limit-bytes-total"),
        ("/user/add", ("name=w", "mac-address=xx"), "invalid value of mac-address, mac address required"),
        ("/user/add", ("name=w", "colour=red"), "unknown parameter colour"),
        ("/user/add", ("password=x",), "missing value(s) of argument(s) name"),
        ("/user/set", (".id=*FFFF", "comment=x"), "no such item (4)"),
        ("/user/remove", ("numbers=default-trial",), "failure: can not remove default"),
        ("/user/profile/add", ("name=p", "shared-users=0"), "invalid value for argument shared-users"),
        ("/profile/set", (".id=hsprof1", "login-by=magic"), "input does not match any value of login-by"),
        ("/ip-binding/add", ("mac-address=D6:00:00:00:00:09", "type=open"), "input does not match any value of type"),
        ("/ip-binding/add", ("mac-address=08:55:31:00:00:01",), "failure: already have such item"),
        ("/active/remove", (".id=*1",), "no such item (4)"),
        ("/host/remove", (".id=*E9",), "no such item (4)"),
        ("/cookie/remove", (".id=*D9",), "no such item (4)"),
        ("/active/login", ("ip=10.9.9.9", "user=v"), "unknown host IP 10.9.9.9"),
        ("/user/paint", ("numbers=v",), "no such command"),
    ],
)
async def test_refusals_have_the_routers_words(command: str, values: tuple[str, ...], message: str) -> None:
    async with on_stage(FleetOptions(model="hex")) as stage:
        client = await stage.client("penulis")
        await asked(client, f"{HOTSPOT}/user/add", "name=v")
        assert (await asked(client, HOTSPOT + command, *values))["message"] == message


async def test_only_who_may_write_writes_and_files_take_a_right_of_their_own() -> None:
    async with on_stage(FleetOptions(model="hex")) as stage:
        refused = {"message": "not enough permissions (9)"}
        reader, poller, writer = [await stage.client(name) for name in ("pemantau", "kampungnet", "penulis")]
        for command in ("/user/add", "/ip-binding/add", "/active/remove", "/walled-garden/add"):
            assert await asked(reader, HOTSPOT + command, "name=x") == refused
        page = ("numbers=flash/hotspot/login.html", "contents=x")
        assert await asked(poller, "/file/set", *page) == refused
        assert await asked(writer, "/file/set", *page) == {}
        assert (await reader.rows("/file/print", "?name=flash/hotspot/login.html"))[0]["size"] == "1"
        # Passwords are read by whom they concern only.
        await asked(writer, f"{HOTSPOT}/user/add", "name=v", "password=rahasia")
        (row,) = await writer.rows(f"{HOTSPOT}/user/print", "?name=v")
        assert "password" not in row


async def test_files_are_kept_as_the_version_and_the_board_keep_them() -> None:
    async with on_stage(FleetOptions(model="hex")) as stage:
        client = await stage.client("penulis")
        folder = await asked(client, "/file/add", "name=flash/hotspot/en/login.html", "contents=x")
        assert folder["message"] == "failure: can not create file"
        key = (await asked(client, "/file/add", "name=flash/hotspot/a.html", "contents=halo"))["ret"]
        await asked(client, "/file/add", "name=sementara.txt", "contents=hilang")
        fresh = await read(client, "/file", key)
        assert ("contents" in fresh, fresh["size"], fresh["type"]) == (False, "4", ".html file")
        stage.clock.forward(1)
        assert (await read(client, "/file", key))["contents"] == "halo"
        assert (await asked(client, "/file/read", "file=flash/hotspot/a.html", "offset=2"))["data"] == "lo"
        assert await asked(client, "/file/set", f".id={key}", "contents=" + "x" * 61_440) == {}
        long = await asked(client, "/file/set", f".id={key}", "contents=" + "x" * 61_441)
        assert long["message"] == "failure: new contents too long"
        stage.fleet.faults.add("reboot", SARONGAN.code, 5)
        stage.clock.forward(6)
        client = await stage.client("penulis")
        names = [row["name"] for row in await client.rows("/file/print", "=.proplist=name")]
        assert ("flash/hotspot/a.html" in names, "sementara.txt" in names) == (True, False)


async def test_version_6_has_no_way_to_make_a_file_but_takes_a_small_page_in_place_of_its_own() -> None:
    async with on_stage(FleetOptions(model="rb951")) as stage:
        client = await stage.client("penulis")
        assert (await asked(client, "/file/add", "name=hotspot/a.html"))["message"] == "no such command"
        assert await asked(client, "/file/set", "numbers=hotspot/login.html", "contents=halo") == {}
        long = await asked(client, "/file/set", "numbers=hotspot/login.html", "contents=" + "x" * 4_096)
        assert long["message"] == "failure: new contents too long"


async def test_version_6_fetches_a_page_of_any_size_by_itself() -> None:
    async def serve(reader: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        asked_for = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1]
        out.write(
            b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 20_000 if asked_for == b"/login.html" else b"HTTP/1.0 404 No\r\n\r\n"
        )
        out.close()

    web = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"url=http://127.0.0.1:{web.sockets[0].getsockname()[1]}"
    async with on_stage(FleetOptions(model="rb951")) as stage:
        client = await stage.client("penulis")
        rows = await client.rows("/tool/fetch", f"={url}/login.html", "=dst-path=hotspot/login.html")
        assert [row["status"] for row in rows] == ["connecting", "finished"]
        (file,) = await client.rows("/file/print", "?name=hotspot/login.html")
        assert (file["size"], "contents" in file) == ("20000", False)
        assert (await (await stage.site.hotspot.join(ANDI)).get("/login")).text == "x" * 20_000
        lost = await client.ask("/tool/fetch", f"={url}/ghost.html", "=dst-path=hotspot/ghost.html")
        assert row_of(lost[1])["message"].startswith("failure: closing connection: <404 No>")
        stage.fleet.faults.add("flash_full", SARONGAN.code)
        full = await client.ask("/tool/fetch", f"={url}/login.html", "=dst-path=hotspot/b.html")
        assert "not enough space" in row_of(full[1])["message"]
        assert await asked(await stage.client("pengamat"), "/tool/fetch", url) == {
            "message": "not enough permissions (9)"
        }
    web.close()


async def test_rules_are_asked_in_the_order_they_were_put_in() -> None:
    async with on_stage(FleetOptions(model="hex")) as stage:
        client, menu = await stage.client("penulis"), f"{HOTSPOT}/walled-garden"
        guest = await stage.site.hotspot.join(ANDI)
        (first,) = [row[".id"] for row in await client.rows(f"{menu}/print")]
        assert (await guest.get("http://judi.go.id/")).status == 200
        key = (await asked(client, f"{menu}/add", "dst-host=judi.*", "action=deny", f"place-before={first}"))["ret"]
        assert [row[".id"] for row in await client.rows(f"{menu}/print")] == [key, first]
        assert (await guest.get("http://judi.go.id/")).status == 302
        assert await asked(client, f"{menu}/move", f"numbers={key}") == {}
        assert (await guest.get("http://judi.go.id/")).status == 200


async def test_ten_thousand_vouchers_are_taken_one_by_one() -> None:
    async with on_stage(FleetOptions(model="rb5009", quick_ack=True)) as stage:
        client = await stage.client("penulis")
        for number in range(10_000):
            client.send(f"{HOTSPOT}/user/add", f"=name=K{number:05d}", "=profile=voucher", f".tag={number}")
        answers = [await client.answer() for _ in range(10_000)]
        assert all(len(one) == 1 for one in answers)
        twice = await asked(client, f"{HOTSPOT}/user/add", "name=K09999")
        assert "already have user" in twice["message"]


async def test_a_power_cut_empties_pages_that_were_not_yet_on_the_flash_of_a_board_with_nand() -> None:
    async with on_stage(FleetOptions(model="hap-ax2")) as stage:
        client = await stage.client("penulis")
        await asked(client, "/file/set", "numbers=hotspot/status.html", "contents=lama")
        stage.clock.forward(60)
        await asked(client, "/file/set", "numbers=hotspot/login.html", "contents=baru")
        stage.clock.forward(10)
        stage.fleet.faults.add("power_cut", SARONGAN.code, 5)
        stage.clock.forward(6)
        rows = {row["name"]: row for row in await (await stage.client()).rows("/file/print")}
        assert [rows[f"hotspot/{name}.html"]["size"] for name in ("status", "login")] == ["4", "0"]


async def test_a_full_disk_takes_no_more_bytes_and_lists_still_change() -> None:
    async with on_stage(FleetOptions(model="hex")) as stage:
        client = await stage.client("penulis")
        before = int((await client.rows("/system/resource/print"))[0]["free-hdd-space"])
        await asked(client, "/file/add", "name=flash/a", "contents=" + "x" * 1_000)
        assert int((await client.rows("/system/resource/print"))[0]["free-hdd-space"]) == before - 1_000
        stage.fleet.faults.add("flash_full", SARONGAN.code)
        assert (
            "not enough space"
            in (await asked(client, "/file/set", "numbers=flash/a", "contents=" + "x" * 2_000))["message"]
        )
        assert await asked(client, "/file/set", "numbers=flash/a", "contents=pendek") == {}
        assert "ret" in await asked(client, f"{HOTSPOT}/user/add", "name=v")


def edit_with_librouteros(stage: Stage) -> None:
    password = stage.site.router.users["penulis"].password
    api = librouteros.connect("127.0.0.1", "penulis", password, port=stage.port, encoding="utf-8")
    for menu, values in (
        (("ip", "hotspot", "user"), {"name": "00712x", "password": "p", "limit-uptime": "1h"}),
        (("ip", "hotspot", "user", "profile"), {"name": "pelan", "rate-limit": "1M/1M"}),
        (("ip", "hotspot", "ip-binding"), {"mac-address": ANDI, "type": "bypassed"}),
        (("ip", "hotspot", "walled-garden", "ip"), {"dst-host": "portal.example"}),
        (("file",), {"name": "flash/hotspot/info.html", "contents": "halo ☕"}),
    ):
        path = api.path(*menu)
        key = path.add(**values)
        assert key in [row[".id"] for row in path]
        path.remove(key)
        assert key not in [row[".id"] for row in path]
    with pytest.raises(librouteros.exceptions.TrapError, match="already have user"):
        api.path("ip", "hotspot", "user").add(name="default-trial")
    api.close()


def edit_with_routeros_api(stage: Stage) -> None:
    password = stage.site.router.users["penulis"].password
    pool = routeros_api.RouterOsApiPool("127.0.0.1", "penulis", password, plaintext_login=True, port=stage.port)
    users = pool.get_api().get_resource("/ip/hotspot/user")
    users.add(name="a1", password="p", comment="voucher")
    (row,) = users.get(name="a1")
    users.set(id=row["id"], comment="lain", limit_uptime="90m")
    (row,) = users.get(name="a1")
    assert (row["comment"], row["limit-uptime"]) == ("lain", "1h30m")
    users.remove(id=row["id"])
    assert users.get(name="a1") == []
    pool.disconnect()


async def test_clients_of_other_people_edit_every_list() -> None:
    async with on_stage(FleetOptions(model="hex", quick_ack=True)) as stage:
        await asyncio.to_thread(edit_with_librouteros, stage)
        await asyncio.to_thread(edit_with_routeros_api, stage)


def call(port: int, method: str, path: str, body: object = None) -> object:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read())


async def test_the_control_door_moves_guests_tells_the_truth_and_swaps_the_router() -> None:
    async with on_stage(FleetOptions(model="hex")) as stage:
        control = Control(stage.fleet)
        port, village = await control.start(0), SARONGAN.code

        async def ask(method: str, path: str, **body: object) -> object:
            return await asyncio.to_thread(call, port, method, path, {"village": village, **body} if body else None)

        client = await stage.client("penulis")
        await asked(client, f"{HOTSPOT}/profile/set", ".id=hsprof1", "login-by=http-pap")
        await asked(client, f"{HOTSPOT}/user/add", "name=andi", "password=x")
        joined = await ask("POST", "/guests", mac=ANDI, do="join")
        guest = stage.site.hotspot.guests[ANDI]
        assert joined == {"mac": ANDI, "address": guest.address, "door": guest.door}
        await guest.log_in("andi", "x")
        assert await ask("POST", "/guests", mac=ANDI, do="traffic", down=500, up=20) == {
            "mac": ANDI,
            "down": 500,
            "up": 20,
        }
        swapped = await ask("POST", "/routers", model="hap-ac-lite", seconds=5)
        assert isinstance(swapped, dict)
        assert (swapped["router"]["model"], swapped["router"]["version"]) == ("hAP ac lite", "7.9.2 (stable)")
        sessions = await ask("GET", f"/sessions?village={village}")
        assert isinstance(sessions, list)
        (session,) = sessions
        assert (session["bytes_out"], session["reason"], session["kept"]) == (500, "reboot", False)
        stage.clock.forward(6)
        client = await stage.client("penulis")
        assert await client.rows(f"{HOTSPOT}/user/print", "?name=andi") == []
        assert (await client.rows("/system/routerboard/print"))[0]["model"] == "RB952Ui-5ac2nD"
        assert "Log in" in (await guest.get("/login")).text
        await control.close()


async def test_a_clock_of_1970_changes_no_duration() -> None:
    async with on_stage(FleetOptions(model="hex")) as stage:
        stage.fleet.faults.add("skewed_clock", SARONGAN.code)
        client = await stage.client("penulis")
        assert (await client.rows("/system/clock/print"))[0]["date"].startswith("1970")
        await asked(client, f"{HOTSPOT}/profile/set", ".id=hsprof1", "login-by=http-pap")
        await asked(client, f"{HOTSPOT}/user/add", "name=andi", "password=x", "limit-uptime=10m")
        guest = await stage.site.hotspot.join(ANDI)
        await guest.log_in("andi", "x")
        stage.clock.forward(601)
        assert [one.reason for one in await asyncio.to_thread(guest.truth)] == ["uptime limit reached"]


async def test_where_the_hotspot_may_not_run_nobody_listens() -> None:
    async with on_stage(FleetOptions(model="hex", wish=Wish(frozenset({"hotspot-forbidden"})))) as stage:
        assert "hotspot" not in stage.site.ports
        found = await asked(await stage.client("penulis"), f"{HOTSPOT}/user/add", "name=v")
        assert found["message"] == "failure: not allowed by device-mode"
