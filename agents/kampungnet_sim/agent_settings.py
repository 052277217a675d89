"""Settings files for agents of simulated villages, as the project's issue 2 lays them down."""

import json
from pathlib import Path

from kampungnet_sim.extras import Extras
from kampungnet_sim.fleet import Site

Values = dict[str, str | int | list[str]]
# A login a minute would wear out a cheap unit.
_SHELL_SECONDS = 600
_CONFIG_SECONDS = 10_800


def write_private(path: Path, text: str) -> None:
    """Passwords stand in it: written beside, for the owner alone, then put in place."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    beside.touch(mode=0o600)
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def _block(table: str, values: Values) -> str:
    # JSON text is TOML text for the strings, numbers and lists that stand here.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join([f"[{table}]", *lines, ""])


def _secret(own: Path, name: str, secret: object) -> str:
    write_private(own / name, f"{secret}\n")
    return str(own / name)


def _device(name: str, driver: str, address: str, seconds: int = 60) -> Values:
    return {"name": name, "driver": driver, "address": address, "interval_seconds": seconds}


def _further(own: Path, code: str, extras: Extras) -> list[Values]:
    """The devices a village has only when asked for. Each OLT is read by one agent: that of its first village."""
    has = extras.inventory(code)
    found: list[Values] = []
    shell, camera, point = has.get("ont_ssh"), has.get("camera"), has.get("access_point")
    if isinstance(shell, dict):
        found.append(_device("ont-cli", "ont-ssh", shell["address"], _SHELL_SECONDS))
        found[-1]["username"] = shell["username"]
        found[-1]["password_file"] = _secret(own, "ont-cli.password", shell["password"])
    if isinstance(camera, dict):
        found.append(_device("camera", "camera", camera["address"]))
        found[-1]["http_port"] = int(camera["web_address"].rpartition(":")[2])
    if isinstance(point, dict):
        found.append(_device("access-point", "generic-snmp", point["address"]))
        found[-1]["purpose"] = "access_point"
        found[-1]["wan_interface"] = point["wan_interface"]
        found[-1]["password_file"] = _secret(own, "access-point.community", point["community"])
    for olt in extras.olts:
        if olt.first_village() == code:
            found.append(_device(olt.name, "olt-snmp", f"127.0.0.1:{olt.port}"))
            found[-1]["password_file"] = _secret(own, f"{olt.name}.community", olt.access.community)
            found[-1]["onus"] = olt.serials()
    return found


def _settings_reader(own: Path, site: Site) -> list[Values]:
    """The device that reads the router's settings over SSH, where its command line is open."""
    if site.shell is None:
        return []
    access = site.shell.access
    found = _device("router-config", "mikrotik-config", str(access["address"]), _CONFIG_SECONDS)
    found["username"] = str(access["username"])
    found["password_file"] = _secret(own, "router-config.password", access["password"])
    found["backup_password_file"] = _secret(own, "router-backup.password", f"cadangan-{access['password']}")
    return [found]


def write_settings(folder: Path, site: Site, extras: Extras) -> Path:
    """Write ``CODE/agent.toml`` with its secrets beside it (mode 600); returns its path.

    Without a line the server's address is a guess to be replaced.
    """
    own = (folder / site.village.profile.code).resolve()
    own.mkdir(parents=True, exist_ok=True)
    user = site.router.users["kampungnet"]
    server = f"http://127.0.0.1:{site.ports.get('line', 8080)}"
    router: Values = {
        "name": "router",
        "driver": "mikrotik",
        "address": f"127.0.0.1:{site.ports['api']}",
        "username": user.name,
        "password_file": _secret(own, "router.password", user.password),
        "interval_seconds": 60,
        "wan_interface": site.village.profile.router.wan_interface,
    }
    ont: Values = {
        "name": "ont",
        "driver": "ont-snmp",
        "address": f"127.0.0.1:{site.ports['snmp']}",
        "password_file": _secret(own, "ont.community", site.access.community),
        "wan_interface": site.village.ont_plan[0].name,
        "interval_seconds": 60,
    }
    blocks = [
        _block("server", {"url": server, "credential_file": str(own / "credential")}),
        _block("spool", {"path": str(own / "spool.db"), "max_megabytes": 16}),
        _block("[devices]", router),
        _block("[devices]", ont),
        *(_block("[devices]", one) for one in _settings_reader(own, site)),
        *(_block("[devices]", one) for one in _further(own, site.village.profile.code, extras)),
    ]
    path = own / "agent.toml"
    path.write_text("\n".join(blocks), encoding="utf-8")
    return path
