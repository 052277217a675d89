"""Pages of the portal: files on the flash, variables, refusals, languages, the walled garden, what phones probe."""

import asyncio
import json
import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kampungnet_sim.fleet import FleetOptions
from kampungnet_sim.hotspot_guest import Guest, unescape
from kampungnet_sim.servlet import chap_response
from tests.sim.stage import Client, Stage, needed, on_stage

ANDI, BUDI = "D6:00:00:00:00:01", "D6:00:00:00:00:02"


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with on_stage(FleetOptions(model="hex")) as one:
        yield one


@pytest.fixture
async def writer(stage: Stage) -> Client:
    client = await stage.client("penulis")
    await do(client, "/ip/hotspot/profile/set", ".id=hsprof1", "login-by=http-pap")
    await do(client, "/ip/hotspot/user/add", "name=andi", "password=x")
    return client


@pytest.fixture
async def guest(stage: Stage) -> Guest:
    return await stage.site.hotspot.join(ANDI)


async def do(client: Client, command: str, *values: str | bytes) -> None:
    words = [b"=" + (value if isinstance(value, bytes) else value.encode()) for value in values]
    found = await client.ask(command, *words)
    assert found[0][0] == "!done", found


async def page(client: Client, name: str, text: str) -> None:
    """Push a page as the agent does."""
    there = await client.rows("/file/print", f"?name=flash/hotspot/{name}")
    if there:
        await do(client, "/file/set", f".id={there[0]['.id']}", b"contents=" + text.encode())
    else:
        await do(client, "/file/add", f"name=flash/hotspot/{name}", b"contents=" + text.encode())


async def test_a_pushed_page_is_what_the_guest_sees_with_its_variables_filled_in(writer: Client, guest: Guest) -> None:
    names = "hostname identity plain-passwd server-address server-name link-login-only link-orig ip mac mac-esc trial"
    await page(writer, "login.html", "☕ " + "|".join(f"$({name})" for name in names.split()))
    found = await guest.get("http://wifi.desa/login?dst=http://a.example/?a=1%262")
    assert found.text == (
        "☕ wifi.desa|Desa Sarongan|yes|10.5.50.1:80|hotspot1|http://wifi.desa/login|http://a.example/?a=1&2"
        f"|{guest.address}|{ANDI}|D6%3A00%3A00%3A00%3A00%3A01|no"
    )


async def test_values_are_not_escaped_for_html_so_a_page_must_not_show_them(writer: Client, guest: Guest) -> None:
    await page(writer, "login.html", "$(username) $(username-esc)")
    name = "<b>&\"'"
    assert (await guest.log_in(name, "y")).text == f"{name} %3Cb%3E%26%22%27"


async def test_status_and_logout_know_the_counters_and_other_pages_do_not(writer: Client, guest: Guest) -> None:
    line = "$(bytes-in)|$(bytes-in-nice)|$(remain-bytes-out)|$(remain-bytes-total)|$(uptime)|$(logged-in)"
    for name in ("status.html", "logout.html", "tentang.html"):
        await page(writer, name, line)
    await do(writer, "/ip/hotspot/user/set", "numbers=andi", "limit-bytes-total=1G")
    await guest.log_in("andi", "x")
    guest.traffic(0, 15_423)
    shown = [(await guest.get(one)).text for one in ("/status", "/tentang.html", "/logout")]
    left = (1 << 30) - 15_423
    assert re.fullmatch(rf"15423\|15\.1 KiB\|---\|{left}\|\d+s\|yes", shown[0])
    assert shown[1].startswith(f"|||{left}|")
    assert shown[2].startswith(f"15423|15.1 KiB|---|{left}|")


async def test_refusals_speak_the_texts_of_errors_txt(stage: Stage, writer: Client, guest: Guest) -> None:
    assert "invalid username or password" in (await guest.log_in("andi", "salah")).text
    await page(writer, "errors.txt", "# teks\ninvalid-username = Kode salah, $(username) ($(error-orig))\n")
    await page(writer, "flogin.html", "$(error)|$(error-orig)|$(error-type)")
    said = "Kode salah, andi (invalid username or password)|invalid username or password|invalid-username"
    assert (await guest.log_in("andi", "salah")).text == said
    assert (await guest.log_in(BUDI, "x")).text.endswith("|wrong-mac-username")
    await do(writer, "/ip/hotspot/user/add", "name=milik-budi", "password=x", f"mac-address={BUDI}")
    assert (await guest.log_in("milik-budi", "x")).text.endswith("|invalid-mac")
    await do(writer, "/ip/hotspot/user/disable", "numbers=andi")
    assert (await guest.log_in("andi", "x")).text.endswith("|invalid-username")
    await do(writer, "/ip/hotspot/profile/set", ".id=hsprof1", "login-by=http-chap", "use-radius=yes")
    assert (await guest.log_in("andi", "x")).text.endswith("|chap-missing")
    await do(writer, "/ip/hotspot/profile/set", ".id=hsprof1", "login-by=http-pap")
    assert (await guest.log_in("orang-lain", "x")).text.endswith("|radius-timeout")


async def test_a_challenge_dies_after_an_hour(stage: Stage, writer: Client, guest: Guest) -> None:
    await do(writer, "/ip/hotspot/profile/set", ".id=hsprof1", "login-by=http-chap")
    await guest.get("/login")
    challenge = stage.site.router.portal.challenge(ANDI, stage.clock())
    answer = {"username": "andi", "password": chap_response(challenge, "x")}
    stage.clock.forward(3_601)
    assert "web browser did not send challenge response" in (await guest.post("/login", answer)).text
    assert "logged in" in (await guest.log_in("andi", "x", "chap")).text


def test_chap_follows_the_vector_of_the_facts(shared: Path) -> None:
    from kampungnet_sim.hotspot_portal import Challenge  # noqa: PLC0415 -- needed here only

    (vector,) = json.loads((shared / "recordings/routeros/wire/vectors.json").read_text())["hotspot_http_chap"]
    secret = unescape(vector["chap_challenge_octal"])
    challenge = Challenge(unescape(vector["chap_id_octal"])[0], secret, 0)
    assert chap_response(challenge, vector["password"]) == vector["posted_password"]


async def test_missing_pages_fall_back_as_the_manual_says(writer: Client, guest: Guest) -> None:
    assert (await guest.get("/nowhere.html")).status == 404
    assert (await guest.get("/status")).headers["location"].endswith("/login")
    await do(writer, "/file/remove", "numbers=flash/hotspot/login.html")
    assert (await guest.get("/login")).status == 404
    await do(writer, "/file/remove", "numbers=flash/hotspot")
    # A directory that is gone: the router's own pages.
    assert "Please log on" in (await guest.get("/login")).text


async def test_an_override_counts_only_while_there_is_something_in_it(writer: Client, guest: Guest) -> None:
    await do(writer, "/ip/hotspot/profile/set", ".id=hsprof1", "html-directory-override=flash/desa")
    assert "Please log on" in (await guest.get("/login")).text
    await do(writer, "/file/add", "name=flash/desa", "type=directory")
    await do(writer, "/file/add", "name=flash/desa/login.html", "contents=halaman desa")
    assert (await guest.get("/login")).text == "halaman desa"


async def test_a_folder_is_a_language_and_links_stay_in_it(writer: Client, guest: Guest) -> None:
    await do(writer, "/file/add", "name=flash/hotspot/en", "type=directory")
    await page(writer, "en/login.html", "English $(link-login-only) $(target-dir)")
    for path in ("/en/login", "/login?target=en"):
        assert (await guest.get(f"http://wifi.desa{path}")).text == "English http://wifi.desa/en/login en/"
    # What the folder has not comes from above it.
    await guest.post("/en/login", {"username": "andi", "password": "x"})
    assert "Welcome andi!" in (await guest.get("/en/status")).text


async def test_a_phone_asks_by_rfc_8908_whether_it_is_captive(stage: Stage, writer: Client, guest: Guest) -> None:
    found = await guest.get("http://wifi.desa/api")
    assert found.headers["content-type"] == "application/captive+json"
    expected = {"captive": True, "user-portal-url": "http://wifi.desa/login", "can-extend-session": True}
    assert json.loads(found.text) == expected
    await do(writer, "/ip/hotspot/user/set", "numbers=andi", "limit-uptime=30m", "limit-bytes-total=5M")
    stage.clock.stand_still()
    await guest.log_in("andi", "x")
    said = json.loads((await guest.get("http://wifi.desa/api")).text)
    assert (said["captive"], said["bytes-remaining"]) == (False, 5 * 1_048_576)
    assert 1_790 < said["seconds-remaining"] <= 1_800


async def test_the_garden_is_open_to_strangers_and_counts_its_visitors(writer: Client, guest: Guest) -> None:
    garden = ("/ip/hotspot/walled-garden", "/ip/hotspot/walled-garden/ip")
    await do(writer, f"{garden[0]}/add", "dst-host=*.smartkampung.example", "path=/surat*")
    await do(writer, f"{garden[1]}/add", "dst-host=portal.example", "dst-port=80", "action=accept")
    status = {
        url: (await guest.get(url)).status
        for url in (
            "http://a.smartkampung.example/surat/1", "http://a.smartkampung.example/lain", "http://portal.example/",
            "http://portal.example:8080/", "http://banyuwangikab.go.id/", "http://example.com/",
        )
    }  # fmt: skip
    assert list(status.values()) == [200, 302, 200, 302, 200, 302]
    rows = await writer.rows(f"{garden[0]}/print")
    assert [row["hits"] for row in rows] == ["1", "1"]
    await do(writer, f"{garden[0]}/disable", f".id={rows[0]['.id']}")
    assert (await guest.get("http://banyuwangikab.go.id/")).status == 302


async def test_phones_are_told_the_truth_by_their_probes(stage: Stage, writer: Client, guest: Guest) -> None:
    probes = {
        "http://captive.apple.com/hotspot-detect.html": (200, "Success"),
        "http://connectivitycheck.gstatic.com/generate_204": (204, ""),
        "http://www.msftconnecttest.com/connecttest.txt": (200, "Microsoft Connect Test"),
    }
    assert [(await guest.get(url)).status for url in probes] == [302] * 3
    await guest.log_in("andi", "x")
    for url, (status, text) in probes.items():
        found = await guest.get(url)
        assert (found.status, text in found.text) == (status, True)
    stage.fleet.faults.add("cut_fibre", "*", 60)
    assert (await guest.get("http://example.com/")).status == 504
    assert "Welcome andi!" in (await guest.get("/status")).text


async def test_guests_reach_a_real_server_once_they_may(stage: Stage, writer: Client, guest: Guest) -> None:
    async def serve(reader: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        out.write(f"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{head.splitlines()[0]}".encode())
        out.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    stage.site.hotspot.far["portal.example"] = server.sockets[0].getsockname()[:2]
    assert (await guest.get("http://portal.example/desa?a=1")).status == 302
    await guest.log_in("andi", "x")
    assert (await guest.get("http://portal.example/desa?a=1")).text == "GET /desa?a=1 HTTP/1.1"
    server.close()


async def test_a_tls_connection_passes_whole_or_not_at_all(stage: Stage, writer: Client, guest: Guest) -> None:
    async def echo(reader: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        out.write(await reader.read(100))
        out.close()

    async def connect() -> bytes:
        host, _, port = guest.door.partition(":")
        reader, out = await asyncio.open_connection(host, int(port))
        out.write(b"CONNECT bank.example:443 HTTP/1.1\r\nHost: bank.example:443\r\n\r\n")
        try:
            said = await reader.readuntil(b"\r\n\r\n")
            out.write(b"hello")
            out.write_eof()
            return said + await reader.read(-1)
        except (ConnectionError, asyncio.IncompleteReadError):
            return b""
        finally:
            out.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    stage.site.hotspot.far["bank.example"] = server.sockets[0].getsockname()[:2]
    assert await connect() == b""
    await do(writer, "/ip/hotspot/walled-garden/ip/add", "dst-host=bank.example", "dst-port=443")
    assert (await connect()).endswith(b"\r\n\r\nhello")
    server.close()


async def test_curl_is_a_guest_of_its_own_by_its_source_address(stage: Stage, writer: Client) -> None:
    curl, port = needed("curl", "curl"), stage.site.ports["hotspot"]
    guests = [await stage.site.hotspot.join(mac) for mac in (ANDI, BUDI)]

    def ask(one: Guest, *words: str) -> str:
        source = one.door.partition(":")[0]
        found = subprocess.run([curl, "-s", "--interface", source, *words], capture_output=True, check=True, timeout=30)
        return found.stdout.decode()

    login = f"http://127.0.0.1:{port}/login"
    said = await asyncio.to_thread(ask, guests[0], "-d", "username=andi&password=x", login)
    assert "You are logged in" in said
    status = [await asyncio.to_thread(ask, one, f"http://127.0.0.1:{port}/api") for one in guests]
    assert ['"captive": false' in one for one in status] == [True, False]


@pytest.mark.parametrize(
    "raw",
    [
        b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /login HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", b"A" * 40_000,
        b"GET /login?username=%00%ff%0d%0aSet-Cookie:x HTTP/1.1\r\nHost: wifi.desa\r\n\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: wifi.desa\r\n\r\n",
        b"GET http:// HTTP/1.1\r\nHost: \r\n\r\n", b"CONNECT nowhere HTTP/1.1\r\n\r\n",
        b"GET http://[::1 HTTP/1.1\r\n\r\n",
    ],
)  # fmt: skip
async def test_hostile_requests_get_nothing_and_harm_nobody(
    stage: Stage, writer: Client, guest: Guest, raw: bytes
) -> None:
    host, _, port = guest.door.partition(":")
    reader, out = await asyncio.open_connection(host, int(port))
    out.write(raw)
    out.write_eof()
    try:
        said = await asyncio.wait_for(reader.read(-1), 10)
    except ConnectionError:
        said = b""
    out.close()
    assert not said or said.startswith((b"HTTP/1.0 200", b"HTTP/1.0 302", b"HTTP/1.0 404"))
    assert b"\nSet-Cookie:" not in said.partition(b"\r\n\r\n")[0]
    assert "logged in" in (await guest.log_in("andi", "x")).text
