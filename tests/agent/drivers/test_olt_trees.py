"""The tables of OLTs: index codings and scales against the facts' own numbers, states, markers."""

import json
from pathlib import Path

import pytest

from kampungnet.shared.wire import DownCause, Grade, OnuState
from kampungnet_agent.drivers.light_sources import oid
from kampungnet_agent.drivers.olt_reading import history_of, level_cells, levels_of, state_of
from kampungnet_agent.drivers.olt_trees import TREES, OnuTree, trees_for
from kampungnet_agent.drivers.olt_values import (
    fiberhome_5116,
    fiberhome_5516,
    huawei_pon,
    normal_serial,
    serial_of,
    time_of,
    zte_if_index,
    zte_new,
    zte_pon,
)
from kampungnet_agent.drivers.snmp_ber import Value

TREE = {tree.name: tree for tree in TREES}
ROW = (5,)


def levels(tree: OnuTree, **raw: Value) -> object:
    cells = {column.cell(ROW): raw[name] for name, column in tree.light.items() if name in raw}
    found = levels_of(tree, ROW, (), cells)
    return found.rx, found.tx, found.olt_rx, found.no_light


def test_indexes_of_the_facts_are_taken_apart_and_put_together(shared: Path) -> None:
    for one in json.loads((shared / "recordings/ont/vectors.json").read_text())["index"]:
        value, coding = one["value"], one.get("coding", one["vendor"])[0]
        if coding == "A":
            assert zte_pon(value) == (one["shelf"], one["slot"], one["port"])
        elif coding == "B" and one["ifName"].startswith("g"):
            shelf, slot, port = map(int, one["ifName"].partition("_")[2].split("/"))
            assert zte_if_index(shelf, slot, port) == value
        elif coding == "C" and "slot" in one:
            assert zte_new(value) == (one["shelf"], one["slot"], one["port"])
        elif one["vendor"] == "huawei" and "slot" in one:
            assert huawei_pon(value) == (one["frame"], one["slot"], one["port"])
        elif one["vendor"] == "fiberhome-5516":
            assert fiberhome_5516(value) == (one["slot"], one["pon"], one["onu"])


def test_one_number_is_two_ports_in_two_codings_of_zte() -> None:
    assert zte_pon(268501248) == (1, 1, 1)
    assert zte_if_index(1, 2, 2) == 268501248


def test_signed_and_unsigned_forms_of_one_fiberhome_index_are_one_onu() -> None:
    assert fiberhome_5516((70 << 25) + (1 << 19) + (3 << 8) - 2**32) == (70, 1, 3)
    assert fiberhome_5116((11 << 27) + (2 << 22) + (7 << 13)) == (11, 2, 7)


def test_levels_of_the_facts_come_out_exactly() -> None:
    assert levels(TREE["ZTE, tree 1012"], rx=5635, olt_rx=-20530) == (-18.73, None, -20.53, False)
    assert levels(TREE["Huawei SmartAX"], rx=-2468, olt_rx=7732) == (-24.68, None, -22.68, False)
    assert levels(TREE["UFiber"], rx=-2481, tx=228) == (-24.81, 2.28, None, False)
    assert levels(TREE["UFiber"], rx=0, tx=0) == (None, None, None, False)
    assert levels(TREE["V-SOL EPON"], rx=b"0.03 mW (-14.61 dBm)", tx=b"1.54 mW (1.89 dBm)") == (
        -14.61,
        1.89,
        None,
        False,
    )
    assert levels(TREE["FiberHome AN5516-01"], rx=-1850, tx=221) == (-18.5, 2.21, None, False)
    assert levels(TREE["C-DATA GPON"], rx=-1883, tx=0) == (-18.83, None, None, False)
    assert levels(TREE["BDCOM GPON"], rx=-215, tx=23) == (-21.5, 2.3, None, False)


@pytest.mark.parametrize("tree", TREES, ids=lambda tree: tree.name)
@pytest.mark.parametrize(
    "marker", [2147483647, -2147483648, 65535, -65535, 65535000, -1, b"na", b"--", b"-/-", b"N/A", b""]
)
def test_every_marker_is_missing_in_every_tree(tree: OnuTree, marker: Value) -> None:
    cells = dict.fromkeys(level_cells(tree, ROW, ()), marker)
    found = levels_of(tree, ROW, (), cells)
    assert (found.rx, found.tx, found.olt_rx, found.no_light) == (None, None, None, False)
    assert (found.temperature, found.voltage, found.bias) == (None, None, None)


@pytest.mark.parametrize(
    ("name", "states"),
    [
        ("FiberHome AN5516-01", {0: OnuState.LOS, 1: OnuState.ONLINE, 2: OnuState.DYING_GASP, 3: OnuState.OFFLINE}),
        ("FiberHome AN5116", {0: OnuState.OFFLINE, 1: OnuState.ONLINE, 2: OnuState.DYING_GASP, 3: OnuState.UNKNOWN}),
        ("UFiber", {1: OnuState.ONLINE, 2: OnuState.OFFLINE, 0: OnuState.UNKNOWN}),
        ("V-SOL EPON", {0: OnuState.OFFLINE, 1: OnuState.ONLINE}),
        ("BDCOM GPON", {0: OnuState.OFFLINE, 2: OnuState.DISABLED, 3: OnuState.ONLINE}),
        ("Huawei SmartAX", {1: OnuState.ONLINE, 2: OnuState.OFFLINE, -1: OnuState.UNKNOWN}),
        ("C-DATA EPON", {1: OnuState.ONLINE, 2: OnuState.OFFLINE}),
    ],
)
def test_a_number_means_what_its_own_tree_says(name: str, states: dict[int, OnuState]) -> None:
    for number, state in states.items():
        assert state_of(TREE[name], ROW, {TREE[name].state.cell(ROW): number}).state is state


def test_a_state_of_the_wrong_type_is_unknown_and_no_outage() -> None:
    for tree in TREES:
        assert state_of(tree, ROW, {tree.state.cell(ROW): b"working"}).state is OnuState.UNKNOWN


@pytest.mark.parametrize(
    ("name", "number", "cause"),
    [
        ("ZTE, tree 1012", 9, DownCause.DYING_GASP),
        ("ZTE, tree 1012", 2, DownCause.LOS),
        ("ZTE, tree 1012", 3, DownCause.OTHER),
        ("ZTE, tree 1012", 0, None),
        ("Huawei SmartAX", 13, DownCause.DYING_GASP),
        ("Huawei SmartAX", 2, DownCause.LOS),
        ("Huawei SmartAX", -1, None),
        ("V-SOL EPON", 0, DownCause.LOS),
        ("V-SOL EPON", 1, DownCause.DYING_GASP),
        ("BDCOM GPON", 8, DownCause.LOS),
    ],
)
def test_causes_are_those_on_which_sources_agree(name: str, number: int, cause: DownCause | None) -> None:
    tree = TREE[name]
    assert tree.cause is not None
    assert history_of(tree, ROW, {tree.cause.cell(ROW): number}, OnuState.OFFLINE).cause is cause


def test_serial_numbers_of_every_form_become_one() -> None:
    for raw in (b"ZTEG\xc1\x23\x45\x67", b"1,ZTEGC1234567", b"ztegc1234567", b"5A544547C1234567"):
        assert serial_of(raw) == "ZTEGC1234567"
    for raw in (b"\x0c\x37\x47\x78\xe9\x27", b"0c:37:47:78:e9:27", b"0C37-4778-E927"):
        assert serial_of(raw) == "0C:37:47:78:E9:27"
    assert serial_of(None) == serial_of(17) == ""
    assert normal_serial("UBNTe4eb528a") == "UBNTE4EB528A"


def test_times_that_never_were_are_empty() -> None:
    assert time_of(bytes([0x07, 0xEA, 7, 22, 7, 34, 11, 0])) == "2026-07-22 07:34:11"
    assert time_of(b"2023-01-05 08:56:12+08:00") == "2023-01-05 08:56:12"
    for never in (bytes(8), b"0000-00-00 00:00:00", b"\xff" * 8, b"", None, 7, b"-"):
        assert time_of(never) == ""


def test_no_tree_names_a_column_that_holds_names_or_passwords() -> None:
    private = [oid("1.3.6.1.4.1.3902." + one) for one in ("1012.3.28.1.1.2", "1012.3.28.1.1.3", "1082.500.20.2.14")]
    private += [oid("1.3.6.1.4.1.2011.6.128.1.1.2.43.1.9"), oid("1.3.6.1.4.1.41112.1.5.6.2.1.2")]
    for tree in TREES:
        columns = [tree.serial, tree.state.oid, *(one.oid for one in tree.light.values())]
        columns += [one.oid for one in (tree.admin, tree.distance, tree.last_up, tree.last_down, tree.cause) if one]
        assert not [one for one in columns for start in private if one[: len(start)] == start]


def test_only_what_was_recorded_says_so() -> None:
    assert [tree.name for tree in TREES if tree.grade is Grade.RECORDED] == ["UFiber"]
    assert {one.name for one in trees_for(oid("1.3.6.1.4.1.3902.1082.1001.320.2.1"))} == {
        "ZTE, tree 1082",
        "ZTE, tree 1012",
    }
    assert trees_for(oid("1.3.6.1.4.1.5875.800.1001.11"))[0].name == "FiberHome AN5516-01"
    assert trees_for(oid("1.3.6.1.4.1.9")) == ()
