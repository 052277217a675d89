"""Stages in which funds arrive and a kabupaten's own account codes: put in as tables, used where money is told of."""

from datetime import date
from pathlib import Path

import pytest

from kampungnet import cli
from kampungnet.app import Server
from kampungnet.billing import charts_of_accounts, making, sheets, stages, uploads
from kampungnet.billing.intake import Register
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.errors import NotAllowed
from tests.billing.months import FEE, pagu
from tests.billing.story import CONTRACT, EKO, JULY, NOW, NUR, books, close, facts
from tests.pages.cast import OWN_PAGE, signed_in
from tests.pages.sample import REGENCY
from tests.support.server import where

STAGES = (
    b"tahun;sumber_dana;tahap;persen;mulai;dasar\n2026;ADD;1;15;20/01/2026;Perbup 5/2026\n"
    b"2026;ADD;2;50;01/04/2026;Perbup 5/2026\n2026;ADD;3;35%;01/09/2026;Perbup 5/2026\n"
)  # Bulungan's shares (facts 3.4)
ACCOUNTS = (
    b"bagan,kode,nama\ndesa,5.2.5.91,=Belanja Wifi Desa\nkegiatan,02.06.92.,Wifi warga\n"
    b"desa,5.2.5.05.,Internet kantor\n"
)


def _faults(*rows: str) -> list[tuple[int, str]]:
    table = sheets.read(
        "\n".join(("tahun;sumber_dana;tahap;persen;mulai", *rows)).encode(), stages.COLUMNS, stages.REQUIRED
    )
    return [(one.line, one.column) for one in stages.understood(table, Register({}))[1]]


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        (("2026;ADD;1;60;1/2/2026", "2026;ADD;2;39,9;1/6/2026"), (3, "persen")),
        (("2026;ADD;1;60;1/2/2026", "2026;ADD;1;40;1/6/2026"), (3, "tahap")),
        (("2026;ADD;1;100;1/2/2027",), (2, "mulai")),
        (("2026;XYZ;1;100;1/2/2026",), (2, "sumber_dana")),
        (("2026;ADD;0;100;1/2/2026",), (2, "tahap")),
        (("2026;ADD;1;120;1/2/2026",), (2, "persen")),
    ],
)
def test_a_wrong_stage_is_named_by_line_and_column(rows: tuple[str, ...], fault: tuple[int, str]) -> None:
    assert fault in _faults(*rows)


def test_what_of_a_bill_has_not_arrived(database: Database) -> None:
    fact = pagu(30_000_000, realised=2 * FEE)
    with database.writes() as db:
        assert stages.waiting(db, REGENCY, fact, FEE, date(2026, 1, 31)) == 0, "without stages all of it is there"
        preview = uploads.look_at(db, NUR, "tahap", ("t.csv", STAGES), NOW)
        assert uploads.confirm(db, NUR, preview.id, NOW) == ("tahap", 3)
        # 15 % of 30.000.000 are 4.500.000; 5.000.000 are gone and 2.500.000 due: all of it waits.
        assert stages.waiting(db, REGENCY, fact, FEE, date(2026, 3, 31)) == FEE
        assert stages.waiting(db, REGENCY, pagu(30_000_000, realised=FEE), FEE, date(2026, 3, 31)) == 500_000
        assert stages.waiting(db, REGENCY, fact, FEE, date(2026, 4, 1)) == 0


def test_a_new_file_takes_the_place_of_the_stages_of_its_fund(database: Database) -> None:
    with database.writes() as db:
        for data in (
            STAGES,
            b"tahun,sumber_dana,tahap,persen,mulai\n2026,ADD,1,100,1/2/2026\n2027,DD,1,100,1/2/2027\n",
        ):
            uploads.confirm(db, NUR, uploads.look_at(db, NUR, "tahap", ("t.csv", data), NOW).id, NOW)
        found = [(one.year, one.fund, one.number, one.share_percent) for one in stages.listed(db, REGENCY)]
    assert found == [(2027, "DD", 1, "100"), (2026, "ADD", 1, "100")]


def test_a_village_may_not_say_what_holds_for_all(database: Database) -> None:
    with database.writes() as db:
        for what, data in (("tahap", STAGES), ("rekening", ACCOUNTS)):
            with pytest.raises(NotAllowed):
                uploads.look_at(db, EKO, what, ("x.csv", data), NOW)


def test_own_codes_stand_beside_those_shipped(database: Database) -> None:
    with database.writes() as db:
        uploads.confirm(db, NUR, uploads.look_at(db, NUR, "rekening", ("k.csv", ACCOUNTS), NOW).id, NOW)
        known = charts_of_accounts.names(db, REGENCY)
    assert known["kegiatan", "2.6.92"] == "Wifi warga"
    assert charts_of_accounts.account_name(known, "5.2.5.05") == "Internet kantor"
    assert charts_of_accounts.account_name(known, "5.1.02.02.01.0063").startswith("Belanja Kawat")
    assert charts_of_accounts.account_name(known, "9.9") == ""


async def test_both_are_looked_at_confirmed_and_shown(
    database: Database, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    nur = await signed_in(server, "nur")
    for place, data, told in (("/pagu/tahap", STAGES, "Perbup 5/2026"), ("/pagu/rekening", ACCOUNTS, "Wifi warga")):
        seen = await nur.post(f"{place}/unggah", files={"file": ("x.csv", data)}, headers=OWN_PAGE)
        assert seen.status_code == 200, seen.text
        assert told in seen.text
        assert told not in (await nur.get(place)).text
        action = seen.text.split('action="/berkas/')[1].split('"')[0]
        assert (await nur.post(f"/berkas/{action}", headers=OWN_PAGE)).headers["location"] == place
        assert told in (await nur.get(place)).text
        refused = await nur.post(f"{place}/unggah", files={"file": ("x.png", b"\x89PNG\r\n")}, headers=OWN_PAGE)
        assert (refused.status_code, 'role="alert"' in refused.text) == (400, True)
        eko = await signed_in(server, "eko")
        assert "/unggah" not in (await eko.get(place)).text
        assert (await eko.post(f"{place}/unggah", files={"file": ("x.csv", data)}, headers=OWN_PAGE)).status_code == 403
    books(database)
    close(database, JULY, facts(JULY))
    with database.writes() as db:
        list(making.make_all(db, REGENCY, JULY, NOW))
    # On 10 January nothing is there, on 10 February 15 % of 30.000.000, on 2 April 65 %.
    for day, arrived, waits in (
        (date(2026, 1, 10), "0", True), (date(2026, 2, 10), "4.500.000", False),
        (date(2026, 4, 2), "19.500.000", False),
    ):  # fmt: skip
        monkeypatch.setattr(clock, "now_ms", lambda day=day: clock.day_start_ms(day, clock.WIB))
        nur = await signed_in(server, "nur")
        assert f"sudah cair: {arrived}<" in (await nur.get("/pagu", params={"tahun": "2026"})).text
        page = (await nur.get(f"/laporan/{CONTRACT}/2026-07")).text
        assert ("Rp2.775.000 di antaranya belum cair" in page) is waits


def test_both_are_put_in_on_the_command_line(
    database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = ["--regency", REGENCY, *where(database)]
    for command, data, told in (("import-stages", STAGES, "3 stages"), ("import-accounts", ACCOUNTS, "3 codes")):
        file = tmp_path / f"{command}.csv"
        file.write_bytes(data)
        assert cli.main([command, str(file), *target]) == 0
        assert "Nothing was changed" in capsys.readouterr().out
        assert cli.main([command, str(file), "--confirm", *target]) == 0
        assert told in capsys.readouterr().out
    with database.reads() as db:
        assert len(stages.listed(db, REGENCY)) == 3
