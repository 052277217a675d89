"""Settings are looked at when the server starts, and each stands in the documentation with what it usually is."""

import re

import pytest

from kampungnet import settings
from kampungnet.core.errors import BadInput
from kampungnet.hotspot.sessions import KEEP_DAYS
from kampungnet.measurement import installation
from kampungnet.measurement.retention import Retention
from tests.architecture.sources import ROOT

WRONG = {
    "KAMPUNGNET_ADDRESS": "kantor",
    "KAMPUNGNET_REACHABLE_NETWORKS": "kantor",
    "KAMPUNGNET_SECOND_FACTOR": "bupati",
    "KAMPUNGNET_OFFICE_OPENS": "23",
    "KAMPUNGNET_OFFICE_CLOSES": "25",
    "KAMPUNGNET_KEEP_READING_DAYS": "1",
    "KAMPUNGNET_REMOTE_WRITE_URL": "prometheus",
    "KAMPUNGNET_AGENT_TARGETS": "kotak",
}
"""What is wrong where a text that is no number is not it."""


@pytest.mark.parametrize("name", sorted(settings.KNOWN - settings.FILES))
def test_a_wrong_setting_is_named_when_the_server_starts(name: str) -> None:
    with pytest.raises(BadInput, match=name):
        settings.check({name: WRONG.get(name, "banyak")})


def test_a_name_nobody_knows_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(BadInput, match='KAMPUNGNET_SECOND_FACTORS is unknown; did you mean "KAMPUNGNET_SECOND_FACTOR"'):
        settings.check({"KAMPUNGNET_SECOND_FACTORS": "all", "PATH": "/bin"})


def test_a_line_without_a_value_is_as_if_it_were_not_there() -> None:
    settings.check(dict.fromkeys(settings.KNOWN, ""))


def test_nothing_set_and_settings_of_grafana_and_ansible_are_no_mistake() -> None:
    settings.check({})
    settings.check(dict.fromkeys(settings.OF_OTHERS, "x"))


def test_the_page_names_every_setting_with_what_it_usually_is_and_no_other() -> None:
    page = (ROOT / "docs/settings.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(KAMPUNGNET_\w+)` \| ([^|]+) \|", page, re.MULTILINE))
    assert set(rows) == settings.KNOWN
    usual = Retention()
    numbers = {name: getattr(usual, one) for name, one in Retention.settings().items()}
    policy, office, groups = installation.policy({}), installation.office({}), installation.grouping({})
    outages = installation.thresholds("Asia/Jakarta", {})
    numbers |= {
        "KAMPUNGNET_KEEP_SESSION_DAYS": KEEP_DAYS, "KAMPUNGNET_LINE_MBPS": policy.line_bps // 1_000_000,
        "KAMPUNGNET_LONGEST_STEP_SECONDS": policy.longest_step_ms // 1000,
        "KAMPUNGNET_OFFICE_OPENS": office.opens, "KAMPUNGNET_OFFICE_CLOSES": office.closes,
        "KAMPUNGNET_OUTAGE_MINUTES": outages.shortest_ms // 60_000,
        "KAMPUNGNET_CALM_MINUTES": outages.calm_ms // 60_000,
        "KAMPUNGNET_TOGETHER_SECONDS": groups.together_ms // 1000, "KAMPUNGNET_INCIDENT_PERCENT": groups.most_percent,
    }  # fmt: skip
    assert {name: rows[name] for name in numbers} == {name: str(number) for name, number in numbers.items()}


def test_no_setting_is_read_that_is_not_looked_at() -> None:
    named = {
        name
        for path in (ROOT / "kampungnet").rglob("*.py")
        for name in re.findall(r'"(KAMPUNGNET_[A-Z_]*[A-Z])"', path.read_text("utf-8"))
    }
    assert named <= settings.KNOWN | settings.OF_OTHERS
