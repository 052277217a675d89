"""Settings of our agent for simulated routers: agent.toml and the secret files beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tests.benchmarks.simulator import Simulated


@dataclass(frozen=True)
class BoxPlan:
    """What one agent.toml shall say."""

    folder: Path
    url: str = "http://127.0.0.1:9"
    """Nothing listens there unless a server is measured with it."""
    poll_seconds: int = 60
    report_seconds: int = 60


def write_settings(plan: BoxPlan, routers: Sequence[Simulated]) -> Path:
    """Write agent.toml for these routers and return its path."""
    folder = plan.folder
    folder.mkdir(parents=True, exist_ok=True)
    blocks = [
        _block("server", url=plan.url, credential_file=str(folder / "credential"),
               report_interval_seconds=plan.report_seconds),
        _block("spool", path=str(folder / "spool.db"), max_megabytes=64),
    ]  # fmt: skip
    for place, one in enumerate(routers):
        secret = folder / f"router-{place}.password"
        write_secret(secret, one.router.password)
        blocks.append(
            _block(
                "[devices]", name=f"router-{place}", driver="mikrotik", address=one.router.address,
                username=one.router.username, password_file=str(secret), wan_interface=one.router.wan_interface,
                interval_seconds=plan.poll_seconds,
            )
        )  # fmt: skip
    path = folder / "agent.toml"
    path.write_text("\n".join(blocks))
    return path


def write_secret(path: Path, secret: str) -> None:
    """Write a file that only its owner may read."""
    path.touch(mode=0o600)
    path.write_text(secret + "\n")


def _block(table: str, /, **values: str | int) -> str:
    # JSON text is TOML text for the strings and numbers that stand here.
    lines = [f"{key} = {msgspec.json.encode(value).decode()}" for key, value in values.items()]
    return "\n".join([f"[{table}]", *lines, ""])
