"""The boxes of the demo: enrolled over HTTP as a technician would, each with its own agent.toml."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from secrets import token_hex
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
SETTINGS_SECONDS: Final = 300
_FORKS: Final = 2
WRITER: Final = "penulis"
"""The account of simulated routers that may change them."""


class CommandLine(msgspec.Struct):
    """How a simulated router's command line is reached, by SSH."""

    address: str
    username: str
    password: str


class Router(msgspec.Struct):
    """How a simulated router is reached."""

    address: str
    username: str
    password: str
    wan_interface: str
    hotspot_address: str = ""
    """Where its captive portal shows its pages, to whoever asks as a guest would."""
    users: dict[str, str] = {}
    """Accounts of its API with their passwords."""
    ssh: CommandLine | None = None


class Ont(msgspec.Struct):
    """How a simulated ONT, or an access point, is reached by SNMP."""

    address: str
    community: str
    wan_interface: str = ""


class Camera(msgspec.Struct):
    """How a simulated camera is reached: by RTSP and on the web."""

    address: str
    web_address: str


class Olt(msgspec.Struct):
    """How the simulated OLT is reached, and which of its ONUs is the village's."""

    address: str
    community: str
    serial: str


class Box(msgspec.Struct):
    """One village of the simulator's inventory."""

    village: str
    name: str
    control: str
    """Address of the simulator's control socket."""
    router: Router
    ont: Ont | None = None
    camera: Camera | None = None
    access_point: Ont | None = None
    olt: Olt | None = None
    portal: bool = False
    """Its captive portal is run by KampungNet."""
    onus: list[str] = []
    """Serial numbers its agent asks the OLT for."""


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
    blocks = [
        _block("server", url=url, credential_file=str(credential), report_interval_seconds=REPORT_SECONDS),
        _block("spool", path=str(own / "spool.db"), max_megabytes=16),
        *_devices(own, box),
    ]
    path = own / "agent.toml"
    path.write_text("\n".join(blocks))
    return path


def _devices(own: Path, box: Box) -> Iterator[str]:
    yield _device(
        "router", "mikrotik", box.router.address, _secret(own, "router.password", box.router.password),
        username=box.router.username, wan_interface=box.router.wan_interface,
    )  # fmt: skip
    if box.portal and WRITER in box.router.users:
        secret = _secret(own, "portal.password", box.router.users[WRITER])
        yield _device("portal", "mikrotik-portal", box.router.address, secret, username=WRITER)
    if ssh := box.router.ssh:
        yield _device(
            "settings", "mikrotik-config", ssh.address, _secret(own, "ssh.password", ssh.password),
            username=ssh.username, backup_password_file=_backup_password(own), interval_seconds=SETTINGS_SECONDS,
        )  # fmt: skip
    if ont := box.ont:
        secret = _secret(own, "ont.community", ont.community)
        yield _device("ont", "ont-snmp", ont.address, secret, wan_interface=ont.wan_interface)
    if camera := box.camera:
        yield _device("camera", "camera", camera.address, http_port=int(camera.web_address.rpartition(":")[2]))
    if point := box.access_point:
        secret = _secret(own, "access-point.community", point.community)
        wan = point.wan_interface
        yield _device("access-point", "generic-snmp", point.address, secret, purpose="access_point", wan_interface=wan)
    if box.olt and box.onus:
        secret = _secret(own, "olt.community", box.olt.community)
        yield _device("olt", "olt-snmp", box.olt.address, secret, onus=box.onus)


def _secret(own: Path, name: str, secret: str) -> str:
    path = own / name
    path.touch(mode=0o600)
    path.write_text(secret + "\n")
    return str(path)


def _backup_password(own: Path) -> str:
    """Give the box its own, once: the server never learns it, and older backups must open too."""
    path = own / "backup.password"
    return str(path) if path.exists() else _secret(own, path.name, token_hex(16))


def _device(name: str, driver: str, address: str, secret: str = "", **more: str | int | list[str]) -> str:
    if secret:
        more["password_file"] = secret
    more.setdefault("interval_seconds", INTERVAL_SECONDS)
    return _block("[devices]", name=name, driver=driver, address=address, **more)


def _block(table: str, /, **values: str | int | list[str]) -> str:
    # JSON text is TOML text for the strings, numbers and lists that stand here.
    lines = [f"{key} = {msgspec.json.encode(value).decode()}" for key, value in values.items()]
    return "\n".join([f"[{table}]", *lines, ""])
