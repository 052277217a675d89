"""Prometheus and Alertmanager beside the demo: green where installed, else a sentence, gone with the demo."""

import socket
from pathlib import Path

import pytest

from kampungnet.alerts import webhook
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.demo.children import Children
from kampungnet.demo.monitoring import Monitoring
from tests.support.monitoring import get, post, text_at, tool
from tests.support.ports import free_port
from tests.support.server import REGENCY, VILLAGE, enrolled, prepared_database, router_body, serving


def _token(database: Database) -> str:
    with database.writes() as db:
        return webhook.make_token(db, REGENCY, clock.now_ms())


def _without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *programs: str) -> None:
    """Let only these programs of the machine be found."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for program in programs:
        (folder / program).symlink_to(tool(program))
    monkeypatch.setenv("PATH", str(folder))


def test_prometheus_is_green_with_our_rules_takes_remote_write_and_ends_with_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without(tmp_path, monkeypatch, "prometheus")
    database = prepared_database(f"sqlite:///{tmp_path / 'kampungnet.db'}")
    children = Children(tmp_path)
    beside = Monitoring(children, tmp_path)
    try:
        with serving(database) as server:
            beside.start(server.port, _token(database))
            (said, of_alertmanager), url = beside.told().splitlines(), beside.url
            assert said == f"Prometheus: {url}/alerts with our rules (targets: kampungnet up, prometheus up)"
            assert "apt install prometheus-alertmanager" in of_alertmanager
            rules = [rule["name"] for group in get(f"{url}/api/v1/rules")["data"]["groups"] for rule in group["rules"]]
            assert {"VillageSilent", "Watchdog", "village:kampungnet_ont_rx_power_dbm:max"} <= set(rules)
            flags = get(f"{url}/api/v1/status/flags")["data"]
            assert flags["web.enable-remote-write-receiver"] == "true"
            assert "out_of_order_time_window: 1w" in get(f"{url}/api/v1/status/config")["data"]["yaml"]
            box = enrolled(database)
            assert server.report(box, box.reading(router_body(1))).status == 200
            beside.feed(tmp_path)
            asked = f"{url}/api/v1/query?query=kampungnet_device_up"
            assert children.waited_for(lambda: bool(get(asked)["data"]["result"]), 60), (
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


def test_alertmanager_is_green_hands_alerts_to_the_server_and_ends_with_the_demo(tmp_path: Path) -> None:
    tool("prometheus")
    tool("prometheus-alertmanager")
    database = prepared_database(f"sqlite:///{tmp_path / 'kampungnet.db'}")
    children = Children(tmp_path)
    beside = Monitoring(children, tmp_path)
    try:
        with serving(database) as server:
            beside.start(server.port, _token(database))
            prometheus, alertmanager = beside.told().splitlines()
            assert prometheus.endswith("(targets: alertmanager up, kampungnet up, prometheus up)")
            assert alertmanager == f"  Alertmanager: {beside.alerts_url} hands alerts to the server"
            of_prometheus = f"{beside.url}/api/v1/alertmanagers"
            assert children.waited_for(lambda: bool(get(of_prometheus)["data"]["activeAlertmanagers"]), 60)
            (known,) = get(of_prometheus)["data"]["activeAlertmanagers"]
            assert known["url"].startswith(beside.alerts_url)
            post(f"{beside.alerts_url}/api/v2/alerts", [{"labels": {"alertname": "Watchdog", "class": "watchdog"}}])
            page = f"{beside.alerts_url}/metrics"
            assert children.waited_for(lambda: _counted(page, "notifications_total") > 0, 60)
            assert _counted(page, "notifications_failed_total") == 0
    finally:
        children.stop()
        database.close()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(beside.alerts_url.rpartition(":")[2]))) != 0


def _counted(page: str, name: str) -> float:
    """Return what Alertmanager counted of the door of our server."""
    start = f'alertmanager_{name}{{integration="webhook"'
    return sum(float(line.split()[-1]) for line in text_at(page).splitlines() if line.startswith(start))


def test_an_alertmanager_that_dies_leaves_prometheus_green(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _without(tmp_path, monkeypatch, "prometheus")
    bad = tmp_path / "bin" / "alertmanager"
    bad.write_text("#!/bin/sh\nexit 3\n")
    bad.chmod(0o755)
    database = prepared_database(f"sqlite:///{tmp_path / 'kampungnet.db'}")
    children = Children(tmp_path)
    beside = Monitoring(children, tmp_path)
    try:
        with serving(database) as server:
            beside.start(server.port, "none")
            prometheus, alertmanager = beside.told().splitlines()
            assert prometheus.endswith("(targets: kampungnet up, prometheus up)")
            assert "its log says why" in alertmanager
            children.check()
    finally:
        children.stop()
        database.close()


def test_without_prometheus_one_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    beside = Monitoring(Children(tmp_path), tmp_path)
    beside.start(free_port(), "none")
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
    beside.start(free_port(), "none")
    assert "its log says why" in beside.told()
    children.check()
    children.stop()
