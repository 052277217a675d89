"""Closing a month on the command line: every paper in one folder, whole or not there; a bad contract is named alone."""

import csv
import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, text

from kampungnet import cli
from kampungnet.billing import making, month_folder, signing, statements, uploads
from kampungnet.billing.document import from_file
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.errors import Conflict
from tests.billing.story import CONTRACT, EKO, HANA, JOKO, JULY, NOW, NUR, SITE
from tests.pages.sample import FATES, KAMPUNGANYAR, REGENCY, REJOSARI
from tests.support.poppler import said
from tests.support.spreadsheet import recomputed

TOTAL = 2_743_073
OTHERS = sorted(code for code in FATES if code != KAMPUNGANYAR)
OTHER = f"{REJOSARI}-1"


def _buy(database: Database, *units: str) -> None:
    """Let more units buy for 1.000.000 a month, from no budget line."""
    rows = [f"{one},PT Serat,SPK/{one},1/1/2026,tetap,1000000,20" for one in units]
    table = "\n".join(["kode,penyedia,nomor_kontrak,mulai,jenis,harga,unduh_mbps", *rows]).encode()
    with database.writes() as db:
        preview = uploads.look_at(db, NUR, "kontrak", ("kontrak.csv", table), NOW)
        assert not preview.faults, preview.faults
        uploads.confirm(db, NUR, preview.id, NOW)


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _closed(target: list[str], place: Path) -> int:
    return cli.main(["close-month", "2026-07", "--regency", REGENCY, "--output", str(place), *target])


def test_every_paper_of_the_month_is_in_one_folder_and_again_the_same_bytes(
    database: Database, target: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _buy(database, REJOSARI)
    assert _closed(target, tmp_path / "papers") == 0
    folder = tmp_path / "papers" / "35.10-2026-07"
    files = _contents(folder)
    districts = {code[:8] for code in FATES}
    assert set(files) == {
        "SHA256SUMS", "laporan.csv", "laporan.xlsx",
        *(f"laporan/{one}.{ending}" for one in (CONTRACT, OTHER) for ending in ("pdf", "json")),
        *(f"rekap/{one}.{ending}" for one in ("kabupaten", *districts) for ending in ("pdf", "xlsx", "csv")),
    }  # fmt: skip
    sums = {line[66:]: line[:64] for line in files.pop("SHA256SUMS").decode().splitlines()}
    assert sums == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    assert f"{len(files)} files written to {folder}" in capsys.readouterr().out
    rows = {row["kode"]: row for row in csv.DictReader(io.StringIO(files["laporan.csv"].decode("utf-8-sig")))}
    recap = csv.DictReader(io.StringIO(files["rekap/kabupaten.csv"].decode("utf-8-sig")))
    due = {row["kode"]: int(row["bulan_ini"]) for row in recap}
    for contract in (CONTRACT, OTHER):
        document, is_right = from_file(files[f"laporan/{contract}.json"])
        assert is_right
        assert int(rows[contract[:13]]["total"]) == due[contract[:13]] == document.total
    assert sum(due.values()) == TOTAL + 1_110_000
    assert _closed(target, tmp_path / "papers") == 0
    assert _contents(folder) == files | {"SHA256SUMS": (folder / "SHA256SUMS").read_bytes()}
    assert sorted(path.name for path in (tmp_path / "papers").iterdir()) == [folder.name]
    assert cli.main(["verify", *(str(one) for one in (folder / "laporan").glob("*.json"))]) == 0


def test_a_spreadsheet_program_comes_to_the_totals_of_the_kabupaten_and_its_kecamatan(
    target: list[str], tmp_path: Path
) -> None:
    assert _closed(target, tmp_path) == 0
    files = {path.stem: path.read_bytes() for path in (tmp_path / "35.10-2026-07/rekap").glob("*.xlsx")}
    office = tmp_path / "office"
    office.mkdir()
    for name, sheets in recomputed(files, office).items():
        expected = [30_000_000, 0, 30_000_000, 0, 0, TOTAL] if name in {"kabupaten", KAMPUNGANYAR[:8]} else None
        total = sheets["Realisasi"][-1]
        assert total[0] == "JUMLAH"
        if expected:
            assert total[1:] == expected, name
        assert total[6] == sum(float(str(row[6])) for row in sheets["Realisasi"][4:-2] if str(row[0])[:2] == "35")


def test_a_contract_that_cannot_be_computed_is_named_and_the_others_are_written(
    database: Database, target: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _buy(database, *OTHERS[:3])
    unreadable, unrateable = (f"{one}-1" for one in OTHERS[:2])
    with database.writes() as db:
        wrong = text("UPDATE contract_versions SET terms = :terms WHERE contract = :contract")
        db.execute(wrong, {"terms": '{"price": -1}', "contract": unreadable})
        terms = db.execute(text("SELECT terms FROM contract_versions WHERE contract = :one"), {"one": unrateable})
        quota = terms.scalar_one().replace('"kind":"fixed"', '"kind":"quota"')
        assert "quota" in quota
        db.execute(wrong, {"terms": quota, "contract": unrateable})
    assert _closed(target, tmp_path) == 1
    told = capsys.readouterr()
    for contract in (unreadable, unrateable):
        assert f"contract {contract}: Ketentuan kontrak" in told.err
    assert CONTRACT not in told.err
    assert "2026-07: 2 new or renewed draft, 2 problem." in told.out
    assert "2 contracts could not be computed" in told.err
    files = _contents(tmp_path / "35.10-2026-07")
    assert {name for name in files if name.endswith(".json")} == {
        f"laporan/{CONTRACT}.json", f"laporan/{OTHERS[2]}-1.json"
    }  # fmt: skip
    failed = csv.DictReader(io.StringIO(files["gagal.csv"].decode("utf-8-sig")))
    assert [row["kontrak"] for row in failed] == sorted([unreadable, unrateable])


def test_a_statement_that_cannot_be_typeset_is_named_and_the_others_are_written(
    database: Database, target: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _buy(database, REJOSARI)
    assert cli.main(["close-month", "2026-07", *target]) == 0
    with database.writes() as db:
        for who, step in ((EKO, "periksa"), (HANA, "setujui")):
            signing.take(db, who, statements.find(db, NUR.scope, CONTRACT, JULY), step, "", NOW)
        statements.find(db, NUR.scope, CONTRACT, JULY).document = b'{"version":99}'
    assert _closed(target, tmp_path) == 1
    assert f"contract {CONTRACT}: its paper cannot be written" in capsys.readouterr().err
    files = _contents(tmp_path / "35.10-2026-07")
    assert f"laporan/{OTHER}.pdf" in files
    assert f"laporan/{CONTRACT}.pdf" not in files
    assert CONTRACT in files["gagal.csv"].decode()


def test_a_folder_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "35.10-2026-07"

    def broken() -> Iterator[month_folder.File]:
        yield "laporan/1.pdf", b"new"
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        month_folder.write(folder, broken(), lambda _: None)
    assert list(tmp_path.iterdir()) == []
    month_folder.write(folder, iter([("laporan/1.pdf", b"old"), ("laporan/2.pdf", b"old")]), lambda _: None)
    with pytest.raises(OSError, match="No space"):
        month_folder.write(folder, broken(), lambda _: None)
    assert (folder / "laporan/1.pdf").read_bytes() == b"old"
    cut_off = tmp_path / ".35.10-2026-07.new/laporan"
    cut_off.mkdir(parents=True)
    (cut_off / "9.pdf").write_bytes(b"half")
    month_folder.write(folder, iter([("laporan/1.pdf", b"new")]), lambda _: None)
    assert set(_contents(folder)) == {"SHA256SUMS", "laporan/1.pdf"}
    assert list(tmp_path.iterdir()) == [folder]


def test_what_others_put_into_the_folder_is_not_thrown_away(tmp_path: Path) -> None:
    folder = tmp_path / "35.10-2026-07"
    month_folder.write(folder, iter([("laporan.csv", b"old")]), lambda _: None)
    (folder / "catatan.txt").write_text("penting")
    with pytest.raises(Conflict, match=r"catatan\.txt was not written by close-month"):
        month_folder.write(folder, iter([("laporan.csv", b"new")]), lambda _: None)
    assert (folder / "catatan.txt").read_text() == "penting"
    assert (folder / "laporan.csv").read_bytes() == b"old"


def test_two_at_once_do_not_mix(tmp_path: Path) -> None:
    folder = tmp_path / "35.10-2026-07"

    def slow() -> Iterator[month_folder.File]:
        yield "1", b"1"
        with pytest.raises(Conflict, match="Another close-month"):
            month_folder.write(folder, iter([("2", b"2")]), lambda _: None)
        yield "3", b"3"

    assert month_folder.write(folder, slow(), lambda _: None) == 2
    assert set(_contents(folder)) == {"SHA256SUMS", "1", "3"}


@pytest.mark.parametrize("days", [0, 400])
def test_a_month_that_is_not_over_writes_nothing(
    target: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], days: int
) -> None:
    """One without a contract neither, as it is long after today."""
    month = clock.local_day(clock.now_ms(), clock.WIB) + timedelta(days)
    assert cli.main(["close-month", f"{month:%Y-%m}", "--output", str(tmp_path / "x"), *target]) == 1
    assert "not over yet" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


@contextmanager
def _counted(database: Database) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(*call: object) -> None:
        asked.append(str(call[2]))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def test_many_contracts_cost_no_more_queries_than_one(database: Database, target: list[str]) -> None:
    def number() -> int:
        with _counted(database) as asked, database.writes() as db:
            made = list(making.make_all(db, REGENCY, JULY, NOW))
        assert all(one.changed for one in made)
        return len(asked)

    one = number()
    with database.writes() as db:
        for table in ("statement_steps", "line_hours", "statements"):
            db.execute(text(f"DELETE FROM {table}"))
    _buy(database, *OTHERS)
    with database.writes() as db:  # all of them at the one site whose month is closed: open ones are added up singly
        db.execute(text("UPDATE contracts SET site = :site"), {"site": SITE})
    assert number() - one <= 2 * len(OTHERS), "only the hours of each line are looked up apart"


@pytest.mark.parametrize("ending", ["pdf", "xlsx", "csv", "json"])
def test_a_statement_is_written_in_every_format(
    database: Database, target: list[str], tmp_path: Path, ending: str
) -> None:
    assert cli.main(["close-month", "2026-07", *target]) == 0
    with database.writes() as db:
        for who, step in ((EKO, "periksa"), (HANA, "setujui"), (JOKO, "bayar")):
            signing.take(db, who, statements.find(db, NUR.scope, CONTRACT, JULY), step, "", NOW)
    file = tmp_path / f"july.{ending}"
    wanted = ["statement", "--village", KAMPUNGANYAR, "--period", "2026-07", "--format", ending, "--output", str(file)]
    assert cli.main([*wanted, *target]) == 0
    first = file.read_bytes()
    assert cli.main([*wanted, *target]) == 0
    assert file.read_bytes() == first
    _CHECKS[ending](first, tmp_path)


def _check_pdf(body: bytes, folder: Path) -> None:
    assert body.startswith(b"%PDF-")
    text_of = said(body, folder)
    for words in ("2.743.073", "0001/BPLI/15.2012/2026", "Pak Joko"):
        assert words in text_of, words


def _check_xlsx(body: bytes, folder: Path) -> None:
    rows = {row[0]: row[1] for row in recomputed({"": body}, folder)[""]["Bukti"]}
    assert rows["Jumlah"] == TOTAL


def _check_csv(body: bytes, _folder: Path) -> None:
    (row,) = csv.DictReader(io.StringIO(body.decode("utf-8-sig")))
    assert (row["total"], row["nomor"]) == (str(TOTAL), "0001/BPLI/15.2012/2026")


def _check_json(body: bytes, _folder: Path) -> None:
    document, is_right = from_file(body)
    assert is_right
    assert document.total == TOTAL


_CHECKS = {"pdf": _check_pdf, "xlsx": _check_xlsx, "csv": _check_csv, "json": _check_json}
