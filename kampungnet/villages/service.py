"""The register of villages: import and look-up."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.errors import BadInput, NotFound
from kampungnet.core.languages import N_
from kampungnet.core.rows import upsert
from kampungnet.villages.models import District, Regency, Village

COLUMNS: Final = (
    "kode", "nama", "jenis", "kode_kecamatan", "kecamatan", "kode_kabupaten", "kabupaten", "lat", "lon", "kodepos",
)  # fmt: skip
_CODE: Final = re.compile(r"\d\d\.\d\d\.\d\d\.[12]\d\d\d", re.ASCII)
_KINDS: Final = {"1": "kelurahan", "2": "desa"}


@dataclass(frozen=True, slots=True)
class BadRow:
    """One row of a register that was refused: the others are taken."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    regencies: Mapping[str, int]
    """How many villages of each, by code."""
    bad: tuple[BadRow, ...]


def import_register(db: Session, lines: Iterable[str]) -> Imported:
    """Take a register in CSV (UTF-8, the columns of ``COLUMNS``); running it again updates names and places.

    A bad row is refused alone and named. Raises ``BadInput`` when the columns are not the register's.
    """
    try:
        good, bad = _sorted_out(csv.DictReader(lines))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"This is not a village register in CSV and UTF-8: {error}.") from error
    _store(db, list(good.values()))
    counts = Counter(row["kode_kabupaten"] for row in good.values())
    return Imported(dict(sorted(counts.items())), tuple(bad))


def _sorted_out(reader: "csv.DictReader[str]") -> tuple[dict[str, dict[str, str]], list[BadRow]]:
    """Return the good rows by code, and the bad ones. Raises ``BadInput`` for other columns."""
    if missing := [name for name in COLUMNS if name not in (reader.fieldnames or ())]:
        raise BadInput(f"This is not a village register: column {', '.join(missing)} is missing.")
    good: dict[str, dict[str, str]] = {}
    bad: list[BadRow] = []
    for row in reader:
        if reason := _refusal(row, good):
            bad.append(BadRow(reader.line_num, reason))
        else:
            good[row["kode"]] = row
    return good, bad


def register_path(name: str) -> Path:
    """Return the path of a register: a file, or one that comes with KampungNet by its short name."""
    own = Path(__file__).parent / "register" / f"villages-{name}.csv"
    return own if re.fullmatch(r"[a-z]+", name) and own.is_file() else Path(name)


def village(db: Session, code: str) -> Village:
    """Return one village by its Kemendagri code. Raises ``NotFound``."""
    found = db.scalar(select(Village).where(Village.regency == code[:5], Village.code == code))
    if found is None:
        raise NotFound(N_("There is no village with this code in the register."))
    return found


def regencies(db: Session) -> list[Regency]:
    """Return all regencies of this installation, by code."""
    return list(db.scalars(select(Regency).order_by(Regency.code)))


def districts(db: Session, regency: str) -> dict[str, str]:
    """Return the names of a regency's kecamatan by code."""
    rows = db.execute(select(District.code, District.name).where(District.regency == regency).order_by(District.code))
    return {row.code: row.name for row in rows}


def names(db: Session, regency: str) -> dict[str, str]:
    """Return the names of a regency's villages by code. Names are not unique; codes are."""
    rows = db.execute(select(Village.code, Village.name).where(Village.regency == regency))
    return {row.code: row.name for row in rows}


def _refusal(row: dict[str, str], seen: dict[str, dict[str, str]]) -> str:
    """Say why a row cannot be taken, or nothing."""
    code = row["kode"] or ""
    if not _CODE.fullmatch(code):
        return f"kode {code!r} is not a village code such as 35.10.15.2012"
    if code in seen:
        return f"kode {code} stands twice"
    if row["kode_kecamatan"] != code[:8] or row["kode_kabupaten"] != code[:5]:
        return f"kode {code} does not lie in kecamatan {row['kode_kecamatan']}"
    if row["jenis"] != _KINDS[code[9]]:
        return f"kode {code} is a {_KINDS[code[9]]}, not a {row['jenis']}"
    names = (row["nama"], row["kecamatan"], row["kabupaten"])
    if not all(names):
        return f"kode {code} has no name"
    if not "".join((*names, row["kodepos"] or "")).isprintable():
        return f"kode {code} has a name with characters nobody can read"
    return _refused_place(row)


def _refused_place(row: dict[str, str]) -> str:
    for name, limit in (("lat", 90.0), ("lon", 180.0)):
        text = row[name] or ""
        try:
            inside = not text or abs(float(text)) <= limit
        except ValueError:
            inside = False
        if not inside:
            return f"{name} {text!r} is not a coordinate in degrees"
    return ""


def _store(db: Session, rows: list[dict[str, str]]) -> None:
    if not rows:
        return
    regencies = {
        r["kode_kabupaten"]: {"code": r["kode_kabupaten"], "name": r["kabupaten"],
                              "time_zone": clock.zone_of(r["kode_kabupaten"])} for r in rows
    }  # fmt: skip
    districts = {
        r["kode_kecamatan"]: {"regency": r["kode_kabupaten"], "code": r["kode_kecamatan"], "name": r["kecamatan"]}
        for r in rows
    }
    villages = [
        {"regency": r["kode_kabupaten"], "code": r["kode"], "district": r["kode_kecamatan"], "name": r["nama"],
         "kind": r["jenis"], "latitude": float(r["lat"]) if r["lat"] else None,
         "longitude": float(r["lon"]) if r["lon"] else None, "postal_code": r["kodepos"] or ""} for r in rows
    ]  # fmt: skip
    upsert(db, Regency, list(regencies.values()), ("code",), ("name",))
    upsert(db, District, list(districts.values()), ("regency", "code"), ("name",))
    columns = ("district", "name", "kind", "latitude", "longitude", "postal_code")
    upsert(db, Village, villages, ("regency", "code"), columns)
