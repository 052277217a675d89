"""Recorded command lines, read by the pure functions; the recordings stay where they are."""

from pathlib import Path

import pytest

from kampungnet.shared.wire import DownCause, OnuState
from kampungnet_agent.drivers import ssh_parse as parse
from kampungnet_agent.drivers.ssh_text import answer_to, clean, prompt_at_end, prompt_pattern

NTC = "recordings/ont/ntc-templates"
KUSUMA = "recordings/ont/cli-kusumavision"


def raw(shared: Path, folder: str, name: str) -> str:
    return clean((shared / NTC / folder / name / f"{folder}_{name}.raw").read_text())


def test_a_cut_fibre_as_a_huawei_ont_saw_it_from_inside(shared: Path) -> None:
    assert parse.huawei_optic(raw(shared, "huawei_ont", "display_optic")) == {
        "link_up": False,
        "no_light": True,
        "voltage_volts": 3.216,
        "bias_milliamperes": 0.0,
        "temperature_celsius": 31.0,
    }


def test_identity_and_uptime_of_a_recorded_huawei_ont(shared: Path) -> None:
    device = parse.huawei_device(raw(shared, "huawei_ont", "display_deviceInfo"))
    assert device == {"model": "HG8310M", "uptime_seconds": 6265}
    assert parse.huawei_serial(raw(shared, "huawei_ont", "display_sn")) == {"serial": "HWTCCA49257B"}
    assert parse.huawei_version(raw(shared, "huawei_ont", "display_version")) == {"version": "V3R017C00S100"}


def test_light_of_each_ont_of_a_recorded_smartax_port(shared: Path) -> None:
    text = raw(shared, "huawei_smartax", "display_ont_optical-info_0_all")
    assert parse.light_table(text, 0) == {
        "rx_power_dbm": -24.68,
        "tx_power_dbm": 3.68,
        "olt_rx_power_dbm": -22.68,
        "temperature_celsius": 38.0,
        "voltage_volts": 3.2,
        "bias_milliamperes": 6.0,
        "distance_metres": 171,
    }
    levels = [parse.light_table(text, onu).get("rx_power_dbm") for onu in range(11)]
    assert levels == [-24.68, -24.68, -25.68, -25.37, -25.37, -26.57, -24.68, -25.37, -25.37, -24.43, None]


def test_one_ont_of_a_recorded_smartax_is_up_whatever_its_last_cause_was(shared: Path) -> None:
    folder = shared / NTC / "huawei_smartax/display_ont_info_0_1_2_3"
    text = clean((folder / "huawei_smartax_display_ont_info_1.raw").read_text())
    assert parse.smartax_info(text) == {
        "state": OnuState.ONLINE,
        "serial": "8XN7J0FFL8NL6I3W",
        "admin_enabled": True,
        "distance_metres": 47,
        "temperature_celsius": 57.0,
        "last_up": "2023-01-05 08:56:12",
        "last_down": "2023-01-05 08:55:28",
        "last_down_cause": DownCause.DYING_GASP,
    }


def test_the_two_tables_of_a_recorded_smartax_summary_are_joined(shared: Path) -> None:
    folder = shared / NTC / "huawei_smartax/display_ont_info_summary_ont"
    found = parse.smartax_summary(clean((folder / "huawei_smartax_display_ont_info_summary_ont.raw").read_text()))
    assert sorted(found) == list(range(23))
    assert {ont["last_down_cause"] for number, ont in found.items() if number != 18} == {DownCause.LOS}
    assert found[18]["last_down_cause"] is DownCause.RESET  # its text is cut at the column's edge
    assert (found[3]["rx_power_dbm"], found[3]["tx_power_dbm"], found[3]["distance_metres"]) == (-10.12, 2.03, 100)
    second = parse.smartax_summary(clean((folder / "huawei_smartax_display_ont_info_summary_ont_2.raw").read_text()))
    assert (second[0]["state"], second[0]["last_down_cause"], second[0]["last_down"]) == (OnuState.ONLINE, None, "")
    assert second[0]["rx_power_dbm"] == -7.92


def test_a_recorded_c600_tells_the_cause_of_the_last_outage_from_its_history(shared: Path) -> None:
    text = (shared / KUSUMA / "zte-c600-show-gpon-onu-detail-info-dying-gasp.txt").read_text()
    assert parse.zte_detail(clean(text)) == {
        "state": OnuState.DYING_GASP,
        "serial": "HWTC190A7EB8",
        "admin_enabled": True,
        "distance_metres": 2809,
        "last_up": "2026-07-22 07:38:06",
        "last_down": "2026-07-22 08:28:43",
        "last_down_cause": DownCause.DYING_GASP,
    }


def test_a_c300_gives_light_in_both_directions(shared: Path) -> None:
    text = clean((shared / KUSUMA / "zte-c300-show-gpon-onu-detail-info-with-attenuation.txt").read_text())
    detail = parse.zte_detail(text)
    assert (detail["state"], detail["serial"], detail["rx_power_dbm"]) == (OnuState.ONLINE, "ZTEGC1234567", -18.21)
    assert (detail["distance_metres"], detail["last_down_cause"]) == (1234, DownCause.LOS)
    assert parse.zte_attenuation(text) == {
        "olt_rx_power_dbm": -20.85,
        "tx_power_dbm": 2.868,
        "rx_power_dbm": -18.21,
    }


def test_a_recorded_c_data_row_of_dashes_is_no_reading(shared: Path) -> None:
    text = clean((shared / KUSUMA / "cdata-fd1608s-show-ont-optical-info.txt").read_text())
    assert parse.light_table(text, 1)["rx_power_dbm"] == -18.83
    assert parse.light_table(text, 2)["olt_rx_power_dbm"] == -25.09
    assert parse.light_table(text, 8) == {}


def test_a_recorded_hsgq_tells_state_by_mac_address(shared: Path) -> None:
    text = clean((shared / KUSUMA / "hsgq-epon-show-epon-onu-all-info.txt").read_text())
    off = parse.hsgq_all(text, "EC:23:7B:AF:B6:38")
    assert (off["state"], off["port"]) == (OnuState.OFFLINE, "1:27")
    assert parse.hsgq_all(text, "0C:37:47:78:E9:27")["state"] is OnuState.ONLINE
    assert parse.hsgq_all(text, "00:00:00:00:00:00") == {}


@pytest.mark.parametrize("nothing", ["", "--", "-", "-/-", "N/A", "na", "no signal", "%Error 20200", None])
def test_what_is_no_value_is_left_out(nothing: str | None) -> None:
    assert parse.level(nothing) == {}
    assert parse.decimal(nothing) is None


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("[O5]", {"registration": "O5", "link_up": True}),
        ("ONU state: Initial State(O1)", {"registration": "O1", "link_up": False}),
        ("O9", {}),
        ("-sh: gpontest: not found", {}),
    ],
)
def test_activation_states_are_o1_to_o7(text: str, fields: dict[str, object]) -> None:
    assert parse.activation(text) == fields


def test_darkness_is_told_apart_from_a_level() -> None:
    assert parse.stick_rx("Rx Power: -40.000000  dBm") == {"no_light": True}
    assert parse.stick_rx("Rx Power: -18.239000  dBm") == {"rx_power_dbm": -18.239}
    assert parse.level("101.07") == {}


def test_escape_codes_backspaces_and_pagers_are_gone() -> None:
    shown = "a\x1b[1D\x1b[7mb\x1b[0m\r\n--More--\b\b\b\b\b\b\b\b        \b\b\b\b\b\b\b\bc\x00d\r\n"
    assert clean(shown) == "ab\ncd\n"
    assert clean("---- More ( Press 'Q' to break ) ----\x1b[37D" + " " * 37 + "\x1b[37Dnext") == " " * 37 + "next"


@pytest.mark.parametrize("prompt", ["WAP>", "ZXAN#", "# ", "MA5608T(config-if-gpon-0/1)#", "root@OpenWrt:~# "])
def test_prompts_of_the_facts_are_seen_and_nothing_else(prompt: str) -> None:
    assert prompt_at_end(f"Welcome\n{prompt}") == prompt.rstrip()
    assert prompt_pattern(prompt).fullmatch(prompt)
    assert prompt_at_end(f"{prompt}\n") == ""
    assert prompt_at_end("########") == ""


def test_prompts_of_all_views_are_one_devices() -> None:
    pattern = prompt_pattern("MA5608T>")
    assert all(pattern.fullmatch(one) for one in ("MA5608T#", "MA5608T(config)#", "MA5608T(config-if-gpon-0/1)#"))
    assert not pattern.fullmatch("OTHER#")
    assert answer_to("display sn", "MA5608T#display sn\nsn = 1\n\nMA5608T#", pattern) == "sn = 1"
