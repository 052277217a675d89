"""Prometheus beside the demo: green where it is installed, one sentence where it is not, gone with the demo."""

import socket
from pathlib import Path

import pytest

from kampungnet.demo.children import Children
from kampungnet.demo.monitoring import Monitoring
from tests.support.monitoring import get, tool
from tests.support.ports import free_port
from tests.support.server import VILLAGE, enrolled, prepared_database, router_body, serving


def test_prometheus_is_green_with_our_rules_takes_remote_write_and_ends_with_the_demo(tmp_path: Path) -> None:
    tool("prometheus")
    database = prepared_database(f"sqlite:///{tmp_path / 'kampungnet.db'}")
    children = Children(tmp_path)
    beside = Monitoring(children, tmp_path)
    try:
        with serving(database) as server:
            beside.start(server.port)
            said, url = beside.told(), beside.url
            assert said == f"Prometheus: {url}/alerts with our rules (targets: kampungnet up, prometheus up)"
            rules = [rule["name"] for group in get(f"{url}/api/v1/rules")["data"]["groups"] for rule in group["rules"]]
            assert {"VillageSilent", "Watchdog", "village:kampungnet_ont_rx_power_dbm:max"} <= set(rules)
            flags = get(f"{url}/api/v1/status/flags")["data"]
            assert flags["web.enable-remote-write-receiver"] == "true"
            assert "out_of_order_time_window: 1w" in get(f"{url}/api/v1/status/config")["data"]["yaml"]
            box = enrolled(database)
            assert server.report(box, box.reading(router_body(1))).status == 200
            beside.feed(tmp_path)
            asked = f"{url}/api/v1/query?query=kampungnet_device_up"
            assert children.waited_for(lambda: bool(get(asked)["data"]["result"]), 20), (
                tmp_path / "push.log"
            ).read_text()
            (sample,) = get(asked)["data"]["result"]
            assert sample["metric"]["village"] == VILLAGE
            assert "job" not in sample["metric"]
    finally:
        children.stop()
        database.close()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(url.rpartition(":")[2]))) != 0


def test_without_prometheus_one_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    beside = Monitoring(Children(tmp_path), tmp_path)
    beside.start(free_port())
    beside.feed(tmp_path)
    assert "apt install prometheus" in beside.told()


def test_a_prometheus_that_dies_ends_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = tmp_path / "prometheus"
    bad.write_text("#!/bin/sh\nexit 3\n")
    bad.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    data = tmp_path / "data"
    data.mkdir()
    children = Children(data)
    beside = Monitoring(children, data)
    beside.start(free_port())
    assert "its log says why" in beside.told()
    children.check()
    children.stop()
