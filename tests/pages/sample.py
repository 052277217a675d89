"""A whole kabupaten for the pages: the real register, made-up states, and a month behind some villages.

`python -m tests.pages.sample FOLDER` writes it to FOLDER/kampungnet.db with everybody's password
`PASSWORD`, for looking at the pages with one's own eyes.
"""

import math
import random
import sys
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import insert

from kampungnet import tables
from kampungnet.core import clock, migrate
from kampungnet.core.database import Base, Database
from kampungnet.core.security import hash_password
from kampungnet.devices.models import Agent, Device, Site
from kampungnet.measurement import slots
from kampungnet.measurement.models import SlotDay
from kampungnet.shared import wire
from kampungnet.staff.models import StaffMember
from kampungnet.staff.service import Role
from kampungnet.villages.service import import_register
from tests.pages import kinds, losses

REGENCY = "35.10"
REGISTER = Path(__file__).parent.parent.parent / "kampungnet/villages/register/villages-banyuwangi.csv"
PASSWORD = "pisang goreng hangat 17"
KAMPUNGANYAR, REJOSARI = "35.10.15.2012", "35.10.15.2001"
"""The villages of Pak Budi and of Bu Citra."""
HOSTILE = "<script>alert(1)</script>\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe"


@dataclass(frozen=True)
class Fate:
    """What has become of one village."""

    status: str = "up"
    minutes_ago: int = 0
    light: float | None = -21.4
    online: int | None = 7
    internet: bool | None = True
    outcome: str = "ok"


FATES = {
    KAMPUNGANYAR: Fate(online=12, light=-22.3),
    REJOSARI: Fate(online=4, light=-26.1),
    "35.10.01.2001": Fate("silent", minutes_ago=187),
    "35.10.04.2003": Fate("silent", minutes_ago=2 * 1440 + 50),
    "35.10.09.2002": Fate("silent", minutes_ago=42),
    "35.10.12.2005": Fate("down", internet=False, light=None),
    "35.10.16.1002": Fate("down", outcome="unreachable", online=None),
    "35.10.20.2001": Fate("down", internet=False),
    "35.10.22.2003": Fate(light=-27.8, online=3),
    "35.10.03.2001": Fate("never"),
    "35.10.24.2004": Fate("never"),
}


def fill(database: Database, now_ms: int, history: tuple[str, ...] = (KAMPUNGANYAR,), *, whole: bool = True) -> None:
    """Fill an empty database; without ``whole`` only with the villages of ``FATES``."""
    tables.load()
    if whole:
        migrate.migrate(database)
    else:
        Base.metadata.create_all(database.engine)  # those that are not there
    chance = random.Random(7)
    with database.writes() as db, REGISTER.open(encoding="utf-8") as lines:
        header, *register = lines
        chosen = [line for line in register if whole or line[:13] in FATES]
        import_register(db, [header, *chosen])
    with database.writes() as db:
        for code in (line[:13] for line in chosen):
            fate = FATES.get(code) or Fate(online=chance.randrange(24), light=round(chance.gauss(-20.5, 1.6), 1))
            if fate.status != "never":
                _village(db, code, fate, now_ms)
    with database.writes() as db:
        for code in history:
            if FATES.get(code, Fate()).status != "never":
                db.execute(insert(SlotDay), _history(code, now_ms, FATES.get(code, Fate())))
    if whole:
        kinds.add(database, now_ms)
        losses.add(database, now_ms)


def hire(database: Database) -> None:
    """Let the cast sign in: Ibu Sari sees all, Pak Budi and Bu Citra one village each, Pak Dedi audits.

    Bu Nur keeps the kabupaten's books; Pak Eko, Bu Hana and Pak Joko check, approve and pay in Pak Budi's village.
    """
    cast = (
        ("sari", "Ibu Sari", Role.ENGINEER, None, ""), ("budi", "Pak Budi", Role.OPERATOR, KAMPUNGANYAR, ""),
        ("citra", "Bu Citra", Role.OPERATOR, REJOSARI, ""), ("dedi", "Pak Dedi", Role.AUDITOR, None, ""),
        ("nur", "Bu Nur", Role.BUDGET, None, ""), ("eko", "Pak Eko", Role.BUDGET, KAMPUNGANYAR, "secretary"),
        ("hana", "Bu Hana", Role.BUDGET, KAMPUNGANYAR, "head"),
        ("joko", "Pak Joko", Role.BUDGET, KAMPUNGANYAR, "treasurer"),
    )  # fmt: skip
    with database.writes() as db:
        for username, name, role, village, duty in cast:
            db.add(
                StaffMember(
                    username=username, name=name, password_hash=_hash(), role=role, regency=REGENCY, village=village,
                    duty=duty, failed_logins=0, locked_until_ms=0,
                )
            )  # fmt: skip


@cache
def _hash() -> str:
    """One hash for the whole cast: each costs 70 ms on purpose."""
    return hash_password(PASSWORD)


def _village(db: Any, code: str, fate: Fate, now_ms: int) -> None:
    site, seen = f"{code}-1", now_ms - fate.minutes_ago * 60_000 - 20_000
    ok = fate.outcome == "ok"
    place = {"regency": REGENCY, "site": site}
    db.add(Site(regency=REGENCY, code=site, village=code, name="Balai desa"))
    db.flush()
    db.add(
        Agent(
            **place, id=f"AGENT-{code.replace('.', '')}", public_key=b"k" * 32, enrolled_ms=now_ms - 90 * clock.DAY_MS,
            board="Raspberry Pi 3B+", version="0.1.0", last_report_ms=seen, clock_offset_ms=120,
            clock_synchronised=True, spool_readings=3,
        )
    )  # fmt: skip
    router = wire.RouterBody(
        identity=HOSTILE if code == KAMPUNGANYAR else f"Balai {code}", board="hEX S", model="RB760iGS",
        version="7.16.2 (stable)", wan_interface="ether1", hotspot_sessions=fate.online,
    )  # fmt: skip
    ont = wire.OntBody(model="F660", version="V7.0.10", rx_power_dbm=fate.light, no_light=fate.light is None)
    ok_ms = seen if ok else seen - 3 * 3_600_000
    common = {"detail": "", "last_reading_ms": seen, "uptime_seconds": 1_036_800 + 7_300}
    db.add(
        Device(
            **place, **common, name="router", kind="router", outcome=fate.outcome, last_ok_ms=ok_ms,
            internet_up=fate.internet, hotspot_sessions=fate.online, body=msgspec.json.encode(router),
        )
    )  # fmt: skip
    db.add(
        Device(
            **place, **common, name="ont", kind="ont", outcome="ok", last_ok_ms=seen, rx_power_dbm=fate.light,
            no_light=fate.light is None, body=msgspec.json.encode(ont),
        )
    )  # fmt: skip


def _history(code: str, now_ms: int, fate: Fate) -> list[dict[str, Any]]:
    chance = random.Random(code)
    zone = clock.zone_of(REGENCY)
    today, rows = clock.local_day(now_ms, zone), []
    last_ms = now_ms - fate.minutes_ago * 60_000
    for day in clock.days_between(today - timedelta(days=30), today):
        start = clock.day_start_ms(day, zone)
        series = _day(start, min(start + clock.DAY_MS, last_ms - slots.SLOT_MS), chance, fate)
        for (device, name), values in series.items():
            rows.append(
                {"regency": REGENCY, "site": f"{code}-1", "device": device, "day": day, "series": name,
                 "slots": slots.pack(values, start)}
            )  # fmt: skip
    return rows


def _day(start: int, end: int, chance: random.Random, fate: Fate) -> dict[tuple[str, str], dict[int, int]]:
    silent = chance.randrange(60, 230) if chance.random() < 0.2 else None
    cut = chance.randrange(288) if chance.random() < 0.15 else None
    weather = chance.gauss(0, 0.25)
    found: dict[tuple[str, str], dict[int, int]] = {}
    for number, at in enumerate(range(start, end, slots.SLOT_MS)):
        if silent is not None and silent <= number < silent + 17:
            continue
        hour = number / 12
        busy = 0.12 + math.exp(-(((hour - 10) / 3.2) ** 2)) * 0.6 + math.exp(-(((hour - 19.5) / 2.4) ** 2))
        is_cut = cut is not None and cut <= number < cut + 5
        down = 0 if is_cut else int(busy * (0.6 + chance.random() * 0.8) * 14e6 / 8 * 300)
        values = {
            ("router", "status"): slots.INTERNET_DOWN if is_cut else slots.UP, ("router", "readings"): 5,
            ("router", "rx_bytes/ether1"): down, ("router", "tx_bytes/ether1"): down // 7,
            ("router", "rx_bytes/bridge"): down // 7, ("router", "tx_bytes/bridge"): down,
            ("router", "hotspot_sessions"): round(busy * 13 * (0.8 + chance.random() * 0.4)),
            ("router", "latency_us"): 18_000 + chance.randrange(9_000), ("router", "cpu_percent"): 12,
            ("ont", "readings"): 5,
        }  # fmt: skip
        if fate.light is not None:
            values["ont", "rx_power_mdbm"] = round((fate.light + weather + chance.gauss(0, 0.06)) * 1000)
        for key, value in values.items():
            found.setdefault(key, {})[at] = value
    return found


def main(folder: Path) -> None:
    database = Database(f"sqlite:///{folder / 'kampungnet.db'}")
    fill(database, clock.now_ms(), history=tuple(FATES))
    hire(database)
    database.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
