"""Who scrapes finds the boxes by one list, always the whole one; and what stores took and refused is on `/metrics`."""

import json

import pytest
from prometheus_client.parser import text_string_to_metric_families

from kampungnet.core.database import Database
from kampungnet.core.errors import BadInput
from kampungnet.core.tally import Tally
from kampungnet.devices import service as devices
from kampungnet.metrics import cursors, live
from kampungnet.metrics.cursors import Position
from kampungnet.metrics.discovery import TARGETS, agents
from kampungnet.metrics.sending import Dropped, Reason
from kampungnet.villages import service as villages
from tests.support.server import NEIGHBOUR, REGENCY, VILLAGE, Running, enrolled

PATTERN = "{village}.boxes.example.id:9464"


def test_the_list_is_whole_and_an_empty_one_is_an_empty_list(database: Database) -> None:
    enrolled(database)
    enrolled(database, NEIGHBOUR)
    with database.reads() as db:
        assert agents(db, {}) == []
        found = agents(db, {TARGETS: PATTERN})
    assert [one["targets"] for one in found] == [
        ["35-10-15-2003.boxes.example.id:9464"], ["35-10-15-2012.boxes.example.id:9464"],
    ]  # fmt: skip
    assert found[1]["labels"] == {"regency": REGENCY, "district": "35.10.15", "village": VILLAGE}
    with database.writes() as db:
        devices.revoke(db, villages.village(db, NEIGHBOUR), 1)
    with database.reads() as db:
        assert len(agents(db, {TARGETS: PATTERN})) == 1


@pytest.mark.parametrize("pattern", ["box:9464", "{village}", "{village}{village}:1", "http://{village}:9464", "{x}:1"])
def test_a_pattern_that_is_no_name_is_told(database: Database, pattern: str) -> None:
    with database.reads() as db, pytest.raises(BadInput, match=TARGETS):
        agents(db, {TARGETS: pattern})


def test_only_this_machine_may_ask(server: Running) -> None:
    answer = server.send("GET", "/sd/agents")
    assert (answer.status, json.loads(answer.body)) == (200, [])
    assert server.send("GET", "/sd/agents", None, {"X-Forwarded-For": "203.0.113.9"}).status == 404


def test_what_stores_took_and_what_they_refused_is_on_the_page(database: Database) -> None:
    key = ("http://127.0.0.1:9090/api/v1/write", REGENCY)
    with database.writes() as db:
        for _ in range(2):
            cursors.keep(db, key, Position(1_795_956_000_000, 0, 40, 1), ("503: busy", 5))
        cursors.count_dropped(db, key, {Reason.FUTURE: Dropped(3, "x")}, 7)
    text = live.page_text(database, Tally(), only_state=True).decode()
    values = {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.labels.get("store") == key[0]
    }
    assert values == {
        "kampungnet_remote_write_up": 0.0,
        "kampungnet_remote_write_samples_total": 80.0,
        "kampungnet_remote_write_stored_timestamp_seconds": 1_795_956_000.0,
        "kampungnet_remote_write_samples_dropped_total": 3.0,
    }
