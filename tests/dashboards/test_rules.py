"""The rules as `promtool` and a real Prometheus understand them: each alert is tried, placed, explained."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from kampungnet.measurement import light
from tests.conftest import ROOT
from tests.support.monitoring import ALERTMANAGER, RULES, get, prometheus, tool

TESTS: Final = sorted((RULES / "tests").glob("*.yml"))
PLACED: Final = {"regency", "district", "village"}
WITHOUT_VILLAGE: Final = {"incident", "platform", "watchdog"}
"""Classes that no inhibition rule touches, see the Alertmanager's test."""
TEMPLATED: Final = re.compile(r"\{\{.*?\}\}", re.DOTALL)


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[dict[str, Any]]]:
    """Every rule, as Prometheus loaded it."""
    files = "\n".join(f"  - {file}" for file in sorted(RULES.glob("*.yml")) if file.name != "prometheus.yml")
    with prometheus(tmp_path_factory.mktemp("rules"), f"rule_files:\n{files}\n") as url:
        groups = get(f"{url}/api/v1/rules")["data"]["groups"]
        yield [rule for group in groups for rule in group["rules"]]


def _alerts(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = [rule for rule in rules if rule["type"] == "alerting"]
    assert len(found) > 15
    return found


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.stem)
def test_promtool_agrees_with_what_each_alert_shall_say(file: Path) -> None:
    done = subprocess.run([tool("promtool"), "test", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_and_amtool_accept_what_we_ship() -> None:
    for command in (
        [tool("promtool"), "check", "config", "--lint=all", "--lint-fatal", str(RULES / "prometheus.yml")],
        [tool("amtool", "prometheus-alertmanager"), "check-config", str(ALERTMANAGER)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_of_each_alert_is_tried_that_it_fires_and_that_it_does_not(rules: list[dict[str, Any]]) -> None:
    tried = "\n".join(file.read_text() for file in TESTS)
    for rule in _alerts(rules):
        own = re.findall(rf"alertname: {rule['name']}\n +exp_alerts:(.*)", tried)
        assert "" in own, f"nothing shows that {rule['name']} fires"
        assert " []" in own or rule["name"] == "Watchdog", f"nothing shows that {rule['name']} keeps quiet"


def test_each_recorded_series_is_tried(rules: list[dict[str, Any]]) -> None:
    tried = set(re.findall(r"^ +- expr: (\S+)$", "\n".join(map(_text, TESTS)), re.MULTILINE))
    assert {rule["name"] for rule in rules if rule["type"] == "recording"} <= tried


def test_each_alert_says_where_what_and_what_to_do(rules: list[dict[str, Any]]) -> None:
    sections = re.findall(r"^## (\w+)$", (ROOT / "docs" / "alerts.md").read_text(), re.MULTILINE)
    for rule in _alerts(rules):
        said = rule["annotations"]
        assert list(said) == ["description", "place", "runbook_url", "summary"], rule["name"]
        assert said["runbook_url"] == f"docs/alerts.md#{rule['name'].lower()}"
        assert {"class", "severity"} <= set(rule["labels"]), rule["name"]
        assert rule["labels"]["severity"] in {"critical", "warning", "none"}
    assert sorted(sections) == sorted(rule["name"] for rule in _alerts(rules))


def test_each_alert_about_a_village_carries_its_three_codes(rules: list[dict[str, Any]]) -> None:
    fired = re.findall(r"alertname: (\w+)\n +exp_alerts:\n +- exp_labels: \{(.*)\}", "\n".join(map(_text, TESTS)))
    labels = {name: set(re.findall(r"(\w+): ", said)) for name, said in fired}
    for rule in _alerts(rules):
        if rule["labels"]["class"] not in WITHOUT_VILLAGE:
            assert labels[rule["name"]] >= PLACED, rule["name"]
        assert not labels[rule["name"]] & {"job", "instance"} or rule["name"] == "ServerDown", rule["name"]


def test_recorded_series_are_named_level_metric_operation_and_forget_who_was_scraped(
    rules: list[dict[str, Any]],
) -> None:
    recorded = [rule for rule in rules if rule["type"] == "recording"]
    assert recorded
    for rule in recorded:
        assert re.fullmatch(r"(interface|device|village|district|regency):kampungnet_[a-z_]+:[a-z0-9]+", rule["name"])
        known = re.findall(r"kampungnet_\w+", rule["query"].replace(":kampungnet_", ":"))
        assert not known or "without (job, instance" in rule["query"], rule["name"]
        assert " by (" not in rule["query"], rule["name"]


def test_the_light_is_judged_by_the_thresholds_of_the_server(rules: list[dict[str, Any]]) -> None:
    query = {rule["name"]: rule["query"] for rule in rules}
    assert query["LightCritical"].endswith(f"<= {light.B_PLUS.weakest_dbm:.0f}")
    assert query["LightWeak"].endswith(f"<= {light.B_PLUS.worrying_dbm:.0f}")
    assert query["LightFalling"].endswith(f">= {light.STEP_DB:.0f}")


def _text(file: Path) -> str:
    return file.read_text()
