"""Budgets and contracts in the books: taken as a whole or not at all, given out in the columns they came in."""

from datetime import date
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import func, select

from kampungnet import cli
from kampungnet.billing import budgets, contracts, export, sheets, uploads
from kampungnet.billing.models import BudgetLine, BudgetVersion, Contract, PendingImport
from kampungnet.core.database import Database
from kampungnet.core.errors import NotAllowed, NotFound
from kampungnet.staff import audit
from kampungnet.staff.service import Duty, Role, Scope, SignedIn
from tests.pages.sample import KAMPUNGANYAR, REGENCY, REJOSARI

NOW = 1_785_000_000_000
NUR = SignedIn("nur", "Bu Nur", Role.BUDGET, Scope(REGENCY))
EKO = SignedIn("eko", "Pak Eko", Role.BUDGET, Scope(REGENCY, KAMPUNGANYAR), Duty.SECRETARY)
BUDGET = (
    "kode,tahun,kegiatan,rekening,uraian,versi,berlaku_sejak,dokumen,sumber_dana,pagu\n"
    f"{KAMPUNGANYAR},2026,2.6.03,5.2.5.05,Internet,murni,,Perdes 5/2025,ADD,30000000\n"
    f"{KAMPUNGANYAR},2026,2.6.03,5.2.5.05,Internet,murni,,Perdes 5/2025,PAD,3300000\n"
    f"{KAMPUNGANYAR},2026,2.6.03,5.2.5.05,Internet,perubahan,1/9/2026,Perdes 3/2026,ADD,36000000\n"
).encode()
CONTRACTS = (
    "kode,penyedia,npwp,nomor_kontrak,mulai,selesai,jenis,harga,unduh_mbps,tahun_anggaran,kegiatan\n"
    f"{KAMPUNGANYAR},PT Telkom,01.000.013.1-093.000,SPK/1,1/1/2026,31/12/2026,dedicated,2500000,20,2026,2.6.03\n"
    f"{KAMPUNGANYAR},Icon Plus,,SPK/2,1/6/2026,,up_to,350000,30,,\n"
).encode()


def _taken(database: Database, what: str, data: bytes, by: SignedIn = NUR) -> int:
    with database.writes() as db:
        preview = uploads.look_at(db, by, what, ("file.csv", data), NOW)
    assert not preview.faults
    with database.writes() as db:
        return uploads.confirm(db, by, preview.id, NOW)[1]


def _count(database: Database, model: type[BudgetLine] | type[Contract] | type[PendingImport]) -> int:
    with database.reads() as db:
        return db.execute(select(func.count()).select_from(model)).scalar_one()


def test_nothing_changes_until_a_file_is_confirmed_and_twice_changes_nothing(database: Database) -> None:
    with database.writes() as db:
        preview = uploads.look_at(db, NUR, "anggaran", ("a.csv", BUDGET), NOW)
    assert _count(database, BudgetLine) == 0
    with database.writes() as db:
        assert uploads.confirm(db, NUR, preview.id, NOW) == ("anggaran", 1)
    assert _count(database, PendingImport) == 0
    with pytest.raises(NotFound), database.writes() as db:
        uploads.confirm(db, NUR, preview.id, NOW)
    assert _taken(database, "anggaran", BUDGET) == 1
    assert _count(database, BudgetLine) == 1
    with database.reads() as db:
        line = db.scalars(select(BudgetLine)).one()
        versions = budgets.versions(db, REGENCY)[line.id]
        assert [(one.kind, one.pagu_rupiah) for one in versions] == [("murni", 33_300_000), ("perubahan", 36_000_000)]
        assert [(one.fund, one.rupiah) for one in budgets.funds_of(versions[0])] == [
            ("ADD", 30_000_000),
            ("PAD", 3_300_000),
        ]
        for day, kind in ((date(2026, 8, 31), "murni"), (date(2026, 9, 1), "perubahan")):
            found = budgets.version_on(versions, day)
            assert found is not None
            assert found.kind == kind
        assert budgets.version_on(versions, date(2025, 12, 31)) is None
        assert [one.what for one in audit.entries(db, REGENCY)] == ["anggaran.import", "anggaran.import"]


def test_a_file_with_one_fault_cannot_be_confirmed(database: Database) -> None:
    with database.writes() as db:
        preview = uploads.look_at(db, NUR, "anggaran", ("a.csv", BUDGET + b"35.10.15.2001,x,,,,,,,,\n"), NOW)
    assert preview.id == ""
    assert {one.line for one in preview.faults} == {5}
    assert _count(database, PendingImport) == 0


def test_only_who_looked_at_a_file_confirms_it_and_only_within_a_day(database: Database) -> None:
    with database.writes() as db:
        preview = uploads.look_at(db, NUR, "anggaran", ("a.csv", BUDGET), NOW)
    for by, now_ms in ((EKO, NOW), (NUR, NOW + 2 * 86_400_000)):
        with pytest.raises(NotFound), database.writes() as db:
            uploads.confirm(db, by, preview.id, now_ms)
    engineer = SignedIn("sari", "Ibu Sari", Role.ENGINEER, Scope(REGENCY))
    with pytest.raises(NotAllowed), database.writes() as db:
        uploads.look_at(db, engineer, "anggaran", ("a.csv", BUDGET), NOW)


def test_staff_of_one_village_write_for_no_other(database: Database) -> None:
    assert _taken(database, "anggaran", BUDGET, EKO) == 1
    with database.writes() as db:
        other = BUDGET.replace(KAMPUNGANYAR.encode(), REJOSARI.encode())
        preview = uploads.look_at(db, EKO, "anggaran", ("a.csv", other), NOW)
    assert {one.column for one in preview.faults} == {"kode"}


def test_what_is_exported_can_be_imported_again_and_changes_nothing(database: Database) -> None:
    _taken(database, "anggaran", BUDGET)
    with database.reads() as db:
        rows = budgets.exported(db, NUR.scope, 2026)
    for data in (export.to_csv(budgets.COLUMNS, rows), export.to_xlsx(budgets.COLUMNS, rows, "Anggaran")):
        _taken(database, "anggaran", data)
        with database.reads() as db:
            assert budgets.exported(db, NUR.scope, 2026) == rows


def test_contracts_know_their_provider_line_terms_and_neighbours(database: Database) -> None:
    _taken(database, "anggaran", BUDGET)
    assert _taken(database, "kontrak", CONTRACTS) == 2
    assert _taken(database, "kontrak", CONTRACTS) == 2, "again, and nothing is new"
    with database.reads() as db:
        first, second = contracts.of_scope(db, EKO.scope)
        assert (first.id, first.provider, first.line) == (f"{KAMPUNGANYAR}-1", "telkom", f"{KAMPUNGANYAR}-2026-1")
        assert (second.provider, second.line) == ("icon-plus", None)
        assert contracts.overlapping([first, second]) == [(first, second)]
        held = contracts.running(db, REGENCY, date(2026, 7, 1), date(2026, 7, 31))
        assert [(one.contract.id, one.terms.price) for one in held] == [(first.id, 2_500_000), (second.id, 350_000)]
        assert len(contracts.running(db, REGENCY, date(2026, 5, 1), date(2026, 5, 31))) == 1
        with pytest.raises(NotFound):
            contracts.contract(db, Scope(REGENCY, REJOSARI), first.id)


def test_an_addendum_holds_from_its_day_on(database: Database) -> None:
    _taken(database, "kontrak", CONTRACTS)
    with database.writes() as db:
        first = contracts.of_scope(db, NUR.scope)[0]
        (version,) = contracts.terms_by_contract(db, REGENCY)[first.id]
        terms = contracts.terms_on([version], date(2026, 7, 31), first)
        assert terms is not None

        contracts.amend(db, first, date(2026, 7, 1), msgspec.structs.replace(terms, price=3_000_000), "Add/1")
    with database.reads() as db:
        june = contracts.running(db, REGENCY, date(2026, 6, 1), date(2026, 6, 30))
        july = contracts.running(db, REGENCY, date(2026, 7, 1), date(2026, 7, 31))
        assert (june[0].terms.price, july[0].terms.price) == (2_500_000, 3_000_000)


def test_the_commands_take_and_give_tables(
    database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    target = ["--database-url", url, "--data", str(tmp_path), "--regency", REGENCY]
    good, bad, out = tmp_path / "good.csv", tmp_path / "bad.csv", tmp_path / "out.xlsx"
    good.write_bytes(BUDGET)
    bad.write_bytes(BUDGET.replace(b"30000000", b'"30,000"'))
    assert cli.main(["import-budget", str(good), *target]) == 0
    assert "Nothing was changed" in capsys.readouterr().out
    assert _count(database, BudgetLine) == 0
    assert cli.main(["import-budget", str(bad), *target, "--confirm"]) == 1
    assert "bad.csv baris 2, kolom J (pagu): Angka ini bisa dibaca dua cara." in capsys.readouterr().err
    assert cli.main(["import-budget", str(good), *target, "--confirm"]) == 0
    assert cli.main(["export-budget", *target, "--year", "2026", "--output", str(out)]) == 0
    assert len(sheets.read(out.read_bytes(), budgets.COLUMNS, budgets.REQUIRED).rows) == 3
    assert cli.main(["export-budget", *target, "--year", "2026", "--output", str(tmp_path / "x.doc")]) == 1
    with database.reads() as db:
        assert db.execute(select(func.count()).select_from(BudgetVersion)).scalar_one() == 2
