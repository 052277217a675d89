"""Every package we install may be combined with our licence, and says so."""

import pytest

from tests.ansible.machines import ansible
from tests.architecture.sources import ROOT, expect_none
from tests.packaged.closure import closure
from tests.packaged.licences import READ_BY_US, is_compatible, licence_of

EVERYTHING = ("agent", "agent-ssh", "server", "demo", "dev")


def test_every_package_has_a_licence_that_can_be_combined_with_ours() -> None:
    found = {name: licence_of(package) for name, package in closure(*EVERYTHING).items()}
    assert len(found) > 50
    expect_none(f"{name}: {licence or 'unknown'}" for name, licence in found.items() if not is_compatible(licence))


def test_the_tools_that_set_machines_up_may_be_had_and_are_pinned() -> None:
    """They are run, not linked to; that they could be combined is more than is needed."""
    ansible("ansible-playbook")
    tools = closure("ansible")
    expect_none(f"{n}: {licence_of(p) or 'unknown'}" for n, p in tools.items() if not is_compatible(licence_of(p)))
    expect_none(set(tools) - _pinned())


def test_what_we_read_ourselves_stands_in_the_text_that_comes_with_it() -> None:
    packages = closure(*EVERYTHING)
    for name, licence in READ_BY_US.items():
        texts = [one.read_text() for one in packages[name].files or () if "LICEN" in one.name.upper()]
        (text,) = [text for text in texts if "Redistribution and use in source and binary forms" in text]
        assert ("Neither the name" in text) is (licence == "BSD-3-Clause"), name


@pytest.mark.parametrize(
    ("expression", "compatible"),
    [
        ("MIT", True),
        ("GPL-2.0-only", False),
        ("GPL-2.0-only OR MIT", True),
        ("GPL-2.0-only AND MIT", False),
        ("Apache-2.0 AND (BSD-2-Clause OR SSPL-1.0)", True),
        ("(Apache-2.0 OR MIT) AND SSPL-1.0", False),
        ("MIT AND", False),
        ("(MIT", False),
        ("Proprietary", False),
        ("", False),
    ],
)
def test_an_expression_is_read_as_spdx_means_it(expression: str, compatible: bool) -> None:
    assert is_compatible(expression) is compatible


def test_the_box_gets_nothing_of_the_server() -> None:
    box = set(closure("agent", "agent-ssh"))
    assert {"msgspec", "librouteros", "pysnmp", "cryptography", "paramiko"} <= box
    assert {"fastapi", "sqlalchemy", "starlette", "uvicorn"} <= set(closure("server"))
    expect_none(box & (set(closure("server")) - {"msgspec", "prometheus-client", "pynacl", "cffi", "pycparser"}))


def test_every_package_of_every_extra_is_pinned() -> None:
    expect_none(set(closure(*EVERYTHING)) - _pinned())


def _pinned() -> set[str]:
    return {line.partition("==")[0].lower().replace("_", "-").replace(".", "-") for line in _pins()}


def _pins() -> list[str]:
    return [line for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line]


def test_the_demo_has_what_its_boxes_and_simulator_load() -> None:
    """Two of its boxes read their routers' settings by SSH."""
    expect_none(set(closure("agent", "agent-ssh", "server")) - set(closure("demo")))
