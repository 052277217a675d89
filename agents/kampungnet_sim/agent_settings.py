"""Settings files for agents of simulated villages, as the project's issue 2 lays them down."""

import json
from pathlib import Path

from kampungnet_sim.fleet import Site


def write_private(path: Path, text: str) -> None:
    """Passwords stand in it: written beside, for the owner alone, then put in place."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    beside.touch(mode=0o600)
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def _block(table: str, values: dict[str, str | int]) -> str:
    # JSON text is TOML text for the strings and numbers that stand here.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join([f"[{table}]", *lines, ""])


def write_settings(folder: Path, site: Site) -> Path:
    """Write ``CODE/agent.toml`` with its secrets beside it (mode 600); returns its path.

    Without a line the server's address is a guess to be replaced.
    """
    own = (folder / site.village.profile.code).resolve()
    own.mkdir(parents=True, exist_ok=True)
    user = site.router.users["kampungnet"]
    write_private(own / "router.password", user.password + "\n")
    write_private(own / "ont.community", site.access.community + "\n")
    server = f"http://127.0.0.1:{site.ports.get('line', 8080)}"
    router: dict[str, str | int] = {
        "name": "router",
        "driver": "mikrotik",
        "address": f"127.0.0.1:{site.ports['api']}",
        "username": user.name,
        "password_file": str(own / "router.password"),
        "interval_seconds": 60,
        "wan_interface": site.village.profile.router.wan_interface,
    }
    ont: dict[str, str | int] = {
        "name": "ont",
        "driver": "ont-snmp",
        "address": f"127.0.0.1:{site.ports['snmp']}",
        "password_file": str(own / "ont.community"),
        "wan_interface": site.village.ont_plan[0].name,
        "interval_seconds": 60,
    }
    blocks = [
        _block("server", {"url": server, "credential_file": str(own / "credential")}),
        _block("spool", {"path": str(own / "spool.db"), "max_megabytes": 16}),
        _block("[devices]", router),
        _block("[devices]", ont),
    ]
    path = own / "agent.toml"
    path.write_text("\n".join(blocks), encoding="utf-8")
    return path
