from pathlib import Path

import pytest

from kampungnet_sim.replay import RecordingError, read_folder, read_screen
from kampungnet_sim.replay_terminal import api_command, read_terminal

DETAIL = """Flags: D - dynamic, X - disabled,
R - running
 0  R  name="ether1" default-name="ether1" mtu=1500
       gateway-status=10.0.0.1 reachable via  Telkom WAN distance=1

 1 DX  ;;; warung "kopi"
       name="say \\"hi\\"" disabled-since=""
"""


def test_entries_with_flags_comments_and_values_of_several_words_become_rows() -> None:
    found = read_terminal(DETAIL, "/interface/print")
    assert found == {
        "/interface/print": [
            {
                "dynamic": "false",
                "disabled": "false",
                "running": "true",
                "name": "ether1",
                "default-name": "ether1",
                "mtu": "1500",
                "gateway-status": "10.0.0.1 reachable via  Telkom WAN",
                "distance": "1",
            },
            {
                "comment": 'warung "kopi"',
                "dynamic": "true",
                "disabled": "true",
                "running": "false",
                "name": 'say "hi"',
                "disabled-since": "",
            },
        ]
    }


def test_numbers_lose_the_units_that_only_a_terminal_shows() -> None:
    text = "  total-memory: 1.5MiB\n  cpu-load: 7%\n  cpu-frequency: 650MHz\n  routerboard: yes\n  uptime: 1d2h"
    [row] = read_terminal(text, "/system/resource/print")["/system/resource/print"] or []
    assert row == {
        "total-memory": "1572864",
        "cpu-load": "7",
        "cpu-frequency": "650",
        "routerboard": "true",
        "uptime": "1d2h",
    }


def test_a_session_with_colours_and_prompts_is_cut_into_its_commands() -> None:
    text = (
        "[admin@R] > /system identity print\r\n[admin@R] > /system identity print\r\n\r\n  name: Balai\r\n"
        "[admin@R] /system package> print\r\nFlags: \x1b[mX - disabled \r\n"
        " #   NAME       VERSION\r\n\x1b[m 0   hotspot    6.42.5\r\n 1 X ipv6       6.42.5\r\n[admin@R] > \r\n"
    )
    assert read_terminal(text, "") == {
        "/system/identity/print": [{"name": "Balai"}],
        "/system/package/print": [
            {"disabled": "false", "name": "hotspot", "version": "6.42.5"},
            {"disabled": "true", "name": "ipv6", "version": "6.42.5"},
        ],
    }


def test_a_menu_that_the_router_did_not_have_stays_one(tmp_path: Path) -> None:
    assert read_terminal("bad command name address (line 1 column 7)\n", "/ipv6/address/print") == {
        "/ipv6/address/print": None
    }
    (tmp_path / "system_identity_print").write_text("  name: Balai\n")
    (tmp_path / "ipv6_address_print").write_text("bad command name address (line 1 column 7)\n")
    assert read_folder(tmp_path) == {"/system/identity/print": [{"name": "Balai"}]}


def test_a_text_that_is_no_answer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "interface_print").write_text("hello\nworld\n")
    with pytest.raises(RecordingError, match="interface_print"):
        read_screen(tmp_path / "interface_print")


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("/system resource print without-paging", "/system/resource/print"),
        ("interface ethernet monitor sfp1 once", "/interface/ethernet/monitor"),
        ("ping count=3", "/ping"),
    ],
)
def test_what_was_typed_becomes_the_command_of_the_api(typed: str, command: str) -> None:
    assert api_command(typed) == command
