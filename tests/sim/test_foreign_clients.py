"""Programs other people wrote for real routers must not notice that this is none."""

import asyncio
import json
import re
import ssl
import urllib.request
from pathlib import Path

import librouteros  # type: ignore[import-untyped]
import pytest
import routeros_api  # type: ignore[import-untyped]
from librouteros.login import plain, token  # type: ignore[import-untyped]

from kampungnet_sim.fleet import FleetOptions
from kampungnet_sim.tls import anonymous_context, self_signed_context
from kampungnet_sim.village_features import NO_WISH, Scale, Wish
from tests.sim.stage import Stage, needed, on_stage, run
from tests.support.ports import free_port

MENUS = (
    "/system/resource", "/system/identity", "/system/routerboard", "/system/package", "/interface",
    "/interface/ethernet", "/ip/route", "/ip/address", "/ip/hotspot", "/ip/hotspot/active", "/ip/hotspot/host",
    "/ip/hotspot/user", "/ip/hotspot/user/profile", "/ip/dhcp-server/lease", "/ip/arp", "/queue/simple",
    "/ip/firewall/filter", "/tool/netwatch", "/user/active", "/log",
)  # fmt: skip


def poll_with_librouteros(stage: Stage, login: object) -> dict[str, int]:
    api = librouteros.connect(
        "127.0.0.1", "kampungnet", stage.password, port=stage.port, login_method=login, encoding="latin-1"
    )
    found = {menu: len(tuple(api(f"{menu}/print"))) for menu in MENUS}
    users = api.path("ip", "hotspot", "user")
    key = users.add(name="00712x", password="p")
    users.update(**{".id": key, "comment": "dari librouteros"})
    users.remove(key)
    assert next(iter(api("/ping", address="8.8.8.8", count=1)))["received"] == 1
    with pytest.raises(librouteros.exceptions.TrapError, match="no such command"):
        tuple(api("/nowhere/print"))
    api.close()
    return found


@pytest.mark.parametrize(
    ("model", "version", "login"),
    [("hap-ax2", "7.20.6 (stable)", plain), ("rb951", "6.49.17 (stable)", plain), ("rb951", "6.40.5", token)],
)
async def test_librouteros_polls_and_edits(model: str, version: str, login: object) -> None:
    async with on_stage(FleetOptions(model=model, version=version, instant_ping=True)) as stage:
        found = await asyncio.to_thread(poll_with_librouteros, stage, login)
        assert found["/interface"] == 11
        assert found["/ip/hotspot/active"] == stage.truth().hotspot_active


def poll_with_routeros_api(stage: Stage, *, new_login: bool, tls: ssl.SSLContext | None = None) -> dict[str, int]:
    pool = routeros_api.RouterOsApiPool(
        "127.0.0.1", "kampungnet", stage.password, plaintext_login=new_login, ssl_context=tls,
        port=stage.site.ports["api-ssl" if tls else "api"],
    )  # fmt: skip
    api = pool.get_api()
    # Passwords and names of guests are not always UTF-8, which this client insists on.
    readable = [menu for menu in MENUS if "lease" not in menu]
    found = {menu: len(api.get_resource(menu).get()) for menu in readable}
    counted = api.get_resource("/ip/hotspot/active").call("print", {"count-only": ""})
    assert int(counted.done_message["ret"]) == found["/ip/hotspot/active"]
    assert len(api.get_resource("/interface").get(name="ether1")) == 1
    pool.disconnect()
    return found


@pytest.mark.parametrize("version", ["7.20.4", "6.44.2"])
async def test_routeros_api_polls(version: str) -> None:
    async with on_stage(FleetOptions(model="hex", version=version, quick_ack=True)) as stage:
        found = await asyncio.to_thread(poll_with_routeros_api, stage, new_login=version != "6.44.2")
        assert found["/interface"] == 11


@pytest.mark.parametrize("certificate", [True, False])
async def test_routeros_api_polls_over_tls_with_and_without_a_certificate(*, certificate: bool) -> None:
    server = self_signed_context() if certificate else anonymous_context()
    client = ssl.create_default_context()
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    if not certificate:
        client.set_ciphers("ADH:@SECLEVEL=0")
    async with on_stage(FleetOptions(model="hex", tls=server)) as stage:
        found = await asyncio.to_thread(poll_with_routeros_api, stage, new_login=True, tls=client)
        assert found["/interface"] == 11


NODE_PROGRAM = """
const { RouterOSAPI } = require('node-routeros');
const api = new RouterOSAPI({ host: '127.0.0.1', port: PORT, user: 'kampungnet', password: 'PASSWORD', timeout: 5 });
(async () => {
  await api.connect();
  const found = {};
  for (const menu of MENUS) found[menu] = (await api.write(menu + '/print')).length;
  const both = await Promise.all([api.write('/ping', ['=address=8.8.8.8', '=count=2', '=interval=100ms']),
                                  api.write('/system/identity/print')]);
  found.ping = both[0].length;
  found.identity = both[1][0].name;
  let rows = 0;
  await new Promise((resolve, reject) => {
    const stream = api.stream('/interface/monitor-traffic', ['=interface=ether1'], (error, row) => {
      if (error) return reject(error);
      rows += 1;
      if (rows === 1) stream.stop().then(resolve, reject);
    });
  });
  try { await api.write('/nowhere/print'); } catch (error) { found.trap = error.message; }
  await api.close();
  console.log(JSON.stringify(found));
})().catch((error) => { console.error(error); process.exit(1); });
"""


async def test_node_routeros_polls_pings_streams_and_cancels(node_client: Path) -> None:
    # This client is no longer maintained and does not know !empty (facts, 3.8): a version before 7.18.
    async with on_stage(FleetOptions(model="hap-ac-lite")) as stage:
        program = NODE_PROGRAM.replace("PORT", str(stage.port)).replace("PASSWORD", stage.password)
        program = program.replace("of MENUS", f"of {json.dumps(MENUS)}")
        file = node_client / f"poll-{stage.port}.js"
        file.write_text(program)
        code, said = await run(needed("node", "nodejs"), str(file))
        file.unlink()
        assert code == 0, said
        found = json.loads(said)
        assert (found["/interface"], found["ping"], found["identity"]) == (11, 2, "Desa Sarongan")
        assert found["trap"] == "no such command or directory (nowhere)"


def mktxp_settings(folder: Path, stage: Stage, port: int) -> None:
    login = f"username = kampungnet\n    password = {stage.password}"
    (folder / "mktxp.conf").write_text(
        f"[Sarongan]\n    hostname = 127.0.0.1\n    port = {stage.port}\n    {login}\n"
        "[default]\n    enabled = True\n    routerboard = True\n    bridge_vlan = True\n    dns = True\n"
    )
    (folder / "_mktxp.conf").write_text(f"[MKTXP]\n    listen = '127.0.0.1:{port}'\n    verbose_mode = True\n")


def scrape(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        return str(answer.read().decode())


EVERYTHING = Wish(frozenset({"pppoe", "pppoe-server", "capsman", "radius", "fasttrack"}), Scale(40, 300, 300))


@pytest.mark.parametrize(
    ("model", "wish"),
    [(model, NO_WISH) for model in ("hex", "rb951", "hap-ax2", "hap-ac-lite", "rb2011", "rb5009")]
    + [(model, EVERYTHING) for model in ("rb951", "hap-ax2")],
)
async def test_the_exporter_mktxp_scrapes_without_an_error(mktxp: Path, tmp_path: Path, model: str, wish: Wish) -> None:
    async with on_stage(FleetOptions(model=model, quick_ack=True, wish=wish)) as stage:
        port = free_port()
        mktxp_settings(tmp_path, stage, port)
        exporter = await asyncio.create_subprocess_exec(
            str(mktxp), "--cfg-dir", str(tmp_path), "export",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            page = await scraped(port)
            before, after = stage.site.village.state_at(stage.clock() - 60), stage.truth()
        finally:
            exporter.terminate()
            said = (await exporter.communicate())[0].decode()
        # Of a v6 router with the package "wireless" the exporter wants the menus of v7 too.
        unknown_to_v6 = "/interface/wifi/" if stage.site.router.version.major < 7 else "nothing"
        errors = [line for line in said.splitlines() if "Error" in line and unknown_to_v6 not in line]
        assert errors == []
        assert "Traceback" not in said, said
        wan = stage.site.village.profile.router.wan_interface
        counted = re.search(rf'mktxp_interface_rx_byte_total.*name="{wan}".* (\S+)', page)
        assert counted is not None
        assert before.interfaces[0].rx_bytes <= float(counted[1]) * 1.000001
        assert float(counted[1]) <= after.interfaces[0].rx_bytes * 1.000001
        names = set(re.findall(r"^(mktxp_\w+?)(?:_total|_info)?\{", page, re.MULTILINE))
        assert {"mktxp_system_uptime", "mktxp_dhcp_lease_active_count", "mktxp_ip_connections"} <= names


async def scraped(port: int) -> str:
    for _ in range(60):
        try:
            page = await asyncio.to_thread(scrape, port)
        except OSError:
            await asyncio.sleep(0.25)
            continue
        if "mktxp_interface_rx_byte" in page:
            return page
    pytest.fail("mktxp had nothing to show")
