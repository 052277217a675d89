"""agent.toml: what it may say, and how it becomes settings. See ``agent.example.toml``."""

import ipaddress
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from kampungnet.shared import wire
from kampungnet.shared.settings_file import (
    SettingsError,
    convert,
    did_you_mean,
    read_secret,
    read_table,
    refuse_open_secret,
    unknown_key,
)
from kampungnet_agent.driver_loading import driver_names, load_driver
from kampungnet_agent.own_certificate import OwnCertificate

Seconds = Annotated[int, Meta(ge=1, le=86_400)]
Option = str | int | bool | list[str]
MOST_LISTED = 256
"""Entries of one option that is a list, such as the ONUs of an OLT."""
INTERVAL_SECONDS = 60
"""From poll to poll, where neither the settings nor the driver (``INTERVAL_SECONDS``) says otherwise."""
TIMEOUT_SECONDS = 20
"""For one poll, where neither the settings nor the driver (``TIMEOUT_SECONDS``) says otherwise."""


class ServerTable(msgspec.Struct, frozen=True):
    """``[server]``."""

    url: str
    credential_file: str
    ca_file: str = ""
    report_interval_seconds: Seconds = 60
    key_days: Annotated[int, Meta(ge=0, le=3650)] = 180
    """Age at which the box changes its key by itself; 0: never."""
    client_certificate_file: str = ""
    """Shown to a web server in front that asks for one, with ``client_key_file``; both or none."""
    client_key_file: str = ""


class SpoolTable(msgspec.Struct, frozen=True):
    """``[spool]``."""

    path: str
    max_megabytes: Annotated[int, Meta(ge=1, le=1_000_000)] = 256
    max_days: Annotated[int, Meta(ge=1, le=3650)] = 30


class MetricsTable(msgspec.Struct, frozen=True):
    """``[metrics]``; without it there are none, which saves 2 MB."""

    address: str = "127.0.0.1:9464"
    beyond_loopback: bool = False
    """Has to be said before the metrics listen on an address others can reach."""


class DeviceTable(msgspec.Struct, frozen=True):
    """One ``[[devices]]``; further keys belong to its driver."""

    name: wire.Identifier
    driver: str
    address: Annotated[str, Meta(min_length=1, max_length=200)]
    username: str = ""
    password_file: str = ""
    interval_seconds: Seconds | None = None
    timeout_seconds: Seconds | None = None
    wan_interface: str = ""
    ping_address: str = "1.1.1.1"


class _File(msgspec.Struct, frozen=True):
    server: ServerTable
    spool: SpoolTable
    devices: Annotated[list[DeviceTable], Meta(min_length=1, max_length=500)]
    metrics: MetricsTable | None = None


class _ServerOnly(msgspec.Struct, frozen=True):
    server: ServerTable


class Device(msgspec.Struct, frozen=True):
    """One device with its secrets read; what a driver gets to know (``driver.DeviceSettings``)."""

    name: str
    driver: str
    address: str
    username: str = ""
    secret: str = ""
    wan_interface: str = ""
    ping_address: str = "1.1.1.1"
    interval_seconds: float = 60.0
    timeout_seconds: float = 20.0
    options: dict[str, Option] = {}
    state_folder: str = ""
    """Where the spool lies."""
    server_host: str = ""

    def __repr__(self) -> str:
        """Show no secret, also not in a traceback."""
        return f"Device({self.name!r}, {self.driver!r}, {self.address!r})"


class AgentSettings(msgspec.Struct, frozen=True):
    """All of agent.toml, checked."""

    server: ServerTable
    spool: SpoolTable
    devices: list[Device]
    metrics: MetricsTable | None = None


def read_agent_settings(path: Path) -> AgentSettings:
    """Read agent.toml and every secret it names; raises ``SettingsError`` with one sentence."""
    table = read_table(path)
    devices = table.get("devices")
    options = [_take_options(item, path, place) for place, item in _numbered(devices)]
    file = convert(table, _File, path)
    check_server_url(file.server.url, f"{path}: server.url")
    _check_certificate(file.server, path)
    if file.metrics is not None:
        _check_metrics(file.metrics, path)
    _refuse_twins(file.devices, path)
    host = urlsplit(file.server.url).hostname or ""
    state_folder = str(Path(file.spool.path).parent)
    ready = [
        msgspec.structs.replace(_with_secrets(device, extra, path, host), state_folder=state_folder)
        for device, extra in zip(file.devices, options, strict=True)
    ]
    return AgentSettings(file.server, file.spool, ready, file.metrics)


def read_server_table(path: Path) -> ServerTable:
    """Read only ``[server]``, for a box that is being set up and has no password files yet."""
    server = read_table(path).get("server", {})
    table = convert({"server": server}, _ServerOnly, path).server
    _check_certificate(table, path)
    return table


def own_certificate(server: ServerTable) -> OwnCertificate | None:
    """Return the certificate this box shows, if it has one."""
    if not server.client_certificate_file:
        return None
    return OwnCertificate(Path(server.client_certificate_file), Path(server.client_key_file))


def check_server_url(url: str, place: str) -> None:
    """Refuse what is no plain server address; readings and signatures travel unencrypted to this box only."""
    parts = urlsplit(url)
    try:
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise SettingsError(
            f'{place} is not an address: {error}; write it like "https://kampungnet.example.go.id".'
        ) from error
    if parts.scheme not in {"https", "http"} or not host or parts.path.strip("/") or parts.query or parts.username:
        raise SettingsError(
            f'{place} is "{url}"; write only scheme, host and port, like "https://kampungnet.example.go.id".'
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise SettingsError(
            f'{place} is "{url}", which is not encrypted; write https:// (http:// is for this machine only).'
        )


def is_loopback(host: str) -> bool:
    """Tell whether ``host`` means this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def host_and_port(address: str) -> tuple[str, int]:
    """Split ``host:port``, IPv6 in brackets; raises ``ValueError``."""
    host, _, port = address.rpartition(":")
    number = int(port)
    if not host or not 0 <= number < 65_536:
        raise ValueError(f"{address} is not host:port")
    return host.strip("[]"), number


def _numbered(devices: Any) -> list[tuple[str, dict[str, Any]]]:
    if not isinstance(devices, list):
        return []
    return [(f"devices[{number}]", item) for number, item in enumerate(devices, start=1) if isinstance(item, dict)]


def _take_options(device: dict[str, Any], path: Path, place: str) -> dict[str, Any]:
    """Take out of one ``[[devices]]`` what only its driver knows, by the driver's own list ``OPTIONS``."""
    ours = set(DeviceTable.__struct_fields__)
    further = [key for key in device if key not in ours]
    name = device.get("driver")
    if not isinstance(name, str):
        return {}
    names = driver_names(wanted=name)
    if name not in names:
        raise SettingsError(f'{path}: {place}.driver "{name}" does not exist; {did_you_mean(name, names)}.')
    if not further:
        return {}
    theirs: frozenset[str] = getattr(load_driver(name), "OPTIONS", frozenset())
    for key in further:
        if key not in theirs:
            raise unknown_key(path, f"{place}.{key}", ours | theirs)
        if not _is_option(device[key]):
            raise SettingsError(
                f"{path}: {place}.{key} must be text, a whole number, true, false "
                f"or a list of at most {MOST_LISTED} texts; correct it."
            )
    return {key: device.pop(key) for key in further}


def _is_option(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) <= MOST_LISTED and all(isinstance(entry, str) for entry in value)
    return isinstance(value, str | int | bool)


def _with_secrets(device: DeviceTable, options: dict[str, Any], path: Path, server_host: str) -> Device:
    """Read the secrets of one device.

    As ``password_file`` becomes ``secret``, a driver's own ``privacy_password_file`` becomes the
    option ``privacy_secret``. Other files, such as ``ca_file``, are no secrets and stay paths.
    """
    place = f"{path}: devices.{device.name}"
    ready: dict[str, Option] = {}
    for key, value in options.items():
        if key.endswith("password_file"):
            ready[key.removesuffix("password_file") + "secret"] = read_secret(Path(str(value)), f"{place}.{key}")
        else:
            ready[key] = value
    return Device(
        name=device.name,
        driver=device.driver,
        address=device.address,
        username=device.username,
        secret=read_secret(Path(device.password_file), f"{place}.password_file") if device.password_file else "",
        wan_interface=device.wan_interface,
        ping_address=device.ping_address,
        interval_seconds=float(device.interval_seconds or _usual(device.driver, "INTERVAL_SECONDS", INTERVAL_SECONDS)),
        timeout_seconds=float(device.timeout_seconds or _usual(device.driver, "TIMEOUT_SECONDS", TIMEOUT_SECONDS)),
        options=ready,
        server_host=server_host,
    )


def _usual(driver: str, name: str, otherwise: int) -> int:
    """Return the seconds a driver asks for: a login in a small box each minute would be too much."""
    return int(getattr(load_driver(driver), name, otherwise))


def _refuse_twins(devices: list[DeviceTable], path: Path) -> None:
    names = [device.name for device in devices]
    twin = next((name for name in names if names.count(name) > 1), None)
    if twin:
        raise SettingsError(f'{path}: two devices are named "{twin}"; give each its own name.')


def _check_certificate(server: ServerTable, path: Path) -> None:
    """Refuse half of a pair and a key others may read; a file that is missing stops the sending, not the measuring."""
    if bool(server.client_certificate_file) != bool(server.client_key_file):
        raise SettingsError(
            f"{path}: server.client_certificate_file and server.client_key_file go together; set both or none."
        )
    if server.client_key_file:
        refuse_open_secret(Path(server.client_key_file), f"{path}: server.client_key_file")


def _check_metrics(metrics: MetricsTable, path: Path) -> None:
    try:
        host, _ = host_and_port(metrics.address)
    except ValueError as error:
        raise SettingsError(
            f'{path}: metrics.address is "{metrics.address}"; write it like "127.0.0.1:9464".'
        ) from error
    if not is_loopback(host) and not metrics.beyond_loopback:
        raise SettingsError(
            f'{path}: metrics.address "{metrics.address}" can be reached by others; '
            "write 127.0.0.1, or add beyond_loopback = true if that is wanted."
        )
