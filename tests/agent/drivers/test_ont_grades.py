"""Every family the drivers know stands in the table that the page of devices is made from."""

from kampungnet.shared.wire import Grade
from kampungnet_agent.drivers.light_sources import SOURCES
from kampungnet_agent.drivers.olt_trees import TREES
from kampungnet_agent.drivers.ont_grades import graded
from kampungnet_agent.drivers.ssh_commands import SETS


def test_every_family_is_graded_and_named_once() -> None:
    rows = list(graded())
    names = [(row.driver, row.name, row.models) for row in rows]
    assert len(names) == len(set(names))
    assert {tree.name for tree in TREES} <= {row.name for row in rows if row.driver == "olt-snmp"}
    assert {one.name for one in SETS} == {row.name for row in rows if row.driver == "ont-ssh"}
    assert {one.family for one in SOURCES} <= {row.name for row in rows if row.driver == "ont-snmp"}
    assert all(row.quantities for row in rows)


def test_what_is_doubtful_is_something_that_is_read() -> None:
    for row in graded():
        assert set(row.doubtful) <= set(row.quantities)


def test_zte_and_huawei_onus_over_snmp_do_not_claim_to_be_recorded() -> None:
    for row in graded():
        if row.driver == "olt-snmp" and row.name != "UFiber":
            assert row.grade is not Grade.RECORDED
