"""`/metrics` of every kind of device: light, ONUs an OLT reports, cameras; all within sixty series a village."""

from typing import Any, Final

from prometheus_client.parser import text_string_to_metric_families

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.tally import Tally
from kampungnet.devices import onus
from kampungnet.metrics import live
from kampungnet.metrics.samples import SERIES_A_VILLAGE
from kampungnet.shared import wire
from kampungnet.villages import service as villages
from tests.support.server import NEIGHBOUR, VILLAGE, Box, ingested, router_body

SERIAL: Final = "ZTEGC1234567"
PING: Final = wire.Ping("device", "192.168.88.20", 3, 2, rtt_ms=4.5)
Values = dict[tuple[str, str], float]


def _report(database: Database, box: Box, **bodies: wire.Body) -> None:
    readings = [box.reading(body, device=name.replace("_", "-")) for name, body in bodies.items()]
    (receipt,) = ingested(database, box.request(box.report(*readings)))
    assert receipt.refused == []


def _assign(database: Database, village: str) -> None:
    with database.writes() as db:
        onus.assign(db, villages.village(db, village), SERIAL, "sari", clock.now_ms())


def _values(database: Database, village: str) -> Values:
    page = live.page_text(database, Tally()).decode()
    samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
    own = [sample for sample in samples if sample.labels.get("village") == village]
    found = {}
    for sample in own:
        more = [sample.labels[name] for name in ("interface", "target") if name in sample.labels]
        found[sample.name, " ".join([sample.labels.get("device", ""), *more])] = sample.value
    assert len(found) == len(own)
    return found


def _onu(**more: Any) -> wire.OltBody:
    onu = wire.Onu(SERIAL, **{"state": wire.OnuState.ONLINE, "rx_power_dbm": -21.5, **more})
    return wire.OltBody(onus=[onu], interfaces=[wire.CounterReading("gpon_1/2/1", rx_bytes=5)])


def test_an_onu_is_in_its_own_village_with_its_state_and_light(database: Database, box: Box) -> None:
    _assign(database, NEIGHBOUR)
    _report(database, box, olt=_onu(olt_rx_power_dbm=-23.0))
    values = _values(database, NEIGHBOUR)
    assert values["kampungnet_onu_up", "ont@olt"] == 1
    assert values["kampungnet_ont_rx_power_dbm", "ont@olt"] == -21.5
    assert values["kampungnet_onu_olt_rx_power_dbm", "ont@olt"] == -23
    assert values["kampungnet_device_up", "ont@olt"] == 1
    page = live.page_text(database, Tally()).decode()
    assert 'state="online"' in page
    assert SERIAL not in page
    assert not [name for name, _ in _values(database, VILLAGE) if "onu" in name or "interface" in name]


def test_an_onu_that_is_down_is_zero_and_one_nobody_knows_is_absent(database: Database, box: Box) -> None:
    _assign(database, NEIGHBOUR)
    _report(database, box, olt=_onu(state=wire.OnuState.LOS, rx_power_dbm=None, no_light=True))
    values = _values(database, NEIGHBOUR)
    assert (values["kampungnet_onu_up", "ont@olt"], values["kampungnet_ont_no_light", "ont@olt"]) == (0, 1)
    _report(database, box, olt=_onu(state=wire.OnuState.UNKNOWN, rx_power_dbm=None))
    assert ("kampungnet_onu_up", "ont@olt") not in _values(database, NEIGHBOUR)


def test_the_light_in_a_routers_wan_port_is_that_of_the_village(database: Database, box: Box) -> None:
    lights = [wire.Light("ether1", rx_power_dbm=-18.5, tx_power_dbm=-5.0), wire.Light("sfp9", rx_power_dbm=-3.0)]
    _report(database, box, router=router_body(lights=lights))
    values = _values(database, VILLAGE)
    assert values["kampungnet_ont_rx_power_dbm", "router"] == -18.5
    assert values["kampungnet_ont_tx_power_dbm", "router"] == -5


def test_a_camera_has_up_latency_and_traffic(database: Database, box: Box) -> None:
    camera = wire.HostBody(
        wire.Purpose.CAMERA, pings=[PING], interfaces=[wire.CounterReading("eth0", rx_bytes=7, tx_bytes=8)]
    )
    _report(database, box, camera=camera, ap=wire.HostBody(wire.Purpose.ACCESS_POINT, wireless_clients=9))
    values = _values(database, VILLAGE)
    assert values["kampungnet_device_up", "camera"] == values["kampungnet_ping_up", "camera device"] == 1
    assert values["kampungnet_ping_rtt_seconds", "camera device"] == 0.0045
    assert values["kampungnet_interface_transmit_bytes_total", "camera eth0"] == 8
    assert values["kampungnet_wireless_clients", "ap"] == 9


def test_a_village_with_everything_keeps_its_gauges_and_stays_within_sixty_series(database: Database, box: Box) -> None:
    ports = [wire.CounterReading(f"ether{n}", "ether", running=True, rx_bytes=n, tx_bytes=n) for n in range(1, 21)]
    pings = [wire.Ping(target, "", 3, 3, 1.0) for target in ("gateway", "server", "internet", "internet2")]
    router = router_body(
        interfaces=ports, wan_interface="ether20", pings=pings, lights=[wire.Light("ether20", rx_power_dbm=-18.0)],
        free_memory_bytes=1, free_storage_bytes=2, hotspot_hosts=3, dhcp_leases=4, wireless_clients=5,
        sensors=[wire.Sensor("t", 40.0, "C")],
    )  # fmt: skip
    ont = wire.OntBody("F660", rx_power_dbm=-20.0, tx_power_dbm=2.0, temperature_celsius=50.0, interfaces=ports[:3])
    camera = wire.HostBody(wire.Purpose.CAMERA, pings=[PING], interfaces=ports[:2])
    _assign(database, VILLAGE)
    _report(database, box, router=router, ont=ont, camera=camera, ap=camera, olt=_onu(olt_rx_power_dbm=-23.0))
    values = _values(database, VILLAGE)
    assert len(values) <= SERIES_A_VILLAGE
    needed = {
        ("kampungnet_interface_receive_bytes_total", "router ether20"), ("kampungnet_ont_rx_power_dbm", "router"),
        ("kampungnet_ont_rx_power_dbm", "ont"), ("kampungnet_ont_rx_power_dbm", "ont@olt"),
        ("kampungnet_onu_up", "ont@olt"), ("kampungnet_ping_rtt_seconds", "camera device"),
        ("kampungnet_ping_rtt_seconds", "ap device"), ("kampungnet_device_up", "olt"),
    }  # fmt: skip
    assert needed <= values.keys()
