"""The register of villages: Kemendagri codes are text and stay text."""

import csv
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path


class RegisterError(ValueError):
    """The file is not a register of villages."""


@dataclass(frozen=True, slots=True)
class RegisteredVillage:
    """One row: code such as ``35.10.15.2012`` and name."""

    code: str
    name: str
    district: str


def read_register(path: Path) -> list[RegisteredVillage]:
    """Read a register with the columns ``kode``, ``nama`` and ``kode_kecamatan``."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    missing = {"kode", "nama", "kode_kecamatan"} - set(rows[0] if rows else {})
    if missing:
        raise RegisterError(f"{path}: the columns {', '.join(sorted(missing))} are missing")
    return [RegisteredVillage(r["kode"], r["nama"], r["kode_kecamatan"]) for r in rows]


def made_up(count: int) -> list[RegisteredVillage]:
    """Villages for a run without a register; the regency code 99.99 exists nowhere."""
    return [
        RegisteredVillage(f"99.99.{n // 20 + 1:02d}.{2001 + n % 20}", f"Contoh {n + 1}", f"99.99.{n // 20 + 1:02d}")
        for n in range(count)
    ]


def spread(villages: list[RegisteredVillage], count: int) -> list[RegisteredVillage]:
    """The first ``count`` villages when each kecamatan gives one in turn, in order of code."""
    if count >= len(villages):
        return villages
    districts: dict[str, list[RegisteredVillage]] = {}
    for village in villages:
        districts.setdefault(village.district, []).append(village)
    turns = zip_longest(*districts.values())
    chosen = [village for turn in turns for village in turn if village is not None][:count]
    return sorted(chosen, key=lambda village: village.code)
