"""One contract in the browser: entered, given an addendum; all of them written as a table that reads back the same."""

from datetime import date
from decimal import Decimal

import msgspec
import pytest
from httpx import AsyncClient, Response

from kampungnet.app import Server
from kampungnet.billing import (
    budgets,
    contract_form,
    contract_rows,
    contracts,
    export,
    making,
    sheets,
    statements,
    uploads,
)
from kampungnet.billing.contract_rows import CHOICES, COLUMNS
from kampungnet.billing.models import Provider
from kampungnet.billing.terms import (
    ContractTerms,
    CreditFormula,
    CreditOrder,
    CreditTerms,
    CreditWhen,
    OveruseUnit,
    PriceFor,
    ServiceKind,
    TaxDate,
    TaxTerms,
)
from kampungnet.core.database import Database
from kampungnet.measurement.availability import Treatment
from kampungnet.measurement.outage_words import Cause
from kampungnet.measurement.percentile import GapPolicy
from kampungnet.staff import audit
from kampungnet.staff.service import Scope
from tests.billing.story import AUGUST, CONTRACT, CONTRACTS, JULY, NOW, NUR, books, close, facts
from tests.pages.cast import OWN_PAGE, signed_in
from tests.pages.sample import KAMPUNGANYAR, REGENCY, REJOSARI

HOSTILE = "<script>alert(1)</script>"
NEW = {
    "kode": REJOSARI, "penyedia": "PT Satelit", "nomor_kontrak": "SPK/9", "mulai": "1/2/2026", "jenis": "kuota",
    "kuota_gb": "10,5", "harga": "Rp. 1.500.000,-", "restitusi": "r5", "sebab_dikecualikan": "listrik, orang",
}  # fmt: skip


async def _post(visitor: AsyncClient, path: str, fields: dict[str, str]) -> Response:
    return await visitor.post(path, data=fields, headers=OWN_PAGE)


def _terms(database: Database, contract: str, day: date) -> ContractTerms:
    with database.reads() as db:
        held = contracts.contract(db, Scope(REGENCY), contract)
        found = contracts.terms_on(contracts.terms_by_contract(db, REGENCY)[contract], day, held)
    assert found
    return found


async def test_a_contract_is_entered_with_all_its_terms(database: Database, server: Server) -> None:
    nur = await signed_in(server, "nur")
    form = (await nur.get("/kontrak/baru", params={"kode": REJOSARI})).text
    assert f'name="kode" value="{REJOSARI}"' in form
    assert all(f'name="{name}"' in form for name in COLUMNS if name not in {"nama", "kecamatan"})
    answer = await _post(nur, "/kontrak/baru", NEW)
    assert (answer.status_code, answer.headers.get("location")) == (303, "/kontrak"), answer.text
    found = _terms(database, f"{REJOSARI}-1", date(2026, 2, 1))
    assert (found.price, found.quota_bytes, found.kind) == (1_500_000, 10_500_000_000, ServiceKind.QUOTA)
    assert found.credit.excused == (Cause.LISTRIK, Cause.ORANG)
    assert "SPK/9" in (await nur.get("/kontrak")).text
    with database.reads() as db:
        assert audit.entries(db, REGENCY)[0].what == "contract.enter"
    again = await _post(nur, "/kontrak/baru", NEW)
    assert again.status_code == 422
    assert 'id="nomor_kontrak-problem"' in again.text


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("kode", "35.10.15.9999"), ("harga", "murah"), ("mulai", "31/02/2026"), ("kuota_gb", ""), ("jenis", "x"),
        ("sebab_dikecualikan", "hantu"), ("penyedia", "..."), ("pembulatan", "0"), ("sla_persen", "101"),
        ("selesai", "1/1/2026"), ("npwp", "\x01"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    database: Database, server: Server, field: str, typed: str
) -> None:
    nur = await signed_in(server, "nur")
    answer = await _post(nur, "/kontrak/baru", NEW | {"nomor_kontrak": HOSTILE, field: typed})
    assert answer.status_code == 422
    assert f'id="{field}-problem"' in answer.text
    assert HOSTILE not in answer.text
    assert 'value="&lt;script&gt;alert(1)&lt;/script&gt;"' in answer.text
    assert 'value="Rp. 1.500.000,-"' in answer.text or field == "harga"
    with database.reads() as db:
        assert not contracts.of_scope(db, Scope(REGENCY))


async def test_an_empty_field_is_told_of_in_words_of_a_form(server: Server) -> None:
    nur = await signed_in(server, "nur")
    answer = await _post(nur, "/kontrak/baru", NEW | {"penyedia": " "})
    assert '<p class="bad" id="penyedia-problem">Bagian ini masih kosong. Silakan diisi.</p>' in answer.text


async def test_an_addendum_holds_from_its_day_on(database: Database, server: Server) -> None:
    books(database)
    close(database, JULY, facts(JULY))
    close(database, AUGUST, facts(AUGUST))
    nur = await signed_in(server, "nur")
    form = (await nur.get(f"/kontrak/{CONTRACT}/ubah")).text
    assert 'name="harga" value="2500000"' in form
    assert '<option value="r2" selected>' in form
    assert 'name="penyedia"' not in form
    sent = {"jenis": "dedicated", "unduh_mbps": "50", "sla_persen": "99", "restitusi": "r2", "selesai": "31/12/2026",
            "berlaku_sejak": "1/8/2026", "dokumen": "ADD/1", "harga": "3.000.000", "penyedia": "PT Lain"}  # fmt: skip
    wrong = await _post(nur, f"/kontrak/{CONTRACT}/ubah", sent | {"berlaku_sejak": "1/8/2025"})
    assert (wrong.status_code, 'id="berlaku_sejak-problem"' in wrong.text) == (422, True)
    assert (await _post(nur, f"/kontrak/{CONTRACT}/ubah", sent)).status_code == 303
    with database.writes() as db:
        for month in (JULY, AUGUST):
            list(making.make_all(db, REGENCY, month, NOW))
        totals = [statements.find(db, Scope(REGENCY), CONTRACT, month).total_rupiah for month in (JULY, AUGUST)]
        assert contracts.providers(db, REGENCY) == {"serat": "PT Serat"}, "another provider is another contract"
    # 2.500.000 and 3.000.000, each with 11 % PPN.
    assert totals == [2_775_000, 3_330_000]
    assert _terms(database, CONTRACT, AUGUST).down_kbps == 50_000


async def test_only_who_keeps_the_books_of_a_place_writes_in_them(database: Database, server: Server) -> None:
    books(database)
    for who, status in (("citra", 404), ("budi", 403), ("sari", 403), ("dedi", 403)):
        visitor = await signed_in(server, who)
        assert (await visitor.get(f"/kontrak/{CONTRACT}/ubah")).status_code == status
        assert (await _post(visitor, f"/kontrak/{CONTRACT}/ubah", NEW)).status_code == status
        assert (await _post(visitor, "/kontrak/baru", NEW)).status_code == 403
        assert "/kontrak/baru" not in (await visitor.get("/kontrak")).text
    eko = await signed_in(server, "eko")
    assert (await _post(eko, "/kontrak/baru", NEW)).status_code == 422, "not his village"


async def test_a_village_does_not_change_the_npwp_that_others_papers_show(database: Database, server: Server) -> None:
    books(database)
    eko, nur = await signed_in(server, "eko"), await signed_in(server, "nur")
    own = NEW | {"kode": KAMPUNGANYAR, "penyedia": "PT. Serat"}
    refused = await _post(eko, "/kontrak/baru", own | {"npwp": "02.000"})
    assert refused.status_code == 422
    assert "Penyedia ini ber-NPWP 01.000" in refused.text.split('id="npwp-problem"')[1]
    for visitor, npwp, number in ((eko, "01.000", "SPK/10"), (nur, "03.000", "SPK/11")):
        answer = await _post(visitor, "/kontrak/baru", own | {"npwp": npwp, "nomor_kontrak": number})
        assert answer.status_code == 303, answer.text
        with database.reads() as db:
            assert db.get_one(Provider, (REGENCY, "serat")).npwp == npwp


async def test_the_present_contracts_are_written_as_the_table_that_is_read(database: Database, server: Server) -> None:
    books(database)
    nur = await signed_in(server, "nur")
    for ending in ("csv", "xlsx"):
        data = (await nur.get(f"/berkas/kontrak-semua.{ending}")).content
        seen = await nur.post("/kontrak/unggah", files={"file": (f"k.{ending}", data)}, headers=OWN_PAGE)
        assert seen.status_code == 200, seen.text
        action = seen.text.split('action="/berkas/')[1].split('"')[0]
        before = _terms(database, CONTRACT, JULY)
        assert (await nur.post(f"/berkas/{action}", headers=OWN_PAGE)).status_code == 303
        assert _terms(database, CONTRACT, JULY) == before
    assert KAMPUNGANYAR not in (await (await signed_in(server, "citra")).get("/berkas/kontrak-semua.csv")).text


def _import(database: Database, table: bytes) -> None:
    with database.writes() as db:
        preview = uploads.look_at(db, NUR, "kontrak", ("kontrak.csv", table), NOW)
        assert not preview.faults, preview.faults
        uploads.confirm(db, NUR, preview.id, NOW)


def test_the_table_with_an_addendums_terms_does_not_put_them_in_the_place_of_the_first(database: Database) -> None:
    books(database)
    before = _terms(database, CONTRACT, JULY)
    with database.writes() as db:
        held = contracts.contract(db, Scope(REGENCY), CONTRACT)
        contracts.amend(db, held, AUGUST, msgspec.structs.replace(before, price=3_000_000), "ADD/1")
    with database.reads() as db:
        table = export.to_csv(COLUMNS, contract_form.exported(db, Scope(REGENCY), date(2026, 9, 10)))
    assert b"3000000" in table
    _import(database, table)
    assert [_terms(database, CONTRACT, day).price for day in (JULY, AUGUST)] == [2_500_000, 3_000_000]
    _import(database, CONTRACTS)
    assert [_terms(database, CONTRACT, day).price for day in (JULY, AUGUST)] == [2_500_000, 3_000_000]
    _import(database, CONTRACTS.replace(b",2500000,", b",2600000,"))
    assert _terms(database, CONTRACT, JULY).price == 2_600_000, "other terms are those of its start, as ever"


@pytest.mark.parametrize("first", ["1/6/2025", "1/3/2026"])
def test_a_corrected_first_day_takes_the_first_terms_with_it(database: Database, first: str) -> None:
    books(database)
    _import(database, CONTRACTS.replace(b"1/1/2026", first.encode()).replace(b",2500000,", b",2600000,"))
    assert _terms(database, CONTRACT, JULY).price == 2_600_000
    with database.reads() as db:
        assert len(contracts.terms_by_contract(db, REGENCY)[CONTRACT]) == 1


def test_all_terms_survive_being_written_and_read(database: Database) -> None:
    terms = ContractTerms(
        kind=ServiceKind.P95, price=30_000_001, start=date(2026, 1, 5), end=date(2026, 12, 31),
        price_for=PriceFor.CONTRACT, price_includes_ppn=True, down_kbps=20_480, up_kbps=512, committed_kbps=10_000,
        overuse_per_mbps=50_000, quota_bytes=10_500_000_000, overuse_per_gb=7, overuse_unit=OveruseUnit.STARTED,
        tax=TaxTerms(ppn=False, office_collects_ppn=True, pph23=True, has_npwp=False, on=TaxDate.FIRST_DAY),
        credit=CreditTerms(
            formula=CreditFormula.R3B, sla_percent=Decimal("99.5"), when=CreditWhen.ALWAYS,
            order=CreditOrder.AFTER_TAX, planned=Treatment.UP, planned_where_down_only=True, late_windows_count=True,
            unknown=Treatment.DOWN, excused=(Cause.LISTRIK,),
        ),
        gap_policy=GapPolicy.REFUSE, coverage_percent=Decimal("87.25"), rounding_step=10_000,
    )  # fmt: skip
    fixed: dict[str, export.Value] = {
        "kode": KAMPUNGANYAR, "penyedia": "PT Serat", "nomor_kontrak": "1", "mulai": terms.start,
        "selesai": date(2026, 12, 31),
    }  # fmt: skip
    row = [(fixed | contract_rows.cells(terms)).get(name) or "" for name in COLUMNS]
    table = sheets.read(export.to_csv(COLUMNS, [row]), COLUMNS, contract_rows.REQUIRED)
    with database.reads() as db:
        (entry,), faults = contract_rows.understood(table, budgets.register(db, Scope(REGENCY)))
    assert not faults
    assert entry.terms == terms


def test_a_form_begins_with_the_same_defaults_as_a_row_without_them() -> None:
    plain = contract_rows.cells(ContractTerms(kind=ServiceKind.UP_TO, price=1, start=date(2026, 1, 1)))
    assert {name: str(plain[name]) for name in contract_form.DEFAULTS} == dict(contract_form.DEFAULTS)
    assert all(word in CHOICES[name] for name, word in contract_form.DEFAULTS.items() if name in CHOICES)
