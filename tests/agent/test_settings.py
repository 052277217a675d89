"""agent.toml: what is accepted, and the sentence for what is not."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from kampungnet.shared.settings_file import SettingsError
from kampungnet_agent import settings as agent_settings
from kampungnet_agent.driver_loading import load_driver
from kampungnet_agent.settings import read_agent_settings

Write = Callable[..., Path]
EXAMPLE = Path(__file__).parents[2] / "agents" / "agent.example.toml"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    good = EXAMPLE.read_text()
    for file in re.findall(r'password_file = "(.+)"', good):
        secret = tmp_path / Path(file).name
        secret.write_text("rahasia-desa\n")
        secret.chmod(0o640)
        good = good.replace(file, str(secret))

    def write_it(old: str = "", new: str = "") -> Path:
        assert old in good
        path = tmp_path / "agent.toml"
        path.write_text(good.replace(old, new) if old else good + new)
        return path

    return write_it


def test_the_example_is_accepted_as_it_stands(write: Write) -> None:
    settings = read_agent_settings(write())
    (device,) = settings.devices
    assert (device.name, device.driver, device.secret, device.wan_interface) == (
        "router",
        "mikrotik",
        "rahasia-desa",
        "ether1",
    )
    assert (device.timeout_seconds, device.ping_address, device.options) == (20.0, "1.1.1.1", {})
    assert settings.spool.max_megabytes == 256
    assert settings.metrics is None
    assert "rahasia-desa" not in repr(settings)


def test_every_optional_line_of_the_example_is_accepted_too(write: Write) -> None:
    path = write()
    lines = path.read_text().splitlines()
    path.write_text("\n".join(line[2:] if line.startswith("# ") and _is_toml(line[2:]) else line for line in lines))
    settings = read_agent_settings(path)
    assert settings.metrics is not None
    assert settings.server.ca_file
    project = tomllib.loads((EXAMPLE.parents[1] / "pyproject.toml").read_text())["project"]
    assert [one.driver for one in settings.devices] == list(project["entry-points"]["kampungnet.drivers"])
    for device in settings.devices:
        # A driver refuses what it cannot use, such as an ONU that is none.
        load_driver(device.driver)(device)


def _is_toml(line: str) -> bool:
    try:
        return bool(tomllib.loads(line)) or line.startswith("[")
    except tomllib.TOMLDecodeError:
        return False


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('driver = "mikrotik"', 'driver = "microtik"', 'did you mean "mikrotik"?'),
        ("wan_interface", "wan_interfase", 'devices[1].wan_interfase is unknown; did you mean "wan_interface"?'),
        ('name = "router"', 'name = "router kantor"', "devices[1].name is wrong"),
        ("interval_seconds = 60\n#", "interval_seconds = 0\n#", "devices[1].interval_seconds is wrong"),
        ("[server]", "[servers]", 'the key servers is unknown; did you mean "server"?'),
        ("https://kampungnet", "http://kampungnet", "is not encrypted; write https://"),
        ("https://kampungnet.example.go.id", "kampungnet.example.go.id", "write only scheme, host and port"),
        ("go.id", "go.id/api", "write only scheme, host and port"),
        ("go.id", "go.id:99999", "is not an address"),
        ("# [metrics]\n# address =", "[metrics]\naddress =", None),
        ('# [metrics]\n# address = "127.0.0.1', '[metrics]\naddress = "0.0.0.0', "can be reached by others"),
        ('# [metrics]\n# address = "127.0.0.1:9464"', '[metrics]\naddress = "x"', "write it like"),
        ("router.password", "nowhere.password", "devices.router.password_file) does not exist"),
        ("max_megabytes = 256", "max_megabytes = 0", "spool.max_megabytes is wrong"),
        ("[[devices]]", "[devices]", "devices is wrong: expected a list"),
    ],
)
def test_a_mistake_is_one_sentence(write: Write, old: str, new: str, sentence: str | None) -> None:
    path = write(old, new)
    if sentence is None:
        read_agent_settings(path)
        return
    with pytest.raises(SettingsError) as caught:
        read_agent_settings(path)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_http_is_accepted_for_this_machine_only(write: Write) -> None:
    assert read_agent_settings(write("https://kampungnet.example.go.id", "http://127.0.0.1:8080"))
    assert read_agent_settings(write("https://kampungnet.example.go.id", "http://[::1]:8080"))


def test_two_devices_cannot_share_a_name(write: Write) -> None:
    path = write(new='\n[[devices]]\nname = "router"\ndriver = "ont-snmp"\naddress = "127.0.0.1:161"\n')
    with pytest.raises(SettingsError, match='two devices are named "router"'):
        read_agent_settings(path)


def test_a_world_readable_password_file_is_refused_with_the_command_to_run(write: Write, tmp_path: Path) -> None:
    path = write()
    (tmp_path / "router.password").chmod(0o644)
    with pytest.raises(SettingsError, match="run: chmod 640"):
        read_agent_settings(path)


class DriverWithOptions:
    OPTIONS = frozenset({"tls", "ca_file", "privacy_password_file", "onus"})
    INTERVAL_SECONDS = 600


def test_further_keys_belong_to_the_driver_that_lists_them_and_its_secrets_are_read(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_settings, "load_driver", lambda _name: DriverWithOptions)
    secret = tmp_path / "privacy"
    secret.write_text("kunci\n")
    secret.chmod(0o600)
    path = write(new=f'\ntls = true\nca_file = "/etc/ca.pem"\nprivacy_password_file = "{secret}"\n')
    assert read_agent_settings(path).devices[0].options == {
        "tls": True,
        "ca_file": "/etc/ca.pem",
        "privacy_secret": "kunci",
    }
    with pytest.raises(SettingsError, match='did you mean "tls"'):
        read_agent_settings(write(new="\ntlss = true\n"))
    with pytest.raises(SettingsError, match="must be text"):
        read_agent_settings(write(new="\ntls = [1]\n"))


def test_an_option_may_be_a_list_of_texts_and_nothing_stranger(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_settings, "load_driver", lambda _name: DriverWithOptions)
    path = write(new='\nonus = ["ZTEGC1234567", "HWTC190A7EB8"]\n')
    assert read_agent_settings(path).devices[0].options == {"onus": ["ZTEGC1234567", "HWTC190A7EB8"]}
    for wrong in ("[1]", '["a", 2]', "[[]]", "1.5", str(["x"] * 257)):
        with pytest.raises(SettingsError, match="or a list of at most 256 texts"):
            read_agent_settings(write(new=f"\nonus = {wrong}\n"))


def test_a_driver_may_ask_to_be_polled_more_rarely_and_the_settings_decide(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_agent_settings(write()).devices[0].interval_seconds == 60
    assert read_agent_settings(write("interval_seconds = 60\n#", "#")).devices[0].interval_seconds == 60
    monkeypatch.setattr(agent_settings, "load_driver", lambda _name: DriverWithOptions)
    assert read_agent_settings(write("interval_seconds = 60\n#", "#")).devices[0].interval_seconds == 600


def test_a_driver_is_told_where_it_may_keep_what_must_last(write: Write) -> None:
    assert read_agent_settings(write()).devices[0].state_folder == "/var/lib/kampungnet"
