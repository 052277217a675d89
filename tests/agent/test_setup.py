"""What a box makes of a kit before it asks anybody: where it leads, and which files it refuses."""

import errno
import os
from pathlib import Path

import msgspec
import pytest

from kampungnet.shared.kit import BoxKit
from kampungnet.shared.settings_file import SettingsError
from kampungnet_agent import enrolment, setup
from kampungnet_agent.box import Box
from kampungnet_agent.check import Voice
from kampungnet_agent.credential import Credential, write_credential
from kampungnet_agent.main import main
from kampungnet_agent.setup import Places, gateway, read_kit, set_up

KIT = BoxKit("35.10.15.2012", "Kampunganyar", "https://kampungnet.example.go.id", "A", 0, "b", "c", "192.168.88.5")
_HEAD = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
_WIFI = "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
_CABLE = "eth0\t00000000\t0158A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
_OWN_NET = "eth0\t0058A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n"


@pytest.mark.parametrize(
    ("routes", "router"),
    [
        (_HEAD + _WIFI + _CABLE + _OWN_NET, "192.168.88.1:8728"),
        (_HEAD + _WIFI, "192.168.1.1:8728"),
        (_HEAD + _OWN_NET, ""),
        ("", ""),
    ],
)
def test_the_router_is_where_the_nearest_way_out_leads(tmp_path: Path, routes: str, router: str) -> None:
    (tmp_path / "route").write_text(routes)
    assert gateway(tmp_path / "route") == router
    assert gateway(tmp_path / "nowhere") == ""


def test_a_kit_that_others_can_read_or_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    file, content = tmp_path / "kotak.kit", msgspec.json.encode(KIT)
    file.touch(mode=0o600)
    file.write_bytes(content)
    assert read_kit(file) == KIT
    assert "sandi" not in repr(msgspec.structs.replace(KIT, keeper_password="sandi"))
    file.write_bytes(content[:-20])
    with pytest.raises(SettingsError, match="only half of it"):
        read_kit(file)
    file.write_bytes(msgspec.json.encode(msgspec.structs.replace(KIT, server="http://kampungnet.example.go.id")))
    with pytest.raises(SettingsError, match="not encrypted"):
        read_kit(file)
    file.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        read_kit(file)


async def test_a_box_of_another_village_stays_what_it_is(tmp_path: Path) -> None:
    places = Places(tmp_path / "etc", tmp_path / "lib")
    places.state.mkdir()
    write_credential(places.credential, Credential("A", "35.10.01.2001", KIT.server, "A" * 43 + "=", "Sarongan"))
    kit = msgspec.structs.replace(KIT, router="127.0.0.1:1")
    with pytest.raises(SettingsError, match="belongs to Sarongan"):
        _ = [one async for one in set_up(kit, places, Box(), Voice())]
    assert not places.config.exists()


@pytest.mark.parametrize(
    ("number", "status", "advice"),
    [
        (errno.EACCES, 2, "agent's user"),
        (errno.EPERM, 2, "agent's user"),
        (errno.ENOSPC, 1, "room"),
        (errno.EIO, 1, ""),
    ],
)
def test_only_the_wrong_user_gives_up_and_a_disk_that_takes_nothing_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    number: int, status: int, advice: str,
) -> None:  # fmt: skip
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    file = tmp_path / "kotak.kit"
    file.touch(mode=0o600)
    file.write_bytes(msgspec.json.encode(msgspec.structs.replace(KIT, router="127.0.0.1:1")))
    words = ["setup", "--kit", str(file), "--settings", str(tmp_path / "etc"), "--state", str(tmp_path)]
    monkeypatch.setattr(enrolment, "replace_file", fail)
    assert main(words) == status
    write_credential(tmp_path / "credential", Credential("A", KIT.village, KIT.server, "A" * 43 + "=", "Kampunganyar"))
    monkeypatch.setattr(setup, "replace_file", fail)
    assert main(words) == status
    said = capsys.readouterr().err.splitlines()
    assert [("cannot be written" in line, advice in line) for line in said] == [(True, True)] * 2


def test_what_a_power_cut_left_of_being_enrolled_is_taken_away(tmp_path: Path) -> None:
    key, place = "A" * 43 + "=", tmp_path / "credential"
    write_credential(place, Credential("A", KIT.village, KIT.server, key, "Kampunganyar"))
    beside = tmp_path / "credential.begun"
    beside.write_bytes(msgspec.json.encode(enrolment.Begun("", key)))
    about, refused = setup._enrolled(KIT, Places(tmp_path, tmp_path), Box(), Voice())
    assert (about.good, refused, beside.exists()) == (True, None, False)
