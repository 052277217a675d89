"""The kit of a village by the command line: its three files, what it refuses, and that it stands in the log."""

import re
import stat
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from kampungnet.cli import main
from kampungnet.core import migrate
from kampungnet.core.database import Database
from kampungnet.devices import kit_router
from kampungnet.devices.models import EnrolmentCode
from kampungnet.shared.kit import BoxKit
from kampungnet.staff.models import AuditEntry
from kampungnet_sim.fleet import FleetOptions
from kampungnet_sim.routeros_script import ScriptError, run_script
from tests.sim.stage import on_stage
from tests.support.poppler import said
from tests.support.scanner import scanned
from tests.support.server import VILLAGE, enrolled

SERVER = "https://kampungnet.example.go.id"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KAMPUNGNET_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("KAMPUNGNET_DATABASE_URL", raising=False)
    (tmp_path / "data").mkdir()
    assert main(["import-villages", "banyuwangi"]) == 0
    return tmp_path / "data"


def _make(folder: Path, *more: str) -> int:
    """Make a kit; what is said twice counts as it was said last."""
    return main(["kit", "--village", VILLAGE, "--output", str(folder), "--server", SERVER, *more])


def _database(data: Path) -> Database:
    database = Database(f"sqlite:///{data / 'kampungnet.db'}", data / "kampungnet.key")
    migrate.migrate(database)
    return database


def test_a_kit_is_a_paper_and_two_closed_files_and_stands_in_the_log(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "kit"
    assert _make(folder) == 0
    printed = capsys.readouterr().out
    kit = msgspec.json.decode((folder / f"kotak-{VILLAGE}.kit").read_bytes(), type=BoxKit)
    assert (kit.village, kit.server, kit.box_address) == (VILLAGE, SERVER, "192.168.88.5")
    script = (folder / f"router-{VILLAGE}.rsc").read_text()
    secrets = {kit.code, kit.poller_password, kit.keeper_password}
    assert len(secrets) == 3
    assert secrets - {kit.code} == set(re.findall(r"password=(\S+)", script))
    assert not any(secret in printed for secret in secrets)
    modes = {path.suffix: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert (modes[".kit"], modes[".rsc"], len(modes)) == (0o600, 0o600, 3)
    with _database(data).reads() as db:
        (act,) = db.scalars(select(AuditEntry).where(AuditEntry.what == "box.kit")).all()
        (code,) = db.scalars(select(EnrolmentCode)).all()
    assert (act.what, act.about, code.village) == ("box.kit", VILLAGE, VILLAGE)
    assert not any(secret in f"{act.before}{act.after}" for secret in secrets)


def test_the_paper_is_one_page_that_anybody_understands_and_leads_to_the_village(data: Path, tmp_path: Path) -> None:
    assert _make(tmp_path / "kit") == 0
    body = (tmp_path / f"kit/petunjuk-{VILLAGE}.pdf").read_bytes()
    text = " ".join(said(body, tmp_path).split())
    for words in ("Kampunganyar", "1. Buka kardus", "5. Lihat hasilnya", "Pasang paling lambat"):
        assert words in text, words
    for word in ("router", "IP", "LAN", "ethernet", "API", "DNS", "server", "gateway"):
        assert not re.search(rf"\b{word}\b", text), word
    facts = said(body, tmp_path, "pdfinfo")
    assert re.search(r"Pages: +1\b", facts)
    assert "Tagged:          yes" in facts
    assert scanned(body, tmp_path, 150) == [f"{SERVER}/info/{VILLAGE}"]
    kit = msgspec.json.decode((tmp_path / f"kit/kotak-{VILLAGE}.kit").read_bytes(), type=BoxKit)
    assert not any(one in text for one in (kit.code, kit.poller_password, kit.keeper_password))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (("--village", "35.10.15.9999"), "no village with this code"),
        (("--server", "http://kampungnet.example.go.id"), "https only"),
        (("--server", f"{SERVER}/somewhere"), "scheme, host and port"),
        (("--box-address", "kotak"), "write it like 192.168.88.5"),
        (("--hotspot-interface", "bridge"), "needs both"),
        (("--wan-interface", 'ether1" disabled=yes'), "cannot be"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_leaves_no_code_behind(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: tuple[str, str], words: str
) -> None:
    assert _make(tmp_path / "kit", *wrong) == 1
    assert words in capsys.readouterr().err
    assert not (tmp_path / "kit").exists()
    with _database(data).reads() as db:
        assert db.scalars(select(EnrolmentCode)).all() == []


def test_a_kit_is_not_written_over_another_and_a_box_at_work_is_not_replaced_by_mistake(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _make(tmp_path / "kit") == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "kit").iterdir()}
    assert _make(tmp_path / "kit") == 1
    assert "not written over" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in (tmp_path / "kit").iterdir()} == before
    (tmp_path / f"kit/kotak-{VILLAGE}.kit").rename(tmp_path / "taken")
    (tmp_path / f"kit/petunjuk-{VILLAGE}.pdf").unlink()
    assert _make(tmp_path / "kit") == 1, "the third file is there still"
    assert [path.name for path in (tmp_path / "kit").iterdir()] == [f"router-{VILLAGE}.rsc"]
    with _database(data).reads() as db:
        assert len(db.scalars(select(EnrolmentCode)).all()) == 1
    enrolled(_database(data), VILLAGE)
    assert _make(tmp_path / "second") == 1
    assert "enrolled already" in capsys.readouterr().err
    assert _make(tmp_path / "second", "--replace") == 0


def test_a_key_does_not_travel(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pem = tmp_path / "ca.pem"
    pem.write_text("-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n")
    assert _make(tmp_path / "kit", "--ca-file", str(pem)) == 1
    assert "must not travel" in capsys.readouterr().err


KIT = BoxKit(VILLAGE, 'Desa "A" $x\nbaris', SERVER, "AAAA", 0, "sandi1", "sandi2", "127.0.0.1")


@pytest.mark.parametrize("version", ["6.49.10", "7.20.6"])
async def test_a_router_takes_the_script_twice_and_lets_the_box_in_from_its_address_alone(version: str) -> None:
    async with on_stage(FleetOptions(model="hex", version=version)) as stage:
        router = stage.site.router
        router.users = {"admin": router.users["admin"]}
        wish = kit_router.RouterWish(router.version.major, "id.pool.ntp.org", "bridge-hotspot", "10.5.50.1")
        first = run_script(router, kit_router.script(KIT, wish))
        hotspots = router.tables["/ip/hotspot"].rows()
        assert run_script(router, kit_router.script(KIT, wish)) == first
        assert [row["name"] for row in router.tables["/ip/hotspot"].rows()] == [row["name"] for row in hotspots]
        client = await stage.client("kampungnet-portal")
        assert await client.rows("/ip/hotspot/print", "?name=kampungnet")
        assert "ftp" not in router.may("kampungnet")
        assert "write" not in router.may("kampungnet")
        elsewhere = kit_router.script(msgspec.structs.replace(KIT, box_address="10.9.9.9"), wish)
        run_script(router, elsewhere)
        with pytest.raises((ConnectionError, EOFError)):
            await stage.client("kampungnet-portal")
        wrong = kit_router.RouterWish(13 - router.version.major, "id.pool.ntp.org")
        with pytest.raises(ScriptError, match="unknown parameter"):
            run_script(router, kit_router.script(KIT, wrong))
