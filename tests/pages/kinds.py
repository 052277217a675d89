"""Four villages with other devices than a router and an ONT that tells: put over the sample regency."""

import random
from typing import Any

from sqlalchemy import delete, insert

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.devices import onus
from kampungnet.devices.models import Agent, Device
from kampungnet.devices.service import NewState, record_state
from kampungnet.measurement import slots
from kampungnet.measurement.models import SlotDay
from kampungnet.shared import wire
from kampungnet.villages import service as villages

REGENCY = "35.10"
DECLINING, OLT_ONLY, CAMERA, MUTE = "35.10.04.2006", "35.10.08.2007", "35.10.11.2002", "35.10.14.2004"
HEAD_END = "35.10.15.2001"
"""Where the box stands that asks the provider's OLT."""
SERIAL, STRAY, DOUBLED = "ZTEGC7654321", "HWTC0A1B2C3D", "FHTT00C0FFEE"
SEARCHED = "ZTEG0BADCAFE"
DAYS = 75
MONTH_DB = -1.4


def add(database: Database, now_ms: int) -> None:
    """Change the four villages, and let an OLT be seen from a fifth."""
    seen = now_ms - 20_000
    with database.writes() as db:
        for code in (OLT_ONLY, MUTE):
            db.execute(
                delete(Device).where(Device.regency == REGENCY, Device.site == f"{code}-1", Device.name == "ont")
            )
        gone = (Device.regency == REGENCY, Device.site == f"{OLT_ONLY}-1")
        db.execute(delete(Device).where(*gone))
        db.execute(delete(Agent).where(Agent.regency == REGENCY, Agent.site == f"{OLT_ONLY}-1"))
        for serial, code in ((SERIAL, OLT_ONLY), (DOUBLED, DECLINING)):
            onus.assign(db, villages.village(db, code), serial, "sari", now_ms - 40 * clock.DAY_MS)
        for reading in (_olt("olt"), _olt("olt-timur")):
            record_state(db, [NewState(REGENCY, f"{HEAD_END}-1", seen, reading)])
        for code, reading in _readings():
            record_state(db, [NewState(REGENCY, f"{code}-1", seen + 1000, reading)])
        db.execute(insert(SlotDay), [*_light(DECLINING, "ont", now_ms), *_light(OLT_ONLY, "ont@olt", now_ms, 40, 0.0)])
        db.execute(insert(SlotDay), _camera_traffic(now_ms))


def _reading(device: str, body: wire.Body | None) -> wire.Reading:
    outcome = wire.Outcome.OK if body else wire.Outcome.UNREACHABLE
    return wire.Reading("kinds", 1, device, 0, 0, outcome, 40, device_uptime_seconds=200_000, body=body)


def _olt(name: str) -> wire.Reading:
    onu = wire.Onu(
        SERIAL, "gpon-onu_1/2/1:5", wire.OnuState.ONLINE, rx_power_dbm=-22.4, tx_power_dbm=2.1, olt_rx_power_dbm=-24.0,
        light_age_seconds=540, distance_metres=4235, last_down_cause=wire.DownCause.DYING_GASP,
        last_down="2026-11-20 07:12:45",
    )  # fmt: skip
    others = [wire.Onu(DOUBLED, "gpon-onu_1/2/1:9", wire.OnuState.ONLINE, rx_power_dbm=-24.6)]
    if name == "olt":
        others += [onu, wire.Onu(STRAY, "gpon-onu_1/2/2:1", wire.OnuState.LOS)]
    return _reading(
        name,
        wire.OltBody(
            "C320",
            "V2.1.0",
            wire.Grade.FROM_MIB,
            others,
            missing=[f"onus: 1 still searched for, 40 rows seen: {SEARCHED}"],
        ),
    )


def _readings() -> list[tuple[str, wire.Reading]]:
    ping = wire.Ping("device", "192.168.88.20", 3, 3, 4.3)
    port = wire.CounterReading("eth0", rx_bytes=10, tx_bytes=20)
    camera = wire.HostBody(
        wire.Purpose.CAMERA, "Pintu depan", "DS-2CD1023", "V5.7.3", [ping],
        [wire.Service("rtsp", 554, answers=True, milliseconds=12.0), wire.Service("http", 80, answers=False)], [port],
    )  # fmt: skip
    point = wire.HostBody(wire.Purpose.ACCESS_POINT, "AP aula", "EAP225", pings=[ping], wireless_clients=9)
    router = wire.RouterBody(
        identity="balai", board="hAP lite", version="6.49.18", wan_interface="ether1", hotspot_sessions=1,
        licence_level="3", hotspot_allowed=False, installed_version="6.49.18", latest_version="6.49.19",
        firmware="6.47", firmware_available="6.49.18", fasttrack=True, queues=[wire.Queue("tamu")],
        hotspots=[wire.HotspotServer("hotspot1", "bridge-hotspot", invalid=True)],
        pings=[wire.Ping("internet", "1.1.1.1", 3, 3, 23.4)],
        missing=["ping internet: not enough permissions (right: test)", "capsman: no such menu on this router"],
    )  # fmt: skip
    declining = wire.OntBody(
        "F660", version="V7.0.10", rx_power_dbm=-24.4, tx_power_dbm=2.2, link_up=True, grade=wire.Grade.RECORDED
    )
    return [
        (DECLINING, _reading("ont", declining)), (CAMERA, _reading("camera", camera)),
        (CAMERA, _reading("ap", point)), (CAMERA, _reading("camera-2", None)),
        (MUTE, _reading("router", router)), (MUTE, _reading("ont", wire.OntBody("HG6145F", version="RP2631"))),
    ]  # fmt: skip


def _light(code: str, device: str, now_ms: int, days: int = DAYS, month_db: float = MONTH_DB) -> list[dict[str, Any]]:
    chance = random.Random(code)
    now = -24.4 if month_db else -22.4
    weather = [chance.gauss(0, 0.2) for _ in range(days + 1)]
    return _days(code, device, now_ms, days, lambda back: {
        "rx_power_mdbm": lambda: round((now - month_db * back / 30 + weather[back] + chance.gauss(0, 0.08)) * 1000),
        "readings": lambda: 5,
    })  # fmt: skip


def _camera_traffic(now_ms: int) -> list[dict[str, Any]]:
    return _days(CAMERA, "camera", now_ms, 2, lambda _: {
        "rx_bytes/eth0": lambda: 400_000, "tx_bytes/eth0": lambda: 90_000_000, "readings": lambda: 5,
    })  # fmt: skip


def _days(code: str, device: str, now_ms: int, days: int, made: Any) -> list[dict[str, Any]]:
    zone, rows = clock.zone_of(REGENCY), []
    today = clock.local_day(now_ms, zone)
    for back in range(days, -1, -1):
        day = type(today).fromordinal(today.toordinal() - back)
        start = clock.day_start_ms(day, zone)
        places = range(start, min(start + clock.DAY_MS, now_ms), slots.SLOT_MS)
        rows += [
            {"regency": REGENCY, "site": f"{code}-1", "device": device, "day": day, "series": name,
             "slots": slots.pack({at: value() for at in places}, start)} for name, value in made(back).items()
        ]  # fmt: skip
    return rows
