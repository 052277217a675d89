"""Our server under test: the real ``kampungnet serve``, real agents with real keys, real signed reports."""

import base64
import itertools
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, select

from kampungnet import tables
from kampungnet.core import clock, migrate
from kampungnet.core.database import Database
from kampungnet.devices import service as devices
from kampungnet.measurement import packing
from kampungnet.measurement.models import ReadingDay, YoungReading
from kampungnet.shared import wire
from kampungnet.villages import service as villages
from kampungnet.villages.models import Village
from kampungnet_agent.box import Box
from kampungnet_agent.credential import Credential
from kampungnet_agent.report import Sender, make_post
from kampungnet_agent.signing import signer_for
from kampungnet_agent.spool import Spooled
from tests.benchmarks.boxes import write_secret
from tests.benchmarks.http_load import Address, answers_ok
from tests.benchmarks.process import Child, program, running
from tests.support.ports import free_port

REGISTER = "klaten"
"""401 villages."""
BOOT_ID = "0b1fd0a3-2a53-4f62-8b44-5c0f4c1f9a11"
BOOTED_MS = clock.now_ms() - int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1000) - 10 * clock.DAY_MS
"""When every box of ours was switched on; wall and boot time of readings and reports agree with it.

Ten days before this kernel began: the same in each process, whenever it loads this."""


class SteadyBox(Box):
    """A box whose clock is true and whose boot is always the same; asking the kernel for each report costs."""

    def __init__(self) -> None:
        super().__init__()
        self.boot_id = BOOT_ID

    def clock_synchronised(self) -> bool:
        return True

    def boottime_ms(self) -> int:
        return self.wall_ms() - BOOTED_MS


@dataclass(frozen=True)
class Enrolled:
    """One agent the server knows, with the key only the box has."""

    agent: str
    village: str
    seed: bytes

    def sender(self, box: Box) -> Sender:
        """Return what the agent's own code builds reports with."""
        return Sender(self.agent, signer_for(self.seed), box)


@dataclass(frozen=True)
class Central:
    """The running server."""

    address: Address
    child: Child
    database_url: str

    @property
    def url(self) -> str:
        """Where agents report."""
        return f"http://{self.address.host}:{self.address.port}"

    def stored_readings(self) -> int:
        """Count the readings in the database, young and packed."""
        return stored_readings(self.database_url)


def sqlite_url(folder: Path) -> str:
    """Return the address of the embedded database of a data folder."""
    return f"sqlite:///{folder / 'kampungnet.db'}"


def prepare_sqlite(folder: Path, count: int, register: str = REGISTER) -> list[Enrolled]:
    """Make the embedded database and enrol ``count`` agents."""
    return prepare(sqlite_url(folder), count, register)


def prepare(database_url: str, count: int, register: str = REGISTER) -> list[Enrolled]:
    """Make the tables, import a register and enrol an agent in each of the first ``count`` villages."""
    tables.load()
    database = Database(database_url)
    migrate.migrate(database)
    now_ms = clock.now_ms()
    found: list[Enrolled] = []
    with database.writes() as db:
        with villages.register_path(register).open(encoding="utf-8-sig", newline="") as lines:
            villages.import_register(db, lines)
        for village in list(db.scalars(select(Village).order_by(Village.code).limit(count))):
            key = Ed25519PrivateKey.generate()
            public = key.public_key().public_bytes_raw()
            code = devices.issue_code(db, village, now_ms)
            db.flush()
            asked = wire.EnrolmentRequest(code=code, public_key=base64.b64encode(public).decode())
            agent, _ = devices.enrol(db, asked, public, now_ms)
            found.append(Enrolled(agent.id, village.code, key.private_bytes_raw()))
    database.close()
    return found


def write_credential(path: Path, enrolled: Enrolled, url: str) -> None:
    """Give a box the credential file that enrolling would have written."""
    key = base64.b64encode(enrolled.seed).decode()
    write_secret(path, msgspec.json.encode(Credential(enrolled.agent, enrolled.village, url, key)).decode())


@contextmanager
def serving(folder: Path, database_url: str | None = None, port: int | None = None) -> Iterator[Central]:
    """Run ``kampungnet serve`` for as long as the block lasts."""
    address = Address("127.0.0.1", port or free_port())
    with running("server", serve_command(folder, address.port), folder, database_env(database_url)) as child:
        child.wait_for("the server", lambda: answers_ok(address, "/readyz"), 60)
        yield Central(address, child, database_url or sqlite_url(folder))


def serve_command(folder: Path, port: int) -> list[str | Path]:
    """Return the command line of the server."""
    return [program("kampungnet"), "serve", "--port", str(port), "--data", folder]


def database_env(database_url: str | None) -> dict[str, str]:
    """Return what tells our commands to use PostgreSQL."""
    return {"KAMPUNGNET_DATABASE_URL": database_url} if database_url else {}


def stored_readings(database_url: str) -> int:
    """Count the readings in a database, young and packed."""
    database = Database(database_url)
    with database.reads() as db:
        young = db.scalar(select(func.count()).select_from(YoungReading)) or 0
        packed = db.scalar(select(func.sum(ReadingDay.readings))) or 0
    database.close()
    return int(young + packed)


def stored_payloads(database_url: str) -> Iterator[tuple[str, bytes]]:
    """Yield every reading in a database, young or packed: its agent, and the JSON as the box made it."""
    database = Database(database_url)
    with database.reads() as db:
        for agent, payload in db.execute(select(YoungReading.agent, YoungReading.payload)):
            yield agent, payload
        for agent, packed in db.execute(select(ReadingDay.agent, ReadingDay.packed)):
            for kept in packing.unpack(packed):
                yield agent, kept.payload
    database.close()


def request_of(sender: Sender, readings: Sequence[Spooled], health: wire.AgentHealth | None = None) -> bytes:
    """Return a whole HTTP request, signed by the agent's own code, ready for a socket."""
    parcel = make_post(sender, readings, health or wire.AgentHealth(version="bench", spool_readings=len(readings)))
    lines = [f"POST {wire.REPORTS_PATH} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(parcel.body)}"]
    lines += [f"{name}: {value}" for name, value in parcel.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + parcel.body


class Readings:
    """Router readings of 60 values each, numbered without a hole per agent; later ones differ as real ones do."""

    VALUES = 60

    def __init__(self, start_ms: int, device: str = "router", first: int = 1) -> None:
        self._start_ms, self._device = start_ms, device
        self._numbers = itertools.count(first)

    def next(self, step_ms: int = 50) -> Spooled:
        """Return the next reading as it lies in a spool; the instants are ``step_ms`` apart."""
        number = next(self._numbers)
        taken = self._start_ms + number * step_ms
        reading = wire.Reading(
            boot_id=BOOT_ID, sequence=number, device=self._device, taken_at_ms=taken,
            boottime_ms=taken - BOOTED_MS, outcome=wire.Outcome.OK, duration_ms=37,
            device_uptime_seconds=400_000 + number * 60, body=router_body(number),
        )  # fmt: skip
        return Spooled(number, msgspec.json.encode(reading))


def ont_reading(number: int, taken_ms: int) -> Spooled:
    """Return a reading of a healthy ONT as it lies in a spool."""
    body = wire.OntBody(
        model="PK-700", link_up=True, rx_power_dbm=-21.5, tx_power_dbm=2.1, temperature_celsius=44.0,
        interfaces=[_counters(place, number) for place in range(2)],
    )  # fmt: skip
    reading = wire.Reading(
        boot_id=BOOT_ID, sequence=number, device="ont", taken_at_ms=taken_ms, boottime_ms=taken_ms - BOOTED_MS,
        outcome=wire.Outcome.OK, duration_ms=12, device_uptime_seconds=400_000, body=body,
    )  # fmt: skip
    return Spooled(number, msgspec.json.encode(reading))


def router_body(number: int) -> wire.RouterBody:
    """Return a router's body with 60 numbers in it, moving as traffic moves."""
    # 5 interfaces with 9 counters, 5 of resources, 2 sensors, 2 pings with 2, 3 counts and the uptime outside.
    return wire.RouterBody(
        identity="Balai Desa", board="hEX", model="RB750Gr3", serial="HC1234567", version="7.20.4 (stable)",
        cpu_load_percent=number * 7 % 60, free_memory_bytes=190_000_000 - number * 4096 % 9_000_000,
        total_memory_bytes=268_435_456, free_storage_bytes=4_000_000, total_storage_bytes=16_777_216,
        sensors=[wire.Sensor("voltage", 24.1, "V"), wire.Sensor("temperature", 40.0 + number % 9, "C")],
        interfaces=[_counters(place, number) for place in range(5)], wan_interface="ether1", gateway="10.12.0.1",
        pings=[wire.Ping("gateway", "10.12.0.1", 3, 3), wire.Ping("internet", "1.1.1.1", 3, 3 - number % 2)],
        hotspot_sessions=number % 40, hotspot_hosts=number % 50, dhcp_leases=20 + number % 40,
    )  # fmt: skip


def _counters(place: int, number: int) -> wire.CounterReading:
    packets = 7_000_000 * (place + 1) + number * (811 + 37 * place)
    return wire.CounterReading(
        interface=f"ether{place + 1}", kind="ether", running=True, rx_bytes=packets * 911 + number % 811,
        tx_bytes=packets * 207 + number % 77, rx_packets=packets, tx_packets=packets * 2 // 3, rx_errors=0, tx_errors=0,
        rx_drops=number // 50, tx_drops=0, link_downs=3,
    )  # fmt: skip


def values_of(body: wire.RouterBody) -> list[tuple[str, str, float]]:
    """Return (name, label, value) of the 60 numbers, for peers that store a row per value."""
    found: list[tuple[str, str, float]] = [
        (name, "", float(getattr(body, name) or 0))
        for name in (
            "cpu_load_percent", "free_memory_bytes", "total_memory_bytes", "free_storage_bytes", "total_storage_bytes",
            "hotspot_sessions", "hotspot_hosts", "dhcp_leases",
        )
    ]  # fmt: skip
    found += [("sensor", one.name, one.value) for one in body.sensors]
    found += [(f"ping_{name}", one.target, float(getattr(one, name))) for one in body.pings
              for name in ("sent", "received")]  # fmt: skip
    for one in body.interfaces:
        found += [
            (name, one.interface, float(getattr(one, name)))
            for name in (
                "rx_bytes", "tx_bytes", "rx_packets", "tx_packets", "rx_errors", "tx_errors", "rx_drops", "tx_drops",
                "link_downs",
            )
        ]  # fmt: skip
    return [*found, ("device_uptime_seconds", "", 400_000.0)]
