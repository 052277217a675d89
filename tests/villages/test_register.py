"""The register: the real one of Banyuwangi, and files as people really send them."""

from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import func, select

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.errors import BadInput, NotFound
from kampungnet.villages import service as villages
from kampungnet.villages.models import District, Regency, Village
from kampungnet.villages.service import Imported
from tests.support.contents import contents
from tests.support.server import HEADER, VILLAGE

GOOD: Final = "35.10.02.2001,Bangorejo,desa,35.10.02,Bangorejo,35.10,Kabupaten Banyuwangi,-8.5,114.2,68487"


def _import(database: Database, text: str) -> Imported:
    with database.writes() as db:
        return villages.import_register(db, text.splitlines(keepends=True))


def _import_file(database: Database, path: Path) -> Imported:
    with path.open(encoding="utf-8-sig", newline="") as lines, database.writes() as db:
        return villages.import_register(db, lines)


def _row(**changed: str) -> str:
    fields = dict(zip(villages.COLUMNS, GOOD.split(","), strict=True)) | changed
    return ",".join(fields.values())


def test_the_register_of_banyuwangi_comes_in_whole_and_twice_is_harmless(database: Database) -> None:
    path = villages.register_path("banyuwangi")
    assert _import_file(database, path) == Imported({"35.10": 217}, ())
    before = contents(database)
    assert _import_file(database, path) == Imported({"35.10": 217}, ())
    assert contents(database) == before
    with database.reads() as db:
        kinds = dict(db.execute(select(Village.kind, func.count()).group_by(Village.kind)).all())
        assert kinds == {"desa": 189, "kelurahan": 28}
        assert db.scalar(select(func.count()).select_from(District)) == 25
        village = villages.village(db, VILLAGE)
        assert (village.name, village.district, village.regency) == ("Kampunganyar", "35.10.15", "35.10")
        assert db.get_one(Regency, "35.10").time_zone == clock.WIB


@pytest.mark.parametrize(("name", "number"), [("klaten", 401), ("rembang", 294), ("temanggung", 289)])
def test_the_other_registers_come_in_whole_though_names_repeat(
    sqlite_database: Database, name: str, number: int
) -> None:
    done = _import_file(sqlite_database, villages.register_path(name))
    assert (sum(done.regencies.values()), done.bad) == (number, ())


def test_an_import_brings_new_names_and_places(database: Database) -> None:
    _import(database, f"{HEADER}\n{GOOD}\n")
    _import(database, f"{HEADER}\n{_row(nama='Bangorejo Baru', lat='', lon='', kecamatan='Bango')}\n")
    with database.reads() as db:
        village = villages.village(db, "35.10.02.2001")
        assert (village.name, village.latitude, village.longitude) == ("Bangorejo Baru", None, None)
        assert villages.districts(db, "35.10")["35.10.02"] == "Bango"


BAD_ROWS: Final = {
    "no code": _row(kode=""),
    "a code that is a number": _row(kode="351002.2001"),
    "a village code in other digits": _row(
        kode="".join(chr(ord(one) + 0x630) if one.isdigit() else one for one in "35.10.02.2001")
    ),
    "a code of a dusun": _row(kode="35.10.02.3001"),
    "another kecamatan": _row(kode_kecamatan="35.10.03"),
    "another kabupaten": _row(kode_kabupaten="35.11"),
    "a desa called kelurahan": _row(jenis="kelurahan"),
    "no kind": _row(jenis=""),
    "no name": _row(nama=""),
    "no name of the kecamatan": _row(kecamatan=""),
    "a latitude beyond the pole": _row(lat="91"),
    "a longitude that is no number": _row(lon="x"),
    "a latitude that is no number by name": _row(lat="nan"),
    "infinity": _row(lon="inf"),
    "a name with NUL": _row(nama="Bango\0rejo"),
    "a name with a bell": _row(nama="Bango\x07"),
    "a postal code with NUL": _row(kodepos="68\0"),
    "too few fields": "35.10.02.2001,Bangorejo",
    "twice": "35.10.02.2002,A,desa,35.10.02,B,35.10,C,,,\n35.10.02.2002,A,desa,35.10.02,B,35.10,C,,,",
}


def test_bad_rows_are_refused_alone_and_named_by_their_line(database: Database) -> None:
    before_lines = {}
    text, line = HEADER + "\n", 1
    for name, row in BAD_ROWS.items():
        text += row + "\n"
        line += row.count("\n") + 1
        before_lines[line] = name
    done = _import(database, text + GOOD + "\n")
    assert {bad.line: before_lines.get(bad.line) for bad in done.bad} == before_lines
    assert all(bad.reason and "\n" not in bad.reason for bad in done.bad)
    assert sum(done.regencies.values()) == 2
    with database.reads() as db:
        assert villages.village(db, "35.10.02.2001").name == "Bangorejo"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        GOOD,
        HEADER.replace("kode,", "code,") + f"\n{GOOD}\n",
        HEADER.replace(",", ";") + "\n" + GOOD.replace(",", ";"),
        f"{HEADER}\n" + "x" * 200_000 + "\n",
    ],
)
def test_what_is_no_register_is_refused_in_one_sentence(sqlite_database: Database, text: str) -> None:
    before = contents(sqlite_database)
    with pytest.raises(BadInput, match=r"\AThis is not a village register"):
        _import(sqlite_database, text)
    assert contents(sqlite_database) == before


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_another_encoding_is_refused_in_one_sentence(sqlite_database: Database, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "register.csv"
    path.write_text(f"{HEADER}\n{_row(nama='Désa')}\n", encoding=encoding)
    with pytest.raises(BadInput, match=r"\AThis is not a village register"):
        _import_file(sqlite_database, path)


@pytest.mark.parametrize(
    "file",
    [
        b"\xef\xbb\xbf" + f"{HEADER}\n{GOOD}\n".encode(),
        f"{HEADER}\r\n{GOOD}\r\n".encode(),
        b"\xef\xbb\xbf" + f"{HEADER}\r\n{GOOD}".encode(),
        f"{HEADER},catatan\n{GOOD},x\n".encode(),
        f"{HEADER}\n\n{GOOD}\n\n".encode(),
        f"{HEADER}\n{_row(nama=chr(34) + 'Bangorejo' + chr(34))}\n".encode(),
    ],
    ids=["byte order mark", "CRLF", "both", "one more column", "empty lines", "quotes"],
)
def test_files_as_spreadsheets_write_them_are_taken(sqlite_database: Database, tmp_path: Path, file: bytes) -> None:
    path = tmp_path / "register.csv"
    path.write_bytes(file)
    assert _import_file(sqlite_database, path) == Imported({"35.10": 1}, ())
    with sqlite_database.reads() as db:
        assert villages.village(db, "35.10.02.2001").name == "Bangorejo"


def test_a_village_that_is_not_there_is_not_found(database: Database) -> None:
    with database.reads() as db:
        for code in ("35.10.15.9999", "", "35.10", "x" * 1000, "35.10.15.2012 "):
            with pytest.raises(NotFound):
                villages.village(db, code)


@pytest.mark.parametrize(
    ("regency", "zone"), [("35.10", clock.WIB), ("51.71", clock.WITA), ("64.72", clock.WITA), ("91.03", clock.WIT)]
)
def test_a_regency_lives_in_its_provinces_zone(regency: str, zone: str) -> None:
    assert clock.zone_of(regency) == zone
