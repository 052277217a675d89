"""`/metrics`: conventions kept, nobody named in labels, absent instead of flat, at most 60 series a village."""

import http.client
import shutil
import subprocess
from collections import Counter
from typing import Final

import msgspec
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.tally import Tally
from kampungnet.devices.status import SILENT_AFTER_MS
from kampungnet.metrics import live
from kampungnet.metrics.samples import SERIES_A_VILLAGE
from kampungnet.shared import wire
from tests.support.server import NEIGHBOUR, VILLAGE, Box, Running, enrolled, ingested, router_body

LABELS: Final = {"regency", "district", "village", "device", "interface", "target", "result", "le", "task"}
FACTS: Final = {"name", "district_name", "kind", "version", "board", "model", "state", "last_down_cause"}
HOSTILE: Final = 'a"b\\c\nd{e="f"} 1\r#\t\0\u202e'


def _full_router() -> wire.RouterBody:
    interfaces = [
        wire.CounterReading(f"ether{n}", "ether", running=n % 3 > 0, rx_bytes=n * 10, tx_bytes=n) for n in range(1, 21)
    ]
    sensors = [wire.Sensor(f"t{n}", 40.0 + n, "C") for n in range(5)] + [wire.Sensor("fan", 4000.0, "RPM")]
    pings = [wire.Ping("gateway", "10.20.30.1", 3, 3, 1.5), wire.Ping("internet", "203.0.113.1", 3, 2, 25.0)]
    return wire.RouterBody(
        identity="desa", board="hAP ac²", model="RBD52G", serial="HF1209ABCDE", version="7.20.4", cpu_load_percent=12,
        free_memory_bytes=1, total_memory_bytes=2, free_storage_bytes=3, total_storage_bytes=4, sensors=sensors,
        interfaces=interfaces, wan_interface="ether20", gateway="10.20.30.1", pings=pings, hotspot_sessions=5,
        hotspot_hosts=6, dhcp_leases=7, wireless_clients=8,
    )  # fmt: skip


def _full_ont() -> wire.OntBody:
    return wire.OntBody(
        model="F660", serial="ZTEGC0FFEE01", version="V6", link_up=True, rx_power_dbm=-21.5, tx_power_dbm=2.5,
        temperature_celsius=50.0, voltage_volts=3.3, bias_milliamperes=12.0,
        interfaces=[wire.CounterReading(f"pon{n}", rx_bytes=1, tx_bytes=2) for n in range(4)],
    )  # fmt: skip


def _report(database: Database, box: Box, *readings: wire.Reading) -> None:
    health = wire.AgentHealth(version="0.1.0", board="Pi", spool_readings=3, spool_oldest_ms=1_785_462_000_000)
    (receipt,) = ingested(database, box.request(box.report(*readings, health=health)))
    assert receipt.refused == []


def _page(database: Database) -> str:
    tally = Tally()
    tally.add("reports", "accepted", 1)
    return live.page_text(database, tally).decode()


def _families(database: Database) -> dict[str, Metric]:
    return {family.name: family for family in text_string_to_metric_families(_page(database))}


def _series(database: Database) -> list[tuple[str, frozenset[tuple[str, str]]]]:
    return [
        (sample.name, frozenset(sample.labels.items()))
        for family in _families(database).values()
        for sample in family.samples
    ]


def _of_village(database: Database, code: str) -> list[str]:
    return [name for name, labels in _series(database) if ("village", code) in labels]


def test_names_units_and_labels_keep_the_conventions(database: Database, box: Box) -> None:
    _report(database, box, box.reading(_full_router()), box.reading(_full_ont(), device="ont"))
    families = _families(database)
    assert len(families) > 20
    for name, family in families.items():
        assert name.startswith("kampungnet_"), name
        assert family.documentation, name
        assert family.type in {"gauge", "counter", "histogram"}, name
        for sample in family.samples:
            assert sample.name.endswith("_total") == (family.type == "counter"), sample.name
            assert not sample.name.endswith("_created")
            assert set(sample.labels) <= (LABELS | FACTS if name.endswith("_info") else LABELS), sample
        words = set(name.split("_"))
        assert not words & {"percent", "kbps", "bits", "ms", "milliseconds", "kilobytes", "minutes", "hours"}, name
        if words & {"timestamp", "uptime", "rtt", "offset"}:
            assert name.endswith("_seconds"), name


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (on Debian: apt install prometheus)"
)
def test_promtool_finds_nothing_to_say(database: Database, box: Box) -> None:
    neighbour = enrolled(database, NEIGHBOUR)
    _report(database, box, box.reading(_full_router()), box.reading(_full_ont(), device="ont"))
    _report(database, neighbour, neighbour.reading(router_body(board=HOSTILE[:50], serial=HOSTILE)))
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=_page(database), capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_values_are_what_the_devices_said_in_base_units(database: Database, box: Box) -> None:
    _report(database, box, box.reading(_full_router()), box.reading(_full_ont(), device="ont"))
    values = {
        (sample.name, sample.labels.get("device", ""), sample.labels.get("interface", sample.labels.get("target", ""))):
        sample.value for family in _families(database).values() for sample in family.samples
        if sample.labels.get("village") == VILLAGE
    }  # fmt: skip
    expect = {
        ("kampungnet_router_cpu_load_ratio", "router", ""): 0.12,
        ("kampungnet_device_temperature_celsius", "router", ""): 44.0,
        ("kampungnet_ping_rtt_seconds", "router", "internet"): 0.025,
        ("kampungnet_interface_receive_bytes_total", "router", "ether20"): 200.0,
        ("kampungnet_interface_transmit_bytes_total", "router", "ether20"): 20.0,
        ("kampungnet_ont_rx_power_dbm", "ont", ""): -21.5,
        ("kampungnet_agent_spool_readings", "", ""): 3.0,
        ("kampungnet_agent_spool_oldest_timestamp_seconds", "", ""): 1_785_462_000.0,
        ("kampungnet_device_up", "ont", ""): 1.0,
        ("kampungnet_hotspot_sessions", "router", ""): 5.0,
    }
    assert {name: values.get(name) for name in expect} == expect


def test_nothing_that_names_a_person_or_a_device_on_the_network_is_a_label(database: Database, box: Box) -> None:
    body = msgspec.structs.replace(
        _full_router(),
        interfaces=[wire.CounterReading("ether1", rx_bytes=1), wire.CounterReading("<pppoe-siti>", rx_bytes=2),
                    wire.CounterReading("<hotspot-AA:BB:CC:00:11:22>", rx_bytes=3)],
        pings=[wire.Ping("internet", "203.0.113.1", 3, 3, 1.0), wire.Ping("192.0.2.7", "192.0.2.7", 1, 1)],
    )  # fmt: skip
    _report(database, box, box.reading(body))
    page = _page(database)
    for secret in ("203.0.113.1", "192.0.2.7", "10.20.30.1", "HF1209", "siti", "AA:BB", box.agent):
        assert secret not in page
    assert 'interface="ether1"' in page


@pytest.mark.parametrize("silent", ["device", "box"])
def test_what_was_not_heard_of_is_absent_and_not_flat(database: Database, box: Box, silent: str) -> None:
    past = clock.now_ms() - SILENT_AFTER_MS - 1000
    body = box.report(
        box.reading(_full_router(), taken_at_ms=past), sent_at_ms=past, boottime_ms=past - 1_600_000_000_000
    )
    ingested(database, box.request(body, past))
    if silent == "device":
        _report(database, box, box.reading(_full_ont(), device="ont"))
    names = set(_of_village(database, VILLAGE))
    assert "kampungnet_device_last_reading_timestamp_seconds" in names, "when it was last heard stays"
    assert "kampungnet_router_cpu_load_ratio" not in names
    assert ("kampungnet_device_up" in names) == (silent == "device"), "of the ONT, which was heard"
    assert ("kampungnet_agent_spool_readings" in names) == (silent == "device")


def test_a_router_that_does_not_answer_is_down_and_shows_no_old_numbers(database: Database, box: Box) -> None:
    _report(database, box, box.reading(_full_router(), taken_at_ms=clock.now_ms() - 2000))
    _report(database, box, box.reading(outcome=wire.Outcome.UNREACHABLE))
    values = {
        name: value for name, _, value in _samples(database) if name.startswith(("kampungnet_dev", "kampungnet_r"))
    }
    assert values.keys() == {"kampungnet_device_last_reading_timestamp_seconds", "kampungnet_device_up"}
    assert values["kampungnet_device_up"] == 0


def _samples(database: Database) -> list[tuple[str, dict[str, str], float]]:
    return [(s.name, s.labels, s.value) for f in _families(database).values() for s in f.samples]


def test_a_full_router_and_ont_fit_into_sixty_series(database: Database, box: Box) -> None:
    _report(database, box, box.reading(_full_router()), box.reading(_full_ont(), device="ont"))
    names = _of_village(database, VILLAGE)
    assert 40 <= len(names) <= SERIES_A_VILLAGE == 60
    assert {"kampungnet_ont_rx_power_dbm", "kampungnet_hotspot_sessions"} <= set(names), "no gauge had to give way"
    assert 'interface="ether20"' in _page(database), "the interface that is billed is always there"


def test_a_box_that_lies_cannot_make_more_series_or_the_same_twice(database: Database, box: Box) -> None:
    neighbour = enrolled(database, NEIGHBOUR)
    doubled = wire.CounterReading("ether1", running=True, rx_bytes=1, tx_bytes=1)
    body = msgspec.structs.replace(
        _full_router(), wan_interface="ether1",
        interfaces=[doubled] * 50 + [wire.CounterReading(f"i{n}", running=True, rx_bytes=1) for n in range(100)],
        pings=[wire.Ping("internet", "", 3, 3, 1.0)] * 4 + [wire.Ping(f"t{n}", "", 3, 3, 1.0) for n in range(4)],
    )  # fmt: skip
    _report(database, box, *(box.reading(body, device=f"router{n}") for n in range(90)))
    _report(database, neighbour, neighbour.reading(_full_router()))
    series = Counter(_series(database))
    assert [one for one, number in series.items() if number > 1] == []
    assert len(_of_village(database, VILLAGE)) == SERIES_A_VILLAGE
    assert len(_of_village(database, NEIGHBOUR)) > 30, "the neighbour has its own room"


def test_hostile_names_are_escaped_and_come_back_as_they_were(database: Database, box: Box) -> None:
    body = msgspec.structs.replace(
        _full_router(), model=HOSTILE, version=HOSTILE, interfaces=[wire.CounterReading(HOSTILE, rx_bytes=7)]
    )
    _report(database, box, box.reading(body))
    facts = [labels for name, labels, _ in _samples(database) if name == "kampungnet_device_info"]
    assert facts[0]["model"] == facts[0]["version"] == HOSTILE
    (interface,) = [
        labels["interface"] for name, labels, _ in _samples(database) if name.endswith("receive_bytes_total")
    ]
    assert interface == HOSTILE
    assert len(_page(database).split("\n")) < 200, "no line was broken in two"


def test_a_register_alone_is_one_info_a_village(database: Database) -> None:
    names = Counter(name for name, _ in _series(database))
    assert names["kampungnet_village_info"] == 3
    of_server = {name for name in names if name.startswith("kampungnet_ingest_")}
    assert set(names) == {"kampungnet_village_info", "kampungnet_outages_open", "kampungnet_incidents_open", *of_server}


def test_the_door_counts_what_comes(server: Running, box: Box) -> None:
    server.report(box, box.reading(), b"{}")
    server.send("POST", wire.REPORTS_PATH, b"{}")
    page = server.send("GET", "/metrics").body.decode()
    for line in (
        'kampungnet_ingest_readings_total{result="accepted"} 1.0',
        'kampungnet_ingest_readings_total{result="refused"} 1.0',
        'kampungnet_ingest_reports_total{result="accepted"} 1.0',
        'kampungnet_ingest_reports_total{result="refused"} 1.0',
        'kampungnet_ingest_reports_total{result="failed"} 0.0',
    ):
        assert line in page.splitlines()


FORWARDED: Final = [
    {"X-Forwarded-For": "127.0.0.1"}, {"X-Forwarded-For": ""}, {"Forwarded": "for=127.0.0.1"},
    {"X-Real-IP": "127.0.0.1"}, {"Via": "1.1 proxy"}, {"X-Forwarded-Host": "kampungnet"},
]  # fmt: skip


def test_only_this_machine_sees_the_metrics(server: Running) -> None:
    answer = server.send("GET", "/metrics")
    assert (answer.status, answer.headers["content-type"][:25]) == (200, "text/plain; version=0.0.4")
    for headers in FORWARDED:
        assert server.send("GET", "/metrics", headers=headers).status == 404, headers
    elsewhere = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10, source_address=("127.0.0.2", 0))
    elsewhere.request("GET", "/metrics")
    assert elsewhere.getresponse().status == 404
    elsewhere.close()
