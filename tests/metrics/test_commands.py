"""`kampungnet push` and `resend` as people run them: what they say, and that only one pushes."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from kampungnet import cli
from kampungnet.core.database import Database
from kampungnet.core.lock import only_one
from tests.support.ports import free_port
from tests.support.server import enrolled, ingested

COMMAND: Final = [sys.executable, "-m", "kampungnet.cli"]
URL: Final = "KAMPUNGNET_REMOTE_WRITE_URL"


def test_without_a_store_push_says_which_setting_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one sentence."""
    monkeypatch.delenv(URL, raising=False)
    assert cli.main(["push", "--data", str(tmp_path)]) == 1
    assert URL in capsys.readouterr().err
    assert cli.main(["push", "--status", "--data", str(tmp_path)]) == 0
    assert "Nothing was ever pushed" in capsys.readouterr().out


def test_status_tells_of_a_store_that_is_down_and_resend_says_what_to_do(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nobody listens nothing is lost and nothing is claimed; SIGTERM ends it in order."""
    box = enrolled(sqlite_database)
    ingested(sqlite_database, box.request(box.report(box.reading())))
    folder = str(Path(str(sqlite_database.engine.url.database)).parent)
    url = f"http://127.0.0.1:{free_port()}/api/v1/write"
    monkeypatch.setenv(URL, url)
    process = subprocess.Popen([*COMMAND, "push", "--data", folder], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert "takes nothing now" in process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    process.stderr.close()
    assert cli.main(["push", "--status", "--data", folder]) == 0
    told = capsys.readouterr().out
    assert f"{url} 35.10: nothing yet, 0 samples taken" in told
    assert "ConnectionRefusedError" in told
    days = ["--from", "2026-01-01", "--to", "2030-01-01"]
    assert cli.main(["resend", *days, "--village", "1", "--data", folder]) == 1
    assert "register" in capsys.readouterr().err


def test_only_one_pushes_and_another_takes_over_when_it_ends(database: Database) -> None:
    """By a lock of the file, or of the database server."""
    with only_one(database, "push", lambda: False) as first:
        assert first
        with only_one(database, "push", lambda: False) as second:
            assert not second
    with only_one(database, "push", lambda: False) as third:
        assert third
