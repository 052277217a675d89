"""`kampungnet push` and `resend` as people run them: what they say, and that only one pushes."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

from kampungnet.core.database import Database
from kampungnet.core.lock import only_one
from tests.support.ports import free_port
from tests.support.server import VILLAGE, enrolled, ingested

COMMAND: Final = [sys.executable, "-m", "kampungnet.cli"]
URL: Final = "KAMPUNGNET_REMOTE_WRITE_URL"


def _run(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *words, "--data", str(folder)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **environment}
    )


def test_without_a_store_push_says_which_setting_is_missing(tmp_path: Path) -> None:
    """In one sentence."""
    told = _run(tmp_path, "push")
    assert told.returncode == 1
    assert URL in told.stderr


def test_status_tells_of_a_store_that_is_down_and_resend_says_what_to_do(
    sqlite_database: Database, tmp_path: Path
) -> None:
    """Where nobody listens nothing is lost and nothing is claimed; SIGTERM ends it in order."""
    box = enrolled(sqlite_database)
    ingested(sqlite_database, box.request(box.report(box.reading())))
    file = Path(str(sqlite_database.engine.url.database))
    url = f"http://127.0.0.1:{free_port()}/api/v1/write"
    command = [*COMMAND, "push", "--data", str(file.parent)]
    process = subprocess.Popen(command, env={**os.environ, URL: url}, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert "takes nothing now" in process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    process.stderr.close()
    told = _run(file.parent, "push", "--status").stdout
    assert f"{url} 35.10: nothing yet, 0 samples taken" in told
    assert "ConnectionRefusedError" in told
    assert _run(tmp_path / "new", "push", "--status").stdout.startswith("Nothing was ever pushed")
    again = _run(file.parent, "resend", "--from", "2026-01-01", "--to", "2030-01-01", "--village", "1", **{URL: url})
    assert again.returncode == 1
    assert "register" in again.stderr
    assert VILLAGE not in again.stderr


def test_only_one_pushes_and_another_takes_over_when_it_ends(database: Database) -> None:
    """By a lock of the file, or of the database server."""
    with only_one(database, "push", lambda: False) as first:
        assert first
        with only_one(database, "push", lambda: False) as second:
            assert not second
    with only_one(database, "push", lambda: False) as third:
        assert third
