"""The page on devices says what the drivers' tables and the conformance tests say."""

from kampungnet.shared.wire import Grade
from kampungnet_agent.drivers.olt_trees import TREES
from kampungnet_agent.drivers.ssh_commands import SETS
from tests.architecture.sources import expect_none
from tests.conformance.devices_page import PAGE, page
from tests.conformance.proofs import read_proofs


def test_the_page_on_devices_is_up_to_date() -> None:
    current = PAGE.read_text()
    assert current == page(current), "run `make devices` and commit docs/devices.md"


def test_only_what_was_recorded_is_called_recorded() -> None:
    proofs = read_proofs()
    trees = {column for one in proofs for column in one.get("onus", "").split(",")}
    lines = {one.get("cli") for one in proofs}
    boasts = [one.name for one in TREES if one.grade is Grade.RECORDED and ".".join(map(str, one.serial)) not in trees]
    boasts += [one.name for one in SETS if one.grade is Grade.RECORDED and one.name not in lines]
    expect_none(boasts)
