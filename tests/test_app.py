"""The server as one application: its OpenAPI page, health, and what it says when its database is gone."""

import errno
import os
import socket
import subprocess
import sys
import threading
import time
import tomllib
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from kampungnet.app import VERSION
from kampungnet.core import jobs, migrate
from kampungnet.core.database import Database
from kampungnet.shared import wire
from kampungnet.upkeep import Upkeep
from tests.architecture.sources import ROOT
from tests.support.ports import free_port
from tests.support.server import Box, Running, serving, serving_process, where


def _openapi(server: Running) -> dict[str, Any]:
    answer = server.send("GET", "/api/openapi.json")
    assert answer.status == 200
    page: dict[str, Any] = msgspec.json.decode(answer.body)
    return page


def test_the_wires_own_schema_stands_on_the_openapi_page(server: Running) -> None:
    page = _openapi(server)
    kinds = (wire.Report, wire.Receipt, wire.EnrolmentRequest, wire.EnrolmentAnswer, wire.Problem)
    _, parts = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    assert {name: page["components"]["schemas"].get(name) for name in parts} == parts
    assert {"Report", "Reading", "RouterBody", "OntBody", "CounterReading", "AgentHealth", "Receipt"} <= set(parts)
    fields = {field.name for field in msgspec.structs.fields(wire.Reading)}
    assert set(parts["Reading"]["properties"]) == fields


def test_every_reference_of_the_openapi_page_leads_somewhere(server: Running) -> None:
    page = _openapi(server)

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [one for inner in value.values() for one in references(inner)]
        return [one for inner in value for one in references(inner)] if isinstance(value, list) else []

    for reference in references(page):
        found: Any = page
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]


def test_each_operation_says_what_it_is_and_what_can_go_wrong(server: Running) -> None:
    paths = _openapi(server)["paths"]
    report = paths[wire.REPORTS_PATH]["post"]
    assert {"200", "400", "401", "413", "422", "426", "503", "default"} == set(report["responses"])
    assert {"201", "400", "401", "404"} <= set(paths[wire.ENROLMENTS_PATH]["post"]["responses"])
    for path, operations in paths.items():
        for operation in operations.values():
            assert operation["summary"], path


def test_health_and_readiness_say_yes(server: Running) -> None:
    assert (server.send("GET", "/healthz").status, server.send("GET", "/readyz").status) == (200, 200)


def test_a_database_of_another_version_is_not_ready(database: Database, server: Running) -> None:
    with database.writes() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    assert server.send("GET", "/readyz").status == 503
    assert server.send("GET", "/healthz").status == 200
    with database.writes() as db:
        db.execute(text("UPDATE alembic_version SET version_num = :newest"), {"newest": migrate.newest()})


def test_without_its_database_the_server_lives_and_says_503(box: Box) -> None:
    gone = Database(f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/nothing?connect_timeout=2")
    with serving(gone) as server:
        assert server.send("GET", "/healthz").status == 200
        assert server.send("GET", "/readyz").status == 503
        answer = server.report(box, box.reading())
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        answer.sentence()
    gone.close()


def test_an_unknown_address_is_404_also_under_the_api(server: Running) -> None:
    assert server.send("GET", "/api/v1/nothing").status == 404
    assert server.send("POST", wire.REPORTS_PATH + "/", b"{}").status in {404, 405, 403}


def test_the_server_says_in_a_sentence_that_its_port_is_taken(sqlite_database: Database) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = [sys.executable, "-m", "kampungnet.cli", "serve", "--port", str(taken.getsockname()[1])]
        ended = subprocess.run(
            [*command, *where(sqlite_database)], capture_output=True, text=True, timeout=120, check=False
        )
    assert ended.returncode == 1
    assert ended.stderr.startswith("kampungnet: Nobody can listen on 127.0.0.1, port ")
    assert len(ended.stderr.splitlines()) == 1
    assert "Traceback" not in ended.stderr


def test_the_server_ends_cleanly_when_told_and_logs_nothing_in_a_quiet_life(
    sqlite_database: Database, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving_process(sqlite_database) as (server, process):
        server.send("GET", "/healthz")
        process.terminate()
        process.wait(timeout=60)
    written = capfd.readouterr()
    assert (written.out, written.err) == ("", "")


def test_the_version_that_the_server_names_is_that_of_its_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == VERSION


def test_upkeep_ends_when_told(sqlite_database: Database) -> None:
    upkeep = Upkeep(sqlite_database)
    upkeep.close()
    assert not upkeep._thread.is_alive()


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:9090/api/v1/write"])
def test_upkeep_expects_the_jobs_of_the_clock_and_a_push_where_a_store_is_named(
    url: str, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAMPUNGNET_REMOTE_WRITE_URL", url)
    monkeypatch.setattr("kampungnet.upkeep.INTERVAL_SECONDS", 0.05)
    upkeep = Upkeep(sqlite_database)
    names: set[str] = set()
    until = time.monotonic() + 60
    while not names:
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.05)
        with sqlite_database.reads() as db:
            names = {one.name for one in jobs.known(db)}
    upkeep.close()
    assert names == {*jobs.PATIENCE_MS, *([jobs.PUSH] if url else [])}


def test_upkeep_goes_on_after_the_disk_failed_it(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    waits, again = [], threading.Event()
    really = os.fdatasync

    def broken_once(file: int) -> None:
        waits.append(file)
        if len(waits) == 1:
            raise OSError(errno.EIO, "the disk is broken")
        really(file)
        again.set()

    monkeypatch.setattr(os, "fdatasync", broken_once)
    monkeypatch.setattr("kampungnet.upkeep.INTERVAL_SECONDS", 0.05)
    upkeep = Upkeep(sqlite_database)
    assert again.wait(timeout=60)
    upkeep.close()


def test_the_server_needs_nothing_of_the_agent(sqlite_database: Database) -> None:
    check = "import sys, importlib, kampungnet.cli; [importlib.import_module('kampungnet.' + m) for m in kampungnet.cli.COMMANDS]; print([m for m in sys.modules if m.split('.')[0] in ('kampungnet_agent', 'kampungnet_sim', 'librouteros', 'pysnmp', 'paramiko')])"  # noqa: E501 -- one command
    shown = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True, env=os.environ)
    assert shown.stdout.strip() == "[]"
