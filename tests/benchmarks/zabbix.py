"""A peer of the server: Zabbix 6.0's trapper with a PostgreSQL of its own, from Debian."""

import gzip
import json
import random
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.benchmarks.central import router_body, values_of
from tests.benchmarks.http_load import Address, Load, run
from tests.benchmarks.metric_stores import installed
from tests.benchmarks.process import Child, Unusable, running
from tests.support import postgres

SCHEMA = Path("/usr/share/zabbix-server-pgsql")
ANSWER = b"ZBXD"
DRAIN_SECONDS = 120.0
_SETTINGS = """
LogFile={folder}/zabbix.log
PidFile={folder}/zabbix.pid
SocketDir={folder}
DBHost=127.0.0.1
DBPort={db_port}
DBName=zabbix
DBUser=kampungnet
ListenIP=127.0.0.1
ListenPort={port}
AllowRoot=1
StartTrappers=16
StartPollers=1
StartPollersUnreachable=1
StartPingers=0
StartDiscoverers=0
StartHTTPPollers=0
StartDBSyncers=4
CacheSize=128M
HistoryCacheSize=256M
HistoryIndexCacheSize=64M
TrendCacheSize=64M
ValueCacheSize=64M
HousekeepingFrequency=0
FpingLocation=/usr/bin/fping
"""


@dataclass(frozen=True)
class Zabbix:
    """A running Zabbix server."""

    address: Address
    child: Child
    database: "psycopg.Connection[tuple[int, ...]]"

    def values(self) -> int:
        """Count the values that are really in its database."""
        row = self.database.execute("SELECT count(*) FROM history").fetchone()
        return row[0] if row else 0

    def load(self, plans: Sequence[Sequence[bytes]]) -> tuple[Load, float]:
        """Send the plans; return the load and the seconds until all values were in the database."""
        expected = self.values() + 60 * sum(len(plan) for plan in plans)
        began = time.perf_counter()
        load = run(self.address, plans, lasting=False)
        load.expect_only(ANSWER)
        while self.values() < expected:
            if time.perf_counter() - began > DRAIN_SECONDS:
                raise Unusable(f"Zabbix stored {self.values()} of {expected} values in {DRAIN_SECONDS:.0f} s")
            time.sleep(0.1)
        return load, time.perf_counter() - began


@contextmanager
def zabbix(folder: Path, hosts: Sequence[str]) -> Iterator[Zabbix]:
    """Run Zabbix with 60 trapper items on each host."""
    command = installed("zabbix_server", "zabbix-server-pgsql")
    programs = postgres.binaries()
    if programs is None:
        raise Unusable("PostgreSQL is not installed here (on Debian: apt install postgresql)")
    with postgres.server(programs) as server_url, postgres.database(server_url, "zabbix") as url:
        plain = url.replace("+psycopg", "")
        _load_schema(plain)
        with psycopg.connect(plain, autocommit=True) as database:
            _add_hosts(database, hosts)
            port = _low_port()
            settings = folder / "zabbix.conf"
            db_port = server_url.rpartition(":")[2]
            settings.write_text(_SETTINGS.format(folder=folder, db_port=db_port, port=port))
            with running("zabbix", [command, "--foreground", "-c", settings], folder) as child:
                found = Zabbix(Address("127.0.0.1", port), child, database)
                child.wait_for("Zabbix", lambda: _knows_items(found, hosts[-1]), 90)
                yield found


def request_of(host: str, number: int, at: int) -> bytes:
    """Return one report as zabbix_sender sends it."""
    data = [
        {"host": host, "key": key, "value": f"{value:g}", "clock": at, "ns": number}
        for key, (_, _, value) in zip(_keys(), values_of(router_body(number)), strict=True)
    ]
    body = json.dumps({"request": "sender data", "data": data, "clock": at}, separators=(",", ":")).encode()
    return b"ZBXD\x01" + struct.pack("<II", len(body), 0) + body


def _low_port() -> int:
    """Return a free port below 32768: Zabbix takes no other."""
    while True:
        with socket.socket() as probe:
            port = random.randint(20_000, 32_000)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def _keys() -> list[str]:
    return [f"{name}[{label}]" for name, label, _ in values_of(router_body(1))]


def _load_schema(url: str) -> None:
    psql = shutil.which("psql")
    if psql is None or not (SCHEMA / "schema.sql.gz").exists():
        raise Unusable("psql or Zabbix's schema is not installed here")
    for name in ("schema", "images", "data"):
        script = gzip.decompress((SCHEMA / f"{name}.sql.gz").read_bytes())
        command = [psql, "-q", "-v", "ON_ERROR_STOP=1", "-1", url]
        done = subprocess.run(command, input=script, capture_output=True, check=False, timeout=120)
        if done.returncode:
            raise Unusable(f"Zabbix's {name} could not be loaded: {done.stderr.decode()[-200:]}")


def _add_hosts(database: "psycopg.Connection[tuple[int, ...]]", hosts: Sequence[str]) -> None:
    database.execute("UPDATE hosts SET status = 1 WHERE status = 0")
    rows = [(900_000 + place, host, host) for place, host in enumerate(hosts)]
    items = [
        (90_000_000 + place * 100 + number, 900_000 + place, key, key)
        for place in range(len(hosts))
        for number, key in enumerate(_keys())
    ]
    with database.cursor() as cursor:
        cursor.executemany("INSERT INTO hosts (hostid, host, name) VALUES (%s, %s, %s)", rows)
        with cursor.copy("COPY items (itemid, hostid, name, key_, type, value_type) FROM STDIN") as copy:
            for item in items:
                copy.write_row((*item, 2, 0))
        with cursor.copy("COPY item_rtdata (itemid) FROM STDIN") as copy:
            for item in items:
                copy.write_row((item[0],))


def _knows_items(found: Zabbix, host: str) -> bool:
    """Say whether its configuration cache has our items: it then takes values for the last host."""
    before = found.values()
    try:
        run(found.address, [[request_of(host, 1, int(time.time()) - 3600)]], lasting=False)
    except OSError:
        return False
    time.sleep(2)
    return found.values() > before
