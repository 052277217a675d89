"""Settings of our agent for simulated devices: agent.toml and the secret files beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tests.benchmarks.simulator import Simulated

Values = dict[str, str | int | bool]


@dataclass(frozen=True)
class BoxPlan:
    """What one agent.toml shall say."""

    folder: Path
    url: str = "http://127.0.0.1:9"
    """Nothing listens there unless a server is measured with it."""
    poll_seconds: int = 60
    report_seconds: int = 60
    timeout_seconds: int = 20
    full: bool = False
    """Let every poll of a router ask for everything."""


def write_settings(plan: BoxPlan, routers: Sequence[Simulated] = (), onts: Sequence[Simulated] = ()) -> Path:
    """Write agent.toml for these villages' routers and ONTs and return its path."""
    folder = plan.folder
    folder.mkdir(parents=True, exist_ok=True)
    server: Values = {"url": plan.url, "credential_file": str(folder / "credential")}
    blocks = [
        _block("server", {**server, "report_interval_seconds": plan.report_seconds}),
        _block("spool", {"path": str(folder / "spool.db"), "max_megabytes": 64}),
    ]
    seconds: Values = {"interval_seconds": plan.poll_seconds, "timeout_seconds": plan.timeout_seconds}
    for place, village in enumerate(routers):
        one = village.router
        router = _device(folder, f"router-{place}", one.password)
        router |= {"driver": "mikrotik", "address": one.address, "username": one.username}
        router |= {"wan_interface": one.wan_interface, "full": plan.full, **seconds}
        blocks.append(_block("[devices]", router))
    for place, village in enumerate(onts):
        ont = _device(folder, f"ont-{place}", village.ont.community)
        ont |= {"driver": "ont-snmp", "address": village.ont.address}
        ont |= {"wan_interface": village.ont.wan_interface, **seconds}
        blocks.append(_block("[devices]", ont))
    path = folder / "agent.toml"
    path.write_text("\n".join(blocks))
    return path


def write_secret(path: Path, secret: str) -> None:
    """Write a file that only its owner may read."""
    path.touch(mode=0o600)
    path.write_text(secret + "\n")


def _device(folder: Path, name: str, secret: str) -> Values:
    file = folder / f"{name}.secret"
    write_secret(file, secret)
    return {"name": name, "password_file": str(file)}


def _block(table: str, values: Values) -> str:
    # JSON text is TOML text for the strings and numbers that stand here.
    lines = [f"{key} = {msgspec.json.encode(value).decode()}" for key, value in values.items()]
    return "\n".join([f"[{table}]", *lines, ""])
