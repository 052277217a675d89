"""The catalogue is all there is: pages, rules and boards ask for nothing else; `docs/metrics.md` is made from it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from kampungnet.core.database import Database
from kampungnet.core.tally import Tally
from kampungnet.metrics import live
from kampungnet.metrics.catalogue import FAMILIES, OF_BOX, Kind, Source
from kampungnet.metrics.page import Page
from kampungnet.shared import wire
from kampungnet_agent.metrics import AgentCollector
from kampungnet_agent.spool import SpoolState
from kampungnet_agent.tally import Tally as AgentTally
from tests.conftest import ROOT
from tests.metrics.metrics_page import PAGE, page, recorded
from tests.support.server import Box, Running, ingested, router_body

NAME: Final = re.compile(r"(?<![\w:])((?:\w+:)?kampungnet_[a-z_]+(?::\w+)?)(?:\{([^{}]*)\})?")
MATCHER: Final = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"')
GROUPING: Final = re.compile(r"\b(?:by|on|group_left|group_right|ignoring)\s*\(([\w\s,]*)\)")
ADDED: Final = {"job", "instance", "le", "alertname", "severity", "class"}
"""Labels that a scrape, a histogram or a rule adds."""
OTHERS: Final = {"kampungnet_agent", "kampungnet_sim", "kampungnet_reader"}
"""Packages and a role of the database."""
UNITS: Final = {"seconds", "bytes", "celsius", "ratio", "dbm"}


def _known() -> dict[str, set[str]]:
    """Every name that may be asked for, with its labels."""
    found = {one.name: {*one.labels, *one.facts} for one in (*FAMILIES.values(), *OF_BOX.values())}
    for one in FAMILIES.values():
        if one.kind is Kind.HISTOGRAM:
            found |= {f"{one.name}{part}": {*one.labels} for part in ("_bucket", "_sum", "_count")}
        elif one.name in OF_BOX:
            found[one.name] |= {*one.labels}
    every = {label for labels in found.values() for label in labels}
    return found | {name: every for name, _ in recorded()}


def _strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict | list):
        for one in node.values() if isinstance(node, dict) else node:
            yield from _strings(one)


def _texts() -> Iterator[tuple[Path, str]]:
    for file in sorted((ROOT / "dashboards").rglob("*")):
        if file.suffix == ".json":
            yield file, "\n".join(text for text in _strings(msgspec.json.decode(file.read_bytes())))
        elif file.suffix in {".yml", ".yaml", ".tmpl"}:
            yield file, file.read_text()
    for file in (ROOT / "docs").rglob("*.md"):
        yield file, file.read_text()


def test_every_metric_in_rules_boards_and_documents_exists_with_those_labels() -> None:
    known = _known()
    labels = {label for of_one in known.values() for label in of_one} | ADDED
    wrong, asked = [], 0
    for file, text in _texts():
        plain = text.replace("{{", " ").replace("}}", " ")
        for name, selector in NAME.findall(plain):
            if name.rstrip("_") in OTHERS:
                continue
            asked += 1
            if name not in known:
                wrong.append(f"{file.relative_to(ROOT)}: {name} is not in the catalogue")
            elif strange := set(MATCHER.findall(selector)) - known[name] - ADDED:
                wrong.append(f"{file.relative_to(ROOT)}: {name} has no label {', '.join(sorted(strange))}")
        for grouped in GROUPING.findall(plain) if file.suffix != ".md" else ():
            if strange := set(re.findall(r"\w+", grouped)) - labels:
                wrong.append(f"{file.relative_to(ROOT)}: no metric has the label {', '.join(sorted(strange))}")
    assert wrong == []
    assert asked > 100


def test_the_committed_page_is_the_generated_one() -> None:
    assert PAGE.read_text() == page(), "run `make metrics`"


def test_a_name_says_kind_and_unit() -> None:
    for one in (*FAMILIES.values(), *OF_BOX.values()):
        assert one.name.endswith("_total") == (one.kind is Kind.COUNTER), one
        assert one.name.endswith("_info") == (one.kind is Kind.INFO) == bool(one.facts), one
        assert not one.unit or one.base.endswith(f"_{one.unit}"), one
        assert one.unit in UNITS | {""}, one
        assert one.help[0] == one.help[0].upper(), one


def test_a_sample_that_the_catalogue_has_otherwise_is_refused() -> None:
    sheet = Page()
    sheet.next_village()
    with pytest.raises(LookupError, match="the catalogue has gauge"):
        sheet.counter("kampungnet_village_up", {"regency": "1", "district": "2", "village": "3"}, 1)
    with pytest.raises(LookupError):
        sheet.gauge("kampungnet_nothing", {}, 1)


def test_the_scrape_has_what_the_server_judges_and_nothing_that_is_pushed(database: Database, box: Box) -> None:
    ingested(database, box.request(box.report(box.reading(router_body()), health=wire.AgentHealth(version="1"))))
    everything = {one.name for one in _families(live.page_text(database, Tally()))}
    state = {one.name for one in _families(live.page_text(database, Tally(), only_state=True))}
    pushed = {one.base for one in FAMILIES.values() if one.source is Source.READING}
    pushed |= {one.name for one in FAMILIES.values() if one.source is Source.READING}
    assert state == everything - pushed
    assert {"kampungnet_village_up", "kampungnet_agent_last_report_timestamp_seconds"} <= state
    assert len(everything - state) > 5


def test_the_door_says_how_long_reports_took(server: Running, box: Box) -> None:
    server.report(box, box.reading())
    server.report(box, box.reading())
    page = server.send("GET", "/metrics?only=state").body.decode()
    assert 'kampungnet_ingest_duration_seconds_bucket{le="+Inf"} 2.0' in page
    assert "kampungnet_ingest_duration_seconds_count 2.0" in page
    assert "kampungnet_device_up" not in page


def test_an_agent_shows_what_the_catalogue_says() -> None:
    tally = AgentTally()
    tally.last_receipt_ms = 1
    state = SpoolState(readings=1, oldest_ms=1, dropped=0, refused=0, corrupt=0)
    shown = {}
    for family in AgentCollector(tally, lambda: state).collect():
        suffix = "_total" if family.type == "counter" else ""
        shown[family.name + suffix] = (family.type, family.documentation)
    assert shown == {one.name: (one.kind.value, one.help) for one in OF_BOX.values()}


def _families(text: bytes) -> list[Metric]:
    return list(text_string_to_metric_families(text.decode()))
