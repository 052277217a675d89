"""The boxes of the demo: enrolled over HTTP as a technician would, each with its own agent.toml."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import msgspec

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.errors import Unavailable
from kampungnet.demo.children import program
from kampungnet.devices import service as devices
from kampungnet.villages import service as villages

INTERVAL_SECONDS: Final = 30
REPORT_SECONDS: Final = 15
"""Livelier than a real box, so that a visitor sees numbers move."""
_FORKS: Final = 2


class Router(msgspec.Struct):
    """How a simulated router is reached."""

    address: str
    username: str
    password: str
    wan_interface: str


class Ont(msgspec.Struct):
    """How a simulated ONT is reached."""

    address: str
    community: str
    wan_interface: str = ""


class Box(msgspec.Struct):
    """One village of the simulator's inventory."""

    village: str
    name: str
    control: str
    """Address of the simulator's control socket."""
    router: Router
    ont: Ont | None = None


def inventory(path: Path) -> list[Box]:
    """Return the villages the simulator says it runs."""
    return msgspec.json.decode(path.read_bytes(), type=list[Box])


def enrol_all(database: Database, folder: Path, url: str, boxes: list[Box]) -> list[Path]:
    """Enrol every box that has no key yet and return the settings file of each."""
    with ThreadPoolExecutor(_FORKS) as pool:
        return list(pool.map(lambda box: _enrol(database, folder / box.village, url, box), boxes))


def _enrol(database: Database, own: Path, url: str, box: Box) -> Path:
    own.mkdir(parents=True, exist_ok=True)
    credential = own / "credential"
    if not credential.exists():
        with database.writes() as db:
            code = devices.issue_code(db, villages.village(db, box.village), clock.now_ms())
        command = [program("kampungnet-agent"), "enrol", "--server", url, "--code", code]
        done = subprocess.run(  # noqa: S603 -- our own command with our own words
            [*command, "--credential", str(credential)], capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode:
            raise Unavailable(f"the box of {box.village} could not enrol: {done.stderr.strip()}")
    return _write_settings(own, url, credential, box)


def _write_settings(own: Path, url: str, credential: Path, box: Box) -> Path:
    _write_secret(own / "router.password", box.router.password)
    blocks = [
        _block("server", url=url, credential_file=str(credential), report_interval_seconds=REPORT_SECONDS),
        _block("spool", path=str(own / "spool.db"), max_megabytes=16),
        _block(
            "[devices]", name="router", driver="mikrotik", address=box.router.address, username=box.router.username,
            password_file=str(own / "router.password"), wan_interface=box.router.wan_interface,
            interval_seconds=INTERVAL_SECONDS,
        ),
    ]  # fmt: skip
    if box.ont:
        _write_secret(own / "ont.community", box.ont.community)
        blocks.append(
            _block(
                "[devices]", name="ont", driver="ont-snmp", address=box.ont.address,
                password_file=str(own / "ont.community"), wan_interface=box.ont.wan_interface,
                interval_seconds=INTERVAL_SECONDS,
            )
        )  # fmt: skip
    path = own / "agent.toml"
    path.write_text("\n".join(blocks))
    return path


def _write_secret(path: Path, secret: str) -> None:
    path.touch(mode=0o600)
    path.write_text(secret + "\n")


def _block(table: str, /, **values: str | int) -> str:
    # JSON text is TOML text for the strings and numbers that stand here.
    lines = [f"{key} = {msgspec.json.encode(value).decode()}" for key, value in values.items()]
    return "\n".join([f"[{table}]", *lines, ""])
