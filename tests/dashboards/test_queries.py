"""Every query of every board returns rows: from a real Prometheus, and a real PostgreSQL with the demo's data."""

import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege, ReadOnlySqlTransaction
from sqlalchemy import text

from dashboards.grafana import build
from kampungnet import tables
from kampungnet.core import clock, migrate
from kampungnet.core.certificate import CERTIFICATE
from kampungnet.core.database import Base, Database
from kampungnet.demo import cast, run
from kampungnet.devices import service as devices
from tests.agent.test_line_tls import certificate_for_loopback
from tests.architecture.sources import expect_none
from tests.dashboards import stores
from tests.dashboards.asked import Asked, as_promql, as_sql, following, queries
from tests.dashboards.stores import Prometheus
from tests.support import postgres
from tests.support.server import serving, url_of

READER: Final = build.FOLDER.parents[1] / "reader.sql"
ROLE: Final = "kampungnet_reader"
MAY_BE_EMPTY: Final[dict[tuple[str, str], str]] = {}
"""Queries that return nothing here, and why."""


@pytest.fixture(scope="module")
def database(postgresql_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    tables.load()
    with postgres.database(postgresql_url, f"boards_{os.getpid()}") as url:
        opened = Database(url, tmp_path_factory.mktemp("boards") / "kampungnet.key")
        migrate.migrate(opened)
        with psycopg.connect(postgres.for_superuser(url), autocommit=True) as db:
            db.execute(READER.read_text().encode())
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def chosen(database: Database) -> cast.Cast:
    return stores.fill(database)


@pytest.fixture(scope="module")
def prometheus(database: Database, chosen: cast.Cast, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    boxes = stores.enrol_living(database, chosen)
    with pytest.MonkeyPatch.context() as patch, serving(database) as server:
        patch.setenv(CERTIFICATE, str(certificate_for_loopback(tmp_path_factory.mktemp("tls"), 30)))
        stores.report(server, boxes, 1)
        with stores.prometheus(tmp_path_factory.mktemp("prometheus"), server, database) as running:
            for number in range(2, 2 + stores.ROUNDS):
                time.sleep(1)
                stores.report(server, boxes, number)
            for what, number in (("kampungnet_device_up", len(boxes) + 1), (stores.RECORDED_LAST, 1)):
                stores.wait_until(partial(running.has, f"{what} offset 2s", number))
            yield running


@pytest.fixture(scope="module")
def reader(database: Database, prometheus: Prometheus) -> Iterator["psycopg.Connection[Any]"]:
    """What Grafana has: the role that only reads views; the data is all there."""
    with psycopg.connect(_plain(database, ROLE), autocommit=True) as db:
        yield db


def _plain(database: Database, role: str = "") -> str:
    url = url_of(database).replace("+psycopg", "")
    return url.replace("kampungnet@", f"{role}@", 1) if role else url


def _values(chosen: cast.Cast, reader: "psycopg.Connection[Any]") -> dict[str, list[str]]:
    """Return what is chosen on the boards, and what follows from it."""
    districts = sorted({code[:8] for code in chosen.codes})
    found = {
        "kabupaten": [run.REGENCY], "kecamatan": districts, "desa": [chosen.trunk[0]],
        "tahun": [f"{clock.local(clock.now_ms(), clock.WIB):%Y}"],
    }  # fmt: skip
    for name, sql in following().items():
        found[name] = [value for _, value in _read(sql, found, reader).fetchall()]
    return found


def _read(sql: str, values: dict[str, list[str]], reader: "psycopg.Connection[Any]") -> "psycopg.Cursor[Any]":
    now = datetime.now(UTC)
    first, last = (f"{one:%Y-%m-%dT%H:%M:%SZ}" for one in (now - timedelta(days=30), now))
    return reader.execute(as_sql(sql, values, first, last).encode())


def _rows(asked: Asked, values: dict[str, list[str]], prometheus: Prometheus, reader: "psycopg.Connection[Any]") -> int:
    if not asked.is_sql:
        start = time.time() - 60 if asked.is_series else None
        return len(prometheus.ask(as_promql(asked.text, values), start))
    found = _read(asked.text, values, reader)
    rows = found.fetchall()
    assert found.description
    if asked.is_series:
        assert found.description[0].name == "time", "Grafana draws by it"
        assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert len({one.name for one in found.description}) == len(found.description), "a column is named twice"
    return sum(any(one is not None for one in row) for row in rows)


def _rows_in_time(
    asked: Asked, values: dict[str, list[str]], prometheus: Prometheus, reader: "psycopg.Connection[Any]", until: float
) -> int:
    """Return how many rows there are, once there are any: a rule of Prometheus may be a moment behind."""
    while not (rows := _rows(asked, values, prometheus, reader)) and not asked.is_sql and time.monotonic() < until:
        time.sleep(0.2)
    return rows


def test_every_query_returns_rows(
    chosen: cast.Cast, prometheus: Prometheus, reader: "psycopg.Connection[Any]", capsys: pytest.CaptureFixture[str]
) -> None:
    values = _values(chosen, reader)
    until = time.monotonic() + 60
    found = [(asked, _rows_in_time(asked, values, prometheus, reader, until)) for asked in queries()]
    with capsys.disabled():
        table = (f"{one.board:16} {'SQL' if one.is_sql else 'PromQL':6} {rows:5}  {one.panel}" for one, rows in found)
        sys.stdout.write("\n" + "\n".join(table) + "\n")
    expect_none(
        f"{asked.board} {asked.panel}: {asked.text}" for asked, rows in found
        if not rows and (asked.board, asked.panel) not in MAY_BE_EMPTY
    )  # fmt: skip


def test_every_reading_of_a_village_reached_prometheus_once_with_its_own_time(
    database: Database, chosen: cast.Cast, prometheus: Prometheus
) -> None:
    """A day that was at rest and what came since, of a village that reports and of one that is dark."""
    for village in (chosen.trunk[0], chosen.dark):
        _all_arrived(prometheus, village, stores.measured(database, village))


def _all_arrived(prometheus: Prometheus, village: str, in_database: list[tuple[str, int]]) -> None:
    assert max(at for _, at in in_database) - min(at for _, at in in_database) > clock.DAY_MS / 2
    stores.wait_until(lambda: len(_pushed(prometheus, village)) >= len(in_database))
    assert _pushed(prometheus, village) == in_database


def _pushed(prometheus: Prometheus, village: str) -> list[tuple[str, int]]:
    """Return device and instant (ms) of every sample that Prometheus has of a village's polls."""
    series = prometheus.ask(f'kampungnet_device_up{{village="{village}"}}[3d]')
    return sorted((one["metric"]["device"], round(at * 1000)) for one in series for at, _ in one["values"])


def test_what_devices_said_came_as_by_remote_write_and_is_drawn_once_when_it_is_scraped_too(
    prometheus: Prometheus,
) -> None:
    pushed = prometheus.ask("kampungnet_device_up")
    assert not any({"job", "instance"} & set(one["metric"]) for one in pushed)
    scraped = 'label_replace(kampungnet_device_up, "job", "b", "", "")'
    assert len(prometheus.ask(f"{scraped} or kampungnet_device_up")) == 2 * len(pushed)
    assert len(prometheus.ask(f"max without (job, instance) ({scraped} or kampungnet_device_up)")) == len(pushed)


def test_the_reader_sees_views_and_no_table_and_writes_nothing(reader: "psycopg.Connection[Any]") -> None:
    granted = reader.execute(
        "SELECT table_name FROM information_schema.role_table_grants WHERE grantee = %s", [ROLE]
    ).fetchall()
    assert granted
    assert all(name.endswith("_read") for (name,) in granted)
    for table in Base.metadata.tables:
        with pytest.raises(InsufficientPrivilege):
            reader.execute(f"SELECT * FROM {table} LIMIT 1".encode())
    with pytest.raises(ReadOnlySqlTransaction):
        reader.execute(b"CREATE TABLE mine (a int)")


def test_every_view_for_people_is_granted_and_shows_nothing_secret(reader: "psycopg.Connection[Any]") -> None:
    columns = reader.execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    ).fetchall()
    views = {view for view, _ in columns}
    assert len(views) >= 14
    for view in views:
        assert reader.execute(f"SELECT count(*) FROM {view}".encode()).fetchone() is not None
    secret = ("password", "hash", "key", "mac", "guest", "token", "voucher_", "document", "body", "username")
    assert [one for _, one in columns if one.startswith(secret) or one.endswith(secret)] == []


def test_states_in_sql_are_those_of_the_servers_own_pages(database: Database, prometheus: Prometheus) -> None:
    with database.reads() as db:
        told = {one.village.code: (one.status.value, one.rx_power_dbm) for one in
                devices.village_states(db, run.REGENCY, clock.now_ms())}  # fmt: skip
        shown = db.execute(text("SELECT village, status, rx_power_dbm FROM villages_read")).all()
    assert {village: (status, light) for village, status, light in shown} == told
    assert {status for status, _ in told.values()} == {"up", "down", "silent", "never"}


def test_a_portal_with_few_people_has_no_numbers(database: Database, chosen: cast.Cast) -> None:
    key = {"site": f"{chosen.codes[0]}-1"}
    with database.writes() as db:
        day = db.scalar(text("SELECT max(day) FROM hotspot_days WHERE site = :site"), key)
        people = db.scalar(
            text("SELECT people FROM hotspot_days WHERE site = :site AND day = :day"), key | {"day": day}
        )
    for number, shown in ((4, None), (5, 5), (people, people)):
        with database.writes() as db:
            set_people = "UPDATE hotspot_days SET people = :people WHERE site = :site AND day = :day"
            db.execute(text(set_people), key | {"day": day, "people": number})
            row = "SELECT people, sessions IS NULL FROM hotspot_days_read WHERE site = :site AND day = :day"
            assert tuple(db.execute(text(row), key | {"day": day}).one()) == (shown, shown is None)
