"""What an export says, from the manufacturer's own layouts and from the simulator's."""

from pathlib import Path

import pytest

from kampungnet_agent.drivers.config_text import export_command, export_of

HEAD = (
    "# 2026-11-28 01:02:03 by RouterOS 7.16.1\r\n# software id = 9EER-511K\r\n#\r\n"
    "# model = RB750Gr3\r\n# serial number = HC1\r\n"
)
RECORDINGS = Path(__file__).parents[4] / "shared/recordings/routeros"


def test_version_model_and_serial_number_stand_above_the_settings() -> None:
    found = export_of(HEAD + "/ip address add address=192.168.88.1/24 interface=bridge\r\n")
    assert found == ("7.16.1", "RB750Gr3", "HC1", "/ip address add address=192.168.88.1/24 interface=bridge\n", [])


def test_the_hour_and_remarks_of_the_router_change_nothing() -> None:
    rule = "/ip firewall filter add action=drop chain=input\r\n"
    later = HEAD.replace("01:02:03", "23:59:59")
    assert export_of(HEAD + rule).text == export_of(later + "# in/out-interface not ready\r\n" + rule + "\r\n").text


def test_a_wrapped_command_is_one_line() -> None:
    wrapped = "/ip dhcp-server network add address=192.168.88.0/24 \\\r\n    gateway=192.168.88.1\r\n"
    assert (
        export_of(HEAD + wrapped).text == "/ip dhcp-server network add address=192.168.88.0/24 gateway=192.168.88.1\n"
    )


def test_vouchers_and_phones_are_counted_and_stay_where_they_are() -> None:
    people = (
        "/ip hotspot user profile add name=tamu\r\n"
        "/ip hotspot user add name=ABCD1234\r\n/ip hotspot user add name=EFGH\r\n"
        '/ip hotspot ip-binding add mac-address=AA:BB:CC:DD:EE:FF comment="HP Pak Lurah"\r\n'
    )
    found = export_of(HEAD + people)
    assert found.text == "/ip hotspot user profile add name=tamu\n"
    assert found.left_out == ["/ip hotspot user: 2", "/ip hotspot ip-binding: 1"]


def test_who_dials_in_and_who_may_read_by_snmp_are_not_named() -> None:
    rows = (
        '/ppp secret add comment="Pak Budi, HP 0812" name=budi profile=10M remote-address=10.9.0.2 service=pppoe\r\n'
        '/ppp secret add caller-id=AA:BB:CC:DD:EE:FF name="bu citra" \\\r\n    profile=10M\r\n'
        "/interface pppoe-server add name=pppoe-budi service=isp user=budi\r\n"
        "/snmp community set [ find default=yes ] name=rahasiadesa\r\n"
        "/ppp profile add name=10M rate-limit=10M/10M\r\n"
        "/interface pppoe-client add interface=ether1 name=pppoe-out1 user=desa@isp\r\n"
    )
    assert export_of(HEAD + rows).text.splitlines() == [
        "/ppp secret add comment=*** name=*** profile=10M remote-address=10.9.0.2 service=pppoe",
        "/ppp secret add caller-id=*** name=*** profile=10M",
        "/interface pppoe-server add name=*** service=isp user=***",
        "/snmp community set [ find default=yes ] name=***",
        "/ppp profile add name=10M rate-limit=10M/10M",
        "/interface pppoe-client add interface=ether1 name=pppoe-out1 user=desa@isp",
    ]


@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        (HEAD + '#error exporting "/ip/hotspot" (timeout)\r\n/ip address\r\n', "not whole: /ip/hotspot"),
        ("not enough permissions (9)\r\n", "no export: not enough permissions"),
        ("expected end of command (line 1 column 15)", "no export: expected end"),
        ("", "nothing was printed"),
    ],
)
def test_what_is_not_whole_is_refused_with_the_reason(printed: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason.replace("(", r"\(")):
        export_of(printed)


def test_secrets_are_hidden_in_both_versions() -> None:
    assert export_command("6.49.10 (long-term)\r\n") == "/export terse hide-sensitive"
    assert export_command("7.16.1 (stable)\r\n") == "/export terse"
    with pytest.raises(ValueError, match="no version: bad command"):
        export_command("bad command name")


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="skipped, no shared data")
@pytest.mark.parametrize(
    "path", ["napalm-ros/test_get_config/v6/ssh_exec_export_terse_stdout", "community.routeros/facts/export"]
)
def test_recorded_exports_are_read(path: str) -> None:
    found = export_of((RECORDINGS / path).read_text())
    assert found.version in {"7.4", "6.42.5"}
    assert "/ip address" in found.text
    assert not [line for line in found.text.splitlines() if line.startswith("#") or line.endswith("\\")]
