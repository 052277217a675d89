"""The commands and the JSON of statements, from books and closed months to a file that proves itself."""

import json
from pathlib import Path

import pytest

from kampungnet import cli
from kampungnet.app import Server
from kampungnet.billing.document import from_file
from tests.billing.story import CONTRACT
from tests.pages.cast import browser, signed_in
from tests.pages.sample import KAMPUNGANYAR


def test_a_month_is_closed_written_and_verified_on_the_command_line(
    target: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "july.json"
    wanted = ["statement", "--village", KAMPUNGANYAR, "--period", "2026-07", "--output", str(file), *target]
    assert cli.main(wanted) == 1
    assert "run close-month first" in capsys.readouterr().err
    assert cli.main(["close-month", "2026-07", *target]) == 0
    assert "2026-07: 1 new or renewed draft." in capsys.readouterr().out
    assert cli.main(["close-month", "2026-07", "--regency", "35.10", *target]) == 0
    assert "2026-07: 1 draft." in capsys.readouterr().out
    assert cli.main(["close-month", "2026-07", "--regency", "11.01", *target]) == 1
    assert cli.main(wanted) == 0
    assert from_file(file.read_bytes())[0].total == 2_743_073
    capsys.readouterr()
    assert cli.main(["verify", str(file)]) == 0
    assert "Rp2.743.073 comes out of its own facts" in capsys.readouterr().out


def test_closing_a_month_before_any_village_is_known_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["close-month", "last", "--data", str(tmp_path)]) == 1
    assert "No kabupaten is in the register: import its villages first." in capsys.readouterr().err


def test_a_changed_file_is_named_with_the_line_that_differs(
    target: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, other = tmp_path / "july.json", tmp_path / "other.json"
    cli.main(["close-month", "2026-07", *target])
    cli.main(["statement", "--village", KAMPUNGANYAR, "--period", "2026-07", "--output", str(file), *target])
    changed = json.loads(file.read_bytes())
    line = next(one for one in changed["statement"]["lines"] if one["kind"] == "credit")
    line["rupiah"] += 10_000
    file.write_text(json.dumps(changed))
    other.write_text("{}")
    capsys.readouterr()
    assert cli.main(["verify", str(file), str(other)]) == 1
    told = capsys.readouterr().err
    assert "its hash is another" in told
    assert "credit" in told
    assert "-28763" in told.replace(".", "")
    assert "other.json: is no statement" in told


async def test_programs_get_the_file_that_verifies_and_strangers_nothing(target: list[str], server: Server) -> None:
    assert cli.main(["close-month", "2026-07", *target]) == 0
    nur = await signed_in(server, "nur")
    (one,) = (await nur.get("/data/v1/statements", params={"month": "2026-07"})).json()
    assert (one["contract"], one["state"], one["number"], one["judged"]) == (CONTRACT, "draft", "", True)
    answer = await nur.get(f"/data/v1/statements/{CONTRACT}/2026-07")
    document, hash_is_right = from_file(answer.content)
    assert hash_is_right
    assert (document.total, answer.headers["x-statement-state"]) == (one["total_rupiah"], "draft")
    citra = await signed_in(server, "citra")
    assert (await citra.get("/data/v1/statements", params={"month": "2026-07"})).json() == []
    for asked in (f"{CONTRACT}/2026-07", "35.10.99.2001-1/2026-07"):
        assert (await citra.get(f"/data/v1/statements/{asked}")).status_code == 404
    assert (await nur.get("/data/v1/statements", params={"month": "2026-13"})).status_code == 422
    assert (await browser(server).get(f"/data/v1/statements/{CONTRACT}/2026-07")).status_code == 401
