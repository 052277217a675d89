"""The shipped Alertmanager configuration in a real Alertmanager: what is told, what is held back, how it arrives."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.monitoring import ALERTMANAGER, alertmanager, get, post

HOSTILE: Final = '"}} {{ template "x" }} <script>alert(1)</script> {a="b"} \\ 🛰️ \' ' + "ḏ" * 300
TOKEN: Final = "token-of-a-test"
WAIT_SECONDS: Final = 60
LINE: Final = ["VillageSilent", "LineDown", "LightCritical", "LightWeak", "PowerCut"]
DEVICE: Final = ["DeviceDown", "HotspotUnusable"]
CARE: Final = ["LightFalling", "RouterHot", "FlashFull", "SpoolOld", "ClockWrong"]
MEMBER: Final = {"class": "member"}
PLATFORM: Final = {"class": "platform"}
CLASSES: Final = dict.fromkeys(LINE, "line") | dict.fromkeys(DEVICE, "device") | dict.fromkeys(CARE, "care")


class Receiver(ThreadingHTTPServer):
    """Stands where the server's door for alerts stands, and keeps what arrives."""

    def __init__(self) -> None:
        self.arrived: list[tuple[str, dict[str, Any]]] = []
        super().__init__(("127.0.0.1", 0), _Door)

    def wait_for(self, **group: str) -> dict[str, Any]:
        """Return the first message of a group of alerts."""
        until = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < until:
            for _, message in self.arrived:
                if message["groupLabels"] == group:
                    return message
            time.sleep(0.1)
        raise AssertionError(f"{group} did not arrive, but {[one['groupLabels'] for _, one in self.arrived]}")


class _Door(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.arrived.append((self.headers["Authorization"], json.loads(body)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *said: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("alertmanager")
    (folder / "alerts.token").write_text(TOKEN)
    config = ALERTMANAGER.read_text()
    for shipped, here in (
        ("http://127.0.0.1:8080/api/v1/alerts", f"http://127.0.0.1:{receiver.server_port}/api/v1/alerts"),
        ("group_wait: 30s", "group_wait: 2s"),
    ):
        assert shipped in config
        config = config.replace(shipped, here)
    with alertmanager(folder, config) as url:
        yield url


def _village(number: int, district: str = "35.10.15") -> dict[str, str]:
    return {"regency": district[:5], "district": district, "village": f"{district}.{number}"}


def _alert(name: str, place: dict[str, str], **more: str) -> dict[str, Any]:
    labels = {"alertname": name, "class": CLASSES.get(name, ""), "severity": "warning", **place, **more}
    return {"labels": labels, "annotations": {"summary": name, "place": place.get("village", "")}}


def _held_back(url: str, alerts: list[dict[str, Any]], expected: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Post alerts and return which of them are suppressed, once that is ``expected`` or time is over."""
    post(f"{url}/api/v2/alerts", alerts)
    wanted = {(one["labels"]["alertname"], one["labels"].get("village", "")) for one in alerts}
    until = time.monotonic() + WAIT_SECONDS
    while True:
        found = {
            (one["labels"]["alertname"], one["labels"].get("village", "")): one["status"]["state"]
            for one in get(f"{url}/api/v2/alerts")
        }
        held = {key for key in wanted if found.get(key) == "suppressed"}
        if (wanted <= found.keys() and held == expected) or time.monotonic() > until:
            assert wanted <= found.keys()
            return held
        time.sleep(0.1)


def test_a_trunk_cut_silences_its_own_villages_and_no_other_one(running: str) -> None:
    member, other = _village(2012), _village(2003)
    incident = {"regency": "35.10", "district": "35.10.15", "incident": "ab12", "class": "incident"}
    expected = {(name, member["village"]) for name in LINE[:4]}
    expected.add(("LightWeak", other["village"]))  # the worse light is told already
    assert expected == _held_back(running, [
        {"labels": {"alertname": "SharedIncident", **incident}}, _alert("VillageInIncident", member, **MEMBER),
        *(_alert(name, place) for name in [*LINE[:4], *CARE] for place in (member, other)),
    ], expected)  # fmt: skip


def test_a_power_cut_silences_the_devices_of_its_village_and_itself_stays(running: str) -> None:
    dark, lit = _village(3001), _village(3002)
    expected = {(name, dark["village"]) for name in DEVICE}
    assert expected == _held_back(running, [
        _alert("PowerCut", dark),
        *(_alert(name, place, device="router") for name in [*DEVICE, "RouterHot"] for place in (dark, lit)),
    ], expected)  # fmt: skip


def test_a_silent_village_says_nothing_of_its_devices(running: str) -> None:
    silent = _village(4001)
    expected = {("DeviceDown", silent["village"])}
    alerts = [_alert("VillageSilent", silent), _alert("DeviceDown", silent, device="camera")]
    assert expected == _held_back(running, alerts, expected)


def test_what_has_no_codes_is_never_silenced_although_missing_labels_count_as_equal(running: str) -> None:
    bare: dict[str, str] = {}
    expected = {("PowerCut", _village(5001)["village"])}
    assert expected == _held_back(running, [
        _alert("VillageInIncident", _village(5001), **MEMBER), _alert("PowerCut", _village(5001)),
        *(_alert(name, bare, **PLATFORM) for name in ("ServerDown", "SamplesMissing", "CertificateEnding")),
        _alert("Watchdog", bare, **{"class": "watchdog"}), _alert("PaguEnding", _village(5001), **{"class": "budget"}),
    ], expected)  # fmt: skip


def test_names_arrive_as_they_were_with_the_token_of_the_file(running: str, receiver: Receiver) -> None:
    alert = _alert("RouterHot", _village(6001, "35.10.16"), device=HOSTILE)
    alert["annotations"] = {"place": HOSTILE, "summary": f"Perangkat {HOSTILE} panas"}
    post(f"{running}/api/v2/alerts", [alert])
    message = receiver.wait_for(regency="35.10", district="35.10.16", alertname="RouterHot")
    assert message["alerts"][0]["labels"]["device"] == HOSTILE
    assert message["alerts"][0]["annotations"] == alert["annotations"]
    assert {authorization for authorization, _ in receiver.arrived} == {f"Bearer {TOKEN}"}


def test_a_regional_outage_is_one_message_and_four_hundred_alerts_are_cut(running: str, receiver: Receiver) -> None:
    places = [f"35.73.{number:02}" for number in range(1, 5)]
    post(f"{running}/api/v2/alerts", [
        {"labels": {"alertname": "SharedIncident", "class": "incident", "regency": "35.73", "district": place,
                    "incident": f"i{place}"}} for place in places
    ])  # fmt: skip
    post(f"{running}/api/v2/alerts", [_alert("SpoolOld", _village(2000 + n, "35.73.09")) for n in range(140)])
    told = receiver.wait_for(regency="35.73", district="35.73.09", alertname="SpoolOld")
    assert (len(told["alerts"]), told["truncatedAlerts"]) == (100, 40)
    receiver.wait_for(regency="35.73", alertname="SharedIncident")
    messages = [
        one for _, one in receiver.arrived if one["groupLabels"] == {"alertname": "SharedIncident", "regency": "35.73"}
    ]
    assert [len(one["alerts"]) for one in messages] == [4]
    names = {alert["labels"]["alertname"] for _, one in receiver.arrived for alert in one["alerts"]}
    assert "VillageInIncident" not in names
